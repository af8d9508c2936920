/* request.h - the head of one HTTP/1 request, read strictly (RFC 9112).
 *
 * Pure: it points into the bytes that it was read from and lives as long as they do. What could
 * be understood in two ways, by us and by a proxy in front of us, is refused. Any thread. */
#ifndef CRANE_REQUEST_H
#define CRANE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_HEAD_MAX 16384u		/* bytes, with the empty line at its end */
#define REQUEST_LINE_MAX 8192u
#define REQUEST_HEADERS_MAX 100u
#define REQUEST_BODY_MAX 65536u		/* of what is thrown away; nobody has to send one */
#define REQUEST_VALUE_MAX 512u		/* of a parameter in the query, with its NUL */

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };

struct request_header {
	const char	*name;
	const char	*value;		/* without the blanks around it */
};

struct request {
	enum request_method	 method;
	const char		*path;		/* percent-decoded, once; begins with '/' */
	const char		*query;		/* as sent, without '?'; "": none */
	const char		*host;		/* "": HTTP/1.0 without one */
	struct request_header	 headers[REQUEST_HEADERS_MAX];
	size_t			 n_headers;
	uint64_t		 body_size;
	bool			 expects;	/* waits for leave to send its body */
	bool			 keep_alive;
};

/* Reads the head, `len` bytes with the empty line at its end and head[len] writable; changes it.
 * 0, or the HTTP status of the refusal: 400, 413, 414, 431, 501 or 505. */
int	 request_parse(char *head, size_t len, struct request *);

enum request_value { REQUEST_ABSENT, REQUEST_PRESENT, REQUEST_BAD };

/* A parameter of the query, the first of that name, decoded into out. */
enum request_value request_parameter(const struct request *, const char *name,
	    char out[REQUEST_VALUE_MAX]);

#endif
