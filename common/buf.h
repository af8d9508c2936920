/* buf.h - a growing run of bytes with a limit, always followed by a NUL.
 *
 * A plain value: `struct buf b = BUF_INIT`, released by buf_done(). Not shared between
 * threads. `limit` (bytes, 0: none) bounds what an outside party can make it hold. */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char	*data;		/* NULL while nothing was added; else data[len] is NUL */
	size_t	 len;
	size_t	 size;		/* allocated */
	size_t	 limit;
};

#define BUF_INIT { NULL, 0, 0, 0 }
#define BUF_LIMIT(bytes) { NULL, 0, 0, (bytes) }

/* False, with the buffer as it was, when the limit would be passed. */
bool	 buf_add(struct buf *, const void *, size_t);
bool	 buf_add_str(struct buf *, const char *);
bool	 buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void	 buf_clear(struct buf *);	/* empties, keeps the memory */
void	 buf_drain(struct buf *, size_t n);	/* takes n bytes off the front */
char	*buf_take(struct buf *);	/* the caller's to free; never NULL; empties the buf */
const char *buf_str(const struct buf *);	/* "" while empty; valid until it changes */
void	 buf_done(struct buf *);

#endif
