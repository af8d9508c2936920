#include <string.h>

#include "daemon/image-walk.h"
#include "daemon/source-kind.h"

struct layout {
	const struct tree	*tree;
	const struct deadline	*deadline;
};

static bool
is_there(const struct tree *tree, const char *name)
{
	cleanup(extent_done) struct extent at = EXTENT_INIT;

	return tree_open(tree, name, &at, NULL) == 0;
}

bool
source_is_oci(const struct tree *tree)
{
	return is_there(tree, "oci-layout") && is_there(tree, "index.json");
}

void
source_oci_blob_path(const char *digest, char out[sizeof(OCI_BLOB_PATH) + DIGEST_SIZE])
{
	strcpy(out, OCI_BLOB_PATH);
	strcat(out, digest + strlen(DIGEST_PREFIX));
}

static int
fetch(void *arg, enum walk_kind kind, const struct descriptor *d, struct buf *out,
    struct error *err)
{
	const struct layout *layout = arg;
	char path[sizeof(OCI_BLOB_PATH) + DIGEST_SIZE];

	(void)kind;
	source_oci_blob_path(d->digest, path);
	if (deadline_check(layout->deadline, err) == -1)
		return -1;
	return tree_load(layout->tree, path, out->limit, out, err);
}

/* Each blob must be there with its size, so that a publish does not find out half-way. */
static int
blobs_place(const struct tree *tree, struct image *image, const struct deadline *d,
    struct error *err)
{
	char path[sizeof(OCI_BLOB_PATH) + DIGEST_SIZE];
	struct image_blob *b;
	struct extent at;
	size_t i;

	for (i = 0; i < image->n_blobs; i++) {
		struct error missing = ERROR_INIT;

		b = &image->blobs[i];
		source_oci_blob_path(b->digest, path);
		if (deadline_check(d, err) == -1)
			return -1;
		if (tree_open(tree, path, &at, &missing) == -1) {
			if (b->place == BLOB_FOREIGN && missing.kind == ERROR_MISSING)
				continue;
			return error_set(err, missing.kind, "%s", missing.text);
		}
		b->place = BLOB_HERE;
		if (at.size != b->size)
			error_set(err, ERROR_INPUT, "%s: %ju bytes, not the %ju that it is said "
			    "to have", b->digest, (uintmax_t)at.size, (uintmax_t)b->size);
		else if (!at.owned)
			b->at = at;
		if (at.size != b->size) {
			extent_done(&at);
			return -1;
		}
		extent_done(&at);
	}
	return 0;
}

/* The annotation is a tag, though some tools write the whole name there. */
static const char *
tag_of_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash != NULL ? slash : name, ':');

	return colon != NULL ? colon + 1 : name;
}

/* Without any name, several manifests for as many platforms are one image: then index.json is
 * its index. */
static bool
is_index_itself(const struct manifest *top)
{
	size_t i;

	for (i = 0; i < top->children.n; i++) {
		if (top->children.list[i].name != NULL || top->children.list[i].platform == NULL)
			return false;
	}
	return top->children.n > 1;
}

static int
children_read(const struct layout *layout, struct image *image, const struct manifest *top,
    bool roots, struct error *err)
{
	const struct descriptor *d;
	size_t i;

	for (i = 0; i < top->children.n; i++) {
		d = &top->children.list[i];
		if (image_walk(image, d, fetch, (void *)(uintptr_t)layout, err) == -1)
			return -1;
		if (roots && image_add_root(image, d->digest, err) == -1)
			return -1;
		if (d->name != NULL &&
		    image_add_tag(image, tag_of_name(d->name), d->digest, err) == -1)
			return -1;
	}
	return 0;
}

static int
top_read(const struct layout *layout, struct image *image, const struct buf *text,
    struct error *err)
{
	cleanup(manifest_done) struct manifest top = { 0 };
	char digest[DIGEST_SIZE];
	bool itself;

	if (manifest_parse(buf_str(text), text->len, NULL, &top, err) == -1)
		return error_prefix(err, "index.json");
	if (top.kind != MANIFEST_INDEX)
		return error_set(err, ERROR_INPUT, "index.json is not an index");
	itself = is_index_itself(&top);
	if (children_read(layout, image, &top, !itself, err) == -1)
		return error_prefix(err, "index.json");
	if (!itself)
		return 0;
	digest_of(buf_str(text), text->len, digest);
	if (image_add_manifest(image, digest, top.type, buf_str(text), text->len, err) == -1)
		return -1;
	return image_add_root(image, digest, err);
}

int
source_oci_read(const struct tree *tree, struct image *image, const struct deadline *d,
    struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_LIMIT(MANIFEST_MAX);
	struct layout layout = { tree, d };

	if (tree_load(tree, "index.json", MANIFEST_MAX, &text, err) == -1 ||
	    top_read(&layout, image, &text, err) == -1)
		return -1;
	if (image->n_manifests == 0)
		return error_set(err, ERROR_INPUT, "index.json names no manifest");
	return blobs_place(tree, image, d, err);
}

bool
source_oci_is_packed(const struct image *image)
{
	const char *type;
	size_t i, len;

	for (i = 0; i < image->n_blobs; i++) {
		type = image->blobs[i].type;
		len = type != NULL ? strlen(type) : 0;
		if (len > 4 && strcmp(type + len - 4, ".tar") == 0)
			return false;
	}
	return true;
}
