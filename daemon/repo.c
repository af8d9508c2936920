#include "daemon/repo.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "daemon/commit-signature.h"

#define NOTES_MAX 100
#define HISTORY_MAX 10000
#define URL_KEY "raasd.url"
#define SIGN_MS 20000	/* a signature takes milliseconds */

CLEANUP_FUNC(git_odb, git_odb_free);
CLEANUP_FUNC(git_odb_object, git_odb_object_free);
CLEANUP_FUNC(git_revwalk, git_revwalk_free);
CLEANUP_FUNC(git_signature, git_signature_free);
CLEANUP_FUNC(git_config, git_config_free);
CLEANUP_FUNC(git_treebuilder, git_treebuilder_free);
CLEANUP_FUNC(git_reference, git_reference_free);

void
repo_notes_add(struct repo_notes *notes, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	if (notes->n > NOTES_MAX)
		return;
	va_start(ap, fmt);
	if (notes->n == NOTES_MAX)
		text = xstrdup("and more");
	else if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	text_clean(text);
	notes->texts = xreallocarray(notes->texts, notes->n + 1, sizeof(*notes->texts));
	notes->texts[notes->n++] = text;
}

void
repo_notes_done(struct repo_notes *notes)
{
	size_t i;

	for (i = 0; i < notes->n; i++)
		free(notes->texts[i]);
	free(notes->texts);
	*notes = (struct repo_notes){ 0 };
}

void
repo_files_done(struct repo_files *files)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		free(files->files[i].name);
	free(files->files);
	repo_notes_done(&files->ignored);
	*files = (struct repo_files){ 0 };
}

static int
compare_name(const void *name, const void *file)
{
	return strcmp(name, ((const struct repo_file *)file)->name);
}

const struct repo_file *
repo_files_find(const struct repo_files *files, const char *name)
{
	if (files->n == 0)
		return NULL;
	return bsearch(name, files->files, files->n, sizeof(*files->files), compare_name);
}

bool
repo_name_is_plain(const char *name, const char *suffix)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(name), suffix_len = strlen(suffix);

	return name[0] != '.' && len > suffix_len && len <= 255 &&
	    strcmp(name + len - suffix_len, suffix) == 0 && strspn(name, plain) == len;
}

int
repo_tree(git_repository *repo, const git_oid *id, git_tree **out, struct error *err)
{
	cleanup(git_commit_free_p) git_commit *commit = NULL;

	if (git_commit_lookup(&commit, repo, id) != 0 || git_commit_tree(out, commit) != 0)
		return git_fail(err, ERROR_SYSTEM, "commit %.12s", git_oid_tostr_s(id));
	return 0;
}

static bool
is_regular(const git_tree_entry *entry)
{
	git_filemode_t mode = git_tree_entry_filemode(entry);

	return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static int
blob_size(git_repository *repo, const git_oid *id, uint64_t *size, struct error *err)
{
	cleanup(git_odb_free_p) git_odb *odb = NULL;
	git_object_t type;
	size_t len;

	if (git_repository_odb(&odb, repo) != 0 ||
	    git_odb_read_header(&len, &type, odb, id) != 0)
		return git_fail(err, ERROR_SYSTEM, "object %.12s", git_oid_tostr_s(id));
	if (type != GIT_OBJECT_BLOB)
		return error_set(err, ERROR_INPUT, "object %.12s is not a file",
		    git_oid_tostr_s(id));
	*size = len;
	return 0;
}

int
repo_read_blob(git_repository *repo, const git_oid *id, size_t limit, struct buf *out,
    struct error *err)
{
	cleanup(git_odb_free_p) git_odb *odb = NULL;
	cleanup(git_odb_object_free_p) git_odb_object *object = NULL;
	uint64_t size;

	if (blob_size(repo, id, &size, err) == -1)
		return -1;
	if (size > limit)
		return error_set(err, ERROR_INPUT, "longer than %zu bytes", limit);
	if (git_repository_odb(&odb, repo) != 0 || git_odb_read(&object, odb, id) != 0)
		return git_fail(err, ERROR_SYSTEM, "object %.12s", git_oid_tostr_s(id));
	if (!buf_add(out, git_odb_object_data(object), git_odb_object_size(object)))
		return error_set(err, ERROR_INPUT, "longer than %zu bytes", out->limit);
	return 0;
}

int
repo_read(git_repository *repo, const git_oid *commit, const char *path, size_t limit,
    struct buf *out, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *tree = NULL;
	cleanup(git_tree_entry_free_p) git_tree_entry *entry = NULL;
	int status;

	if (repo_tree(repo, commit, &tree, err) == -1)
		return -1;
	status = git_tree_entry_bypath(&entry, tree, path);
	if (status == GIT_ENOTFOUND)
		return error_set(err, ERROR_MISSING, "%s: no such file", path);
	if (status != 0)
		return git_fail(err, ERROR_SYSTEM, "%s", path);
	if (!is_regular(entry))
		return error_set(err, ERROR_INPUT, "%s: not a regular file", path);
	if (repo_read_blob(repo, git_tree_entry_id(entry), limit, out, err) == -1)
		return error_prefix(err, "%s", path);
	return 0;
}

/* What stands at `part`, all of a path or its first folders. */
static int
find_part(git_tree *root, const char *part, bool last, enum repo_entry *out, git_oid *oid,
    struct error *err)
{
	cleanup(git_tree_entry_free_p) git_tree_entry *entry = NULL;
	int status = root != NULL ? git_tree_entry_bypath(&entry, root, part) : GIT_ENOTFOUND;

	*out = REPO_ABSENT;
	if (status == GIT_ENOTFOUND)
		return 0;
	if (status != 0)
		return git_fail(err, ERROR_SYSTEM, "%s", part);
	if (last)
		*out = is_regular(entry) ? REPO_FILE : REPO_BLOCKED;
	else if (git_tree_entry_filemode(entry) != GIT_FILEMODE_TREE)
		*out = REPO_BLOCKED;
	*oid = *git_tree_entry_id(entry);
	return 0;
}

int
repo_find(git_tree *root, const char *path, enum repo_entry *out, git_oid *oid, struct error *err)
{
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		cleanup(free_p) char *folder = xstrndup(path, (size_t)(slash++ - path));

		if (find_part(root, folder, false, out, oid, err) == -1)
			return -1;
		if (*out == REPO_BLOCKED)
			return 0;
	}
	return find_part(root, path, true, out, oid, err);
}

/* Takes the entry into the list when it has a plain name and is a file, else says why not. */
static int
take_file(git_repository *repo, const git_tree_entry *entry, const char *suffix,
    struct repo_files *out, struct error *err)
{
	const char *name = git_tree_entry_name(entry);
	struct repo_file *file;
	uint64_t size;

	if (!repo_name_is_plain(name, suffix)) {
		repo_notes_add(&out->ignored, "%s: not a plain name ending in %s", name, suffix);
		return 0;
	}
	if (!is_regular(entry)) {
		repo_notes_add(&out->ignored, "%s: not a regular file", name);
		return 0;
	}
	if (blob_size(repo, git_tree_entry_id(entry), &size, err) == -1)
		return error_prefix(err, "%s", name);
	if (size > METADATA_MAX_BYTES) {
		repo_notes_add(&out->ignored, "%s: longer than %u bytes", name, METADATA_MAX_BYTES);
		return 0;
	}
	file = &out->files[out->n++];
	file->name = xstrdup(name);
	file->oid = *git_tree_entry_id(entry);
	file->size = size;
	return 0;
}

static int
take_folder(git_repository *repo, const git_tree *folder, const char *suffix,
    struct repo_files *out, struct error *err)
{
	size_t i, n = git_tree_entrycount(folder);

	if (n > METADATA_MAX_FILES)
		return error_set(err, ERROR_INPUT, "more than %u files", METADATA_MAX_FILES);
	*out = (struct repo_files){ .files = xcalloc(n, sizeof(*out->files)) };
	for (i = 0; i < n; i++) {
		if (take_file(repo, git_tree_entry_byindex(folder, i), suffix, out, err) == -1) {
			repo_files_done(out);
			return -1;
		}
	}
	return 0;
}

int
repo_list(git_repository *repo, const git_oid *commit, const char *dir, const char *suffix,
    struct repo_files *out, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *root = NULL, *folder = NULL;
	cleanup(git_tree_entry_free_p) git_tree_entry *entry = NULL;
	int status;

	if (repo_tree(repo, commit, &root, err) == -1)
		return -1;
	status = git_tree_entry_bypath(&entry, root, dir);
	if (status == GIT_ENOTFOUND) {
		*out = (struct repo_files){ 0 };
		return 0;
	}
	if (status == 0 && git_tree_entry_type(entry) != GIT_OBJECT_TREE)
		return error_set(err, ERROR_INPUT, "%s: not a folder", dir);
	if (status != 0 || git_tree_lookup(&folder, repo, git_tree_entry_id(entry)) != 0)
		return git_fail(err, ERROR_SYSTEM, "%s", dir);
	if (take_folder(repo, folder, suffix, out, err) == -1)
		return error_prefix(err, "%s", dir);
	return 0;
}

/* 1: the commit's tree has this blob at `path`; 0: not; -1: the commit cannot be read. Commits
 * that touch something else share the tree `seen`, and cost nothing. */
static int
commit_has(git_repository *repo, const git_oid *id, const char *path, const git_oid *oid,
    git_oid *seen)
{
	cleanup(git_commit_free_p) git_commit *commit = NULL;
	cleanup(git_tree_free_p) git_tree *tree = NULL;
	cleanup(git_tree_entry_free_p) git_tree_entry *entry = NULL;
	int status;

	if (git_commit_lookup(&commit, repo, id) != 0)
		return -1;
	if (git_oid_equal(git_commit_tree_id(commit), seen))
		return 0;
	*seen = *git_commit_tree_id(commit);
	if (git_commit_tree(&tree, commit) != 0)
		return -1;
	status = git_tree_entry_bypath(&entry, tree, path);
	if (status == GIT_ENOTFOUND)
		return 0;
	return status != 0 ? -1 : git_oid_equal(git_tree_entry_id(entry), oid);
}

int
repo_history_has(git_repository *repo, const git_oid *tip, const char *path, const git_oid *oid,
    bool *found, const struct deadline *deadline, struct error *err)
{
	cleanup(git_revwalk_free_p) git_revwalk *walk = NULL;
	git_oid id, seen = { { 0 } };
	int status = 0, has = 0, i;

	if (git_revwalk_new(&walk, repo) != 0 || git_revwalk_push(walk, tip) != 0)
		return git_fail(err, ERROR_SYSTEM, "history of %s", path);
	for (i = 0; i < HISTORY_MAX && has == 0; i++) {
		if (deadline_check(deadline, err) == -1)
			return error_prefix(err, "history of %s", path);
		if ((status = git_revwalk_next(&id, walk)) != 0)
			break;
		has = commit_has(repo, &id, path, oid, &seen);
	}
	if (has == -1 || (status != 0 && status != GIT_ITEROVER))
		return git_fail(err, ERROR_SYSTEM, "history of %s", path);
	*found = has == 1;
	return 0;
}

/* The id of the folder in a commit; zero: there is none. -1: the commit cannot be read. */
static int
commit_folder(git_repository *repo, const git_oid *id, const char *dir, git_oid *out)
{
	cleanup(git_commit_free_p) git_commit *commit = NULL;
	cleanup(git_tree_free_p) git_tree *tree = NULL;
	cleanup(git_tree_entry_free_p) git_tree_entry *entry = NULL;
	int status;

	*out = (git_oid){ { 0 } };
	if (git_commit_lookup(&commit, repo, id) != 0 || git_commit_tree(&tree, commit) != 0)
		return -1;
	if ((status = git_tree_entry_bypath(&entry, tree, dir)) == 0)
		*out = *git_tree_entry_id(entry);
	return status == 0 || status == GIT_ENOTFOUND ? 0 : -1;
}

static int
files_each(git_repository *repo, const git_oid *commit, const char *dir, const char *suffix,
    int (*fn)(void *, const struct repo_file *, struct error *), void *arg, struct error *err)
{
	struct repo_files files = { NULL, 0, { NULL, 0 } };
	int result = repo_list(repo, commit, dir, suffix, &files, err);
	size_t i;

	for (i = 0; i < files.n && result == 0; i++)
		result = fn(arg, &files.files[i], err);
	repo_files_done(&files);
	return result;
}

int
repo_history_each(git_repository *repo, const git_oid *tip, const char *dir, const char *suffix,
    int (*fn)(void *, const struct repo_file *, struct error *), void *arg,
    const struct deadline *deadline, struct error *err)
{
	cleanup(git_revwalk_free_p) git_revwalk *walk = NULL;
	git_oid id, folder, seen = { { 0 } };
	int status = 0, i;

	if (git_revwalk_new(&walk, repo) != 0 || git_revwalk_push(walk, tip) != 0)
		return git_fail(err, ERROR_SYSTEM, "history of %s", dir);
	for (i = 0; i < HISTORY_MAX; i++) {
		if (deadline_check(deadline, err) == -1)
			return error_prefix(err, "history of %s", dir);
		if ((status = git_revwalk_next(&id, walk)) != 0)
			break;
		if (commit_folder(repo, &id, dir, &folder) == -1)
			return git_fail(err, ERROR_SYSTEM, "history of %s", dir);
		if (git_oid_equal(&folder, &seen))
			continue;
		seen = folder;
		if (files_each(repo, &id, dir, suffix, fn, arg, err) == -1)
			return -1;
	}
	return status == 0 || status == GIT_ITEROVER ? 0
	    : git_fail(err, ERROR_SYSTEM, "history of %s", dir);
}

git_oid
repo_oid_of_bytes(const void *data, size_t len)
{
	git_oid oid;

	if (git_odb_hash(&oid, data, len, GIT_OBJECT_BLOB) != 0)
		abort();	/* hashing memory fails for want of memory alone */
	return oid;
}

static int
empty_tree(git_repository *repo, git_tree **out)
{
	cleanup(git_treebuilder_free_p) git_treebuilder *builder = NULL;
	git_oid id;
	int status = git_treebuilder_new(&builder, repo, NULL);

	if (status == 0)
		status = git_treebuilder_write(&id, builder);
	return status != 0 ? status : git_tree_lookup(out, repo, &id);
}

int
repo_make_tree(git_repository *repo, git_tree *base, const git_tree_update *updates, size_t n,
    git_oid *out, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *empty = NULL;

	if (base == NULL) {
		if (empty_tree(repo, &empty) != 0)
			return git_fail(err, ERROR_SYSTEM, "making a tree");
		base = empty;
	}
	*out = *git_tree_id(base);
	if (n != 0 && git_tree_create_updated(out, repo, base, n, updates) != 0)
		return git_fail(err, ERROR_SYSTEM, "making a tree");
	return 0;
}

static int
signature_now(const struct repo_author *who, git_signature **out, struct error *err)
{
	if (git_signature_new(out, who->name, who->email, time(NULL), 0) != 0)
		return git_fail(err, ERROR_INPUT, "git author '%s <%s>'", who->name, who->email);
	return 0;
}

/* For the text of a commit; empty where nothing is signed. */
static int
sign(const struct repo_author *who, const git_buf *text, struct buf *signature, struct error *err)
{
	struct deadline deadline = deadline_in(SIGN_MS, NULL);

	if (who->signing_key == NULL)
		return 0;
	if (commit_signature_make(who->signing_key, text->ptr, text->size, signature, &deadline,
	    err) == -1)
		return error_prefix(err, "signing a commit");
	return 0;
}

int
repo_commit(git_repository *repo, const git_oid *tree_id, const git_oid *parent_id,
    const struct repo_author *who, const git_commit *like, const char *message, git_oid *out,
    struct error *err)
{
	cleanup(git_signature_free_p) git_signature *now = NULL;
	cleanup(git_tree_free_p) git_tree *tree = NULL;
	cleanup(git_commit_free_p) git_commit *parent = NULL;
	cleanup(git_buf_dispose) git_buf text = GIT_BUF_INIT;
	cleanup(buf_done) struct buf signature = BUF_INIT;
	const git_commit *parents[1];

	if (signature_now(who, &now, err) == -1)
		return -1;
	if (git_tree_lookup(&tree, repo, tree_id) != 0 ||
	    (parent_id != NULL && git_commit_lookup(&parent, repo, parent_id) != 0))
		return git_fail(err, ERROR_SYSTEM, "making a commit");
	parents[0] = parent;
	if (git_commit_create_buffer(&text, repo, like != NULL ? git_commit_author(like) : now, now,
	    NULL, message, tree, parent != NULL ? 1 : 0, parents) != 0)
		return git_fail(err, ERROR_SYSTEM, "making a commit");
	if (sign(who, &text, &signature, err) == -1)
		return -1;
	if (git_commit_create_with_signature(out, repo, text.ptr, signature.data, NULL) != 0)
		return git_fail(err, ERROR_SYSTEM, "making a commit");
	return 0;
}

/* libgit2 names what it has not finished thus: X.lock, and among the objects X_git2_ with six
 * letters. */
static int
sweep_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;
	size_t len = strlen(name);

	(void)st;
	if (type != FTW_F)
		return 0;
	if ((len <= 5 || strcmp(name + len - 5, ".lock") != 0) &&
	    (strstr(path, "/objects/") == NULL || strstr(name, "_git2_") == NULL))
		return 0;
	return unlink(path) == -1 && errno != ENOENT ? -1 : 0;
}

int
repo_sweep(const char *path, struct error *err)
{
	if (nftw(path, sweep_file, 16, FTW_PHYS | FTW_MOUNT) == -1 && errno != ENOENT)
		return error_errno(err, "clearing locks in %s", path);
	return 0;
}

int
repo_ref(git_repository *repo, const char *name, git_oid *oid, bool *found, struct error *err)
{
	int status = git_reference_name_to_id(oid, repo, name);

	if (status != 0 && status != GIT_ENOTFOUND)
		return git_fail(err, ERROR_SYSTEM, "reference %s", name);
	*found = status == 0;
	return 0;
}

int
repo_set_ref(git_repository *repo, const char *name, const git_oid *oid, struct error *err)
{
	cleanup(git_reference_free_p) git_reference *ref = NULL;

	if (git_reference_create(&ref, repo, name, oid, 1, NULL) != 0)
		return git_fail(err, ERROR_SYSTEM, "reference %s", name);
	return 0;
}

int
repo_delete_ref(git_repository *repo, const char *name, struct error *err)
{
	int status = git_reference_remove(repo, name);

	if (status != 0 && status != GIT_ENOTFOUND)
		return git_fail(err, ERROR_SYSTEM, "reference %s", name);
	return 0;
}

/* The repository's own file, not what git would merge with the user's. */
static int
own_config(git_repository *repo, git_config **out)
{
	cleanup(free_p) char *path = xasprintf("%sconfig", git_repository_path(repo));

	return git_config_open_ondisk(out, path);
}

char *
repo_recorded_url(git_repository *repo)
{
	cleanup(git_config_free_p) git_config *config = NULL;
	git_buf value = { 0 };
	char *url;

	if (own_config(repo, &config) != 0 ||
	    git_config_get_string_buf(&value, config, URL_KEY) != 0)
		return xstrdup("");
	url = xstrdup(value.ptr);
	git_buf_dispose(&value);
	return url;
}

int
repo_record_url(git_repository *repo, const char *url, struct error *err)
{
	cleanup(git_config_free_p) git_config *config = NULL;

	if (own_config(repo, &config) != 0 || git_config_set_string(config, URL_KEY, url) != 0)
		return git_fail(err, ERROR_SYSTEM, "%sconfig", git_repository_path(repo));
	return 0;
}

char *
repo_public_url(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *login, *at, *colon;
	size_t authority;

	if (scheme_end == NULL)
		return xstrdup(url);
	login = scheme_end + 3;
	authority = strcspn(login, "/?#");
	at = memrchr(login, '@', authority);
	if (at == NULL)
		return xstrdup(url);
	if (strncasecmp(url, "http", 4) == 0)	/* a token may stand where the user does */
		return xasprintf("%.*s%s", (int)(login - url), url, at + 1);
	colon = memchr(login, ':', (size_t)(at - login));
	return xasprintf("%.*s%s", (int)((colon != NULL ? colon : at) - url), url, at);
}
