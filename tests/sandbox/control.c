#include "tests/sandbox/control.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/crane-app.h"

#define PREFIX "/_sandbox/"
#define DEPTH_MAX 32
#define WORDS 4

const char control_help[] =
"The control face, at SANDBOX_URL, takes and gives JSON:\n"
"  GET POST DELETE /_sandbox/faults    faults in force; order one; forget all and cut off\n"
"        which: face (broker, crane, s3), method, host, path (part of path?query; \"^/x\": its\n"
"        beginning), skip or nth, count (0: for ever)\n"
"        what: status, body, content_type, headers, html (a proxy's page, 502), s3_code,\n"
"        wrong_signature, delay_ms, hang, reset, truncate_at (bytes); after: the work is done\n"
"        all the same and only the answer is spoiled\n"
"  GET DELETE /_sandbox/requests       ?since=N&face=F: what was asked; forget it\n"
"  POST /_sandbox/reset                forget faults, requests, domains, apps and buckets\n"
"  POST /_sandbox/preset               count, first (1), domain, app, bucket, env (object), files\n"
"        (path: text), objects (key: text), policy (\"public\"); {n} is the number in each\n"
"  POST /_sandbox/accounts             login, password, max_gears, max_domains, gear_sizes\n"
"  POST /_sandbox/tokens               login, token, scopes, expires_in (seconds)\n"
"  DELETE /_sandbox/tokens/TOKEN\n"
"  POST /_sandbox/domains              name, owner (a login)\n"
"  DELETE /_sandbox/domains/NAME       with its apps\n"
"  GET /_sandbox/apps                  all of them, with the paths of their repositories\n"
"  GET PATCH DELETE /_sandbox/apps/DOMAIN/APP\n"
"        PATCH: started, busy (every change is answered 500/171), env (null removes one),\n"
"        files (path: text or null; committed on the deployment branch), presign (as in\n"
"        raas-crane's --presign-key; null: none), host (its name in app_url; \"127.0.0.1\" is\n"
"        one that every client finds)\n"
"  GET POST /_sandbox/buckets          name, owner, region, policy, ownership, public, block\n"
"  DELETE /_sandbox/buckets/NAME       with its objects\n"
"  GET PATCH /_sandbox/objects/BUCKET  PATCH: age_s, how old all objects and uploads are\n"
"  GET PUT DELETE /_sandbox/objects/BUCKET/KEY    the bytes themselves\n"
"  GET PATCH /_sandbox/s3              modern, region, account_block, max_buckets,\n"
"        clock_offset_s, keys ([{access, secret, token}])\n";

/* One request while it is answered. */
struct order {
	struct control		*control;
	const struct request	*request;
	struct reply		*answer;
	json_t			*body;			/* object; NULL: none was given */
	char			*words[WORDS];		/* behind the prefix; the last one whole */
	size_t			 n_words;
};

static void
done(struct order *o, json_t *value)
{
	reply_json(o->answer, 200, value != NULL ? value : json_pack("{s:b}", "ok", 1));
}

static void
refuse(struct order *o, int status, const char *why)
{
	reply_json(o->answer, status, json_pack("{s:o}", "error", json_text(why)));
}

/* A string member, or NULL. */
static const char *
text_of(const struct order *o, const char *key)
{
	return json_string_or(o->body, key, NULL);
}

static void
set_text(char **to, const json_t *order, const char *key)
{
	const json_t *value = json_object_get(order, key);

	if (value == NULL)
		return;
	free(*to);
	*to = xstrdup(json_string_value(value));
}

/* -- faults and records -- */

static void
faults_get(struct order *o)
{
	done(o, faults_list(o->control->faults));
}

static void
faults_post(struct order *o)
{
	struct error err;

	if (faults_add(o->control->faults, o->body, &err) == -1)
		refuse(o, 400, err.text);
	else
		done(o, NULL);
}

static void
faults_delete(struct order *o)
{
	faults_clear(o->control->faults);
	ports_drop_waiting(o->control->ports);
	done(o, NULL);
}

static void
requests_get(struct order *o)
{
	const char *since = query_value(&o->request->query, "since");

	done(o, record_list(o->control->record, since != NULL ? atoll(since) : 0,
	    query_value(&o->request->query, "face")));
}

static void
requests_delete(struct order *o)
{
	record_clear(o->control->record);
	done(o, NULL);
}

static void
reset_post(struct order *o)
{
	faults_delete(o);
	record_clear(o->control->record);
	apps_clear(o->control->apps);
	s3_clear(o->control->s3);
}

static void
preset_post(struct order *o)
{
	struct error err;

	if (preset_make(o->control, o->body, &err) == -1)
		refuse(o, 400, err.text);
	else
		done(o, NULL);
}

/* -- accounts, tokens, domains -- */

static void
accounts_post(struct order *o)
{
	const char *login = text_of(o, "login"), *password = text_of(o, "password");
	struct account *account = login != NULL ? table_get(&o->control->apps->accounts, login) :
	    NULL;
	json_t *sizes = json_object_get(o->body, "gear_sizes");

	if (login == NULL || (account == NULL && password == NULL)) {
		refuse(o, 400, "login and password are needed");
		return;
	}
	if (password != NULL)
		account = apps_add_account(o->control->apps, login, password);
	account->max_gears = (int)json_int_or(o->body, "max_gears", account->max_gears);
	account->max_domains = (int)json_int_or(o->body, "max_domains", account->max_domains);
	if (json_is_array(sizes)) {
		json_decref(account->gear_sizes);
		account->gear_sizes = json_incref(sizes);
	}
	done(o, NULL);
}

/* The account that `key` names, or the first one. */
static struct account *
account_of(const struct order *o, const char *key)
{
	const char *login = text_of(o, key);

	return login != NULL ? table_get(&o->control->apps->accounts, login) :
	    o->control->apps->first;
}

static void
tokens_post(struct order *o)
{
	struct account *account = account_of(o, "login");
	struct token *token;

	if (account == NULL) {
		refuse(o, 404, "no such account");
		return;
	}
	token = apps_add_token(o->control->apps, account, text_of(o, "token"),
	    json_string_or(o->body, "scopes", "session"),
	    json_int_or(o->body, "expires_in", 86400));
	done(o, json_pack("{s:s}", "token", token->token));
}

static void
token_delete(struct order *o)
{
	struct token *token = table_get(&o->control->apps->tokens, o->words[1]);

	if (token == NULL) {
		refuse(o, 404, "no such token");
		return;
	}
	apps_remove_token(o->control->apps, token);
	done(o, NULL);
}

static void
domains_post(struct order *o)
{
	const char *name = text_of(o, "name");
	struct account *owner = account_of(o, "owner");

	if (name == NULL || owner == NULL || apps_domain(o->control->apps, name) != NULL) {
		refuse(o, 400, "a new name and an owner that exists are needed");
		return;
	}
	apps_add_domain(o->control->apps, name, owner);
	done(o, NULL);
}

static void
domain_delete_behind(struct order *o)
{
	struct domain *domain = apps_domain(o->control->apps, o->words[1]);

	if (domain == NULL) {
		refuse(o, 404, "no such domain");
		return;
	}
	apps_remove_domain(o->control->apps, domain);
	done(o, NULL);
}

/* -- apps -- */

static json_t *
app_state(struct app *app)
{
	json_t *o = json_object();

	app_look(app);
	json_object_set_new(o, "id", json_string(app->id));
	json_object_set_new(o, "domain", json_text(app->domain->name));
	json_object_set_new(o, "name", json_text(app->name));
	json_object_set_new(o, "host", json_text(app->host));
	json_object_set_new(o, "repo", json_text(app->repo));
	json_object_set_new(o, "branch", json_text(app->branch));
	json_object_set_new(o, "deployed", json_text(app->deployed));
	json_object_set_new(o, "auto_deploy", json_boolean(app->auto_deploy));
	json_object_set_new(o, "started", json_boolean(app->started));
	json_object_set_new(o, "busy", json_boolean(app->busy));
	json_object_set_new(o, "scale", json_boolean(app->scale));
	json_object_set_new(o, "gear_size", json_text(app->gear_size));
	json_object_set_new(o, "cartridge", json_text(app->cartridge));
	json_object_set_new(o, "initial_git_url", json_text(app->initial_git_url));
	json_object_set_new(o, "env", json_deep_copy(app->env));
	json_object_set_new(o, "aliases", json_deep_copy(app->aliases));
	return o;
}

static void
apps_get(struct order *o)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < o->control->apps->by_id.n; i++)
		json_array_append_new(list, app_state(o->control->apps->by_id.rows[i].value));
	done(o, list);
}

static struct app *
find_app(struct order *o)
{
	const struct domain *domain = apps_domain(o->control->apps, o->words[1]);
	struct app *app = domain != NULL ? domain_app(domain, o->words[2]) : NULL;

	if (app == NULL)
		refuse(o, 404, "no such app");
	return app;
}

static void
app_get(struct order *o)
{
	struct app *app = find_app(o);

	if (app != NULL)
		done(o, app_state(app));
}

static int
app_presign(struct app *app, const json_t *key, struct error *err)
{
	cleanup(free_p) char *text = json_is_object(key) ? json_dumps(key, 0) : NULL;

	return key == NULL ? 0 : crane_app_presign(app_crane(app), text, err);
}

static int
app_rename(struct order *o, struct app *app, const char *host, struct error *err)
{
	cleanup(free_p) char *name = lower_case(host != NULL ? host : app->host);

	if (strcmp(name, app->host) == 0 || apps_rename_host(o->control->apps, app, name))
		return 0;
	return error_set(err, ERROR_INPUT, "host '%s' is another app's", name);
}

static void
app_patch(struct order *o)
{
	struct app *app = find_app(o);
	json_t *files = json_object_get(o->body, "files"), *value;
	const char *name;
	struct error err;

	if (app == NULL)
		return;
	if (app_presign(app, json_object_get(o->body, "presign"), &err) == -1 ||
	    app_rename(o, app, text_of(o, "host"), &err) == -1 || (files != NULL &&
	    app_git_commit(app->repo, app->branch, files, "by the test", &err) == -1)) {
		refuse(o, 400, err.text);
		return;
	}
	app_look(app);	/* before `started` is set: a deployment starts the app */
	json_object_foreach(json_object_get(o->body, "env"), name, value) {
		if (json_is_null(value))
			json_object_del(app->env, name);
		else
			json_object_set(app->env, name, value);
	}
	app->started = json_bool_or(o->body, "started", app->started);
	app->busy = json_bool_or(o->body, "busy", app->busy);
	done(o, app_state(app));
}

static void
app_delete_behind(struct order *o)
{
	struct app *app = find_app(o);

	if (app == NULL)
		return;
	apps_remove_app(o->control->apps, app);
	done(o, NULL);
}

/* -- S3 -- */

static json_t *
bucket_state(const struct bucket *b)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_text(b->name));
	json_object_set_new(o, "owner", json_text(b->owner));
	json_object_set_new(o, "region", json_text(b->region));
	json_object_set_new(o, "policy", json_text(b->policy));
	json_object_set_new(o, "ownership", json_text(b->ownership));
	json_object_set_new(o, "public", json_boolean(b->is_public));
	json_object_set_new(o, "block", json_boolean(b->block.is_set));
	json_object_set_new(o, "objects", json_integer((json_int_t)b->objects.n));
	json_object_set_new(o, "uploads", json_integer((json_int_t)b->uploads.n));
	return o;
}

static void
buckets_get(struct order *o)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < o->control->s3->buckets.n; i++)
		json_array_append_new(list, bucket_state(o->control->s3->buckets.rows[i].value));
	done(o, list);
}

static void
buckets_post(struct order *o)
{
	const char *name = text_of(o, "name");
	struct s3 *s3 = o->control->s3;
	struct bucket *b;
	bool block;

	if (name == NULL) {
		refuse(o, 400, "a name is needed");
		return;
	}
	if ((b = table_get(&s3->buckets, name)) == NULL)
		b = s3_add_bucket(s3, name, S3_OWNER, NULL);
	if (text_of(o, "owner") != NULL)
		set_text(&b->owner, o->body, "owner");
	if (text_of(o, "region") != NULL)
		set_text(&b->region, o->body, "region");
	set_text(&b->policy, o->body, "policy");
	set_text(&b->ownership, o->body, "ownership");
	b->is_public = json_bool_or(o->body, "public", b->is_public);
	if (json_object_get(o->body, "block") != NULL) {
		block = json_bool_or(o->body, "block", false);
		b->block = (struct access_block){ block, block, block, block, block };
	}
	done(o, bucket_state(b));
}

static struct bucket *
find_bucket(struct order *o)
{
	struct bucket *b = table_get(&o->control->s3->buckets, o->words[1]);

	if (b == NULL)
		refuse(o, 404, "no such bucket");
	return b;
}

static void
bucket_delete_behind(struct order *o)
{
	struct bucket *b = find_bucket(o);

	if (b == NULL)
		return;
	s3_remove_bucket(o->control->s3, b);
	done(o, NULL);
}

static void
objects_get(struct order *o)
{
	const struct bucket *b = find_bucket(o);
	const struct object *object;
	json_t *all;
	size_t i;

	if (b == NULL)
		return;
	all = json_object();
	for (i = 0; i < b->objects.n; i++) {
		object = b->objects.rows[i].value;
		json_object_set_new(all, b->objects.rows[i].name, json_pack("{s:I, s:s, s:b, s:O}",
		    "size", (json_int_t)content_size(object->content), "etag", object->etag,
		    "public", object->is_public, "headers", object->headers));
	}
	done(o, all);
}

static void
objects_patch(struct order *o)
{
	const struct bucket *b = find_bucket(o);
	time_t modified = time(NULL) - (time_t)json_int_or(o->body, "age_s", 0);
	size_t i;

	if (b == NULL)
		return;
	for (i = 0; i < b->objects.n; i++)
		((struct object *)b->objects.rows[i].value)->modified = modified;
	for (i = 0; i < b->uploads.n; i++)
		upload_begun(b->uploads.rows[i].value, modified);
	done(o, NULL);
}

static void
object_get(struct order *o)
{
	const struct bucket *b = find_bucket(o);
	const struct object *object;
	struct error err;

	if (b == NULL)
		return;
	if ((object = table_get(&b->objects, o->words[2])) == NULL) {
		refuse(o, 404, "no such object");
		return;
	}
	o->answer->status = 200;
	if (content_read(object->content, 0, content_size(object->content), o->answer->body,
	    &err) == -1)
		refuse(o, 500, err.text);
}

static void
object_put(struct order *o)
{
	const struct request *r = o->request;
	struct bucket *b = find_bucket(o);
	struct error err;

	if (b == NULL)
		return;
	if (bucket_put_bytes(b, o->words[2], r->body, r->body_len, s3_kept_headers(r), false,
	    &err) == -1)
		refuse(o, 500, err.text);
	else
		done(o, NULL);
}

static void
object_delete_behind(struct order *o)
{
	struct bucket *b = find_bucket(o);

	if (b == NULL)
		return;
	if (bucket_remove(b, o->words[2]))
		done(o, NULL);
	else
		refuse(o, 404, "no such object");
}

static void
s3_get(struct order *o)
{
	const struct s3 *s3 = o->control->s3;

	done(o, json_pack("{s:b, s:s, s:b, s:i, s:I}", "modern", s3->modern, "region", s3->region,
	    "account_block", s3->account_block, "max_buckets", s3->max_buckets,
	    "clock_offset_s", (json_int_t)s3->clock_offset_s));
}

static void
s3_patch(struct order *o)
{
	struct s3 *s3 = o->control->s3;
	const json_t *key;
	size_t i;

	s3->modern = json_bool_or(o->body, "modern", s3->modern);
	s3->account_block = json_bool_or(o->body, "account_block", s3->account_block);
	s3->max_buckets = (int)json_int_or(o->body, "max_buckets", s3->max_buckets);
	s3->clock_offset_s = json_int_or(o->body, "clock_offset_s", s3->clock_offset_s);
	if (text_of(o, "region") != NULL)
		set_text(&s3->region, o->body, "region");
	json_array_foreach(json_object_get(o->body, "keys"), i, key)
		s3_add_key(s3, json_string_or(key, "access", ""), json_string_or(key, "secret", ""),
		    json_string_or(key, "token", NULL));
	s3_get(o);
}

/* -- which is meant -- */

static const struct route {
	const char	*method;
	const char	*name;
	size_t		 n_words;
	void		(*handler)(struct order *);
} routes[] = {
	{ "GET", "faults", 1, faults_get },
	{ "POST", "faults", 1, faults_post },
	{ "DELETE", "faults", 1, faults_delete },
	{ "GET", "requests", 1, requests_get },
	{ "DELETE", "requests", 1, requests_delete },
	{ "POST", "reset", 1, reset_post },
	{ "POST", "preset", 1, preset_post },
	{ "POST", "accounts", 1, accounts_post },
	{ "POST", "tokens", 1, tokens_post },
	{ "DELETE", "tokens", 2, token_delete },
	{ "POST", "domains", 1, domains_post },
	{ "DELETE", "domains", 2, domain_delete_behind },
	{ "GET", "apps", 1, apps_get },
	{ "GET", "apps", 3, app_get },
	{ "PATCH", "apps", 3, app_patch },
	{ "DELETE", "apps", 3, app_delete_behind },
	{ "GET", "buckets", 1, buckets_get },
	{ "POST", "buckets", 1, buckets_post },
	{ "DELETE", "buckets", 2, bucket_delete_behind },
	{ "GET", "objects", 2, objects_get },
	{ "PATCH", "objects", 2, objects_patch },
	{ "GET", "objects", 3, object_get },
	{ "PUT", "objects", 3, object_put },
	{ "DELETE", "objects", 3, object_delete_behind },
	{ "GET", "s3", 1, s3_get },
	{ "PATCH", "s3", 1, s3_patch },
};

/* Three words at most, the third with its slashes: a key. */
static void
split_path(struct order *o, const char *path)
{
	size_t len;

	while (*path != '\0' && o->n_words < 3) {
		len = o->n_words == 2 ? strlen(path) : strcspn(path, "/");
		o->words[o->n_words++] = percent_decode(path, len, false);
		path += len + (path[len] == '/');
	}
}

static void
dispatch(struct order *o)
{
	const struct route *r;

	for (r = routes; r < routes + sizeof(routes) / sizeof(routes[0]); r++) {
		if (o->n_words == r->n_words && request_is(o->request, r->method) &&
		    strcmp(o->words[0], r->name) == 0) {
			r->handler(o);
			return;
		}
	}
	refuse(o, 404, "there is no such thing; sandbox --help lists what there is");
}

void
control_answer(void *control, const struct request *r, struct reply *a)
{
	struct order o = { .control = control, .request = r, .answer = a };
	struct error err;
	size_t i;

	if (strncmp(r->path, PREFIX, strlen(PREFIX)) == 0)
		split_path(&o, r->path + strlen(PREFIX));
	if (r->body_len > 0 && !request_is(r, "PUT"))
		o.body = json_read(r->body, r->body_len, DEPTH_MAX, &err);
	if (r->body_len > 0 && !request_is(r, "PUT") && !json_is_object(o.body))
		refuse(&o, 400, o.body == NULL ? err.text : "the body is not a JSON object");
	else
		dispatch(&o);
	json_decref(o.body);
	for (i = 0; i < o.n_words; i++)
		free(o.words[i]);
}
