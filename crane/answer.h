/* answer.h - what goes back to a client: a status, headers and a body.
 *
 * Filled by who knows what to say, written to the socket by connection.c, emptied and used again
 * for the next request of the same thread. */
#ifndef CRANE_ANSWER_H
#define CRANE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"

struct answer {
	int		 status;
	struct buf	 headers;	/* "Name: value\r\n" …, without Content-Length */
	struct buf	 body;
	const struct buf *shared;	/* the body instead, lent until the answer is written */
	bool		 has_length;	/* of what a GET would get, when HEAD has no body */
	uint64_t	 length;
};

void	 answer_begin(struct answer *, int status);	/* empties it */
/* Appends "name: value". A control character in the value, which nobody let through, would
 * become '?': no header can end early. */
void	 answer_header(struct answer *, const char *name, const char *value);
/* The whole body, and its type. */
void	 answer_text(struct answer *, const char *type, const char *text);
void	 answer_json(struct answer *, json_t *);	/* takes the value; application/json */
void	 answer_done(struct answer *);

/* Whole answers. */
void	 answer_status(struct answer *, int status);	/* its reason is the body */
void	 answer_not_allowed(struct answer *, const char *methods);
/* As registries do: {"errors": [{"code", "message", "detail": {key: value}}]}. */
void	 answer_error(struct answer *, int status, const char *code, const char *message,
	    const char *key, const char *value);

const char *answer_reason(int status);	/* "Not Found"; static */

#endif
