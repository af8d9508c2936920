/* The second half of image.h: images of `docker save`, which have layers but no manifest. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/image.h"
#include "daemon/layer.h"

bool
image_is_raw(const struct image_blob *b)
{
	return b->digest == NULL;
}

int
image_compress(struct image *image, size_t i, int spool_dir_fd, const struct deadline *d,
    struct error *err)
{
	struct image_blob *b = &image->blobs[i];
	struct packed_layer packed;

	if (layer_pack(&b->at, spool_dir_fd, &packed, d, err) == -1)
		return error_prefix(err, "layer with diff_id %s", b->diff_id);
	if (strcmp(packed.diff_id, b->diff_id) != 0) {
		extent_done(&packed.at);
		return error_set(err, ERROR_INPUT, "layer with diff_id %s: the bytes have "
		    "another, %s", b->diff_id, packed.diff_id);
	}
	extent_done(&b->at);
	b->digest = xstrdup(packed.digest);
	b->type = xstrdup(TYPE_DOCKER_LAYER);
	b->size = packed.at.size;
	b->at = packed.at;
	b->checked = true;
	return 0;
}

static json_t *
descriptor_json(const struct image_blob *b)
{
	return json_pack("{s:s, s:I, s:s}", "mediaType", b->type, "size", (json_int_t)b->size,
	    "digest", b->digest);
}

/* The members stand in the order in which Docker writes them; jansson keeps it. */
static char *
draft_text(const struct image *image, const struct image_draft *draft)
{
	json_t *layers = json_array();
	cleanup(json_unref) json_t *root = NULL;
	char *text;
	size_t i;

	for (i = 0; i < draft->n_layers; i++)
		json_array_append_new(layers, descriptor_json(&image->blobs[draft->layers[i]]));
	root = json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2,
	    "mediaType", TYPE_DOCKER_MANIFEST,
	    "config", descriptor_json(&image->blobs[draft->config]), "layers", layers);
	text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (text == NULL)
		abort();
	return text;
}

static int
draft_ready(const struct image *image, const struct image_draft *draft, struct error *err)
{
	size_t i;

	for (i = 0; i < draft->n_layers; i++) {
		if (image_is_raw(&image->blobs[draft->layers[i]]))
			return error_set(err, ERROR_INTERNAL, "layer with diff_id %s is not "
			    "compressed yet", image->blobs[draft->layers[i]].diff_id);
	}
	return 0;
}

static int
draft_finish(struct image *image, const struct image_draft *draft, struct error *err)
{
	cleanup(free_p) char *text = NULL;
	char digest[DIGEST_SIZE];
	size_t i;

	if (draft_ready(image, draft, err) == -1)
		return -1;
	text = draft_text(image, draft);
	digest_of(text, strlen(text), digest);
	if (image_add_manifest(image, digest, TYPE_DOCKER_MANIFEST, text, strlen(text), err) == -1 ||
	    image_add_root(image, digest, err) == -1)
		return -1;
	for (i = 0; i < draft->n_tags; i++) {
		if (image_add_tag(image, draft->tags[i], digest, err) == -1)
			return -1;
	}
	return 0;
}

int
image_finish(struct image *image, struct error *err)
{
	size_t i;

	image_index(image);
	for (i = 0; i < image->n_drafts; i++) {
		if (draft_finish(image, &image->drafts[i], err) == -1)
			return -1;
	}
	return 0;
}
