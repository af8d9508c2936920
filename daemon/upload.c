#include "daemon/upload.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/digest.h"
#include "daemon/manifest.h"

/* S3 takes no smaller part, but for the last. */
#define PART_MIN (UINT64_C(5) << 20)
#define READ_SIZE (256u << 10)

int
upload_look(struct s3 *s3, const struct upload_place *place, const char *key, uint64_t *size,
    bool *there, const struct deadline *d, struct error *err)
{
	enum s3_object_state state;
	struct s3_object object;

	if (s3_object_head(s3, place->bucket, key, &state, &object, d, err) == -1)
		return -1;
	*there = state == S3_OBJECT_FOUND && (*size == SIZE_UNKNOWN || *size == object.size);
	if (*there)
		*size = object.size;
	return 0;
}

int
upload_copy(struct s3 *s3, const struct upload_place *place, const char *from_key,
    const char *key, uint64_t size, bool *done, const struct deadline *d, struct error *err)
{
	struct error why = ERROR_INIT;

	*done = false;
	if (size > UPLOAD_COPY_MAX)
		return 0;
	if (upload_look(s3, place, from_key, &size, done, d, err) == -1)
		return -1;
	if (!*done)
		return 0;
	if (s3_object_copy(s3, place->bucket, from_key, place->bucket, key, place->acl, d,
	    &why) == 0)
		return 0;
	*done = false;
	if (why.kind == ERROR_MISSING)
		return 0;
	*err = why;
	return -1;
}

int
upload_blob(struct s3 *s3, const struct upload_place *place, const char *key, const char *digest,
    const struct extent *at, const struct deadline *d, struct error *err)
{
	return s3_object_put(s3, &(struct s3_put){ .bucket = place->bucket, .key = key,
	    .acl = place->acl, .from_fd = true, .fd = at->fd, .offset = at->offset,
	    .size = at->size, .sha256 = digest != NULL ? digest + strlen(DIGEST_PREFIX) : NULL },
	    NULL, d, err);
}

int
upload_text(struct s3 *s3, const struct upload_place *place, const char *key, const char *type,
    const void *data, size_t len, bool *sent, const struct deadline *d, struct error *err)
{
	enum s3_object_state state;
	struct s3_object object;
	char md5[MD5_HEX_SIZE];

	*sent = false;
	if (s3_object_head(s3, place->bucket, key, &state, &object, d, err) == -1)
		return -1;
	digest_md5_hex(data, len, md5);
	if (state == S3_OBJECT_FOUND && object.size == len &&
	    strcmp(object.content_type, type) == 0 && strcmp(object.etag, md5) == 0)
		return 0;
	if (s3_object_put(s3, &(struct s3_put){ .bucket = place->bucket, .key = key,
	    .content_type = type, .acl = place->acl, .body = data, .size = len }, NULL, d,
	    err) == -1)
		return -1;
	*sent = true;
	return 0;
}

/* ---- in parts ---- */

struct part {
	char		sha256[SHA256_HEX_SIZE];
	struct s3_part	s3;
	bool		there;		/* from an earlier attempt */
};

struct upload_large {
	struct upload_large_order	 order;
	const struct upload_place	*place;
	struct extent			 at;
	const struct deadline		*deadline;
	uint64_t			 part_size;
	struct part			*parts;
	size_t				 n_parts;
	atomic_size_t			 left;		/* parts that are not there yet */
	char				*upload_id;
};

static uint64_t
size_of_part(const struct upload_large *l, size_t i)
{
	uint64_t left = l->at.size - i * l->part_size;

	return left < l->part_size ? left : l->part_size;
}

/* The size asked for, unless that makes parts that S3 does not take, or too many. Equal for equal
 * settings, so that a second attempt finds the parts of the first. */
static uint64_t
choose_part_size(const struct upload_place *place, uint64_t size)
{
	uint64_t part = place->part_size > PART_MIN ? place->part_size : PART_MIN;

	while ((size + part - 1) / part > UPLOAD_PARTS_MAX)
		part *= 2;
	return part;
}

/* One reading gives the digest of the whole and those of the parts: so the server, which checks
 * each part, checks the blob, whatever happens to the file meanwhile. */
static int
hash_parts(struct upload_large *l, struct error *err)
{
	cleanup(digest_stream_free_p) struct digest_stream *whole = digest_stream_new();
	cleanup(free_p) char *data = xcalloc(1, READ_SIZE);
	char hex[SHA256_HEX_SIZE];
	size_t i, got;
	uint64_t at, end;

	for (i = 0; i < l->n_parts; i++) {
		cleanup(digest_stream_free_p) struct digest_stream *part = digest_stream_new();

		at = i * l->part_size;
		for (end = at + size_of_part(l, i); at < end; at += got) {
			if (deadline_check(l->deadline, err) == -1 || extent_read(&l->at, at, data,
			    end - at < READ_SIZE ? (size_t)(end - at) : READ_SIZE, &got, err) == -1)
				return -1;
			digest_stream_add(part, data, got);
			digest_stream_add(whole, data, got);
		}
		digest_stream_hex(part, l->parts[i].sha256);
	}
	digest_stream_hex(whole, hex);
	if (l->order.digest != NULL && strcmp(hex, l->order.digest + strlen(DIGEST_PREFIX)) != 0)
		return error_set(err, ERROR_INPUT, "%s: the bytes have another digest, %s%s",
		    l->order.digest, DIGEST_PREFIX, hex);
	return 0;
}

struct search {
	const char	*key;
	char		*upload_id;	/* the latest; NULL: none */
	time_t		 begun;
};

static int
note_upload(void *arg, const char *key, const char *upload_id, time_t begun, struct error *err)
{
	struct search *s = arg;

	(void)err;
	if (strcmp(key, s->key) != 0 || (s->upload_id != NULL && begun < s->begun))
		return 0;
	free(s->upload_id);
	s->upload_id = xstrdup(upload_id);
	s->begun = begun;
	return 0;
}

/* A part counts when it holds what ours holds: its ETag is the MD5 of its bytes, unless the
 * server encrypts with a key of its own; then it is sent again. */
static int
note_part(void *arg, const struct s3_part *there, struct error *err)
{
	struct upload_large *l = arg;
	char md5[MD5_HEX_SIZE];
	struct part *p;
	size_t i;

	if (there->number == 0 || there->number > l->n_parts)
		return 0;
	i = there->number - 1;
	p = &l->parts[i];
	if (there->size != size_of_part(l, i))
		return 0;
	if (digest_md5_fd(l->at.fd, l->at.offset + (off_t)(i * l->part_size), there->size, md5,
	    l->deadline, err) == -1)
		return -1;
	p->there = strcmp(md5, there->etag) == 0;
	p->s3 = *there;
	return 0;
}

static int
resume(struct upload_large *l, struct s3 *s3, struct error *err)
{
	struct search search = { .key = l->order.key };
	struct error why = ERROR_INIT;
	size_t i;

	if (s3_upload_list(s3, l->place->bucket, l->order.key, note_upload, &search, l->deadline,
	    err) == -1) {
		free(search.upload_id);
		return -1;
	}
	if (search.upload_id == NULL)
		return 0;
	l->upload_id = search.upload_id;
	if (s3_part_list(s3, l->place->bucket, l->order.key, l->upload_id, note_part, l, l->deadline,
	    &why) == 0)
		return 0;
	if (why.kind != ERROR_MISSING) {
		*err = why;
		return -1;
	}
	/* It ended between the two questions. */
	for (i = 0; i < l->n_parts; i++)
		l->parts[i].there = false;
	free(l->upload_id);
	l->upload_id = NULL;
	return 0;
}

/* An upload that is gone was completed by a request whose answer was lost: then the object is
 * there. */
static int
complete(struct upload_large *l, struct s3 *s3, struct error *err)
{
	struct s3_part *parts = xcalloc(l->n_parts, sizeof(*parts));
	uint64_t size = l->at.size;
	struct error why = ERROR_INIT;
	bool there = false;
	size_t i;
	int status;

	for (i = 0; i < l->n_parts; i++)
		parts[i] = l->parts[i].s3;
	status = s3_upload_complete(s3, l->place->bucket, l->order.key, l->upload_id, parts, l->n_parts,
	    l->deadline, &why);
	free(parts);
	if (status == 0)
		return 0;
	if (why.kind == ERROR_MISSING &&
	    upload_look(s3, l->place, l->order.key, &size, &there, l->deadline, err) == -1)
		return -1;
	if (there)
		return 0;
	*err = why;
	return -1;
}

static int
send_part(void *arg, void *tools, size_t i, struct error *err)
{
	struct upload_large *l = arg;
	struct s3 *s3 = l->order.s3_of(tools);
	struct part *p = &l->parts[i];
	uint64_t size = size_of_part(l, i);

	if (!p->there && s3_upload_part(s3, &(struct s3_put){ .bucket = l->place->bucket,
	    .key = l->order.key, .from_fd = true, .fd = l->at.fd,
	    .offset = l->at.offset + (off_t)(i * l->part_size), .size = size,
	    .sha256 = p->sha256 }, l->upload_id, (unsigned int)i + 1, &p->s3, l->deadline,
	    err) == -1)
		return -1;
	l->order.progress(l->order.arg, size);
	if (atomic_fetch_sub(&l->left, 1) > 1)
		return 0;
	if (complete(l, s3, err) == -1)
		return -1;
	extent_done(&l->at);
	l->order.done(l->order.arg);
	return 0;
}

void
upload_large_free(struct upload_large *l)
{
	if (l == NULL)
		return;
	extent_done(&l->at);
	free(l->parts);
	free(l->upload_id);
	free(l);
}

struct upload_large *
upload_large_begin(struct crew *crew, void *tools, const struct upload_place *place,
    const struct upload_large_order *order, struct extent *at, const struct deadline *d,
    struct error *err)
{
	cleanup(upload_large_free_p) struct upload_large *l = xcalloc(1, sizeof(*l));
	struct s3 *s3 = order->s3_of(tools);

	*l = (struct upload_large){ .order = *order, .place = place, .at = *at,
	    .deadline = d };
	*at = (struct extent)EXTENT_INIT;
	l->part_size = choose_part_size(place, l->at.size);
	l->n_parts = (size_t)((l->at.size + l->part_size - 1) / l->part_size);
	l->parts = xcalloc(l->n_parts, sizeof(*l->parts));
	atomic_init(&l->left, l->n_parts);
	if (hash_parts(l, err) == -1 || resume(l, s3, err) == -1)
		return NULL;
	if (l->upload_id == NULL && s3_upload_create(s3, place->bucket, order->key, NULL,
	    place->acl, &l->upload_id, d, err) == -1)
		return NULL;
	crew_add(crew, l->n_parts, send_part, l);
	return steal(l);
}
