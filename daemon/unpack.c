#include "daemon/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define PIECE (256u << 10)

/* The compressed side, as libarchive's callback reads it. */
struct input {
	const struct extent	*extent;
	uint64_t		 at;
	char			*piece;
	bool			 empty;		/* compressed, there was nothing in it */
	struct error		 failed;
};

int
compression_sniff(const struct extent *e, enum compression *out, struct error *err)
{
	static const struct {
		const char		*magic;
		size_t			 len;
		enum compression	 compression;
	} known[] = {
		{ "\x1f\x8b", 2, COMPRESSION_GZIP },
		{ "\x28\xb5\x2f\xfd", 4, COMPRESSION_ZSTD },
	};
	char start[8];
	size_t n, i;

	if (extent_read(e, 0, start, sizeof(start), &n, err) == -1)
		return -1;
	*out = COMPRESSION_NONE;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (n >= known[i].len && memcmp(start, known[i].magic, known[i].len) == 0)
			*out = known[i].compression;
	}
	return 0;
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

static void
reader_free(struct archive **a)
{
	archive_read_free(*a);
}

static int
damaged(struct archive *a, const struct input *in, struct error *err)
{
	const char *text = archive_error_string(a);

	if (in->failed.kind != ERROR_NONE)
		return error_set(err, in->failed.kind, "%s", in->failed.text);
	return error_set(err, ERROR_INPUT, "the compressed bytes are damaged: %s",
	    text != NULL ? text : "not readable");
}

static struct archive *
reader_open(struct input *in, struct error *err)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int r;

	if (a == NULL)
		abort();
	/* No xz: its dictionary, hence our memory, is as large as the file asks for. */
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	r = archive_read_open(a, in, NULL, read_more, NULL);
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(a, &entry);
	in->empty = r == ARCHIVE_EOF;
	if (r == ARCHIVE_OK || in->empty)
		return a;
	damaged(a, in, err);
	archive_read_free(a);
	return NULL;
}

static int
within_limits(uint64_t made, uint64_t limit, uint64_t read, struct error *err)
{
	if (made > limit)
		return error_set(err, ERROR_INPUT, "unpacks to more than %ju bytes",
		    (uintmax_t)limit);
	if (made > UNPACK_FREE && made / UNPACK_RATIO > read)
		return error_set(err, ERROR_INPUT,
		    "unpacks to more than %u times its size, which no image does", UNPACK_RATIO);
	return 0;
}

static int
pass_all(struct archive *a, const struct input *in, uint64_t limit,
    int (*fn)(void *, const void *, size_t, struct error *), void *arg,
    const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *piece = xcalloc(1, PIECE);
	uint64_t made = 0;
	la_ssize_t n;

	/* gzip inside gzip has the ratio of both: a million. */
	if (archive_filter_count(a) > 2)
		return error_set(err, ERROR_INPUT, "compressed more than once");
	if (in->empty)
		return 0;
	while ((n = archive_read_data(a, piece, PIECE)) > 0) {
		made += (uint64_t)n;
		if (within_limits(made, limit, in->at, err) == -1 ||
		    fn(arg, piece, (size_t)n, err) == -1 || deadline_check(d, err) == -1)
			return -1;
	}
	return n == 0 ? 0 : damaged(a, in, err);
}

int
unpack_each(const struct extent *e, uint64_t limit,
    int (*fn)(void *, const void *, size_t, struct error *), void *arg,
    const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *piece = xcalloc(1, PIECE);
	struct input in = { e, 0, piece, false, ERROR_INIT };
	cleanup(reader_free) struct archive *a = reader_open(&in, err);

	return a != NULL ? pass_all(a, &in, limit, fn, arg, d, err) : -1;
}
