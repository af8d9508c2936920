#include "tests/sandbox/s3-content.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define FILE_FROM (1u << 20)		/* bytes: bigger pieces become files */
#define FILE_FROM_CROWDED (16u << 10)	/* once memory holds MEMORY_MAX */
#define MEMORY_MAX (512u << 20)

struct segment {
	char		*data;	/* NULL: in the file */
	char		*path;
	uint64_t	 len;
};

struct content {
	struct segment	*segments;
	size_t		 n;
	uint64_t	 size;
	unsigned int	 refs;
};

static struct {
	char		*folder;
	uint64_t	 in_memory;
	unsigned int	 n_files;
} store;

void
content_set_folder(const char *path)
{
	free(store.folder);
	store.folder = xstrdup(path);
}

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		if ((n = write(fd, data, len)) == -1)
			return -1;
	}
	return 0;
}

static char *
write_file(const void *data, size_t len, struct error *err)
{
	cleanup(free_p) char *path = xasprintf("%s/%u", store.folder, ++store.n_files);
	cleanup(close_p) int fd = -1;

	mkdir(store.folder, 0777);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd == -1 || write_all(fd, data, len) == -1) {
		error_errno(err, "%s", path);
		unlink(path);
		return NULL;
	}
	return steal(path);
}

struct content *
content_new(const void *data, size_t len, struct error *err)
{
	bool crowded = store.in_memory > MEMORY_MAX;
	struct content *c;
	struct segment s = { .len = len };

	if (len > (crowded ? FILE_FROM_CROWDED : FILE_FROM)) {
		if ((s.path = write_file(data, len, err)) == NULL)
			return NULL;
	} else {
		s.data = xmemdup(data, len);
		store.in_memory += len;
	}
	c = xcalloc(1, sizeof(*c));
	c->segments = xmemdup(&s, sizeof(s));
	c->n = 1;
	c->size = len;
	c->refs = 1;
	return c;
}

struct content *
content_ref(struct content *c)
{
	c->refs++;
	return c;
}

void
content_unref(struct content *c)
{
	size_t i;

	if (c == NULL || --c->refs > 0)
		return;
	for (i = 0; i < c->n; i++) {
		if (c->segments[i].data != NULL)
			store.in_memory -= c->segments[i].len;
		else
			unlink(c->segments[i].path);
		free(c->segments[i].data);
		free(c->segments[i].path);
	}
	free(c->segments);
	free(c);
}

uint64_t
content_size(const struct content *c)
{
	return c->size;
}

void
content_append(struct content *c, struct content *more)
{
	c->segments = xreallocarray(c->segments, c->n + more->n, sizeof(*c->segments));
	memcpy(c->segments + c->n, more->segments, more->n * sizeof(*more->segments));
	c->n += more->n;
	c->size += more->size;
	free(more->segments);
	free(more);
}

static int
read_segment(const struct segment *s, uint64_t offset, uint64_t len, struct evbuffer *out,
    struct error *err)
{
	int fd;

	if (s->data != NULL) {
		evbuffer_add(out, s->data + offset, len);
		return 0;
	}
	if ((fd = open(s->path, O_RDONLY | O_CLOEXEC)) == -1)
		return error_errno(err, "%s", s->path);
	if (evbuffer_add_file(out, fd, (ev_off_t)offset, (ev_off_t)len) == -1) {
		close(fd);
		return error_set(err, ERROR_SYSTEM, "%s: cannot be sent", s->path);
	}
	return 0;
}

int
content_read(const struct content *c, uint64_t offset, uint64_t len, struct evbuffer *out,
    struct error *err)
{
	const struct segment *s;
	uint64_t here;

	for (s = c->segments; s < c->segments + c->n && len > 0; s++) {
		if (offset >= s->len) {
			offset -= s->len;
			continue;
		}
		here = s->len - offset < len ? s->len - offset : len;
		if (read_segment(s, offset, here, out, err) == -1)
			return -1;
		len -= here;
		offset = 0;
	}
	return 0;
}
