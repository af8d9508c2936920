/* extent.h - a run of bytes in an open file, and files without a name to put bytes in.
 *
 * An extent is a plain value that is read by pread(2), so the file's own position is left alone
 * and any number of threads may read one. A spool is written by one thread, then becomes an
 * extent; it has no name, so that nothing is left behind however we end. Any thread. */
#ifndef DAEMON_EXTENT_H
#define DAEMON_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/digest.h"

#define DIGEST_PREFIX "sha256:"
#define DIGEST_SIZE (sizeof(DIGEST_PREFIX) - 1 + SHA256_HEX_SIZE)	/* with the NUL */

struct extent {
	int		fd;		/* -1: none */
	bool		owned;		/* extent_done() closes fd */
	off_t		offset;
	uint64_t	size;
};

#define EXTENT_INIT { -1, false, 0, 0 }

/* Reads at most `want` bytes at `at` into out. -1 with err (ERROR_INPUT) when the file ends
 * before the extent does; *got is 0 at the extent's own end only. */
int	 extent_read(const struct extent *, uint64_t at, void *out, size_t want, size_t *got,
	    struct error *err);
/* The whole extent added to `out`; ERROR_INPUT when it is larger than limit bytes. */
int	 extent_load(const struct extent *, size_t limit, struct buf *out, struct error *err);
/* Reads it whole; ERROR_INPUT, naming the digest, when the bytes are not those of "sha256:HEX". */
int	 extent_check(const struct extent *, const char *digest, const struct deadline *,
	    struct error *err);
void	 extent_done(struct extent *);

/* "sha256:" and 64 lower-case hex digits. */
bool	 digest_valid(const char *);
void	 digest_of(const void *, size_t, char out[DIGEST_SIZE]);

struct spool;

/* In the directory dir_fd; at most `limit` bytes. NULL with err. */
struct spool *spool_new(int dir_fd, uint64_t limit, struct error *err);
/* ERROR_INPUT beyond the limit, ERROR_SYSTEM when the disk is full. */
int	 spool_add(struct spool *, const void *, size_t, struct error *err);
uint64_t spool_size(const struct spool *);
int	 spool_restart(struct spool *, struct error *err);	/* forgets what was added */
/* The digest of what was added. Once; nothing can be added afterwards. */
void	 spool_digest(struct spool *, char out[DIGEST_SIZE]);
/* What was added, as an extent that owns the file; the spool is left empty. */
void	 spool_take(struct spool *, struct extent *out);
void	 spool_free(struct spool *);		/* NULL is fine */
CLEANUP_FUNC(struct spool, spool_free);

#endif
