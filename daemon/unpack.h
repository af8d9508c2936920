/* unpack.h - compressed bytes as a stream of plain ones, by libarchive, with limits.
 *
 * Takes extents and returns values; no state is shared. Any thread. */
#ifndef DAEMON_UNPACK_H
#define DAEMON_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"

/* Real layers shrink to a twentieth at best, but for their runs of zeros. A bomb is what makes
 * more than both of these allow: so many bytes, and so many for each that is read. */
#define UNPACK_FREE (256u << 20)
#define UNPACK_RATIO 200u

enum compression {
	COMPRESSION_NONE,	/* or one that is not known here */
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
};

/* By the first bytes. */
int	 compression_sniff(const struct extent *, enum compression *out, struct error *err);

/* Calls fn with each piece of what a gzip or zstd extent holds, in order. -1 with err
 * (ERROR_INPUT) when it is damaged, truncated, or holds more than `limit` bytes or UNPACK_RATIO
 * allow; or when fn returns -1. */
int	 unpack_each(const struct extent *, uint64_t limit,
	    int (*fn)(void *arg, const void *, size_t, struct error *err), void *arg,
	    const struct deadline *, struct error *err);

#endif
