#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/broker-call.h"

/* The word of the path behind the app and the part's name. */
static const char *
part_name(const struct call *c)
{
	return c->words[c->n_words - 1];
}

/* -- events -- */

void
app_event_add(struct call *c)
{
	struct app *app = call_app(c);
	const char *event = call_text(c, "event");

	if (event == NULL)
		event = "";
	if (strcmp(event, "start") == 0 || strcmp(event, "restart") == 0) {
		app->started = true;
	} else if (strcmp(event, "stop") == 0 || strcmp(event, "force-stop") == 0) {
		app->started = false;
	} else if (strcmp(event, "reload") != 0 && strcmp(event, "tidy") != 0) {
		call_error(c, 422, 126, "event", "Invalid application event '%s' specified", event);
		return;
	}
	call_data(c, 200, "application", app_json(c, app), "Application event was executed");
}

/* -- aliases -- */

static json_t *
alias_json(struct call *c, const struct app *app, const char *alias)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_text(alias));
	json_object_set_new(o, "has_private_ssl_certificate", json_false());
	json_object_set_new(o, "certificate_added_at", json_null());
	call_link(c, o, "GET", "GET", "application/%s/alias/%s", app->id, alias);
	call_link(c, o, "DELETE", "DELETE", "application/%s/alias/%s", app->id, alias);
	return o;
}

void
aliases_list(struct call *c)
{
	const struct app *app = call_app(c);
	json_t *list, *alias;
	size_t i;

	if (app == NULL)
		return;
	list = json_array();
	json_array_foreach(app->aliases, i, alias)
		json_array_append_new(list, alias_json(c, app, json_string_value(alias)));
	call_data(c, 200, "aliases", list, NULL);
}

static bool
is_host_name(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.')
			return false;
	}
	return p > name && p - name <= 255 && strchr(name, '.') != NULL && name[0] != '.' &&
	    name[0] != '-' && strstr(name, "..") == NULL;
}

/* The names that the cloud itself gives: one label below its domain. Deeper ones are let
 * through, so that a test can have an alias that resolves on loopback. */
static bool
is_of_cloud(const struct apps *apps, const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL && strcmp(dot + 1, apps->options.cloud_domain) == 0;
}

void
alias_add(struct call *c)
{
	struct app *app = call_app(c);
	const char *given = call_text(c, "id") != NULL ? call_text(c, "id") : call_text(c, "alias");
	cleanup(free_p) char *alias = lower_case(given != NULL ? given : "");
	struct in_addr address;

	if (!is_host_name(alias) || inet_pton(AF_INET, alias, &address) == 1 ||
	    is_of_cloud(c->apps, alias)) {
		call_error(c, 422, 105, "id", "Invalid alias '%s'", alias);
		return;
	}
	if (apps_by_host(c->apps, alias) != NULL) {
		call_error(c, 422, 140, "id", "Alias '%s' is already registered.", alias);
		return;
	}
	apps_add_alias(c->apps, app, alias);
	call_data(c, 201, "alias", alias_json(c, app, alias), "Alias was created");
}

static bool
find_alias(struct call *c, const struct app *app, size_t *index)
{
	if (app_has_alias(app, part_name(c), index))
		return true;
	call_error(c, 404, 173, NULL, "Alias '%s' not found", part_name(c));
	return false;
}

void
alias_show(struct call *c)
{
	const struct app *app = call_app(c);
	size_t i;

	if (app != NULL && find_alias(c, app, &i))
		call_data(c, 200, "alias", alias_json(c, app,
		    json_string_value(json_array_get(app->aliases, i))), NULL);
}

void
alias_delete(struct call *c)
{
	struct app *app = call_app(c);
	size_t i;

	if (!find_alias(c, app, &i))
		return;
	apps_remove_alias(c->apps, app, i);
	call_deleted(c, "Alias was removed");
}

/* -- environment variables -- */

static json_t *
env_json(struct call *c, const struct app *app, const char *name)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(name));
	json_object_set(o, "value", json_object_get(app->env, name));
	call_link(c, o, "GET", "GET", "application/%s/environment-variable/%s", app->id, name);
	return o;
}

static json_t *
all_env_json(struct call *c, const struct app *app)
{
	json_t *list = json_array(), *value;
	const char *name;

	json_object_foreach(app->env, name, value)
		json_array_append_new(list, env_json(c, app, name));
	return list;
}

void
env_list(struct call *c)
{
	const struct app *app = call_app(c);

	if (app != NULL)
		call_data(c, 200, "environment-variables", all_env_json(c, app), NULL);
}

static bool
is_env_name(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	}
	return p > name && p - name <= 128 && !isdigit((unsigned char)name[0]);
}

/* Checks one variable; false: answered. */
static bool
check_env(struct call *c, const char *name, const char *value)
{
	if (name == NULL || !is_env_name(name))
		call_error(c, 422, 186, "name", "Name can only contain letters, digits and "
		    "underscore and can't begin with a digit.");
	else if (value == NULL)
		call_error(c, 422, 190, "value", "Value not specified for environment variable '%s'",
		    name);
	else
		return true;
	return false;
}

bool
env_merge(struct call *c, const json_t *list, json_t *env)
{
	cleanup(json_unref) json_t *merged = json_object();
	const json_t *variable;
	const char *name;
	size_t i;

	if (!json_is_array(list)) {
		call_error(c, 422, 186, NULL, "Invalid environment variables: expected an array");
		return false;
	}
	json_array_foreach(list, i, variable) {
		name = json_string_or(variable, "name", NULL);
		if (!check_env(c, name, json_string_or(variable, "value", NULL)))
			return false;
		json_object_set(merged, name, json_object_get(variable, "value"));
	}
	json_object_update(env, merged);
	return true;
}

void
env_add(struct call *c)
{
	struct app *app = call_app(c);
	const char *name = call_text(c, "name"), *value = call_text(c, "value");

	if (json_object_get(c->params, "environment_variables") != NULL) {
		env_update_all(c);
		return;
	}
	if (!check_env(c, name, value))
		return;
	if (json_object_get(app->env, name) != NULL) {
		call_error(c, 422, 188, "name", "User environment variable named '%s' already "
		    "exists in application", name);
		return;
	}
	json_object_set_new(app->env, name, json_text(value));
	call_data(c, 201, "environment-variable", env_json(c, app, name),
	    "Added environment variable");
}

void
env_update_all(struct call *c)
{
	struct app *app = call_app(c);
	bool posted = request_is(c->request, "POST");

	if (env_merge(c, json_object_get(c->params, "environment_variables"), app->env))
		call_data(c, posted ? 201 : 200, "environment-variables", all_env_json(c, app),
		    "Environment variables were updated");
}

static bool
has_env(struct call *c, const struct app *app)
{
	if (json_object_get(app->env, part_name(c)) != NULL)
		return true;
	call_error(c, 404, 187, NULL, "Environment variable '%s' not found", part_name(c));
	return false;
}

void
env_show(struct call *c)
{
	const struct app *app = call_app(c);

	if (app != NULL && has_env(c, app))
		call_data(c, 200, "environment-variable", env_json(c, app, part_name(c)), NULL);
}

void
env_update(struct call *c)
{
	struct app *app = call_app(c);
	const char *value = call_text(c, "value");

	if (!has_env(c, app) || !check_env(c, part_name(c), value))
		return;
	json_object_set_new(app->env, part_name(c), json_text(value));
	call_data(c, 200, "environment-variable", env_json(c, app, part_name(c)), NULL);
}

void
env_delete(struct call *c)
{
	struct app *app = call_app(c);

	if (!has_env(c, app))
		return;
	json_object_del(app->env, part_name(c));
	call_deleted(c, "Environment variable was removed");
}

/* -- deployments, gears, cartridges -- */

void
deployments_list(struct call *c)
{
	const struct app *app = call_app(c);

	if (app != NULL)
		call_data(c, 200, "deployments", json_deep_copy(app->deployments), NULL);
}

void
deployment_add(struct call *c)
{
	struct app *app = call_app(c);
	const char *ref = call_text(c, "ref");
	struct error err;

	if (ref == NULL || ref[0] == '\0') {
		call_error(c, 422, -1, "ref", "Invalid ref: none was given");
		return;
	}
	if (app_deploy(app, ref, &err) == -1) {
		call_error(c, 422, 1, "ref", "%s", err.text);
		return;
	}
	call_data(c, 201, "deployment", json_deep_copy(json_array_get(app->deployments,
	    json_array_size(app->deployments) - 1)), "Added deployment");
}

void
gear_groups_list(struct call *c)
{
	const struct app *app = call_app(c);
	json_t *gear, *group;

	if (app == NULL)
		return;
	gear = json_pack("{s:s, s:s}", "id", app->id, "state", app->started ? "started" :
	    "stopped");
	group = json_pack("{s:s, s:s, s:s, s:[o], s:[o]}", "id", app->id, "name", app->id,
	    "gear_profile", app->gear_size, "gears", gear, "cartridges",
	    cartridge_json(c, app->cartridge));
	call_data(c, 200, "gear_groups", json_pack("[o]", group), NULL);
}

void
app_cartridges_list(struct call *c)
{
	const struct app *app = call_app(c);
	json_t *list;

	if (app == NULL)
		return;
	list = json_pack("[o]", cartridge_json(c, app->cartridge));
	if (app->scale)
		json_array_append_new(list, cartridge_json(c, "haproxy-1.4"));
	call_data(c, 200, "cartridges", list, NULL);
}
