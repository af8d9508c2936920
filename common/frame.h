/* frame.h - NUL-terminated messages out of a stream of bytes; no I/O.
 *
 * A plain value: FRAME_INIT(limit), released by frame_done(). `limit` (bytes) bounds what may
 * wait: one message that is not complete yet, or all that were not taken. Every byte is searched
 * for its NUL once, however small the pieces are in which it comes. */
#ifndef COMMON_FRAME_H
#define COMMON_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

#define FRAME_CALL_MAX (1u << 20)	/* bytes of a call, for the daemon */
#define FRAME_REPLY_MAX (64u << 20)	/* of a reply, for the client */

struct frame {
	struct buf	buf;
	size_t		start;		/* of the first message that was not taken */
	size_t		searched;	/* no NUL beyond the complete messages before this offset */
	size_t		complete;	/* messages that wait */
};

#define FRAME_INIT(bytes) { BUF_LIMIT(bytes), 0, 0, 0 }

/* False, with nothing added, when the limit would be passed. */
bool	 frame_add(struct frame *, const void *, size_t);
/* Takes the next message, without its NUL, though there is one; false: none is complete. The
 * bytes stay until the next frame_add(). */
bool	 frame_next(struct frame *, const char **data, size_t *len);
void	 frame_done(struct frame *);

#endif
