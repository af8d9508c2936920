#include "daemon/config-repo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "daemon/config-trust.h"
#include "daemon/config.h"
#include "daemon/repo-pack.h"

#define PUSH_ROUNDS 10

struct config_repo {
	git_repository		*git;
	struct config_view	*view;
	char			*path;
	char			*url;
	char			*public_url;		/* for messages */
	char			*ssh_command;
	struct git_remote_at	 at;
	char			*allowed_signers;
	struct signature_rules	 signatures;		/* its strings are lent by the others here */
	bool			 read_only;
	bool			 gone;			/* the last fetch found no such branch */
	struct config_branch	 branch;
	struct config_news	 news;			/* learned, and not yet told */
	struct repo_notes	 notes;
};

/* What a fetch failed for: that the branch is not there, which has a cure of its own, looks like
 * a repository that is not there. */
static int
fetch_failed(struct config_repo *repo, const struct deadline *deadline, struct error *err)
{
	git_oid oid;
	bool found;

	if (err->kind != ERROR_MISSING || git_remote_ref(repo->git, &repo->at, repo->branch.local,
	    &oid, &found, deadline, err) == -1)
		return error_prefix(err, "config repo");
	if (found)
		return error_set(err, ERROR_REMOTE, "config repo %s: branch '%s' came only just now",
		    repo->public_url, repo->branch.name);
	repo->gone = true;
	return error_set(err, ERROR_MISSING, "config repo %s has no branch '%s': create it there, "
	    "or name the right one as 'environment' in raasd.yaml", repo->public_url,
	    repo->branch.name);
}

static int
fetch(struct config_repo *repo, const struct deadline *deadline, struct error *err)
{
	const struct config_branch *branch = &repo->branch;
	cleanup(free_p) char *refspec = xasprintf("+%s:%s", branch->local,
	    branch->verifies ? branch->incoming : branch->fetched);

	if (git_fetch(repo->git, &repo->at, refspec, deadline, err) == -1)
		return fetch_failed(repo, deadline, err);
	repo->gone = false;
	return 0;
}

/* These commits may be followed. The order matters: killed in between, what is followed is still
 * known to be verified. */
static int
follow(struct config_repo *repo, const git_oid *commit, struct error *err)
{
	const struct config_branch *branch = &repo->branch;

	if (branch->verifies && repo_set_ref(repo->git, branch->verified, commit, err) == -1)
		return -1;
	return repo_set_ref(repo->git, branch->fetched, commit, err);
}

static int
check_accepted(const struct config_repo *repo, const char *accept, const git_oid *incoming,
    struct error *err)
{
	const char *tip = git_oid_tostr_s(incoming);

	if (strcmp(accept, tip) == 0)
		return 0;
	return error_set(err, ERROR_INPUT, "config repo %s: branch '%s' is at commit %s, not %s: "
	    "look at what it has and accept that", repo->public_url, repo->branch.name, tip, accept);
}

static int
check_signed(struct config_repo *repo, const git_oid *incoming, const struct deadline *deadline,
    struct error *err)
{
	const struct config_branch *branch = &repo->branch;
	git_oid verified;
	bool found;

	if (repo_ref(repo->git, branch->verified, &verified, &found, err) == -1)
		return -1;
	if (config_trust_check(repo->git, &(struct trust_question){ *incoming,
	    found ? &verified : NULL, branch->state.has_tip ? &branch->state.tip : NULL },
	    &repo->signatures, deadline, err) == 0)
		return 0;
	if (err->kind == ERROR_UNTRUSTED) {
		struct error why = *err;

		return error_set(err, ERROR_UNTRUSTED, "config repo %s: branch '%s' is not followed: "
		    "%s; if it is meant to be so: raasctl pull --accept %s", repo->public_url,
		    branch->name, why.text, git_oid_tostr_s(incoming));
	}
	return error_prefix(err, "config repo %s: checking signatures", repo->public_url);
}

/* What was fetched is followed when it may be. */
static int
judge(struct config_repo *repo, const char *accept, const struct deadline *deadline,
    struct error *err)
{
	git_oid incoming;
	bool found;

	if (!repo->branch.verifies)
		return 0;
	if (repo_ref(repo->git, repo->branch.incoming, &incoming, &found, err) == -1)
		return -1;
	if (!found)
		return error_set(err, ERROR_INTERNAL, "%s is gone", repo->branch.incoming);
	if (accept != NULL ? check_accepted(repo, accept, &incoming, err) == -1
	    : check_signed(repo, &incoming, deadline, err) == -1)
		return -1;
	return follow(repo, &incoming, err);
}

/* Fetches and catches up. News gather until they are told: `from` stays that of the first. */
static int
fetch_news(struct config_repo *repo, const char *accept, const struct deadline *deadline,
    struct error *err)
{
	struct config_branch_state before = repo->branch.state;
	const git_oid *now = &repo->branch.state.upstream;
	struct config_news *news = &repo->news;
	int forward = 1;

	if (fetch(repo, deadline, err) == -1 || judge(repo, accept, deadline, err) == -1 ||
	    config_branch_catch_up(&repo->branch, news, err) == -1)
		return -1;
	if (before.has_tip && git_oid_equal(&before.upstream, now))
		return 0;
	if (before.has_tip)
		forward = config_branch_stands_on(&repo->branch, now, &before.upstream, err);
	if (!news->changed) {
		news->first = !before.has_tip;
		news->from = before.upstream;
	}
	news->changed = true;
	news->forced |= forward == 0;
	news->to = *now;
	return forward == -1 ? -1 : 0;
}

static void
tell_news(struct config_repo *repo, struct config_news *out)
{
	*out = repo->news;
	repo->news = (struct config_news){ 0 };
}

int
config_repo_pull(struct config_repo *repo, const char *accept, struct config_news *out,
    const struct deadline *deadline, struct error *err)
{
	if (accept != NULL && !repo->branch.verifies)
		return error_set(err, ERROR_INPUT, "nothing waits to be accepted: git.require_signed "
		    "is 'none'");
	if (fetch_news(repo, accept, deadline, err) == -1)
		return -1;
	tell_news(repo, out);
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
	cleanup(free_p) char *refspec = xasprintf("%s:%s", repo->branch.local, repo->branch.local);

	if (git_push_to(repo->git, &repo->at, refspec, &repo->branch.state.upstream, result,
	    deadline, err) == -1)
		return error_prefix(err, "config repo");
	if (*result == GIT_PUSH_REFUSED)
		return error_prefix(err, "config repo");
	if (*result != GIT_PUSH_DONE)
		return 0;
	/* This reference says that the remote has it; catching up does the rest, now or after a
	 * crash. */
	return follow(repo, &repo->branch.state.tip, err);
}

static int
push_rounds(struct config_repo *repo, const struct deadline *deadline, struct error *err)
{
	enum git_push_result result;
	unsigned int round;

	for (round = 0; round < PUSH_ROUNDS && repo->branch.state.unpushed > 0; round++) {
		if (deadline_check(deadline, err) == -1 ||
		    push_once(repo, &result, deadline, err) == -1)
			return -1;
		if (result == GIT_PUSH_DONE)
			return config_branch_catch_up(&repo->branch, &repo->news, err);
		if (round > 0 && back_off(round, deadline, err) == -1)
			return -1;
		if (fetch_news(repo, NULL, deadline, err) == -1)
			return -1;
	}
	if (repo->branch.state.unpushed > 0)
		return error_set(err, ERROR_REMOTE,
		    "config repo %s: others kept pushing first, trying again later",
		    repo->public_url);
	return 0;
}

static int
refuse_read_only(struct error *err)
{
	return error_set(err, ERROR_INPUT, "the config repo is read only ('commit: false')");
}

int
config_repo_push(struct config_repo *repo, struct config_news *out,
    const struct deadline *deadline, struct error *err)
{
	if (repo->read_only)
		return refuse_read_only(err);
	/* A branch that was deleted there is not ours to bring back. */
	if ((repo->gone && fetch_news(repo, NULL, deadline, err) == -1) ||
	    push_rounds(repo, deadline, err) == -1)
		return -1;
	tell_news(repo, out);
	return 0;
}

int
config_repo_commit(struct config_repo *repo, const struct config_change *changes, size_t n,
    const char *message, bool *made, struct repo_notes *dropped, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *base = NULL;
	git_oid tree;

	if (repo->read_only)
		return refuse_read_only(err);
	if (!repo->branch.state.has_tip)
		return error_set(err, ERROR_MISSING, "config repo %s was never fetched",
		    repo->public_url);
	if (config_edit_check(changes, n, err) == -1 ||
	    repo_tree(repo->git, &repo->branch.state.tip, &base, err) == -1 ||
	    config_edit_apply(repo->git, base, changes, n, &tree, dropped, err) == -1)
		return -1;
	*made = false;
	if (git_oid_equal(&tree, git_tree_id(base)))
		return 0;
	if (config_branch_advance(&repo->branch, &tree, message, err) == -1)
		return -1;
	*made = true;
	return 0;
}

int
config_repo_raas_cfg(const struct config_repo *repo, struct buf *out, struct error *err)
{
	if (!repo->branch.state.has_tip)
		return error_set(err, ERROR_MISSING, "config repo %s was never fetched",
		    repo->public_url);
	if (repo_read(repo->git, &repo->branch.state.tip, "raas.cfg", RAAS_CFG_MAX, out, err) == 0)
		return 0;
	if (err->kind != ERROR_MISSING)
		return error_prefix(err, "config repo %s", repo->public_url);
	return error_set(err, ERROR_MISSING, "config repo %s has no raas.cfg on branch '%s': "
	    "commit one to its top folder and push it", repo->public_url, repo->branch.name);
}

struct config_branch_state
config_repo_state(const struct config_repo *repo)
{
	return repo->branch.state;
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

	if (strcmp(branch, repo->branch.name) == 0)
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
	    each_ref(repo, "refs/incoming/", forget_ref, err) == -1 ||
	    each_ref(repo, "refs/verified/", forget_ref, err) == -1 ||
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

	if (config_branch_catch_up(&repo->branch, &news, err) == -1)
		return -1;
	if (news.replayed > 0)
		repo_notes_add(&repo->notes, "%zu own commits were put on top of what was "
		    "fetched", news.replayed);
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
	repo->at = (struct git_remote_at){ repo->url, repo->ssh_command, options->http };
	repo->read_only = options->read_only;
	config_branch_init(&repo->branch, options->branch, &options->author,
	    options->require_signed != SIGNATURE_NONE);
	repo->allowed_signers = xstrdup(options->allowed_signers);
	repo->signatures = (struct signature_rules){ options->require_signed,
	    repo->allowed_signers, repo->branch.signing_key };
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
	repo->git = repo->branch.git = steal(git);
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

	if (git_branch_name_is_valid(&valid, repo->branch.name) != 0 || !valid)
		return error_set(err, ERROR_INPUT,
		    "environment '%s' cannot be the name of a branch", repo->branch.name);
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
	config_news_done(&repo->news);
	free(repo->path);
	free(repo->url);
	free(repo->public_url);
	free(repo->ssh_command);
	free(repo->allowed_signers);
	config_branch_done(&repo->branch);
	free(repo);
}
