#include "daemon/git.h"

#include <pthread.h>
#include <sys/stat.h>

#include "tests/unit/test-git.h"

#define REF "refs/heads/stage"
#define TRACKED "refs/remotes/origin/stage"

/* remote.git with one commit, from the second writer's clone other/; ours is made anew. */
static bool
make_remote(void)
{
	return sh("rm -rf remote.git other ours.git\n"
	    "git init -q --bare -b stage remote.git\n"
	    "git clone -q remote.git other\n"
	    "cd other && git checkout -q -B stage\n"
	    "echo one >file && git add . && git commit -qm one && git push -q origin stage");
}

static struct git_remote_at
remote_at(const char *url)
{
	return (struct git_remote_at){ .url = url, .ssh_command = "ssh" };
}

static git_repository *
open_ours(void)
{
	git_repository *git = NULL;
	struct error err = ERROR_INIT;

	if (git_open_bare("ours.git", &git, &err) == -1)
		printf("# %s\n", err.text);
	return git;
}

static const char *
tip_of(const char *repo, const char *ref)
{
	return output("git -C %s rev-parse -q --verify %s | tr -d '\\n'", repo, ref);
}

/* A commit on top of TRACKED with the tree that is there; its refspec to push it to the branch. */
static bool
commit_on_tracked(git_repository *git, const char *message, char *refspec, size_t size)
{
	cleanup(git_commit_free_p) git_commit *parent = NULL;
	cleanup(git_tree_free_p) git_tree *tree = NULL;
	git_signature *me = NULL;
	git_oid tip, made;
	bool ok;

	ok = git_reference_name_to_id(&tip, git, TRACKED) == 0 &&
	    git_commit_lookup(&parent, git, &tip) == 0 && git_commit_tree(&tree, parent) == 0 &&
	    git_signature_now(&me, "raasd", "raasd@example.com") == 0 &&
	    git_commit_create_v(&made, git, "refs/heads/out", me, me, NULL, message, tree, 1,
	    parent) == 0;
	git_signature_free(me);
	snprintf(refspec, size, "refs/heads/out:%s", REF);
	return ok;
}

TEST(opens_and_makes)
{
	cleanup(git_repository_free_p) git_repository *first = NULL, *second = NULL, *third = NULL;
	struct error err = ERROR_INIT;

	CHECK_INT(git_open_bare("new/deep/x.git", &first, &err), 0);
	CHECK(git_repository_is_bare(first));
	CHECK_INT(git_open_bare("new/deep/x.git", &second, &err), 0);
	CHECK(sh("touch plain"));
	CHECK_INT(git_open_bare("plain/x.git", &third, &err), -1);
	CHECK_INT(err.kind, ERROR_SYSTEM);
	CHECK(strstr(err.text, "plain/x.git") != NULL);
}

TEST(looks_at_a_ref)
{
	cleanup(git_repository_free_p) git_repository *git = open_ours();
	struct git_remote_at at = remote_at("remote.git");
	struct deadline d = deadline_in(60000, NULL);
	struct error err = ERROR_INIT;
	bool found;
	git_oid oid;

	CHECK(make_remote());
	CHECK_INT(git_remote_ref(git, &at, REF, &oid, &found, &d, &err), 0);
	CHECK(found);
	CHECK_STR(git_oid_tostr_s(&oid), tip_of("remote.git", REF));
	CHECK_INT(git_remote_ref(git, &at, "refs/heads/sta", &oid, &found, &d, &err), 0);
	CHECK(!found);
	CHECK_INT(git_remote_ref(git, &at, "refs/heads/stages", &oid, &found, &d, &err), 0);
	CHECK(!found);
}

TEST(fetches)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	struct git_remote_at at = remote_at("remote.git");
	struct deadline d = deadline_in(60000, NULL);
	struct error err = ERROR_INIT;

	CHECK(make_remote() && (git = open_ours()) != NULL);
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), 0);
	CHECK_STR(tip_of("ours.git", TRACKED), tip_of("remote.git", REF));
	/* A force-pushed branch is followed; nothing else comes along. */
	CHECK(sh("cd other && git tag v1 && git commit -q --amend -m again && "
	    "git push -q --force origin stage v1 HEAD:refs/heads/more"));
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), 0);
	CHECK_STR(tip_of("ours.git", TRACKED), tip_of("remote.git", REF));
	CHECK_STR(output("git -C ours.git for-each-ref --format='%%(refname)'"), TRACKED "\n");
	CHECK(sh("git -C ours.git fsck --strict && test ! -s ours.git/FETCH_HEAD"));
}

TEST(a_file_url)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	cleanup(free_p) char *url = xasprintf("file://%s/with%%20space.git", git_box);
	struct git_remote_at at = remote_at(url);
	struct deadline d = deadline_in(60000, NULL);
	struct error err = ERROR_INIT;

	CHECK(make_remote() && (git = open_ours()) != NULL);
	CHECK(sh("rm -rf 'with space.git' && cp -r remote.git 'with space.git'"));
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), 0);
	CHECK_STR(tip_of("ours.git", TRACKED), tip_of("remote.git", REF));
}

TEST(what_is_missing)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	struct git_remote_at at = remote_at("remote.git"), nowhere = remote_at("nowhere.git");
	struct deadline d = deadline_in(60000, NULL);
	struct error err = ERROR_INIT;
	bool found;
	git_oid oid;

	CHECK(make_remote() && (git = open_ours()) != NULL);
	CHECK_INT(git_fetch(git, &at, "+refs/heads/prod:refs/remotes/origin/prod", &d, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK_STR(err.text, "remote.git: there is no 'refs/heads/prod'");
	CHECK_INT(git_remote_ref(git, &nowhere, REF, &oid, &found, &d, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(strstr(err.text, "nowhere.git: ") == err.text);
	/* An empty repository is no error: it has no refs. */
	CHECK(sh("rm -rf empty.git && git init -q --bare empty.git"));
	at.url = "empty.git";
	CHECK_INT(git_remote_ref(git, &at, REF, &oid, &found, &d, &err), 0);
	CHECK(!found);
}

TEST(pushes)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	struct git_remote_at at = remote_at("remote.git");
	struct deadline d = deadline_in(60000, NULL);
	struct error err = ERROR_INIT;
	enum git_push_result result = GIT_PUSH_REFUSED;
	char refspec[128];

	CHECK(make_remote() && (git = open_ours()) != NULL);
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), 0);
	CHECK(commit_on_tracked(git, "ours", refspec, sizeof refspec));
	CHECK_INT(git_push_to(git, &at, refspec, NULL, &result, &d, &err), 0);
	CHECK_INT(result, GIT_PUSH_DONE);
	CHECK_STR(tip_of("remote.git", REF), tip_of("ours.git", "refs/heads/out"));
	CHECK(sh("git -C remote.git fsck --strict"));
}

TEST(somebody_was_quicker)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	struct git_remote_at at = remote_at("remote.git");
	struct deadline d = deadline_in(60000, NULL);
	struct error err = ERROR_INIT;
	enum git_push_result result = GIT_PUSH_DONE;
	char refspec[128], theirs[64];

	CHECK(make_remote() && (git = open_ours()) != NULL);
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), 0);
	CHECK(commit_on_tracked(git, "ours", refspec, sizeof refspec));
	CHECK(sh("cd other && git commit -q --allow-empty -m theirs && git push -q origin stage"));
	snprintf(theirs, sizeof theirs, "%s", tip_of("remote.git", REF));
	CHECK_INT(git_push_to(git, &at, refspec, NULL, &result, &d, &err), 0);
	CHECK_INT(result, GIT_PUSH_BEHIND);
	CHECK_STR(tip_of("remote.git", REF), theirs);
}

TEST(late_and_cancelled)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	struct git_remote_at at = remote_at("remote.git");
	atomic_bool cancelled = true;
	struct deadline late = deadline_in(0, NULL), stopped = deadline_in(60000, &cancelled);
	struct error err = ERROR_INIT;

	CHECK(make_remote() && (git = open_ours()) != NULL);
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &late, &err), -1);
	CHECK_INT(err.kind, ERROR_REMOTE);
	CHECK_STR(err.text, "remote.git: no answer in time");
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &stopped, &err), -1);
	CHECK_INT(err.kind, ERROR_CANCELLED);
}

TEST(bad_urls_and_commands)
{
	cleanup(git_repository_free_p) git_repository *git = open_ours();
	struct git_remote_at at = remote_at("ssh://u:secret@h/p");
	struct deadline d = deadline_in(60000, NULL);
	struct error err = ERROR_INIT;

	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK(strstr(err.text, "ssh://u@h/p: ") == err.text);
	at = (struct git_remote_at){ .url = "ssh://h/p", .ssh_command = "./no-such-program -x" };
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_STR(err.text, "ssh://h/p: running './no-such-program': No such file or directory");
	at.ssh_command = "  ";
	CHECK_INT(git_fetch(git, &at, "+" REF ":" TRACKED, &d, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK(strstr(err.text, "ssh_command") != NULL);
}

int
main(void)
{
	int status;

	git_box_make();
	git_setup();
	status = RUN(CASE(opens_and_makes), CASE(looks_at_a_ref), CASE(fetches),
	    CASE(a_file_url), CASE(what_is_missing), CASE(pushes), CASE(somebody_was_quicker),
	    CASE(late_and_cancelled), CASE(bad_urls_and_commands));
	git_teardown();
	git_box_remove();
	return status;
}
