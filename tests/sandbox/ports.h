/* ports.h - HTTP on loopback ports: calls a face for each request and sends its answer,
 * late, spoiled or not at all where a fault was ordered. Owns the connections. */
#ifndef TESTS_SANDBOX_PORTS_H
#define TESTS_SANDBOX_PORTS_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "common/error.h"
#include "tests/sandbox/face.h"
#include "tests/sandbox/faults.h"
#include "tests/sandbox/record.h"

#define PORTS_BODY_MAX (512u << 20)	/* bytes of a request's body, which stands in memory */

struct ports;

struct ports	*ports_new(struct event_base *, struct faults *, struct record *);	/* lent */
void		 ports_free(struct ports *);

/* Listens on 127.0.0.1; *port 0 takes a free one and is set to it. `name` (static) is what
 * faults and records call the face; NULL: it is neither recorded nor spoiled. With `tls`
 * (lent; NULL: without) only by https. */
int		 ports_listen(struct ports *, int *port, const char *name, SSL_CTX *tls,
		    face_answer *, void *face, struct error *err);
/* Cuts off every client that waits for an answer that is delayed or will not come. */
void		 ports_drop_waiting(struct ports *);

#endif
