#include "client/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/rfc3339.h"

#define SOCKET_DEFAULT "/run/raas/raasd.sock"
#define DURATION_MAX INT64_C(3153600000)	/* a century, in seconds */
#define COMMANDS_MAX 64

enum { OPT_SOCKET, OPT_ENVIRONMENT, OPT_JSON, OPT_NO_COLOR, OPT_HELP, OPT_VERSION };

const struct global_option global_options[] = {
	[OPT_SOCKET] = { "--socket", 0, "PATH",
	    "raasd's socket ($RAAS_SOCKET, else " SOCKET_DEFAULT ")" },
	[OPT_ENVIRONMENT] = { "--environment", 0, "NAME", "the raasd of /run/raas/NAME.sock" },
	[OPT_JSON] = { "--json", 0, NULL, "print what raasd answers, for programs" },
	[OPT_NO_COLOR] = { "--no-color", 0, NULL, "no colours (nor with $NO_COLOR set)" },
	[OPT_HELP] = { "--help", 'h', NULL, "this, or with a command what it does" },
	[OPT_VERSION] = { "--version", 0, NULL, "raasctl's version" },
	{ NULL, 0, NULL, NULL },
};

/* The command line while it is read. */
struct reader {
	struct arguments	*out;
	char *const		*argv;
	int			 argc;
	int			 at;		/* the next argument */
	int64_t			 now;
	const char		*environment;
};

static int
unknown_command(const char *name, struct error *err)
{
	const char *names[COMMANDS_MAX], *nearest;
	size_t n = 0;

	for (; methods[n].command != NULL && n < COMMANDS_MAX; n++)
		names[n] = methods[n].command;
	if ((nearest = nearest_name(name, names, n)) != NULL)
		return error_set(err, ERROR_INPUT, "no command '%s'; did you mean '%s'?", name,
		    nearest);
	return error_set(err, ERROR_INPUT, "no command '%s'; 'raasctl --help' lists them", name);
}

static int64_t
unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 604800;
	default:
		return 0;
	}
}

/* "90s", "8h", "1d12h" */
static bool
parse_duration(const char *s, int64_t *out)
{
	int64_t total = 0, n, unit;

	if (*s == '\0')
		return false;
	while (*s != '\0') {
		if (*s < '0' || *s > '9')
			return false;
		for (n = 0; *s >= '0' && *s <= '9' && n <= DURATION_MAX; s++)
			n = n * 10 + *s - '0';
		if (n > DURATION_MAX || (unit = unit_seconds(*s)) == 0)
			return false;
		s++;
		if ((total += n * unit) > DURATION_MAX)
			return false;
	}
	*out = total;
	return true;
}

/* The time that long after now; with `sign` -1, before. */
static json_t *
read_duration(const char *text, int64_t now, int sign, struct error *err)
{
	char until[RFC3339_SIZE];
	int64_t seconds;

	if (!parse_duration(text, &seconds)) {
		error_set(err, ERROR_INPUT, "'%s' is not a duration such as 30m, 8h or 2d", text);
		return NULL;
	}
	rfc3339_format(now + sign * seconds, until);
	return json_string(until);
}

static json_t *
read_integer(const char *text, struct error *err)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0) {
		error_set(err, ERROR_INPUT, "'%s' is not a whole number", text);
		return NULL;
	}
	return json_integer(n);
}

static json_t *
read_string(const char *text, struct error *err)
{
	json_t *value = json_string(text);

	if (value == NULL)
		error_set(err, ERROR_INPUT, "'%s' is not UTF-8", text);
	return value;
}

/* What the parameter is called on the command line. */
static const char *
label(const struct param *p)
{
	return p->option != NULL ? p->option : p->value;
}

static int
set_parameter(struct reader *r, const struct param *p, const char *text, struct error *err)
{
	json_t *parameters = r->out->parameters, *value, *list;

	if (p->local) {
		r->out->watch = true;
		return 0;
	}
	if (p->kind == PARAM_DURATION || p->kind == PARAM_AGE)
		value = read_duration(text, r->now, p->kind == PARAM_AGE ? -1 : 1, err);
	else if (p->kind == PARAM_INT)
		value = read_integer(text, err);
	else if (p->kind == PARAM_FLAG)
		value = json_boolean(!p->inverted);
	else
		value = read_string(text, err);
	if (value == NULL)
		return error_prefix(err, "%s", label(p));
	if (p->kind == PARAM_ISVS) {
		if ((list = json_object_get(parameters, p->name)) == NULL) {
			list = json_array();
			json_object_set_new(parameters, p->name, list);
		}
		json_array_append_new(list, value);
		return 0;
	}
	if (json_object_get(parameters, p->name) != NULL && p->kind != PARAM_FLAG) {
		json_decref(value);
		return error_set(err, ERROR_INPUT, "%s: given already, by this or another option",
		    label(p));
	}
	json_object_set_new(parameters, p->name, value);
	return 0;
}

static int
set_global(struct reader *r, int which, const char *value, struct error *err)
{
	struct arguments *out = r->out;

	if ((which == OPT_SOCKET || which == OPT_ENVIRONMENT) &&
	    (out->socket != NULL || r->environment != NULL))
		return error_set(err, ERROR_INPUT, "give --socket or --environment, and once");
	switch (which) {
	case OPT_SOCKET:
		out->socket = xstrdup(value);
		break;
	case OPT_ENVIRONMENT:
		r->environment = value;
		break;
	case OPT_JSON:
		out->json = true;
		break;
	case OPT_NO_COLOR:
		out->no_color = true;
		break;
	case OPT_HELP:
		out->help = true;
		break;
	case OPT_VERSION:
		out->version = true;
		break;
	}
	return 0;
}

/* Is `arg` (of len bytes, or one letter) this option? */
static bool
is_option(const char *option, char letter, const char *arg, size_t len)
{
	if (len == 1)
		return letter != 0 && letter == arg[0];
	return option != NULL && strlen(option) == len && memcmp(option, arg, len) == 0;
}

static const struct param *
find_option(const struct method *m, const char *arg, size_t len)
{
	const struct param *p;

	if (m == NULL)
		return NULL;
	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++) {
		if (is_option(p->option, p->letter, arg, len))
			return p;
	}
	return NULL;
}

/* The value behind "=", or in the next argument. NULL: there is none. */
static const char *
option_value(struct reader *r, const char *attached)
{
	if (attached != NULL)
		return attached;
	return r->at < r->argc ? r->argv[r->at++] : NULL;
}

/* `arg` is what the user wrote, `name` of len bytes the option in it, `attached` its value. */
static int
read_option(struct reader *r, const char *arg, const char *name, size_t len,
    const char *attached, bool *takes_value, struct error *err)
{
	const struct global_option *g;
	const struct param *p;
	const char *value;

	for (g = global_options; g->option != NULL; g++) {
		if (is_option(g->option, g->letter, name, len))
			break;
	}
	p = g->option == NULL ? find_option(r->out->method, name, len) : NULL;
	if (g->option == NULL && p == NULL)
		return error_set(err, ERROR_INPUT, r->out->method != NULL
		    ? "%s: there is no option '%s'" : "%sthere is no option '%s' before a command",
		    r->out->method != NULL ? r->out->method->command : "", arg);
	*takes_value = p != NULL ? p->kind != PARAM_FLAG : g->value != NULL;
	if (!*takes_value)
		return p != NULL ? set_parameter(r, p, NULL, err)
		    : set_global(r, (int)(g - global_options), NULL, err);
	if ((value = option_value(r, attached)) == NULL)
		return error_set(err, ERROR_INPUT, "option '%s' needs a value", arg);
	return p != NULL ? set_parameter(r, p, value, err)
	    : set_global(r, (int)(g - global_options), value, err);
}

static int
read_long(struct reader *r, const char *arg, struct error *err)
{
	const char *equals = strchr(arg, '=');
	size_t len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
	bool takes_value;

	if (read_option(r, arg, arg, len, equals != NULL ? equals + 1 : NULL, &takes_value, err)
	    == -1)
		return -1;
	if (equals != NULL && !takes_value)
		return error_set(err, ERROR_INPUT, "option '%.*s' takes no value", (int)len, arg);
	return 0;
}

/* "-f", "-n5", "-fn 5" */
static int
read_letters(struct reader *r, const char *arg, struct error *err)
{
	const char *at;
	bool takes_value = false;

	for (at = arg + 1; *at != '\0' && !takes_value; at++) {
		if (read_option(r, arg, at, 1, at[1] != '\0' ? at + 1 : NULL, &takes_value, err)
		    == -1)
			return -1;
	}
	return 0;
}

static int
read_word(struct reader *r, const char *word, struct error *err)
{
	const struct method *m = r->out->method;
	const struct param *p;

	if (m == NULL) {
		r->out->method = method_by_command(word);
		return r->out->method != NULL ? 0 : unknown_command(word, err);
	}
	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++) {
		if (p->option == NULL && (p->kind == PARAM_ISVS ||
		    json_object_get(r->out->parameters, p->name) == NULL))
			return set_parameter(r, p, word, err);
	}
	return error_set(err, ERROR_INPUT, "%s: unexpected argument '%s'", m->command, word);
}

static int
read_all(struct reader *r, struct error *err)
{
	bool options = true;
	const char *arg;
	int result;

	while (r->at < r->argc) {
		arg = r->argv[r->at++];
		if (options && strcmp(arg, "--") == 0) {
			options = false;
			continue;
		}
		if (options && strncmp(arg, "--", 2) == 0)
			result = read_long(r, arg, err);
		else if (options && arg[0] == '-' && arg[1] != '\0')
			result = read_letters(r, arg, err);
		else
			result = read_word(r, arg, err);
		if (result == -1)
			return -1;
	}
	return 0;
}

/* As method_check() does, but in the words of the command line. */
static int
check_command(const struct arguments *a, struct error *err)
{
	const struct method *m = a->method;
	const struct param *p;
	const char *wrong = NULL;

	if (m == NULL)
		return error_set(err, ERROR_INPUT, "no command; 'raasctl --help' lists them");
	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++) {
		if (p->required && json_object_get(a->parameters, p->name) == NULL)
			return error_set(err, ERROR_INPUT, "%s: %s is missing", m->command,
			    label(p));
	}
	if (m->one_of[0] != NULL && (json_object_get(a->parameters, m->one_of[0]) == NULL) ==
	    (json_object_get(a->parameters, m->one_of[1]) == NULL))
		return error_set(err, ERROR_INPUT, "%s: name one ISV or more, or give --%s",
		    m->command, m->one_of[1]);
	if (method_check(m, a->parameters, &wrong, err) == -1)
		return error_prefix(err, "%s", m->command);
	return 0;
}

static int
choose_socket(struct reader *r, struct error *err)
{
	const char *env = getenv("RAAS_SOCKET");

	if (r->environment != NULL) {
		if (r->environment[0] == '\0' || r->environment[0] == '.' ||
		    strchr(r->environment, '/') != NULL)
			return error_set(err, ERROR_INPUT, "--environment: '%s' is not a name",
			    r->environment);
		r->out->socket = xasprintf("/run/raas/%s.sock", r->environment);
	} else if (r->out->socket == NULL) {
		r->out->socket = xstrdup(env != NULL && env[0] != '\0' ? env : SOCKET_DEFAULT);
	}
	return 0;
}

int
arguments_parse(struct arguments *out, int argc, char *const argv[], int64_t now,
    struct error *err)
{
	struct reader r = { .out = out, .argv = argv, .argc = argc, .at = 1, .now = now };

	*out = (struct arguments){ .parameters = json_object() };
	if (read_all(&r, err) == -1 || choose_socket(&r, err) == -1)
		return -1;
	if (out->help || out->version)
		return 0;
	return check_command(out, err);
}

void
arguments_done(struct arguments *a)
{
	free(a->socket);
	json_decref(a->parameters);
	*a = (struct arguments){ 0 };
}
