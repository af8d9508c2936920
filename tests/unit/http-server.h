/* http-server.h - an HTTP server inside a test that does what the test says, wrong things too.
 *
 * On 127.0.0.1, a free port, one thread a connection. The test's function is called for each
 * request, in that connection's thread, and writes the answer byte by byte. */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct server_connection;

struct server_request {
	unsigned int	 number;	/* from 1, over all connections */
	char		 method[16];
	char		 target[4096];
	char		 head[16384];	/* the request line and the headers */
	char		*body;		/* NUL-terminated */
	size_t		 body_len;
};

typedef void server_fn(void *arg, const struct server_request *, struct server_connection *);

struct http_server;

struct http_server *http_server_start(server_fn *, void *arg, bool tls);
void	 http_server_stop(struct http_server *);
const char *http_server_url(const struct http_server *);	/* "http://127.0.0.1:1234" */
const char *http_server_ca_file(const struct http_server *);	/* the TLS certificate, PEM */
unsigned int http_server_connections(struct http_server *);	/* accepted so far */
unsigned int http_server_requests(struct http_server *);	/* received so far */

/* The value of a request's header, "" without; static per thread, good for the next seven calls. */
const char *server_header(const struct server_request *, const char *name);

void	 server_send(struct server_connection *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	 server_answer(struct server_connection *, const char *status, const char *headers,
	    const char *body);
void	 server_close(struct server_connection *);	/* an orderly end */
void	 server_reset(struct server_connection *);	/* RST */
void	 server_wait_gone(struct server_connection *);	/* until the client goes away */
bool	 server_alive(struct server_connection *);	/* the last byte could be sent */

#endif
