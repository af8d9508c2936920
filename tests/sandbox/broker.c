#include "tests/sandbox/broker.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "tests/sandbox/broker-call.h"

#define PREFIX "/broker/rest"
#define VERSION_LATEST 17
#define DEPTH_MAX 32

/* `*` is one word. A row that changes an app is refused while another change is running. */
static const struct route {
	const char	*method;
	const char	*path;
	call_handler	*handler;
	bool		 changes_app;
} routes[] = {
	{ "GET", "api", api_show, false },
	{ "GET", "cartridges", cartridges_list, false },
	{ "GET", "user", user_show, false },
	{ "GET", "user/authorizations", authorizations_list, false },
	{ "POST", "user/authorizations", authorization_add, false },
	{ "GET", "user/authorization/*", authorization_show, false },
	{ "DELETE", "user/authorization/*", authorization_delete, false },
	{ "GET", "domains", domains_list, false },
	{ "POST", "domains", domain_add, false },
	{ "GET", "domain/*", domain_show, false },
	{ "DELETE", "domain/*", domain_delete, false },
	{ "GET", "domain/*/applications", domain_apps_list, false },
	{ "POST", "domain/*/applications", app_add, false },
	{ "GET", "applications", apps_list, false },
	{ "GET", "%", app_show, false },
	{ "PUT", "%", app_update, true },
	{ "DELETE", "%", app_delete, true },
	{ "POST", "%/events", app_event_add, true },
	{ "GET", "%/aliases", aliases_list, false },
	{ "POST", "%/aliases", alias_add, true },
	{ "GET", "%/alias/*", alias_show, false },
	{ "DELETE", "%/alias/*", alias_delete, true },
	{ "GET", "%/environment-variables", env_list, false },
	{ "POST", "%/environment-variables", env_add, true },
	{ "PATCH", "%/environment-variables", env_update_all, true },
	{ "GET", "%/environment-variable/*", env_show, false },
	{ "PUT", "%/environment-variable/*", env_update, true },
	{ "DELETE", "%/environment-variable/*", env_delete, true },
	{ "GET", "%/deployments", deployments_list, false },
	{ "POST", "%/deployments", deployment_add, true },
	{ "GET", "%/gear_groups", gear_groups_list, false },
	{ "GET", "%/cartridges", app_cartridges_list, false },
};

/* -- answers -- */

static const char *
status_word(int status)
{
	switch (status) {
	case 200: return "ok";
	case 201: return "created";
	case 400: return "bad_request";
	case 403: return "forbidden";
	case 404: return "not_found";
	case 406: return "not_acceptable";
	case 409: return "conflict";
	case 422: return "unprocessable_entity";
	default: return "internal_server_error";
	}
}

static json_t *
message(const char *severity, json_t *exit_code, const char *field, const char *text)
{
	json_t *o = json_object();

	json_object_set_new(o, "severity", json_string(severity));
	json_object_set_new(o, "text", json_text(text));
	json_object_set_new(o, "exit_code", exit_code);
	json_object_set_new(o, "field", json_text(field));
	json_object_set_new(o, "index", json_null());
	return o;
}

/* Takes data and the message. */
static void
reply_envelope(struct call *c, int status, const char *type, json_t *data, json_t *said)
{
	json_t *o = json_object(), *versions = json_array(), *messages = json_array();
	char number[32];
	int v;

	for (v = 10; v <= VERSION_LATEST; v++)
		json_array_append_new(versions, json_real(v / 10.0));
	if (said != NULL)
		json_array_append_new(messages, said);
	snprintf(number, sizeof(number), "%d.%d", c->version / 10, c->version % 10);
	json_object_set_new(o, "api_version", json_real(c->version / 10.0));
	json_object_set_new(o, "version", json_string(number));
	json_object_set_new(o, "status", json_string(status_word(status)));
	json_object_set_new(o, "type", json_text(type));
	json_object_set_new(o, "data", data != NULL ? data : json_null());
	json_object_set_new(o, "messages", messages);
	json_object_set_new(o, "supported_api_versions", versions);
	reply_header(c->answer, "Content-Type", "application/json; charset=utf-8");
	c->answer->status = status;
	if (!request_is(c->request, "HEAD")) {
		cleanup(free_p) char *text = json_dumps(o, JSON_COMPACT |
		    JSON_REAL_PRECISION(3));
		evbuffer_add(c->answer->body, text, strlen(text));
	}
	json_decref(o);
}

void
call_data(struct call *c, int status, const char *type, json_t *data, const char *text)
{
	reply_envelope(c, status, type, data, text == NULL ? NULL :
	    message("info", json_null(), NULL, text));
}

void
call_error(struct call *c, int status, int exit_code, const char *field, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply_envelope(c, status, NULL, NULL, message("error", json_integer(exit_code), field,
	    text));
}

void
call_deleted(struct call *c, const char *text)
{
	if (c->version <= 14)
		c->answer->status = 204;
	else
		call_data(c, 200, NULL, NULL, text);
}

/* -- parameters -- */

const char *
call_text(struct call *c, const char *name)
{
	const json_t *value = json_object_get(c->params, name);
	cleanup(free_p) char *text = NULL;

	if (value == NULL || json_is_null(value))
		return NULL;
	if (!json_is_string(value)) {	/* a number or a boolean stays in the call as its text */
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		json_object_set_new(c->params, name, json_text(text));
	}
	return json_string_value(json_object_get(c->params, name));
}

bool
call_flag(struct call *c, const char *name, bool otherwise)
{
	const char *text = call_text(c, name);

	return text == NULL ? otherwise : strcmp(text, "true") == 0;
}

/* "cartridges[]=x" is an element of the array "cartridges". */
static void
set_param(json_t *params, const struct pair *p)
{
	size_t len = strlen(p->name);
	json_t *list;

	if (len <= 2 || strcmp(p->name + len - 2, "[]") != 0) {
		cleanup(json_unref) json_t *name = json_text(p->name);

		json_object_set_new(params, json_string_value(name), json_text(p->value));
		return;
	}
	cleanup(free_p) char *bare = xstrndup(p->name, len - 2);
	cleanup(json_unref) json_t *name = json_text(bare);

	list = json_object_get(params, json_string_value(name));
	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(params, json_string_value(name), list);
	}
	json_array_append_new(list, json_text(p->value));
}

static void
add_pairs(json_t *params, const struct query *q)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		set_param(params, &q->pairs[i]);
}

/* The body is JSON or a form, as its type says. */
static bool
read_params(struct call *c, struct error *err)
{
	const char *type = request_header(c->request, "Content-Type");
	cleanup(json_unref) json_t *body = NULL;
	cleanup(query_done) struct query form = { NULL, 0 };

	c->params = json_object();
	add_pairs(c->params, &c->request->query);
	if (c->request->body_len == 0)
		return true;
	if (type != NULL && strncmp(type, "application/json", 16) == 0) {
		body = json_read(c->request->body, c->request->body_len, DEPTH_MAX, err);
		return body != NULL && json_object_update(c->params, body) == 0;
	}
	cleanup(free_p) char *text = xstrndup(c->request->body, c->request->body_len);
	query_parse(text, &form);
	add_pairs(c->params, &form);
	return true;
}

void
call_link(struct call *c, json_t *to, const char *name, const char *method, const char *fmt, ...)
{
	char path[256];
	cleanup(free_p) char *href = NULL;
	const char *host = request_header(c->request, "Host");
	json_t *links = json_object_get(to, "links");
	va_list ap;

	if (c->nolinks)
		return;
	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	href = xasprintf("http://%s" PREFIX "/%s", host != NULL ? host : "localhost", path);
	if (links == NULL) {
		links = json_object();
		json_object_set_new(to, "links", links);
	}
	json_object_set_new(links, name, json_pack("{s:s, s:s, s:o, s:[], s:[]}", "method", method,
	    "rel", name, "href", json_text(href), "required_params", "optional_params"));
}

void
call_time(json_t *to, const char *key, time_t t)
{
	char text[RFC3339_SIZE];

	rfc3339_format(t, text);
	json_object_set_new(to, key, json_string(text));
}

struct domain *
call_domain(struct call *c)
{
	struct domain *domain = apps_domain(c->apps, c->words[1]);

	if (domain != NULL && domain->owner == c->account)
		return domain;
	call_error(c, 404, 127, NULL, "Domain '%s' not found", c->words[1]);
	return NULL;
}

struct app *
call_app(struct call *c)
{
	struct domain *domain;
	struct app *app = NULL;
	cleanup(free_p) char *id = NULL;

	if (strcmp(c->words[0], "domain") == 0) {
		if ((domain = call_domain(c)) == NULL)
			return NULL;
		app = domain_app(domain, c->words[3]);
	} else {
		id = lower_case(c->words[1]);
		app = table_get(&c->apps->by_id, id);
	}
	if (app != NULL && app->domain->owner == c->account) {
		app_look(app);
		return app;
	}
	call_error(c, 404, 101, NULL, "Application '%s' not found",
	    c->words[strcmp(c->words[0], "domain") == 0 ? 3 : 1]);
	return NULL;
}

/* -- who asks -- */

/* The text behind "Basic " as login and password; false: it is none. */
static bool
basic_split(const char *base64, char login[256], char password[256])
{
	unsigned char plain[600];
	size_t len = strlen(base64);
	const char *colon;
	int n;

	if (len == 0 || len > 700 || len % 4 != 0)
		return false;
	if ((n = EVP_DecodeBlock(plain, (const unsigned char *)base64, (int)len)) < 0)
		return false;
	while (len > 0 && base64[len - 1] == '=') {
		len--;
		n--;
	}
	plain[n] = '\0';
	if ((colon = strchr((char *)plain, ':')) == NULL)
		return false;
	return snprintf(login, 256, "%.*s", (int)(colon - (char *)plain), plain) < 256 &&
	    snprintf(password, 256, "%s", colon + 1) < 256;
}

static struct account *
basic_account(struct call *c, const char *base64)
{
	char login[256], password[256];
	struct account *account;

	if (!basic_split(base64, login, password))
		return NULL;
	account = table_get(&c->apps->accounts, login);
	return account != NULL && strcmp(account->password, password) == 0 ? account : NULL;
}

/* A 401 is plain text; for a token it is labelled as JSON all the same. */
static bool
authenticate(struct call *c)
{
	const char *header = request_header(c->request, "Authorization");
	const struct token *token = NULL;
	bool bearer = header != NULL && strncasecmp(header, "Bearer ", 7) == 0;

	c->scopes = "session";
	if (bearer)
		token = table_get(&c->apps->tokens, header + 7);
	else if (header != NULL && strncasecmp(header, "Basic ", 6) == 0)
		c->account = basic_account(c, header + 6);
	if (token != NULL && token->expires > time(NULL)) {
		c->account = token->account;
		c->scopes = token->scopes;
	}
	if (c->account != NULL)
		return true;
	reply_header(c->answer, "WWW-Authenticate", "Basic realm=\"openshift broker\"");
	reply_text(c->answer, 401, bearer ? "application/json; charset=utf-8" :
	    "text/html; charset=utf-8", bearer ? "Not authorized\n" :
	    "HTTP Basic: Access denied.\n");
	return false;
}

static bool
has_scope(const char *scopes, const char *wanted)
{
	const char *at = strstr(scopes, wanted);

	return at != NULL && (at == scopes || strchr(" ,", at[-1]) != NULL) &&
	    strchr(" ,", at[strlen(wanted)]) != NULL;
}

/* userinfo may read the user and nothing else; read may read all. */
static bool
is_permitted(const struct call *c)
{
	bool reads = request_is(c->request, "GET");

	return has_scope(c->scopes, "session") || (reads && has_scope(c->scopes, "read")) ||
	    (reads && has_scope(c->scopes, "userinfo") && c->n_words == 1 &&
	    strcmp(c->words[0], "user") == 0);
}

/* -- the call -- */

/* "application/json; version=1.7": 17. 0: no such version. */
static int
wanted_version(const struct request *r)
{
	const char *accept = request_header(r, "Accept"), *agent, *at;
	int major, minor, used;

	if (accept != NULL && (at = strstr(accept, "version=")) != NULL) {
		if (sscanf(at, "version=%1d.%1d%n", &major, &minor, &used) != 2 || major != 1 ||
		    minor > VERSION_LATEST - 10 || (at[used] >= '0' && at[used] <= '9'))
			return 0;
		return major * 10 + minor;
	}
	agent = request_header(r, "User-Agent");
	return agent != NULL && strncmp(agent, "rhc", 3) == 0 ? 13 : VERSION_LATEST;
}

static void
split_path(struct call *c, const char *path)
{
	size_t len;

	for (; *path != '\0' && c->n_words < CALL_WORDS; path += len) {
		path += strspn(path, "/");
		if ((len = strcspn(path, "/")) > 0)
			c->words[c->n_words++] = percent_decode(path, len, false);
	}
}

/* How many of the call's words the route's path takes; 0: it does not fit so far. `%` is an app:
 * application/ID or domain/NAME/application/APP. */
static size_t
take_word(const struct call *c, size_t i, const char *word, size_t len)
{
	if (i >= c->n_words)
		return 0;
	if (len == 1 && word[0] == '*')
		return 1;
	if (len == 1 && word[0] == '%') {
		if (strcmp(c->words[i], "application") == 0 && c->n_words >= i + 2)
			return 2;
		return c->n_words >= i + 4 && strcmp(c->words[i], "domain") == 0 &&
		    strcmp(c->words[i + 2], "application") == 0 ? 4 : 0;
	}
	return strlen(c->words[i]) == len && memcmp(c->words[i], word, len) == 0;
}

static bool
route_fits(const struct route *route, const struct call *c)
{
	const char *at = route->path;
	size_t i = 0, len, taken;

	if (!request_is(c->request, route->method))
		return false;
	for (; *at != '\0'; at += len + (at[len] == '/')) {
		len = strcspn(at, "/");
		if ((taken = take_word(c, i, at, len)) == 0)
			return false;
		i += taken;
	}
	return i == c->n_words;
}

static void
run_route(struct call *c, const struct route *route)
{
	struct app *app;

	if (route->changes_app) {
		if ((app = call_app(c)) == NULL)
			return;
		if (app->busy) {
			call_error(c, 500, 171, NULL, "Unable to perform action on app object. "
			    "Another operation is already running.");
			return;
		}
	}
	route->handler(c);
}

static void
dispatch(struct call *c)
{
	struct error err;
	size_t i;

	c->version = wanted_version(c->request);
	if (c->version == 0) {
		c->version = VERSION_LATEST;
		call_error(c, 406, 1, NULL, "Invalid API version requested");
		return;
	}
	if (!(c->n_words == 1 && strcmp(c->words[0], "api") == 0) && !authenticate(c))
		return;
	if (c->account != NULL && !is_permitted(c)) {
		call_error(c, 403, 1, NULL, "This action is not allowed with your current "
		    "authorization.");
		return;
	}
	if (!read_params(c, &err)) {
		call_error(c, 400, 1, NULL, "the body cannot be read");
		return;
	}
	c->nolinks = strcmp(json_string_or(c->params, "nolinks", ""), "true") == 0;
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (route_fits(&routes[i], c)) {
			run_route(c, &routes[i]);
			return;
		}
	}
	reply_html(c->answer, 404, "No route matches");
}

void
broker_answer(void *apps, const struct request *r, struct reply *a)
{
	struct call c = { .apps = apps, .request = r, .answer = a };
	size_t i;

	if (strncmp(r->path, PREFIX, strlen(PREFIX)) != 0) {
		reply_html(a, 404, "Not Found");
		return;
	}
	split_path(&c, r->path + strlen(PREFIX));
	dispatch(&c);
	json_decref(c.params);
	for (i = 0; i < c.n_words; i++)
		free(c.words[i]);
}
