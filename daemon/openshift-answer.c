#include "daemon/openshift-answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/buf.h"

#define DEPTH_MAX 32
#define TEXT_MAX 400			/* bytes of the broker's words in one error */
#define EMPTY_ANSWER_MAX (1u << 20)	/* bytes of an answer without any element */
#define STRING_MAX 4096			/* bytes of one string of an app */

/* What the broker's exit codes mean to us; a status of 0 stands for any. The codes are the
 * origin-server controllers' own. */
static const struct meaning {
	int		code;
	long		status;
	enum error_kind	kind;
} meanings[] = {
	{ 100, 0, ERROR_CONFLICT },	/* the app exists */
	{ 101, 0, ERROR_MISSING },	/* no such app */
	{ 103, 409, ERROR_QUOTA },	/* as many domains as the account may have */
	{ 103, 0, ERROR_CONFLICT },	/* the domain is somebody's */
	{ 104, 0, ERROR_QUOTA },	/* gears */
	{ 105, 0, ERROR_INPUT },	/* app name: bad or reserved; a bad alias */
	{ 106, 0, ERROR_INPUT },	/* domain name */
	{ 109, 0, ERROR_INPUT },	/* cartridge */
	{ 126, 0, ERROR_INTERNAL },	/* no such event */
	{ 127, 0, ERROR_MISSING },	/* no such domain */
	{ 128, 0, ERROR_CONFLICT },	/* the domain still has apps */
	{ 129, 0, ERROR_MISSING },	/* no such cartridge or authorization */
	{ 131, 0, ERROR_INPUT },	/* the app's source cannot be cloned */
	{ 134, 403, ERROR_QUOTA },	/* no gear size is allowed at all */
	{ 134, 0, ERROR_INPUT },	/* not this gear size */
	{ 140, 0, ERROR_CONFLICT },	/* the alias is registered, to whatever app */
	{ 171, 0, ERROR_REMOTE },	/* another change of the app is running */
	{ 173, 0, ERROR_MISSING },	/* no such alias */
	{ 186, 0, ERROR_INTERNAL },	/* environment variables: malformed request */
	{ 188, 0, ERROR_INTERNAL },
	{ 190, 0, ERROR_INTERNAL },
	{ 197, 0, ERROR_INPUT },	/* the cartridge is ambiguous */
	{ 216, 0, ERROR_INPUT },	/* git URL */
};

static enum error_kind
kind_of_status(long status)
{
	switch (status) {
	case 400: case 405: case 410: case 411: case 413: case 414: case 415:
		return ERROR_INTERNAL;
	case 401: case 403:
		return ERROR_CREDENTIALS;
	case 404:
		return ERROR_MISSING;
	case 409:
		return ERROR_CONFLICT;
	case 406: case 422:
		return ERROR_INPUT;
	default:
		return ERROR_REMOTE;
	}
}

static enum error_kind
kind_of(long status, int code)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == code &&
		    (meanings[i].status == 0 || meanings[i].status == status))
			return meanings[i].kind;
	return kind_of_status(status);
}

/* Joins the texts of the messages of that severity (NULL: of any); *code is the first of theirs
 * that is a number. */
static void
messages_join(const json_t *messages, const char *severity, struct buf *out, int *code)
{
	const json_t *message, *number;
	const char *text;
	size_t i;

	json_array_foreach(messages, i, message) {
		if (severity != NULL &&
		    strcasecmp(json_string_or(message, "severity", ""), severity) != 0)
			continue;
		number = json_object_get(message, "exit_code");
		if (*code == OPENSHIFT_CODE_NONE && json_is_integer(number))
			*code = (int)json_integer_value(number);
		text = json_string_or(message, "text", "");
		if (text[0] == '\0')
			continue;
		/* What does not fit is left out whole. */
		if (out->len > 0 && out->len + strlen(text) + 2 > TEXT_MAX)
			continue;
		buf_printf(out, "%s%.*s", out->len > 0 ? "; " : "", TEXT_MAX - 2, text);
	}
}

static int
not_an_envelope(long status, const char *content_type, struct error *err)
{
	/* A 404 of a proxy or of another web server must never look like an app that is gone. */
	return error_set(err, ERROR_REMOTE, "HTTP status %ld with %s instead of the broker's "
	    "JSON%s", status, content_type[0] != '\0' ? content_type : "no content",
	    status < 500 ? ": is server_url right?" : "");
}

int
openshift_answer_check(long status, const char *content_type, const struct buf *body, int *code,
    struct error *err)
{
	cleanup(json_unref) json_t *envelope = NULL;
	cleanup(buf_done) struct buf text = BUF_LIMIT(TEXT_MAX);
	const json_t *messages;

	*code = OPENSHIFT_CODE_NONE;
	if (status / 100 == 2)
		return 0;
	/* Its body is plain text, whatever it is labelled. */
	if (status == 401)
		return error_set(err, ERROR_CREDENTIALS, "login refused (HTTP status 401)");
	if (status / 100 == 3)
		return error_set(err, ERROR_INPUT, "HTTP status %ld: server_url redirects, put "
		    "the address that it leads to there", status);
	envelope = json_read(buf_str(body), body->len, DEPTH_MAX, NULL);
	messages = json_object_get(envelope, "messages");
	if (!json_is_array(messages))
		return not_an_envelope(status, content_type, err);

	messages_join(messages, "error", &text, code);
	if (text.len == 0)
		messages_join(messages, NULL, &text, code);
	return error_set(err, kind_of(status, *code), "%s (HTTP status %ld, exit code %d)",
	    text.len > 0 ? buf_str(&text) : "no reason given", status, *code);
}

/* What we cannot use is the broker's fault, and may be right next time. */
static int
blame_broker(struct error *err)
{
	if (err != NULL)
		err->kind = ERROR_REMOTE;
	return error_prefix(err, "unusable answer");
}

static json_t *
read_envelope(const struct buf *body, struct error *err)
{
	json_t *envelope = json_read(buf_str(body), body->len, DEPTH_MAX, err);

	if (envelope != NULL && !json_is_object(envelope)) {
		error_set(err, ERROR_INPUT, "not an object");
		json_decref(envelope);
		return NULL;
	}
	return envelope;
}

/* Calls fn for each element of `data`. */
static int
each_datum(const struct buf *body, int (*fn)(void *, json_t *, struct error *), void *arg,
    const size_t *n_seen, struct error *err)
{
	cleanup(json_unref) json_t *envelope = NULL;

	if (json_depth(buf_str(body), body->len, DEPTH_MAX + 1) > DEPTH_MAX)
		return error_set(err, ERROR_INPUT, "JSON nested deeper than %d", DEPTH_MAX);
	if (json_each(buf_str(body), body->len, "data", fn, arg, err) == -1)
		return -1;
	if (*n_seen > 0)
		return 0;
	/* json_each() takes any object for an empty list; we believe that an account is empty
	 * only where it is said. */
	if (body->len > EMPTY_ANSWER_MAX)
		return error_set(err, ERROR_INPUT, "no list under 'data'");
	if ((envelope = read_envelope(body, err)) == NULL)
		return -1;
	return json_get_array(envelope, "data", err) != NULL ? 0 : -1;
}

/* An app's strings: their keys, and where they stand in the struct. */
static const struct field {
	const char	*key;
	size_t		 offset;
	enum { REQUIRED, OR_EMPTY, OR_NULL } absent;
} fields[] = {
	{ "id", offsetof(struct openshift_app, id), REQUIRED },
	{ "name", offsetof(struct openshift_app, name), REQUIRED },
	{ "domain_id", offsetof(struct openshift_app, domain), REQUIRED },
	{ "app_url", offsetof(struct openshift_app, app_url), REQUIRED },
	{ "git_url", offsetof(struct openshift_app, git_url), REQUIRED },
	{ "framework", offsetof(struct openshift_app, framework), OR_EMPTY },
	{ "gear_profile", offsetof(struct openshift_app, gear_profile), OR_EMPTY },
	{ "deployment_branch", offsetof(struct openshift_app, deployment_branch), OR_EMPTY },
	{ "initial_git_url", offsetof(struct openshift_app, initial_git_url), OR_NULL },
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static const char **
field_of(struct openshift_app *app, const struct field *field)
{
	return (const char **)((char *)app + field->offset);
}

static const char *
field_read(const json_t *object, const struct field *field, struct error *err)
{
	const char *s;

	if (field->absent == REQUIRED)
		s = json_get_string(object, field->key, err);
	else
		s = json_string_or(object, field->key, "");
	if (s != NULL && strlen(s) > STRING_MAX) {
		error_set(err, ERROR_INPUT, "key '%s' is longer than %d bytes", field->key,
		    STRING_MAX);
		return NULL;
	}
	return s;
}

/* It will stand in the paths of requests: a broker's own is 24 hex digits. */
static int
id_check(const char *id, struct error *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > 64 || strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != len)
		return error_set(err, ERROR_INPUT, "key 'id' is not an id");
	return 0;
}

static const char *
alias_of(const json_t *alias)
{
	const char *id = json_string_value(json_object_get(alias, "id"));

	return id != NULL && strlen(id) <= STRING_MAX ? id : NULL;
}

static int
aliases_check(const json_t *aliases, struct error *err)
{
	const json_t *alias;
	size_t i;

	if (aliases == NULL || json_is_null(aliases))
		return 0;
	if (!json_is_array(aliases) || json_array_size(aliases) > OPENSHIFT_ALIASES_MAX)
		return error_set(err, ERROR_INPUT, "key 'aliases' is not a list of aliases");
	json_array_foreach(aliases, i, alias)
		if (alias_of(alias) == NULL)
			return error_set(err, ERROR_INPUT, "key 'aliases' holds something else");
	return 0;
}

/* Copies a string to *at, moves *at behind it, and returns where the copy stands. */
static const char *
store(char **at, const char *s)
{
	const char *copy = *at;

	*at = stpcpy(*at, s) + 1;
	return copy;
}

/* Copies the strings that the app borrows from JSON, and its aliases, into one block. */
static void
app_own(struct openshift_app *app, const json_t *aliases)
{
	size_t n = json_array_size(aliases), size = n * sizeof(char *), i;
	const char **list, **s;
	char *at;

	for (i = 0; i < N_FIELDS; i++)
		if (*(s = field_of(app, &fields[i])) != NULL)
			size += strlen(*s) + 1;
	for (i = 0; i < n; i++)
		size += strlen(alias_of(json_array_get(aliases, i))) + 1;

	app->block = xcalloc(1, size);
	app->aliases = list = app->block;
	app->n_aliases = n;
	at = (char *)app->block + n * sizeof(char *);
	for (i = 0; i < N_FIELDS; i++)
		if (*(s = field_of(app, &fields[i])) != NULL)
			*s = store(&at, *s);
	for (i = 0; i < n; i++)
		list[i] = store(&at, alias_of(json_array_get(aliases, i)));
}

static int
app_from_json(const json_t *object, struct openshift_app *out, struct error *err)
{
	struct openshift_app app = { .block = NULL };
	const json_t *aliases = json_object_get(object, "aliases");
	const char *s;
	size_t i;

	if (!json_is_object(object))
		return error_set(err, ERROR_INPUT, "an app is not an object");
	for (i = 0; i < N_FIELDS; i++) {
		if ((s = field_read(object, &fields[i], err)) == NULL)
			return -1;
		*field_of(&app, &fields[i]) = fields[i].absent == OR_NULL && s[0] == '\0' ? NULL : s;
	}
	if (id_check(app.id, err) == -1 || aliases_check(aliases, err) == -1)
		return -1;
	app.scalable = json_bool_or(object, "scalable", false);
	/* The broker's default, which old ones do not mention. */
	app.auto_deploy = json_bool_or(object, "auto_deploy", true);
	app_own(&app, aliases);
	*out = app;
	return 0;
}

int
openshift_answer_app(const struct buf *body, struct openshift_app *out, struct error *err)
{
	cleanup(json_unref) json_t *envelope = read_envelope(body, err);
	json_t *data;

	if (envelope == NULL || (data = json_get_object(envelope, "data", err)) == NULL ||
	    app_from_json(data, out, err) == -1)
		return blame_broker(err);
	return 0;
}

/* Room for one more: *size is what the array holds, doubled as it fills. */
static void *
array_reserve(void *array, size_t n, size_t *size, size_t element)
{
	if (n < *size)
		return array;
	*size = *size == 0 ? 16 : *size * 2;
	return xreallocarray(array, *size, element);
}

struct app_collector {
	struct openshift_apps	apps;
	size_t			size;
};

static int
collect_app(void *arg, json_t *object, struct error *err)
{
	struct app_collector *c = arg;

	c->apps.apps = array_reserve(c->apps.apps, c->apps.n, &c->size, sizeof(*c->apps.apps));
	if (app_from_json(object, &c->apps.apps[c->apps.n], err) == -1)
		return error_prefix(err, "app %zu", c->apps.n + 1);
	c->apps.n++;
	return 0;
}

static int
app_order(const void *a, const void *b)
{
	const struct openshift_app *x = a, *y = b;
	int order = strcasecmp(x->domain, y->domain);

	return order != 0 ? order : strcasecmp(x->name, y->name);
}

int
openshift_answer_apps(const struct buf *body, struct openshift_apps *out, struct error *err)
{
	struct app_collector c = { OPENSHIFT_APPS_INIT, 0 };

	if (each_datum(body, collect_app, &c, &c.apps.n, err) == -1) {
		openshift_apps_done(&c.apps);
		return blame_broker(err);
	}
	if (c.apps.n > 0)
		qsort(c.apps.apps, c.apps.n, sizeof(*c.apps.apps), app_order);
	*out = c.apps;
	return 0;
}

const struct openshift_app *
openshift_apps_find(const struct openshift_apps *apps, const char *domain, const char *name)
{
	struct openshift_app wanted = { .domain = domain, .name = name };

	if (apps->n == 0)
		return NULL;
	return bsearch(&wanted, apps->apps, apps->n, sizeof(wanted), app_order);
}

struct name_collector {
	const char		*key;
	struct openshift_names	 names;
	size_t			 size;
};

static int
collect_name(void *arg, json_t *object, struct error *err)
{
	struct name_collector *c = arg;
	const char *name = json_get_string(object, c->key, err);

	if (name == NULL)
		return -1;
	if (strlen(name) > STRING_MAX)
		return error_set(err, ERROR_INPUT, "key '%s' is longer than %d bytes", c->key,
		    STRING_MAX);
	c->names.names = array_reserve(c->names.names, c->names.n, &c->size, sizeof(char *));
	c->names.names[c->names.n++] = xstrdup(name);
	return 0;
}

static int
name_order(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

int
openshift_answer_names(const struct buf *body, const char *key, struct openshift_names *out,
    struct error *err)
{
	struct name_collector c = { key, OPENSHIFT_NAMES_INIT, 0 };

	if (each_datum(body, collect_name, &c, &c.names.n, err) == -1) {
		openshift_names_done(&c.names);
		return blame_broker(err);
	}
	if (c.names.n > 0)
		qsort(c.names.names, c.names.n, sizeof(char *), name_order);
	*out = c.names;
	return 0;
}

bool
openshift_names_have(const struct openshift_names *names, const char *name)
{
	return names->n > 0 &&
	    bsearch(&name, names->names, names->n, sizeof(char *), name_order) != NULL;
}

struct variable_collector {
	struct openshift_variables	variables;
	size_t				size;
};

static int
collect_variable(void *arg, json_t *object, struct error *err)
{
	struct variable_collector *c = arg;
	struct openshift_variables *v = &c->variables;
	const char *name, *value;

	if ((name = json_get_string(object, "name", err)) == NULL ||
	    (value = json_get_string(object, "value", err)) == NULL)
		return -1;
	v->variables = array_reserve(v->variables, v->n, &c->size, sizeof(*v->variables));
	v->variables[v->n++] = (struct openshift_variable){ xstrdup(name), xstrdup(value) };
	return 0;
}

int
openshift_answer_variables(const struct buf *body, struct openshift_variables *out,
    struct error *err)
{
	struct variable_collector c = { OPENSHIFT_VARIABLES_INIT, 0 };

	if (each_datum(body, collect_variable, &c, &c.variables.n, err) == -1) {
		openshift_variables_done(&c.variables);
		return blame_broker(err);
	}
	*out = c.variables;
	return 0;
}

const char *
openshift_variables_get(const struct openshift_variables *variables, const char *name)
{
	size_t i;

	for (i = 0; i < variables->n; i++)
		if (strcmp(variables->variables[i].name, name) == 0)
			return variables->variables[i].value;
	return NULL;
}

void
openshift_app_done(struct openshift_app *app)
{
	free(app->block);
	*app = (struct openshift_app){ .block = NULL };
}

void
openshift_apps_done(struct openshift_apps *apps)
{
	while (apps->n > 0)
		openshift_app_done(&apps->apps[--apps->n]);
	free(apps->apps);
	apps->apps = NULL;
}

void
openshift_names_done(struct openshift_names *names)
{
	while (names->n > 0)
		free(names->names[--names->n]);
	free(names->names);
	names->names = NULL;
}

void
openshift_variables_done(struct openshift_variables *variables)
{
	while (variables->n > 0) {
		struct openshift_variable *v = &variables->variables[--variables->n];

		free((char *)v->name);
		free((char *)v->value);
	}
	free(variables->variables);
	variables->variables = NULL;
}
