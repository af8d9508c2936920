/* span.h - a run of bytes in somebody else's memory, and Python's idea of white space in it.
 *
 * A plain value that lends. Any thread. */
#ifndef DAEMON_SPAN_H
#define DAEMON_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char	*at;
	size_t		 len;
};

/* The length of the UTF-8 sequence at the front (RFC 3629 section 4) and what it stands for;
 * 0 when there is none, also of an empty span. */
size_t	 span_decode(struct span, unsigned int *code_point);
bool	 span_is_utf8(struct span);

/* As str.strip(), of what str.isspace() is true for; stops at bytes that are not UTF-8.
 * *indent: how many characters went from the front; may be NULL. */
struct span	span_strip(struct span, size_t *indent);

struct span	span_first(struct span, size_t n);
struct span	span_from(struct span, size_t n);

#endif
