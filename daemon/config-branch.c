#include "daemon/config-branch.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "daemon/config-edit.h"

#define SQUASH_BEYOND 64

CLEANUP_FUNC(git_revwalk, git_revwalk_free);

void
config_branch_init(struct config_branch *branch, const char *name,
    const struct repo_author *author, bool verifies)
{
	*branch = (struct config_branch){ .name = xstrdup(name), .verifies = verifies };
	branch->author_name = xstrdup(author->name);
	branch->author_email = xstrdup(author->email);
	branch->signing_key = xstrdup(author->signing_key);
	branch->author = (struct repo_author){ branch->author_name, branch->author_email,
	    branch->signing_key };
	branch->local = xasprintf("refs/heads/%s", name);
	branch->upstream = xasprintf("refs/remotes/origin/%s", name);
	branch->fetched = xasprintf("refs/fetched/%s", name);
	branch->incoming = xasprintf("refs/incoming/%s", name);
	branch->verified = xasprintf("refs/verified/%s", name);
}

void
config_branch_done(struct config_branch *branch)
{
	free(branch->name);
	free(branch->author_name);
	free(branch->author_email);
	free(branch->local);
	free(branch->upstream);
	free(branch->fetched);
	free(branch->incoming);
	free(branch->verified);
	free(branch->signing_key);
}

void
config_news_done(struct config_news *news)
{
	repo_notes_done(&news->dropped);
	*news = (struct config_news){ 0 };
}

int
config_branch_stands_on(const struct config_branch *branch, const git_oid *commit,
    const git_oid *base, struct error *err)
{
	int status;

	if (git_oid_equal(commit, base))
		return 1;
	status = git_graph_descendant_of(branch->git, commit, base);
	return status < 0 ? git_fail(err, ERROR_SYSTEM, "branch '%s'", branch->name) : status;
}

/* A copy from before signatures were required was never verified. */
static int
is_followed(const struct config_branch *branch, const git_oid *upstream, struct error *err)
{
	git_oid verified;
	bool found;

	if (!branch->verifies)
		return 1;
	if (repo_ref(branch->git, branch->verified, &verified, &found, err) == -1)
		return -1;
	return found ? config_branch_stands_on(branch, &verified, upstream, err) : 0;
}

static int
read_state(struct config_branch *branch, struct error *err)
{
	struct config_branch_state state = { 0 };
	bool has_upstream;
	size_t behind;
	int followed;

	if (repo_ref(branch->git, branch->local, &state.tip, &state.has_tip, err) == -1 ||
	    repo_ref(branch->git, branch->upstream, &state.upstream, &has_upstream, err) == -1)
		return -1;
	followed = has_upstream ? is_followed(branch, &state.upstream, err) : 0;
	if (followed == -1)
		return -1;
	state.has_tip = state.has_tip && followed == 1;
	if (state.has_tip && !git_oid_equal(&state.tip, &state.upstream) &&
	    git_graph_ahead_behind(&state.unpushed, &behind, branch->git, &state.tip,
	    &state.upstream) != 0)
		return git_fail(err, ERROR_SYSTEM, "branch '%s'", branch->name);
	branch->state = state;
	return 0;
}

/* A run of own commits, oldest first. */
struct own_commits {
	git_oid	*ids;
	size_t	 n;
};

static void
own_commits_done(struct own_commits *own)
{
	free(own->ids);
}

/* What is reachable from the tip but neither from the upstream that it stands on nor from the
 * one just fetched: a push whose answer was lost is in the latter, and must not come twice. */
static int
find_own(const struct config_branch *branch, const git_oid *tip, const git_oid *upstream,
    const git_oid *fetched, struct own_commits *own, struct error *err)
{
	cleanup(git_revwalk_free_p) git_revwalk *walk = NULL;
	git_oid id;
	int status;

	if (git_revwalk_new(&walk, branch->git) != 0 ||
	    git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE) != 0 ||
	    git_revwalk_push(walk, tip) != 0 || git_revwalk_hide(walk, upstream) != 0 ||
	    git_revwalk_hide(walk, fetched) != 0)
		return git_fail(err, ERROR_SYSTEM, "branch '%s'", branch->name);
	while ((status = git_revwalk_next(&id, walk)) == 0) {
		own->ids = xreallocarray(own->ids, own->n + 1, sizeof(*own->ids));
		own->ids[own->n++] = id;
	}
	if (status != GIT_ITEROVER)
		return git_fail(err, ERROR_SYSTEM, "branch '%s'", branch->name);
	return 0;
}

/* Where own commits go from and to, while they are put there. */
struct rebase {
	git_oid		 upstream;		/* stood on so far */
	git_oid		 fetched;		/* to stand on now */
	git_oid		 tip;			/* the new tip as far as it got */
	struct config_news *news;
};

/* Puts what happened from `before` to `after` on the new tip. A commit of which nothing is left
 * is not made. */
static int
replay_span(struct config_branch *branch, struct rebase *rebase, const git_oid *before,
    const git_oid *after, const char *message, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *from = NULL, *to = NULL, *old = NULL, *new = NULL;
	cleanup(git_tree_free_p) git_tree *onto = NULL;
	cleanup(git_commit_free_p) git_commit *commit = NULL;
	git_oid tree;

	if (repo_tree(branch->git, before, &from, err) == -1 ||
	    repo_tree(branch->git, after, &to, err) == -1 ||
	    repo_tree(branch->git, &rebase->upstream, &old, err) == -1 ||
	    repo_tree(branch->git, &rebase->fetched, &new, err) == -1 ||
	    repo_tree(branch->git, &rebase->tip, &onto, err) == -1)
		return -1;
	if (git_commit_lookup(&commit, branch->git, after) != 0)
		return git_fail(err, ERROR_SYSTEM, "branch '%s'", branch->name);
	if (config_edit_replay(branch->git, &(struct config_replay){ from, to, old, new, onto },
	    &tree, &rebase->news->dropped, err) == -1)
		return -1;
	if (git_oid_equal(&tree, git_tree_id(onto)))
		return 0;
	if (repo_commit(branch->git, &tree, &rebase->tip, &branch->author, commit,
	    message != NULL ? message : git_commit_message(commit), &rebase->tip, err) == -1)
		return -1;
	rebase->news->replayed++;
	return 0;
}

/* What an own commit was made on. Own commits have one parent, always. */
static int
parent_of(struct config_branch *branch, const git_oid *id, git_oid *parent, struct error *err)
{
	cleanup(git_commit_free_p) git_commit *commit = NULL;

	if (git_commit_lookup(&commit, branch->git, id) != 0)
		return git_fail(err, ERROR_SYSTEM, "branch '%s'", branch->name);
	if (git_commit_parentcount(commit) != 1)
		return error_set(err, ERROR_SYSTEM, "branch '%s': commit %.12s is not of raasd",
		    branch->name, git_oid_tostr_s(id));
	*parent = *git_commit_parent_id(commit, 0);
	return 0;
}

static int
replay_each(struct config_branch *branch, struct rebase *rebase, const struct own_commits *own,
    struct error *err)
{
	git_oid parent;
	size_t i;

	for (i = 0; i < own->n; i++) {
		if (parent_of(branch, &own->ids[i], &parent, err) == -1 ||
		    replay_span(branch, rebase, &parent, &own->ids[i], NULL, err) == -1)
			return -1;
	}
	return 0;
}

/* After hours without the remote there may be thousands: then they become one commit, so that
 * catching up takes bounded time. */
static int
replay_all(struct config_branch *branch, struct rebase *rebase, const struct own_commits *own,
    struct error *err)
{
	cleanup(free_p) char *message = NULL;
	git_oid parent;

	if (own->n <= SQUASH_BEYOND)
		return replay_each(branch, rebase, own, err);
	if (parent_of(branch, &own->ids[0], &parent, err) == -1)
		return -1;
	message = xasprintf("raasd: %zu commits made while the config repo was away\n", own->n);
	return replay_span(branch, rebase, &parent, &own->ids[own->n - 1], message, err);
}

/* Whether the tip was already moved onto the fetched commit, and only the upstream reference was
 * not, because the process was killed in between. The tip then stands on what was fetched; but
 * so does an unmoved one after a force-push back to an older commit, where the tip still stands
 * on its upstream, and that is not in what was fetched. */
static int
was_moved(const struct config_branch *branch, const git_oid *tip, const git_oid *upstream,
    const git_oid *fetched, struct error *err)
{
	int on_fetched, on_upstream;

	if ((on_fetched = config_branch_stands_on(branch, tip, fetched, err)) != 1)
		return on_fetched;
	if ((on_upstream = config_branch_stands_on(branch, tip, upstream, err)) != 1)
		return on_upstream == 0 ? 1 : -1;
	return config_branch_stands_on(branch, fetched, upstream, err);
}

static int
move_tip(struct config_branch *branch, const git_oid *tip, const git_oid *upstream,
    const git_oid *fetched, struct config_news *news, struct error *err)
{
	cleanup(own_commits_done) struct own_commits own = { 0 };
	struct rebase rebase = { *upstream, *fetched, *fetched, news };
	int moved = was_moved(branch, tip, upstream, fetched, err);

	if (moved != 0)
		return moved == 1 ? 0 : -1;
	if (find_own(branch, tip, upstream, fetched, &own, err) == -1 ||
	    replay_all(branch, &rebase, &own, err) == -1)
		return -1;
	return repo_set_ref(branch->git, branch->local, &rebase.tip, err);
}

/* The order of the two references matters: killed between them, was_moved() tells. */
int
config_branch_catch_up(struct config_branch *branch, struct config_news *news, struct error *err)
{
	git_oid tip, upstream, fetched;
	bool has_tip, has_upstream, has_fetched;

	if (repo_ref(branch->git, branch->local, &tip, &has_tip, err) == -1 ||
	    repo_ref(branch->git, branch->upstream, &upstream, &has_upstream, err) == -1 ||
	    repo_ref(branch->git, branch->fetched, &fetched, &has_fetched, err) == -1)
		return -1;
	if (has_fetched && has_tip && has_upstream && !git_oid_equal(&fetched, &upstream) &&
	    move_tip(branch, &tip, &upstream, &fetched, news, err) == -1)
		return -1;
	if (has_fetched && !(has_tip && has_upstream) &&
	    repo_set_ref(branch->git, branch->local, &fetched, err) == -1)
		return -1;
	if (has_fetched && (!has_upstream || !git_oid_equal(&fetched, &upstream)) &&
	    repo_set_ref(branch->git, branch->upstream, &fetched, err) == -1)
		return -1;
	return read_state(branch, err);
}

int
config_branch_advance(struct config_branch *branch, const git_oid *tree, const char *message,
    struct error *err)
{
	git_oid commit;

	if (repo_commit(branch->git, tree, &branch->state.tip, &branch->author, NULL, message,
	    &commit, err) == -1 || repo_set_ref(branch->git, branch->local, &commit, err) == -1)
		return -1;
	branch->state.tip = commit;
	branch->state.unpushed++;
	return 0;
}
