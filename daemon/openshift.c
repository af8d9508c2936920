#include "daemon/openshift.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/openshift-answer.h"

#define API "/broker/rest/"
#define LIST_BODY_MAX (64u << 20)	/* bytes of an account-wide list: ~5 KiB an app */
#define READ_TIMEOUT_MS 60000
/* The proxy in front of a broker gives up after 300 s: it answers before we stop listening. */
#define SLOW_TIMEOUT_MS 310000
#define READ_TRIES 4

struct openshift {
	struct http			*http;
	const struct openshift_config	*config;
	char				*shown;		/* the server in messages */
};

/* One request. What it does is said in `what`, "create app 'registry'". */
struct call {
	const char	*method;
	char		*what;
	char		*path;		/* below API, encoded */
	json_t		*body;		/* NULL: none */
	bool		 list;		/* account-wide: slow and long */
};

static void
call_done(struct call *call)
{
	free(call->what);
	free(call->path);
	json_decref(call->body);
}

struct openshift *
openshift_new(struct http *http, const struct openshift_config *config)
{
	struct openshift *o = xcalloc(1, sizeof(*o));

	o->http = http;
	o->config = config;
	o->shown = http_url_shown(config->server_url);
	return o;
}

void
openshift_free(struct openshift *o)
{
	if (o == NULL)
		return;
	free(o->shown);
	free(o);
}

/* What came back: `code` is the reason that the broker gave. */
struct answer {
	struct http_response	http;
	int			code;
};

#define ANSWER_INIT { HTTP_RESPONSE_INIT, OPENSHIFT_CODE_NONE }

static void
answer_done(struct answer *answer)
{
	http_response_done(&answer->http);
}

static bool
reads(const struct call *call)
{
	return strcmp(call->method, "GET") == 0;
}

/* One segment of a path. The caller's to free. */
static char *
segment(const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = xcalloc(strlen(name), 3 + 1), *at = out;
	const unsigned char *s;

	for (s = (const unsigned char *)name; *s != '\0'; s++) {
		if ((*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= 'a' && *s <= 'z') || strchr("-._~", *s) != NULL) {
			*at++ = (char)*s;
			continue;
		}
		*at++ = '%';
		*at++ = hex[*s >> 4];
		*at++ = hex[*s & 15];
	}
	return out;
}

/* No server folds an encoded dot reliably, so names that are folders are refused. */
static int
segment_check(const char *name, struct error *err)
{
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_set(err, ERROR_INPUT, "'%s' is not a name", name);
	return 0;
}

/* "domain/" + encoded name + rest; NULL when it is no name. */
static char *
path_of(const char *before, const char *name, const char *rest, struct error *err)
{
	cleanup(free_p) char *encoded = NULL;

	if (segment_check(name, err) == -1)
		return NULL;
	encoded = segment(name);
	return xasprintf("%s%s%s", before, encoded, rest);
}

static int
refused_login(const struct openshift *o, long status, struct error *err)
{
	if (o->config->token != NULL)
		return error_set(err, ERROR_CREDENTIALS, "the token is refused (HTTP status %ld): "
		    "set [openshift] token to one with scope 'session' that has not expired", status);
	return error_set(err, ERROR_CREDENTIALS, "the login of user '%s' is refused (HTTP status "
	    "%ld): set [openshift] username and password", o->config->username, status);
}

static int
have_credentials(const struct openshift *o, struct error *err)
{
	if (o->config->token != NULL || o->config->username != NULL)
		return 0;
	return error_set(err, ERROR_CREDENTIALS,
	    "no login: set [openshift] username and password, or token");
}

static int
ask_once(struct openshift *o, const struct call *call, struct answer *answer,
    const struct deadline *deadline, struct error *err)
{
	static const char *const headers[] = {
		/* Other versions have other shapes; without it, a broker may choose. */
		"Accept: application/json; version=1.7", "Content-Type: application/json", NULL
	};
	cleanup(free_p) char *url = xasprintf("%s" API "%s?nolinks=true", o->config->server_url,
	    call->path);
	cleanup(free_p) char *body = call->body != NULL ? json_dumps(call->body, JSON_COMPACT) : NULL;
	struct http_request request = {
		.method = call->method, .url = url, .headers = headers,
		.username = o->config->token == NULL ? o->config->username : NULL,
		.password = o->config->token == NULL ? o->config->password : NULL,
		.bearer = o->config->token,
		.body = body, .body_size = body != NULL ? strlen(body) : 0,
		.body_max = call->list ? LIST_BODY_MAX : 0,
		.timeout_ms = reads(call) && !call->list ? READ_TIMEOUT_MS : SLOW_TIMEOUT_MS,
		.once = !reads(call),
	};
	char type[128] = "";

	answer->code = OPENSHIFT_CODE_NONE;
	if (http_do(o->http, &request, &answer->http, deadline, err) == -1)
		return -1;
	if (answer->http.status == 401)
		return refused_login(o, answer->http.status, err);
	http_header(&answer->http, "content-type", type, sizeof(type));
	if (openshift_answer_check(answer->http.status, type, &answer->http.body, &answer->code,
	    err) == 0)
		return 0;
	http_hide_login(&request, err);
	return -1;
}

static int
with_context(const struct openshift *o, const struct call *call, struct error *err)
{
	return error_prefix(err, "%s: %s", o->shown, call->what);
}

/* What was lost on the way, or given up on by a proxy, the broker may still be doing. */
static void
say_it_may_be_done(struct error *why)
{
	struct error lost = *why;

	error_set(why, ERROR_REMOTE, "%s (it may have been done all the same)", lost.text);
}

/* 0 with an answer of success. Only reading is tried again: of a change nobody knows whether it
 * was made, or is still being made. */
static int
ask(struct openshift *o, const struct call *call, struct answer *answer,
    const struct deadline *deadline, struct error *err)
{
	struct error why = ERROR_INIT, stop = ERROR_INIT;
	unsigned int try = 1;

	if (have_credentials(o, err) == -1)
		return with_context(o, call, err);
	while (ask_once(o, call, answer, deadline, &why) == -1) {
		if (why.kind == ERROR_REMOTE && reads(call) && try < READ_TRIES &&
		    deadline_sleep(deadline, http_backoff_ms(try++), &stop) == 0)
			continue;
		if (stop.kind == ERROR_CANCELLED)
			why = stop;
		if (why.kind == ERROR_REMOTE && !reads(call) && answer->code == OPENSHIFT_CODE_NONE)
			say_it_may_be_done(&why);
		error_set(err, why.kind, "%s", why.text);
		return with_context(o, call, err);
	}
	return 0;
}

/* For changes whose answer says nothing more. */
static int
change(struct openshift *o, const struct call *call, const struct deadline *deadline,
    struct error *err)
{
	cleanup(answer_done) struct answer answer = ANSWER_INIT;

	return ask(o, call, &answer, deadline, err);
}

int
openshift_domains(struct openshift *o, struct openshift_names *out, const struct deadline *deadline,
    struct error *err)
{
	cleanup(call_done) struct call call = {
		"GET", xstrdup("list domains"), xstrdup("domains"), NULL, true
	};
	cleanup(answer_done) struct answer answer = ANSWER_INIT;

	if (ask(o, &call, &answer, deadline, err) == -1)
		return -1;
	if (openshift_answer_names(&answer.http.body, "name", out, err) == -1)
		return with_context(o, &call, err);
	return 0;
}

int
openshift_apps(struct openshift *o, struct openshift_apps *out, const struct deadline *deadline,
    struct error *err)
{
	cleanup(call_done) struct call call = {
		"GET", xstrdup("list apps"), xstrdup("applications"), NULL, true
	};
	cleanup(answer_done) struct answer answer = ANSWER_INIT;

	if (ask(o, &call, &answer, deadline, err) == -1)
		return -1;
	if (openshift_answer_apps(&answer.http.body, out, err) == -1)
		return with_context(o, &call, err);
	return 0;
}

/* As ask(), but a domain or an app that the broker says is not there is a result. */
static int
ask_whether(struct openshift *o, const struct call *call, struct answer *answer, bool *found,
    const struct deadline *deadline, struct error *err)
{
	struct error why = ERROR_INIT;

	*found = true;
	if (ask(o, call, answer, deadline, &why) == 0)
		return 0;
	if (answer->code == OPENSHIFT_CODE_NO_APP || answer->code == OPENSHIFT_CODE_NO_DOMAIN) {
		*found = false;
		return 0;
	}
	return error_set(err, why.kind, "%s", why.text);
}

int
openshift_domain_get(struct openshift *o, const char *name, bool *found,
    const struct deadline *deadline, struct error *err)
{
	cleanup(call_done) struct call call = { "GET", xasprintf("look for domain '%s'", name),
	    path_of("domain/", name, "", err), NULL, false };
	cleanup(answer_done) struct answer answer = ANSWER_INIT;

	if (call.path == NULL)
		return with_context(o, &call, err);
	return ask_whether(o, &call, &answer, found, deadline, err);
}

int
openshift_app_get(struct openshift *o, const char *domain, const char *name,
    struct openshift_app *out, bool *found, const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *in_domain = path_of("domain/", domain, "/application/", err);
	cleanup(call_done) struct call call = { "GET",
	    xasprintf("look for app '%s' in domain '%s'", name, domain),
	    in_domain != NULL ? path_of(in_domain, name, "", err) : NULL, NULL, false };
	cleanup(answer_done) struct answer answer = ANSWER_INIT;

	if (call.path == NULL)
		return with_context(o, &call, err);
	if (ask_whether(o, &call, &answer, found, deadline, err) == -1)
		return -1;
	if (*found && openshift_answer_app(&answer.http.body, out, err) == -1)
		return with_context(o, &call, err);
	return 0;
}

int
openshift_domain_create(struct openshift *o, const char *name, const struct deadline *deadline,
    struct error *err)
{
	cleanup(call_done) struct call call = { "POST", xasprintf("create domain '%s'", name),
	    xstrdup("domains"), json_pack("{s:o}", "name", json_text(name)), false };

	return change(o, &call, deadline, err);
}

int
openshift_domain_delete(struct openshift *o, const char *name, const struct deadline *deadline,
    struct error *err)
{
	cleanup(call_done) struct call call = { "DELETE", xasprintf("delete domain '%s'", name),
	    path_of("domain/", name, "", err), NULL, false };

	if (call.path == NULL)
		return with_context(o, &call, err);
	return change(o, &call, deadline, err);
}

static json_t *
variables_to_json(const struct openshift_variable *variables, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}",
		    "name", json_text(variables[i].name), "value", json_text(variables[i].value)));
	return list;
}

static json_t *
app_to_json(const struct openshift_new_app *new)
{
	json_t *body = json_pack("{s:o, s:[o], s:b}", "name", json_text(new->name),
	    "cartridges", json_text(new->cartridge), "scale", new->scale);
	bool branch = new->git_branch != NULL && strcmp(new->git_branch, "master") != 0;
	cleanup(free_p) char *source = new->git_url == NULL ? NULL : xasprintf("%s%s%s",
	    new->git_url, branch ? "#" : "", branch ? new->git_branch : "");

	if (source != NULL)
		json_object_set_new(body, "initial_git_url", json_text(source));
	if (new->gear_size != NULL)
		json_object_set_new(body, "gear_size", json_text(new->gear_size));
	if (new->n_variables > 0)
		json_object_set_new(body, "environment_variables",
		    variables_to_json(new->variables, new->n_variables));
	return body;
}

int
openshift_app_create(struct openshift *o, const struct openshift_new_app *new,
    struct openshift_app *out, const struct deadline *deadline, struct error *err)
{
	cleanup(call_done) struct call call = { "POST",
	    xasprintf("create app '%s' in domain '%s'", new->name, new->domain),
	    path_of("domain/", new->domain, "/applications", err), app_to_json(new), false };
	cleanup(answer_done) struct answer answer = ANSWER_INIT;
	bool found;

	if (call.path == NULL)
		return with_context(o, &call, err);
	if (openshift_domain_get(o, new->domain, &found, deadline, err) == -1)
		return -1;
	if (!found) {
		error_set(err, ERROR_MISSING, "there is no such domain");
		return with_context(o, &call, err);
	}
	if (ask(o, &call, &answer, deadline, err) == -1)
		return -1;
	if (out != NULL &&
	    openshift_answer_app(&answer.http.body, out, err) == -1)
		return with_context(o, &call, err);
	return 0;
}

/* A call on what stands below an app. */
static int
app_call(struct call *call, const char *method, const char *app_id, const char *rest, json_t *body,
    const char *what, struct error *err)
{
	call->method = method;
	call->what = xasprintf("%s of app %s", what, app_id);
	call->body = body;
	call->path = path_of("application/", app_id, rest, err);
	return call->path != NULL ? 0 : -1;
}

static int
app_change(struct openshift *o, const char *method, const char *app_id, const char *rest,
    json_t *body, const char *what, const struct deadline *deadline, struct error *err)
{
	cleanup(call_done) struct call call = { .list = false };

	if (app_call(&call, method, app_id, rest, body, what, err) == -1)
		return with_context(o, &call, err);
	return change(o, &call, deadline, err);
}

int
openshift_variables_list(struct openshift *o, const char *app_id, struct openshift_variables *out,
    const struct deadline *deadline, struct error *err)
{
	cleanup(call_done) struct call call = { .list = false };
	cleanup(answer_done) struct answer answer = ANSWER_INIT;

	if (app_call(&call, "GET", app_id, "/environment-variables", NULL,
	    "list environment variables", err) == -1)
		return with_context(o, &call, err);
	if (ask(o, &call, &answer, deadline, err) == -1)
		return -1;
	if (openshift_answer_variables(&answer.http.body, out, err) == -1)
		return with_context(o, &call, err);
	return 0;
}

int
openshift_variables_set(struct openshift *o, const char *app_id,
    const struct openshift_variable *variables, size_t n, const struct deadline *deadline,
    struct error *err)
{
	/* A single name is refused when it exists; a list adds and overwrites. */
	return app_change(o, "POST", app_id, "/environment-variables",
	    json_pack("{s:o}", "environment_variables", variables_to_json(variables, n)),
	    "set environment variables", deadline, err);
}

int
openshift_app_update(struct openshift *o, const char *app_id, const char *deployment_branch,
    bool auto_deploy, const struct deadline *deadline, struct error *err)
{
	json_t *body = json_pack("{s:b}", "auto_deploy", auto_deploy);

	if (deployment_branch != NULL)
		json_object_set_new(body, "deployment_branch", json_text(deployment_branch));
	return app_change(o, "PUT", app_id, "", body, "set deployment", deadline, err);
}

int
openshift_app_restart(struct openshift *o, const char *app_id, const struct deadline *deadline,
    struct error *err)
{
	return app_change(o, "POST", app_id, "/events", json_pack("{s:s}", "event", "restart"),
	    "restart", deadline, err);
}

int
openshift_app_delete(struct openshift *o, const char *app_id, const struct deadline *deadline,
    struct error *err)
{
	return app_change(o, "DELETE", app_id, "", NULL, "delete", deadline, err);
}

int
openshift_aliases_list(struct openshift *o, const char *app_id, struct openshift_names *out,
    const struct deadline *deadline, struct error *err)
{
	cleanup(call_done) struct call call = { .list = false };
	cleanup(answer_done) struct answer answer = ANSWER_INIT;

	if (app_call(&call, "GET", app_id, "/aliases", NULL, "list aliases", err) == -1)
		return with_context(o, &call, err);
	if (ask(o, &call, &answer, deadline, err) == -1)
		return -1;
	if (openshift_answer_names(&answer.http.body, "id", out, err) == -1)
		return with_context(o, &call, err);
	return 0;
}

int
openshift_alias_add(struct openshift *o, const char *app_id, const char *alias,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *what = xasprintf("add alias '%s'", alias);

	return app_change(o, "POST", app_id, "/aliases", json_pack("{s:o}", "id", json_text(alias)),
	    what, deadline, err);
}

int
openshift_alias_remove(struct openshift *o, const char *app_id, const char *alias,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *what = xasprintf("remove alias '%s'", alias);
	cleanup(free_p) char *rest = NULL;

	if ((rest = path_of("/alias/", alias, "", err)) == NULL)
		return error_prefix(err, "%s: %s", o->shown, what);
	return app_change(o, "DELETE", app_id, rest, NULL, what, deadline, err);
}
