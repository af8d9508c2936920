#include "daemon/image.h"

#include "common/alloc.h"
#include "daemon/image-mask.h"
#include "tests/unit/test.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static int
manifest_add(struct image *image, const char *config, const char *layer, int size,
    struct error *err)
{
	cleanup(free_p) char *text = xasprintf("{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\","
	    "\"size\":2},\"layers\":[{\"digest\":\"%s\",\"size\":%d}]}", config, layer, size);

	return image_add_manifest(image, NULL, NULL, text, strlen(text), err);
}

TEST(blobs_are_kept_once)
{
	cleanup(image_free_p) struct image *image = image_new();
	struct error err = ERROR_INIT;

	CHECK_INT(manifest_add(image, A, C, 7, &err), 0);
	CHECK_INT(manifest_add(image, B, C, 7, &err), 0);
	CHECK_INT(manifest_add(image, B, C, 7, &err), 0);
	CHECK_INT(image->n_manifests, 2);
	CHECK_INT(image->n_blobs, 3);
	CHECK(image_blob_find(image, A)->is_config);
	CHECK_INT(image_blob_find(image, C)->size, 7);
	CHECK_INT(manifest_add(image, A, C, 8, &err), -1);
	CHECK(strstr(err.text, C ": said to have 7 bytes, and 8") != NULL);
}

TEST(a_manifest_of_another_digest)
{
	cleanup(image_free_p) struct image *image = image_new();
	struct error err = ERROR_INIT;
	static const char text[] = "{\"schemaVersion\":2,\"manifests\":[]}";

	CHECK_INT(image_add_manifest(image, A, NULL, text, strlen(text), &err), -1);
	CHECK(strncmp(err.text, "manifest " A ": the bytes have another digest", 20) == 0);
	CHECK_INT(image->n_manifests, 0);
}

TEST(one_tag_one_manifest)
{
	cleanup(image_free_p) struct image *image = image_new();
	struct error err = ERROR_INIT;

	CHECK_INT(image_add_tag(image, "1.0", A, &err), 0);
	CHECK_INT(image_add_tag(image, "1.0", A, &err), 0);
	CHECK_INT(image->n_tags, 1);
	CHECK_INT(image_add_tag(image, "1.0", B, &err), -1);
	CHECK_STR(err.text, "tag '1.0' stands for two manifests");
	CHECK_INT(image_add_tag(image, "a/b", B, &err), -1);
	CHECK_INT(image_add_tag(image, "", B, &err), -1);
}

TEST(many_blobs_are_found)
{
	cleanup(image_free_p) struct image *image = image_new();
	struct error err = ERROR_INIT;
	char digest[DIGEST_SIZE];
	struct descriptor d = { .digest = digest };
	size_t at;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		snprintf(digest, sizeof(digest), DIGEST_PREFIX "%064x", i * 7919 % 1000);
		CHECK_INT(image_add_blob(image, &d, &at, &err), 0);
		CHECK_INT(at, i);
	}
	snprintf(digest, sizeof(digest), DIGEST_PREFIX "%064x", 500);
	CHECK_STR(image_blob_find(image, digest)->digest, digest);
	CHECK(image_blob_find(image, A) == NULL);
}

TEST(raw_layers_are_masked_by_diff_id)
{
	cleanup(image_free_p) struct image *image = image_new();
	struct layer_origin origins[] = {
		{ .digest = (char[]){ C }, .size = 9, .diff_id = (char[]){ A } },
		{ .digest = (char[]){ B }, .size = 8, .diff_id = (char[]){ A } },
	};
	struct layer_table table = { origins, 2, NULL };
	struct extent at = { -1, false, 0, 100 };
	struct error err = ERROR_INIT;
	size_t masked, other;

	CHECK_INT(image_add_raw(image, A, &at, &masked, &err), 0);
	CHECK_INT(image_add_raw(image, C, &at, &other, &err), 0);
	CHECK_INT(image_mask(image, &table), 1);
	CHECK_STR(image->blobs[masked].digest, B);
	CHECK_INT(image->blobs[masked].size, 8);
	CHECK_INT(image->blobs[masked].place, BLOB_MASKED);
	CHECK(image_is_raw(&image->blobs[other]));
	CHECK_INT(image_mask(image, &table), 0);
}

TEST(a_config_is_never_masked)
{
	cleanup(image_free_p) struct image *image = image_new();
	struct layer_origin origins[] = {
		{ .digest = (char[]){ A }, .size = 2 }, { .digest = (char[]){ C }, .size = 7 },
	};
	struct layer_table table = { origins, 2, NULL };
	struct error err = ERROR_INIT;

	CHECK_INT(manifest_add(image, A, C, 7, &err), 0);
	CHECK_INT(image_mask(image, &table), 1);
	CHECK_INT(image_blob_find(image, A)->place, BLOB_HERE);
	CHECK_STR(image_blob_find(image, C)->origin->digest, C);
}

int
main(void)
{
	return RUN(CASE(blobs_are_kept_once), CASE(a_manifest_of_another_digest),
	    CASE(one_tag_one_manifest), CASE(many_blobs_are_found),
	    CASE(raw_layers_are_masked_by_diff_id), CASE(a_config_is_never_masked));
}
