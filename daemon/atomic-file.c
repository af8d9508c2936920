#include "daemon/atomic-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The directory that holds `name`, to be fsynced: a rename lasts only once its directory is on
 * disk too, see fsync(2); before that a power cut could bring the old file back. */
static int
sync_parent(int dir_fd, const char *name)
{
	cleanup(free_p) char *dir = xstrdup(name);
	cleanup(close_p) int fd = -1;
	char *slash = strrchr(dir, '/');

	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	fd = openat(dir_fd, slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd == -1 ? -1 : fsync(fd);
}

int
atomic_file_write(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
    struct error *err)
{
	cleanup(free_p) char *tmp = xasprintf("%s.tmp", name);
	cleanup(close_p) int fd = -1;

	fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd == -1)
		return error_errno(err, "cannot make '%s'", tmp);
	if (write_all(fd, data, len) == -1 || fsync(fd) == -1) {
		error_errno(err, "cannot write '%s'", tmp);
		unlinkat(dir_fd, tmp, 0);
		return -1;
	}
	if (renameat(dir_fd, tmp, dir_fd, name) == -1 || sync_parent(dir_fd, name) == -1)
		return error_errno(err, "cannot replace '%s'", name);
	return 0;
}

int
atomic_file_read(int dir_fd, const char *name, size_t limit, struct buf *out, struct error *err)
{
	cleanup(close_p) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char chunk[16384];
	size_t total = 0;
	struct stat st;
	ssize_t n;

	if (fd == -1 && errno == ENOENT)
		return error_set(err, ERROR_MISSING, "no file '%s'", name);
	if (fd == -1 || fstat(fd, &st) == -1)
		return error_errno(err, "cannot open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INPUT, "'%s' is not a regular file", name);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_errno(err, "cannot read '%s'", name);
		total += (size_t)n;
		if (total > limit || !buf_add(out, chunk, (size_t)n))
			return error_set(err, ERROR_INPUT, "'%s' is longer than %zu bytes", name,
			    limit);
	}
	return 0;
}
