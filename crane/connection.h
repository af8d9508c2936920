/* connection.h - the clients of one worker thread: HTTP/1.1 over TCP or TLS.
 *
 * Own HTTP on bufferevents, because libevent's evhttp bounds neither how many clients there are nor
 * how long one may take for a request, and a redirector is asked by anyone. A client that sends
 * slowly, reads slowly or stays idle is ended when its time is over; one too many takes the place
 * of the longest idle one. All of it belongs to the worker's thread. */
#ifndef CRANE_CONNECTION_H
#define CRANE_CONNECTION_H

#include <event2/event.h>

#include "crane/live.h"

struct connections;

struct connection_limits {
	unsigned int	clients;
	int64_t		pending_max;	/* bytes of answers that clients have not taken yet */
	int		idle_s;		/* between two requests */
	int		request_s;	/* from a request's first byte, or TLS's, to its last */
	int		answer_s;	/* to take an answer */
};

#define CONNECTION_LIMITS { 4096, 64 << 20, 60, 20, 120 }

struct connections *connections_new(struct event_base *, const struct connection_limits *,
	    const char *endpoint);		/* lent; may be NULL */
void	 connections_free(struct connections *);

void	 connections_serve(struct connections *, struct live *);	/* takes the reference */
void	 connections_accept(struct connections *, int fd);	/* takes the descriptor */
void	 connections_sweep(struct connections *);		/* once a second */
/* No new request is read; what was answered goes out. True when nobody is left. */
bool	 connections_drain(struct connections *);

#endif
