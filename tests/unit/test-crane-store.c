/* tests store.c, load.c, live.c and tree.c on directories of their own. */
#include "crane/live.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "tests/unit/test.h"

#define V1(name, image) "{\"version\":1,\"repository\":\"r\",\"repo-registry-id\":\"" name "\"," \
	"\"url\":\"https://b.example.com/" name "/\",\"images\":[{\"id\":\"" image "\"}]," \
	"\"tags\":{\"latest\":\"" image "\"}}"
#define V2(name, url) "{\"version\":2,\"repository\":\"r\",\"repo-registry-id\":\"" name "\"," \
	"\"url\":\"" url "\"}"

static char top[64];

static void
begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(top, sizeof(top), "%.40s/store-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(top) == NULL)
		abort();
}

static void
end(void)
{
	cleanup(free_p) char *command = xasprintf("rm -rf '%s'", top);

	if (system(command) != 0)
		abort();
}

static void
put(const char *name, const char *text)
{
	cleanup(free_p) char *path = xasprintf("%s/%s", top, name);
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		abort();
}

static void
make_folder(const char *name)
{
	cleanup(free_p) char *path = xasprintf("%s/%s", top, name);

	if (mkdir(path, 0700) == -1)
		abort();
}

static void
take_out(const char *name)
{
	cleanup(free_p) char *path = xasprintf("%s/%s", top, name);

	if (unlink(path) == -1)
		abort();
}

static struct live *
read_again(struct live *before)
{
	struct refusals refused = REFUSALS_INIT;
	struct store *loaded = load_directory(top, 1000, &refused);
	struct live *live = live_new(before, loaded, &refused, NULL, NULL, 1000);

	live_unref(before);
	return live;
}

TEST(finds_names_in_two_spaces)
{
	struct live *live;
	const struct store *s;

	begin();
	put("a.json", V1("some/app", "i1"));
	put("b.json", V2("some/app", "https://two.example.com"));
	put("c.json", V2("other", "https://three.example.com"));
	put("d.txt", "not read");
	put(".hidden.json", "not read");
	live = read_again(NULL);
	s = live_store(live);
	CHECK_INT(live_refusals(live)->total, 0);
	CHECK_INT(store_n_files(s), 3);
	CHECK_INT(store_v1(s, "some/app")->version, 1);
	CHECK_STR(store_v2(s, "some/app")->url, "https://two.example.com");
	CHECK(store_v1(s, "other") == NULL);
	CHECK(store_v2(s, "othe") == NULL && store_v2(s, "others") == NULL);
	CHECK_STR(store_image(s, "i1")->registry_id, "some/app");
	CHECK(store_image(s, "i2") == NULL);
	CHECK_STR(store_v2_at(s, 0)->registry_id, "other");
	live_unref(live);
	end();
}

TEST(the_last_file_of_a_name_wins)
{
	struct live *live;

	begin();
	put("b.json", V2("x", "https://second.example.com"));
	put("a.json", V2("x", "https://first.example.com"));
	live = read_again(NULL);
	CHECK_INT(store_n_v2(live_store(live)), 1);
	CHECK_STR(store_v2(live_store(live), "x")->url, "https://second.example.com");
	CHECK(strstr(buf_str(live_page(live, LIVE_STATUS)), "\"shadowed_by\":\"b.json\"") != NULL);
	live_unref(live);
	end();
}

TEST(protected_images_are_nobodys)
{
	struct live *live;

	begin();
	put("a.json", "{\"version\":1,\"repository\":\"r\",\"repo-registry-id\":\"a\",\"url\":\"u\","
	    "\"images\":[{\"id\":\"i1\"},{\"id\":\"i2\"}],\"tags\":{},\"protected\":true}");
	put("b.json", V1("b", "i1"));
	live = read_again(NULL);
	CHECK_STR(store_image(live_store(live), "i1")->registry_id, "b");
	CHECK(store_image(live_store(live), "i2") == NULL);
	live_unref(live);
	end();
}

TEST(all_or_nothing)
{
	struct live *live;
	char first[SHA256_HEX_SIZE];

	begin();
	put("a.json", V2("a", "https://one.example.com"));
	live = read_again(NULL);
	snprintf(first, sizeof(first), "%s", store_hash(live_store(live)));
	put("a.json", V2("a", "https://new.example.com"));
	put("b.json", "{\"version\": 9}");
	live = read_again(live);
	CHECK_STR(store_v2(live_store(live), "a")->url, "https://one.example.com");
	CHECK_STR(store_hash(live_store(live)), first);
	CHECK_INT(live_refusals(live)->total, 1);
	CHECK_STR(live_refusals(live)->list[0].file, "b.json");
	CHECK(strstr(buf_str(live_page(live, LIVE_STATUS)), "Crane knows 1 to 4") != NULL);
	take_out("b.json");
	live = read_again(live);
	CHECK_STR(store_v2(live_store(live), "a")->url, "https://new.example.com");
	CHECK(strcmp(store_hash(live_store(live)), first) != 0);
	CHECK_INT(live_refusals(live)->total, 0);
	live_unref(live);
	end();
}

/* A restart with a bad file must not take the good ones down. */
TEST(until_a_reading_is_whole_the_good_ones_serve)
{
	struct live *live;

	begin();
	put("bad.json", "");
	put("a.json", V2("a", "https://one.example.com"));
	live = read_again(NULL);
	CHECK(store_v2(live_store(live), "a") != NULL);
	CHECK(!store_is_whole(live_store(live)));
	put("b.json", V2("b", "https://two.example.com"));
	live = read_again(live);
	CHECK(store_v2(live_store(live), "b") != NULL);
	live_unref(live);
	end();
}

TEST(a_directory_that_went_away_changes_nothing)
{
	struct live *live;

	begin();
	put("a.json", V2("a", "https://one.example.com"));
	live = read_again(NULL);
	end();
	live = read_again(live);
	CHECK(store_v2(live_store(live), "a") != NULL);
	CHECK_STR(live_refusals(live)->list[0].file, "");
	CHECK_STR(live_refusals(live)->list[0].reason, "cannot open: No such file or directory");
	live_unref(live);
}

TEST(folders_and_links)
{
	cleanup(free_p) char *data = NULL, *link = NULL;
	struct live *live;

	begin();
	make_folder("..2024");
	put("..2024/a.json", V2("a", "https://one.example.com"));
	make_folder("sub");
	make_folder("sub/folder.json");
	put("sub/folder.json/c.json", V2("c", "https://one.example.com"));
	data = xasprintf("%s/..data", top);
	link = xasprintf("%s/a.json", top);
	CHECK(symlink("..2024", data) == 0 && symlink("..data/a.json", link) == 0);
	live = read_again(NULL);
	CHECK_INT(live_refusals(live)->total, 0);
	CHECK_INT(store_n_files(live_store(live)), 2);
	CHECK_STR(store_file_at(live_store(live), 1)->name, "sub/folder.json/c.json");
	live_unref(live);
	end();
}

TEST(what_is_no_file_is_refused_without_waiting)
{
	cleanup(free_p) char *pipe = NULL, *loop = NULL, *nowhere = NULL;
	struct live *live;

	begin();
	pipe = xasprintf("%s/a.json", top);
	nowhere = xasprintf("%s/b.json", top);
	loop = xasprintf("%s/loop", top);
	CHECK(mkfifo(pipe, 0600) == 0 && symlink("/nonexistent/x", nowhere) == 0);
	live = read_again(NULL);
	CHECK_INT(live_refusals(live)->total, 2);
	CHECK_STR(live_refusals(live)->list[0].reason, "not a regular file");
	CHECK_STR(live_refusals(live)->list[1].reason, "cannot open: No such file or directory");
	CHECK(symlink(".", loop) == 0);
	live = read_again(live);
	CHECK(strstr(live_refusals(live)->list[0].reason, "nested deeper than 8") != NULL);
	live_unref(live);
	end();
}

TEST(many_refusals_are_counted)
{
	struct live *live;
	char name[32];
	unsigned int i;

	begin();
	for (i = 0; i < REFUSALS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "%04u.json", i);
		put(name, "[]");
	}
	live = read_again(NULL);
	CHECK_INT(live_refusals(live)->n, REFUSALS_MAX);
	CHECK_INT(live_refusals(live)->total, REFUSALS_MAX + 5);
	live_unref(live);
	end();
}

int
main(void)
{
	return RUN(CASE(finds_names_in_two_spaces), CASE(the_last_file_of_a_name_wins),
	    CASE(protected_images_are_nobodys), CASE(all_or_nothing),
	    CASE(until_a_reading_is_whole_the_good_ones_serve),
	    CASE(a_directory_that_went_away_changes_nothing), CASE(folders_and_links),
	    CASE(what_is_no_file_is_refused_without_waiting), CASE(many_refusals_are_counted));
}
