#include "tests/sandbox/app-git.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

CLEANUP_FUNC(git_repository, git_repository_free);
CLEANUP_FUNC(git_object, git_object_free);
CLEANUP_FUNC(git_tree, git_tree_free);
CLEANUP_FUNC(git_remote, git_remote_free);
CLEANUP_FUNC(git_signature, git_signature_free);
CLEANUP_FUNC(git_blob, git_blob_free);

struct git_source {
	char	*dir;		/* DIR/git/.sources/N.git */
	json_t	*map;
	json_t	*copies;	/* object: URL to path of its copy */
	int	 n_copies;
};

struct git_source *
git_source_new(const char *dir, json_t *map)
{
	struct git_source *s = xcalloc(1, sizeof(*s));

	s->dir = xasprintf("%s/.sources", dir);
	s->map = json_incref(map);
	s->copies = json_object();
	return s;
}

void
git_source_free(struct git_source *s)
{
	if (s == NULL)
		return;
	json_decref(s->map);
	json_decref(s->copies);
	free(s->dir);
	free(s);
}

static int
git_failed(struct error *err, const char *what)
{
	const git_error *e = git_error_last();

	return error_set(err, ERROR_REMOTE, "%s: %s", what, e != NULL ? e->message : "unknown");
}

static int
write_file(const char *dir, const char *name, const char *text, struct error *err)
{
	cleanup(free_p) char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	if (f == NULL || fputs(text, f) == EOF) {
		if (f != NULL)
			fclose(f);
		return error_errno(err, "%s", path);
	}
	return fclose(f) == EOF ? error_errno(err, "%s", path) : 0;
}

static int
make_folders(const char *path, struct error *err)
{
	cleanup(free_p) char *part = xstrdup(path);
	char *slash = part;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		if (mkdir(part, 0777) == -1 && errno != EEXIST)
			return error_errno(err, "%s", part);
		*slash = '/';
	}
	if (mkdir(part, 0777) == -1 && errno != EEXIST)
		return error_errno(err, "%s", part);
	return 0;
}

/* The files of an empty bare repository, gitrepository-layout(5), without what nobody needs. */
static int
make_bare(const char *path, struct error *err)
{
	static const char *const folders[] = { "refs/heads", "refs/tags", "objects/info",
	    "objects/pack" };
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		cleanup(free_p) char *folder = xasprintf("%s/%s", path, folders[i]);

		if (make_folders(folder, err) == -1)
			return -1;
	}
	if (write_file(path, "HEAD", "ref: refs/heads/master\n", err) == -1)
		return -1;
	return write_file(path, "config",
	    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n", err);
}

int
app_git_commit(const char *path, const char *branch, const json_t *files, const char *message,
    struct error *err)
{
	cleanup(git_repository_free_p) git_repository *repo = NULL;
	cleanup(git_signature_free_p) git_signature *who = NULL;
	cleanup(git_object_free_p) git_object *parent = NULL;
	cleanup(git_tree_free_p) git_tree *base = NULL, *tree = NULL;
	cleanup(free_p) char *ref = xasprintf("refs/heads/%s", branch);
	cleanup(free_p) git_tree_update *updates = xcalloc(json_object_size(files),
	    sizeof(*updates));
	const git_commit *parents[1];
	git_oid id;
	size_t n = 0;
	const char *name;
	json_t *text;

	if (git_repository_open_bare(&repo, path) != 0 ||
	    git_signature_now(&who, "Sandbox", "sandbox@example.com") != 0)
		return git_failed(err, path);
	if (git_revparse_single(&parent, repo, ref) == 0 &&
	    git_commit_tree(&base, (git_commit *)parent) != 0)
		return git_failed(err, path);
	json_object_foreach((json_t *)files, name, text) {
		updates[n].path = name;
		updates[n].filemode = GIT_FILEMODE_BLOB;
		updates[n].action = json_is_string(text) ? GIT_TREE_UPDATE_UPSERT :
		    GIT_TREE_UPDATE_REMOVE;
		if (json_is_string(text) && git_blob_create_from_buffer(&updates[n].id, repo,
		    json_string_value(text), json_string_length(text)) != 0)
			return git_failed(err, name);
		n++;
	}
	if (git_tree_create_updated(&id, repo, base, n, updates) != 0 ||
	    git_tree_lookup(&tree, repo, &id) != 0)
		return git_failed(err, path);
	parents[0] = (const git_commit *)parent;
	if (git_commit_create(&id, repo, ref, who, who, NULL, message, tree, parent != NULL,
	    parents) != 0)
		return git_failed(err, path);
	return 0;
}

/* A stand-in for Crane's source, with the files that deploying and metadata lean on. */
static int
make_crane(const char *path, struct error *err)
{
	cleanup(json_unref) json_t *files = json_pack("{s:s, s:s, s:s, s:s}",
	    "README", "Crane's place in the sandbox.\n",
	    "crane/wsgi.py", "# The sandbox answers for Crane by itself.\n",
	    "crane/data/.gitkeep", "",
	    "setup.py", "# A placeholder.\n");

	if (make_bare(path, err) == -1)
		return -1;
	return app_git_commit(path, "master", files, "Crane, as the sandbox has it", err);
}

static int
fetch(const char *path, const char *url, struct error *err)
{
	cleanup(git_repository_free_p) git_repository *repo = NULL;
	cleanup(git_remote_free_p) git_remote *remote = NULL;
	char *refspecs[] = { (char *)"+refs/heads/*:refs/heads/*" };
	git_strarray all = { refspecs, 1 };
	/* Looking up insteadOf leaks in libgit2 1.5. */
	git_remote_create_options options = {
		.version = GIT_REMOTE_CREATE_OPTIONS_VERSION,
		.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC,
	};

	if (git_repository_open_bare(&repo, path) != 0)
		return git_failed(err, path);
	options.repository = repo;
	if (git_remote_create_with_opts(&remote, url, &options) != 0 ||
	    git_remote_fetch(remote, &all, NULL, NULL) != 0)
		return git_failed(err, url);
	return 0;
}

/* The path of our copy of what `url` names, as new as a look at it can make it. */
static const char *
source_copy(struct git_source *s, const char *url, struct error *err)
{
	const char *key = url != NULL ? url : "", *path = json_string_or(s->copies, key, NULL);
	const char *from = url != NULL ? json_string_or(s->map, url, url) : NULL;
	cleanup(free_p) char *made = NULL;

	if (path == NULL) {
		made = xasprintf("%s/%d.git", s->dir, ++s->n_copies);
		if (from == NULL ? make_crane(made, err) == -1 : make_bare(made, err) == -1)
			return NULL;
	}
	if (from != NULL && fetch(made != NULL ? made : path, from, err) == -1)
		return NULL;
	if (made != NULL)
		json_object_set_new(s->copies, key, json_string(made));
	return json_string_or(s->copies, key, NULL);
}

int
app_git_create(struct git_source *s, const char *path, const char *url, struct error *err)
{
	const char *source = source_copy(s, url, err);
	cleanup(free_p) char *alternate = NULL, *line = NULL;
	char id[GIT_ID_SIZE];

	if (source == NULL)
		return -1;
	if (!app_git_resolve(source, "refs/heads/master", id))
		return error_set(err, ERROR_REMOTE, "%s: no branch master", url);
	alternate = xasprintf("%s/objects\n", source);
	line = xasprintf("%s\n", id);
	if (make_bare(path, err) == -1 ||
	    write_file(path, "objects/info/alternates", alternate, err) == -1)
		return -1;
	return write_file(path, "refs/heads/master", line, err);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	remove(path);
	return 0;
}

void
app_git_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct git_mark
app_git_mark(const char *path, const char *branch)
{
	cleanup(free_p) char *loose = xasprintf("%s/refs/heads/%s", path, branch);
	cleanup(free_p) char *packed = xasprintf("%s/packed-refs", path);
	struct git_mark mark = { 0 };
	struct stat st;

	if (stat(loose, &st) == 0) {
		mark.loose_inode = st.st_ino;
		mark.loose_time = st.st_mtim;
	}
	if (stat(packed, &st) == 0) {
		mark.packed_inode = st.st_ino;
		mark.packed_time = st.st_mtim;
	}
	return mark;
}

static bool
is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
git_mark_is(const struct git_mark *a, const struct git_mark *b)
{
	return a->loose_inode == b->loose_inode && a->packed_inode == b->packed_inode &&
	    is_same_time(a->loose_time, b->loose_time) &&
	    is_same_time(a->packed_time, b->packed_time);
}

bool
app_git_resolve(const char *path, const char *ref, char id[GIT_ID_SIZE])
{
	cleanup(git_repository_free_p) git_repository *repo = NULL;
	cleanup(git_object_free_p) git_object *object = NULL, *commit = NULL;

	if (git_repository_open_bare(&repo, path) != 0 ||
	    git_revparse_single(&object, repo, ref) != 0 ||
	    git_object_peel(&commit, object, GIT_OBJECT_COMMIT) != 0)
		return false;
	git_oid_tostr(id, GIT_ID_SIZE, git_object_id(commit));
	return true;
}

struct walk {
	git_repository	*repo;
	void		(*fn)(void *, const char *, const char *, size_t);
	void		*arg;
};

static int
walk_entry(const char *root, const git_tree_entry *entry, void *arg)
{
	struct walk *w = arg;
	cleanup(git_blob_free_p) git_blob *blob = NULL;
	cleanup(free_p) char *name = NULL;

	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB ||
	    git_blob_lookup(&blob, w->repo, git_tree_entry_id(entry)) != 0)
		return 0;
	name = xasprintf("%s%s", root, git_tree_entry_name(entry));
	w->fn(w->arg, name, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	return 0;
}

int
app_git_files(const char *path, const char *id, const char *folder,
    void (*fn)(void *arg, const char *name, const char *data, size_t len), void *arg,
    struct error *err)
{
	cleanup(git_repository_free_p) git_repository *repo = NULL;
	cleanup(git_object_free_p) git_object *tree = NULL;
	cleanup(free_p) char *spec = xasprintf("%s:%s", id, folder);
	struct walk w = { NULL, fn, arg };

	if (git_repository_open_bare(&repo, path) != 0 ||
	    git_revparse_single(&tree, repo, spec) != 0 ||
	    git_object_type(tree) != GIT_OBJECT_TREE)
		return git_failed(err, spec);
	w.repo = repo;
	if (git_tree_walk((git_tree *)tree, GIT_TREEWALK_PRE, walk_entry, &w) != 0)
		return git_failed(err, spec);
	return 0;
}
