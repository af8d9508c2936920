/* tree.h - files by name, in a tar or below a directory.
 *
 * A plain value that lends both. Nothing outside of them can be reached, whatever links they
 * hold. Any thread. */
#ifndef DAEMON_TREE_H
#define DAEMON_TREE_H

#include <stddef.h>

#include "common/buf.h"
#include "common/error.h"
#include "daemon/extent.h"
#include "daemon/tarball.h"

struct tree {
	const struct tarball	*tarball;	/* NULL: dir_fd */
	int			 dir_fd;
};

/* *out is for extent_done(). ERROR_MISSING when there is no such file. */
int	 tree_open(const struct tree *, const char *name, struct extent *out, struct error *err);
/* The whole file added to `out`. */
int	 tree_load(const struct tree *, const char *name, size_t limit, struct buf *out,
    struct error *err);

#endif
