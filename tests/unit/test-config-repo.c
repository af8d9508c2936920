/* Many commits are synced to disk here, and many writers killed.
 * timeout: 1800
 * sanitizers: address */
#include "daemon/config-repo.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/test-git.h"

/* remote.git is the config repo, other/ a second writer's clone of it, copy.git ours. */
static bool
make_remote(void)
{
	return sh("rm -rf remote.git other copy.git new.git\n"
	    "git init -q --bare -b stage remote.git\n"
	    "git clone -q remote.git other\n"
	    "cd other && git checkout -q -B stage\n"
	    "mkdir -p isv1/logs isv1/metadata isv2/metadata\n"
	    "printf '[isv1]\\n' >raas.cfg\n"
	    "printf 'one\\n' >isv1/logs/d.log\n"
	    "printf '{\"v\":1}' >isv1/metadata/a.json\n"
	    "printf '{\"v\":2}' >isv2/metadata/b.json\n"
	    "git add . && git commit -qm first && git push -q origin stage");
}

static bool
other_pushes(const char *commands)
{
	return sh("cd other && git pull -q --rebase origin stage\n%s\n"
	    "git add -A . && git commit -qm other && git push -q origin HEAD:stage", commands);
}

/* The same where a push of a killed writer may still be under way, and be quicker. */
static bool
other_pushes_in_the_end(const char *commands)
{
	int tries;

	for (tries = 0; tries < 20; tries++) {
		if (other_pushes(commands))
			return true;
		if (!sh("cd other && git fetch -q origin stage\n"
		    "git reset -q --hard FETCH_HEAD && sleep 0.1"))
			return false;
	}
	return false;
}

static const char *
remote_file(const char *path)
{
	return output("git -C remote.git show stage:%s", path);
}

static struct config_repo_options
options(void)
{
	return (struct config_repo_options){
		.path = "copy.git", .url = "remote.git", .ssh_command = "ssh", .branch = "stage",
		.author = { "raasd", "raasd@example.com" },
	};
}

static struct config_repo *
open_copy(struct error *err)
{
	struct config_repo_options o = options();
	struct config_repo *repo = config_repo_open(&o, err);

	if (repo == NULL)
		printf("# %s\n", err->text);
	return repo;
}

/* The copy of what is reached over ssh, whose program is here one that runs the command on this
 * host: the git program is the other side, as in life. Its hooks run, and it packs what is
 * fetched, which libgit2 does by itself where the url is a path, slowly. */
static struct config_repo *
open_copy_over_ssh(struct error *err)
{
	cleanup(free_p) char *url = xasprintf("ssh://localhost%s/remote.git", git_box);
	cleanup(free_p) char *ssh = xasprintf("%s/ssh", git_box);
	struct config_repo_options o = options();

	o.url = url;
	o.ssh_command = ssh;
	if (!sh("printf '#!/bin/sh\\nfor last; do :; done\\nexec sh -c \"$last\"\\n' >ssh\n"
	    "chmod +x ssh"))
		return NULL;
	return config_repo_open(&o, err);
}

static int
pull(struct config_repo *repo, struct config_news *news, struct error *err)
{
	struct deadline deadline = deadline_in(600000, NULL);

	config_news_done(news);
	if (config_repo_pull(repo, NULL, news, &deadline, err) == 0)
		return 0;
	printf("# %s\n", err->text);
	return -1;
}

static int
push(struct config_repo *repo, struct config_news *news, struct error *err)
{
	struct deadline deadline = deadline_in(600000, NULL);
	int status;

	config_news_done(news);
	status = config_repo_push(repo, news, &deadline, err);
	if (status == -1)
		printf("# %s\n", err->text);
	return status;
}

/* One change, committed: 1 made, 0 not needed, -1 refused. */
static int
change(struct config_repo *repo, enum config_change_kind kind, const char *path, const char *text,
    struct error *err)
{
	struct config_change c = { kind, path, text, text != NULL ? strlen(text) : 0 };
	cleanup(repo_notes_done) struct repo_notes dropped = { 0 };
	bool made;

	if (config_repo_commit(repo, &c, 1, "raasd: test\n", &made, &dropped, err) == -1)
		return -1;
	return dropped.n != 0 ? -2 : made;
}

TEST(pull_commit_push)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(buf_done) struct buf cfg = BUF_INIT;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK(!config_repo_state(repo).has_tip);
	CHECK_INT(change(repo, CONFIG_PUT, "raas.cfg", "x", &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK(news.changed && news.first && !news.forced);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK(!news.changed);
	CHECK_INT(config_repo_raas_cfg(repo, &cfg, &err), 0);
	CHECK_STR(buf_str(&cfg), "[isv1]\n");

	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "two\nthree\n", &err), 1);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv2/logs/d.log", "new\n", &err), 1);
	CHECK_INT(change(repo, CONFIG_PUT, "isv1/metadata/new.json", "{}", &err), 1);
	CHECK_INT(change(repo, CONFIG_REMOVE, "isv2/metadata/b.json", NULL, &err), 1);
	CHECK_INT(config_repo_state(repo).unpushed, 4);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_INT(config_repo_state(repo).unpushed, 0);
	CHECK(!news.changed);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\ntwo\nthree\n");
	CHECK_STR(remote_file("isv2/logs/d.log"), "new\n");
	CHECK_STR(output("git -C remote.git ls-tree -r --name-only stage"),
	    "isv1/logs/d.log\nisv1/metadata/a.json\nisv1/metadata/new.json\n"
	    "isv2/logs/d.log\nraas.cfg\n");
	CHECK_STR(output("git -C remote.git log -1 --format='%%an %%ae %%s' stage"),
	    "raasd raasd@example.com raasd: test\n");
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK(!news.changed);
	CHECK(sh("git -C remote.git fsck --strict && git -C copy.git fsck --strict"));
}

TEST(nothing_changed_is_no_commit)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	git_oid before, after;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	before = config_repo_state(repo).tip;
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "one\n", &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "\n\n", &err), 0);
	CHECK_INT(change(repo, CONFIG_PUT, "isv1/metadata/a.json", "{\"v\":1}", &err), 0);
	CHECK_INT(change(repo, CONFIG_REMOVE, "isv1/metadata/none.json", NULL, &err), 0);
	CHECK_INT(change(repo, CONFIG_REMOVE, "isv9/metadata/none.json", NULL, &err), 0);
	after = config_repo_state(repo).tip;
	CHECK(git_oid_equal(&before, &after));
	CHECK_INT(config_repo_state(repo).unpushed, 0);
}

TEST(changes_of_one_file_in_one_commit)
{
	static const struct config_change changes[] = {
		{ CONFIG_APPEND, "isv1/logs/d.log", "b\n", 2 },
		{ CONFIG_PUT, "isv1/metadata/z.json", "1", 1 },
		{ CONFIG_APPEND, "isv1/logs/d.log", "a\nb\nno newline", 14 },
		{ CONFIG_PUT, "isv1/metadata/z.json", "2", 1 },
		{ CONFIG_APPEND, "isv1/logs/d.log", "one\nlast\na\n", 11 },
	};
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(repo_notes_done) struct repo_notes dropped = { 0 };
	bool made;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(config_repo_commit(repo, changes, 5, "m", &made, &dropped, &err), 0);
	CHECK(made);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\nb\na\nno newline\nlast\n");
	CHECK_STR(remote_file("isv1/metadata/z.json"), "2");
	CHECK_STR(output("git -C remote.git rev-list --count stage"), "2\n");
}

TEST(paths_that_are_not_ours)
{
	static const char *const paths[] = {
		"", "/", "raas.cfg/", "../raas.cfg", "/raas.cfg", "isv1", "isv1/", "isv1/logs",
		"isv1/logs/", "isv1/logs/.log", "isv1/logs/..log", "isv1/logs/x.json",
		"isv1/metadata/x.log", "isv1/metadata/.json", "isv1/metadata/.x.json",
		"isv1/metadata/../../raas.cfg", "isv1/metadata/a/b.json", "isv1//metadata/a.json",
		"isv1/metadata//a.json", "isv1/../metadata/a.json", "../logs/a.log", ".git/logs/a.log",
		"./metadata/a.json", "isv1/metadata/a b.json", "isv1/metadata/a\n.json",
		"isv1/metadata/\x01.json", "isv1/metadata/\xc3\xa4.json", "redhat/metadata/a.json",
		"isv1/other/a.json", "is v/metadata/a.json", "isv1/metadata/a.json/x.json",
		"isv1/metadata/a.jsonx", "README", "isv1/crane/a.json", "git~1/metadata/a.json",
	};
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	size_t i;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		err = (struct error)ERROR_INIT;
		if (change(repo, CONFIG_PUT, paths[i], "x", &err) != -1)
			printf("# accepted: %s\n", paths[i]);
		CHECK_INT(err.kind, ERROR_INPUT);
	}
	CHECK_INT(config_repo_state(repo).unpushed, 0);
}

TEST(what_stands_in_the_way_is_left)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;

	CHECK(make_remote());
	CHECK(other_pushes("mkdir -p isv1/metadata/dir.json isv3/metadata\n"
	    "touch isv1/metadata/dir.json/x isv4\n"
	    "ln -s ../../raas.cfg isv3/metadata/link.json\n"
	    "ln -s /etc/passwd isv3/logs"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_PUT, "isv1/metadata/dir.json", "x", &err), -2);
	CHECK_INT(change(repo, CONFIG_REMOVE, "isv1/metadata/dir.json", NULL, &err), -2);
	CHECK_INT(change(repo, CONFIG_PUT, "isv3/metadata/link.json", "x", &err), -2);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv3/logs/d.log", "x", &err), -2);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv4/logs/d.log", "x", &err), -2);
	CHECK_INT(config_repo_state(repo).unpushed, 0);
}

TEST(logs_of_both_writers_are_kept)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(config_changes_done) struct config_changes changes = { 0 };

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "ours 1\n", &err), 1);
	CHECK(other_pushes("printf 'theirs 1\\nboth\\n' >>isv1/logs/d.log; echo '#' >>raas.cfg"));
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "both\nours 2\n", &err), 1);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\ntheirs 1\nboth\nours 1\nours 2\n");
	CHECK(news.changed && !news.forced && !news.first);
	CHECK_INT(news.replayed, 2);
	CHECK_INT(news.dropped.n, 0);
	CHECK_INT(config_view_changes(config_repo_view(repo), &news.from, &news.to, &changes,
	    &err), 0);
	CHECK(changes.raas_cfg);
	CHECK_INT(changes.n_isvs, 0);

	/* The same by a pull, and a push later. */
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "ours 3\n", &err), 1);
	CHECK(other_pushes("sed -i 's/theirs 1/theirs 2/' isv1/logs/d.log"));
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(news.replayed, 1);
	CHECK_INT(config_repo_state(repo).unpushed, 1);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"),
	    "one\ntheirs 2\nboth\nours 1\nours 2\nours 3\n");
	CHECK_STR(output("git -C remote.git log --merges --oneline stage"), "");
}

TEST(metadata_changed_by_both)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_PUT, "isv1/metadata/a.json", "ours 1", &err), 1);
	CHECK_INT(change(repo, CONFIG_PUT, "isv1/metadata/a.json", "ours 2", &err), 1);
	CHECK_INT(change(repo, CONFIG_PUT, "isv2/metadata/b.json", "ours b1", &err), 1);
	CHECK_INT(change(repo, CONFIG_PUT, "isv2/metadata/b.json", "ours b2", &err), 1);
	CHECK_INT(change(repo, CONFIG_PUT, "isv2/metadata/same.json", "same", &err), 1);
	CHECK_INT(change(repo, CONFIG_REMOVE, "isv1/metadata/none.json", NULL, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "line\n", &err), 1);
	CHECK(other_pushes("printf theirs >isv1/metadata/a.json\n"
	    "printf same >isv2/metadata/same.json"));
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/metadata/a.json"), "theirs");
	CHECK_STR(remote_file("isv2/metadata/b.json"), "ours b2");
	CHECK_STR(remote_file("isv2/metadata/same.json"), "same");
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\nline\n");
	CHECK_INT(news.dropped.n, 2);
	CHECK(strncmp(news.dropped.texts[0], "isv1/metadata/a.json: ", 22) == 0);
	CHECK_INT(news.replayed, 3);

	/* Removed here, changed there: theirs stays, and the other way about. */
	CHECK_INT(change(repo, CONFIG_REMOVE, "isv1/metadata/a.json", NULL, &err), 1);
	CHECK_INT(change(repo, CONFIG_PUT, "isv2/metadata/b.json", "ours b3", &err), 1);
	CHECK(other_pushes("printf theirs2 >isv1/metadata/a.json; rm isv2/metadata/b.json"));
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/metadata/a.json"), "theirs2");
	CHECK_STR(output("git -C remote.git ls-tree --name-only stage isv2/metadata/"),
	    "isv2/metadata/same.json\n");
	CHECK_INT(news.dropped.n, 2);
	CHECK_INT(config_repo_state(repo).unpushed, 0);
}

TEST(force_push_loses_no_own_commit)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;

	CHECK(make_remote());
	CHECK(other_pushes("echo gone >isv2/metadata/gone.json; echo gone >>isv1/logs/d.log"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "ours\n", &err), 1);
	CHECK_INT(change(repo, CONFIG_PUT, "isv1/metadata/n.json", "ours", &err), 1);

	/* Back to an older commit: what was taken out stays out. */
	CHECK(sh("cd other && git push -q -f origin HEAD~1:stage"));
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK(news.changed && news.forced);
	CHECK_INT(news.replayed, 2);
	CHECK_INT(config_repo_state(repo).unpushed, 2);

	/* To another history altogether. */
	CHECK(sh("cd other && git checkout -q --orphan fresh && git rm -rqf . &&\n"
	    "echo '[x]' >raas.cfg && git add . && git commit -qm fresh &&\n"
	    "git push -q -f origin fresh:stage"));
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK(news.changed && news.forced);
	CHECK_STR(remote_file("isv1/logs/d.log"), "ours\n");
	CHECK_STR(remote_file("isv1/metadata/n.json"), "ours");
	CHECK_STR(output("git -C remote.git ls-tree -r --name-only stage"),
	    "isv1/logs/d.log\nisv1/metadata/n.json\nraas.cfg\n");
	CHECK_STR(output("git -C remote.git log --format=%%s stage"),
	    "raasd: test\nraasd: test\nfresh\n");
}

/* A kill between two references, played by putting them back. */
TEST(interrupted_moves_are_finished)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	struct config_repo *repo;
	const char *old, *new;

	CHECK(make_remote());
	CHECK(other_pushes("echo gone >>isv1/logs/d.log"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "ours\n", &err), 1);
	config_repo_free(repo);

	/* Fetched a rewritten branch, and not yet moved. */
	CHECK(sh("git -C other push -q -f origin HEAD~1:stage &&\n"
	    "git -C copy.git fetch -q ../remote.git +stage:refs/fetched/stage"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(config_repo_state(repo).unpushed, 1);
	config_repo_free(repo);
	CHECK_STR(output("git -C copy.git show stage:isv1/logs/d.log"), "one\nours\n");

	/* Moved, and upstream not yet recorded. */
	old = output("git -C copy.git rev-parse refs/remotes/origin/stage");
	CHECK(other_pushes("git reset -q --hard origin/stage; echo theirs >>isv1/logs/d.log"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	config_repo_free(repo);
	CHECK(sh("git -C copy.git update-ref refs/remotes/origin/stage %s", old));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(config_repo_state(repo).unpushed, 1);
	CHECK_STR(output("git -C copy.git show stage:isv1/logs/d.log"), "one\ntheirs\nours\n");

	/* Pushed, and the answer lost; then somebody else pushed on top. */
	new = output("git -C copy.git rev-parse stage");
	CHECK(sh("git -C copy.git push -q ../remote.git stage:stage"));
	CHECK(other_pushes("echo more >>isv1/logs/d.log"));
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "later\n", &err), 1);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\ntheirs\nours\nmore\nlater\n");
	CHECK_INT(news.replayed, 1);
	CHECK_STR(output("git -C remote.git rev-parse stage~2"), new);
	config_repo_free(repo);
}

TEST(many_own_commits_become_one)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	char line[32];
	int i;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	for (i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", line, &err), 1);
	}
	CHECK(other_pushes("echo theirs >>isv1/logs/d.log"));
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_INT(news.replayed, 1);
	CHECK_STR(output("git -C remote.git show stage:isv1/logs/d.log | grep -c 'line'"), "100\n");
	CHECK_STR(output("git -C remote.git show stage:isv1/logs/d.log | sed -n '2p;$p'"),
	    "theirs\nline 99\n");
}

TEST(missing_branch_and_unreachable_repo)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	struct config_repo_options o = options();
	struct config_repo *repo;

	CHECK(make_remote());
	o.branch = "prod";
	CHECK((repo = config_repo_open(&o, &err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(strstr(err.text, "no branch 'prod'") != NULL && strstr(err.text, "create it"));
	config_repo_free(repo);

	o.branch = "stage";
	CHECK((repo = config_repo_open(&o, &err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	config_repo_free(repo);
	CHECK(sh("mv remote.git away.git"));
	CHECK((repo = config_repo_open(&o, &err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), -1);
	CHECK(strstr(err.text, "branch") == NULL);
	CHECK(config_repo_state(repo).has_tip);		/* the last good copy serves on */
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "meanwhile\n", &err), 1);
	CHECK(config_repo_push(repo, &news, &(struct deadline){ INT64_MAX, NULL }, &err) == -1);
	CHECK_INT(config_repo_state(repo).unpushed, 1);
	CHECK(sh("mv away.git remote.git"));
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\nmeanwhile\n");

	/* The branch is taken away: it is not ours to bring back. */
	CHECK(sh("git -C remote.git branch -m stage retired"));
	CHECK_INT(pull(repo, &news, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "kept\n", &err), 1);
	CHECK(config_repo_push(repo, &news, &(struct deadline){ INT64_MAX, NULL }, &err) == -1);
	CHECK_STR(output("git -C remote.git branch --format='%%(refname:short)'"), "retired\n");
	config_repo_free(repo);

	o.branch = "no good";
	CHECK(config_repo_open(&o, &err) == NULL);
	CHECK_INT(err.kind, ERROR_INPUT);
}

TEST(empty_repo_and_missing_raas_cfg)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(buf_done) struct buf cfg = BUF_INIT;

	CHECK(sh("rm -rf remote.git other copy.git; git init -q --bare -b stage remote.git"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK_INT(config_repo_raas_cfg(repo, &cfg, &err), -1);
	CHECK(sh("git clone -q remote.git other && cd other && git checkout -q -B stage &&\n"
	    "echo hello >README && git add . && git commit -qm readme && git push -q origin stage"));
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(config_repo_raas_cfg(repo, &cfg, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(strstr(err.text, "no raas.cfg on branch 'stage'") != NULL);
	CHECK(other_pushes("ln -s /etc/passwd raas.cfg"));
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(config_repo_raas_cfg(repo, &cfg, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
}

TEST(hook_refusal_is_told_and_nothing_is_lost)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	struct deadline deadline = deadline_in(600000, NULL);

	CHECK(make_remote());
	CHECK(sh("printf '#!/bin/sh\\necho log lines are frozen >&2\\nexit 1\\n' "
	    ">remote.git/hooks/pre-receive\nchmod +x remote.git/hooks/pre-receive"));
	CHECK((repo = open_copy_over_ssh(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "ours\n", &err), 1);
	CHECK_INT(config_repo_push(repo, &news, &deadline, &err), -1);
	CHECK(strstr(err.text, "log lines are frozen") != NULL);
	CHECK(deadline_left_ms(&deadline) > 0);
	CHECK_INT(config_repo_state(repo).unpushed, 1);

	/* What a push that failed had learned is told by the next. */
	CHECK(sh("cd other; echo '#' >>raas.cfg; git commit -qam other\n"
	    "rm ../remote.git/hooks/pre-receive; git push -q origin HEAD:stage\n"
	    "printf '#!/bin/sh\\nexit 1\\n' >../remote.git/hooks/pre-receive\n"
	    "chmod +x ../remote.git/hooks/pre-receive"));
	CHECK_INT(config_repo_push(repo, &news, &deadline, &err), -1);
	CHECK_INT(config_repo_state(repo).unpushed, 1);
	CHECK(sh("rm remote.git/hooks/pre-receive"));
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK(news.changed);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\nours\n");
}

TEST(another_url_keeps_own_commits_aside)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	struct config_repo_options o = options();
	struct config_repo *repo;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "ours\n", &err), 1);
	config_repo_free(repo);
	CHECK(sh("git init -q --bare -b stage new.git; cd other; git checkout -q --orphan x\n"
	    "git rm -rqf .; echo '[n]' >raas.cfg; git add .; git commit -qm n\n"
	    "git push -q ../new.git HEAD:stage"));
	o.url = "new.git";
	CHECK((repo = config_repo_open(&o, &err)) != NULL);
	CHECK(!config_repo_state(repo).has_tip);
	CHECK_INT(config_repo_notes(repo)->n, 1);
	CHECK(strstr(config_repo_notes(repo)->texts[0], "1 commits for branch 'stage'") != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK(news.first);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(output("git -C new.git log --format=%%s stage"), "n\n");
	CHECK_STR(output("git -C copy.git show $(git -C copy.git for-each-ref "
	    "--format='%%(refname)' refs/kept/):isv1/logs/d.log"), "one\nours\n");
	config_repo_free(repo);
	CHECK((repo = config_repo_open(&o, &err)) != NULL);
	CHECK_INT(config_repo_notes(repo)->n, 0);
	config_repo_free(repo);
}

TEST(another_branch_waits_for_its_return)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	struct config_repo_options o = options();
	struct config_repo *repo;

	CHECK(make_remote());
	CHECK(sh("git -C remote.git branch test stage"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "for stage\n", &err), 1);
	config_repo_free(repo);
	o.branch = "test";
	CHECK((repo = config_repo_open(&o, &err)) != NULL);
	CHECK_INT(config_repo_notes(repo)->n, 1);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(config_repo_state(repo).unpushed, 0);
	config_repo_free(repo);
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\nfor stage\n");
	CHECK_STR(output("git -C remote.git show test:isv1/logs/d.log"), "one\n");
	config_repo_free(repo);
}

TEST(read_only_never_writes)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	struct config_repo_options o = options();
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	struct deadline deadline = deadline_in(10000, NULL);
	const char *before;

	CHECK(make_remote());
	before = output("git -C remote.git rev-parse stage");
	o.read_only = true;
	CHECK((repo = config_repo_open(&o, &err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "x\n", &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_INT(config_repo_push(repo, &news, &deadline, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_STR(output("git -C remote.git rev-parse stage"), before);
	CHECK_STR(output("git -C copy.git rev-parse stage"), before);
}

TEST(cancel_and_deadline)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	atomic_bool cancelled = true;
	struct deadline over = deadline_in(10000, &cancelled);

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "x\n", &err), 1);
	CHECK_INT(config_repo_push(repo, &news, &over, &err), -1);
	CHECK_INT(err.kind, ERROR_CANCELLED);
	CHECK_INT(config_repo_state(repo).unpushed, 1);
}

TEST(view_lists_metadata)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(config_view_free_p) struct config_view *view = NULL;
	cleanup(repo_files_done) struct repo_files files = { 0 }, trees = { 0 };
	cleanup(buf_done) struct buf data = BUF_INIT;
	struct deadline deadline = deadline_in(10000, NULL);
	git_oid tip, old = repo_oid_of_bytes("{\"v\":1}", 7), never = repo_oid_of_bytes("?", 1);
	bool found;

	CHECK(make_remote());
	CHECK(config_view_open("copy.git", &err) == NULL);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(other_pushes("cd isv1/metadata; echo 3 >a.json; echo x >README; echo y >.x.json\n"
	    "echo z >'b c.json'; ln -s a.json l.json; mkdir d.json; echo >d.json/x; cd ../..\n"
	    "mkdir -p redhat/metadata; echo m >redhat/metadata/mask.json"));
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	tip = config_repo_state(repo).tip;
	CHECK((view = config_view_open("copy.git", &err)) != NULL);
	CHECK_INT(config_view_metadata(view, &tip, "isv1", &files, &err), 0);
	CHECK_INT(files.n, 1);
	CHECK_STR(files.files[0].name, "a.json");
	CHECK_INT(files.files[0].size, 2);
	CHECK_INT(files.ignored.n, 5);
	CHECK_INT(config_view_read_blob(view, &files.files[0].oid, &data, &err), 0);
	CHECK_STR(buf_str(&data), "3\n");
	CHECK_INT(config_view_history_has(view, &tip, "isv1", "a.json", &old, &found, &deadline,
	    &err), 0);
	CHECK(found);
	CHECK_INT(config_view_history_has(view, &tip, "isv1", "a.json", &never, &found, &deadline,
	    &err), 0);
	CHECK(!found);
	deadline = deadline_in(0, NULL);
	CHECK_INT(config_view_history_has(view, &tip, "isv1", "a.json", &old, &found, &deadline,
	    &err), -1);
	CHECK_INT(config_view_metadata_trees(view, &tip, &trees, &err), 0);
	CHECK_INT(trees.n, 3);
	CHECK(repo_files_find(&trees, "isv2") != NULL && repo_files_find(&trees, "isv3") == NULL);
	CHECK(repo_files_find(&trees, "redhat") != NULL);
	repo_files_done(&files);
	CHECK_INT(config_view_metadata(view, &tip, "isv9", &files, &err), 0);
	CHECK_INT(files.n, 0);
	buf_clear(&data);
	CHECK_INT(config_view_read(view, &tip, "nothing", 10, &data, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK_INT(config_view_read(view, &tip, "raas.cfg", 3, &data, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
}

TEST(view_tells_what_changed)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	struct config_changes changes;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(config_view_changes(config_repo_view(repo), NULL, &news.to, &changes, &err), 0);
	CHECK(changes.raas_cfg && !changes.redhat);
	CHECK_INT(changes.n_isvs, 2);
	config_changes_done(&changes);

	CHECK(other_pushes("echo l >>isv1/logs/d.log; rm -r isv2; mkdir -p isv3/metadata isv4/logs\n"
	    "echo 1 >isv3/metadata/x.json; echo l >isv4/logs/d.log; echo >README\n"
	    "mkdir -p redhat; echo >redhat/other"));
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(config_view_changes(config_repo_view(repo), &news.from, &news.to, &changes,
	    &err), 0);
	CHECK(!changes.raas_cfg && !changes.redhat);
	CHECK_INT(changes.n_isvs, 2);
	CHECK_STR(changes.isvs[0], "isv2");
	CHECK_STR(changes.isvs[1], "isv3");
	config_changes_done(&changes);

	CHECK(other_pushes("mkdir -p redhat/metadata; echo >redhat/metadata/x.json; rm raas.cfg"));
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK_INT(config_view_changes(config_repo_view(repo), &news.from, &news.to, &changes,
	    &err), 0);
	CHECK(changes.raas_cfg && changes.redhat);
	CHECK_INT(changes.n_isvs, 0);
	config_changes_done(&changes);
}

TEST(ten_thousand_isvs)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(config_changes_done) struct config_changes changes = { 0 };
	cleanup(repo_files_done) struct repo_files trees = { 0 };
	int64_t start;

	CHECK(sh("rm -rf remote.git other copy.git; git init -q --bare -b stage remote.git\n"
	    "( echo 'commit refs/heads/stage'; echo 'committer o <o@o> 1 +0000'\n"
	    "  echo 'data 1'; echo m\n"
	    "  awk 'BEGIN { for (i = 1; i <= 10000; i++) {\n"
	    "    printf \"M 644 inline isv%%d/metadata/a.json\\ndata 6\\n%%06d\\n\", i, i\n"
	    "    printf \"M 644 inline isv%%d/logs/d.log\\ndata 6\\n%%06d\\n\", i, i } }'\n"
	    ") | git -C remote.git fast-import --quiet"));
	CHECK((repo = open_copy_over_ssh(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK(sh("( echo 'commit refs/heads/stage'; echo 'committer o <o@o> 2 +0000'\n"
	    "  echo 'data 1'; echo m; echo 'from refs/heads/stage^0'\n"
	    "  awk 'BEGIN { for (i = 1; i <= 10000; i++)\n"
	    "    printf \"M 644 inline isv%%d/logs/d.log\\ndata 6\\n%%06d\\n\", i, i + 70000 }'\n"
	    "  echo 'M 644 inline isv5000/metadata/a.json'; echo 'data 1'; echo x\n"
	    ") | git -C remote.git fast-import --quiet"));
	CHECK_INT(pull(repo, &news, &err), 0);
	start = clock_monotonic_ms();
	CHECK_INT(config_view_changes(config_repo_view(repo), &news.from, &news.to, &changes,
	    &err), 0);
	printf("# what changed, every log and one metadata file of 10,000: %lld ms\n",
	    (long long)(clock_monotonic_ms() - start));
	CHECK_INT(changes.n_isvs, 1);
	CHECK_STR(changes.isvs[0], "isv5000");
	start = clock_monotonic_ms();
	CHECK_INT(config_view_metadata_trees(config_repo_view(repo), &news.to, &trees, &err), 0);
	printf("# the metadata trees of 10,000: %lld ms\n",
	    (long long)(clock_monotonic_ms() - start));
	CHECK_INT(trees.n, 10000);
	start = clock_monotonic_ms();
	CHECK_INT(change(repo, CONFIG_APPEND, "isv77/logs/d.log", "line\n", &err), 1);
	printf("# a commit: %lld ms\n", (long long)(clock_monotonic_ms() - start));
	start = clock_monotonic_ms();
	CHECK_INT(push(repo, &news, &err), 0);
	printf("# a push: %lld ms\n", (long long)(clock_monotonic_ms() - start));
}

TEST(tidy_packs_and_disturbs_nobody)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(config_view_free_p) struct config_view *reader = NULL;
	cleanup(buf_done) struct buf cfg = BUF_INIT;
	cleanup(repo_files_done) struct repo_files trees = { 0 };
	struct deadline deadline = deadline_in(600000, NULL), over = deadline_in(0, NULL);
	git_oid tip;
	int i;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	for (i = 0; i < 32; i++) {
		CHECK(sh("cd other; echo %d >>README; mkdir -p n%d/metadata; echo >n%d/metadata/x.json\n"
		    "git add .; git commit -qm n; git push -q origin HEAD:stage", i, i, i));
		CHECK_INT(pull(repo, &news, &err), 0);
		CHECK(news.changed);
	}
	CHECK_INT(change(repo, CONFIG_APPEND, "isv1/logs/d.log", "unpushed\n", &err), 1);
	tip = config_repo_state(repo).tip;
	CHECK((reader = config_view_open("copy.git", &err)) != NULL);
	CHECK_INT(config_view_read(reader, &news.from, "raas.cfg", 100, &cfg, &err), 0);

	CHECK_INT(config_repo_tidy(repo, &over, &err), -1);
	CHECK(sh("git -C copy.git fsck --strict"));
	CHECK_INT(config_repo_tidy(repo, &deadline, &err), 0);
	CHECK_STR(output("find copy.git/objects -type f | sed 's/.*[.]//' | sort | uniq -c | tr -s ' '"),
	    " 1 idx\n 1 pack\n");
	CHECK(sh("git -C copy.git fsck --strict"));
	CHECK_INT(config_view_metadata_trees(reader, &tip, &trees, &err), 0);
	CHECK_INT(trees.n, 34);
	CHECK_INT(config_repo_tidy(repo, &deadline, &err), 0);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"), "one\nunpushed\n");
}

TEST(tidy_many_loose_objects)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(repo_files_done) struct repo_files trees = { 0 };
	struct deadline deadline = deadline_in(600000, NULL);
	int64_t start;

	CHECK(sh("rm -rf remote.git other copy.git; git init -q --bare -b stage remote.git\n"
	    "( echo 'commit refs/heads/stage'; echo 'committer o <o@o> 1 +0000'\n"
	    "  echo 'data 1'; echo m\n"
	    "  awk 'BEGIN { for (i = 1; i <= 3500; i++)\n"
	    "    printf \"M 644 inline isv%%d/metadata/a.json\\ndata 6\\n%%06d\\n\", i, i }'\n"
	    ") | git -C remote.git fast-import --quiet"));
	CHECK((repo = open_copy_over_ssh(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	config_repo_free(steal(repo));
	CHECK(sh("mv copy.git/objects/pack/*.pack all.pack; rm -f copy.git/objects/pack/*\n"
	    "git -C copy.git -c core.fsync=none unpack-objects -q <all.pack"));
	CHECK((repo = open_copy_over_ssh(&err)) != NULL);
	start = clock_monotonic_ms();
	CHECK_INT(config_repo_tidy(repo, &deadline, &err), 0);
	printf("# packing 10,501 objects: %lld ms\n", (long long)(clock_monotonic_ms() - start));
	CHECK_STR(output("git -C copy.git count-objects -v | grep -E '^(count|packs|in-pack)'"),
	    "count: 0\nin-pack: 10502\npacks: 1\n");
	CHECK_INT(config_view_metadata_trees(config_repo_view(repo), &news.to, &trees, &err), 0);
	CHECK_INT(trees.n, 3500);
	CHECK_INT(pull(repo, &news, &err), 0);
	CHECK(!news.changed);
}

/* Freed memory that the address sanitizer holds back would count as growth. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=1";
}

static long
resident_kib(void)
{
	long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	if (f != NULL)
		fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

TEST(pulls_do_not_grow)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	long before;
	int i;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	for (i = 0; i < 20; i++)
		CHECK_INT(pull(repo, &news, &err), 0);
	before = resident_kib();
	for (i = 0; i < 200; i++)
		CHECK_INT(pull(repo, &news, &err), 0);
	printf("# 200 pulls: %ld KiB\n", resident_kib() - before);
	CHECK(resident_kib() - before < 8 * 1024);
}

/* The writer that is killed: says on the pipe each line that was committed. */
static void
write_until_killed(int fd, int generation)
{
	struct error err = ERROR_INIT;
	struct config_news news = { 0 };
	struct config_repo *repo = open_copy(&err);
	char line[64], meta[64];
	int i;

	for (i = 0; repo != NULL; i++) {
		snprintf(line, sizeof(line), "own %d.%d\n", generation, i);
		snprintf(meta, sizeof(meta), "own %d.%d", generation, i);
		if (change(repo, CONFIG_APPEND, "isv1/logs/d.log", line, &err) != 1 ||
		    write(fd, line, strlen(line)) == -1 ||
		    change(repo, CONFIG_PUT, "isv1/metadata/own.json", meta, &err) != 1)
			break;
		if (i % 3 == 2 && push(repo, &news, &err) == -1)
			break;
	}
	printf("# writer %d.%d: %s\n", generation, i, err.text);
	fflush(stdout);
	_exit(1);
}

/* Starts a writer, kills it within a time like the one that the first took for its first line, and
 * adds what it acknowledged to `said`. */
static bool
kill_a_writer(int generation, struct buf *said)
{
	static int64_t first_ms;
	int64_t start = clock_monotonic_ms();
	char chunk[4096];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	if (pipe(fds) == -1 || (pid = fork()) == -1)
		return false;
	if (pid == 0) {
		close(fds[0]);
		write_until_killed(fds[1], generation);
	}
	close(fds[1]);
	if (generation == 0 && (n = read(fds[0], chunk, sizeof(chunk))) > 0) {
		buf_add(said, chunk, (size_t)n);
		first_ms = clock_monotonic_ms() - start;
	} else {
		usleep((useconds_t)(rand() % (3 * first_ms + 100)) * 1000 + 5000);
	}
	kill(pid, SIGKILL);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0)
		buf_add(said, chunk, (size_t)n);
	close(fds[0]);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every line of `said` stands in `log` exactly once, and no line stands there twice. */
static bool
each_once(char *said, char *log)
{
	char *lines[20000], *line, *save = NULL;
	size_t n = 0, i;

	for (line = strtok_r(log, "\n", &save); line != NULL && n < 20000;
	    line = strtok_r(NULL, "\n", &save))
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), compare_lines);
	for (i = 1; i < n; i++) {
		if (strcmp(lines[i - 1], lines[i]) == 0) {
			printf("# twice: %s\n", lines[i]);
			return false;
		}
	}
	for (line = strtok_r(said, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (bsearch(&line, lines, n, sizeof(*lines), compare_lines) == NULL) {
			printf("# lost: %s\n", line);
			return false;
		}
	}
	return true;
}

TEST(killed_at_any_point)
{
	struct error err = ERROR_INIT;
	cleanup(config_news_done) struct config_news news = { 0 };
	cleanup(config_repo_free_p) struct config_repo *repo = NULL;
	cleanup(buf_done) struct buf said = BUF_INIT, log = BUF_INIT;
	git_oid tip;
	int i;

	CHECK(make_remote());
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(pull(repo, &news, &err), 0);
	config_repo_free(steal(repo));
	for (i = 0; i < 25; i++) {
		CHECK(kill_a_writer(i, &said));
		if (i % 4 == 1) {
			char commands[64];

			snprintf(commands, sizeof(commands), "echo theirs %d >>isv1/logs/d.log", i);
			CHECK(other_pushes_in_the_end(commands));
		}
	}
	printf("# %zu bytes of lines acknowledged\n", said.len);
	CHECK(said.len > 0);
	CHECK((repo = open_copy(&err)) != NULL);
	CHECK_INT(push(repo, &news, &err), 0);
	CHECK_INT(pull(repo, &news, &err), 0);
	tip = config_repo_state(repo).tip;
	CHECK_INT(config_view_read(config_repo_view(repo), &tip, "isv1/logs/d.log", 1 << 20, &log,
	    &err), 0);
	CHECK_STR(remote_file("isv1/logs/d.log"), buf_str(&log));
	CHECK_STR(output("git -C remote.git show stage:isv1/logs/d.log | grep -c theirs"), "6\n");
	CHECK(each_once(said.data, log.data));
	CHECK(sh("git -C copy.git fsck --strict --no-dangling && git -C remote.git fsck --strict"));
}

int
main(void)
{
	int status;

	git_box_make();
	git_setup();
	srand((unsigned int)getpid());
	status = RUN(CASE(pull_commit_push), CASE(nothing_changed_is_no_commit),
	    CASE(changes_of_one_file_in_one_commit), CASE(paths_that_are_not_ours),
	    CASE(what_stands_in_the_way_is_left), CASE(logs_of_both_writers_are_kept),
	    CASE(metadata_changed_by_both), CASE(force_push_loses_no_own_commit),
	    CASE(interrupted_moves_are_finished), CASE(many_own_commits_become_one),
	    CASE(missing_branch_and_unreachable_repo), CASE(empty_repo_and_missing_raas_cfg),
	    CASE(hook_refusal_is_told_and_nothing_is_lost),
	    CASE(another_url_keeps_own_commits_aside), CASE(another_branch_waits_for_its_return),
	    CASE(read_only_never_writes), CASE(cancel_and_deadline), CASE(view_lists_metadata),
	    CASE(view_tells_what_changed), CASE(ten_thousand_isvs),
	    CASE(tidy_packs_and_disturbs_nobody), CASE(tidy_many_loose_objects), CASE(pulls_do_not_grow),
	    CASE(killed_at_any_point));
	git_teardown();
	git_box_remove();
	return status;
}
