/* atomic-file.h - files that are replaced whole, and still there after a power cut.
 *
 * Any thread; no state. Names are relative to an open directory (AT_FDCWD: a path). */
#ifndef DAEMON_ATOMIC_FILE_H
#define DAEMON_ATOMIC_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/error.h"

/* Writes NAME.tmp, fsyncs it, renames it to NAME and fsyncs the directory. When it fails the old
 * file stands. One writer a name at a time. */
int	 atomic_file_write(int dir_fd, const char *name, const void *data, size_t len, mode_t,
	    struct error *err);
/* Adds the whole file to `out`. ERROR_MISSING: there is none; ERROR_INPUT: longer than `limit`,
 * or not a regular file. */
int	 atomic_file_read(int dir_fd, const char *name, size_t limit, struct buf *out,
	    struct error *err);

#endif
