#include "daemon/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
open_beneath(int dir_fd, const char *name)
{
	/* A fifo would keep an open that blocks waiting for ever. */
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
}

static int
file_open(int dir_fd, const char *name, struct extent *out, struct error *err)
{
	int fd = open_beneath(dir_fd, name);
	struct stat st;

	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ERROR_MISSING, "'%s' is not there", name);
	if (fd == -1 && errno == EXDEV)
		return error_set(err, ERROR_INPUT, "'%s' leads outside of the directory", name);
	if (fd == -1)
		return error_errno(err, "cannot open '%s'", name);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(err, ERROR_INPUT, "'%s' is not a regular file", name);
	}
	*out = (struct extent){ .fd = fd, .owned = true, .size = (uint64_t)st.st_size };
	return 0;
}

int
tree_open(const struct tree *tree, const char *name, struct extent *out, struct error *err)
{
	if (tree->tarball == NULL)
		return file_open(tree->dir_fd, name, out, err);
	if (tarball_find(tree->tarball, name, out))
		return 0;
	return error_set(err, ERROR_MISSING, "member '%s' is not there", name);
}

int
tree_load(const struct tree *tree, const char *name, size_t limit, struct buf *out,
    struct error *err)
{
	cleanup(extent_done) struct extent at = EXTENT_INIT;

	if (tree_open(tree, name, &at, err) == -1)
		return -1;
	return extent_load(&at, limit, out, err) == -1 ? error_prefix(err, "'%s'", name) : 0;
}
