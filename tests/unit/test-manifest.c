#include "daemon/manifest.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "tests/unit/test.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int
parse(const char *text, const char *type, struct manifest *m, struct error *err)
{
	*err = (struct error)ERROR_INIT;
	return manifest_parse(text, strlen(text), type, m, err);
}

TEST(an_image)
{
	cleanup(manifest_done) struct manifest m = { 0 };
	struct error err;

	CHECK_INT(parse("{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\",\"size\":3,"
	    "\"mediaType\":\"" TYPE_OCI_CONFIG "\"},\"layers\":[{\"digest\":\"" B "\",\"size\":7,"
	    "\"urls\":[\"https://x\"]}],\"subject\":{\"digest\":\"" B "\",\"size\":1}}", NULL, &m,
	    &err), 0);
	CHECK_INT(m.kind, MANIFEST_IMAGE);
	CHECK_STR(m.type, TYPE_OCI_MANIFEST);
	CHECK_STR(m.config.digest, A);
	CHECK_INT(m.layers.n, 1);
	CHECK_INT(m.layers.list[0].size, 7);
	CHECK(m.layers.list[0].foreign);
	CHECK_STR(m.subject.digest, B);
}

TEST(an_index)
{
	cleanup(manifest_done) struct manifest m = { 0 };
	struct error err;

	CHECK_INT(parse("{\"schemaVersion\":2,\"mediaType\":\"" TYPE_DOCKER_LIST "\",\"manifests\":["
	    "{\"digest\":\"" A "\",\"size\":3,\"platform\":{\"os\":\"linux\",\"architecture\":"
	    "\"arm\",\"variant\":\"v7\"},\"annotations\":{\"org.opencontainers.image.ref.name\":"
	    "\"x\"}}]}", TYPE_DOCKER_LIST, &m, &err), 0);
	CHECK_INT(m.kind, MANIFEST_INDEX);
	CHECK_STR(m.children.list[0].platform, "linux/arm/v7");
	CHECK_STR(m.children.list[0].name, "x");
	CHECK(m.subject.digest == NULL);
}

TEST(what_is_refused)
{
	static const struct {
		const char	*text, *type, *why;
	} bad[] = {
		{ "[]", NULL, "not a JSON object" },
		{ "{}", NULL, "'schemaVersion' is neither 1 nor 2" },
		{ "{\"schemaVersion\":2}", NULL, "key 'config' is missing" },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", NULL,
		    "a manifest and an index at once" },
		{ "{\"schemaVersion\":2,\"manifests\":[{}]}", NULL,
		    "'manifests': key 'digest' is missing" },
		{ "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:../x\"}]}", NULL,
		    "'manifests': 'digest' is no sha256 digest: 'sha256:../x'" },
		{ "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"" A "\",\"size\":-1}]}", NULL,
		    "'manifests': " A ": its size is negative" },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", TYPE_OCI_MANIFEST,
		    "its content does not suit its type '" TYPE_OCI_MANIFEST "'" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_OCI_INDEX "\",\"manifests\":[]}",
		    TYPE_DOCKER_LIST, "called '" TYPE_DOCKER_LIST "' but is '" TYPE_OCI_INDEX "'" },
	};
	struct manifest m;
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_INT(parse(bad[i].text, bad[i].type, &m, &err), -1);
		CHECK_STR(err.text, bad[i].why);
		CHECK_INT(err.kind, ERROR_INPUT);
	}
}

TEST(too_many_layers)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	struct manifest m;
	struct error err;
	unsigned int i;

	buf_add_str(&text, "{\"schemaVersion\":2,\"manifests\":[");
	for (i = 0; i <= MANIFEST_ENTRIES_MAX; i++)
		buf_printf(&text, "%s{\"digest\":\"" A "\",\"size\":1}", i > 0 ? "," : "");
	buf_add_str(&text, "]}");
	CHECK_INT(parse(buf_str(&text), NULL, &m, &err), -1);
	CHECK_STR(err.text, "'manifests' has more than 1000 entries");
}

/* The signed payload is the text up to formatLength (44), then formatTail ("\n}"). */
TEST(schema_1_goes_by_its_payload)
{
	static const char text[] = "{\"schemaVersion\":1,\"fsLayers\":[{\"blobSum\":\"" A "\"},"
	    "{\"blobSum\":\"" B "\"}],\"signatures\":[{\"protected\":"
	    "\"eyJmb3JtYXRMZW5ndGgiOjQ0LCJmb3JtYXRUYWlsIjoiQ24wIn0\"}]}";
	cleanup(manifest_done) struct manifest m = { 0 };
	char payload[64], want[DIGEST_SIZE], got[DIGEST_SIZE];
	struct error err;

	CHECK_INT(parse(text, NULL, &m, &err), 0);
	CHECK_INT(m.kind, MANIFEST_SCHEMA1);
	CHECK_STR(m.layers.list[0].digest, B);
	CHECK_STR(m.layers.list[1].digest, A);
	snprintf(payload, sizeof(payload), "%.44s\n}", text);
	digest_of(payload, strlen(payload), want);
	CHECK_INT(manifest_digest(text, strlen(text), &m, got, &err), 0);
	CHECK_STR(got, want);
	CHECK_INT(manifest_digest("{\"signatures\":[]}", 17, &m, got, &err), -1);
}

TEST(diff_ids)
{
	struct error err = ERROR_INIT;
	char **ids;
	size_t n;
	static const char good[] = "{\"rootfs\":{\"diff_ids\":[\"" A "\",\"" B "\"]}}";
	static const char bad[] = "{\"rootfs\":{\"diff_ids\":[\"x\"]}}";

	CHECK_INT(config_diff_ids(good, strlen(good), &ids, &n, &err), 0);
	CHECK_INT(n, 2);
	CHECK_STR(ids[1], B);
	strings_free(ids, n);
	CHECK_INT(config_diff_ids("{}", 2, &ids, &n, &err), 0);
	CHECK_INT(n, 0);
	strings_free(ids, n);
	CHECK_INT(config_diff_ids(bad, strlen(bad), &ids, &n, &err), -1);
}

int
main(void)
{
	return RUN(CASE(an_image), CASE(an_index), CASE(what_is_refused), CASE(too_many_layers),
	    CASE(schema_1_goes_by_its_payload), CASE(diff_ids));
}
