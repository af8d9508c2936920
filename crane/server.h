/* server.h - worker threads that answer on one address.
 *
 * Each has its own listening socket (SO_REUSEPORT: the kernel spreads the clients), event loop and
 * connections; nothing is shared but what is immutable. The main thread talks to a worker by a
 * pipe: pointers to what is live, and its end as the word to stop. */
#ifndef CRANE_SERVER_H
#define CRANE_SERVER_H

#include "common/error.h"
#include "crane/connection.h"

#define SERVER_WORKERS_MAX 64u

struct server_options {
	const char			*listen;	/* "ADDR:PORT", "[V6]:PORT" or ":PORT"; port 0: any */
	unsigned int			 workers;
	struct connection_limits	 limits;	/* clients: of all workers together */
	const char			*endpoint;	/* NULL: the request's Host */
};

struct server;

/* Listens, answers nobody yet. What the options lend lives as long as the server. */
struct server *server_new(const struct server_options *, struct error *err);
const char *server_address(const struct server *);	/* "ADDR:PORT" as it is */
/* Answers from this from now on; takes no reference of the caller's. */
void	 server_publish(struct server *, struct live *);
/* Lets each client have its answer, for some seconds; NULL is fine. */
void	 server_free(struct server *);

#endif
