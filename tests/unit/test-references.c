#include "daemon/references.h"

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/unit/test.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define HEAD(version, name) "{\"version\":" version ",\"repository\":\"r\",\"repo-registry-id\":\""	\
	name "\",\"url\":\"http://x/\","
#define ARRAYS "\"schema2_data\":[\"1.0\"],\"manifest_list_data\":[],\"manifest_list_amd64_tags\":{}"

static const char ours[] = HEAD("4", "some/app") ARRAYS ",\"raas\":{\"schema\":1,\"tags\":{\"1.0\":"
    "\"sha256:" HEX_A "\"},\"manifests\":{\"sha256:" HEX_A "\":{\"type\":\"application/"
    "vnd.docker.distribution.manifest.v2+json\",\"size\":5}},\"origins\":[{\"url\":\"https://o\","
    "\"repository\":\"rhel7\"}],\"blobs\":{\"sha256:" HEX_B "\":{\"size\":7},\"sha256:" HEX_C "\":"
    "{\"size\":9,\"origin\":0}}}}";
static const char pulps[] = HEAD("4", "pulp") ARRAYS "}";
static const char old[] = HEAD("1", "old") "\"images\":[{\"id\":\"" HEX_A "\"}],\"tags\":{}}";

static void
add(struct references *r, const char *text, const char *prefix)
{
	struct error err = ERROR_INIT;
	struct crane_metadata *m = crane_metadata_parse(text, strlen(text), &err);

	if (m == NULL) {
		printf("# %s\n", err.text);
		return;
	}
	references_add(r, m, prefix);
	crane_metadata_free(m);
}

static const struct {
	const char	*key;
	enum reference	 reference;
} rows[] = {
	{ "some-app/blobs/sha256:" HEX_B, REFERENCE_NAMED },
	{ "some-app/blobs/sha256:" HEX_C, REFERENCE_NAMED },	/* masked, and there all the same */
	{ "some-app/manifests/2/1.0", REFERENCE_NAMED },
	{ "some-app/manifests/2/sha256:" HEX_A, REFERENCE_NAMED },
	{ "some-app/tags/list", REFERENCE_NAMED },
	{ "old/" HEX_A "/layer", REFERENCE_NAMED },

	{ "some-app/blobs/sha256:" HEX_A, REFERENCE_NONE },
	{ "some-app/manifests/2/0.9", REFERENCE_NONE },
	{ "some-app/manifests/1/sha256:" HEX_B, REFERENCE_NONE },
	{ "some-app/manifests/list/latest", REFERENCE_NONE },
	{ "some-app/manifests/latest", REFERENCE_NONE },
	{ "some-app/" HEX_B "/json", REFERENCE_NONE },
	{ "old/" HEX_B "/ancestry", REFERENCE_NONE },
	{ "gone/blobs/sha256:" HEX_A, REFERENCE_NONE },
	{ "gone/tags/list", REFERENCE_NONE },
	{ "raasd-canary/00112233", REFERENCE_NONE },

	/* Not of the layout: somebody put it there. */
	{ "some-app/README", REFERENCE_FOREIGN },
	{ "some-app/blobs/sha256:short", REFERENCE_FOREIGN },
	{ "some-app/blobs/sha256:" HEX_A "/more", REFERENCE_FOREIGN },
	{ "some-app/blobs/", REFERENCE_FOREIGN },
	{ "some-app/", REFERENCE_FOREIGN },
	{ "some-app", REFERENCE_FOREIGN },
	{ "some-app/manifests/3/x", REFERENCE_FOREIGN },
	{ "some-app/manifests/2/", REFERENCE_FOREIGN },
	{ "some-app/tags/list2", REFERENCE_FOREIGN },
	{ "some-app/" HEX_A "/file", REFERENCE_FOREIGN },
	{ "some-app/" HEX_A "a/json", REFERENCE_FOREIGN },
	{ "some-app/abc/json", REFERENCE_FOREIGN },
	{ "raasd-canary/a/b", REFERENCE_FOREIGN },
	/* Not of a repository that is known. */
	{ "other/blobs/sha256:" HEX_A, REFERENCE_FOREIGN },
	{ "blobs/sha256:" HEX_A, REFERENCE_FOREIGN },
	{ "some-app2/tags/list", REFERENCE_FOREIGN },
	{ "x/some-app/tags/list", REFERENCE_FOREIGN },
	{ "", REFERENCE_FOREIGN },
	/* Pulp's metadata does not name its blobs. */
	{ "pulp/blobs/sha256:" HEX_A, REFERENCE_UNCLEAR },
	{ "pulp/manifests/2/0.9", REFERENCE_UNCLEAR },
	{ "pulp/deep/blobs/sha256:" HEX_A, REFERENCE_UNCLEAR },
	{ "pulp/manifests/2/1.0", REFERENCE_NAMED },
};

TEST(each_key_is_judged)
{
	cleanup(references_done) struct references r = REFERENCES_INIT;
	size_t i;

	add(&r, ours, "some-app/");
	add(&r, pulps, "pulp/");
	add(&r, old, "old/");
	references_add_prefix(&r, "gone/");
	references_add_prefix(&r, "pulp/deep/");
	references_seal(&r);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("# %s\n", rows[i].key);
		CHECK_INT(references_judge(&r, rows[i].key), rows[i].reference);
	}
}

/* What one of those who share a bucket needs is not another's to remove. */
TEST(all_files_count)
{
	cleanup(references_done) struct references r = REFERENCES_INIT;

	add(&r, old, "some-app/");
	references_seal(&r);
	CHECK_INT(references_judge(&r, "some-app/blobs/sha256:" HEX_B), REFERENCE_NONE);
	add(&r, ours, "some-app/");
	references_seal(&r);
	CHECK_INT(references_judge(&r, "some-app/blobs/sha256:" HEX_B), REFERENCE_NAMED);
	CHECK_INT(references_judge(&r, "some-app/" HEX_A "/json"), REFERENCE_NAMED);
	add(&r, pulps, "some-app/");
	references_seal(&r);
	CHECK_INT(references_judge(&r, "some-app/blobs/sha256:" HEX_A), REFERENCE_UNCLEAR);
}

/* Images at the top of a bucket. */
TEST(no_prefix_is_a_prefix)
{
	cleanup(references_done) struct references r = REFERENCES_INIT;

	add(&r, ours, "");
	references_seal(&r);
	CHECK_INT(references_judge(&r, "blobs/sha256:" HEX_B), REFERENCE_NAMED);
	CHECK_INT(references_judge(&r, "blobs/sha256:" HEX_A), REFERENCE_NONE);
	CHECK_INT(references_judge(&r, "some-app/blobs/sha256:" HEX_A), REFERENCE_FOREIGN);
	CHECK_INT(references_judge(&r, "README"), REFERENCE_FOREIGN);
}

int
main(void)
{
	return RUN(CASE(each_key_is_judged), CASE(all_files_count), CASE(no_prefix_is_a_prefix));
}
