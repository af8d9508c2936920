#include "daemon/config-repo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "daemon/config.h"
#include "daemon/repo-pack.h"

#define PUSH_ROUNDS 10
#define SQUASH_BEYOND 64

CLEANUP_FUNC(git_revwalk, git_revwalk_free);

struct config_repo {
	git_repository		*git;
	struct config_view	*view;
	char			*path;
	char			*url;
	char			*public_url;		/* for messages */
	char			*ssh_command;
	char			*branch;
	char			*author_name;
	char			*author_email;
	struct git_remote_at	 at;
	struct repo_author	 author;
	bool			 read_only;
	bool			 gone;			/* the last fetch found no such branch */
	char			*local;			/* refs/heads/B */
	char			*upstream;		/* refs/remotes/origin/B */
	char			*fetched;		/* refs/fetched/B */
	struct config_repo_state state;
	struct repo_notes	 notes;
};

void
config_news_done(struct config_news *news)
{
	repo_notes_done(&news->dropped);
	*news = (struct config_news){ 0 };
}

/* Equal or a descendant: 1, not: 0, -1 with err. */
static int
stands_on(const struct config_repo *repo, const git_oid *commit, const git_oid *base,
    struct error *err)
{
	int status;

	if (git_oid_equal(commit, base))
		return 1;
	status = git_graph_descendant_of(repo->git, commit, base);
	return status < 0 ? git_fail(err, ERROR_SYSTEM, "%s", repo->path) : status;
}

static int
read_state(struct config_repo *repo, struct error *err)
{
	struct config_repo_state state = { 0 };
	bool has_upstream;
	size_t behind;

	if (repo_ref(repo->git, repo->local, &state.tip, &state.has_tip, err) == -1 ||
	    repo_ref(repo->git, repo->upstream, &state.upstream, &has_upstream, err) == -1)
		return -1;
	state.has_tip = state.has_tip && has_upstream;
	if (state.has_tip && !git_oid_equal(&state.tip, &state.upstream) && git_graph_ahead_behind(&state.unpushed, &behind, repo->git,
	    &state.tip, &state.upstream) != 0)
		return git_fail(err, ERROR_SYSTEM, "%s", repo->path);
	repo->state = state;
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
find_own(const struct config_repo *repo, const git_oid *tip, const git_oid *upstream,
    const git_oid *fetched, struct own_commits *own, struct error *err)
{
	cleanup(git_revwalk_free_p) git_revwalk *walk = NULL;
	git_oid id;
	int status = -1;

	if (git_revwalk_new(&walk, repo->git) != 0 ||
	    git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE) != 0 ||
	    git_revwalk_push(walk, tip) != 0 || git_revwalk_hide(walk, upstream) != 0 ||
	    git_revwalk_hide(walk, fetched) != 0)
		return git_fail(err, ERROR_SYSTEM, "%s", repo->path);
	while ((status = git_revwalk_next(&id, walk)) == 0) {
		own->ids = xreallocarray(own->ids, own->n + 1, sizeof(*own->ids));
		own->ids[own->n++] = id;
	}
	return status == GIT_ITEROVER ? 0 : git_fail(err, ERROR_SYSTEM, "%s", repo->path);
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
replay_span(struct config_repo *repo, struct rebase *rebase, const git_oid *before,
    const git_oid *after, const char *message, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *from = NULL, *to = NULL, *old = NULL, *new = NULL;
	cleanup(git_tree_free_p) git_tree *onto = NULL;
	cleanup(git_commit_free_p) git_commit *commit = NULL;
	git_oid tree;

	if (repo_tree(repo->git, before, &from, err) == -1 ||
	    repo_tree(repo->git, after, &to, err) == -1 ||
	    repo_tree(repo->git, &rebase->upstream, &old, err) == -1 ||
	    repo_tree(repo->git, &rebase->fetched, &new, err) == -1 ||
	    repo_tree(repo->git, &rebase->tip, &onto, err) == -1)
		return -1;
	if (git_commit_lookup(&commit, repo->git, after) != 0)
		return git_fail(err, ERROR_SYSTEM, "%s", repo->path);
	if (config_edit_replay(repo->git, &(struct config_replay){ from, to, old, new, onto },
	    &tree, &rebase->news->dropped, err) == -1)
		return -1;
	if (git_oid_equal(&tree, git_tree_id(onto)))
		return 0;
	if (repo_commit(repo->git, &tree, &rebase->tip, &repo->author, commit,
	    message != NULL ? message : git_commit_message(commit), &rebase->tip, err) == -1)
		return -1;
	rebase->news->replayed++;
	return 0;
}

static int
replay_each(struct config_repo *repo, struct rebase *rebase, const struct own_commits *own,
    struct error *err)
{
	size_t i;

	for (i = 0; i < own->n; i++) {
		cleanup(git_commit_free_p) git_commit *commit = NULL;

		if (git_commit_lookup(&commit, repo->git, &own->ids[i]) != 0 ||
		    git_commit_parentcount(commit) != 1)
			return git_fail(err, ERROR_SYSTEM, "%s: own commit %.12s", repo->path,
			    git_oid_tostr_s(&own->ids[i]));
		if (replay_span(repo, rebase, git_commit_parent_id(commit, 0), &own->ids[i], NULL,
		    err) == -1)
			return -1;
	}
	return 0;
}

/* After hours without the remote there may be thousands: then they become one commit, so that
 * catching up takes bounded time. */
static int
replay_all(struct config_repo *repo, struct rebase *rebase, const struct own_commits *own,
    struct error *err)
{
	cleanup(git_commit_free_p) git_commit *first = NULL;
	cleanup(free_p) char *message = NULL;

	if (own->n <= SQUASH_BEYOND)
		return replay_each(repo, rebase, own, err);
	if (git_commit_lookup(&first, repo->git, &own->ids[0]) != 0 ||
	    git_commit_parentcount(first) != 1)
		return git_fail(err, ERROR_SYSTEM, "%s", repo->path);
	message = xasprintf("raasd: %zu commits made while the config repo was away\n", own->n);
	return replay_span(repo, rebase, git_commit_parent_id(first, 0),
	    &own->ids[own->n - 1], message, err);
}

/* Whether the tip was already moved onto the fetched commit, and only the upstream reference was
 * not, because the process was killed in between. The tip then stands on what was fetched; but
 * so does an unmoved one after a force-push back to an older commit, where the tip still stands
 * on its upstream, and that is not in what was fetched. */
static int
was_moved(const struct config_repo *repo, const git_oid *tip, const git_oid *upstream,
    const git_oid *fetched, struct error *err)
{
	int on_fetched, on_upstream, forward;

	if ((on_fetched = stands_on(repo, tip, fetched, err)) != 1)
		return on_fetched;
	if ((on_upstream = stands_on(repo, tip, upstream, err)) != 1)
		return on_upstream == 0 ? 1 : -1;
	forward = stands_on(repo, fetched, upstream, err);
	return forward;
}

static int
move_tip(struct config_repo *repo, const git_oid *tip, const git_oid *upstream,
    const git_oid *fetched, struct config_news *news, struct error *err)
{
	cleanup(own_commits_done) struct own_commits own = { 0 };
	struct rebase rebase = { *upstream, *fetched, *fetched, news };
	int moved = was_moved(repo, tip, upstream, fetched, err);

	if (moved != 0)
		return moved == 1 ? 0 : -1;
	if (find_own(repo, tip, upstream, fetched, &own, err) == -1 ||
	    replay_all(repo, &rebase, &own, err) == -1)
		return -1;
	return repo_set_ref(repo->git, repo->local, &rebase.tip, err);
}

/* Makes the local branch stand on what was fetched last. The order of the two references
 * matters: killed between them, was_moved() tells. */
static int
catch_up(struct config_repo *repo, struct config_news *news, struct error *err)
{
	git_oid tip, upstream, fetched;
	bool has_tip, has_upstream, has_fetched;

	if (repo_ref(repo->git, repo->local, &tip, &has_tip, err) == -1 ||
	    repo_ref(repo->git, repo->upstream, &upstream, &has_upstream, err) == -1 ||
	    repo_ref(repo->git, repo->fetched, &fetched, &has_fetched, err) == -1)
		return -1;
	if (has_fetched && has_tip && has_upstream && !git_oid_equal(&fetched, &upstream) &&
	    move_tip(repo, &tip, &upstream, &fetched, news, err) == -1)
		return -1;
	if (has_fetched && !(has_tip && has_upstream) &&
	    repo_set_ref(repo->git, repo->local, &fetched, err) == -1)
		return -1;
	if (has_fetched && (!has_upstream || !git_oid_equal(&fetched, &upstream)) &&
	    repo_set_ref(repo->git, repo->upstream, &fetched, err) == -1)
		return -1;
	return read_state(repo, err);
}

static int
fetch(struct config_repo *repo, const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *refspec = xasprintf("+%s:%s", repo->local, repo->fetched);

	if (git_fetch(repo->git, &repo->at, refspec, deadline, err) == 0) {
		repo->gone = false;
		return 0;
	}
	if (err->kind != ERROR_MISSING)
		return error_prefix(err, "config repo");
	repo->gone = true;
	return error_set(err, ERROR_MISSING, "config repo %s has no branch '%s': create it there, "
	    "or name the right one as 'environment' in raasd.yaml", repo->public_url, repo->branch);
}

/* Fetches and catches up. News gather over several rounds: `from` stays that of the first. */
static int
fetch_news(struct config_repo *repo, struct config_news *news, const struct deadline *deadline,
    struct error *err)
{
	struct config_repo_state before = repo->state;
	int forward;

	if (fetch(repo, deadline, err) == -1 || catch_up(repo, news, err) == -1)
		return -1;
	if (before.has_tip && git_oid_equal(&before.upstream, &repo->state.upstream))
		return 0;
	if (!news->changed) {
		news->first = !before.has_tip;
		news->from = before.upstream;
	}
	news->changed = true;
	news->to = repo->state.upstream;
	if (before.has_tip) {
		forward = stands_on(repo, &news->to, &before.upstream, err);
		if (forward == -1)
			return -1;
		news->forced |= forward == 0;
	}
	return 0;
}

int
config_repo_pull(struct config_repo *repo, struct config_news *out,
    const struct deadline *deadline, struct error *err)
{
	struct config_news news = { 0 };

	if (fetch_news(repo, &news, deadline, err) == -1) {
		config_news_done(&news);
		return -1;
	}
	*out = news;
	return 0;
}

/* Waits a little, longer each round and never as long as the other writer does. */
static int
back_off(unsigned int round, const struct deadline *deadline, struct error *err)
{
	unsigned int random = 0;
	int64_t most = 50 << (round < 6 ? round : 6);

	getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return deadline_sleep(deadline, most / 2 + random % (most / 2), err);
}

static int
push_once(struct config_repo *repo, enum git_push_result *result, const struct deadline *deadline,
    struct error *err)
{
	cleanup(free_p) char *refspec = xasprintf("%s:%s", repo->local, repo->local);

	if (git_push_to(repo->git, &repo->at, refspec, result, deadline, err) == -1)
		return error_prefix(err, "config repo");
	if (*result == GIT_PUSH_REFUSED)
		return error_prefix(err, "config repo");
	if (*result != GIT_PUSH_DONE)
		return 0;
	/* The first reference says that the remote has it; catch_up() does the rest, now or
	 * after a crash. */
	return repo_set_ref(repo->git, repo->fetched, &repo->state.tip, err);
}

static int
push_rounds(struct config_repo *repo, struct config_news *news, const struct deadline *deadline,
    struct error *err)
{
	enum git_push_result result;
	unsigned int round;

	for (round = 0; round < PUSH_ROUNDS && repo->state.unpushed > 0; round++) {
		if (deadline_check(deadline, err) == -1 ||
		    push_once(repo, &result, deadline, err) == -1)
			return -1;
		if (result == GIT_PUSH_DONE)
			return catch_up(repo, news, err);
		if (round > 0 && back_off(round, deadline, err) == -1)
			return -1;
		if (fetch_news(repo, news, deadline, err) == -1)
			return -1;
	}
	if (repo->state.unpushed > 0)
		return error_set(err, ERROR_REMOTE,
		    "config repo %s: others kept pushing first, trying again later",
		    repo->public_url);
	return 0;
}

int
config_repo_push(struct config_repo *repo, struct config_news *out,
    const struct deadline *deadline, struct error *err)
{
	struct config_news news = { 0 };

	if (repo->read_only)
		return error_set(err, ERROR_INPUT, "the config repo is read only ('commit: false')");
	/* A branch that was deleted there is not ours to bring back. */
	if ((repo->gone && fetch_news(repo, &news, deadline, err) == -1) ||
	    push_rounds(repo, &news, deadline, err) == -1) {
		config_news_done(&news);
		return -1;
	}
	*out = news;
	return 0;
}

static int
commit_tree(struct config_repo *repo, const git_oid *tree, const char *message, struct error *err)
{
	git_oid commit;

	if (repo_commit(repo->git, tree, &repo->state.tip, &repo->author, NULL, message, &commit,
	    err) == -1 || repo_set_ref(repo->git, repo->local, &commit, err) == -1)
		return -1;
	repo->state.tip = commit;
	repo->state.unpushed++;
	return 0;
}

int
config_repo_commit(struct config_repo *repo, const struct config_change *changes, size_t n,
    const char *message, bool *made, struct repo_notes *dropped, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *base = NULL;
	git_oid tree;

	if (repo->read_only)
		return error_set(err, ERROR_INPUT, "the config repo is read only ('commit: false')");
	if (!repo->state.has_tip)
		return error_set(err, ERROR_MISSING, "config repo %s was never fetched",
		    repo->public_url);
	if (config_edit_check(changes, n, err) == -1 ||
	    repo_tree(repo->git, &repo->state.tip, &base, err) == -1 ||
	    config_edit_apply(repo->git, base, changes, n, &tree, dropped, err) == -1)
		return -1;
	*made = false;
	if (git_oid_equal(&tree, git_tree_id(base)))
		return 0;
	if (commit_tree(repo, &tree, message, err) == -1)
		return -1;
	*made = true;
	return 0;
}

int
config_repo_raas_cfg(const struct config_repo *repo, struct buf *out, struct error *err)
{
	if (!repo->state.has_tip)
		return error_set(err, ERROR_MISSING, "config repo %s was never fetched",
		    repo->public_url);
	if (repo_read(repo->git, &repo->state.tip, "raas.cfg", RAAS_CFG_MAX, out, err) == 0)
		return 0;
	if (err->kind != ERROR_MISSING)
		return error_prefix(err, "config repo %s", repo->public_url);
	return error_set(err, ERROR_MISSING, "config repo %s has no raas.cfg on branch '%s': commit "
	    "one to its top folder and push it", repo->public_url, repo->branch);
}

struct config_repo_state
config_repo_state(const struct config_repo *repo)
{
	return repo->state;
}

const struct repo_notes *
config_repo_notes(const struct config_repo *repo)
{
	return &repo->notes;
}

const struct config_view *
config_repo_view(const struct config_repo *repo)
{
	return repo->view;
}

/* The tip of a local branch, and how many of its commits its remote has not got, as far as is
 * known. */
static int
unpushed_of(git_repository *git, const char *branch, git_oid *tip, size_t *n, struct error *err)
{
	cleanup(free_p) char *local = xasprintf("refs/heads/%s", branch);
	cleanup(free_p) char *upstream = xasprintf("refs/remotes/origin/%s", branch);
	bool has_local, has_upstream;
	git_oid base;
	size_t behind;

	*n = 0;
	if (repo_ref(git, local, tip, &has_local, err) == -1 ||
	    repo_ref(git, upstream, &base, &has_upstream, err) == -1)
		return -1;
	if (has_local && has_upstream &&
	    git_graph_ahead_behind(n, &behind, git, tip, &base) != 0)
		return git_fail(err, ERROR_SYSTEM, "branch '%s'", branch);
	return 0;
}

/* Calls fn for each reference whose name begins with `prefix`. The list is taken first, so that
 * fn may delete. */
static int
each_ref(struct config_repo *repo, const char *prefix,
    int (*fn)(struct config_repo *, const char *ref, struct error *), struct error *err)
{
	git_strarray names = { 0 };
	int status = 0;
	size_t i;

	if (git_reference_list(&names, repo->git) != 0)
		return git_fail(err, ERROR_SYSTEM, "%s", repo->path);
	for (i = 0; i < names.count && status == 0; i++) {
		if (strncmp(names.strings[i], prefix, strlen(prefix)) == 0)
			status = fn(repo, names.strings[i], err);
	}
	git_strarray_dispose(&names);
	return status;
}

/* Own commits for another remote get a name under refs/kept/, which follows from the commit:
 * doing it twice is doing it once. */
static int
keep_unpushed(struct config_repo *repo, const char *local, struct error *err)
{
	const char *branch = local + strlen("refs/heads/");
	cleanup(free_p) char *kept = NULL;
	git_oid tip;
	size_t n;

	if (unpushed_of(repo->git, branch, &tip, &n, err) == -1)
		return -1;
	if (n == 0)
		return 0;
	kept = xasprintf("refs/kept/%s/%.12s", branch, git_oid_tostr_s(&tip));
	repo_notes_add(&repo->notes, "the config repo is another one now, %s: %zu commits for "
	    "branch '%s' that the former one never got are kept as %s in %s", repo->public_url, n,
	    branch, kept, repo->path);
	return repo_set_ref(repo->git, kept, &tip, err);
}

static int
forget_ref(struct config_repo *repo, const char *ref, struct error *err)
{
	return repo_delete_ref(repo->git, ref, err);
}

static int
say_unpushed(struct config_repo *repo, const char *local, struct error *err)
{
	const char *branch = local + strlen("refs/heads/");
	git_oid tip;
	size_t n;

	if (strcmp(branch, repo->branch) == 0)
		return 0;
	if (unpushed_of(repo->git, branch, &tip, &n, err) == -1)
		return -1;
	if (n > 0)
		repo_notes_add(&repo->notes, "%zu commits for branch '%s' were never pushed; they "
		    "wait in %s until that environment is served again", n, branch, repo->path);
	return 0;
}

/* Makes sure that what is here belongs to our URL. Everything is kept before anything is
 * forgotten, and the record changes last, so that a kill in between repeats it. */
static int
settle_url(struct config_repo *repo, struct error *err)
{
	cleanup(free_p) char *recorded = repo_recorded_url(repo->git);

	if (strcmp(recorded, repo->public_url) == 0)
		return each_ref(repo, "refs/heads/", say_unpushed, err);
	if (each_ref(repo, "refs/heads/", keep_unpushed, err) == -1 ||
	    each_ref(repo, "refs/heads/", forget_ref, err) == -1 ||
	    each_ref(repo, "refs/fetched/", forget_ref, err) == -1 ||
	    each_ref(repo, "refs/remotes/", forget_ref, err) == -1)
		return -1;
	return repo_record_url(repo->git, repo->public_url, err);
}

/* Finishes what a kill may have interrupted. */
static int
settle_branch(struct config_repo *repo, struct error *err)
{
	cleanup(config_news_done) struct config_news news = { 0 };
	size_t i;

	if (catch_up(repo, &news, err) == -1)
		return -1;
	if (news.replayed > 0)
		repo_notes_add(&repo->notes, "%zu own commits were put on top of the fetched branch",
		    news.replayed);
	for (i = 0; i < news.dropped.n; i++)
		repo_notes_add(&repo->notes, "%s", news.dropped.texts[i]);
	return 0;
}

static struct config_repo *
repo_new(const struct config_repo_options *options)
{
	struct config_repo *repo = xcalloc(1, sizeof(*repo));

	repo->path = xstrdup(options->path);
	repo->url = xstrdup(options->url);
	repo->public_url = repo_public_url(options->url);
	repo->ssh_command = xstrdup(options->ssh_command);
	repo->branch = xstrdup(options->branch);
	repo->author_name = xstrdup(options->author.name);
	repo->author_email = xstrdup(options->author.email);
	repo->at = (struct git_remote_at){ repo->url, repo->ssh_command, options->http };
	repo->author = (struct repo_author){ repo->author_name, repo->author_email };
	repo->read_only = options->read_only;
	repo->local = xasprintf("refs/heads/%s", repo->branch);
	repo->upstream = xasprintf("refs/remotes/origin/%s", repo->branch);
	repo->fetched = xasprintf("refs/fetched/%s", repo->branch);
	return repo;
}

/* New handles on the same repository; those that there were stay when that fails. */
static int
open_handles(struct config_repo *repo, struct error *err)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	struct config_view *view;

	if (git_open_bare(repo->path, &git, err) == -1 ||
	    (view = config_view_open(repo->path, err)) == NULL)
		return -1;
	config_view_free(repo->view);
	git_repository_free(repo->git);
	repo->view = view;
	repo->git = steal(git);
	return 0;
}

int
config_repo_tidy(struct config_repo *repo, const struct deadline *deadline, struct error *err)
{
	bool packed;

	if (repo_pack(repo->git, &packed, deadline, err) == -1)
		return -1;
	return packed ? open_handles(repo, err) : 0;
}

static int
repo_open(struct config_repo *repo, struct error *err)
{
	int valid = 0;

	if (git_branch_name_is_valid(&valid, repo->branch) != 0 || !valid)
		return error_set(err, ERROR_INPUT, "environment '%s' cannot be the name of a branch",
		    repo->branch);
	if (repo_sweep(repo->path, err) == -1 || open_handles(repo, err) == -1 ||
	    settle_url(repo, err) == -1)
		return -1;
	return settle_branch(repo, err);
}

struct config_repo *
config_repo_open(const struct config_repo_options *options, struct error *err)
{
	struct config_repo *repo = repo_new(options);

	if (repo_open(repo, err) == -1) {
		config_repo_free(repo);
		return NULL;
	}
	return repo;
}

void
config_repo_free(struct config_repo *repo)
{
	if (repo == NULL)
		return;
	config_view_free(repo->view);
	git_repository_free(repo->git);
	repo_notes_done(&repo->notes);
	free(repo->path);
	free(repo->url);
	free(repo->public_url);
	free(repo->ssh_command);
	free(repo->branch);
	free(repo->author_name);
	free(repo->author_email);
	free(repo->local);
	free(repo->upstream);
	free(repo->fetched);
	free(repo);
}
