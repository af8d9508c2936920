/* tarball.h - an index of a tar file that somebody else made: names, and where the bytes are.
 *
 * A tar that is a plain file is read where it lies and nothing of it is copied. One that comes
 * through a pipe, or is compressed (gzip, zstd), goes through a file without a name in the
 * caller's directory first. Either way a member is an extent afterwards. Immutable once open:
 * any thread may look members up. (Not archive.h: libarchive has taken those names.) */
#ifndef DAEMON_TARBALL_H
#define DAEMON_TARBALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"

#define TARBALL_MEMBERS_MAX 100000u
#define TARBALL_NAME_MAX 1024u		/* bytes */
#define TARBALL_NAMES_MAX (16u << 20)	/* bytes of all names together */
#define TARBALL_LINKS_MAX 8u		/* from one to the next */

struct tarball;

/* Lends fd: it stays the caller's and must stay open. At most spool_max bytes are put into the
 * directory spool_dir_fd. NULL with err (ERROR_INPUT, naming the member): not a tar, truncated,
 * devices in it, names or links that lead outside, or beyond a limit. */
struct tarball *tarball_open(int fd, int spool_dir_fd, uint64_t spool_max,
    const struct deadline *, struct error *err);
/* What comes through the pipe, to its end, in a file without a name: it can be read twice then. */
int	 tarball_keep_pipe(int fd, int spool_dir_fd, uint64_t spool_max, struct extent *out,
	    const struct deadline *, struct error *err);
void	 tarball_free(struct tarball *);	/* NULL is fine */
CLEANUP_FUNC(struct tarball, tarball_free);

/* The regular file of that name, links followed; *out lends. False: there is none, or the links
 * end nowhere. The last of several members of one name counts. */
bool	 tarball_find(const struct tarball *, const char *name, struct extent *out);

/* Names sorted (strcmp), each once; files and links, no directories. */
size_t	 tarball_count(const struct tarball *);
const char *tarball_name(const struct tarball *, size_t i);

#endif
