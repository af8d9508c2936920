#include "daemon/mask.h"

#include "tests/unit/test-git.h"

#define V1(id) "{\"version\":1,\"repository\":\"rhel\",\"repo-registry-id\":\"rhel\"," \
	"\"url\":\"https://cdn.example.com/rhel/\",\"images\":[{\"id\":\"" id "\"}],\"tags\":{}}"
#define RAAS "{\"version\":2,\"repository\":\"ubi\",\"repo-registry-id\":\"ubi\"," \
	"\"url\":\"https://cdn.example.com/ubi/\",\"raas\":{\"schema\":1,\"tags\":{}," \
	"\"manifests\":{},\"blobs\":{\"sha256:b\":{\"size\":1}}}}"

static int
add(struct mask *mask, const char *name, const char *text, const char *validator,
    struct error *err)
{
	return mask_add(mask, name, text, strlen(text), validator, err);
}

static struct mask *
example(void)
{
	struct mask *mask = mask_new("https://cdn.example.com/");

	add(mask, "ubi.json", RAAS, NULL, NULL);
	add(mask, "rhel7.json", V1("aa"), "If-None-Match: \"1\"", NULL);
	add(mask, "rhel6.json", V1("bb"), NULL, NULL);
	mask->commit = xstrdup("0123456789012345678901234567890123456789");
	mask_seal(mask);
	return mask;
}

TEST(what_is_masked)
{
	cleanup(mask_unref_p) struct mask *mask = example();

	CHECK_INT(mask->n_files, 3);
	CHECK_STR(mask->files[0].name, "rhel6.json");
	CHECK(mask_find(mask, "rhel7.json") == &mask->files[1]);
	CHECK(mask_find(mask, "rhel8.json") == NULL);
	CHECK_INT(mask->masked.n, 3);
	CHECK(crane_ids_have(&mask->masked, "aa") && crane_ids_have(&mask->masked, "bb") &&
	    crane_ids_have(&mask->masked, "sha256:b"));
}

TEST(what_is_no_mask_file)
{
	cleanup(mask_unref_p) struct mask *mask = mask_new("x");
	struct error err = ERROR_INIT;

	CHECK_INT(add(mask, "a.json", "<html>404</html>", NULL, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_INT(add(mask, "../a.json", V1("aa"), NULL, &err), -1);
	CHECK_STR(err.text, "not the name of a metadata file");
	CHECK_INT(mask->n_files, 0);
}

TEST(all_files_have_a_limit)
{
	cleanup(mask_unref_p) struct mask *mask = mask_new("x");
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *blanks = xcalloc(1, CRANE_METADATA_MAX - 1000);
	struct error err = ERROR_INIT;
	int i;

	memset(blanks, ' ', CRANE_METADATA_MAX - 1001);
	buf_add_str(&text, V1("aa"));
	buf_add_str(&text, blanks);
	for (i = 0; i < 4; i++)
		CHECK_INT(mask_add(mask, "a.json", text.data, text.len, NULL, &err), 0);
	CHECK_INT(mask_add(mask, "a.json", text.data, text.len, NULL, &err), -1);
	CHECK_STR(err.text, "more than 67108864 bytes in all");
}

TEST(what_is_kept_comes_back)
{
	cleanup(mask_unref_p) struct mask *mask = example(), *back = NULL, *other = NULL;
	struct error err = ERROR_INIT;

	CHECK(mask_load("kept", &err) == NULL);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK_INT(mask_keep(mask, "kept", &err), 0);
	CHECK((back = mask_load("kept", &err)) != NULL);
	CHECK(mask_same(mask, back));
	CHECK_STR(back->source, "https://cdn.example.com/");
	CHECK_STR(back->commit, mask->commit);
	CHECK_STR(mask_find(back, "rhel7.json")->validator, "If-None-Match: \"1\"");
	CHECK_INT(mask_find(back, "rhel7.json")->len, strlen(V1("aa")));
	CHECK(memcmp(mask_find(back, "rhel7.json")->data, V1("aa"), strlen(V1("aa"))) == 0);
	CHECK(mask_find(back, "ubi.json")->validator == NULL);
	CHECK_INT(back->masked.n, 3);

	/* The next one takes its place, and leaves nothing of it behind. */
	other = mask_new("y");
	add(other, "rhel7.json", V1("aa"), NULL, NULL);
	mask_seal(other);
	CHECK(!mask_same(mask, other));
	CHECK(sh("touch kept/left.tmp"));
	CHECK_INT(mask_keep(other, "kept", &err), 0);
	CHECK(sh("test $(ls kept | wc -l) = 2"));
	mask_unref(back);
	CHECK((back = mask_load("kept", &err)) != NULL);
	CHECK(mask_same(other, back) && back->commit == NULL);
}

TEST(a_damaged_copy_is_found)
{
	cleanup(mask_unref_p) struct mask *mask = example();
	struct error err = ERROR_INIT;

	CHECK_INT(mask_keep(mask, "damaged", &err), 0);
	CHECK(sh("cd damaged; f=$(grep -l '\"aa\"' [0-9a-f]*[0-9a-f] | head -n 1); "
	    "sed -i 's/\"aa\"/\"ax\"/' $f"));
	CHECK(mask_load("damaged", &err) == NULL);
	CHECK(strstr(err.text, "damaged: rhel7.json: the kept copy '") != NULL);
	CHECK(sh("rm damaged/[0-9a-f][0-9a-f]*[0-9a-f]"));
	CHECK(mask_load("damaged", &err) == NULL);
	CHECK(strstr(err.text, "no file") != NULL);
	CHECK(sh("echo '{\"source\":\"x\",\"files\":[{\"name\":\"a.json\",\"oid\":\"../../x\"}]}' "
	    "> damaged/index.json"));
	CHECK(mask_load("damaged", &err) == NULL);
	CHECK(strstr(err.text, "'../../x' is not an id") != NULL);
	CHECK(sh("echo garbage > damaged/index.json"));
	CHECK(mask_load("damaged", &err) == NULL);
	CHECK_INT(err.kind, ERROR_INPUT);
	/* Getting it anew repairs it. */
	CHECK_INT(mask_keep(mask, "damaged", &err), 0);
	mask_unref(mask);
	CHECK((mask = mask_load("damaged", &err)) != NULL);
}

TEST(where_nothing_can_be_kept)
{
	cleanup(mask_unref_p) struct mask *mask = example();
	struct error err = ERROR_INIT;

	CHECK(sh("touch file"));
	CHECK_INT(mask_keep(mask, "file", &err), -1);
	CHECK_INT(err.kind, ERROR_SYSTEM);
	CHECK_INT(mask_keep(mask, "none/kept", &err), -1);
	CHECK_INT(err.kind, ERROR_SYSTEM);
}

int
main(void)
{
	int result;

	git_setup();
	git_box_make();
	result = RUN(CASE(what_is_masked), CASE(what_is_no_mask_file), CASE(all_files_have_a_limit),
	    CASE(what_is_kept_comes_back), CASE(a_damaged_copy_is_found),
	    CASE(where_nothing_can_be_kept));
	git_box_remove();
	git_teardown();
	return result;
}
