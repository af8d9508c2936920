#include "daemon/crane-metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define DEPTH_MAX 16
#define NAME_MAX_BYTES 512	/* of an id, a tag, a digest */
#define URL_MAX_BYTES 4096
#define ORIGINS_MAX 1000

#define MANIFEST_V2 "application/vnd.docker.distribution.manifest.v2+json"
#define MANIFEST_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

void
crane_ids_add(struct crane_ids *set, const char *id)
{
	if (set->n == set->size) {
		set->size = set->size == 0 ? 8 : set->size * 2;
		set->ids = xreallocarray(set->ids, set->size, sizeof(*set->ids));
	}
	set->ids[set->n++] = xstrdup(id);
}

static int
id_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
crane_ids_sort(struct crane_ids *set)
{
	size_t i, n = 0;

	if (set->n == 0)
		return;
	qsort(set->ids, set->n, sizeof(*set->ids), id_order);
	for (i = 0; i < set->n; i++) {
		if (n > 0 && strcmp(set->ids[n - 1], set->ids[i]) == 0)
			free(set->ids[i]);
		else
			set->ids[n++] = set->ids[i];
	}
	set->n = n;
}

bool
crane_ids_insert(struct crane_ids *set, const char *id)
{
	size_t low = 0, high = set->n, middle;
	char *copy;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(set->ids[middle], id);
		if (order == 0)
			return false;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	crane_ids_add(set, id);
	copy = set->ids[set->n - 1];
	memmove(&set->ids[low + 1], &set->ids[low], (set->n - 1 - low) * sizeof(*set->ids));
	set->ids[low] = copy;
	return true;
}

bool
crane_ids_have(const struct crane_ids *set, const char *id)
{
	return set->n > 0 && bsearch(&id, set->ids, set->n, sizeof(*set->ids), id_order) != NULL;
}

void
crane_ids_done(struct crane_ids *set)
{
	while (set->n > 0)
		free(set->ids[--set->n]);
	free(set->ids);
	*set = (struct crane_ids)CRANE_IDS_INIT;
}

static void
tags_done(struct crane_tags *tags)
{
	while (tags->n > 0) {
		struct crane_tag *tag = &tags->tags[--tags->n];

		free(tag->name);
		free(tag->target);
	}
	free(tags->tags);
}

void
crane_metadata_free(struct crane_metadata *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->n_manifests; i++) {
		free(m->manifests[i].digest);
		free(m->manifests[i].type);
	}
	for (i = 0; i < m->n_blobs; i++) {
		free(m->blobs[i].digest);
		free(m->blobs[i].diff_id);
	}
	for (i = 0; i < m->n_origins; i++) {
		free(m->origins[i].url);
		free(m->origins[i].repository);
	}
	for (i = 0; i < m->n_referrers; i++) {
		free(m->referrers[i].subject);
		free(m->referrers[i].artifact_type);
		free(m->referrers[i].descriptor);
	}
	free(m->manifests);
	free(m->blobs);
	free(m->origins);
	free(m->referrers);
	tags_done(&m->tags);
	tags_done(&m->amd64_tags);
	tags_done(&m->raas_tags);
	crane_ids_done(&m->images);
	crane_ids_done(&m->schema2);
	crane_ids_done(&m->lists);
	free(m->repository);
	free(m->registry_id);
	free(m->url);
	free(m);
}

/* Fit to be one segment of a key: not empty, no slash, no control character, no folder. */
static bool
is_name(const char *s)
{
	const char *p;

	if (s == NULL || s[0] == '\0' || strlen(s) > NAME_MAX_BYTES ||
	    strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '/')
			return false;
	return true;
}

/* RFC 6838 section 4.2, without parameters: it becomes a header. */
static bool
is_media_type(const char *s)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789!#$&-^_.+/";
	const char *slash = s != NULL ? strchr(s, '/') : NULL;

	return slash != NULL && slash != s && slash[1] != '\0' && strchr(slash + 1, '/') == NULL &&
	    strlen(s) <= NAME_MAX_BYTES && s[strspn(s, allowed)] == '\0';
}

static int
bad_name(const char *key, size_t at, struct error *err)
{
	return error_set(err, ERROR_INPUT, "key '%s', element %zu: not a name of 1 to %d bytes "
	    "without blanks and slashes", key, at + 1, NAME_MAX_BYTES);
}

static int
count_check(const char *key, size_t n, struct error *err)
{
	if (n > CRANE_ENTRIES_MAX)
		return error_set(err, ERROR_INPUT, "key '%s' has more than %u entries", key,
		    CRANE_ENTRIES_MAX);
	return 0;
}

static int
read_text(const json_t *object, const char *key, size_t max, char **out, struct error *err)
{
	const char *s = json_get_string(object, key, err), *p;

	if (s == NULL)
		return -1;
	if (s[0] == '\0' || strlen(s) > max)
		return error_set(err, ERROR_INPUT, "key '%s' is not of 1 to %zu bytes", key, max);
	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return error_set(err, ERROR_INPUT, "key '%s' holds a blank or a control "
			    "character", key);
	*out = xstrdup(s);
	return 0;
}

static int
read_protected(const json_t *object, bool *out, struct error *err)
{
	const json_t *value = json_object_get(object, "protected");

	if (value != NULL && !json_is_boolean(value))
		return error_set(err, ERROR_INPUT, "key 'protected' is not true or false");
	*out = json_is_true(value);
	return 0;
}

/* [ID, …], or with `member` [{member: ID}, …]. */
static int
read_ids(const json_t *object, const char *key, const char *member, struct crane_ids *out,
    struct error *err)
{
	const json_t *list = json_get_array(object, key, err), *element;
	const char *id;
	size_t i;

	if (list == NULL || count_check(key, json_array_size(list), err) == -1)
		return -1;
	json_array_foreach(list, i, element) {
		if (member != NULL)
			element = json_object_get(element, member);
		if (!is_name(id = json_string_value(element)))
			return bad_name(key, i, err);
		crane_ids_add(out, id);
	}
	crane_ids_sort(out);
	return 0;
}

static int
tag_order(const void *a, const void *b)
{
	return strcmp(((const struct crane_tag *)a)->name, ((const struct crane_tag *)b)->name);
}

/* {TAG: TARGET, …}, or with `schemas` {TAG: [TARGET, 1 or 2], …}. */
static int
read_tags(const json_t *object, const char *key, bool schemas, struct crane_tags *out,
    struct error *err)
{
	json_t *map = json_get_object(object, key, err), *value;
	const char *name, *target;
	json_int_t schema = 0;

	if (map == NULL || count_check(key, json_object_size(map), err) == -1)
		return -1;
	out->tags = xcalloc(json_object_size(map) + 1, sizeof(*out->tags));
	json_object_foreach(map, name, value) {
		if (schemas) {
			schema = json_integer_value(json_array_get(value, 1));
			if (schema != 1 && schema != 2)
				return error_set(err, ERROR_INPUT, "key '%s.%s' is not a digest "
				    "and 1 or 2", key, name);
			value = json_array_get(value, 0);
		}
		if (!is_name(name) || !is_name(target = json_string_value(value)))
			return bad_name(key, out->n, err);
		out->tags[out->n++] = (struct crane_tag){ xstrdup(name), xstrdup(target),
		    (int)schema };
	}
	qsort(out->tags, out->n, sizeof(*out->tags), tag_order);
	return 0;
}

static int
read_size(const json_t *object, const char *key, const char *digest, uint64_t *out,
    struct error *err)
{
	int64_t size;

	if (json_get_int(object, "size", &size, err) == -1 || size < 0)
		return error_set(err, ERROR_INPUT, "key '%s.%s.size' is not a size in bytes", key,
		    digest);
	*out = (uint64_t)size;
	return 0;
}

static int
manifest_order(const void *a, const void *b)
{
	return strcmp(((const struct crane_manifest *)a)->digest,
	    ((const struct crane_manifest *)b)->digest);
}

static int
read_manifests(const json_t *raas, struct crane_metadata *m, struct error *err)
{
	json_t *map = json_get_object(raas, "manifests", err), *value;
	const char *digest, *type;
	uint64_t size = 0;

	if (map == NULL || count_check("raas.manifests", json_object_size(map), err) == -1)
		return -1;
	m->manifests = xcalloc(json_object_size(map) + 1, sizeof(*m->manifests));
	json_object_foreach(map, digest, value) {
		if (!is_name(digest))
			return bad_name("raas.manifests", m->n_manifests, err);
		if (!is_media_type(type = json_string_or(value, "type", NULL)))
			return error_set(err, ERROR_INPUT, "key 'raas.manifests.%s.type' is not a "
			    "media type", digest);
		if (read_size(value, "raas.manifests", digest, &size, err) == -1)
			return -1;
		m->manifests[m->n_manifests++] = (struct crane_manifest){ xstrdup(digest),
		    xstrdup(type), size };
	}
	qsort(m->manifests, m->n_manifests, sizeof(*m->manifests), manifest_order);
	return 0;
}

static int
blob_order(const void *a, const void *b)
{
	return strcmp(((const struct crane_blob *)a)->digest,
	    ((const struct crane_blob *)b)->digest);
}

static int
read_origin_of(const json_t *value, const char *digest, size_t n_origins,
    struct crane_blob *blob, struct error *err)
{
	const json_t *origin = json_object_get(value, "origin");
	json_int_t at = json_integer_value(origin);

	if (origin == NULL || json_is_null(origin))
		return 0;
	if (!json_is_integer(origin) || at < 0 || (size_t)at >= n_origins)
		return error_set(err, ERROR_INPUT, "key 'raas.blobs.%s.origin' is not the number "
		    "of one of 'raas.origins'", digest);
	blob->has_origin = true;
	blob->origin = (size_t)at;
	return 0;
}

static int
read_blobs(const json_t *raas, struct crane_metadata *m, struct error *err)
{
	json_t *map = json_get_object(raas, "blobs", err), *value;
	struct crane_blob blob;
	const char *digest, *diff_id;

	if (map == NULL || count_check("raas.blobs", json_object_size(map), err) == -1)
		return -1;
	m->blobs = xcalloc(json_object_size(map) + 1, sizeof(*m->blobs));
	json_object_foreach(map, digest, value) {
		if (!is_name(digest))
			return bad_name("raas.blobs", m->n_blobs, err);
		blob = (struct crane_blob){ 0 };
		if (read_size(value, "raas.blobs", digest, &blob.size, err) == -1 ||
		    read_origin_of(value, digest, m->n_origins, &blob, err) == -1)
			return -1;
		if ((diff_id = json_string_or(value, "diff_id", NULL)) != NULL && !is_name(diff_id))
			return bad_name("raas.blobs", m->n_blobs, err);
		blob.digest = xstrdup(digest);
		blob.diff_id = xstrdup(diff_id);
		m->blobs[m->n_blobs++] = blob;
	}
	qsort(m->blobs, m->n_blobs, sizeof(*m->blobs), blob_order);
	return 0;
}

static int
read_origins(const json_t *raas, struct crane_metadata *m, struct error *err)
{
	json_t *list = json_object_get(raas, "origins"), *value;
	struct crane_origin *origin;
	size_t i;

	if (list == NULL)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > ORIGINS_MAX)
		return error_set(err, ERROR_INPUT, "key 'raas.origins' is not an array of at most "
		    "%d", ORIGINS_MAX);
	m->origins = xcalloc(json_array_size(list), sizeof(*m->origins));
	json_array_foreach(list, i, value) {
		origin = &m->origins[m->n_origins++];
		if (read_text(value, "url", URL_MAX_BYTES, &origin->url, err) == -1 ||
		    read_text(value, "repository", NAME_MAX_BYTES, &origin->repository, err) == -1)
			return error_prefix(err, "in 'raas.origins', element %zu", i + 1);
	}
	return 0;
}

static int
read_referrer(const json_t *value, const char *subject, struct crane_referrer *out,
    struct error *err)
{
	const char *artifact = json_string_or(value, "artifactType", "");
	int64_t size;

	if (!is_media_type(json_string_or(value, "mediaType", NULL)) ||
	    !is_name(json_string_or(value, "digest", NULL)) ||
	    json_get_int(value, "size", &size, err) == -1 || size < 0)
		return error_set(err, ERROR_INPUT, "key 'raas.referrers.%s' is not an array of "
		    "descriptors with mediaType, digest and size", subject);
	out->subject = xstrdup(subject);
	out->artifact_type = xstrdup(artifact);
	out->descriptor = json_dumps(value, JSON_COMPACT);
	if (out->descriptor == NULL)
		abort();	/* out of memory: it was read from JSON */
	return 0;
}

static int
referrer_order(const void *a, const void *b)
{
	const struct crane_referrer *x = a, *y = b;
	int order = strcmp(x->subject, y->subject);

	return order != 0 ? order : strcmp(x->descriptor, y->descriptor);
}

static int
read_referrers(const json_t *raas, struct crane_metadata *m, struct error *err)
{
	json_t *map = json_object_get(raas, "referrers"), *list, *value;
	const char *subject;
	size_t i, n;

	if (map == NULL)
		return 0;
	if (!json_is_object(map))
		return error_set(err, ERROR_INPUT, "key 'raas.referrers' is not an object");
	json_object_foreach(map, subject, list) {
		n = m->n_referrers + json_array_size(list);
		if (!is_name(subject) || count_check("raas.referrers", n, err) == -1)
			return error_set(err, ERROR_INPUT, "key 'raas.referrers' has a bad name or "
			    "more than %u descriptors", CRANE_ENTRIES_MAX);
		m->referrers = xreallocarray(m->referrers, n, sizeof(*m->referrers));
		json_array_foreach(list, i, value) {
			if (read_referrer(value, subject, &m->referrers[m->n_referrers], err) == -1)
				return -1;
			m->n_referrers++;
		}
	}
	if (m->n_referrers > 0)
		qsort(m->referrers, m->n_referrers, sizeof(*m->referrers), referrer_order);
	return 0;
}

static int
read_raas(const json_t *object, struct crane_metadata *m, struct error *err)
{
	const json_t *raas = json_object_get(object, "raas");
	int64_t schema;

	if (raas == NULL)
		return 0;
	if (!json_is_object(raas))
		return error_set(err, ERROR_INPUT, "key 'raas' is not an object");
	if (json_get_int(raas, "schema", &schema, err) == -1)
		return error_prefix(err, "in 'raas'");
	if (schema != 1)
		return error_set(err, ERROR_INPUT, "key 'raas.schema' is %jd, only 1 is known",
		    (intmax_t)schema);
	m->has_raas = true;
	if (read_tags(raas, "tags", false, &m->raas_tags, err) == -1)
		return error_prefix(err, "in 'raas'");
	if (read_manifests(raas, m, err) == -1 || read_origins(raas, m, err) == -1 ||
	    read_blobs(raas, m, err) == -1)
		return -1;
	return read_referrers(raas, m, err);
}

/* The keys that each version adds, all of them needed: Crane drops a repository that lacks one. */
static int
read_version(const json_t *object, struct crane_metadata *m, struct error *err)
{
	if (m->version == 1) {
		if (read_ids(object, "images", "id", &m->images, err) == -1)
			return -1;
		return read_tags(object, "tags", false, &m->tags, err);
	}
	if (m->version >= 3 && read_ids(object, "schema2_data", NULL, &m->schema2, err) == -1)
		return -1;
	if (m->version < 4)
		return 0;
	if (read_ids(object, "manifest_list_data", NULL, &m->lists, err) == -1)
		return -1;
	return read_tags(object, "manifest_list_amd64_tags", true, &m->amd64_tags, err);
}

static int
read_metadata(const json_t *object, struct crane_metadata *m, struct error *err)
{
	int64_t version;

	if (!json_is_object(object))
		return error_set(err, ERROR_INPUT, "not an object");
	if (json_get_int(object, "version", &version, err) == -1)
		return -1;
	if (version < 1 || version > 4)
		return error_set(err, ERROR_INPUT, "key 'version' is %jd, Crane knows 1 to 4",
		    (intmax_t)version);
	m->version = (int)version;
	if (read_text(object, "repository", NAME_MAX_BYTES, &m->repository, err) == -1 ||
	    read_text(object, "repo-registry-id", NAME_MAX_BYTES, &m->registry_id, err) == -1 ||
	    read_text(object, "url", URL_MAX_BYTES, &m->url, err) == -1 ||
	    read_protected(object, &m->is_protected, err) == -1 ||
	    read_version(object, m, err) == -1)
		return -1;
	return read_raas(object, m, err);
}

struct crane_metadata *
crane_metadata_parse(const char *data, size_t len, struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = xcalloc(1, sizeof(*m));
	cleanup(json_unref) json_t *object = NULL;

	if (len > CRANE_METADATA_MAX) {
		error_set(err, ERROR_INPUT, "longer than %u bytes", CRANE_METADATA_MAX);
		return NULL;
	}
	if ((object = json_read(data, len, DEPTH_MAX, err)) == NULL ||
	    read_metadata(object, m, err) == -1)
		return NULL;
	return steal(m);
}

const struct crane_tag *
crane_tags_find(const struct crane_tags *tags, const char *name)
{
	struct crane_tag wanted = { .name = (char *)name };

	return tags->n == 0 ? NULL :
	    bsearch(&wanted, tags->tags, tags->n, sizeof(wanted), tag_order);
}

const struct crane_manifest *
crane_metadata_manifest(const struct crane_metadata *m, const char *digest)
{
	struct crane_manifest wanted = { .digest = (char *)digest };

	return m->n_manifests == 0 ? NULL : bsearch(&wanted, m->manifests, m->n_manifests,
	    sizeof(wanted), manifest_order);
}

const struct crane_blob *
crane_metadata_blob(const struct crane_metadata *m, const char *digest)
{
	struct crane_blob wanted = { .digest = (char *)digest };

	return m->n_blobs == 0 ? NULL : bsearch(&wanted, m->blobs, m->n_blobs, sizeof(wanted),
	    blob_order);
}

char *
crane_metadata_prefix(const struct crane_metadata *m, const char *public_url)
{
	size_t base = strlen(public_url), len;
	const char *rest;
	char *prefix, *p;

	while (base > 0 && public_url[base - 1] == '/')
		base--;
	if (base > 0 && strncmp(m->url, public_url, base) == 0 &&
	    (m->url[base] == '/' || m->url[base] == '\0')) {
		rest = m->url + base;
		while (*rest == '/')
			rest++;
		for (len = strlen(rest); len > 0 && rest[len - 1] == '/'; len--)
			;
		return xasprintf("%.*s%s", (int)len, rest, len > 0 ? "/" : "");
	}
	prefix = xasprintf("%s/", m->registry_id);
	for (p = prefix; p[1] != '\0'; p++)
		if (*p == '/')
			*p = '-';
	return prefix;
}

/* Collects objects of one repository. */
struct listing {
	struct crane_objects	*out;
	const char		*prefix;
};

static void
need(struct listing *l, uint64_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
need(struct listing *l, uint64_t size, const char *fmt, ...)
{
	struct crane_objects *out = l->out;
	cleanup(free_p) char *rest = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&rest, fmt, ap);
	va_end(ap);
	if (n == -1)
		abort();
	if (out->n == out->size) {
		out->size = out->size == 0 ? 16 : out->size * 2;
		out->objects = xreallocarray(out->objects, out->size, sizeof(*out->objects));
	}
	out->objects[out->n++] = (struct crane_object){ xasprintf("%s%s", l->prefix, rest), size };
}

static void
need_v1(struct listing *l, const struct crane_metadata *m, const struct crane_ids *masked)
{
	static const char *const files[] = { "ancestry", "json", "layer" };
	size_t i, j;

	for (i = 0; i < m->images.n; i++) {
		if (masked != NULL && crane_ids_have(masked, m->images.ids[i]))
			continue;
		for (j = 0; j < sizeof(files) / sizeof(files[0]); j++)
			need(l, CRANE_SIZE_UNKNOWN, "%s/%s", m->images.ids[i], files[j]);
	}
}

/* What Crane's own arrays make it redirect to. */
static void
need_v2(struct listing *l, const struct crane_metadata *m)
{
	size_t i;

	need(l, CRANE_SIZE_UNKNOWN, "tags/list");
	for (i = 0; i < m->schema2.n; i++)
		need(l, CRANE_SIZE_UNKNOWN, "manifests/2/%s", m->schema2.ids[i]);
	for (i = 0; i < m->lists.n; i++)
		need(l, CRANE_SIZE_UNKNOWN, "manifests/list/%s", m->lists.ids[i]);
	for (i = 0; i < m->amd64_tags.n; i++)
		need(l, CRANE_SIZE_UNKNOWN, "manifests/%d/%s", m->amd64_tags.tags[i].schema,
		    m->amd64_tags.tags[i].target);
}

/* What Crane does not know, OCI's, it takes for schema 1. */
const char *
crane_manifest_folder(const char *type)
{
	if (strcmp(type, MANIFEST_V2) == 0)
		return "2";
	return strcmp(type, MANIFEST_LIST) == 0 ? "list" : "1";
}

static void
need_raas(struct listing *l, const struct crane_metadata *m, const struct crane_ids *masked)
{
	const struct crane_manifest *manifest;
	const struct crane_tag *tag;
	size_t i;

	for (i = 0; i < m->n_manifests; i++)
		need(l, m->manifests[i].size, "manifests/%s/%s",
		    crane_manifest_folder(m->manifests[i].type), m->manifests[i].digest);
	for (i = 0; i < m->raas_tags.n; i++) {
		tag = &m->raas_tags.tags[i];
		if ((manifest = crane_metadata_manifest(m, tag->target)) != NULL)
			need(l, manifest->size, "manifests/%s/%s",
			    crane_manifest_folder(manifest->type), tag->name);
	}
	for (i = 0; i < m->n_blobs; i++)
		if (!m->blobs[i].has_origin &&
		    (masked == NULL || !crane_ids_have(masked, m->blobs[i].digest)))
			need(l, m->blobs[i].size, "blobs/%s", m->blobs[i].digest);
}

/* By key; of equal ones a known size comes first. */
static int
object_order(const void *a, const void *b)
{
	const struct crane_object *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static void
objects_sort(struct crane_objects *o)
{
	size_t i, n = 0;

	if (o->n > 0)
		qsort(o->objects, o->n, sizeof(*o->objects), object_order);
	for (i = 0; i < o->n; i++) {
		if (n > 0 && strcmp(o->objects[n - 1].key, o->objects[i].key) == 0)
			free(o->objects[i].key);
		else
			o->objects[n++] = o->objects[i];
	}
	o->n = n;
}

void
crane_metadata_objects(const struct crane_metadata *m, const char *prefix,
    const struct crane_ids *masked, struct crane_objects *out)
{
	struct listing l = { out, prefix };

	if (m->version == 1)
		need_v1(&l, m, masked);
	else
		need_v2(&l, m);
	if (m->has_raas)
		need_raas(&l, m, masked);
	objects_sort(out);
}

void
crane_objects_done(struct crane_objects *o)
{
	while (o->n > 0)
		free(o->objects[--o->n].key);
	free(o->objects);
	*o = (struct crane_objects)CRANE_OBJECTS_INIT;
}
