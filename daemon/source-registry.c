#include <string.h>

#include "common/alloc.h"
#include "daemon/image-walk.h"
#include "daemon/source-kind.h"

struct remote {
	struct repository		*repository;
	const struct deadline		*deadline;
	struct image			*image;
	const struct repository_manifest	*top;	/* is here already; NULL: none */
};

static int
manifest_fetch(const struct remote *r, const struct descriptor *d, struct buf *out,
    struct error *err)
{
	cleanup(repository_manifest_done) struct repository_manifest m = REPOSITORY_MANIFEST_INIT;
	const struct repository_manifest *from = r->top;

	if (from == NULL || strcmp(from->digest, d->digest) != 0) {
		if (repository_manifest(r->repository, d->digest, &m, r->deadline, err) == -1)
			return -1;
		from = &m;
	}
	if (!buf_add(out, buf_str(&from->body), from->body.len))
		return error_set(err, ERROR_REMOTE, "more than %u bytes", MANIFEST_MAX);
	return 0;
}

static int
fetch(void *arg, enum walk_kind kind, const struct descriptor *d, struct buf *out,
    struct error *err)
{
	const struct remote *r = arg;

	return kind == WALK_MANIFEST ? manifest_fetch(r, d, out, err) :
	    repository_config(r->repository, d->digest, out, r->deadline, err);
}

static int
walk_from(struct remote *r, struct repository_manifest *m, struct error *err)
{
	struct descriptor d = { .digest = m->digest, .size = m->body.len, .type = m->type };

	r->top = m;
	if (image_walk(r->image, &d, fetch, r, err) == -1)
		return -1;
	r->top = NULL;
	return image_add_root(r->image, m->digest, err);
}

/* *found is false when there is no such tag. */
static int
tag_read(struct remote *r, const char *tag, bool *found, struct error *err)
{
	cleanup(repository_manifest_done) struct repository_manifest m = REPOSITORY_MANIFEST_INIT;
	struct error missing = ERROR_INIT;

	*found = false;
	if (repository_manifest(r->repository, tag, &m, r->deadline, &missing) == -1) {
		if (missing.kind == ERROR_MISSING)
			return 0;
		return error_set(err, missing.kind, "%s", missing.text);
	}
	*found = true;
	if (walk_from(r, &m, err) == -1)
		return -1;
	return image_add_tag(r->image, tag, m.digest, err);
}

static int
referrers_walk(struct remote *r, const struct buf *index, struct error *err)
{
	cleanup(manifest_done) struct manifest m = { 0 };
	size_t i;

	if (manifest_parse(buf_str(index), index->len, NULL, &m, err) == -1)
		return error_prefix(err, "referrers");
	for (i = 0; i < m.children.n; i++) {
		if (image_walk(r->image, &m.children.list[i], fetch, r, err) == -1 ||
		    image_add_root(r->image, m.children.list[i].digest, err) == -1)
			return error_prefix(err, "referrers");
	}
	return 0;
}

/* What refers to a manifest: by the API or else the tag that the specification has for it, and
 * by the tags of cosign. */
static int
referrers_read(struct remote *r, const char *digest, struct error *err)
{
	static const char *const endings[] = { "", ".sig", ".att", ".sbom" };
	cleanup(buf_done) struct buf index = BUF_LIMIT(MANIFEST_MAX);
	struct error missing = ERROR_INIT;
	bool found;
	size_t i;

	if (repository_referrers(r->repository, digest, &index, r->deadline, &missing) == 0) {
		if (referrers_walk(r, &index, err) == -1)
			return -1;
	} else if (missing.kind != ERROR_MISSING) {
		return error_set(err, missing.kind, "%s", missing.text);
	}
	for (i = missing.kind == ERROR_MISSING ? 0 : 1;
	    i < sizeof(endings) / sizeof(endings[0]); i++) {
		cleanup(free_p) char *tag = xasprintf("sha256-%s%s",
		    digest + strlen(DIGEST_PREFIX), endings[i]);

		if (tag_read(r, tag, &found, err) == -1)
			return -1;
	}
	return 0;
}

/* Of what was asked for and its children; a signature's own signature is not looked for. */
static int
all_referrers_read(struct remote *r, struct error *err)
{
	size_t i, n = r->image->n_manifests;

	for (i = 0; i < n; i++) {
		cleanup(free_p) char *digest = xstrdup(r->image->manifests[i].digest);

		if (referrers_read(r, digest, err) == -1)
			return -1;
	}
	return 0;
}

int
source_registry_read(struct repository *repository, const struct repository_reference *at,
    struct image *image, const struct deadline *d, struct error *err)
{
	cleanup(repository_manifest_done) struct repository_manifest m = REPOSITORY_MANIFEST_INIT;
	struct remote r = { repository, d, image, NULL };

	image->name = xstrdup(at->name);
	if (repository_manifest(repository, at->digest != NULL ? at->digest : at->tag, &m, d,
	    err) == -1 || walk_from(&r, &m, err) == -1)
		return -1;
	if (at->tag != NULL && image_add_tag(image, at->tag, m.digest, err) == -1)
		return -1;
	return all_referrers_read(&r, err);
}
