#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "tests/sandbox/broker-call.h"

#define DAY_S 86400

/* -- cartridges -- */

static const char *const cartridges[] = {
	"haproxy-1.4", "jenkins-client-1", "mysql-5.5", "php-5.4", "python-2.6", "python-2.7",
	"python-3.3", "ruby-1.9",
};

const char *
cartridge_find(const char *name, int *n)
{
	const char *found = NULL;
	size_t i;

	*n = 0;
	for (i = 0; i < sizeof(cartridges) / sizeof(cartridges[0]); i++) {
		if (strcmp(cartridges[i], name) == 0) {
			*n = 1;
			return cartridges[i];
		}
		if (name[0] != '\0' && strncmp(cartridges[i], name, strlen(name)) == 0) {
			found = cartridges[i];
			(*n)++;
		}
	}
	return found;
}

json_t *
cartridge_json(struct call *c, const char *name)
{
	bool embedded = strncmp(name, "haproxy", 7) == 0 || strncmp(name, "mysql", 5) == 0 ||
	    strncmp(name, "jenkins", 7) == 0;
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "type", json_string(embedded ? "embedded" : "standalone"));
	json_object_set_new(o, "version", json_text(strrchr(name, '-') + 1));
	json_object_set_new(o, "display_name", json_string(name));
	json_object_set_new(o, "status_messages", json_array());
	json_object_set_new(o, "properties", json_array());
	call_link(c, o, "GET", "GET", "cartridge/%s", name);
	return o;
}

void
cartridges_list(struct call *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(cartridges) / sizeof(cartridges[0]); i++)
		json_array_append_new(list, cartridge_json(c, cartridges[i]));
	call_data(c, 200, "cartridges", list, NULL);
}

/* -- the user -- */

void
api_show(struct call *c)
{
	json_t *o = json_object();

	call_link(c, o, "API", "GET", "api");
	call_link(c, o, "GET_USER", "GET", "user");
	call_link(c, o, "LIST_DOMAINS", "GET", "domains");
	call_link(c, o, "ADD_DOMAIN", "POST", "domains");
	call_link(c, o, "LIST_APPLICATIONS", "GET", "applications");
	call_link(c, o, "LIST_CARTRIDGES", "GET", "cartridges");
	call_data(c, 200, "links", json_object_get(o, "links") != NULL ?
	    json_incref(json_object_get(o, "links")) : json_object(), NULL);
	json_decref(o);
}

void
user_show(struct call *c)
{
	json_t *o = json_object(), *capabilities = json_object();

	json_object_set_new(capabilities, "subaccounts", json_false());
	json_object_set(capabilities, "gear_sizes", c->account->gear_sizes);
	json_object_set_new(capabilities, "max_domains", json_integer(c->account->max_domains));
	json_object_set_new(capabilities, "max_gears", json_integer(c->account->max_gears));
	json_object_set_new(o, "login", json_text(c->account->login));
	json_object_set_new(o, "id", json_string(c->account->id));
	json_object_set_new(o, "max_gears", json_integer(c->account->max_gears));
	json_object_set_new(o, "max_domains", json_integer(c->account->max_domains));
	json_object_set_new(o, "consumed_gears", json_integer(c->account->gears));
	json_object_set_new(o, "capabilities", capabilities);
	json_object_set_new(o, "plan_id", json_string("free"));
	json_object_set_new(o, "usage_account_id", json_null());
	call_link(c, o, "ADD_KEY", "POST", "user/keys");
	call_link(c, o, "LIST_AUTHORIZATIONS", "GET", "user/authorizations");
	call_data(c, 200, "user", o, NULL);
}

/* -- authorizations -- */

static json_t *
authorization_json(struct call *c, const struct token *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_string(t->id));
	json_object_set_new(o, "identity", json_text(t->account->login));
	json_object_set_new(o, "note", json_text(t->note));
	json_object_set_new(o, "scopes", json_text(t->scopes));
	json_object_set_new(o, "token", json_text(t->token));
	call_time(o, "created_at", t->created);
	call_time(o, "expires_at", t->expires);
	json_object_set_new(o, "expires_in", json_integer(t->expires - t->created));
	json_object_set_new(o, "expires_in_seconds", json_integer(t->expires - time(NULL)));
	call_link(c, o, "GET", "GET", "user/authorization/%s", t->id);
	call_link(c, o, "DELETE", "DELETE", "user/authorization/%s", t->id);
	return o;
}

void
authorizations_list(struct call *c)
{
	json_t *list = json_array();
	const struct token *t;
	size_t i;

	for (i = 0; i < c->apps->tokens.n; i++) {
		t = c->apps->tokens.rows[i].value;
		if (t->account == c->account)
			json_array_append_new(list, authorization_json(c, t));
	}
	call_data(c, 200, "authorizations", list, NULL);
}

static time_t
longest_life_s(const char *scope)
{
	return strcmp(scope, "session") == 0 ? 7 * DAY_S : 30 * DAY_S;
}

static bool
is_scope(const char *scope)
{
	return strcmp(scope, "session") == 0 || strcmp(scope, "read") == 0 ||
	    strcmp(scope, "userinfo") == 0;
}

static struct token *
reusable(struct call *c, const char *scope, const char *note)
{
	struct token *t;
	size_t i;

	for (i = 0; i < c->apps->tokens.n; i++) {
		t = c->apps->tokens.rows[i].value;
		if (t->account == c->account && strcmp(t->scopes, scope) == 0 &&
		    strcmp(t->note, note) == 0 && t->expires > time(NULL))
			return t;
	}
	return NULL;
}

void
authorization_add(struct call *c)
{
	const char *scope = call_text(c, "scope"), *note = call_text(c, "note");
	const char *wanted = call_text(c, "expires_in");
	time_t life;
	struct token *t;

	if (scope == NULL)
		scope = "userinfo";
	if (note == NULL)
		note = "";
	if (!is_scope(scope)) {
		call_error(c, 422, 1, "scope", "One or more of the scopes you provided are not allowed");
		return;
	}
	if (call_flag(c, "reuse", false) && (t = reusable(c, scope, note)) != NULL) {
		call_data(c, 200, "authorization", authorization_json(c, t), NULL);
		return;
	}
	life = wanted != NULL ? atol(wanted) : strcmp(scope, "session") == 0 ? DAY_S : 30 * DAY_S;
	if (life <= 0 || life > longest_life_s(scope))
		life = longest_life_s(scope);
	t = apps_add_token(c->apps, c->account, NULL, scope, life);
	free(t->note);
	t->note = xstrdup(note);
	call_data(c, 201, "authorization", authorization_json(c, t), NULL);
}

static struct token *
find_authorization(struct call *c)
{
	struct token *t;
	size_t i;

	for (i = 0; i < c->apps->tokens.n; i++) {
		t = c->apps->tokens.rows[i].value;
		if (t->account == c->account && (strcmp(t->id, c->words[2]) == 0 ||
		    strcmp(t->token, c->words[2]) == 0))
			return t;
	}
	call_error(c, 404, 129, NULL, "Authorization '%s' not found", c->words[2]);
	return NULL;
}

void
authorization_show(struct call *c)
{
	const struct token *t = find_authorization(c);

	if (t != NULL)
		call_data(c, 200, "authorization", authorization_json(c, t), NULL);
}

void
authorization_delete(struct call *c)
{
	struct token *t = find_authorization(c);

	if (t == NULL)
		return;
	apps_remove_token(c->apps, t);
	call_deleted(c, "Authorization is revoked.");
}
