#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/crane-metadata.h"
#include "daemon/source-kind.h"

#define HEX "0123456789abcdef"
#define DEPTH_MAX 32

/* One export while it is read. */
struct export {
	const struct tarball	*tar;
	struct image		*image;
	const struct deadline	*deadline;
	char			*base;		/* what comes before ID/ or manifests/: "web/" */
};

static bool
is_v1_id(const char *s, size_t len)
{
	return len == V1_ID_LEN && strspn(s, HEX) >= len;
}

/* "web/ID/ancestry": where ID begins; NULL for other names. */
static const char *
v1_id_of(const char *name)
{
	size_t len = strlen(name), tail = strlen("/ancestry");
	const char *id;

	if (len < V1_ID_LEN + tail || strcmp(name + len - tail, "/ancestry") != 0)
		return NULL;
	id = name + len - tail - V1_ID_LEN;
	return is_v1_id(id, V1_ID_LEN) && (id == name || id[-1] == '/') ? id : NULL;
}

/* "web/manifests/2/latest": where "manifests/" begins; NULL for other names. */
static const char *
manifests_of(const char *name)
{
	const char *at = strstr(name, "manifests/");

	return at != NULL && (at == name || at[-1] == '/') ? at : NULL;
}

/* The repository's metadata is the only such file outside of the published tree. */
static bool
is_metadata(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash != NULL ? slash + 1 : name;
	size_t len = strlen(base);

	return len > 5 && strcmp(base + len - 5, ".json") == 0 &&
	    strcmp(base, "images.json") != 0 && strcmp(base, "manifest.json") != 0 &&
	    strcmp(base, "index.json") != 0 && manifests_of(name) == NULL;
}

static const char *
metadata_name(const struct tarball *tar)
{
	size_t i;

	for (i = 0; i < tarball_count(tar); i++) {
		if (is_metadata(tarball_name(tar, i)))
			return tarball_name(tar, i);
	}
	return NULL;
}

static char *
base_of(const struct tarball *tar, const char *(*start)(const char *))
{
	const char *name, *at;
	size_t i;

	for (i = 0; i < tarball_count(tar); i++) {
		name = tarball_name(tar, i);
		if ((at = start(name)) != NULL)
			return xstrndup(name, (size_t)(at - name));
	}
	return NULL;
}

bool
source_is_pulp(const struct tarball *tar)
{
	cleanup(free_p) char *v1 = base_of(tar, v1_id_of);
	cleanup(free_p) char *v2 = base_of(tar, manifests_of);

	return metadata_name(tar) != NULL && (v1 != NULL || v2 != NULL);
}

/* `what` below the base; *out has fd -1 when the export leaves it out. */
static void
member(const struct export *e, const char *folder, const char *what, struct extent *out)
{
	cleanup(free_p) char *name = xasprintf("%s%s%s", e->base, folder, what);

	if (!tarball_find(e->tar, name, out))
		*out = (struct extent)EXTENT_INIT;
}

static json_t *
text_of(const struct extent *at, const char *id, const char *what, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_LIMIT(V1_TEXT_MAX);
	json_t *value;

	if (extent_load(at, V1_TEXT_MAX, &text, err) == -1 ||
	    (value = json_read(buf_str(&text), text.len, DEPTH_MAX, err)) == NULL) {
		error_prefix(err, "image %s: %s", id, what);
		return NULL;
	}
	return value;
}

static int
ancestry_check(const struct image_v1 *v1, const struct crane_metadata *meta, struct error *err)
{
	cleanup(json_unref) json_t *list = text_of(&v1->ancestry, v1->id, "ancestry", err);
	const char *id;
	size_t i;

	if (list == NULL)
		return -1;
	if (json_array_size(list) == 0)
		return error_set(err, ERROR_INPUT, "image %s: ancestry is not a list", v1->id);
	for (i = 0; i < json_array_size(list); i++) {
		id = json_string_value(json_array_get(list, i));
		if (id == NULL || !is_v1_id(id, strlen(id)) ||
		    (i == 0 && strcmp(id, v1->id) != 0))
			return error_set(err, ERROR_INPUT, "image %s: ancestry does not begin with "
			    "it, or holds what is no id", v1->id);
		if (!crane_ids_have(&meta->images, id))
			return error_set(err, ERROR_INPUT, "image %s: its ancestor %s is not in "
			    "the metadata", v1->id, id);
	}
	return 0;
}

static int
v1_json_check(const struct image_v1 *v1, struct error *err)
{
	cleanup(json_unref) json_t *json = text_of(&v1->json, v1->id, "json", err);

	if (json == NULL)
		return -1;
	if (strcmp(json_string_or(json, "id", ""), v1->id) != 0)
		return error_set(err, ERROR_INPUT, "image %s: its json is of another image", v1->id);
	return 0;
}

/* An export leaves out the images of the base that it was told to mask: all three files. */
static int
v1_image_read(const struct export *e, const struct crane_metadata *meta, const char *id,
    struct error *err)
{
	cleanup(free_p) char *folder = xasprintf("%s/", id);
	struct image_v1 v1 = { .id = xstrdup(id) };

	member(e, folder, "json", &v1.json);
	member(e, folder, "ancestry", &v1.ancestry);
	member(e, folder, "layer", &v1.layer);
	if ((v1.json.fd == -1) != (v1.layer.fd == -1) ||
	    (v1.json.fd == -1) != (v1.ancestry.fd == -1))
		error_set(err, ERROR_INPUT, "image %s: json, ancestry or layer is not there", id);
	else if (v1.json.fd == -1 ||
	    (v1_json_check(&v1, err) == 0 && ancestry_check(&v1, meta, err) == 0))
		return image_add_v1(e->image, &v1, err);
	free(v1.id);
	return -1;
}

static int
v1_read(const struct export *e, const struct crane_metadata *meta, struct error *err)
{
	size_t i;

	for (i = 0; i < meta->images.n; i++) {
		const char *id = meta->images.ids[i];

		if (!is_v1_id(id, strlen(id)))
			return error_set(err, ERROR_INPUT, "'%s' is not the id of an image", id);
		if (deadline_check(e->deadline, err) == -1 ||
		    v1_image_read(e, meta, id, err) == -1)
			return -1;
	}
	for (i = 0; i < meta->tags.n; i++) {
		if (!crane_ids_have(&meta->images, meta->tags.tags[i].target))
			return error_set(err, ERROR_INPUT, "tag '%s' names no image of the metadata",
			    meta->tags.tags[i].name);
		if (image_add_v1_tag(e->image, meta->tags.tags[i].name, meta->tags.tags[i].target,
		    err) == -1)
			return -1;
	}
	return 0;
}

static bool
has_tag(const struct image *image, const char *name)
{
	size_t i;

	for (i = 0; i < image->n_tags; i++) {
		if (strcmp(image->tags[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The file of a tag, or of a digest. Where a tag has several forms, the richest was read before
 * and counts; the others stay reachable by digest. */
static int
manifest_read(const struct export *e, const char *name, const char *reference, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_LIMIT(MANIFEST_MAX);
	cleanup(manifest_done) struct manifest m = { 0 };
	struct extent at = EXTENT_INIT;
	char digest[DIGEST_SIZE];

	if (!tarball_find(e->tar, name, &at))
		return error_set(err, ERROR_INPUT, "member '%s' links to nothing", name);
	if (extent_load(&at, MANIFEST_MAX, &text, err) == -1 ||
	    manifest_parse(buf_str(&text), text.len, NULL, &m, err) == -1 ||
	    manifest_digest(buf_str(&text), text.len, &m, digest, err) == -1 ||
	    image_add_manifest(e->image, digest_valid(reference) ? reference : digest, NULL,
	    buf_str(&text), text.len, err) == -1)
		return error_prefix(err, "member '%s'", name);
	if (digest_valid(reference) || has_tag(e->image, reference))
		return 0;
	if (image_add_tag(e->image, reference, digest, err) == -1)
		return -1;
	return image_add_root(e->image, digest, err);
}

static int
folder_read(const struct export *e, const char *folder, struct error *err)
{
	cleanup(free_p) char *start = xasprintf("%smanifests/%s", e->base, folder);
	const char *name;
	size_t i;

	for (i = 0; i < tarball_count(e->tar); i++) {
		name = tarball_name(e->tar, i);
		if (strncmp(name, start, strlen(start)) != 0 ||
		    strchr(name + strlen(start), '/') != NULL)
			continue;
		if (deadline_check(e->deadline, err) == -1 ||
		    manifest_read(e, name, name + strlen(start), err) == -1)
			return -1;
	}
	return 0;
}

static int
blobs_place(const struct export *e, struct error *err)
{
	struct image_blob *b;
	size_t i;

	for (i = 0; i < e->image->n_blobs; i++) {
		b = &e->image->blobs[i];
		member(e, "blobs/", b->digest, &b->at);
		if (b->at.fd == -1)
			continue;
		b->place = BLOB_HERE;
		if (b->size == SIZE_UNKNOWN)
			b->size = b->at.size;
		if (b->at.size != b->size)
			return error_set(err, ERROR_INPUT, "%s: %ju bytes, not the %ju that it is "
			    "said to have", b->digest, (uintmax_t)b->at.size, (uintmax_t)b->size);
	}
	return 0;
}

static int
config_read(const struct export *e, const struct image_manifest *m, struct error *err)
{
	const struct image_blob *b;
	cleanup(buf_done) struct buf text = BUF_LIMIT(CONFIG_MAX);

	if (m->parsed.kind != MANIFEST_IMAGE)
		return 0;
	b = image_blob_find(e->image, m->parsed.config.digest);
	if (b->at.fd == -1)
		return error_set(err, ERROR_INPUT, "config %s is not there", b->digest);
	if (extent_check(&b->at, b->digest, e->deadline, err) == -1 ||
	    extent_load(&b->at, CONFIG_MAX, &text, err) == -1)
		return error_prefix(err, "config");
	return image_add_config(e->image, m->digest, buf_str(&text), text.len, err);
}

static int
children_check(const struct export *e, const struct image_manifest *m, struct error *err)
{
	size_t i;

	for (i = 0; i < m->parsed.children.n; i++) {
		if (image_manifest_find(e->image, m->parsed.children.list[i].digest) == NULL)
			return error_set(err, ERROR_INPUT, "index %s: its child %s is not there",
			    m->digest, m->parsed.children.list[i].digest);
	}
	return 0;
}

static int
v2_read(const struct export *e, struct error *err)
{
	static const char *const folders[] = { "list/", "2/", "1/", "" };
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (folder_read(e, folders[i], err) == -1)
			return -1;
	}
	if (blobs_place(e, err) == -1)
		return -1;
	for (i = 0; i < e->image->n_manifests; i++) {
		if (config_read(e, &e->image->manifests[i], err) == -1 ||
		    children_check(e, &e->image->manifests[i], err) == -1)
			return -1;
	}
	return 0;
}

static struct crane_metadata *
metadata_read(const struct tarball *tar, struct error *err)
{
	const char *name = metadata_name(tar);
	cleanup(buf_done) struct buf text = BUF_LIMIT(CRANE_METADATA_MAX);
	struct extent at = EXTENT_INIT;
	struct crane_metadata *meta = NULL;

	if (!tarball_find(tar, name, &at)) {
		error_set(err, ERROR_INPUT, "member '%s' links to nothing", name);
		return NULL;
	}
	if (extent_load(&at, CRANE_METADATA_MAX, &text, err) == -1 ||
	    (meta = crane_metadata_parse(buf_str(&text), text.len, err)) == NULL)
		error_prefix(err, "member '%s'", name);
	return meta;
}

int
source_pulp_read(const struct tarball *tar, struct image *image, const struct deadline *d,
    struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *meta = metadata_read(tar, err);
	struct export e = { tar, image, d, NULL };
	int result;

	if (meta == NULL)
		return -1;
	image->name = xstrdup(meta->registry_id);
	if ((e.base = base_of(tar, meta->version == 1 ? v1_id_of : manifests_of)) == NULL)
		return error_set(err, ERROR_INPUT, "the metadata is of version %d, and no images "
		    "of that kind are there", meta->version);
	result = meta->version == 1 ? v1_read(&e, meta, err) : v2_read(&e, err);
	free(e.base);
	return result;
}
