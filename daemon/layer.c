#include "daemon/layer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/alloc.h"
#include "daemon/unpack.h"

#define PIECE (256u << 10)
#define LEVEL 6
#define GZIP_WINDOW (15 + 16)	/* 32 KiB, with gzip's header, see zlib.h */
#define MEMORY_LEVEL 8
#define OS_UNKNOWN 255		/* RFC 1952 section 2.3.1 */

/* A gzip stream that is being written. */
struct packer {
	z_stream		 z;
	gz_header		 header;
	struct spool		*spool;
	struct digest_stream	*plain;
	unsigned char		 out[PIECE];
};

typedef int piece_fn(void *arg, const void *, size_t, struct error *);

static struct packer *
packer_new(struct spool *spool)
{
	struct packer *p = xcalloc(1, sizeof(*p));

	p->header.os = OS_UNKNOWN;
	if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
	    Z_DEFAULT_STRATEGY) != Z_OK || deflateSetHeader(&p->z, &p->header) != Z_OK)
		abort();
	p->spool = spool;
	p->plain = digest_stream_new();
	return p;
}

static void
packer_free(struct packer *p)
{
	if (p == NULL)
		return;
	deflateEnd(&p->z);
	digest_stream_free(p->plain);
	free(p);
}

CLEANUP_FUNC(struct packer, packer_free);

static int
deflate_on(struct packer *p, int flush, struct error *err)
{
	size_t made;

	do {
		p->z.next_out = p->out;
		p->z.avail_out = sizeof(p->out);
		if (deflate(&p->z, flush) == Z_STREAM_ERROR)
			return error_set(err, ERROR_INTERNAL, "zlib: stream error");
		made = sizeof(p->out) - p->z.avail_out;
		if (made > 0 && spool_add(p->spool, p->out, made, err) == -1)
			return -1;
	} while (p->z.avail_out == 0);
	return 0;
}

static int
pack_piece(void *arg, const void *data, size_t len, struct error *err)
{
	struct packer *p = arg;

	digest_stream_add(p->plain, data, len);
	p->z.next_in = (unsigned char *)(uintptr_t)data;
	p->z.avail_in = (uInt)len;
	return deflate_on(p, Z_NO_FLUSH, err);
}

static int
hash_piece(void *arg, const void *data, size_t len, struct error *err)
{
	(void)err;
	digest_stream_add(arg, data, len);
	return 0;
}

static int
plain_each(const struct extent *e, piece_fn *fn, void *arg, const struct deadline *d,
    struct error *err)
{
	cleanup(free_p) char *piece = xcalloc(1, PIECE);
	uint64_t at = 0;
	size_t n;

	do {
		if (deadline_check(d, err) == -1 ||
		    extent_read(e, at, piece, PIECE, &n, err) == -1)
			return -1;
		if (n > 0 && fn(arg, piece, n, err) == -1)
			return -1;
		at += n;
	} while (n > 0);
	return 0;
}

/* The plain bytes, piece by piece. */
static int
layer_each(const struct extent *e, enum compression compression, piece_fn *fn, void *arg,
    const struct deadline *d, struct error *err)
{
	if (compression == COMPRESSION_NONE)
		return plain_each(e, fn, arg, d, err);
	return unpack_each(e, LAYER_PLAIN_MAX, fn, arg, d, err);
}

static void
digest_end(struct digest_stream *s, char out[DIGEST_SIZE])
{
	memcpy(out, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
	digest_stream_hex(s, out + strlen(DIGEST_PREFIX));
}

static int
diff_id_of(const struct extent *e, enum compression compression, char out[DIGEST_SIZE],
    const struct deadline *d, struct error *err)
{
	cleanup(digest_stream_free_p) struct digest_stream *sha256 = digest_stream_new();

	if (layer_each(e, compression, hash_piece, sha256, d, err) == -1)
		return -1;
	digest_end(sha256, out);
	return 0;
}

int
layer_diff_id(const struct extent *e, char out[DIGEST_SIZE], const struct deadline *d,
    struct error *err)
{
	enum compression compression;

	if (compression_sniff(e, &compression, err) == -1)
		return -1;
	return diff_id_of(e, compression, out, d, err);
}

/* Bytes that somebody published like this stay as they are. */
static int
keep(const struct extent *e, struct packed_layer *out, const struct deadline *d,
    struct error *err)
{
	struct packed_layer kept = { .at = *e };

	memcpy(kept.digest, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
	if (digest_sha256_fd(e->fd, e->offset, e->size, kept.digest + strlen(DIGEST_PREFIX), d,
	    err) == -1 || diff_id_of(e, COMPRESSION_GZIP, kept.diff_id, d, err) == -1)
		return -1;
	kept.at.owned = false;
	*out = kept;
	return 0;
}

int
layer_pack(const struct extent *e, int spool_dir_fd, struct packed_layer *out,
    const struct deadline *d, struct error *err)
{
	cleanup(spool_free_p) struct spool *spool = NULL;
	cleanup(packer_free_p) struct packer *packer = NULL;
	enum compression compression;

	if (compression_sniff(e, &compression, err) == -1)
		return -1;
	if (compression == COMPRESSION_GZIP)
		return keep(e, out, d, err);
	if ((spool = spool_new(spool_dir_fd, LAYER_PLAIN_MAX, err)) == NULL)
		return -1;
	packer = packer_new(spool);
	if (layer_each(e, compression, pack_piece, packer, d, err) == -1 ||
	    deflate_on(packer, Z_FINISH, err) == -1)
		return -1;
	digest_end(packer->plain, out->diff_id);
	spool_digest(spool, out->digest);
	spool_take(spool, &out->at);
	return 0;
}
