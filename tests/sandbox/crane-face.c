#include "tests/sandbox/crane-face.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/table.h"

#define DEPTH_MAX 32
#define TYPE_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define TYPE_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

struct crane {
	struct table	v1, v2;		/* by the name that is pulled; the file as a json_t */
};

struct crane *
crane_new(void)
{
	struct crane *c = xcalloc(1, sizeof(*c));

	return c;
}

static void
free_json(void *value)
{
	json_decref(value);
}

void
crane_free(struct crane *c)
{
	if (c == NULL)
		return;
	table_done(&c->v1, free_json);
	table_done(&c->v2, free_json);
	free(c);
}

/* What each version must have besides the repository's name and URL. */
static bool
is_complete(const json_t *file, int64_t version)
{
	if (json_string_or(file, "repo-registry-id", NULL) == NULL ||
	    json_string_or(file, "repository", NULL) == NULL ||
	    json_string_or(file, "url", NULL) == NULL)
		return false;
	if (version == 1)
		return json_is_array(json_object_get(file, "images")) &&
		    json_is_object(json_object_get(file, "tags"));
	if (version >= 3 && !json_is_array(json_object_get(file, "schema2_data")))
		return false;
	return version != 4 || (json_is_array(json_object_get(file, "manifest_list_data")) &&
	    json_is_object(json_object_get(file, "manifest_list_amd64_tags")));
}

void
crane_add_file(void *arg, const char *name, const char *data, size_t len)
{
	struct crane *c = arg;
	size_t name_len = strlen(name);
	json_t *file, *old;
	int64_t version;

	if (name_len < 5 || strcmp(name + name_len - 5, ".json") != 0 ||
	    (file = json_read(data, len, DEPTH_MAX, NULL)) == NULL)
		return;
	version = json_int_or(file, "version", 0);
	if (version < 1 || version > 4 || !is_complete(file, version)) {
		json_decref(file);
		return;
	}
	old = table_put(version == 1 ? &c->v1 : &c->v2,
	    json_string_or(file, "repo-registry-id", ""), file);
	json_decref(old);
}

static bool
is_protected(const json_t *file)
{
	return json_bool_or(file, "protected", false);
}

/* -- lists of repositories -- */

static json_t *
v1_summary(const json_t *file)
{
	json_t *ids = json_array(), *image, *o = json_object();
	size_t i;

	json_array_foreach(json_object_get(file, "images"), i, image)
		json_array_append(ids, json_object_get(image, "id"));
	json_object_set_new(o, "image_ids", ids);
	json_object_set(o, "tags", json_object_get(file, "tags"));
	json_object_set_new(o, "protected", json_boolean(is_protected(file)));
	return o;
}

static json_t *
v2_summary(const json_t *file)
{
	json_t *o = json_object();

	json_object_set_new(o, "protected", json_boolean(is_protected(file)));
	return o;
}

static void
answer_repositories(const struct request *r, struct reply *a, const struct table *t,
    json_t *(*summary)(const json_t *))
{
	const char *accept = request_header(r, "Accept");
	cleanup(buf_done) struct buf page = BUF_INIT;
	json_t *o;
	size_t i;

	if (accept != NULL && strcmp(accept, "application/json") == 0) {
		o = json_object();
		for (i = 0; i < t->n; i++)
			json_object_set_new(o, t->rows[i].name, summary(t->rows[i].value));
		reply_json(a, 200, o);
		return;
	}
	buf_add_str(&page, "<html><body><h1>Repositories</h1><ul>\n");
	for (i = 0; i < t->n; i++)
		buf_printf(&page, "<li>%s</li>\n", t->rows[i].name);
	buf_add_str(&page, "</ul></body></html>\n");
	reply_text(a, 200, "text/html; charset=utf-8", buf_str(&page));
}

/* -- version 1 -- */

static void
v1_headers(struct reply *a)
{
	reply_header(a, "X-Docker-Registry-Version", "0.6.6");
	reply_header(a, "X-Docker-Registry-Config", "common");
}

static void
v1_missing(struct reply *a)
{
	reply_text(a, 404, "text/html; charset=utf-8", "Not Found");
}

/* The file for a v1 path's "NAME/images"; `tail` is set to "images". NULL: there is none. */
static const json_t *
v1_file(const struct crane *c, const char *path, const char **tail)
{
	cleanup(free_p) char *name = NULL;
	const char *at = path, *end = strstr(path, "/images"), *tags = strstr(path, "/tags");
	const json_t *file;

	if (end == NULL || (tags != NULL && tags < end))
		end = tags;
	if (end == NULL)
		return NULL;
	if (strncmp(at, "library/", 8) == 0)
		at += 8;
	name = xstrndup(at, (size_t)(end - at));
	file = table_get(&c->v1, name);
	*tail = end + 1;
	return file != NULL && !is_protected(file) ? file : NULL;
}

static void
v1_repository(const struct crane *c, const struct request *r, struct reply *a, const char *path)
{
	const char *tail = "", *host = request_header(r, "Host");
	const json_t *file = v1_file(c, path, &tail), *id;
	json_t *tags = json_object_get(file, "tags");

	if (file != NULL && strcmp(tail, "images") == 0) {
		reply_header(a, "X-Docker-Endpoints", host != NULL ? host : "");
		reply_json(a, 200, json_incref(json_object_get(file, "images")));
	} else if (file != NULL && strcmp(tail, "tags") == 0) {
		reply_json(a, 200, json_incref(tags));
	} else if (file != NULL && strncmp(tail, "tags/", 5) == 0 &&
	    (id = json_object_get(tags, tail + 5)) != NULL) {
		reply_json(a, 200, json_incref((json_t *)id));
	} else {
		v1_missing(a);
	}
}

static const char *
url_of_image(const struct crane *c, const char *id)
{
	size_t i, k;
	json_t *image;

	for (i = 0; i < c->v1.n; i++) {
		const json_t *file = c->v1.rows[i].value;

		if (is_protected(file))
			continue;
		json_array_foreach(json_object_get(file, "images"), k, image) {
			if (strcmp(json_string_or(image, "id", ""), id) == 0)
				return json_string_or(file, "url", NULL);
		}
	}
	return NULL;
}

static void
redirect(struct reply *a, const char *base, const char *path)
{
	size_t len = strlen(base);
	cleanup(free_p) char *to = xasprintf("%s%s%s", base,
	    len > 0 && base[len - 1] == '/' ? "" : "/", path);

	reply_header(a, "Location", to);
	reply_html(a, 302, "Redirecting...");
}

static void
v1_image(const struct crane *c, struct reply *a, const char *path)
{
	const char *slash = strchr(path, '/'), *url;
	cleanup(free_p) char *id = NULL;

	if (slash == NULL || (strcmp(slash, "/json") != 0 && strcmp(slash, "/ancestry") != 0 &&
	    strcmp(slash, "/layer") != 0)) {
		v1_missing(a);
		return;
	}
	id = xstrndup(path, (size_t)(slash - path));
	if ((url = url_of_image(c, id)) == NULL)
		v1_missing(a);
	else
		redirect(a, url, path);
}

static void
v1_search(const struct crane *c, const struct request *r, struct reply *a)
{
	const char *wanted = query_value(&r->query, "q");
	json_t *results = json_array(), *o = json_object();
	size_t i;

	for (i = 0; i < c->v1.n; i++) {
		if (wanted == NULL || strstr(c->v1.rows[i].name, wanted) != NULL)
			json_array_append_new(results, json_pack("{s:s, s:s}", "name",
			    c->v1.rows[i].name, "description", ""));
	}
	json_object_set_new(o, "num_results", json_integer((json_int_t)json_array_size(results)));
	json_object_set_new(o, "query", json_text(wanted != NULL ? wanted : ""));
	json_object_set_new(o, "results", results);
	reply_json(a, 200, o);
}

static void
answer_v1(const struct crane *c, const struct request *r, struct reply *a, const char *path)
{
	v1_headers(a);
	if (strcmp(path, "_ping") == 0)
		reply_json(a, 200, json_true());
	else if (strcmp(path, "users") == 0 || strcmp(path, "users/") == 0)
		reply_json(a, request_is(r, "POST") ? 201 : 200, json_string("OK"));
	else if (strcmp(path, "search") == 0)
		v1_search(c, r, a);
	else if (strncmp(path, "repositories/", 13) == 0)
		v1_repository(c, r, a, path + 13);
	else if (strncmp(path, "images/", 7) == 0)
		v1_image(c, a, path + 7);
	else
		v1_missing(a);
}

/* -- version 2 -- */

static void
v2_missing(struct reply *a)
{
	reply_json(a, 404, json_pack("{s:[{s:s, s:s}]}", "errors", "code", "404",
	    "message", "Not Found"));
}

static bool
lists(const json_t *file, const char *key, const char *wanted)
{
	const json_t *element;
	size_t i;

	json_array_foreach(json_object_get(file, key), i, element) {
		if (json_is_string(element) && strcmp(json_string_value(element), wanted) == 0)
			return true;
	}
	return false;
}

/* A client may send several Accept lines; Crane sees them all as one. */
static bool
accepts(const struct request *r, const char *type)
{
	struct evkeyval *header;

	TAILQ_FOREACH(header, r->headers, next) {
		if (strcasecmp(header->key, "Accept") == 0 && strstr(header->value, type) != NULL)
			return true;
	}
	return false;
}

/* Where a manifest stands below the repository's URL: FACTS of Crane's versions 2 to 4. */
static char *
manifest_path(const json_t *file, const struct request *r, const char *ref)
{
	int64_t version = json_int_or(file, "version", 2);
	const json_t *amd64 = json_object_get(json_object_get(file, "manifest_list_amd64_tags"),
	    ref);

	if (version == 2)
		return xasprintf("manifests/%s", ref);
	if (accepts(r, TYPE_LIST) && lists(file, "manifest_list_data", ref))
		return xasprintf("manifests/list/%s", ref);
	if (json_is_array(amd64) && json_is_string(json_array_get(amd64, 0)))
		return xasprintf("manifests/%d/%s",
		    json_integer_value(json_array_get(amd64, 1)) == 2 ? 2 : 1,
		    json_string_value(json_array_get(amd64, 0)));
	if (accepts(r, TYPE_MANIFEST) && lists(file, "schema2_data", ref))
		return xasprintf("manifests/2/%s", ref);
	return xasprintf("manifests/1/%s", ref);
}

/* The rightmost "/tags/", "/manifests/" or "/blobs/" of a path; NULL: none. */
static const char *
v2_split(const char *path)
{
	static const char *const words[] = { "/tags/", "/manifests/", "/blobs/" };
	const char *at, *found = NULL;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (at = path; (at = strstr(at, words[i])) != NULL; at++) {
			if (found == NULL || at > found)
				found = at;
		}
	}
	return found;
}

static void
answer_v2(const struct crane *c, const struct request *r, struct reply *a, const char *path)
{
	const char *split = v2_split(path);
	cleanup(free_p) char *name = NULL, *to = NULL;
	const json_t *file;

	if (path[0] == '\0') {
		reply_header(a, "Docker-Distribution-API-Version", "registry/2.0");
		reply_json(a, 200, json_object());
		return;
	}
	if (split == NULL) {
		v2_missing(a);
		return;
	}
	name = xstrndup(path, (size_t)(split - path));
	file = table_get(&c->v2, strncmp(name, "library/", 8) == 0 ? name + 8 : name);
	if (file == NULL || is_protected(file)) {
		v2_missing(a);
		return;
	}
	split++;
	to = strncmp(split, "manifests/", 10) == 0 ? manifest_path(file, r, split + 10) :
	    xstrdup(split);
	redirect(a, json_string_or(file, "url", ""), to);
}

void
crane_answer(const struct crane *c, const struct request *r, struct reply *a)
{
	cleanup(free_p) char *path = percent_decode(r->path, strlen(r->path), false);

	if (strcmp(path, "/v2") == 0 || strcmp(path, "/v2/") == 0)
		answer_v2(c, r, a, "");
	else if (strncmp(path, "/v1/", 4) == 0)
		answer_v1(c, r, a, path + 4);
	else if (strncmp(path, "/v2/", 4) == 0)
		answer_v2(c, r, a, path + 4);
	else if (strcmp(path, "/crane/repositories") == 0 ||
	    strcmp(path, "/crane/repositories/v1") == 0)
		answer_repositories(r, a, &c->v1, v1_summary);
	else if (strcmp(path, "/crane/repositories/v2") == 0)
		answer_repositories(r, a, &c->v2, v2_summary);
	else
		reply_html(a, 404, "Not Found");
}
