#include "crane/v1.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define RESULTS_DEFAULT 25u
#define RESULTS_MAX 100u

static const struct crane_metadata *
find_repository(const struct service *s, const char *name)
{
	const struct crane_metadata *m;
	const char *slash;

	if (strncmp(name, "library/", 8) == 0)	/* what docker puts before a bare name */
		name += 8;
	slash = strchr(name, '/');
	if (slash != NULL && strchr(slash + 1, '/') != NULL)
		return NULL;
	m = store_v1(live_store(s->live), name);
	return m != NULL && !m->is_protected ? m : NULL;
}

static void
images(const struct service *s, const struct request *r, const struct crane_metadata *m,
    struct answer *a)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < m->images.n; i++)
		json_array_append_new(list, json_pack("{s:o}", "id", json_text(m->images.ids[i])));
	answer_json(a, list);
	answer_header(a, "X-Docker-Endpoints", s->endpoint != NULL ? s->endpoint : r->host);
}

static void
tags(const struct crane_metadata *m, struct answer *a)
{
	json_t *map = json_object();
	size_t i;

	for (i = 0; i < m->tags.n; i++)
		json_object_set_new(map, m->tags.tags[i].name, json_text(m->tags.tags[i].target));
	answer_json(a, map);
}

static void
one_tag(const struct crane_metadata *m, const char *name, struct answer *a)
{
	const struct crane_tag *tag = crane_tags_find(&m->tags, name);

	if (tag == NULL)
		answer_status(a, 404);
	else
		answer_json(a, json_text(tag->target));
}

/* "NAME/images", "NAME/tags" or "NAME/tags/TAG". */
static void
repository(const struct service *s, const struct request *r, const char *path, struct answer *a)
{
	cleanup(free_p) char *name = xstrdup(path);
	const struct crane_metadata *m;
	char *tag = NULL, *what = strrchr(name, '/');

	if (what != NULL && strcmp(what, "/images") != 0 && strcmp(what, "/tags") != 0) {
		*what = '\0';
		tag = what + 1;
		what = strrchr(name, '/');
		if (what != NULL && strcmp(what, "/tags") != 0)
			what = NULL;
	}
	if (what == NULL) {
		answer_status(a, 404);
		return;
	}
	*what++ = '\0';
	if ((m = find_repository(s, name)) == NULL)
		answer_status(a, 404);
	else if (tag != NULL)
		one_tag(m, tag, a);
	else if (strcmp(what, "tags") == 0)
		tags(m, a);
	else
		images(s, r, m, a);
}

/* "ID/FILE" */
static void
image(const struct service *s, const struct request *r, const char *path, struct answer *a)
{
	const char *slash = strchr(path, '/');
	cleanup(free_p) char *id = slash != NULL ? xstrndup(path, (size_t)(slash - path)) : NULL;
	const struct crane_metadata *m = NULL;

	if (id != NULL && (strcmp(slash, "/json") == 0 || strcmp(slash, "/ancestry") == 0 ||
	    strcmp(slash, "/layer") == 0))
		m = store_image(live_store(s->live), id);
	if (m == NULL)
		answer_status(a, 404);
	else
		service_redirect(s, r, m->url, path, a);
}

static json_t *
result(const char *name)
{
	return json_pack("{s:o,s:s,s:b,s:b,s:b,s:i}", "name", json_text(name), "description", "",
	    "is_official", 0, "is_automated", 0, "is_trusted", 0, "star_count", 0);
}

/* Names of both registries that hold the words, those of v2 first, each once. */
static json_t *
search_results(const struct store *store, const char *query, size_t max)
{
	json_t *results = json_array();
	const struct crane_metadata *m;
	size_t i;

	for (i = 0; i < store_n_v2(store) && json_array_size(results) < max; i++) {
		m = store_v2_at(store, i);
		if (!m->is_protected && strcasestr(m->registry_id, query) != NULL)
			json_array_append_new(results, result(m->registry_id));
	}
	for (i = 0; i < store_n_v1(store) && json_array_size(results) < max; i++) {
		m = store_v1_at(store, i);
		if (!m->is_protected && strcasestr(m->registry_id, query) != NULL &&
		    store_v2(store, m->registry_id) == NULL)
			json_array_append_new(results, result(m->registry_id));
	}
	return results;
}

static void
search(const struct service *s, const struct request *r, struct answer *a)
{
	char query[REQUEST_VALUE_MAX] = "", number[REQUEST_VALUE_MAX];
	size_t max = RESULTS_DEFAULT;
	json_t *results;

	if (request_parameter(r, "q", query) == REQUEST_BAD) {
		answer_status(a, 400);
		return;
	}
	if (request_parameter(r, "n", number) == REQUEST_PRESENT)
		max = strtoul(number, NULL, 10);
	if (max == 0 || max > RESULTS_MAX)
		max = RESULTS_MAX;
	results = search_results(live_store(s->live), query, max);
	answer_json(a, json_pack("{s:o,s:i,s:i,s:i,s:i,s:o}", "query", json_text(query),
	    "num_results", (int)json_array_size(results), "num_pages", 1, "page", 1,
	    "page_size", (int)max, "results", results));
}

/* "docker login" POSTs here; nobody needs an account. */
static void
users(const struct request *r, struct answer *a)
{
	if (r->method == REQUEST_POST)
		a->status = 201;
	answer_json(a, json_string(r->method == REQUEST_POST ? "User Created" : "OK"));
}

static void
answer_path(const struct service *s, const struct request *r, const char *path, struct answer *a)
{
	bool is_users = strcmp(path, "/users") == 0 || strcmp(path, "/users/") == 0;

	if (r->method == REQUEST_OTHER || (r->method == REQUEST_POST && !is_users))
		answer_not_allowed(a, is_users ? "GET, HEAD, POST" : "GET, HEAD");
	else if (is_users)
		users(r, a);
	else if (strcmp(path, "/_ping") == 0)
		answer_json(a, json_true());
	else if (strcmp(path, "/search") == 0)
		search(s, r, a);
	else if (strncmp(path, "/repositories/", 14) == 0)
		repository(s, r, path + 14, a);
	else if (strncmp(path, "/images/", 8) == 0)
		image(s, r, path + 8, a);
	else
		answer_status(a, 404);
}

void
v1_answer(const struct service *s, const struct request *r, const char *path, struct answer *a)
{
	answer_path(s, r, path, a);
	answer_header(a, "X-Docker-Registry-Version", "0.6.6");
	answer_header(a, "X-Docker-Registry-Config", "common");
}
