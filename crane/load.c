#include "crane/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "crane/tree.h"

void
refusals_add(struct refusals *r, const char *file, const char *reason)
{
	r->total++;
	if (r->n == REFUSALS_MAX)
		return;
	r->list = xreallocarray(r->list, r->n + 1, sizeof(*r->list));
	r->list[r->n++] = (struct refusal){ xstrdup(file), xstrdup(reason) };
}

void
refusals_done(struct refusals *r)
{
	while (r->n > 0) {
		r->n--;
		free(r->list[r->n].file);
		free(r->list[r->n].reason);
	}
	free(r->list);
	*r = (struct refusals)REFUSALS_INIT;
}

static int
read_whole(int fd, struct buf *out, struct error *err)
{
	char piece[16384];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_errno(err, "cannot read");
		if (!buf_add(out, piece, (size_t)n))
			return error_set(err, ERROR_INPUT, "longer than %u bytes",
			    CRANE_METADATA_MAX);
	}
	return 0;
}

/* Without waiting for a pipe's other end. */
static int
read_file(int dir, const char *name, struct buf *out, struct error *err)
{
	cleanup(close_p) int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return error_errno(err, "cannot open");
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INPUT, "not a regular file");
	return read_whole(fd, out, err);
}

static int
load_file(int dir, const char *name, struct store *store, struct error *err)
{
	cleanup(buf_done) struct buf data = BUF_LIMIT(CRANE_METADATA_MAX);
	struct crane_metadata *metadata;
	char sha256[SHA256_HEX_SIZE];

	if (read_file(dir, name, &data, err) == -1)
		return -1;
	metadata = crane_metadata_parse(buf_str(&data), data.len, err);
	if (metadata == NULL)
		return -1;
	digest_sha256_hex(buf_str(&data), data.len, sha256);
	store_add(store, name, sha256, metadata);
	return 0;
}

static int
load_tree(const char *path, struct store *store, struct refusals *refusals, struct error *err)
{
	cleanup(close_p) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(tree_done) struct tree tree = TREE_INIT;
	struct error reason;
	size_t i;

	if (dir == -1)
		return error_errno(err, "cannot open");
	if (tree_read(dir, &tree, err) == -1)
		return -1;
	for (i = 0; i < tree.n_files; i++) {
		reason = (struct error)ERROR_INIT;
		if (load_file(dir, tree.files[i], store, &reason) == -1)
			refusals_add(refusals, tree.files[i], reason.text);
	}
	return 0;
}

struct store *
load_directory(const char *path, int64_t now, struct refusals *refusals)
{
	struct store *store = store_new();
	struct error err = ERROR_INIT;

	if (load_tree(path, store, refusals, &err) == -1)
		refusals_add(refusals, "", err.text);
	store_seal(store, refusals->total == 0, now);
	return store;
}
