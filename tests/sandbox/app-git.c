#include "tests/sandbox/app-git.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <git2.h>
#include <git2/sys/mempack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	char	*dir;
	json_t	*map;
	json_t	*copies;	/* object: URL to path of its copy, dir/N.git */
	int	 n_copies;
};

struct git_source *
git_source_new(const char *dir, json_t *map)
{
	struct git_source *s = xcalloc(1, sizeof(*s));

	s->dir = xstrdup(dir);
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

/* The least that gitrepository-layout(5) asks for, and objects/pack, which libgit2 does not
 * make where it is missing. */
static int
make_bare(const char *path, struct error *err)
{
	cleanup(free_p) char *packs = xasprintf("%s/objects/pack", path);
	cleanup(free_p) char *refs = xasprintf("%s/refs", path);

	if (make_folders(packs, err) == -1 || make_folders(refs, err) == -1 ||
	    write_file(path, "HEAD", "ref: refs/heads/master\n", err) == -1)
		return -1;
	return write_file(path, "config",
	    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n", err);
}

/* What changes a tree to have these files; null removes one. */
static int
make_tree(git_repository *repo, git_tree *base, const json_t *files, git_tree **out)
{
	cleanup(free_p) git_tree_update *updates = xcalloc(json_object_size(files),
	    sizeof(*updates));
	git_tree_update *u = updates;
	git_oid id;
	const char *name;
	json_t *text;

	json_object_foreach((json_t *)files, name, text) {
		u->path = name;
		u->filemode = GIT_FILEMODE_BLOB;
		u->action = json_is_string(text) ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE;
		if (json_is_string(text) && git_blob_create_from_buffer(&u->id, repo,
		    json_string_value(text), json_string_length(text)) != 0)
			return -1;
		u++;
	}
	if (git_tree_create_updated(&id, repo, base, (size_t)(u - updates), updates) != 0)
		return -1;
	return git_tree_lookup(out, repo, &id);
}

/* A commit on top of what `parent` names, if there is such a thing; `ref` NULL moves nothing. */
static int
make_commit(git_repository *repo, const char *parent_name, const char *ref, const json_t *files,
    const char *message, git_oid *id)
{
	cleanup(git_signature_free_p) git_signature *who = NULL;
	cleanup(git_object_free_p) git_object *parent = NULL;
	cleanup(git_tree_free_p) git_tree *base = NULL, *tree = NULL;
	const git_commit *parents[1];

	if (git_signature_now(&who, "Sandbox", "sandbox@example.com") != 0 ||
	    (git_revparse_single(&parent, repo, parent_name) == 0 &&
	    git_commit_tree(&base, (git_commit *)parent) != 0) ||
	    make_tree(repo, base, files, &tree) != 0)
		return -1;
	parents[0] = (const git_commit *)parent;
	return git_commit_create(id, repo, ref, who, who, NULL, message, tree, parent != NULL,
	    parents);
}

int
app_git_commit(const char *path, const char *branch, const json_t *files, const char *message,
    struct error *err)
{
	cleanup(git_repository_free_p) git_repository *repo = NULL;
	cleanup(free_p) char *ref = xasprintf("refs/heads/%s", branch);
	git_oid id;

	if (git_repository_open_bare(&repo, path) != 0 ||
	    make_commit(repo, ref, ref, files, message, &id) != 0)
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

/* What all repositories made of a source have in common, for them to link to. */
static int
make_common(const char *path, struct error *err)
{
	cleanup(free_p) char *line = xasprintf("%s/objects\n", path);

	return write_file(path, "alternates", line, err);
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
		if ((from == NULL ? make_crane(made, err) : make_bare(made, err)) == -1 ||
		    make_common(made, err) == -1)
			return NULL;
	}
	if (from != NULL && fetch(made != NULL ? made : path, from, err) == -1)
		return NULL;
	if (made != NULL)
		json_object_set_new(s->copies, key, json_string(made));
	return json_string_or(s->copies, key, NULL);
}

/* git replaces such a file when it changes it, and never writes into it. */
static int
link_file(const char *source, const char *name, const char *path, const char *as,
    struct error *err)
{
	cleanup(free_p) char *from = xasprintf("%s/%s", source, name);
	cleanup(free_p) char *to = xasprintf("%s/%s", path, as);

	return link(from, to) == -1 ? error_errno(err, "%s", to) : 0;
}

int
app_git_create(struct git_source *s, const char *path, const char *url, const char *commit,
    char id[GIT_ID_SIZE], struct error *err)
{
	const char *source = source_copy(s, url, err);
	cleanup(free_p) char *packs = xasprintf("%s/objects/pack", path);
	cleanup(free_p) char *info = xasprintf("%s/objects/info", path);
	cleanup(free_p) char *refs = xasprintf("%s/refs", path);
	cleanup(free_p) char *packed = NULL;

	if (source == NULL)
		return -1;
	if (commit != NULL)
		memcpy(id, commit, GIT_ID_SIZE);
	else if (!app_git_resolve(source, "refs/heads/master", id))
		return error_set(err, ERROR_REMOTE, "%s: no branch master", url);
	packed = xasprintf("# pack-refs with: peeled fully-peeled sorted \n%s refs/heads/master\n",
	    id);
	if (make_folders(packs, err) == -1 || make_folders(info, err) == -1 ||
	    make_folders(refs, err) == -1 ||
	    link_file(source, "HEAD", path, "HEAD", err) == -1 ||
	    link_file(source, "config", path, "config", err) == -1 ||
	    link_file(source, "alternates", path, "objects/info/alternates", err) == -1)
		return -1;
	return write_file(path, "packed-refs", packed, err);
}

/* -- many commits at once -- */

struct git_batch {
	git_repository	*repo;		/* our copy of the source */
	git_odb		*odb;		/* its objects; writes go to memory */
	git_odb_backend	*memory;	/* the odb's */
};

static void
batch_free(struct git_batch *b)
{
	git_odb_free(b->odb);
	git_repository_free(b->repo);
	free(b);
}

struct git_batch *
git_batch_new(struct git_source *s, const char *url, struct error *err)
{
	const char *path = source_copy(s, url, err);
	struct git_batch *b;

	if (path == NULL)
		return NULL;
	b = xcalloc(1, sizeof(*b));
	if (git_repository_open_bare(&b->repo, path) != 0 ||
	    git_repository_odb(&b->odb, b->repo) != 0 || git_mempack_new(&b->memory) != 0 ||
	    git_odb_add_backend(b->odb, b->memory, 1000) != 0) {
		git_failed(err, path);
		batch_free(b);
		return NULL;
	}
	return b;
}

int
git_batch_add(struct git_batch *b, const json_t *files, char id[GIT_ID_SIZE], struct error *err)
{
	git_oid commit;

	if (make_commit(b->repo, "refs/heads/master", NULL, files, "preset", &commit) != 0)
		return git_failed(err, "preset");
	git_oid_tostr(id, GIT_ID_SIZE, &commit);
	return 0;
}

static int
write_pack(struct git_batch *b, const git_buf *pack)
{
	git_odb_writepack *to = NULL;
	git_indexer_progress progress = { 0 };
	int failed;

	if (git_odb_write_pack(&to, b->odb, NULL, NULL) != 0)
		return -1;
	failed = to->append(to, pack->ptr, pack->size, &progress) != 0 ||
	    to->commit(to, &progress) != 0;
	to->free(to);
	return failed ? -1 : 0;
}

int
git_batch_end(struct git_batch *b, struct error *err)
{
	git_buf pack = { 0 };
	int result = 0;

	if (b == NULL)
		return 0;
	if (git_mempack_dump(&pack, b->repo, b->memory) != 0 ||
	    (pack.size > 0 && write_pack(b, &pack) != 0))
		result = git_failed(err, "preset");
	git_buf_dispose(&pack);
	batch_free(b);
	return result;
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

struct export {
	git_repository	*repo;
	const char	*dir;
};

static int
write_blob(const char *path, const char *data, size_t len, bool is_link)
{
	cleanup(free_p) char *target = is_link ? xstrndup(data, len) : NULL;
	bool written;
	FILE *f;

	if (is_link)
		return symlink(target, path);
	if ((f = fopen(path, "we")) == NULL)
		return -1;
	written = fwrite(data, 1, len, f) == len;
	return fclose(f) == EOF || !written ? -1 : 0;
}

static int
export_entry(const char *root, const git_tree_entry *entry, void *arg)
{
	const struct export *x = arg;
	cleanup(free_p) char *to = xasprintf("%s/%s%s", x->dir, root, git_tree_entry_name(entry));
	cleanup(git_blob_free_p) git_blob *blob = NULL;

	if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
		return mkdir(to, 0777);
	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)	/* a submodule */
		return 0;
	if (git_blob_lookup(&blob, x->repo, git_tree_entry_id(entry)) != 0)
		return -1;
	return write_blob(to, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob),
	    git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK);
}

int
app_git_export(const char *path, const char *id, const char *folder, const char *dir,
    struct error *err)
{
	cleanup(git_repository_free_p) git_repository *repo = NULL;
	cleanup(git_object_free_p) git_object *tree = NULL;
	cleanup(free_p) char *spec = xasprintf("%s:%s", id, folder);
	struct export x = { .dir = dir };

	if (git_repository_open_bare(&repo, path) != 0 ||
	    git_revparse_single(&tree, repo, spec) != 0 ||
	    git_object_type(tree) != GIT_OBJECT_TREE)
		return git_failed(err, spec);
	x.repo = repo;
	if (mkdir(dir, 0777) == -1 ||
	    git_tree_walk((git_tree *)tree, GIT_TREEWALK_PRE, export_entry, &x) != 0)
		return error_set(err, ERROR_REMOTE, "cannot write %s to %s", spec, dir);
	return 0;
}
