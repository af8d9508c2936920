#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/control.h"

#define COUNT_MAX 100000

/* The text with each {n} replaced; the caller's to free. */
static char *
numbered(const char *text, long n)
{
	struct buf out = BUF_INIT;
	const char *at;

	while ((at = strstr(text, "{n}")) != NULL) {
		buf_add(&out, text, (size_t)(at - text));
		buf_printf(&out, "%ld", n);
		text = at + 3;
	}
	buf_add_str(&out, text);
	return buf_take(&out);
}

/* The same object with the numbers in its names and texts. */
static json_t *
numbered_object(const json_t *object, long n)
{
	json_t *out = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)object, name, value) {
		cleanup(free_p) char *key = numbered(name, n);
		cleanup(free_p) char *text = json_is_string(value) ?
		    numbered(json_string_value(value), n) : json_dumps(value, JSON_ENCODE_ANY);
		cleanup(free_p) char *expanded = numbered(text, n);

		json_object_set_new(out, key, json_string(expanded));
	}
	return out;
}

static const char *const crane_env[][2] = {
	{ "OPENSHIFT_PYTHON_WSGI_APPLICATION", "crane/wsgi.py" },
	{ "OPENSHIFT_PYTHON_DOCUMENT_ROOT", "crane/" },
	{ "HAPROXY_CARTRIDGE_HTTPCHK_URI", "/v1/_ping" },
};

static json_t *
env_of(const json_t *order, long n)
{
	const json_t *given = json_object_get(order, "env");
	json_t *env;
	size_t i;

	if (given != NULL)
		return numbered_object(given, n);
	env = json_object();
	for (i = 0; i < sizeof(crane_env) / sizeof(crane_env[0]); i++)
		json_object_set_new(env, crane_env[i][0], json_string(crane_env[i][1]));
	return env;
}

static int
make_app(struct control *control, const json_t *order, long n, const char *commit,
    struct account *owner, struct error *err)
{
	cleanup(free_p) char *domain_name = numbered(json_string_or(order, "domain", "isv{n}"), n);
	cleanup(free_p) char *name = numbered(json_string_or(order, "app", "registry"), n);
	cleanup(json_unref) json_t *env = env_of(order, n);
	struct app_form form = { .name = name, .cartridge = json_string_or(order, "cartridge",
	    "python-2.7"), .gear_size = json_string_or(order, "gear_size", "small"),
	    .scale = json_bool_or(order, "scale", true), .env = env,
	    .git_url = json_string_or(order, "initial_git_url", NULL), .commit = commit };
	struct domain *domain = apps_domain(control->apps, domain_name);

	if (domain == NULL)
		domain = apps_add_domain(control->apps, domain_name, owner);
	if (domain_app(domain, name) != NULL)
		return error_set(err, ERROR_INPUT, "app '%s' in '%s' exists", name, domain_name);
	return apps_add_app(control->apps, domain, &form, err) != NULL ? 0 : -1;
}

static int
make_bucket(struct control *control, const json_t *order, long n, struct error *err)
{
	cleanup(free_p) char *name = numbered(json_string_or(order, "bucket", "isv{n}.bucket"), n);
	cleanup(json_unref) json_t *objects = numbered_object(json_object_get(order, "objects"), n);
	struct bucket *b = s3_add_bucket(control->s3, name, S3_OWNER, NULL);
	const char *policy = json_string_or(order, "policy", NULL), *key;
	json_t *text;

	if (policy != NULL && strcmp(policy, "public") == 0)
		b->policy = xasprintf("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"
		    "\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":"
		    "\"arn:aws:s3:::%s/*\"}]}", name);
	else if (policy != NULL)
		b->policy = numbered(policy, n);
	json_object_foreach(objects, key, text) {
		if (bucket_put_bytes(b, key, json_string_value(text), json_string_length(text),
		    json_pack("{s:s}", "Content-Type", "application/octet-stream"), false,
		    err) == -1)
			return -1;
	}
	return 0;
}

/* One commit for each number, on the source that all their apps are made of. */
static int
make_commits(struct control *control, const json_t *order, int64_t first, int64_t count,
    char (*ids)[GIT_ID_SIZE], struct error *err)
{
	struct git_batch *batch = git_batch_new(control->apps->sources,
	    json_string_or(order, "initial_git_url", NULL), err);
	int64_t i;

	for (i = 0; i < count && batch != NULL; i++) {
		cleanup(json_unref) json_t *files = numbered_object(json_object_get(order, "files"),
		    (long)(first + i));

		if (git_batch_add(batch, files, ids[i], err) == -1) {
			git_batch_end(batch, NULL);
			return -1;
		}
	}
	return batch != NULL ? git_batch_end(batch, err) : -1;
}

int
preset_make(struct control *control, const json_t *order, struct error *err)
{
	int64_t first = json_int_or(order, "first", 1), count = json_int_or(order, "count", 1), i;
	const char *login = json_string_or(order, "owner", NULL);
	struct account *owner = login != NULL ? table_get(&control->apps->accounts, login) :
	    control->apps->first;
	bool has_files = json_object_size(json_object_get(order, "files")) > 0;
	cleanup(free_p) char (*ids)[GIT_ID_SIZE] = NULL;

	if (owner == NULL)
		return error_set(err, ERROR_INPUT, "there is no such account");
	if (count < 0 || count > COUNT_MAX)
		return error_set(err, ERROR_INPUT, "count is not from 0 to %d", COUNT_MAX);
	ids = xcalloc((size_t)count, sizeof(*ids));
	if (has_files && make_commits(control, order, first, count, ids, err) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		if (make_app(control, order, (long)(first + i), has_files ? ids[i] : NULL, owner,
		    err) == -1 || make_bucket(control, order, (long)(first + i), err) == -1)
			return -1;
	}
	return 0;
}
