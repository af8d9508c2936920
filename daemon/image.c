#include "daemon/image.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

/* Indexes of blobs, sorted by a key that each of them has. */
struct blob_index {
	const char	*(*key)(const struct image_blob *);
	size_t		*at;
	size_t		 n;
};

static const char *
key_digest(const struct image_blob *b)
{
	return b->digest;
}

static const char *
key_diff_id(const struct image_blob *b)
{
	return b->diff_id;
}

/* The place of the key in the index, or where it would be; *found says which. */
static size_t
index_place(const struct blob_index *index, const struct image_blob *blobs, const char *key,
    bool *found)
{
	size_t low = 0, high = index->n, middle;
	int c;

	*found = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		c = strcmp(index->key(&blobs[index->at[middle]]), key);
		if (c == 0) {
			*found = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
index_add(struct blob_index *index, const struct image_blob *blobs, size_t blob)
{
	bool found;
	size_t place = index_place(index, blobs, index->key(&blobs[blob]), &found);

	/* Room for twice as many whenever the number is a power of two. */
	if ((index->n & (index->n - 1)) == 0)
		index->at = xreallocarray(index->at, index->n == 0 ? 1 : 2 * index->n,
		    sizeof(*index->at));
	memmove(&index->at[place + 1], &index->at[place], (index->n - place) * sizeof(*index->at));
	index->at[place] = blob;
	index->n++;
}

static struct blob_index *
index_new(const char *(*key)(const struct image_blob *))
{
	struct blob_index *index = xcalloc(1, sizeof(*index));

	index->key = key;
	return index;
}

static void
index_free(struct blob_index *index)
{
	free(index->at);
	free(index);
}

struct image *
image_new(void)
{
	struct image *image = xcalloc(1, sizeof(*image));

	image->by_digest = index_new(key_digest);
	image->by_diff_id = index_new(key_diff_id);
	return image;
}

static void
blob_done(struct image_blob *b)
{
	free(b->digest);
	free(b->type);
	free(b->diff_id);
	if (b->origin != NULL)
		layer_origin_free(b->origin);
	extent_done(&b->at);
}

static void
draft_done(struct image_draft *d)
{
	strings_free(d->tags, d->n_tags);
	free(d->layers);
}

void
image_free(struct image *image)
{
	size_t i;

	if (image == NULL)
		return;
	for (i = 0; i < image->n_manifests; i++) {
		free(image->manifests[i].digest);
		free(image->manifests[i].type);
		free(image->manifests[i].data);
		manifest_done(&image->manifests[i].parsed);
	}
	for (i = 0; i < image->n_blobs; i++)
		blob_done(&image->blobs[i]);
	for (i = 0; i < image->n_tags; i++) {
		free(image->tags[i].name);
		free(image->tags[i].digest);
	}
	for (i = 0; i < image->n_v1; i++)
		free(image->v1[i].id);
	for (i = 0; i < image->n_v1_tags; i++) {
		free(image->v1_tags[i].name);
		free(image->v1_tags[i].id);
	}
	for (i = 0; i < image->n_drafts; i++)
		draft_done(&image->drafts[i]);
	strings_free(image->roots, image->n_roots);
	free(image->name);
	free(image->manifests);
	free(image->blobs);
	free(image->tags);
	free(image->v1);
	free(image->v1_tags);
	free(image->drafts);
	index_free(image->by_digest);
	index_free(image->by_diff_id);
	free(image);
}

void
layer_origin_free(struct layer_origin *o)
{
	free(o->digest);
	free(o->type);
	free(o->diff_id);
	free(o->url);
	free(o->repository);
	free(o);
}

struct layer_origin *
layer_origin_copy(const struct layer_origin *o)
{
	struct layer_origin *copy = xcalloc(1, sizeof(*copy));

	copy->digest = xstrdup(o->digest);
	copy->size = o->size;
	copy->type = xstrdup(o->type);
	copy->diff_id = xstrdup(o->diff_id);
	copy->url = xstrdup(o->url);
	copy->repository = xstrdup(o->repository);
	return copy;
}

/* Room for one more element at the end of a list. */
static void *
grow(void *list, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return list;
	return xreallocarray(list, n == 0 ? 1 : 2 * n, size);
}

const struct image_manifest *
image_manifest_find(const struct image *image, const char *digest)
{
	size_t i;

	for (i = 0; i < image->n_manifests; i++) {
		if (strcmp(image->manifests[i].digest, digest) == 0)
			return &image->manifests[i];
	}
	return NULL;
}

struct image_blob *
image_blob_find(const struct image *image, const char *digest)
{
	bool found;
	size_t place = index_place(image->by_digest, image->blobs, digest, &found);

	return found ? &image->blobs[image->by_digest->at[place]] : NULL;
}

/* A tag becomes a path, an object's key, a word in a URL. */
bool
image_tag_valid(const char *tag)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t len = strlen(tag);

	return len >= 1 && len <= 128 && strchr(word, tag[0]) != NULL &&
	    len == strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
}

int
image_add_tag(struct image *image, const char *name, const char *digest, struct error *err)
{
	size_t i;

	if (!image_tag_valid(name))
		return error_set(err, ERROR_INPUT, "'%.200s' is no name for a tag", name);
	for (i = 0; i < image->n_tags; i++) {
		if (strcmp(image->tags[i].name, name) != 0)
			continue;
		if (strcmp(image->tags[i].digest, digest) == 0)
			return 0;
		return error_set(err, ERROR_INPUT, "tag '%s' stands for two manifests", name);
	}
	if (image->n_tags == IMAGE_TAGS_MAX)
		return error_set(err, ERROR_INPUT, "more than %u tags", IMAGE_TAGS_MAX);
	image->tags = grow(image->tags, image->n_tags, sizeof(*image->tags));
	image->tags[image->n_tags++] = (struct image_tag){ xstrdup(name), xstrdup(digest) };
	return 0;
}

int
image_add_root(struct image *image, const char *digest, struct error *err)
{
	size_t i;

	for (i = 0; i < image->n_roots; i++) {
		if (strcmp(image->roots[i], digest) == 0)
			return 0;
	}
	if (image->n_roots == IMAGE_MANIFESTS_MAX)
		return error_set(err, ERROR_INPUT, "more than %u manifests", IMAGE_MANIFESTS_MAX);
	image->roots = grow(image->roots, image->n_roots, sizeof(*image->roots));
	image->roots[image->n_roots++] = xstrdup(digest);
	return 0;
}

int
image_add_v1_tag(struct image *image, const char *name, const char *id, struct error *err)
{
	if (!image_tag_valid(name))
		return error_set(err, ERROR_INPUT, "'%.200s' is no name for a tag", name);
	if (image->n_v1_tags == IMAGE_TAGS_MAX)
		return error_set(err, ERROR_INPUT, "more than %u tags", IMAGE_TAGS_MAX);
	image->v1_tags = grow(image->v1_tags, image->n_v1_tags, sizeof(*image->v1_tags));
	image->v1_tags[image->n_v1_tags++] = (struct image_v1_tag){ xstrdup(name), xstrdup(id) };
	return 0;
}

static int
blob_new(struct image *image, size_t *i, struct error *err)
{
	if (image->n_blobs == IMAGE_BLOBS_MAX)
		return error_set(err, ERROR_INPUT, "more than %u layers and configs",
		    IMAGE_BLOBS_MAX);
	image->blobs = grow(image->blobs, image->n_blobs, sizeof(*image->blobs));
	*i = image->n_blobs++;
	image->blobs[*i] = (struct image_blob){ .at = EXTENT_INIT };
	return 0;
}

/* One digest has one size, whoever names it. */
static int
blob_meet(struct image_blob *b, const struct descriptor *d, struct error *err)
{
	if (d->size == SIZE_UNKNOWN)
		return 0;
	if (b->size != SIZE_UNKNOWN && b->size != d->size)
		return error_set(err, ERROR_INPUT, "%s: said to have %ju bytes, and %ju", d->digest,
		    (uintmax_t)b->size, (uintmax_t)d->size);
	b->size = d->size;
	return 0;
}

int
image_add_blob(struct image *image, const struct descriptor *d, size_t *i, struct error *err)
{
	struct image_blob *b = image_blob_find(image, d->digest);

	if (b != NULL) {
		*i = (size_t)(b - image->blobs);
		return blob_meet(b, d, err);
	}
	if (blob_new(image, i, err) == -1)
		return -1;
	b = &image->blobs[*i];
	b->digest = xstrdup(d->digest);
	b->size = d->size;
	b->type = xstrdup(d->type);
	b->place = d->foreign ? BLOB_FOREIGN : BLOB_HERE;
	index_add(image->by_digest, image->blobs, *i);
	return 0;
}

int
image_add_raw(struct image *image, const char *diff_id, const struct extent *at, size_t *i,
    struct error *err)
{
	bool found;
	size_t place = index_place(image->by_diff_id, image->blobs, diff_id, &found);

	if (found) {
		*i = image->by_diff_id->at[place];
		return 0;
	}
	if (blob_new(image, i, err) == -1)
		return -1;
	image->blobs[*i].diff_id = xstrdup(diff_id);
	image->blobs[*i].size = at->size;
	image->blobs[*i].at = *at;
	index_add(image->by_diff_id, image->blobs, *i);
	return 0;
}

void
image_index(struct image *image)
{
	size_t i;
	bool found;

	for (i = 0; i < image->n_blobs; i++) {
		if (image_is_raw(&image->blobs[i]))
			continue;
		index_place(image->by_digest, image->blobs, image->blobs[i].digest, &found);
		if (!found)
			index_add(image->by_digest, image->blobs, i);
	}
}

static int
manifest_blobs_add(struct image *image, const struct manifest *m, struct error *err)
{
	size_t i, at;

	if (m->kind == MANIFEST_IMAGE) {
		if (image_add_blob(image, &m->config, &at, err) == -1)
			return -1;
		image->blobs[at].is_config = true;
	}
	for (i = 0; i < m->layers.n; i++) {
		if (image_add_blob(image, &m->layers.list[i], &at, err) == -1)
			return -1;
	}
	return 0;
}

/* Takes m. */
static void
manifest_append(struct image *image, const char *digest, const char *data, size_t len,
    struct manifest *m)
{
	struct image_manifest *out;

	image->manifests = grow(image->manifests, image->n_manifests, sizeof(*image->manifests));
	out = &image->manifests[image->n_manifests++];
	out->digest = xstrdup(digest);
	out->type = xstrdup(m->type);
	out->data = xmemdup(data, len);
	out->len = len;
	out->parsed = *m;
	memset(m, 0, sizeof(*m));
	image->manifest_bytes += len;
}

static int
manifest_room(const struct image *image, size_t len, struct error *err)
{
	if (image->n_manifests == IMAGE_MANIFESTS_MAX)
		return error_set(err, ERROR_INPUT, "more than %u manifests", IMAGE_MANIFESTS_MAX);
	if (len > IMAGE_MANIFEST_BYTES_MAX - image->manifest_bytes)
		return error_set(err, ERROR_INPUT, "the manifests are larger than %u bytes",
		    IMAGE_MANIFEST_BYTES_MAX);
	return 0;
}

int
image_add_manifest(struct image *image, const char *digest, const char *type, const char *data,
    size_t len, struct error *err)
{
	cleanup(manifest_done) struct manifest m = { 0 };
	char made[DIGEST_SIZE];

	if (digest != NULL && image_manifest_find(image, digest) != NULL)
		return 0;
	if (manifest_room(image, len, err) == -1 ||
	    manifest_parse(data, len, type, &m, err) == -1 ||
	    manifest_digest(data, len, &m, made, err) == -1)
		return error_prefix(err, "manifest %s", digest != NULL ? digest : "");
	if (digest != NULL && strcmp(made, digest) != 0)
		return error_set(err, ERROR_INPUT, "manifest %s: the bytes have another digest, %s",
		    digest, made);
	if (image_manifest_find(image, made) != NULL)
		return 0;
	if (manifest_blobs_add(image, &m, err) == -1)
		return error_prefix(err, "manifest %s", made);
	manifest_append(image, made, data, len, &m);
	return 0;
}

int
image_add_config(struct image *image, const char *digest, const char *data, size_t len,
    struct error *err)
{
	const struct image_manifest *m = image_manifest_find(image, digest);
	struct image_blob *blob;
	char **ids;
	size_t n, i;

	if (config_diff_ids(data, len, &ids, &n, err) == -1)
		return error_prefix(err, "config %s", m->parsed.config.digest);
	if (n != 0 && n != m->parsed.layers.n)
		error_set(err, ERROR_INPUT, "config %s: %zu diff_ids for %zu layers",
		    m->parsed.config.digest, n, m->parsed.layers.n);
	for (i = 0; i < n && n == m->parsed.layers.n; i++) {
		blob = image_blob_find(image, m->parsed.layers.list[i].digest);
		if (blob->diff_id == NULL)
			blob->diff_id = xstrdup(ids[i]);
	}
	strings_free(ids, n);
	return n == 0 || n == m->parsed.layers.n ? 0 : -1;
}

int
image_add_v1(struct image *image, const struct image_v1 *v1, struct error *err)
{
	if (image->n_v1 == IMAGE_V1_MAX)
		return error_set(err, ERROR_INPUT, "more than %u images", IMAGE_V1_MAX);
	image->v1 = grow(image->v1, image->n_v1, sizeof(*image->v1));
	image->v1[image->n_v1++] = *v1;
	return 0;
}

int
image_add_draft(struct image *image, const struct image_draft *draft, struct error *err)
{
	if (image->n_drafts == IMAGE_MANIFESTS_MAX)
		return error_set(err, ERROR_INPUT, "more than %u images", IMAGE_MANIFESTS_MAX);
	image->drafts = grow(image->drafts, image->n_drafts, sizeof(*image->drafts));
	image->drafts[image->n_drafts++] = *draft;
	return 0;
}
