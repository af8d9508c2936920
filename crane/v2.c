#include "crane/v2.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "crane/accept.h"
#include "crane/paging.h"
#include "daemon/s3-sign.h"

#define TYPE_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define TYPE_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"

#define TAG_MAX 128u		/* of the OCI distribution specification */
#define DIGEST_MAX 256u

/* "/NAME/KIND/REFERENCE" */
struct path {
	char	*name;
	char	*kind;
	char	*reference;
};

/* The name ends at the rightmost word that is a kind and has something behind it. */
static bool
path_split(char *text, struct path *out)
{
	static const char *const kinds[] = { "tags", "manifests", "blobs", "referrers" };
	char *end = strrchr(text, '/'), *begin;
	size_t i;

	if (end == NULL || end[1] == '\0')
		return false;
	for (begin = end - 1; begin > text; begin--) {
		if (*begin != '/')
			continue;
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (strncmp(begin + 1, kinds[i], strlen(kinds[i])) == 0 &&
			    begin[1 + strlen(kinds[i])] == '/')
				break;
		if (i == sizeof(kinds) / sizeof(kinds[0]))
			continue;
		*begin = '\0';
		out->name = text + 1;
		out->kind = begin + 1;
		out->kind[strlen(kinds[i])] = '\0';
		out->reference = out->kind + strlen(kinds[i]) + 1;
		return true;
	}
	return false;
}

/* Algorithm, ':' and the encoded digest, as the OCI image specification spells them. */
static bool
is_digest(const char *s)
{
	size_t algorithm = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789+._-");
	const char *encoded = s + algorithm + 1;

	return algorithm > 0 && s[algorithm] == ':' && strlen(s) <= DIGEST_MAX &&
	    encoded[0] != '\0' && encoded[strspn(encoded, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=_-")] == '\0';
}

static bool
is_tag(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_.-";

	return (isalnum((unsigned char)s[0]) || s[0] == '_') && strlen(s) <= TAG_MAX &&
	    s[strspn(s, allowed)] == '\0';
}

static void
unknown_manifest(const char *reference, struct answer *a)
{
	answer_error(a, 404, "MANIFEST_UNKNOWN", "manifest unknown", "reference", reference);
}

static void
unknown_blob(const char *digest, struct answer *a)
{
	answer_error(a, 404, "BLOB_UNKNOWN", "blob unknown", "digest", digest);
}

static void
redirect(const struct service *s, const struct request *r, const char *base, const char *folder,
    const char *reference, struct answer *a)
{
	cleanup(free_p) char *rest = xasprintf("%s/%s", folder, reference);

	service_redirect(s, r, base, rest, a);
}

/* The choice that Crane makes, of versions 2 to 4; whether the object exists is not known. */
static void
manifest_unseen(const struct service *s, const struct request *r, const struct crane_metadata *m,
    const char *reference, struct answer *a)
{
	const struct crane_tag *amd64 = crane_tags_find(&m->amd64_tags, reference);

	if (m->version == 2)
		redirect(s, r, m->url, "manifests", reference, a);
	else if (accept_names(r, TYPE_LIST) && crane_ids_have(&m->lists, reference))
		redirect(s, r, m->url, "manifests/list", reference, a);
	else if (amd64 != NULL)
		redirect(s, r, m->url, amd64->schema == 2 ? "manifests/2" : "manifests/1",
		    amd64->target, a);
	else if (accept_names(r, TYPE_MANIFEST) && crane_ids_have(&m->schema2, reference))
		redirect(s, r, m->url, "manifests/2", reference, a);
	else
		redirect(s, r, m->url, "manifests/1", reference, a);
}

/* A client that takes no list gets the amd64 image of a tag, if there is one. */
static const struct crane_manifest *
choose_manifest(const struct request *r, const struct crane_metadata *m, const char *reference)
{
	const struct crane_tag *tag = crane_tags_find(&m->raas_tags, reference);
	const struct crane_tag *amd64 = crane_tags_find(&m->amd64_tags, reference);
	const struct crane_manifest *manifest, *other = NULL;

	manifest = crane_metadata_manifest(m, tag != NULL ? tag->target : reference);
	if (manifest == NULL || amd64 == NULL || accept_takes(r, manifest->type))
		return manifest;
	if (strcmp(manifest->type, TYPE_LIST) == 0 || strcmp(manifest->type, TYPE_OCI_INDEX) == 0)
		other = crane_metadata_manifest(m, amd64->target);
	return other != NULL ? other : manifest;
}

/* The object is named by its digest, so that a tag moves when the metadata does. */
static void
manifest_known(const struct service *s, const struct request *r, const struct crane_metadata *m,
    const struct crane_manifest *manifest, struct answer *a)
{
	cleanup(free_p) char *folder = NULL;

	answer_header(a, "Docker-Content-Digest", manifest->digest);
	if (r->method == REQUEST_HEAD) {
		answer_header(a, "Content-Type", manifest->type);
		a->has_length = true;
		a->length = manifest->size;
		return;
	}
	folder = xasprintf("manifests/%s", crane_manifest_folder(manifest->type));
	redirect(s, r, m->url, folder, manifest->digest, a);
}

static void
manifests(const struct service *s, const struct request *r, const struct crane_metadata *m,
    const char *reference, struct answer *a)
{
	const struct crane_manifest *manifest;

	if (!is_tag(reference) && !is_digest(reference)) {
		unknown_manifest(reference, a);
	} else if (!m->has_raas) {
		manifest_unseen(s, r, m, reference, a);
	} else {
		answer_header(a, "Vary", "Accept");
		if ((manifest = choose_manifest(r, m, reference)) != NULL)
			manifest_known(s, r, m, manifest, a);
		else
			unknown_manifest(reference, a);
	}
}

static void
masked_blob(const struct service *s, const struct request *r, const struct crane_origin *origin,
    const char *digest, struct answer *a)
{
	cleanup(free_p) char *rest = xasprintf("v2/%s/blobs/%s", origin->repository, digest);

	service_redirect(s, r, origin->url, rest, a);
}

static void
blobs(const struct service *s, const struct request *r, const struct crane_metadata *m,
    const char *digest, struct answer *a)
{
	const struct crane_blob *blob = crane_metadata_blob(m, digest);

	if (!is_digest(digest) || (m->has_raas && blob == NULL))
		unknown_blob(digest, a);
	else if (blob != NULL && blob->has_origin)
		masked_blob(s, r, &m->origins[blob->origin], digest, a);
	else
		redirect(s, r, m->url, "blobs", digest, a);
}

static void
bad_paging(struct answer *a)
{
	answer_error(a, 400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested",
	    "parameter", "n");
}

static const char *
tag_name(const void *list, size_t i)
{
	return ((const struct crane_tags *)list)->tags[i].name;
}

static void
tags(const struct service *s, const struct request *r, const struct crane_metadata *m,
    struct answer *a)
{
	cleanup(buf_done) struct buf path = BUF_INIT;
	struct paging page;

	if (!m->has_raas) {
		service_redirect(s, r, m->url, "tags/list", a);
	} else if (!paging_read(r, &page)) {
		bad_paging(a);
	} else {
		buf_add_str(&path, "/v2/");
		s3_encode(&path, m->registry_id, true);
		buf_add_str(&path, "/tags/list");
		answer_json(a, json_pack("{s:o,s:o}", "name", json_text(m->registry_id), "tags",
		    paging_cut(&page, &m->raas_tags, m->raas_tags.n, tag_name, buf_str(&path), a)));
	}
}

/* The OCI index of what refers to a digest; its descriptors are JSON already. */
static void
referrers(const struct request *r, const struct crane_metadata *m, const char *digest,
    struct answer *a)
{
	enum request_value filter;
	char type[REQUEST_VALUE_MAX];
	const char *between = "";
	size_t i;

	if (!is_digest(digest)) {
		answer_error(a, 400, "DIGEST_INVALID", "not a digest", "digest", digest);
		return;
	}
	filter = request_parameter(r, "artifactType", type);
	answer_text(a, TYPE_OCI_INDEX, "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_OCI_INDEX
	    "\",\"manifests\":[");
	for (i = 0; i < m->n_referrers; i++) {
		if (strcmp(m->referrers[i].subject, digest) != 0 || (filter == REQUEST_PRESENT &&
		    strcmp(m->referrers[i].artifact_type, type) != 0))
			continue;
		buf_add_str(&a->body, between);
		buf_add_str(&a->body, m->referrers[i].descriptor);
		between = ",";
	}
	buf_add_str(&a->body, "]}");
	if (filter == REQUEST_PRESENT)
		answer_header(a, "OCI-Filters-Applied", "artifactType");
}

static void
repository(const struct service *s, const struct request *r, const struct path *path,
    struct answer *a)
{
	const struct crane_metadata *m = store_v2(live_store(s->live), path->name);

	if (m == NULL || m->is_protected)	/* we ask nobody for an entitlement certificate */
		answer_error(a, 404, "NAME_UNKNOWN", "repository name not known to registry",
		    "name", path->name);
	else if (strcmp(path->kind, "manifests") == 0)
		manifests(s, r, m, path->reference, a);
	else if (strcmp(path->kind, "blobs") == 0)
		blobs(s, r, m, path->reference, a);
	else if (strcmp(path->kind, "tags") == 0 && strcmp(path->reference, "list") == 0)
		tags(s, r, m, a);
	else if (strcmp(path->kind, "referrers") == 0 && m->has_raas)
		referrers(r, m, path->reference, a);
	else
		answer_error(a, 404, "UNSUPPORTED", "nothing is here", "path", path->reference);
}

/* Those that anyone may see, as a list for paging. */
struct catalog {
	const char	**names;
	size_t		  n;
};

static const char *
catalog_name(const void *list, size_t i)
{
	return ((const struct catalog *)list)->names[i];
}

static void
catalog(const struct service *s, const struct request *r, struct answer *a)
{
	const struct store *store = live_store(s->live);
	struct catalog all = { NULL, 0 };
	struct paging page;
	size_t i;

	if (!paging_read(r, &page)) {
		bad_paging(a);
		return;
	}
	all.names = xcalloc(store_n_v2(store), sizeof(*all.names));
	for (i = 0; i < store_n_v2(store); i++)
		if (!store_v2_at(store, i)->is_protected)
			all.names[all.n++] = store_v2_at(store, i)->registry_id;
	answer_json(a, json_pack("{s:o}", "repositories", paging_cut(&page, &all, all.n,
	    catalog_name, "/v2/_catalog", a)));
	free(all.names);
}

void
v2_answer(const struct service *s, const struct request *r, const char *path, struct answer *a)
{
	cleanup(free_p) char *text = xstrdup(path);
	struct path parts;

	if (path[0] == '\0' || strcmp(path, "/") == 0)
		answer_text(a, "application/json", "{}");
	else if (strcmp(path, "/_catalog") == 0)
		catalog(s, r, a);
	else if (path_split(text, &parts))
		repository(s, r, &parts, a);
	else
		answer_error(a, 404, "UNSUPPORTED", "nothing is here", "path", path);
	if (a->status == 200)
		answer_header(a, "Docker-Distribution-API-Version", "registry/2.0");
}
