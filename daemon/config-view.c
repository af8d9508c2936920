#include "daemon/config-view.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct config_view {
	git_repository	*git;
};

struct config_view *
config_view_open(const char *path, struct error *err)
{
	git_repository *git;
	struct config_view *view;
	int status = git_repository_open_bare(&git, path);

	if (status != 0) {
		git_fail(err, status == GIT_ENOTFOUND ? ERROR_MISSING : ERROR_SYSTEM, "%s", path);
		return NULL;
	}
	view = xcalloc(1, sizeof(*view));
	view->git = git;
	return view;
}

void
config_view_free(struct config_view *view)
{
	if (view == NULL)
		return;
	git_repository_free(view->git);
	free(view);
}

int
config_view_read(const struct config_view *view, const git_oid *commit, const char *path,
    size_t limit, struct buf *out, struct error *err)
{
	return repo_read(view->git, commit, path, limit, out, err);
}

int
config_view_read_blob(const struct config_view *view, const git_oid *blob, struct buf *out,
    struct error *err)
{
	return repo_read_blob(view->git, blob, METADATA_MAX_BYTES, out, err);
}

int
config_view_metadata(const struct config_view *view, const git_oid *commit, const char *isv,
    struct repo_files *out, struct error *err)
{
	cleanup(free_p) char *dir = xasprintf("%s/metadata", isv);

	return repo_list(view->git, commit, dir, ".json", out, err);
}

int
config_view_logs(const struct config_view *view, const git_oid *commit, const char *isv,
    struct repo_files *out, struct error *err)
{
	cleanup(free_p) char *dir = xasprintf("%s/logs", isv);

	return repo_list(view->git, commit, dir, ".log", out, err);
}

int
config_view_history_has(const struct config_view *view, const git_oid *tip, const char *isv,
    const char *name, const git_oid *blob, bool *found, const struct deadline *deadline,
    struct error *err)
{
	cleanup(free_p) char *path = xasprintf("%s/metadata/%s", isv, name);

	return repo_history_has(view->git, tip, path, blob, found, deadline, err);
}

int
config_view_history_each(const struct config_view *view, const git_oid *tip, const char *isv,
    int (*fn)(void *, const struct repo_file *, struct error *), void *arg,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *dir = xasprintf("%s/metadata", isv);

	return repo_history_each(view->git, tip, dir, ".json", fn, arg, deadline, err);
}

/* The entry's tree, or NULL with 0 when the entry is none or is not a folder. */
static int
folder_of(const struct config_view *view, const git_tree_entry *entry, git_tree **out,
    struct error *err)
{
	*out = NULL;
	if (entry == NULL || git_tree_entry_type(entry) != GIT_OBJECT_TREE)
		return 0;
	if (git_tree_lookup(out, view->git, git_tree_entry_id(entry)) != 0)
		return git_fail(err, ERROR_SYSTEM, "folder %s", git_tree_entry_name(entry));
	return 0;
}

static int
take_metadata_tree(const struct config_view *view, const git_tree_entry *entry,
    struct repo_files *out, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *folder = NULL;
	const git_tree_entry *metadata;
	struct repo_file *file;

	if (folder_of(view, entry, &folder, err) == -1)
		return -1;
	if (folder == NULL)
		return 0;
	metadata = git_tree_entry_byname(folder, "metadata");
	if (metadata == NULL || git_tree_entry_type(metadata) != GIT_OBJECT_TREE)
		return 0;
	file = &out->files[out->n++];
	file->name = xstrdup(git_tree_entry_name(entry));
	file->oid = *git_tree_entry_id(metadata);
	return 0;
}

static int
compare_files(const void *a, const void *b)
{
	return strcmp(((const struct repo_file *)a)->name, ((const struct repo_file *)b)->name);
}

int
config_view_metadata_trees(const struct config_view *view, const git_oid *commit,
    struct repo_files *out, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *root = NULL;
	struct repo_files found = { 0 };
	size_t i, n;

	if (repo_tree(view->git, commit, &root, err) == -1)
		return -1;
	n = git_tree_entrycount(root);
	found.files = xcalloc(n, sizeof(*found.files));
	for (i = 0; i < n; i++) {
		if (take_metadata_tree(view, git_tree_entry_byindex(root, i), &found, err) == -1) {
			repo_files_done(&found);
			return -1;
		}
	}
	/* git sorts a folder as if its name ended in a slash. */
	qsort(found.files, found.n, sizeof(*found.files), compare_files);
	*out = found;
	return 0;
}

static bool
same_entry(const git_tree_entry *a, const git_tree_entry *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)) &&
	    git_tree_entry_filemode(a) == git_tree_entry_filemode(b);
}

/* Whether every entry of `a` but `logs` is in `b` too. NULL is an empty folder. */
static bool
covered_by(const git_tree *a, const git_tree *b)
{
	size_t i, n = a != NULL ? git_tree_entrycount(a) : 0;

	for (i = 0; i < n; i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(a, i);
		const char *name = git_tree_entry_name(entry);

		if (strcmp(name, "logs") != 0 &&
		    (b == NULL || !same_entry(entry, git_tree_entry_byname(b, name))))
			return false;
	}
	return true;
}

static const git_tree_entry *
entry_or_null(const git_tree *folder, const char *name)
{
	return folder != NULL ? git_tree_entry_byname(folder, name) : NULL;
}

/* One top-level entry, of which at least one side is there and both are not the same. */
static int
note_change(const struct config_view *view, const git_tree_entry *old, const git_tree_entry *new,
    struct config_changes *out, struct error *err)
{
	const char *name = git_tree_entry_name(new != NULL ? new : old);
	cleanup(git_tree_free_p) git_tree *old_folder = NULL, *new_folder = NULL;

	if (strcmp(name, "raas.cfg") == 0) {
		out->raas_cfg = true;
		return 0;
	}
	if (folder_of(view, old, &old_folder, err) == -1 ||
	    folder_of(view, new, &new_folder, err) == -1)
		return -1;
	if (strcmp(name, "redhat") == 0) {
		if (!same_entry(entry_or_null(old_folder, "metadata"),
		    entry_or_null(new_folder, "metadata")))
			out->redhat = true;
		return 0;
	}
	if (covered_by(old_folder, new_folder) && covered_by(new_folder, old_folder))
		return 0;
	out->isvs = xreallocarray(out->isvs, out->n_isvs + 1, sizeof(*out->isvs));
	out->isvs[out->n_isvs++] = xstrdup(name);
	return 0;
}

static int
note_changes(const struct config_view *view, const git_tree *old, const git_tree *new,
    struct config_changes *out, struct error *err)
{
	size_t i;

	for (i = 0; i < git_tree_entrycount(new); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(new, i);
		const git_tree_entry *before = entry_or_null(old, git_tree_entry_name(entry));

		if (!same_entry(before, entry) &&
		    note_change(view, before, entry, out, err) == -1)
			return -1;
	}
	for (i = 0; old != NULL && i < git_tree_entrycount(old); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(old, i);

		if (git_tree_entry_byname(new, git_tree_entry_name(entry)) == NULL &&
		    note_change(view, entry, NULL, out, err) == -1)
			return -1;
	}
	return 0;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
config_view_changes(const struct config_view *view, const git_oid *from, const git_oid *to,
    struct config_changes *out, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *old = NULL, *new = NULL;
	struct config_changes changes = { 0 };

	if ((from != NULL && repo_tree(view->git, from, &old, err) == -1) ||
	    repo_tree(view->git, to, &new, err) == -1)
		return -1;
	if (note_changes(view, old, new, &changes, err) == -1) {
		config_changes_done(&changes);
		return -1;
	}
	if (changes.n_isvs > 1)
		qsort(changes.isvs, changes.n_isvs, sizeof(*changes.isvs), compare_strings);
	*out = changes;
	return 0;
}

void
config_changes_done(struct config_changes *changes)
{
	size_t i;

	for (i = 0; i < changes->n_isvs; i++)
		free(changes->isvs[i]);
	free(changes->isvs);
	*changes = (struct config_changes){ 0 };
}
