#include "daemon/crane-metadata.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "tests/unit/test.h"

#define HEAD(version) "{\"version\":" version ",\"repository\":\"isv1-some-app\"," \
	"\"repo-registry-id\":\"some/app\"," \
	"\"url\":\"https://s3.amazonaws.com/isv1.bucket/some-app/\""
#define V1 HEAD("1") ",\"images\":[{\"id\":\"bb\"},{\"id\":\"aa\"},{\"id\":\"bb\"}]," \
	"\"tags\":{\"latest\":\"bb\",\"1\":\"aa\"},\"protected\":true}"
#define V4 HEAD("4") ",\"type\":\"x\",\"schema2_data\":[\"latest\",\"sha256:m\"]," \
	"\"manifest_list_data\":[\"multi\",\"sha256:l\"]," \
	"\"manifest_list_amd64_tags\":{\"multi\":[\"sha256:m\",2],\"old\":[\"sha256:o\",1]}"
#define RAAS ",\"raas\":{\"schema\":1,\"tags\":{\"latest\":\"sha256:m\",\"oci\":\"sha256:i\"}," \
	"\"manifests\":{\"sha256:m\":{\"type\":" \
	"\"application/vnd.docker.distribution.manifest.v2+json\",\"size\":500}," \
	"\"sha256:i\":{\"type\":\"application/vnd.oci.image.manifest.v1+json\",\"size\":400}}," \
	"\"blobs\":{\"sha256:b1\":{\"size\":10,\"origin\":null},\"sha256:b2\":{\"size\":20," \
	"\"origin\":1},\"sha256:b3\":{\"size\":30}}," \
	"\"origins\":[{\"url\":\"https://a.example.com\",\"repository\":\"ubi8\"}," \
	"{\"url\":\"https://b.example.com\",\"repository\":\"rhel/7\"}]," \
	"\"referrers\":{\"sha256:m\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:s\"," \
	"\"size\":7,\"artifactType\":\"x/sig\"}]}}"

static struct crane_metadata *
parse(const char *text, struct error *err)
{
	return crane_metadata_parse(text, strlen(text), err);
}

/* "KEY SIZE\n" for each object that is needed; unknown sizes are '-'. */
static char *
objects_of(const char *text, const char *masked_id)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = parse(text, NULL);
	struct crane_objects objects = CRANE_OBJECTS_INIT;
	struct crane_ids masked = CRANE_IDS_INIT;
	struct buf out = BUF_INIT;
	size_t i;

	if (masked_id != NULL)
		crane_ids_add(&masked, masked_id);
	if (m != NULL)
		crane_metadata_objects(m, "p/", masked_id != NULL ? &masked : NULL, &objects);
	for (i = 0; i < objects.n; i++) {
		if (objects.objects[i].size == CRANE_SIZE_UNKNOWN)
			buf_printf(&out, "%s -\n", objects.objects[i].key);
		else
			buf_printf(&out, "%s %" PRIu64 "\n", objects.objects[i].key,
			    objects.objects[i].size);
	}
	crane_objects_done(&objects);
	crane_ids_done(&masked);
	return buf_take(&out);
}

TEST(version_1)
{
	struct error err = ERROR_INIT;
	cleanup(crane_metadata_free_p) struct crane_metadata *m = parse(V1, &err);

	CHECK_STR(err.text, "");
	CHECK_INT(m->version, 1);
	CHECK_STR(m->repository, "isv1-some-app");
	CHECK_STR(m->registry_id, "some/app");
	CHECK_STR(m->url, "https://s3.amazonaws.com/isv1.bucket/some-app/");
	CHECK(m->is_protected);
	CHECK_INT(m->images.n, 2);
	CHECK(crane_ids_have(&m->images, "aa") && !crane_ids_have(&m->images, "cc"));
	CHECK_INT(m->tags.n, 2);
	CHECK_STR(m->tags.tags[1].name, "latest");
	CHECK_STR(m->tags.tags[1].target, "bb");
}

TEST(objects_of_version_1)
{
	cleanup(free_p) char *all = objects_of(V1, NULL);
	cleanup(free_p) char *rest = objects_of(V1, "aa");

	CHECK_STR(all, "p/aa/ancestry -\np/aa/json -\np/aa/layer -\n"
	    "p/bb/ancestry -\np/bb/json -\np/bb/layer -\n");
	CHECK_STR(rest, "p/bb/ancestry -\np/bb/json -\np/bb/layer -\n");
}

TEST(objects_of_versions_2_to_4)
{
	cleanup(free_p) char *v2 = objects_of(HEAD("2") "}", NULL);
	cleanup(free_p) char *v3 = objects_of(HEAD("3") ",\"schema2_data\":[\"t\"]}", NULL);
	cleanup(free_p) char *v4 = objects_of(V4 "}", NULL);

	CHECK_STR(v2, "p/tags/list -\n");
	CHECK_STR(v3, "p/manifests/2/t -\np/tags/list -\n");
	CHECK_STR(v4, "p/manifests/1/sha256:o -\np/manifests/2/latest -\np/manifests/2/sha256:m -\n"
	    "p/manifests/list/multi -\np/manifests/list/sha256:l -\np/tags/list -\n");
}

TEST(objects_that_raas_knows)
{
	cleanup(free_p) char *all = objects_of(V4 RAAS "}", "sha256:b3");

	CHECK_STR(all, "p/blobs/sha256:b1 10\n"
	    "p/manifests/1/oci 400\np/manifests/1/sha256:i 400\np/manifests/1/sha256:o -\n"
	    "p/manifests/2/latest 500\np/manifests/2/sha256:m 500\n"
	    "p/manifests/list/multi -\np/manifests/list/sha256:l -\np/tags/list -\n");
}

TEST(what_raas_tells_who_serves)
{
	struct error err = ERROR_INIT;
	cleanup(crane_metadata_free_p) struct crane_metadata *m = parse(V4 RAAS "}", &err);
	const struct crane_blob *masked;

	CHECK_STR(err.text, "");
	CHECK_STR(crane_tags_find(&m->raas_tags, "oci")->target, "sha256:i");
	CHECK(crane_tags_find(&m->raas_tags, "ocj") == NULL);
	CHECK_INT(crane_metadata_manifest(m, "sha256:i")->size, 400);
	CHECK(crane_metadata_manifest(m, "sha256:j") == NULL);
	CHECK(!crane_metadata_blob(m, "sha256:b1")->has_origin);
	masked = crane_metadata_blob(m, "sha256:b2");
	CHECK(masked->has_origin);
	CHECK_STR(m->origins[masked->origin].repository, "rhel/7");
	CHECK_INT(m->n_referrers, 1);
	CHECK_STR(m->referrers[0].subject, "sha256:m");
	CHECK_STR(m->referrers[0].artifact_type, "x/sig");
	CHECK(strstr(m->referrers[0].descriptor, "\"digest\":\"sha256:s\"") != NULL);
}

TEST(what_is_wrong_is_named)
{
	static const struct {
		const char	*text;
		const char	*why;
	} rows[] = {
		{ "[]", "not an object" },
		{ "{}", "key 'version' is missing" },
		{ HEAD("5") "}", "key 'version' is 5, Crane knows 1 to 4" },
		{ HEAD("\"1\"") "}", "key 'version' is not a whole number" },
		{ "{\"version\":2,\"repo-registry-id\":\"a\",\"url\":\"u\"}",
		    "key 'repository' is missing" },
		{ "{\"version\":2,\"repository\":\"a\",\"repo-registry-id\":\"\",\"url\":\"u\"}",
		    "key 'repo-registry-id' is not of 1 to 512 bytes" },
		{ "{\"version\":2,\"repository\":\"a\",\"repo-registry-id\":\"b\",\"url\":\"u\\n\"}",
		    "key 'url' holds a blank or a control character" },
		{ HEAD("2") ",\"protected\":\"no\"}", "key 'protected' is not true or false" },
		{ HEAD("1") ",\"images\":[]}", "key 'tags' is missing" },
		{ HEAD("1") ",\"images\":[{\"id\":\"a/b\"}],\"tags\":{}}", "key 'images', element 1: "
		    "not a name of 1 to 512 bytes without blanks and slashes" },
		{ HEAD("1") ",\"images\":[{\"id\":\"a\"},\"b\"],\"tags\":{}}", "key 'images', "
		    "element 2: not a name of 1 to 512 bytes without blanks and slashes" },
		{ HEAD("1") ",\"images\":[],\"tags\":{\"..\":\"x\"}}", "key 'tags', element 1: "
		    "not a name of 1 to 512 bytes without blanks and slashes" },
		{ HEAD("3") "}", "key 'schema2_data' is missing" },
		{ HEAD("4") ",\"schema2_data\":[]}", "key 'manifest_list_data' is missing" },
		{ HEAD("4") ",\"schema2_data\":[],\"manifest_list_data\":[]}",
		    "key 'manifest_list_amd64_tags' is missing" },
		{ HEAD("4") ",\"schema2_data\":[],\"manifest_list_data\":[],"
		    "\"manifest_list_amd64_tags\":{\"a\":[\"b\",3]}}",
		    "key 'manifest_list_amd64_tags.a' is not a digest and 1 or 2" },
		{ HEAD("2") ",\"raas\":7}", "key 'raas' is not an object" },
		{ HEAD("2") ",\"raas\":{}}", "in 'raas': key 'schema' is missing" },
		{ HEAD("2") ",\"raas\":{\"schema\":2}}", "key 'raas.schema' is 2, only 1 is known" },
		{ HEAD("2") ",\"raas\":{\"schema\":1,\"tags\":{},\"manifests\":{},\"blobs\":"
		    "{\"d\":{\"size\":-1}}}}", "key 'raas.blobs.d.size' is not a size in bytes" },
		{ HEAD("2") ",\"raas\":{\"schema\":1,\"tags\":{},\"manifests\":{\"d\":{}},"
		    "\"blobs\":{}}}", "key 'raas.manifests.d.type' is not a media type" },
		{ HEAD("2") ",\"raas\":{\"schema\":1,\"tags\":{},\"manifests\":"
		    "{\"d\":{\"type\":\"a/b\\r\\nX: y\",\"size\":1}},\"blobs\":{}}}",
		    "key 'raas.manifests.d.type' is not a media type" },
		{ HEAD("2") ",\"raas\":{\"schema\":1,\"tags\":{},\"manifests\":{},\"blobs\":"
		    "{\"d\":{\"size\":1,\"origin\":0}}}}",
		    "key 'raas.blobs.d.origin' is not the number of one of 'raas.origins'" },
		{ HEAD("2") ",\"raas\":{\"schema\":1,\"tags\":{},\"manifests\":{},\"blobs\":{},"
		    "\"origins\":[{\"url\":\"u\"}]}}",
		    "in 'raas.origins', element 1: key 'repository' is missing" },
		{ HEAD("2") ",\"raas\":{\"schema\":1,\"tags\":{},\"manifests\":{},\"blobs\":{},"
		    "\"referrers\":{\"s\":[{}]}}}", "key 'raas.referrers.s' is not an array of "
		    "descriptors with mediaType, digest and size" },
	};
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct error)ERROR_INIT;
		CHECK(parse(rows[i].text, &err) == NULL);
		CHECK_INT(err.kind, ERROR_INPUT);
		CHECK_STR(err.text, rows[i].why);
	}
	CHECK(parse("<html>Sorry</html>", &err) == NULL);
	CHECK(strstr(err.text, "not valid JSON") != NULL);
}

TEST(limits)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	struct error err = ERROR_INIT;
	unsigned int i;

	buf_add_str(&text, HEAD("3") ",\"schema2_data\":[\"0\"");
	for (i = 0; i < CRANE_ENTRIES_MAX; i++)
		buf_add_str(&text, ",\"x\"");
	buf_add_str(&text, "]}");
	CHECK(parse(buf_str(&text), &err) == NULL);
	CHECK_STR(err.text, "key 'schema2_data' has more than 50000 entries");
	buf_clear(&text);
	for (i = 0; i < 20000; i++)
		buf_add_str(&text, "[");
	CHECK(parse(buf_str(&text), &err) == NULL);
	CHECK_STR(err.text, "JSON nested deeper than 16");
	CHECK(crane_metadata_parse(buf_str(&text), CRANE_METADATA_MAX + 1, &err) == NULL);
	CHECK_STR(err.text, "longer than 16777216 bytes");
}

TEST(where_its_objects_are)
{
	static const struct {
		const char	*public_url;
		const char	*prefix;
	} rows[] = {
		{ "https://s3.amazonaws.com/isv1.bucket", "some-app/" },
		{ "https://s3.amazonaws.com/isv1.bucket/", "some-app/" },
		{ "https://s3.amazonaws.com/isv1.bucket/some-app", "" },
		{ "https://s3.amazonaws.com/isv1", "some-app/" },	/* by name */
		{ "https://elsewhere.example.com", "some-app/" },
		{ "https://s3.amazonaws.com", "isv1.bucket/some-app/" },
		{ "", "some-app/" },
	};
	cleanup(crane_metadata_free_p) struct crane_metadata *m = parse(HEAD("2") "}", NULL);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *prefix = crane_metadata_prefix(m, rows[i].public_url);

		CHECK_STR(prefix, rows[i].prefix);
	}
}

int
main(void)
{
	return RUN(CASE(version_1), CASE(objects_of_version_1), CASE(objects_of_versions_2_to_4),
	    CASE(objects_that_raas_knows), CASE(what_raas_tells_who_serves),
	    CASE(what_is_wrong_is_named), CASE(limits), CASE(where_its_objects_are));
}
