#include "daemon/tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "daemon/unpack.h"

#define PIECE (64u << 10)
#define CANCEL_NOTICED_MS 100

struct member {
	char		*name;
	char		*target;	/* of a link, from the top; NULL: a file */
	uint64_t	 offset;	/* in the tar */
	uint64_t	 size;
	size_t		 order;		/* in which it came */
};

struct tarball {
	struct extent	 bytes;		/* of the plain tar */
	struct member	*members;	/* sorted by name */
	size_t		 n;
	size_t		 size;		/* allocated */
	size_t		 names;		/* bytes */
};

/* The tar as libarchive's callbacks see it. */
struct input {
	const struct extent	*extent;
	uint64_t		 at;
	char			 piece[PIECE];
	struct error		 failed;
};

static void
reader_free(struct archive **a)
{
	archive_read_free(*a);
}

/* Waits until a read of the pipe will not block. */
static int
pipe_wait(int fd, const struct deadline *d, struct error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = 0;

	while (n == 0) {
		if (deadline_check(d, err) == -1)
			return -1;
		n = poll(&p, 1, CANCEL_NOTICED_MS);
		if (n == -1 && errno != EINTR)
			return error_errno(err, "cannot wait for the pipe");
	}
	return 0;
}

static int
pipe_copy(int fd, struct spool *spool, const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *piece = xcalloc(1, PIECE);
	ssize_t n = 1;

	while (n != 0) {
		if (pipe_wait(fd, d, err) == -1)
			return -1;
		n = read(fd, piece, PIECE);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return error_errno(err, "cannot read the pipe");
		if (n > 0 && spool_add(spool, piece, (size_t)n, err) == -1)
			return -1;
	}
	return 0;
}

int
tarball_keep_pipe(int fd, int dir_fd, uint64_t limit, struct extent *out,
    const struct deadline *d, struct error *err)
{
	cleanup(spool_free_p) struct spool *spool = spool_new(dir_fd, limit, err);

	if (spool == NULL || pipe_copy(fd, spool, d, err) == -1)
		return -1;
	spool_take(spool, out);
	return 0;
}

static int
add_to_spool(void *arg, const void *data, size_t len, struct error *err)
{
	return spool_add(arg, data, len, err);
}

static int
unpack_to_file(struct extent *e, int dir_fd, uint64_t limit, const struct deadline *d,
    struct error *err)
{
	cleanup(spool_free_p) struct spool *spool = spool_new(dir_fd, limit, err);

	if (spool == NULL || unpack_each(e, limit, add_to_spool, spool, d, err) == -1)
		return -1;
	extent_done(e);
	spool_take(spool, e);
	return 0;
}

/* *out is the plain tar, in the file itself or in a copy. */
static int
make_plain(int fd, int dir_fd, uint64_t limit, struct extent *out, const struct deadline *d,
    struct error *err)
{
	enum compression compression;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_errno(err, "cannot look at the file");
	if (S_ISFIFO(st.st_mode)) {
		if (tarball_keep_pipe(fd, dir_fd, limit, out, d, err) == -1)
			return -1;
	} else if (S_ISREG(st.st_mode)) {
		*out = (struct extent){ .fd = fd, .size = (uint64_t)st.st_size };
	} else {
		return error_set(err, ERROR_INPUT, "neither a file nor a pipe");
	}
	if (compression_sniff(out, &compression, err) == -1)
		return -1;
	return compression == COMPRESSION_NONE ? 0 : unpack_to_file(out, dir_fd, limit, d, err);
}

static la_ssize_t
read_more(struct archive *a, void *arg, const void **data)
{
	struct input *in = arg;
	size_t n;

	if (extent_read(in->extent, in->at, in->piece, PIECE, &n, &in->failed) == -1) {
		archive_set_error(a, EIO, "cannot be read");
		return -1;
	}
	in->at += n;
	*data = in->piece;
	return (la_ssize_t)n;
}

/* The bytes of a member are not read here, only stepped over. */
static la_int64_t
skip_some(struct archive *a, void *arg, la_int64_t want)
{
	struct input *in = arg;
	uint64_t left = in->extent->size - in->at;

	(void)a;
	if ((uint64_t)want > left)
		want = (la_int64_t)left;
	in->at += (uint64_t)want;
	return want;
}

/* Adds the parts of `path` to `out`, which holds the parts before; false when that leads above
 * the top. */
static bool
path_add(struct buf *out, const char *path)
{
	const char *end, *slash;

	for (; *path != '\0'; path = *end == '/' ? end + 1 : end) {
		end = strchrnul(path, '/');
		if (end == path || (end - path == 1 && path[0] == '.'))
			continue;
		if (end - path == 2 && memcmp(path, "..", 2) == 0) {
			if (out->len == 0)
				return false;
			slash = memrchr(out->data, '/', out->len);
			out->len = slash != NULL ? (size_t)(slash - out->data) : 0;
			out->data[out->len] = '\0';
			continue;
		}
		if ((out->len > 0 && !buf_add_str(out, "/")) ||
		    !buf_add(out, path, (size_t)(end - path)))
			return false;
	}
	return true;
}

static bool
has_dot_dot(const char *path)
{
	const char *end;

	for (; *path != '\0'; path = *end == '/' ? end + 1 : end) {
		end = strchrnul(path, '/');
		if (end - path == 2 && memcmp(path, "..", 2) == 0)
			return true;
	}
	return false;
}

/* What a member is called, without "./" and doubled slashes; NULL: the top itself. */
static int
member_name(const char *raw, char **out, struct error *err)
{
	cleanup(buf_done) struct buf name = BUF_LIMIT(TARBALL_NAME_MAX);

	if (raw == NULL)
		return error_set(err, ERROR_INPUT, "a member's name cannot be read");
	if (raw[0] == '/' || has_dot_dot(raw))
		return error_set(err, ERROR_INPUT, "member '%s': its name leads outside", raw);
	if (!path_add(&name, raw))
		return error_set(err, ERROR_INPUT, "member '%.64s…': its name is too long", raw);
	*out = name.len > 0 ? buf_take(&name) : NULL;
	return 0;
}

/* Where a link of that name points, from the top. */
static int
link_target(const char *name, const char *raw, bool hard, char **out, struct error *err)
{
	cleanup(buf_done) struct buf target = BUF_LIMIT(TARBALL_NAME_MAX);
	const char *slash = strrchr(name, '/');

	if (raw == NULL)
		return error_set(err, ERROR_INPUT, "member '%s': its link cannot be read", name);
	if (!hard && slash != NULL)
		buf_add(&target, name, (size_t)(slash - name));
	if (raw[0] == '/' || !path_add(&target, raw))
		return error_set(err, ERROR_INPUT, "member '%s': its link leads outside, to '%s'",
		    name, raw);
	*out = buf_take(&target);
	return 0;
}

/* Takes name and target. */
static int
member_add(struct tarball *t, char *name, char *target, uint64_t offset, uint64_t size,
    struct error *err)
{
	struct member *m;

	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : 2 * t->size;
		t->members = xreallocarray(t->members, t->size, sizeof(*t->members));
	}
	m = &t->members[t->n];
	*m = (struct member){ name, target, offset, size, t->n };
	t->n++;
	t->names += strlen(name) + (target != NULL ? strlen(target) : 0);
	if (t->names > TARBALL_NAMES_MAX)
		return error_set(err, ERROR_INPUT, "the members' names are longer than %u bytes",
		    TARBALL_NAMES_MAX);
	return 0;
}

static int
file_add(struct tarball *t, struct archive *a, struct archive_entry *entry, char *name,
    struct error *err)
{
	uint64_t offset = (uint64_t)archive_filter_bytes(a, 0);
	uint64_t size = (uint64_t)archive_entry_size(entry);

	if (archive_entry_sparse_count(entry) > 0)
		error_set(err, ERROR_INPUT, "member '%s': sparse files are not taken", name);
	else if (archive_entry_size(entry) < 0 || offset > t->bytes.size ||
	    size > t->bytes.size - offset)
		error_set(err, ERROR_INPUT, "member '%s': the archive ends inside it", name);
	else
		return member_add(t, name, NULL, offset, size, err);
	free(name);
	return -1;
}

static const char *
entry_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	return name != NULL ? name : archive_entry_pathname_utf8(entry);
}

static int
entry_add(struct tarball *t, struct archive *a, struct archive_entry *entry, struct error *err)
{
	const char *hard = archive_entry_hardlink(entry);
	cleanup(free_p) char *name = NULL;
	char *target = NULL;

	if (member_name(entry_name(entry), &name, err) == -1)
		return -1;
	if (hard == NULL && archive_entry_filetype(entry) == AE_IFDIR)
		return 0;
	if (name == NULL)
		return error_set(err, ERROR_INPUT, "a member without a name");
	if (hard == NULL && archive_entry_filetype(entry) == AE_IFREG)
		return file_add(t, a, entry, steal(name), err);
	if (hard == NULL && archive_entry_filetype(entry) != AE_IFLNK)
		return error_set(err, ERROR_INPUT, "member '%s': devices and the like are not taken",
		    name);
	if (link_target(name, hard != NULL ? hard : archive_entry_symlink(entry), hard != NULL,
	    &target, err) == -1)
		return -1;
	return member_add(t, steal(name), target, 0, 0, err);
}

static int
damaged(struct archive *a, const struct input *in, struct error *err)
{
	const char *text = archive_error_string(a);

	if (in->failed.kind != ERROR_NONE)
		return error_set(err, in->failed.kind, "%s", in->failed.text);
	return error_set(err, ERROR_INPUT, "not a tar archive, or a damaged one: %s",
	    text != NULL ? text : "not readable");
}

static struct archive *
reader_open(struct input *in, struct error *err)
{
	struct archive *a = archive_read_new();

	if (a == NULL)
		abort();
	archive_read_support_format_tar(a);
	archive_read_set_read_callback(a, read_more);
	archive_read_set_skip_callback(a, skip_some);
	archive_read_set_callback_data(a, in);
	if (archive_read_open1(a) == ARCHIVE_OK)
		return a;
	damaged(a, in, err);
	archive_read_free(a);
	return NULL;
}

static int
members_read(struct tarball *t, const struct deadline *d, struct error *err)
{
	cleanup(free_p) struct input *in = xcalloc(1, sizeof(*in));
	cleanup(reader_free) struct archive *a = NULL;
	struct archive_entry *entry;
	unsigned int n;
	int r;

	in->extent = &t->bytes;
	if ((a = reader_open(in, err)) == NULL)
		return -1;
	for (n = 0; (r = archive_read_next_header(a, &entry)) != ARCHIVE_EOF; n++) {
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return damaged(a, in, err);
		if (n == TARBALL_MEMBERS_MAX)
			return error_set(err, ERROR_INPUT, "more than %u members",
			    TARBALL_MEMBERS_MAX);
		if (entry_add(t, a, entry, err) == -1 || deadline_check(d, err) == -1)
			return -1;
	}
	return 0;
}

static int
by_name_and_order(const void *va, const void *vb)
{
	const struct member *a = va, *b = vb;
	int c = strcmp(a->name, b->name);

	return c != 0 ? c : a->order < b->order ? -1 : 1;
}

static void
member_done(struct member *m)
{
	free(m->name);
	free(m->target);
}

/* Sorted; of one name the last that came stays, as tar(1) would leave it. */
static void
members_settle(struct tarball *t)
{
	size_t from, to = 0;

	if (t->n > 0)
		qsort(t->members, t->n, sizeof(*t->members), by_name_and_order);
	for (from = 0; from < t->n; from++) {
		if (from + 1 < t->n && strcmp(t->members[from].name,
		    t->members[from + 1].name) == 0)
			member_done(&t->members[from]);
		else
			t->members[to++] = t->members[from];
	}
	t->n = to;
}

struct tarball *
tarball_open(int fd, int spool_dir_fd, uint64_t spool_max, const struct deadline *d,
    struct error *err)
{
	cleanup(tarball_free_p) struct tarball *t = xcalloc(1, sizeof(*t));

	t->bytes = (struct extent)EXTENT_INIT;
	if (make_plain(fd, spool_dir_fd, spool_max, &t->bytes, d, err) == -1 ||
	    members_read(t, d, err) == -1)
		return NULL;
	members_settle(t);
	return steal(t);
}

void
tarball_free(struct tarball *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n; i++)
		member_done(&t->members[i]);
	free(t->members);
	extent_done(&t->bytes);
	free(t);
}

static int
name_against_member(const void *name, const void *member)
{
	return strcmp(name, ((const struct member *)member)->name);
}

bool
tarball_find(const struct tarball *t, const char *name, struct extent *out)
{
	const struct member *m;
	unsigned int links;

	for (links = 0; links <= TARBALL_LINKS_MAX; links++) {
		m = t->n > 0 ? bsearch(name, t->members, t->n, sizeof(*t->members),
		    name_against_member) : NULL;
		if (m == NULL)
			return false;
		if (m->target == NULL) {
			*out = (struct extent){ .fd = t->bytes.fd, .size = m->size,
			    .offset = t->bytes.offset + (off_t)m->offset };
			return true;
		}
		name = m->target;
	}
	return false;
}

size_t
tarball_count(const struct tarball *t)
{
	return t->n;
}

const char *
tarball_name(const struct tarball *t, size_t i)
{
	return t->members[i].name;
}
