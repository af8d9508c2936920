#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/broker-call.h"

#define APP_NAME_MAX 32
#define URL_MAX 2048

/* -- an app as JSON -- */

static json_t *
aliases_json(struct call *c, const struct app *app)
{
	json_t *list, *alias;
	size_t i;

	if (c->version <= 13)
		return json_incref(app->aliases);
	list = json_array();
	json_array_foreach(app->aliases, i, alias)
		json_array_append_new(list, json_pack("{s:O, s:b, s:n}", "id", alias,
		    "has_private_ssl_certificate", 0, "certificate_added_at"));
	return list;
}

static void
add_links(struct call *c, json_t *o, const struct app *app)
{
	cleanup(free_p) char *self = c->version >= 16 ? xasprintf("application/%s", app->id) :
	    xasprintf("domain/%s/application/%s", app->domain->name, app->name);

	call_link(c, o, "GET", "GET", "%s", self);
	call_link(c, o, "UPDATE", "PUT", "%s", self);
	call_link(c, o, "DELETE", "DELETE", "%s", self);
	call_link(c, o, "START", "POST", "%s/events", self);
	call_link(c, o, "STOP", "POST", "%s/events", self);
	call_link(c, o, "RESTART", "POST", "%s/events", self);
	call_link(c, o, "ADD_ALIAS", "POST", "%s/aliases", self);
	call_link(c, o, "LIST_ALIASES", "GET", "%s/aliases", self);
	call_link(c, o, "LIST_ENVIRONMENT_VARIABLES", "GET", "%s/environment-variables", self);
	call_link(c, o, "ADD_ENVIRONMENT_VARIABLE", "POST", "%s/environment-variables", self);
	call_link(c, o, "LIST_DEPLOYMENTS", "GET", "%s/deployments", self);
	call_link(c, o, "DEPLOY", "POST", "%s/deployments", self);
}

static void
add_urls(struct call *c, json_t *o, const struct app *app)
{
	const struct apps *apps = c->apps;
	cleanup(free_p) char *git = xasprintf("%s%s", apps->options.ssh_url != NULL ?
	    apps->options.ssh_url : "", app->repo);
	cleanup(free_p) char *web = xasprintf("%s://%s:%d/", apps->options.scheme, app->host,
	    apps->port);
	cleanup(free_p) char *ssh = xasprintf("ssh://%s@%s", app->id, app->host);

	json_object_set_new(o, "git_url", json_text(git));
	json_object_set_new(o, "app_url", json_text(web));
	json_object_set_new(o, "ssh_url", json_text(ssh));
	json_object_set_new(o, "initial_git_url", json_text(app->initial_git_url));
	json_object_set_new(o, "build_job_url", json_null());
}

static json_t *
embedded_cartridges(struct call *c, const struct app *app)
{
	json_t *list = json_array();

	json_array_append_new(list, cartridge_json(c, app->cartridge));
	if (app->scale)
		json_array_append_new(list, cartridge_json(c, "haproxy-1.4"));
	return list;
}

json_t *
app_json(struct call *c, struct app *app)
{
	const char *include = call_text(c, "include");
	json_t *o = json_object();

	json_object_set_new(o, c->version >= 16 ? "id" : "uuid", json_string(app->id));
	json_object_set_new(o, "name", json_text(app->name));
	json_object_set_new(o, "domain_id", json_text(app->domain->name));
	json_object_set_new(o, "framework", json_text(app->cartridge));
	json_object_set_new(o, "gear_count", json_integer(1));
	json_object_set_new(o, "gear_profile", json_text(app->gear_size));
	json_object_set_new(o, "scalable", json_boolean(app->scale));
	json_object_set_new(o, "health_check_path", json_string("health"));
	json_object_set_new(o, "building_app", json_null());
	json_object_set_new(o, "building_with", json_null());
	json_object_set_new(o, "embedded", app->scale ? json_pack("{s:{}}", "haproxy-1.4") :
	    json_object());
	json_object_set_new(o, "auto_deploy", json_boolean(app->auto_deploy));
	json_object_set_new(o, "deployment_branch", json_text(app->branch));
	json_object_set_new(o, "deployment_type", json_text(app->deployment_type));
	json_object_set_new(o, "keep_deployments", json_integer(app->keep_deployments));
	json_object_set_new(o, "aliases", aliases_json(c, app));
	call_time(o, "creation_time", app->created);
	add_urls(c, o, app);
	if (include != NULL && strcmp(include, "cartridges") == 0)
		json_object_set_new(o, "cartridges", embedded_cartridges(c, app));
	add_links(c, o, app);
	return o;
}

void
apps_list(struct call *c)
{
	json_t *list = json_array();
	struct app *app;
	size_t i;

	for (i = 0; i < c->apps->by_id.n; i++) {
		app = c->apps->by_id.rows[i].value;
		if (app->domain->owner == c->account)
			json_array_append_new(list, app_json(c, app));
	}
	call_data(c, 200, "applications", list, NULL);
}

void
domain_apps_list(struct call *c)
{
	const struct domain *domain = call_domain(c);
	json_t *list;
	size_t i;

	if (domain == NULL)
		return;
	list = json_array();
	for (i = 0; i < domain->apps.n; i++)
		json_array_append_new(list, app_json(c, domain->apps.rows[i].value));
	call_data(c, 200, "applications", list, NULL);
}

void
app_show(struct call *c)
{
	struct app *app = call_app(c);

	if (app != NULL)
		call_data(c, 200, "application", app_json(c, app), NULL);
}

/* -- creating -- */

static bool
is_name(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		if (!isalnum((unsigned char)name[i]) || i >= APP_NAME_MAX)
			return false;
	}
	return i > 0;
}

static bool
is_reserved(const char *name)
{
	static const char *const reserved[] = { "openshift", "redhat", "jboss", "root", "admin" };
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcasecmp(name, reserved[i]) == 0)
			return true;
	}
	return false;
}

static bool
check_name(struct call *c, const struct domain *domain, const char *name)
{
	if (name == NULL || !is_name(name))
		call_error(c, 422, 105, "name", "Invalid application name: '%s'. Name must be "
		    "alphanumeric and at most %d characters.", name != NULL ? name : "",
		    APP_NAME_MAX);
	else if (is_reserved(name))
		call_error(c, 403, 105, "name", "Application name '%s' is not allowed", name);
	else if (domain_app(domain, name) != NULL)
		call_error(c, 422, 100, "name", "The supplied application name '%s' already "
		    "exists", name);
	else
		return true;
	return false;
}

static bool
check_git_url(struct call *c, const char *url)
{
	bool good = url == NULL || (strlen(url) <= URL_MAX && strpbrk(url, " \t\r\n") == NULL &&
	    (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0 ||
	    strncmp(url, "git://", 6) == 0));

	if (!good)
		call_error(c, 422, 216, "initial_git_url", "Invalid initial git URL");
	return good;
}

static bool
check_gear(struct call *c, const char *size)
{
	const json_t *known;
	size_t i;

	if (c->account->gears >= c->account->max_gears) {
		call_error(c, 422, 104, NULL, "%s has already reached the gear limit of %d",
		    c->account->login, c->account->max_gears);
		return false;
	}
	json_array_foreach(c->account->gear_sizes, i, known) {
		if (strcmp(json_string_value(known), size) == 0)
			return true;
	}
	call_error(c, 422, 134, "gear_profile", "Invalid gear size %s", size);
	return false;
}

/* The name in a cartridge parameter, which is a string or an object with a name. */
static const char *
cartridge_name(const json_t *value)
{
	return json_is_object(value) ? json_string_or(value, "name", NULL) :
	    json_string_value(value);
}

/* The one cartridge that a parameter means; NULL: answered. */
static const char *
meant_cartridge(struct call *c, const json_t *value)
{
	const char *name = cartridge_name(value), *found;
	int n;

	if (name == NULL)
		name = "";
	found = cartridge_find(name, &n);
	if (n == 1)
		return found;
	if (n > 1)
		call_error(c, 422, 197, "cartridges", "More than one cartridge matches '%s'.", name);
	else
		call_error(c, 422, 109, "cartridges", "The cartridge '%s' is not known.", name);
	return NULL;
}

/* The web cartridge that is asked for, by `cartridge` or in `cartridges`; NULL: answered. */
static const char *
wanted_cartridge(struct call *c)
{
	const json_t *one = json_object_get(c->params, "cartridge"), *value;
	cleanup(json_unref) json_t *list = json_array();
	const char *found, *web = NULL;
	size_t i;

	if (json_is_string(one) || json_is_object(one))
		json_array_append(list, (json_t *)one);
	if (json_is_array(json_object_get(c->params, "cartridges")))
		json_array_extend(list, json_object_get(c->params, "cartridges"));
	json_array_foreach(list, i, value) {
		if ((found = meant_cartridge(c, value)) == NULL)
			return NULL;
		if (strncmp(found, "haproxy", 7) != 0)
			web = found;
	}
	if (web == NULL)
		call_error(c, 422, 109, "cartridges", "Each application needs a web cartridge.");
	return web;
}

static bool
check_form(struct call *c, const struct domain *domain, struct app_form *form)
{
	const json_t *variables = json_object_get(c->params, "environment_variables");

	return check_name(c, domain, form->name) && check_git_url(c, form->git_url) &&
	    (form->cartridge = wanted_cartridge(c)) != NULL && check_gear(c, form->gear_size) &&
	    (variables == NULL || json_is_null(variables) || env_merge(c, variables, form->env));
}

/* A missing domain is created silently, as the broker does. */
static struct domain *
domain_for_app(struct call *c)
{
	if (apps_domain(c->apps, c->words[1]) == NULL && is_name(c->words[1]) &&
	    strlen(c->words[1]) <= 16)
		return apps_add_domain(c->apps, c->words[1], c->account);
	return call_domain(c);
}

void
app_add(struct call *c)
{
	cleanup(json_unref) json_t *env = json_object();
	struct app_form form = { .env = env, .name = call_text(c, "name"),
	    .git_url = call_text(c, "initial_git_url"), .scale = call_flag(c, "scale", false) };
	struct domain *domain = domain_for_app(c);
	struct error err;
	struct app *app;

	if (domain == NULL)
		return;
	form.gear_size = call_text(c, "gear_size");
	if (form.gear_size == NULL)
		form.gear_size = call_text(c, "gear_profile");
	if (form.gear_size == NULL)
		form.gear_size = "small";
	if (!check_form(c, domain, &form))
		return;
	if ((app = apps_add_app(c->apps, domain, &form, &err)) == NULL) {
		call_error(c, 422, 131, "initial_git_url", "Unable to clone the repository: %s",
		    err.text);
		return;
	}
	call_data(c, 201, "application", app_json(c, app), "Application was created");
}

/* -- changing and deleting -- */

void
app_update(struct call *c)
{
	struct app *app = call_app(c);
	const char *branch = call_text(c, "deployment_branch");
	const char *keep = call_text(c, "keep_deployments");
	const char *type = call_text(c, "deployment_type");
	bool auto_deploy = call_flag(c, "auto_deploy", app->auto_deploy);

	if (branch == NULL && keep == NULL && type == NULL && call_text(c, "auto_deploy") == NULL) {
		call_error(c, 422, 1, NULL, "No update parameters specified.");
	} else if (branch != NULL && (branch[0] == '\0' || strlen(branch) > 256 ||
	    strstr(branch, "..") != NULL || branch[0] == '/')) {
		call_error(c, 422, 1, "deployment_branch", "Invalid deployment_branch '%s'", branch);
	} else if (keep != NULL && atoi(keep) < 1) {
		call_error(c, 422, 1, "keep_deployments", "Invalid number of deployments");
	} else if (type != NULL && strcmp(type, "git") != 0 && strcmp(type, "binary") != 0) {
		call_error(c, 422, 1, "deployment_type", "Invalid deployment_type '%s'", type);
	} else {
		app_set_branch(app, branch != NULL ? branch : app->branch, auto_deploy);
		if (keep != NULL)
			app->keep_deployments = atoi(keep);
		if (type != NULL) {
			free(app->deployment_type);
			app->deployment_type = xstrdup(type);
		}
		call_data(c, 200, "application", app_json(c, app), "Application was updated");
	}
}

void
app_delete(struct call *c)
{
	apps_remove_app(c->apps, call_app(c));
	call_deleted(c, "Application is deleted.");
}
