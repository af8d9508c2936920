#include "daemon/crane-write.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/json.h"

#define DEPTH_MAX 32
#define AMD64 "linux/amd64"

/* The members of `raas` while they are put together. */
struct draft {
	json_t		*tags, *manifests, *blobs, *origins, *referrers;
};

static void
draft_init(struct draft *d)
{
	*d = (struct draft){ json_object(), json_object(), json_object(), json_array(),
	    json_object() };
}

static void
draft_done(struct draft *d)
{
	json_decref(d->tags);
	json_decref(d->manifests);
	json_decref(d->blobs);
	json_decref(d->origins);
	json_decref(d->referrers);
}

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void
add_manifest(struct draft *d, const char *digest, const char *type, uint64_t size)
{
	set(d->manifests, digest, json_pack("{s:s, s:I}", "type", type, "size",
	    (json_int_t)size));
}

/* The number of the origin, which is added if it is new. */
static json_t *
origin_number(struct draft *d, const char *url, const char *repository)
{
	json_t *origin;
	size_t i;

	json_array_foreach(d->origins, i, origin)
		if (strcmp(json_string_or(origin, "url", ""), url) == 0 &&
		    strcmp(json_string_or(origin, "repository", ""), repository) == 0)
			return json_integer((json_int_t)i);
	json_array_append_new(d->origins, json_pack("{s:s, s:s}", "url", url, "repository",
	    repository));
	return json_integer((json_int_t)i);
}

static void
add_blob(struct draft *d, const char *digest, uint64_t size, const char *diff_id,
    const char *origin_url, const char *origin_repository)
{
	json_t *blob = json_pack("{s:I}", "size", (json_int_t)size);

	if (diff_id != NULL)
		set(blob, "diff_id", json_string(diff_id));
	if (origin_url != NULL)
		set(blob, "origin", origin_number(d, origin_url, origin_repository));
	set(d->blobs, digest, blob);
}

/* A referrer that is there already is the same: its digest says so. */
static void
add_referrer(struct draft *d, const char *subject, json_t *descriptor)
{
	json_t *list = json_object_get(d->referrers, subject), *other;
	size_t i;

	if (list == NULL) {
		list = json_array();
		set(d->referrers, subject, list);
	}
	json_array_foreach(list, i, other) {
		if (strcmp(json_string_or(other, "digest", ""),
		    json_string_or(descriptor, "digest", "")) == 0) {
			json_decref(descriptor);
			return;
		}
	}
	json_array_append_new(list, descriptor);
}

static void
take_before(struct draft *d, const struct crane_metadata *m)
{
	size_t i;

	for (i = 0; i < m->raas_tags.n; i++)
		set(d->tags, m->raas_tags.tags[i].name, json_string(m->raas_tags.tags[i].target));
	for (i = 0; i < m->n_manifests; i++)
		add_manifest(d, m->manifests[i].digest, m->manifests[i].type, m->manifests[i].size);
	for (i = 0; i < m->n_blobs; i++) {
		const struct crane_blob *b = &m->blobs[i];
		const struct crane_origin *o = b->has_origin ? &m->origins[b->origin] : NULL;

		add_blob(d, b->digest, b->size, b->diff_id, o != NULL ? o->url : NULL,
		    o != NULL ? o->repository : NULL);
	}
	for (i = 0; i < m->n_referrers; i++)
		add_referrer(d, m->referrers[i].subject, json_read(m->referrers[i].descriptor,
		    strlen(m->referrers[i].descriptor), DEPTH_MAX, NULL));
}

/* As the OCI distribution specification has it in a list of referrers: without an artifactType
 * of its own a manifest has that of its config. */
static void
note_subject(struct draft *d, const struct image_manifest *m)
{
	cleanup(json_unref) json_t *document = NULL;
	json_t *descriptor, *annotations;
	const char *artifact;

	if (m->parsed.subject.digest == NULL ||
	    (document = json_read(m->data, m->len, DEPTH_MAX, NULL)) == NULL)
		return;
	artifact = json_string_or(document, "artifactType",
	    json_string_or(json_object_get(document, "config"), "mediaType", NULL));
	descriptor = json_pack("{s:s, s:s, s:I}", "mediaType", m->type, "digest", m->digest,
	    "size", (json_int_t)m->len);
	if (artifact != NULL)
		set(descriptor, "artifactType", json_string(artifact));
	if (json_is_object(annotations = json_object_get(document, "annotations")))
		json_object_set(descriptor, "annotations", annotations);
	add_referrer(d, m->parsed.subject.digest, descriptor);
}

static void
take_image(struct draft *d, const struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_tags; i++)
		set(d->tags, image->tags[i].name, json_string(image->tags[i].digest));
	for (i = 0; i < image->n_manifests; i++) {
		const struct image_manifest *m = &image->manifests[i];

		add_manifest(d, m->digest, m->type, m->len);
		note_subject(d, m);
	}
	for (i = 0; i < image->n_blobs; i++) {
		const struct image_blob *b = &image->blobs[i];
		const struct layer_origin *o = b->place == BLOB_MASKED ? b->origin : NULL;

		add_blob(d, b->digest, b->size, b->diff_id, o != NULL ? o->url : NULL,
		    o != NULL ? o->repository : NULL);
	}
}

/* ---- the original Crane's arrays ---- */

struct arrays {
	struct crane_ids	 schema2, lists;
	json_t			*amd64;
};

static void
list_reference(struct arrays *a, const char *reference, const char *type)
{
	const char *folder = crane_manifest_folder(type);

	if (strcmp(folder, "2") == 0)
		crane_ids_add(&a->schema2, reference);
	else if (strcmp(folder, "list") == 0)
		crane_ids_add(&a->lists, reference);
}

static const char *
type_of(const struct draft *d, const char *digest)
{
	return json_string_or(json_object_get(d->manifests, digest), "type", "");
}

static void
keep_amd64(struct arrays *a, const struct image *image, const struct crane_metadata *before)
{
	size_t i, k;

	for (i = 0; i < before->amd64_tags.n; i++) {
		const struct crane_tag *t = &before->amd64_tags.tags[i];

		for (k = 0; k < image->n_tags && strcmp(image->tags[k].name, t->name) != 0; k++)
			;
		if (k == image->n_tags)
			set(a->amd64, t->name, json_pack("[s, i]", t->target, t->schema));
	}
}

/* Clients that know no manifest lists get the image for amd64 of the list, if it has one. */
static void
add_amd64(struct arrays *a, const struct image *image, const struct image_tag *tag)
{
	const struct image_manifest *m = image_manifest_find(image, tag->digest);
	size_t i;

	if (m == NULL || strcmp(crane_manifest_folder(m->type), "list") != 0)
		return;
	for (i = 0; i < m->parsed.children.n; i++) {
		const struct descriptor *child = &m->parsed.children.list[i];
		const struct image_manifest *c = image_manifest_find(image, child->digest);

		if (c == NULL || child->platform == NULL || strcmp(child->platform, AMD64) != 0 ||
		    (strcmp(c->type, TYPE_DOCKER_MANIFEST) != 0 &&
		    c->parsed.kind != MANIFEST_SCHEMA1))
			continue;
		set(a->amd64, tag->name, json_pack("[s, i]", child->digest,
		    c->parsed.kind == MANIFEST_SCHEMA1 ? 1 : 2));
		return;
	}
}

static void
make_arrays(struct arrays *a, const struct draft *d, const struct image *image,
    const struct crane_metadata *before)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(d->tags, key, value)
		list_reference(a, key, type_of(d, json_string_value(value)));
	json_object_foreach(d->manifests, key, value)
		list_reference(a, key, json_string_or(value, "type", ""));
	if (before != NULL)
		keep_amd64(a, image, before);
	for (i = 0; i < image->n_tags; i++)
		add_amd64(a, image, &image->tags[i]);
	crane_ids_sort(&a->schema2);
	crane_ids_sort(&a->lists);
}

/* ---- the files ---- */

static json_t *
ids_json(const struct crane_ids *ids)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < ids->n; i++)
		json_array_append_new(list, json_string(ids->ids[i]));
	return list;
}

static json_t *
head_json(const struct crane_place *place, int version, const struct crane_metadata *before)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:b}", "version", version, "repository",
	    place->repository, "repo-registry-id", place->name, "url", place->url, "protected",
	    before != NULL && before->is_protected);
}

/* Takes the object. */
static char *
text_of(json_t *object)
{
	char *text = json_dumps(object, JSON_INDENT(1) | JSON_SORT_KEYS), *line;

	if (text == NULL)
		abort();
	line = xasprintf("%s\n", text);
	free(text);
	json_decref(object);
	return line;
}

static json_t *
raas_json(const struct draft *d)
{
	return json_pack("{s:i, s:O, s:O, s:O, s:O, s:O}", "schema", 1, "tags", d->tags,
	    "manifests", d->manifests, "blobs", d->blobs, "origins", d->origins, "referrers",
	    d->referrers);
}

char *
crane_write(const struct crane_place *place, const struct image *image,
    const struct crane_metadata *before, struct error *err)
{
	struct arrays arrays = { CRANE_IDS_INIT, CRANE_IDS_INIT, json_object() };
	struct draft draft;
	json_t *file;

	if (before != NULL && !before->has_raas) {
		json_decref(arrays.amd64);
		error_set(err, ERROR_CONFLICT, "the metadata of '%s' was not written by raasd, and "
		    "does not tell what its tags mean; unpublish it first", place->name);
		return NULL;
	}
	draft_init(&draft);
	if (before != NULL)
		take_before(&draft, before);
	take_image(&draft, image);
	make_arrays(&arrays, &draft, image, before);
	file = head_json(place, 4, before);
	set(file, "schema2_data", ids_json(&arrays.schema2));
	set(file, "manifest_list_data", ids_json(&arrays.lists));
	set(file, "manifest_list_amd64_tags", arrays.amd64);
	set(file, "raas", raas_json(&draft));
	crane_ids_done(&arrays.schema2);
	crane_ids_done(&arrays.lists);
	draft_done(&draft);
	return text_of(file);
}

char *
crane_write_v1(const struct crane_place *place, const struct image *image,
    const struct crane_metadata *before)
{
	struct crane_ids ids = CRANE_IDS_INIT;
	json_t *file, *list = json_array(), *tags = json_object();
	size_t i;

	for (i = 0; before != NULL && i < before->images.n; i++)
		crane_ids_add(&ids, before->images.ids[i]);
	for (i = 0; i < image->n_v1; i++)
		if (!image->v1[i].masked)
			crane_ids_add(&ids, image->v1[i].id);
	crane_ids_sort(&ids);
	for (i = 0; i < ids.n; i++)
		json_array_append_new(list, json_pack("{s:s}", "id", ids.ids[i]));
	for (i = 0; before != NULL && i < before->tags.n; i++)
		set(tags, before->tags.tags[i].name, json_string(before->tags.tags[i].target));
	for (i = 0; i < image->n_v1_tags; i++)
		set(tags, image->v1_tags[i].name, json_string(image->v1_tags[i].id));
	file = head_json(place, 1, before);
	set(file, "images", list);
	set(file, "tags", tags);
	crane_ids_done(&ids);
	return text_of(file);
}

char *
crane_write_tags_list(const struct crane_metadata *m)
{
	json_t *tags = json_array();
	size_t i;

	for (i = 0; i < m->raas_tags.n; i++)
		json_array_append_new(tags, json_string(m->raas_tags.tags[i].name));
	return text_of(json_pack("{s:s, s:o}", "name", m->registry_id, "tags", tags));
}
