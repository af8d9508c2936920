/* face.h - what a face of the sandbox is asked, and what it answers; no I/O.
 *
 * A face (broker, Crane, S3, control) is a function from a request to an answer. ports.h
 * calls it, records the exchange, and spoils it where a fault was ordered. */
#ifndef TESTS_SANDBOX_FACE_H
#define TESTS_SANDBOX_FACE_H

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct pair {
	char	*name;
	char	*value;		/* "" where none was given */
};

struct query {
	struct pair	*pairs;		/* decoded, in the order sent */
	size_t		 n;
};

struct request {
	const char		*method;	/* "GET" */
	char			*path;		/* as sent, still encoded, without the query */
	const char		*query_text;	/* as sent; "" without one */
	struct query		 query;
	char			*host;		/* in lower case, without the port */
	const struct evkeyvalq	*headers;
	const char		*body;
	size_t			 body_len;
};

struct reply {
	int			 status;
	struct evkeyvalq	 headers;
	struct evbuffer		*body;		/* of a HEAD too: its length is the answer's */
};

typedef void face_answer(void *face, const struct request *, struct reply *);

const char *request_header(const struct request *, const char *name);	/* NULL: none */
bool	 request_is(const struct request *, const char *method);

void	 query_parse(const char *text, struct query *out);
const char *query_value(const struct query *, const char *name);	/* NULL: not there */
void	 query_done(struct query *);

/* n bytes with %XX (and '+' as a blank where plus is true) decoded; a broken or NUL escape
 * stays as it is. The caller's to free. */
char	*percent_decode(const char *, size_t n, bool plus);
char	*percent_encode(const char *, bool keep_slash);	/* all but RFC 3986's unreserved */

void	 reply_init(struct reply *);
void	 reply_clear(struct reply *);		/* as if nothing had been answered yet */
void	 reply_done(struct reply *);
void	 reply_header(struct reply *, const char *name, const char *value);
void	 reply_text(struct reply *, int status, const char *type, const char *text);
void	 reply_json(struct reply *, int status, json_t *);	/* takes the value */
/* A page as a proxy or a web server would write it. */
void	 reply_html(struct reply *, int status, const char *title);

#endif
