#include "daemon/crane-write.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/unit/test.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define M "sha256:3f3cee9018645356c725b3f56ca93c960a325d7372f8f8ac95d09fe20a843e7f"	/* DOCKER(A, B) */
#define V1_ID "1111111111111111111111111111111111111111111111111111111111111111"
#define V1_BASE "2222222222222222222222222222222222222222222222222222222222222222"

static const struct crane_place place = { "isv1-acme-app", "acme/app",
	"https://s3.example.com/b/acme-app/" };

#define DOCKER(config, layer) "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_DOCKER_MANIFEST "\"," \
	"\"config\":{\"mediaType\":\"" TYPE_DOCKER_CONFIG "\",\"size\":3,\"digest\":\"" config "\"}," \
	"\"layers\":[{\"mediaType\":\"" TYPE_DOCKER_LAYER "\",\"size\":5,\"digest\":\"" layer "\"}]}"
#define OCI "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_OCI_MANIFEST "\"," \
	"\"config\":{\"mediaType\":\"" TYPE_OCI_CONFIG "\",\"size\":3,\"digest\":\"" C "\"},\"layers\":[]}"

/* Adds a manifest; its digest in out. */
static void
add(struct image *image, const char *type, const char *text, char out[DIGEST_SIZE])
{
	struct error err = ERROR_INIT;

	digest_of(text, strlen(text), out);
	if (image_add_manifest(image, out, type, text, strlen(text), &err) == -1) {
		printf("# %s\n", err.text);
		abort();
	}
}

static struct crane_metadata *
parsed(const char *text)
{
	struct error err = ERROR_INIT;
	struct crane_metadata *m = crane_metadata_parse(text, strlen(text), &err);

	if (m == NULL)
		printf("# %s\n%s\n", err.text, text);
	return m;
}

/* One Docker image with the tag, and what is published of it after `before`. */
static char *
publish(const char *tag, const char *config, const struct crane_metadata *before)
{
	cleanup(image_free_p) struct image *image = image_new();
	cleanup(free_p) char *text = xasprintf(DOCKER("%s", "%s"), config, B);
	char digest[DIGEST_SIZE];

	add(image, TYPE_DOCKER_MANIFEST, text, digest);
	image_add_tag(image, tag, digest, NULL);
	return crane_write(&place, image, before, NULL);
}

TEST(golden)
{
	cleanup(free_p) char *text = publish("1.0", A, NULL);

	CHECK_STR(text,
	    "{\n \"manifest_list_amd64_tags\": {},\n \"manifest_list_data\": [],\n"
	    " \"protected\": false,\n \"raas\": {\n  \"blobs\": {\n"
	    "   \"" A "\": {\n    \"size\": 3\n   },\n"
	    "   \"" B "\": {\n    \"size\": 5\n   }\n  },\n  \"manifests\": {\n"
	    "   \"" M "\": {\n    \"size\": 419,\n"
	    "    \"type\": \"application/vnd.docker.distribution.manifest.v2+json\"\n   }\n  },\n"
	    "  \"origins\": [],\n  \"referrers\": {},\n  \"schema\": 1,\n"
	    "  \"tags\": {\n   \"1.0\": \"" M "\"\n  }\n },\n"
	    " \"repo-registry-id\": \"acme/app\",\n \"repository\": \"isv1-acme-app\",\n"
	    " \"schema2_data\": [\n  \"1.0\",\n  \"" M "\"\n ],\n"
	    " \"url\": \"https://s3.example.com/b/acme-app/\",\n \"version\": 4\n}\n");
}

TEST(tags_are_merged_and_one_that_moves_moves)
{
	cleanup(free_p) char *first = publish("1.0", A, NULL), *second = NULL, *third = NULL;
	cleanup(crane_metadata_free_p) struct crane_metadata *one = parsed(first), *two = NULL,
	    *three = NULL;

	CHECK(one != NULL);
	second = publish("2.0", C, one);
	CHECK((two = parsed(second)) != NULL);
	CHECK_INT(two->raas_tags.n, 2);
	CHECK_STR(crane_tags_find(&two->raas_tags, "1.0")->target,
	    crane_tags_find(&one->raas_tags, "1.0")->target);
	CHECK_INT(two->n_manifests, 2);
	CHECK_INT(two->n_blobs, 3);
	third = publish("1.0", C, two);
	CHECK((three = parsed(third)) != NULL);
	CHECK_STR(crane_tags_find(&three->raas_tags, "1.0")->target,
	    crane_tags_find(&two->raas_tags, "2.0")->target);
	CHECK_INT(three->n_manifests, 2);	/* what 1.0 was can still be pulled by digest */
	CHECK_INT(three->schema2.n, 4);
}

TEST(the_same_again_is_the_same_bytes)
{
	cleanup(free_p) char *first = publish("1.0", A, NULL), *again = NULL;
	cleanup(crane_metadata_free_p) struct crane_metadata *m = parsed(first);

	CHECK(m != NULL);
	again = publish("1.0", A, m);
	CHECK_STR(again, first);
}

/* The original Crane would send a Docker client to manifests/2/TAG for ever. */
TEST(a_tag_that_becomes_an_oci_image_leaves_the_arrays)
{
	cleanup(free_p) char *first = publish("1.0", A, NULL), *second = NULL;
	cleanup(crane_metadata_free_p) struct crane_metadata *one = parsed(first), *two = NULL;
	cleanup(image_free_p) struct image *image = image_new();
	char digest[DIGEST_SIZE];

	CHECK(one != NULL && crane_ids_have(&one->schema2, "1.0"));
	add(image, TYPE_OCI_MANIFEST, OCI, digest);
	image_add_tag(image, "1.0", digest, NULL);
	second = crane_write(&place, image, one, NULL);
	CHECK((two = parsed(second)) != NULL);
	CHECK(!crane_ids_have(&two->schema2, "1.0"));
	CHECK(!crane_ids_have(&two->schema2, digest));
	CHECK_INT(two->schema2.n, 1);
	CHECK_STR(crane_tags_find(&two->raas_tags, "1.0")->target, digest);
}

TEST(lists_and_their_image_for_amd64)
{
	cleanup(image_free_p) struct image *image = image_new();
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(free_p) char *list = NULL, *text = NULL;
	char amd64[DIGEST_SIZE], arm64[DIGEST_SIZE], digest[DIGEST_SIZE];
	const struct crane_tag *tag;

	add(image, TYPE_DOCKER_MANIFEST, DOCKER(A, B), amd64);
	add(image, TYPE_DOCKER_MANIFEST, DOCKER(C, B), arm64);
	list = xasprintf("{\"schemaVersion\":2,\"mediaType\":\"" TYPE_DOCKER_LIST "\",\"manifests\":["
	    "{\"mediaType\":\"" TYPE_DOCKER_MANIFEST "\",\"size\":1,\"digest\":\"%s\",\"platform\":"
	    "{\"os\":\"linux\",\"architecture\":\"arm64\"}},"
	    "{\"mediaType\":\"" TYPE_DOCKER_MANIFEST "\",\"size\":1,\"digest\":\"%s\",\"platform\":"
	    "{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}", arm64, amd64);
	add(image, TYPE_DOCKER_LIST, list, digest);
	image_add_tag(image, "multi", digest, NULL);
	text = crane_write(&place, image, NULL, NULL);
	CHECK((m = parsed(text)) != NULL);
	CHECK(crane_ids_have(&m->lists, "multi") && crane_ids_have(&m->lists, digest));
	CHECK(!crane_ids_have(&m->schema2, "multi"));
	CHECK(crane_ids_have(&m->schema2, amd64) && crane_ids_have(&m->schema2, arm64));
	CHECK((tag = crane_tags_find(&m->amd64_tags, "multi")) != NULL);
	CHECK_STR(tag->target, amd64);
	CHECK_INT(tag->schema, 2);
}

TEST(masked_blobs_keep_their_origin)
{
	cleanup(image_free_p) struct image *image = image_new();
	cleanup(crane_metadata_free_p) struct crane_metadata *one = NULL, *two = NULL;
	struct layer_origin origin = { .digest = (char *)B, .size = 5,
	    .url = (char *)"https://registry.example.com", .repository = (char *)"rhel7" };
	cleanup(free_p) char *first = NULL, *second = NULL;
	const struct crane_blob *blob;
	char digest[DIGEST_SIZE];
	struct image_blob *b;

	add(image, TYPE_DOCKER_MANIFEST, DOCKER(A, B), digest);
	image_add_tag(image, "1.0", digest, NULL);
	b = image_blob_find(image, B);
	b->place = BLOB_MASKED;
	b->origin = layer_origin_copy(&origin);
	first = crane_write(&place, image, NULL, NULL);
	CHECK((one = parsed(first)) != NULL);
	blob = crane_metadata_blob(one, B);
	CHECK(blob->has_origin);
	CHECK_STR(one->origins[blob->origin].repository, "rhel7");
	CHECK(!crane_metadata_blob(one, A)->has_origin);
	second = publish("2.0", C, one);	/* whose layer B is in the bucket now */
	CHECK((two = parsed(second)) != NULL);
	CHECK(!crane_metadata_blob(two, B)->has_origin);
}

TEST(signatures_are_listed_at_what_they_sign)
{
	cleanup(image_free_p) struct image *image = image_new();
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL, *again = NULL;
	cleanup(free_p) char *text = NULL, *second = NULL;
	char digest[DIGEST_SIZE];

	add(image, TYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_OCI_MANIFEST "\","
	    "\"config\":{\"mediaType\":\"x/sig\",\"size\":3,\"digest\":\"" C "\"},\"layers\":[],"
	    "\"subject\":{\"mediaType\":\"" TYPE_OCI_MANIFEST "\",\"size\":1,\"digest\":\"" A "\"}}",
	    digest);
	text = crane_write(&place, image, NULL, NULL);
	CHECK((m = parsed(text)) != NULL);
	CHECK_INT(m->n_referrers, 1);
	CHECK_STR(m->referrers[0].subject, A);
	CHECK_STR(m->referrers[0].artifact_type, "x/sig");
	second = crane_write(&place, image, m, NULL);
	CHECK((again = parsed(second)) != NULL);
	CHECK_INT(again->n_referrers, 1);
}

TEST(another_ones_file_is_not_added_to)
{
	static const char other[] = "{\"version\":4,\"repository\":\"x\",\"repo-registry-id\":"
	    "\"acme/app\",\"url\":\"https://s3.example.com/b/acme-app/\",\"schema2_data\":[\"1.0\"],"
	    "\"manifest_list_data\":[],\"manifest_list_amd64_tags\":{}}";
	cleanup(crane_metadata_free_p) struct crane_metadata *m = parsed(other);
	cleanup(image_free_p) struct image *image = image_new();
	struct error err = ERROR_INIT;

	CHECK(m != NULL);
	CHECK(crane_write(&place, image, m, &err) == NULL);
	CHECK_INT(err.kind, ERROR_CONFLICT);
}

TEST(version_1)
{
	cleanup(image_free_p) struct image *image = image_new();
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	struct image_v1 own = { .id = xstrdup(V1_ID), .json = EXTENT_INIT, .ancestry = EXTENT_INIT,
	    .layer = EXTENT_INIT };
	struct image_v1 base = { .id = xstrdup(V1_BASE), .json = EXTENT_INIT,
	    .ancestry = EXTENT_INIT, .layer = EXTENT_INIT, .masked = true };
	cleanup(free_p) char *text = NULL, *second = NULL;

	CHECK_INT(image_add_v1(image, &own, NULL), 0);
	CHECK_INT(image_add_v1(image, &base, NULL), 0);
	CHECK_INT(image_add_v1_tag(image, "latest", V1_ID, NULL), 0);
	text = crane_write_v1(&place, image, NULL);
	CHECK((m = parsed(text)) != NULL);
	CHECK_INT(m->version, 1);
	CHECK_INT(m->images.n, 1);
	CHECK_STR(m->images.ids[0], V1_ID);
	CHECK_STR(crane_tags_find(&m->tags, "latest")->target, V1_ID);
	second = crane_write_v1(&place, image, m);
	CHECK_STR(second, text);
}

TEST(list_of_tags)
{
	cleanup(free_p) char *text = publish("1.0", A, NULL), *list = NULL;
	cleanup(crane_metadata_free_p) struct crane_metadata *m = parsed(text);

	CHECK(m != NULL);
	list = crane_write_tags_list(m);
	CHECK_STR(list, "{\n \"name\": \"acme/app\",\n \"tags\": [\n  \"1.0\"\n ]\n}\n");
}

int
main(void)
{
	return RUN(CASE(golden), CASE(tags_are_merged_and_one_that_moves_moves),
	    CASE(the_same_again_is_the_same_bytes),
	    CASE(a_tag_that_becomes_an_oci_image_leaves_the_arrays),
	    CASE(lists_and_their_image_for_amd64), CASE(masked_blobs_keep_their_origin),
	    CASE(signatures_are_listed_at_what_they_sign), CASE(another_ones_file_is_not_added_to),
	    CASE(version_1), CASE(list_of_tags));
}
