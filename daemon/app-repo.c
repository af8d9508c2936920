#include "daemon/app-repo.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define DATA_DIR "crane/data"
#define OUTGOING "refs/outgoing"

struct app_repo {
	git_repository		*git;
	char			*path;
	char			*url;
	char			*public_url;
	char			*ssh_command;
	struct git_remote_at	 at;
	char			*branch;	/* observed last; NULL: nothing yet */
	bool			 empty;
	git_oid			 head;		/* unless empty */
};

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
remove_cache(const char *path, struct error *err)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == -1 &&
	    errno != ENOENT)
		return error_errno(err, "removing %s", path);
	return 0;
}

static size_t
count_entries(const char *path, const char *folder)
{
	cleanup(free_p) char *full = xasprintf("%s/objects/%s", path, folder);
	DIR *dir = opendir(full);
	size_t n = 0;

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Each fetch leaves a pack and each push loose objects. Fetching all of it anew is cheaper than
 * packing it. One of the 256 folders of loose objects stands for all, as in git's own gc. */
static bool
is_worn(const char *path)
{
	return count_entries(path, "pack") > 100 || count_entries(path, "17") > 30;
}

static int
make_cache(struct app_repo *app, struct error *err)
{
	git_repository_free(app->git);
	app->git = NULL;
	if (remove_cache(app->path, err) == -1 ||
	    git_open_bare(app->path, &app->git, err) == -1)
		return -1;
	return repo_record_url(app->git, app->public_url, err);
}

/* False when what is there is no repository, was made for another app, or is worn. */
static bool
use_cache(struct app_repo *app)
{
	cleanup(free_p) char *recorded = NULL;

	if (repo_sweep(app->path, NULL) == -1 || is_worn(app->path) ||
	    git_repository_open_bare(&app->git, app->path) != 0)
		return false;
	recorded = repo_recorded_url(app->git);
	return strcmp(recorded, app->public_url) == 0;
}

struct app_repo *
app_repo_open(const char *path, const struct git_remote_at *at, struct error *err)
{
	struct app_repo *app = xcalloc(1, sizeof(*app));

	app->path = xstrdup(path);
	app->url = xstrdup(at->url);
	app->public_url = repo_public_url(at->url);
	app->ssh_command = xstrdup(at->ssh_command);
	app->at = (struct git_remote_at){ app->url, app->ssh_command, at->http };
	if (!use_cache(app) && make_cache(app, err) == -1) {
		app_repo_free(app);
		return NULL;
	}
	return app;
}

void
app_repo_free(struct app_repo *app)
{
	if (app == NULL)
		return;
	git_repository_free(app->git);
	free(app->path);
	free(app->url);
	free(app->public_url);
	free(app->ssh_command);
	free(app->branch);
	free(app);
}

static char *
tracking_ref(const char *branch)
{
	return xasprintf("refs/remotes/origin/%s", branch);
}

/* Whether everything that a listing needs can be read. */
static bool
is_readable(struct app_repo *app, const git_oid *commit)
{
	cleanup(repo_files_done) struct repo_files files = { 0 };
	struct error why = ERROR_INIT;

	return repo_list(app->git, commit, DATA_DIR, ".json", &files, &why) == 0 ||
	    why.kind == ERROR_INPUT;
}

/* What the cache has of the branch; a cache that cannot be read is made anew. */
static int
cached_head(struct app_repo *app, const char *branch, git_oid *head, bool *found,
    struct error *err)
{
	cleanup(free_p) char *ref = tracking_ref(branch);

	if (repo_ref(app->git, ref, head, found, NULL) == 0 &&
	    (!*found || is_readable(app, head)))
		return 0;
	*found = false;
	return make_cache(app, err);
}

static int
fetch_once(struct app_repo *app, const char *branch, git_oid *head,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *ref = tracking_ref(branch);
	cleanup(free_p) char *refspec = xasprintf("+refs/heads/%s:%s", branch, ref);
	bool found;

	if (git_fetch(app->git, &app->at, refspec, deadline, err) == -1 ||
	    repo_ref(app->git, ref, head, &found, err) == -1)
		return -1;
	if (!found || !is_readable(app, head))
		return error_set(err, ERROR_SYSTEM, "%s: what was fetched cannot be read",
		    app->path);
	return 0;
}

/* Objects that are broken deep in the cache show only when git builds on them. */
static int
fetch_head(struct app_repo *app, const char *branch, git_oid *head,
    const struct deadline *deadline, struct error *err)
{
	if (fetch_once(app, branch, head, deadline, err) == 0)
		return 0;
	if (err->kind != ERROR_SYSTEM && err->kind != ERROR_INTERNAL)
		return -1;
	return make_cache(app, err) == -1 ? -1 : fetch_once(app, branch, head, deadline, err);
}

static void
remember_head(struct app_repo *app, const char *branch, const git_oid *head)
{
	free(app->branch);
	app->branch = xstrdup(branch);
	app->empty = head == NULL;
	if (head != NULL)
		app->head = *head;
}

int
app_repo_observe(struct app_repo *app, const char *branch, struct app_repo_head *out,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *ref = xasprintf("refs/heads/%s", branch);
	struct app_repo_head head = { 0 };
	git_oid cached;
	bool there, has_cached;

	if (cached_head(app, branch, &cached, &has_cached, err) == -1 ||
	    git_remote_ref(app->git, &app->at, ref, &head.commit, &there, deadline, err) == -1)
		return -1;
	head.empty = !there;
	head.fetched = there && !(has_cached && git_oid_equal(&cached, &head.commit));
	if (head.fetched && fetch_head(app, branch, &head.commit, deadline, err) == -1)
		return -1;
	remember_head(app, branch, there ? &head.commit : NULL);
	*out = head;
	return 0;
}

/* An object that cannot be read: the cache shall not be used again. Its record is what says that
 * it may be, see use_cache(). */
static int
condemn(struct app_repo *app, const struct error *why)
{
	if (why != NULL && why->kind == ERROR_SYSTEM)
		repo_record_url(app->git, "", NULL);
	return -1;
}

int
app_repo_files(struct app_repo *app, struct repo_files *out, struct error *err)
{
	if (app->empty) {
		*out = (struct repo_files){ 0 };
		return 0;
	}
	if (repo_list(app->git, &app->head, DATA_DIR, ".json", out, err) == -1)
		return condemn(app, err);
	return 0;
}

int
app_repo_read_blob(struct app_repo *app, const git_oid *blob, struct buf *out, struct error *err)
{
	if (repo_read_blob(app->git, blob, METADATA_MAX_BYTES, out, err) == -1)
		return condemn(app, err);
	return 0;
}

int
app_repo_history_has(struct app_repo *app, const char *name, const git_oid *blob, bool *found,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *path = xasprintf(DATA_DIR "/%s", name);

	*found = false;
	if (app->empty)
		return 0;
	if (repo_history_has(app->git, &app->head, path, blob, found, deadline, err) == -1)
		return condemn(app, err);
	return 0;
}

/* The updates of a commit; paths are owned. */
struct updates {
	git_tree_update	*updates;
	size_t		 n;
};

static void
updates_done(struct updates *u)
{
	size_t i;

	for (i = 0; i < u->n; i++)
		free((char *)u->updates[i].path);
	free(u->updates);
}

/* Adds what the change does to the tree, if anything. */
static int
add_update(struct app_repo *app, git_tree *base, const struct app_repo_change *change,
    struct updates *out, struct error *err)
{
	cleanup(free_p) char *path = xasprintf(DATA_DIR "/%s", change->name);
	git_tree_update update = {
		.action = GIT_TREE_UPDATE_REMOVE, .filemode = GIT_FILEMODE_BLOB,
	};
	enum repo_entry entry;
	git_oid there;

	if (!repo_name_is_plain(change->name, ".json"))
		return error_set(err, ERROR_INPUT, "'%.200s' is not the name of a metadata file",
		    change->name);
	if (repo_find(base, path, &entry, &there, err) == -1)
		return -1;
	if (entry == REPO_BLOCKED)
		return error_set(err, ERROR_CONFLICT, "%s in the app repo is not a regular file",
		    path);
	if (change->data == NULL && entry == REPO_ABSENT)
		return 0;
	if (change->data != NULL) {
		update.action = GIT_TREE_UPDATE_UPSERT;
		update.id = repo_oid_of_bytes(change->data, change->len);
		if (entry == REPO_FILE && git_oid_equal(&update.id, &there))
			return 0;
		if (git_blob_create_from_buffer(&update.id, app->git, change->data,
		    change->len) != 0)
			return git_fail(err, ERROR_SYSTEM, "storing %s", path);
	}
	update.path = steal(path);
	out->updates[out->n++] = update;
	return 0;
}

/* *made false: the head has all of it. */
static int
make_commit(struct app_repo *app, const struct app_repo_change *changes, size_t n,
    const char *message, const struct repo_author *author, git_oid *commit, bool *made,
    struct error *err)
{
	cleanup(git_tree_free_p) git_tree *base = NULL;
	cleanup(updates_done) struct updates updates = { xcalloc(n, sizeof(git_tree_update)), 0 };
	git_oid tree;
	size_t i;

	if (!app->empty && repo_tree(app->git, &app->head, &base, err) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (add_update(app, base, &changes[i], &updates, err) == -1)
			return -1;
	}
	*made = updates.n > 0;
	if (!*made)
		return 0;
	if (repo_make_tree(app->git, base, updates.updates, updates.n, &tree, err) == -1)
		return -1;
	return repo_commit(app->git, &tree, app->empty ? NULL : &app->head, author, NULL, message,
	    commit, err);
}

static int
push_commit(struct app_repo *app, const git_oid *commit, enum git_push_result *result,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *refspec = xasprintf(OUTGOING ":refs/heads/%s", app->branch);
	cleanup(free_p) char *ref = tracking_ref(app->branch);

	if (repo_set_ref(app->git, OUTGOING, commit, err) == -1 ||
	    git_push_to(app->git, &app->at, refspec, NULL, result, deadline, err) == -1)
		return -1;
	return *result == GIT_PUSH_DONE ? repo_set_ref(app->git, ref, commit, err) : 0;
}

int
app_repo_push(struct app_repo *app, const struct app_repo_change *changes, size_t n,
    const char *message, const struct repo_author *author, enum app_repo_result *result,
    const struct deadline *deadline, struct error *err)
{
	static const enum app_repo_result results[] = {
		[GIT_PUSH_DONE] = APP_REPO_DONE, [GIT_PUSH_BEHIND] = APP_REPO_BEHIND,
		[GIT_PUSH_REFUSED] = APP_REPO_REFUSED,
	};
	enum git_push_result pushed;
	git_oid commit;
	bool made;

	if (app->branch == NULL)
		return error_set(err, ERROR_INTERNAL, "app repo was not observed");
	if (make_commit(app, changes, n, message, author, &commit, &made, err) == -1)
		return condemn(app, err);
	if (made && push_commit(app, &commit, &pushed, deadline, err) == -1)
		return -1;
	*result = made ? results[pushed] : APP_REPO_DONE;
	if (made && pushed == GIT_PUSH_DONE) {
		app->empty = false;
		app->head = commit;
	}
	return 0;
}
