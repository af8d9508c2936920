#include "daemon/image-walk.h"

#include <string.h>

struct walk {
	struct image	*image;
	walk_fn		*fn;
	void		*arg;
};

/* What is no image (a chart, a signature) has a config of its own kind, which is not looked at. */
static bool
is_image_config(const char *type)
{
	return type != NULL && (strcmp(type, TYPE_OCI_CONFIG) == 0 ||
	    strcmp(type, TYPE_DOCKER_CONFIG) == 0);
}

/* The bytes of a descriptor, with the size and the digest that it says. */
static int
fetch(const struct walk *w, enum walk_kind kind, const struct descriptor *d, size_t limit,
    struct buf *out, struct error *err)
{
	char digest[DIGEST_SIZE];

	if (d->size > limit)
		return error_set(err, ERROR_INPUT, "%s: %ju bytes, and at most %zu are taken",
		    d->digest, (uintmax_t)d->size, limit);
	if (w->fn(w->arg, kind, d, out, err) == -1)
		return error_prefix(err, "%s", d->digest);
	if (out->len != d->size)
		return error_set(err, ERROR_INPUT, "%s: %zu bytes, not the %ju that it is said "
		    "to have", d->digest, out->len, (uintmax_t)d->size);
	if (kind == WALK_MANIFEST)
		return 0;	/* image_add_manifest() looks itself */
	digest_of(buf_str(out), out->len, digest);
	if (strcmp(digest, d->digest) != 0)
		return error_set(err, ERROR_INPUT, "%s: the bytes have another digest, %s",
		    d->digest, digest);
	return 0;
}

static int
config_read(const struct walk *w, const struct image_manifest *m, struct error *err)
{
	cleanup(buf_done) struct buf bytes = BUF_LIMIT(CONFIG_MAX);

	if (m->parsed.kind != MANIFEST_IMAGE || !is_image_config(m->parsed.config.type))
		return 0;
	if (fetch(w, WALK_CONFIG, &m->parsed.config, CONFIG_MAX, &bytes, err) == -1)
		return error_prefix(err, "config");
	return image_add_config(w->image, m->digest, buf_str(&bytes), bytes.len, err);
}

static int
descend(const struct walk *w, const struct descriptor *d, unsigned int depth, struct error *err)
{
	cleanup(buf_done) struct buf bytes = BUF_LIMIT(MANIFEST_MAX);
	const struct image_manifest *m;
	struct descriptors children;
	size_t i;

	if (image_manifest_find(w->image, d->digest) != NULL)
		return 0;
	if (depth > IMAGE_NESTING_MAX)
		return error_set(err, ERROR_INPUT, "index %s: nested deeper than %u", d->digest,
		    IMAGE_NESTING_MAX);
	if (fetch(w, WALK_MANIFEST, d, MANIFEST_MAX, &bytes, err) == -1)
		return error_prefix(err, "manifest");
	if (image_add_manifest(w->image, d->digest, d->type, buf_str(&bytes), bytes.len, err) == -1)
		return -1;
	m = image_manifest_find(w->image, d->digest);
	if (config_read(w, m, err) == -1)
		return -1;
	children = m->parsed.children;	/* stays, though m may move */
	for (i = 0; i < children.n; i++) {
		if (descend(w, &children.list[i], depth + 1, err) == -1)
			return -1;
	}
	return 0;
}

int
image_walk(struct image *image, const struct descriptor *d, walk_fn *fn, void *arg,
    struct error *err)
{
	struct walk w = { image, fn, arg };

	return descend(&w, d, 0, err);
}
