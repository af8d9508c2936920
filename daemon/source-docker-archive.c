#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/source-kind.h"

#define DEPTH_MAX 8
#define TAGS_MAX 1000u		/* of one image */

bool
source_is_docker_archive(const struct tree *tree)
{
	struct extent at;

	return tarball_find(tree->tarball, "manifest.json", &at);
}

/* The config's name is its digest: "HEX.json", or "blobs/sha256/HEX". */
static int
config_name_check(const char *path, const char *digest, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t hex = strspn(name, "0123456789abcdef");

	if (hex != SHA256_HEX_SIZE - 1 || (name[hex] != '\0' && strcmp(name + hex, ".json") != 0))
		return 0;
	if (strncmp(name, digest + strlen(DIGEST_PREFIX), hex) == 0)
		return 0;
	return error_set(err, ERROR_INPUT, "member '%s': the bytes have another digest, %s", path,
	    digest);
}

static int
config_read(const struct tree *tree, struct image *image, const char *path, struct buf *text,
    size_t *blob, struct error *err)
{
	char digest[DIGEST_SIZE], type[] = TYPE_DOCKER_CONFIG;
	struct descriptor d = { .digest = digest, .type = type };

	if (tree_load(tree, path, CONFIG_MAX, text, err) == -1)
		return -1;
	digest_of(buf_str(text), text->len, digest);
	d.size = text->len;
	if (config_name_check(path, digest, err) == -1 ||
	    image_add_blob(image, &d, blob, err) == -1)
		return -1;
	image->blobs[*blob].is_config = true;
	image->blobs[*blob].checked = true;
	return tree_open(tree, path, &image->blobs[*blob].at, err);
}

static int
layers_read(const struct tree *tree, struct image *image, const json_t *paths, char **diff_ids,
    size_t n, struct image_draft *draft, struct error *err)
{
	const char *path;
	struct extent at;
	size_t i;

	if (json_array_size(paths) != n)
		return error_set(err, ERROR_INPUT, "the config has %zu diff_ids for %zu layers", n,
		    json_array_size(paths));
	draft->layers = xcalloc(n + 1, sizeof(*draft->layers));
	draft->n_layers = n;
	for (i = 0; i < n; i++) {
		path = json_string_value(json_array_get(paths, i));
		if (path == NULL)
			return error_set(err, ERROR_INPUT, "a name in 'Layers' is not a string");
		if (tree_open(tree, path, &at, err) == -1 ||
		    image_add_raw(image, diff_ids[i], &at, &draft->layers[i], err) == -1)
			return -1;
	}
	return 0;
}

/* "docker.io/acme/app:1.0": the tag, and where the name ends. */
static const char *
tag_start(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strrchr(slash != NULL ? slash : name, ':');
}

static void
name_keep(struct image *image, const char *name, const char *colon)
{
	static const char *const usual[] = { "docker.io/", "library/" };
	size_t i;

	if (image->name != NULL)
		return;
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (strncmp(name, usual[i], strlen(usual[i])) == 0)
			name += strlen(usual[i]);
	}
	image->name = xstrndup(name, (size_t)(colon - name));
}

static int
tags_read(struct image *image, const json_t *names, struct image_draft *draft, struct error *err)
{
	size_t i, n = json_array_size(names);
	const char *name, *colon;

	if (n > TAGS_MAX)
		return error_set(err, ERROR_INPUT, "more than %u names in 'RepoTags'", TAGS_MAX);
	draft->tags = xcalloc(n + 1, sizeof(*draft->tags));
	for (i = 0; i < n; i++) {
		name = json_string_value(json_array_get(names, i));
		colon = name != NULL ? tag_start(name) : NULL;
		if (colon == NULL || !image_tag_valid(colon + 1))
			return error_set(err, ERROR_INPUT, "'%.200s' in 'RepoTags' is no name with "
			    "a tag", name != NULL ? name : "");
		name_keep(image, name, colon);
		draft->tags[draft->n_tags++] = xstrdup(colon + 1);
	}
	return 0;
}

static void
draft_done(struct image_draft *draft)
{
	strings_free(draft->tags, draft->n_tags);
	free(draft->layers);
}

static int
draft_read(const struct tree *tree, struct image *image, const json_t *entry, struct error *err)
{
	cleanup(draft_done) struct image_draft draft = { 0 };
	cleanup(buf_done) struct buf config = BUF_LIMIT(CONFIG_MAX);
	const char *path = json_get_string(entry, "Config", err);
	const json_t *layers = json_get_array(entry, "Layers", err);
	char **diff_ids;
	size_t n;
	int result;

	if (path == NULL || layers == NULL)
		return error_prefix(err, "manifest.json");
	if (config_read(tree, image, path, &config, &draft.config, err) == -1)
		return -1;
	if (config_diff_ids(buf_str(&config), config.len, &diff_ids, &n, err) == -1)
		return error_prefix(err, "'%s'", path);
	result = layers_read(tree, image, layers, diff_ids, n, &draft, err);
	strings_free(diff_ids, n);
	if (result == -1 || tags_read(image, json_object_get(entry, "RepoTags"), &draft, err) == -1)
		return error_prefix(err, "'%s'", path);
	if (image_add_draft(image, &draft, err) == -1)
		return -1;
	draft = (struct image_draft){ 0 };
	return 0;
}

int
source_docker_archive_read(const struct tree *tree, struct image *image,
    const struct deadline *d, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_LIMIT(MANIFEST_MAX);
	cleanup(json_unref) json_t *list = NULL;
	size_t i;

	if (tree_load(tree, "manifest.json", MANIFEST_MAX, &text, err) == -1)
		return -1;
	if ((list = json_read(buf_str(&text), text.len, DEPTH_MAX, err)) == NULL)
		return error_prefix(err, "manifest.json");
	if (json_array_size(list) == 0)
		return error_set(err, ERROR_INPUT, "manifest.json names no image");
	for (i = 0; i < json_array_size(list); i++) {
		if (deadline_check(d, err) == -1 ||
		    draft_read(tree, image, json_array_get(list, i), err) == -1)
			return -1;
	}
	return 0;
}
