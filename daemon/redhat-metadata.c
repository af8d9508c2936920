#include "daemon/redhat-metadata.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "daemon/git.h"
#include "daemon/redhat-index.h"
#include "daemon/repo.h"
#include "daemon/url.h"

#define REDIRECTS_MAX 5
#define TRIES 3
#define INDEX_MAX (16u << 20)		/* bytes of a directory's listing */
#define FETCHED_REF "refs/raas/redhat"

enum source_kind { SOURCE_CONFIG, SOURCE_GIT, SOURCE_FILE, SOURCE_FOLDER };

/* One mask_get(). */
struct get {
	const struct mask_source	*from;
	const struct deadline		*deadline;
	const struct mask		*last;		/* of the same source; NULL: none */
	struct mask			*mask;		/* being filled */
};

static bool
ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncmp(s + len - n, end, n) == 0;
}

static enum source_kind
kind_of_url(const char *url)
{
	size_t len = strcspn(url, "?#");

	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return SOURCE_GIT;
	if (ends_with(url, len, ".git") || ends_with(url, len, ".git/"))
		return SOURCE_GIT;
	return ends_with(url, len, ".json") ? SOURCE_FILE : SOURCE_FOLDER;
}

static enum source_kind
source_kind(const struct redhat_config *redhat)
{
	if (redhat->metadata != NULL)
		return kind_of_url(redhat->metadata);
	return redhat->metadata_repo != NULL ? SOURCE_GIT : SOURCE_CONFIG;
}

static const char *
git_url(const struct redhat_config *redhat)
{
	return redhat->metadata != NULL ? redhat->metadata : redhat->metadata_repo;
}

static const char *
git_path(const struct redhat_config *redhat)
{
	return redhat->metadata != NULL ? "" : redhat->metadata_relpath;
}

/* How the source is called in messages, and told from another. */
static char *
source_shown(const struct redhat_config *redhat)
{
	cleanup(free_p) char *url = NULL;

	switch (source_kind(redhat)) {
	case SOURCE_CONFIG:
		return xstrdup("redhat/metadata of the config repo");
	case SOURCE_GIT:
		url = repo_public_url(git_url(redhat));
		if (git_path(redhat)[0] == '\0')
			return steal(url);
		return xasprintf("%s, %s", url, git_path(redhat));
	default:
		return http_url_shown(redhat->metadata);
	}
}

/* What another server gives us may be mended there and be right the next time. */
static int
blame_source(struct error *err)
{
	if (err != NULL && err->kind == ERROR_INPUT)
		err->kind = ERROR_REMOTE;
	return -1;
}

static int
get_from_config(struct get *g, struct error *err)
{
	size_t i;

	for (i = 0; i < g->from->n_config_files; i++) {
		const struct mask_input *file = &g->from->config_files[i];

		if (mask_add(g->mask, file->name, file->data, file->len, NULL, err) == -1)
			return error_prefix(err, "redhat/metadata/%s", file->name);
	}
	return 0;
}

/* The path of a URL up to its last slash. */
static char *
url_folder(const char *url)
{
	CURLU *u = curl_url();
	char *path = NULL, *copy = NULL, *slash;

	if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK)
		copy = xstrdup(path);
	curl_free(path);
	curl_url_cleanup(u);
	if (copy == NULL)
		copy = xstrdup("/");
	if ((slash = strrchr(copy, '/')) != NULL)
		slash[1] = '\0';
	return copy;
}

/* Replaces *url by where the answer redirects to. */
static int
follow(char **url, const struct http_response *answer, struct error *err)
{
	char location[4096];
	char *to;

	if (!http_header(answer, "location", location, sizeof(location)) ||
	    (to = url_resolve(*url, location)) == NULL)
		return error_set(err, ERROR_REMOTE, "HTTP status %ld leads nowhere", answer->status);
	if (strncasecmp(*url, "https:", 6) == 0 && strncasecmp(to, "https:", 6) != 0) {
		free(to);
		return error_set(err, ERROR_REMOTE, "leads from https to something else");
	}
	free(*url);
	*url = to;
	return 0;
}

static int
status_error(long status, struct error *err)
{
	enum error_kind kind = ERROR_REMOTE;

	if (status == 401 || status == 403)
		kind = ERROR_CREDENTIALS;
	else if (status == 404 || status == 410)
		kind = ERROR_MISSING;
	return error_set(err, kind, "HTTP status %ld", status);
}

/* Asks at *url and where that leads. 0 with status 200, or 304 when there is a validator. */
static int
fetch_once(const struct get *g, char **url, const char *validator, size_t max,
    struct http_response *answer, struct error *err)
{
	const char *headers[] = { validator, NULL };
	unsigned int hops;

	for (hops = 0; hops <= REDIRECTS_MAX; hops++) {
		struct http_request request = { .url = *url, .headers = headers, .body_max = max };

		if (http_do(g->from->http, &request, answer, g->deadline, err) == -1)
			return -1;
		if (answer->status == 200 || (answer->status == 304 && validator != NULL))
			return 0;
		if (answer->status / 100 != 3)
			return status_error(answer->status, err);
		if (follow(url, answer, err) == -1)
			return -1;
	}
	return error_set(err, ERROR_REMOTE, "leads on more than %d times", REDIRECTS_MAX);
}

static int
fetch(const struct get *g, char **url, const char *validator, size_t max,
    struct http_response *answer, struct error *err)
{
	struct error why = ERROR_INIT, stop = ERROR_INIT;
	unsigned int try = 1;

	while (fetch_once(g, url, validator, max, answer, &why) == -1) {
		if (why.kind == ERROR_REMOTE && try < TRIES &&
		    deadline_sleep(g->deadline, http_backoff_ms(try++), &stop) == 0)
			continue;
		if (stop.kind == ERROR_CANCELLED)
			why = stop;
		return error_set(err, why.kind, "%s", why.text);
	}
	return 0;
}

/* The header that asks the next time whether the file is still this one. */
static char *
validator_of(const struct http_response *answer)
{
	char value[512];

	if (http_header(answer, "etag", value, sizeof(value)))
		return xasprintf("If-None-Match: %s", value);
	if (http_header(answer, "last-modified", value, sizeof(value)))
		return xasprintf("If-Modified-Since: %s", value);
	return NULL;
}

static int
take_answer(struct get *g, const char *name, const struct mask_file *before,
    const struct http_response *answer, struct error *err)
{
	cleanup(free_p) char *validator = NULL;

	if (answer->status == 304)
		return mask_add(g->mask, name, before->data, before->len, before->validator, err);
	validator = validator_of(answer);
	return mask_add(g->mask, name, buf_str(&answer->body), answer->body.len, validator, err);
}

static int
get_file(struct get *g, const char *at, const char *name, struct error *err)
{
	const struct mask_file *before = g->last != NULL ? mask_find(g->last, name) : NULL;
	cleanup(free_p) char *url = xstrdup(at), *shown = http_url_shown(at);
	cleanup(http_response_done) struct http_response answer = HTTP_RESPONSE_INIT;

	if (fetch(g, &url, before != NULL ? before->validator : NULL, MASK_FILE_MAX, &answer,
	    err) == -1 || take_answer(g, name, before, &answer, err) == -1) {
		blame_source(err);
		return error_prefix(err, "%s", shown);
	}
	return 0;
}

/* "…/name.json" */
static int
get_one(struct get *g, struct error *err)
{
	const char *url = g->from->redhat->metadata;
	cleanup(free_p) char *shown = http_url_shown(url);

	return get_file(g, url, strrchr(shown, '/') + 1, err);
}

/* A folder's URL ends in a slash; without it a server redirects there at best. */
static char *
folder_url(const char *url)
{
	size_t len = strcspn(url, "?#");

	return xasprintf("%.*s%s%s", (int)len, url, len > 0 && url[len - 1] == '/' ? "" : "/",
	    url + len);
}

static int
list_folder(struct get *g, char **url, struct crane_ids *names, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *folder = NULL;

	if (fetch(g, url, NULL, INDEX_MAX, &answer, err) == -1)
		return -1;
	folder = url_folder(*url);
	if (redhat_index_names(buf_str(&answer.body), answer.body.len, folder, MASK_FILES_MAX,
	    names, err) == -1)
		return -1;
	/* An error page, or a login's, must not empty the mask. */
	if (names->n == 0)
		return error_set(err, ERROR_REMOTE,
		    "links to no *.json: not the listing of a directory");
	return 0;
}

static int
get_folder(struct get *g, struct error *err)
{
	cleanup(free_p) char *url = folder_url(g->from->redhat->metadata);
	cleanup(free_p) char *shown = http_url_shown(url);
	cleanup(crane_ids_done) struct crane_ids names = CRANE_IDS_INIT;
	size_t i;

	if (list_folder(g, &url, &names, err) == -1) {
		blame_source(err);
		return error_prefix(err, "%s", shown);
	}
	for (i = 0; i < names.n; i++) {
		cleanup(free_p) char *at = url_resolve(url, names.ids[i]);

		if (at == NULL)
			return error_set(err, ERROR_INPUT, "%s: not a URL", shown);
		if (get_file(g, at, names.ids[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
take_blob(struct get *g, git_repository *repo, const git_tree_entry *entry, const char *name,
    struct error *err)
{
	cleanup(buf_done) struct buf bytes = BUF_INIT;
	git_filemode_t mode = git_tree_entry_filemode(entry);

	if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE)
		return error_set(err, ERROR_INPUT, "%s: not a regular file", name);
	if (deadline_check(g->deadline, err) == -1 ||
	    repo_read_blob(repo, git_tree_entry_id(entry), MASK_FILE_MAX, &bytes, err) == -1 ||
	    mask_add(g->mask, name, buf_str(&bytes), bytes.len, NULL, err) == -1)
		return error_prefix(err, "%s", name);
	return 0;
}

static int
take_folder(struct get *g, git_repository *repo, const git_tree *folder, struct error *err)
{
	size_t i, n = git_tree_entrycount(folder);

	for (i = 0; i < n; i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(folder, i);
		const char *name = git_tree_entry_name(entry);

		if (ends_with(name, strlen(name), ".json") &&
		    take_blob(g, repo, entry, name, err) == -1)
			return -1;
	}
	if (g->mask->n_files == 0)
		return error_set(err, ERROR_MISSING, "no *.json there");
	return 0;
}

/* What stands at metadata_relpath: a folder, or one file. */
static int
take_path(struct get *g, git_repository *repo, const git_oid *commit, struct error *err)
{
	cleanup(git_tree_free_p) git_tree *root = NULL, *folder = NULL;
	cleanup(git_tree_entry_free_p) git_tree_entry *entry = NULL;
	cleanup(free_p) char *path = xstrdup(git_path(g->from->redhat));
	size_t start = strspn(path, "/"), end = strlen(path);

	while (end > start && path[end - 1] == '/')
		path[--end] = '\0';
	if (repo_tree(repo, commit, &root, err) == -1)
		return -1;
	if (end == start)
		return take_folder(g, repo, root, err);
	if (git_tree_entry_bypath(&entry, root, path + start) != 0)
		return error_set(err, ERROR_MISSING, "no such path in the repo");
	if (git_tree_entry_type(entry) != GIT_OBJECT_TREE)
		return take_blob(g, repo, entry, git_tree_entry_name(entry), err);
	if (git_tree_lookup(&folder, repo, git_tree_entry_id(entry)) != 0)
		return git_fail(err, ERROR_SYSTEM, "cannot read the folder");
	return take_folder(g, repo, folder, err);
}

/* The head of the remote's own branch; fetched when `last` is not of that commit. */
static int
fetch_head(struct get *g, git_repository *repo, git_oid *head, struct error *err)
{
	const struct git_remote_at at = {
		git_url(g->from->redhat), g->from->ssh_command, g->from->http_shared
	};
	char hex[GIT_OID_HEXSZ + 1];
	bool found;

	if (git_remote_ref(repo, &at, "HEAD", head, &found, g->deadline, err) == -1)
		return -1;
	if (!found)
		return error_set(err, ERROR_MISSING, "the repo has no commit");
	g->mask->commit = xstrdup(git_oid_tostr(hex, sizeof(hex), head));
	if (g->last != NULL && g->last->commit != NULL && strcmp(g->last->commit, hex) == 0)
		return 0;
	if (git_fetch(repo, &at, "+HEAD:" FETCHED_REF, g->deadline, err) == -1)
		return -1;
	/* Somebody may have pushed since we asked. */
	if (repo_ref(repo, FETCHED_REF, head, &found, err) == -1)
		return -1;
	if (!found)
		return error_set(err, ERROR_SYSTEM, "'%s' is not there after a fetch", FETCHED_REF);
	free(g->mask->commit);
	g->mask->commit = xstrdup(git_oid_tostr(hex, sizeof(hex), head));
	return 0;
}

static int
get_from_git(struct get *g, struct error *err)
{
	cleanup(git_repository_free_p) git_repository *repo = NULL;
	git_oid head;

	if (git_open_bare(g->from->git_dir, &repo, err) == -1 ||
	    fetch_head(g, repo, &head, err) == -1)
		return error_prefix(err, "%s", g->mask->source);
	if (g->last != NULL && g->last->commit != NULL &&
	    strcmp(g->last->commit, g->mask->commit) == 0)
		return 0;
	if (take_path(g, repo, &head, err) == -1) {
		blame_source(err);
		return error_prefix(err, "%s", g->mask->source);
	}
	return 0;
}

static int
get_all(struct get *g, struct error *err)
{
	switch (source_kind(g->from->redhat)) {
	case SOURCE_CONFIG:
		return get_from_config(g, err);
	case SOURCE_GIT:
		return get_from_git(g, err);
	case SOURCE_FILE:
		return get_one(g, err);
	case SOURCE_FOLDER:
		return get_folder(g, err);
	}
	return error_set(err, ERROR_INTERNAL, "no such kind of source");
}

/* Of a git source at the same commit the files were not even read; another commit is worth
 * remembering, though its files are the same. */
static bool
is_unchanged(const struct mask *now, const struct mask *last)
{
	if (last == NULL)
		return false;
	if (now->commit != NULL)
		return last->commit != NULL && strcmp(now->commit, last->commit) == 0;
	return mask_same(now, last);
}

struct mask *
mask_get(const struct mask_source *from, struct mask *last, const struct deadline *deadline,
    struct error *err)
{
	cleanup(free_p) char *source = source_shown(from->redhat);
	bool same_source = last != NULL && strcmp(last->source, source) == 0;
	struct get g = { from, deadline, same_source ? last : NULL, mask_new(source) };
	cleanup(mask_unref_p) struct mask *mask = g.mask;

	if (get_all(&g, err) == -1)
		return NULL;
	mask_seal(mask);
	if (is_unchanged(mask, g.last))
		return mask_ref(last);
	if (mask_keep(mask, from->keep_dir, err) == -1)
		return NULL;
	return steal(mask);
}
