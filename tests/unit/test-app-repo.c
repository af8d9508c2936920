#include "daemon/app-repo.h"

#include <dirent.h>

#include "tests/unit/test-git.h"

static const struct repo_author author = { "raasd", "raasd@example.com" };

/* app.git is the app's repo, other/ a second writer's clone of it, cache.git ours. */
static bool
make_app(void)
{
	return sh("rm -rf app.git other cache.git\n"
	    "git init -q --bare -b master app.git\n"
	    "git clone -q app.git other\n"
	    "cd other && git checkout -q -B master\n"
	    "mkdir -p crane/data && echo app >wsgi.py\n"
	    "printf '{\"v\":1}' >crane/data/a.json\n"
	    "git add . && git commit -qm first && git push -q origin master");
}

static bool
other_pushes(const char *commands)
{
	return sh("cd other && git pull -q --rebase origin master\n%s\n"
	    "git add -A . && git commit -qm other && git push -q origin HEAD:master", commands);
}

static const char *
app_file(const char *path)
{
	return output("git -C app.git show master:crane/data/%s", path);
}

static struct app_repo *
open_cache(const char *url, struct error *err)
{
	struct git_remote_at at = { url, "ssh", NULL };
	struct app_repo *app = app_repo_open("cache.git", &at, err);

	if (app == NULL)
		printf("# %s\n", err->text);
	return app;
}

static int
observe(struct app_repo *app, struct app_repo_head *head, struct error *err)
{
	struct deadline deadline = deadline_in(200000, NULL);
	int status = app_repo_observe(app, "master", head, &deadline, err);

	if (status == -1)
		printf("# %s\n", err->text);
	return status;
}

/* The result, or -1. */
static int
push_one(struct app_repo *app, const char *name, const char *text, struct error *err)
{
	struct app_repo_change change = { name, text, text != NULL ? strlen(text) : 0 };
	struct deadline deadline = deadline_in(200000, NULL);
	enum app_repo_result result;

	if (app_repo_push(app, &change, 1, "raasd: test\n", &author, &result, &deadline, err) == -1)
		return -1;
	return (int)result;
}

TEST(observe_list_read)
{
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	cleanup(repo_files_done) struct repo_files files = { 0 };
	cleanup(buf_done) struct buf data = BUF_INIT;
	struct deadline deadline = deadline_in(200000, NULL);
	git_oid old = repo_oid_of_bytes("{\"v\":1}", 7), never = repo_oid_of_bytes("x", 1);
	struct app_repo_head head;
	bool found;

	CHECK(make_app());
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(!head.empty && head.fetched);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(!head.fetched);
	CHECK(other_pushes("echo 2 >crane/data/a.json; echo 3 >crane/data/b-1.x.json\n"
	    "cd crane/data; ln -s /etc/passwd link.json; mkdir d.json; echo >d.json/x\n"
	    "echo >README; echo >.hidden.json; echo >'sp ace.json'; echo >a.json.tmp\n"
	    "git -C ../.. update-index --add --cacheinfo "
	    "160000,1234567890123456789012345678901234567890,crane/data/sub.json; cd ../..\n"
	    "mkdir crane/data/sub.json"));
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(head.fetched);
	CHECK_INT(app_repo_files(app, &files, &err), 0);
	CHECK_INT(files.n, 2);
	CHECK_STR(files.files[0].name, "a.json");
	CHECK_STR(files.files[1].name, "b-1.x.json");
	CHECK_INT(files.files[1].size, 2);
	CHECK_INT(files.ignored.n, 7);
	CHECK_INT(app_repo_read_blob(app, &files.files[1].oid, &data, &err), 0);
	CHECK_STR(buf_str(&data), "3\n");
	CHECK_INT(app_repo_history_has(app, "a.json", &old, &found, &deadline, &err), 0);
	CHECK(found);
	CHECK_INT(app_repo_history_has(app, "b-1.x.json", &old, &found, &deadline, &err), 0);
	CHECK(!found);
	CHECK_INT(app_repo_history_has(app, "a.json", &never, &found, &deadline, &err), 0);
	CHECK(!found);
}

TEST(push_put_and_remove)
{
	static const struct app_repo_change changes[] = {
		{ "a.json", NULL, 0 }, { "b.json", "{}", 2 }, { "none.json", NULL, 0 },
		{ "empty.json", "", 0 },
	};
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	cleanup(repo_files_done) struct repo_files files = { 0 };
	struct deadline deadline = deadline_in(200000, NULL);
	enum app_repo_result result;
	struct app_repo_head head;

	CHECK(make_app());
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK_INT(app_repo_push(app, changes, 4, "raasd: test\n", &author, &result, &deadline,
	    &err), 0);
	CHECK_INT(result, APP_REPO_DONE);
	CHECK_STR(output("git -C app.git ls-tree -r --name-only master"),
	    "crane/data/b.json\ncrane/data/empty.json\nwsgi.py\n");
	CHECK_STR(output("git -C app.git log --format='%%an: %%s' master"),
	    "raasd: raasd: test\nother: first\n");

	/* The cache's reference moved along, and the same again is no commit. */
	CHECK_INT(app_repo_files(app, &files, &err), 0);
	CHECK_INT(files.n, 2);
	CHECK_INT(push_one(app, "b.json", "{}", &err), APP_REPO_DONE);
	CHECK_INT(push_one(app, "a.json", NULL, &err), APP_REPO_DONE);
	CHECK_STR(output("git -C app.git rev-list --count master"), "2\n");
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(!head.fetched);

	/* The last file of the folder may go. */
	CHECK_INT(push_one(app, "b.json", NULL, &err), APP_REPO_DONE);
	CHECK_INT(push_one(app, "empty.json", NULL, &err), APP_REPO_DONE);
	CHECK_STR(output("git -C app.git ls-tree -r --name-only master"), "wsgi.py\n");
	CHECK(sh("git -C app.git fsck --strict"));
}

TEST(raced_pushes_are_behind)
{
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	struct app_repo_head head;

	CHECK(make_app());
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(other_pushes("printf theirs >crane/data/b.json"));
	CHECK_INT(push_one(app, "b.json", "ours", &err), APP_REPO_BEHIND);
	CHECK_STR(app_file("b.json"), "theirs");
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK_INT(push_one(app, "b.json", "ours", &err), APP_REPO_DONE);
	CHECK_STR(app_file("b.json"), "ours");

	/* Rewritten on their side: accepted, the app's owner owns it. */
	CHECK(sh("git -C other push -q -f origin master~1:master"));
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(head.fetched);
	CHECK_INT(push_one(app, "c.json", "ours", &err), APP_REPO_DONE);
	CHECK_STR(output("git -C app.git ls-tree --name-only master crane/data/"),
	    "crane/data/a.json\ncrane/data/c.json\n");
}

TEST(names_outside_are_refused)
{
	static const char *const names[] = {
		"", ".json", "../a.json", "a/b.json", "/a.json", "a.txt", ".git/a.json", "a b.json",
		"a.json/", "a\n.json", ".a.json", "..json",
	};
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	struct app_repo_head head;
	size_t i;

	CHECK(make_app());
	CHECK(other_pushes("ln -s /etc/passwd crane/data/link.json"));
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(push_one(app, "b.json", "x", &err), -1);	/* nothing observed */
	CHECK_INT(observe(app, &head, &err), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		err = (struct error)ERROR_INIT;
		CHECK_INT(push_one(app, names[i], "x", &err), -1);
		CHECK_INT(err.kind, ERROR_INPUT);
	}
	CHECK_INT(push_one(app, "link.json", "x", &err), -1);
	CHECK_INT(err.kind, ERROR_CONFLICT);
	CHECK_STR(output("git -C app.git rev-list --count master"), "2\n");
}

TEST(empty_repo_is_a_result)
{
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	cleanup(repo_files_done) struct repo_files files = { 0 };
	struct app_repo_head head;

	CHECK(sh("rm -rf app.git cache.git; git init -q --bare -b master app.git"));
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(head.empty);
	CHECK_INT(app_repo_files(app, &files, &err), 0);
	CHECK_INT(files.n, 0);
	CHECK_INT(push_one(app, "a.json", "1", &err), APP_REPO_DONE);
	CHECK_STR(app_file("a.json"), "1");
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(!head.empty && !head.fetched);
}

/* Another URL; the same URL with another history; no repository at all. */
TEST(recreated_app)
{
	struct error err = ERROR_INIT;
	struct app_repo *app;
	struct app_repo_head head;

	CHECK(make_app());
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	app_repo_free(app);
	CHECK(sh("mv app.git app2.git; rm -rf new; git init -q -b master new; cd new\n"
	    "echo x >x; git add .; git commit -qm new\n"
	    "git clone -q --bare . ../app.git"));
	CHECK((app = open_cache("app2.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(head.fetched);
	app_repo_free(app);
	CHECK((app = open_cache("app2.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(!head.fetched);
	app_repo_free(app);
	CHECK(sh("rm -rf app2.git; mv app.git app2.git"));
	CHECK((app = open_cache("app2.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(head.fetched);
	app_repo_free(app);
	CHECK(sh("rm -rf app2.git"));
	CHECK((app = open_cache("app2.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), -1);
	app_repo_free(app);
}

TEST(broken_cache_is_remade)
{
	static const char *const damage[] = {
		"rm -rf cache.git; echo file >cache.git",
		"rm -rf cache.git; mkdir cache.git; echo junk >cache.git/HEAD",
		"rm -rf cache.git/objects/*",
		"echo junk >cache.git/config",
		"echo junk >cache.git/refs/remotes/origin/master",
		"chmod -R u+w cache.git; find cache.git/objects -type f | xargs truncate -s 0",
		"rm cache.git/HEAD",
		"touch cache.git/refs/remotes/origin/master.lock cache.git/config.lock",
	};
	struct error err = ERROR_INIT;
	struct app_repo_head head;
	size_t i;

	CHECK(make_app());
	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		cleanup(app_repo_free_p) struct app_repo *app = NULL;
		cleanup(repo_files_done) struct repo_files files = { 0 };
		cleanup(buf_done) struct buf data = BUF_INIT;

		CHECK((app = open_cache("app.git", &err)) != NULL);
		CHECK_INT(observe(app, &head, &err), 0);
		app_repo_free(steal(app));
		CHECK(sh("%s", damage[i]));
		CHECK((app = open_cache("app.git", &err)) != NULL);
		CHECK_INT(observe(app, &head, &err), 0);
		CHECK_INT(app_repo_files(app, &files, &err), 0);
		CHECK_INT(files.n, 1);
		CHECK_INT(app_repo_read_blob(app, &files.files[0].oid, &data, &err), 0);
		CHECK_STR(buf_str(&data), "{\"v\":1}");
		CHECK(other_pushes("date +%N >x"));
		CHECK_INT(observe(app, &head, &err), 0);
		CHECK(head.fetched);
		CHECK_INT(push_one(app, "a.json", "{\"v\":1}", &err), APP_REPO_DONE);
	}
}

/* One that breaks after it was looked at: this job fails, the next makes a new cache. */
TEST(broken_blob_condemns_the_cache)
{
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	cleanup(repo_files_done) struct repo_files files = { 0 };
	cleanup(buf_done) struct buf data = BUF_INIT;
	struct app_repo_head head;

	CHECK(make_app());
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK_INT(push_one(app, "a.json", "0123456789abcdefghijklmnopqrstuvwxyz", &err), 0);
	CHECK_INT(app_repo_files(app, &files, &err), 0);
	CHECK(sh("id=$(git -C app.git rev-parse master:crane/data/a.json)\n"
	    "rm -f cache.git/objects/$(echo $id | sed 's,^..,&/,')"));
	CHECK_INT(app_repo_read_blob(app, &files.files[0].oid, &data, &err), -1);
	app_repo_free(steal(app));
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(head.fetched);
	CHECK_INT(app_repo_read_blob(app, &files.files[0].oid, &data, &err), 0);
}

static int
count_packs(void)
{
	DIR *dir = opendir("cache.git/objects/pack");
	int n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		closedir(dir);
	return n;
}

TEST(worn_cache_is_remade)
{
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	struct app_repo_head head;

	CHECK(make_app());
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	app_repo_free(steal(app));
	CHECK(sh("i=0; while [ $i -lt 120 ]; do i=$((i+1)); "
	    "touch cache.git/objects/pack/pack-$i.keep; done"));
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK(head.fetched);
	CHECK(count_packs() < 10);
}

TEST(limits)
{
	struct error err = ERROR_INIT;
	cleanup(app_repo_free_p) struct app_repo *app = NULL;
	cleanup(repo_files_done) struct repo_files files = { 0 };
	struct app_repo_head head;

	CHECK(make_app());
	CHECK(other_pushes("head -c 16777217 /dev/zero >crane/data/big.json"));
	CHECK((app = open_cache("app.git", &err)) != NULL);
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK_INT(app_repo_files(app, &files, &err), 0);
	CHECK_INT(files.n, 1);
	CHECK_INT(files.ignored.n, 1);
	CHECK(strstr(files.ignored.texts[0], "longer than") != NULL);
	repo_files_done(&files);
	CHECK(other_pushes("cd crane/data; seq -f f%.0f.json 10000 | xargs touch; cd ../.."));
	CHECK_INT(observe(app, &head, &err), 0);
	CHECK_INT(app_repo_files(app, &files, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
}

TEST(urls_without_secrets)
{
	static const char *const pairs[][2] = {
		{ "https://user:pw@host/x.git", "https://host/x.git" },
		{ "https://token@host:8443/x@y", "https://host:8443/x@y" },
		{ "HTTP://u:p@q@host/", "HTTP://host/" },
		{ "ssh://git:pw@host/x", "ssh://git@host/x" },
		{ "ssh://git@host/x:y@z", "ssh://git@host/x:y@z" },
		{ "git@host:path", "git@host:path" },
		{ "/srv/a:b@c", "/srv/a:b@c" },
		{ "https://host/a@b", "https://host/a@b" },
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		cleanup(free_p) char *shown = repo_public_url(pairs[i][0]);

		CHECK_STR(shown, pairs[i][1]);
	}
}

int
main(void)
{
	int status;

	git_box_make();
	git_setup();
	status = RUN(CASE(observe_list_read), CASE(push_put_and_remove),
	    CASE(raced_pushes_are_behind), CASE(names_outside_are_refused),
	    CASE(empty_repo_is_a_result), CASE(recreated_app), CASE(broken_cache_is_remade),
	    CASE(broken_blob_condemns_the_cache), CASE(worn_cache_is_remade), CASE(limits),
	    CASE(urls_without_secrets));
	git_teardown();
	git_box_remove();
	return status;
}
