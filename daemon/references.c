#include "daemon/references.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/access.h"
#include "daemon/extent.h"

#define V1_ID_LEN 64

static void
add_objects(struct references *r, const struct crane_metadata *m, const char *prefix)
{
	cleanup(crane_objects_done) struct crane_objects objects = CRANE_OBJECTS_INIT;
	size_t i;

	crane_metadata_objects(m, prefix, NULL, &objects);
	for (i = 0; i < objects.n; i++)
		crane_ids_add(&r->keys, objects.objects[i].key);
}

void
references_add(struct references *r, const struct crane_metadata *m, const char *prefix)
{
	crane_ids_add(&r->prefixes, prefix);
	references_protect(r, m, prefix);
}

void
references_protect(struct references *r, const struct crane_metadata *m, const char *prefix)
{
	size_t i;

	add_objects(r, m, prefix);
	for (i = 0; i < m->n_blobs; i++) {
		cleanup(free_p) char *key = xasprintf("%sblobs/%s", prefix, m->blobs[i].digest);

		crane_ids_add(&r->keys, key);
	}
	/* Crane's own arrays name manifests, and of those not all. */
	if (m->version > 1 && !m->has_raas)
		crane_ids_add(&r->opaque, prefix);
}

void
references_add_prefix(struct references *r, const char *prefix)
{
	crane_ids_add(&r->prefixes, prefix);
}

void
references_seal(struct references *r)
{
	references_add_prefix(r, ACCESS_CANARY_PREFIX);
	crane_ids_sort(&r->keys);
	crane_ids_sort(&r->prefixes);
	crane_ids_sort(&r->opaque);
}

void
references_done(struct references *r)
{
	crane_ids_done(&r->keys);
	crane_ids_done(&r->prefixes);
	crane_ids_done(&r->opaque);
}

static bool
is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

/* One name, not a path. */
static bool
is_name(const char *s)
{
	return s[0] != '\0' && strchr(s, '/') == NULL;
}

static bool
is_v1(const char *rest)
{
	const char *file = rest + V1_ID_LEN;

	return is_hex(rest, V1_ID_LEN) && (strcmp(file, "/json") == 0 ||
	    strcmp(file, "/ancestry") == 0 || strcmp(file, "/layer") == 0);
}

static bool
is_manifest(const char *rest)
{
	static const char *const folders[] = { "manifests/1/", "manifests/2/", "manifests/list/",
	    "manifests/" };
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(rest, folders[i], strlen(folders[i])) == 0 &&
		    is_name(rest + strlen(folders[i])))
			return true;
	return false;
}

/* Whether that is what stands below an image repository's prefix. */
static bool
is_layout(const char *rest)
{
	if (strncmp(rest, "blobs/", 6) == 0)
		return digest_valid(rest + 6);
	return strcmp(rest, "tags/list") == 0 || is_manifest(rest) || is_v1(rest);
}

static bool
is_canary(const char *prefix, const char *rest)
{
	return strcmp(prefix, ACCESS_CANARY_PREFIX) == 0 && is_name(rest);
}

/* The prefixes of a key end after its slashes; the shortest is none at all. */
static const char *
next_prefix(const char *at)
{
	const char *slash = strchr(at, '/');

	return slash != NULL ? slash + 1 : NULL;
}

enum reference
references_judge(const struct references *r, const char *key)
{
	enum reference result = REFERENCE_FOREIGN;
	const char *rest;

	if (crane_ids_have(&r->keys, key))
		return REFERENCE_NAMED;
	for (rest = key; rest != NULL; rest = next_prefix(rest)) {
		cleanup(free_p) char *prefix = xstrndup(key, (size_t)(rest - key));

		if (crane_ids_have(&r->opaque, prefix))
			return REFERENCE_UNCLEAR;
		if (crane_ids_have(&r->prefixes, prefix) &&
		    (is_layout(rest) || is_canary(prefix, rest)))
			result = REFERENCE_NONE;
	}
	return result;
}
