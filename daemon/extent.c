#include "daemon/extent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"

struct spool {
	int			 fd;
	uint64_t		 size;
	uint64_t		 limit;
	struct digest_stream	*sha256;
};

int
extent_read(const struct extent *e, uint64_t at, void *out, size_t want, size_t *got,
    struct error *err)
{
	ssize_t n;

	if (want > e->size - at)
		want = (size_t)(e->size - at);
	*got = 0;
	if (want == 0)
		return 0;
	do
		n = pread(e->fd, out, want, e->offset + (off_t)at);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return error_errno(err, "cannot read the file");
	if (n == 0)
		return error_set(err, ERROR_INPUT, "the file ends early, at byte %jd",
		    (intmax_t)e->offset + (intmax_t)at);
	*got = (size_t)n;
	return 0;
}

int
extent_load(const struct extent *e, size_t limit, struct buf *out, struct error *err)
{
	cleanup(buf_done) struct buf bytes = BUF_INIT;
	char piece[16384];
	size_t n;

	if (e->size > limit)
		return error_set(err, ERROR_INPUT, "%ju bytes, and at most %zu are taken",
		    (uintmax_t)e->size, limit);
	do {
		if (extent_read(e, bytes.len, piece, sizeof(piece), &n, err) == -1)
			return -1;
		buf_add(&bytes, piece, n);
	} while (n > 0);
	buf_add(out, buf_str(&bytes), bytes.len);
	return 0;
}

int
extent_check(const struct extent *e, const char *digest, const struct deadline *d,
    struct error *err)
{
	char hex[SHA256_HEX_SIZE];

	if (digest_sha256_fd(e->fd, e->offset, e->size, hex, d, err) == -1)
		return error_prefix(err, "%s", digest);
	if (strcmp(hex, digest + strlen(DIGEST_PREFIX)) != 0)
		return error_set(err, ERROR_INPUT, "%s: the bytes have another digest, "
		    DIGEST_PREFIX "%s", digest, hex);
	return 0;
}

void
extent_done(struct extent *e)
{
	if (e->owned)
		close(e->fd);
	*e = (struct extent)EXTENT_INIT;
}

bool
digest_valid(const char *digest)
{
	size_t prefix = strlen(DIGEST_PREFIX);

	return strncmp(digest, DIGEST_PREFIX, prefix) == 0 &&
	    strlen(digest) == DIGEST_SIZE - 1 &&
	    strspn(digest + prefix, "0123456789abcdef") == SHA256_HEX_SIZE - 1;
}

void
digest_of(const void *data, size_t len, char out[DIGEST_SIZE])
{
	memcpy(out, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
	digest_sha256_hex(data, len, out + strlen(DIGEST_PREFIX));
}

struct spool *
spool_new(int dir_fd, uint64_t limit, struct error *err)
{
	int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct spool *s;

	if (fd == -1) {
		error_errno(err, "cannot create a file in the cache directory");
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->fd = fd;
	s->limit = limit;
	s->sha256 = digest_stream_new();
	return s;
}

int
spool_add(struct spool *s, const void *data, size_t len, struct error *err)
{
	const char *at = data;
	size_t left = len;
	ssize_t n;

	if (len > s->limit - s->size)
		return error_set(err, ERROR_INPUT, "more than %ju bytes", (uintmax_t)s->limit);
	while (left > 0) {
		n = pwrite(s->fd, at, left, (off_t)(s->size + (len - left)));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_errno(err, "cannot write to the cache directory");
		at += n;
		left -= (size_t)n;
	}
	digest_stream_add(s->sha256, data, len);
	s->size += len;
	return 0;
}

uint64_t
spool_size(const struct spool *s)
{
	return s->size;
}

int
spool_restart(struct spool *s, struct error *err)
{
	if (ftruncate(s->fd, 0) == -1)
		return error_errno(err, "cannot empty a file in the cache directory");
	s->size = 0;
	digest_stream_free(s->sha256);
	s->sha256 = digest_stream_new();
	return 0;
}

void
spool_digest(struct spool *s, char out[DIGEST_SIZE])
{
	memcpy(out, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
	digest_stream_hex(s->sha256, out + strlen(DIGEST_PREFIX));
}

void
spool_take(struct spool *s, struct extent *out)
{
	*out = (struct extent){ .fd = s->fd, .owned = true, .offset = 0, .size = s->size };
	s->fd = -1;
}

void
spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->fd != -1)
		close(s->fd);
	digest_stream_free(s->sha256);
	free(s);
}
