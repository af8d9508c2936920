#include "tests/sandbox/apps.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "tests/sandbox/crane-app.h"

#define UNLIMITED 1000000	/* gears and domains of an account, while no test says otherwise */

char *
lower_case(const char *text)
{
	char *copy = xstrdup(text), *p;

	for (p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static void
make_id(struct apps *apps, char id[25])
{
	snprintf(id, 25, "5a2e0000%016llx", (unsigned long long)++apps->next_id);
}

struct apps *
apps_new(const struct apps_options *options)
{
	struct apps *apps = xcalloc(1, sizeof(*apps));
	cleanup(free_p) char *dir = xasprintf("%s/sources", options->dir);

	apps->options = *options;
	apps->sources = git_source_new(dir, options->git_map);
	return apps;
}

static void
account_free(void *value)
{
	struct account *account = value;

	free(account->login);
	free(account->password);
	json_decref(account->gear_sizes);
	free(account);
}

static void
token_free(void *value)
{
	struct token *token = value;

	free(token->token);
	free(token->scopes);
	free(token->note);
	free(token);
}

static void
app_free(struct app *app)
{
	free(app->name);
	free(app->host);
	free(app->repo);
	free(app->cartridge);
	free(app->gear_size);
	free(app->initial_git_url);
	free(app->deployment_type);
	free(app->branch);
	json_decref(app->env);
	json_decref(app->deployments);
	json_decref(app->aliases);
	crane_app_free(app->crane);
	free(app);
}

/* The files stay where they are. */
static void
forget_all(struct apps *apps)
{
	struct domain *domain;
	size_t i;

	for (i = 0; i < apps->by_id.n; i++)
		app_free(apps->by_id.rows[i].value);
	for (i = 0; i < apps->domains.n; i++) {
		domain = apps->domains.rows[i].value;
		domain->owner->gears = 0;
		table_done(&domain->apps, NULL);
		free(domain->name);
		free(domain);
	}
	table_done(&apps->domains, NULL);
	table_done(&apps->by_id, NULL);
	table_done(&apps->by_host, NULL);
}

/* To remove ten thousand repositories would take a minute, to rename their folder takes none. */
void
apps_clear(struct apps *apps)
{
	cleanup(free_p) char *from = xasprintf("%s/git", apps->options.dir);
	cleanup(free_p) char *to = xasprintf("%s/git.%u", apps->options.dir, ++apps->n_cleared);

	forget_all(apps);
	rename(from, to);
}

void
apps_free(struct apps *apps)
{
	if (apps == NULL)
		return;
	forget_all(apps);
	table_done(&apps->accounts, account_free);
	table_done(&apps->tokens, token_free);
	git_source_free(apps->sources);
	free(apps);
}

struct account *
apps_add_account(struct apps *apps, const char *login, const char *password)
{
	struct account *account = table_get(&apps->accounts, login);

	if (account == NULL) {
		account = xcalloc(1, sizeof(*account));
		account->login = xstrdup(login);
		account->max_gears = account->max_domains = UNLIMITED;
		account->gear_sizes = json_pack("[s, s, s, s]", "small", "small.highcpu", "medium",
		    "large");
		make_id(apps, account->id);
		table_put(&apps->accounts, login, account);
		if (apps->first == NULL)
			apps->first = account;
	}
	free(account->password);
	account->password = xstrdup(password);
	return account;
}

struct token *
apps_add_token(struct apps *apps, struct account *account, const char *text, const char *scopes,
    time_t lifetime_s)
{
	struct token *token = xcalloc(1, sizeof(*token)), *old;

	token->account = account;
	make_id(apps, token->id);
	token->token = text != NULL ? xstrdup(text) : xasprintf("sandbox%s", token->id);
	token->scopes = xstrdup(scopes);
	token->note = xstrdup("");
	token->created = time(NULL);
	token->expires = token->created + lifetime_s;
	if ((old = table_put(&apps->tokens, token->token, token)) != NULL)
		token_free(old);
	return token;
}

void
apps_remove_token(struct apps *apps, struct token *token)
{
	table_remove(&apps->tokens, token->token);
	token_free(token);
}

struct domain *
apps_domain(const struct apps *apps, const char *name)
{
	cleanup(free_p) char *key = lower_case(name);

	return table_get(&apps->domains, key);
}

struct domain *
apps_add_domain(struct apps *apps, const char *name, struct account *owner)
{
	struct domain *domain = xcalloc(1, sizeof(*domain));
	cleanup(free_p) char *key = lower_case(name);

	domain->name = xstrdup(name);
	domain->owner = owner;
	domain->created = time(NULL);
	make_id(apps, domain->id);
	table_put(&apps->domains, key, domain);
	return domain;
}

void
apps_remove_domain(struct apps *apps, struct domain *domain)
{
	cleanup(free_p) char *key = lower_case(domain->name);

	while (domain->apps.n > 0)
		apps_remove_app(apps, domain->apps.rows[domain->apps.n - 1].value);
	table_done(&domain->apps, NULL);
	table_remove(&apps->domains, key);
	free(domain->name);
	free(domain);
}

struct app *
domain_app(const struct domain *domain, const char *name)
{
	cleanup(free_p) char *key = lower_case(name);

	return table_get(&domain->apps, key);
}

struct app *
apps_by_host(const struct apps *apps, const char *host)
{
	return table_get(&apps->by_host, host);
}

bool
apps_rename_host(struct apps *apps, struct app *app, const char *host)
{
	if (apps_by_host(apps, host) != NULL)
		return false;
	table_remove(&apps->by_host, app->host);
	free(app->host);
	app->host = xstrdup(host);
	table_put(&apps->by_host, app->host, app);
	return true;
}

/* -- deployments -- */

/* raas-crane reads a directory, so that there is one for as long. */
struct crane_app *
app_crane(struct app *app)
{
	cleanup(free_p) char *dir = NULL;

	if (app->is_read)
		return app->crane;
	if (app->crane == NULL)
		app->crane = crane_app_new();
	dir = xasprintf("%s.data", app->repo);
	if (app_git_export(app->repo, app->deployed, "crane/data", dir, NULL) == -1)
		app_git_remove(dir);	/* half of it would be taken for all */
	crane_app_load(app->crane, dir);
	app_git_remove(dir);
	app->is_read = true;
	return app->crane;
}

static void
deployed(struct app *app, const char *id, const char *ref)
{
	char when[RFC3339_SIZE];

	if (app->deployed[0] != '\0')
		app_crane(app);		/* it stays if the new one is bad */
	rfc3339_format(time(NULL), when);
	memcpy(app->deployed, id, GIT_ID_SIZE);
	app->is_read = false;
	app->started = true;
	json_array_append_new(app->deployments, json_pack("{s:s%, s:s, s:s, s:s, s:s, s:b, s:b}",
	    "id", id, (size_t)8, "created_at", when, "state", "active", "ref", ref, "sha1", id,
	    "hot_deploy", 0, "force_clean_build", 0));
	while (json_array_size(app->deployments) > (size_t)app->keep_deployments)
		json_array_remove(app->deployments, 0);
}

static char *
branch_ref(const struct app *app)
{
	return xasprintf("refs/heads/%s", app->branch);
}

void
app_look(struct app *app)
{
	struct git_mark now = app_git_mark(app->repo, app->branch);
	cleanup(free_p) char *ref = NULL;
	char id[GIT_ID_SIZE];

	if (git_mark_is(&now, &app->seen))
		return;
	app->seen = now;
	ref = branch_ref(app);
	if (app->auto_deploy && app_git_resolve(app->repo, ref, id) &&
	    strcmp(id, app->deployed) != 0)
		deployed(app, id, app->branch);
}

int
app_deploy(struct app *app, const char *ref, struct error *err)
{
	char id[GIT_ID_SIZE];

	app_look(app);
	if (!app_git_resolve(app->repo, ref, id))
		return error_set(err, ERROR_INPUT, "invalid ref '%s'", ref);
	deployed(app, id, ref);
	return 0;
}

void
app_set_branch(struct app *app, const char *branch, bool auto_deploy)
{
	char *copy = xstrdup(branch);

	app_look(app);
	free(app->branch);
	app->branch = copy;
	app->auto_deploy = auto_deploy;
	app->seen = app_git_mark(app->repo, app->branch);
}

/* -- applications -- */

static struct app *
app_new(struct apps *apps, struct domain *domain, const struct app_form *form)
{
	struct app *app = xcalloc(1, sizeof(*app));
	cleanup(free_p) char *host = NULL;

	make_id(apps, app->id);
	app->domain = domain;
	app->name = lower_case(form->name);
	host = xasprintf("%s-%s.%s", app->name, domain->name, apps->options.cloud_domain);
	app->host = lower_case(host);
	app->repo = xasprintf("%s/git/%s/%s.git", apps->options.dir, app->id, app->name);
	app->cartridge = xstrdup(form->cartridge);
	app->gear_size = xstrdup(form->gear_size);
	app->initial_git_url = xstrdup(form->git_url);
	app->scale = form->scale;
	app->auto_deploy = true;
	app->keep_deployments = 1;
	app->deployment_type = xstrdup("git");
	app->branch = xstrdup("master");
	app->env = form->env != NULL ? json_deep_copy(form->env) : json_object();
	app->deployments = json_array();
	app->aliases = json_array();
	app->created = time(NULL);
	return app;
}

struct app *
apps_add_app(struct apps *apps, struct domain *domain, const struct app_form *form,
    struct error *err)
{
	struct app *app = app_new(apps, domain, form);
	char id[GIT_ID_SIZE];

	if (app_git_create(apps->sources, app->repo, form->git_url, form->commit, id, err) == -1) {
		app_free(app);
		return NULL;
	}
	app->seen = app_git_mark(app->repo, app->branch);
	deployed(app, id, app->branch);
	domain->owner->gears++;
	table_put(&apps->by_id, app->id, app);
	table_put(&apps->by_host, app->host, app);
	table_put(&domain->apps, app->name, app);
	return app;
}

void
apps_remove_app(struct apps *apps, struct app *app)
{
	cleanup(free_p) char *folder = xasprintf("%s/git/%s", apps->options.dir, app->id);

	while (json_array_size(app->aliases) > 0)
		apps_remove_alias(apps, app, 0);
	app_git_remove(folder);
	app->domain->owner->gears--;
	table_remove(&apps->by_id, app->id);
	table_remove(&apps->by_host, app->host);
	table_remove(&app->domain->apps, app->name);
	app_free(app);
}

bool
app_has_alias(const struct app *app, const char *alias, size_t *index)
{
	const json_t *element;
	size_t i;

	json_array_foreach(app->aliases, i, element) {
		if (strcasecmp(json_string_value(element), alias) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

void
apps_add_alias(struct apps *apps, struct app *app, const char *alias)
{
	json_array_append_new(app->aliases, json_string(alias));
	table_put(&apps->by_host, alias, app);
}

void
apps_remove_alias(struct apps *apps, struct app *app, size_t index)
{
	table_remove(&apps->by_host, json_string_value(json_array_get(app->aliases, index)));
	json_array_remove(app->aliases, index);
}
