#include "daemon/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/atomic-file.h"
#include "daemon/credential.h"
#include "daemon/loopback.h"
#include "daemon/nearest.h"
#include "daemon/url.h"
#include "daemon/words.h"
#include "daemon/yaml.h"

CLEANUP_FUNC(struct settings, settings_free);

enum setting_type {
	SETTING_STRING,
	SETTING_WORDS,		/* a string that may have blanks, not at its front */
	SETTING_BRANCH,
	SETTING_PATH,		/* a string, absolute */
	SETTING_LOOPBACK,	/* an address with its port */
	SETTING_SECRET_FILE,	/* a path, or the name of a credential */
	SETTING_SOCKET,		/* a path that fits a socket's address */
	SETTING_BOOL,
	SETTING_COUNT,		/* unsigned int */
	SETTING_TIME,		/* int64_t, milliseconds */
	SETTING_SIZE,		/* uint64_t, bytes */
	SETTING_LEVEL,
	SETTING_TARGET,
	SETTING_SIGNATURE,
};

/* Limits are written as values are; they are of numbers only. */
struct setting {
	const char		*key;
	enum setting_type	 type;
	size_t			 offset;
	const char		*fallback;	/* NULL: none */
	const char		*min;
	const char		*max;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
	{ "config_repo", SETTING_WORDS, AT(config_repo), NULL, NULL, NULL },
	{ "environment", SETTING_BRANCH, AT(environment), "stage", NULL, NULL },
	{ "state_dir", SETTING_PATH, AT(state_dir), "/var/lib/raas", NULL, NULL },
	{ "cache_dir", SETTING_PATH, AT(cache_dir), "/var/cache/raas", NULL, NULL },
	{ "socket", SETTING_SOCKET, AT(socket), "/run/raas/raasd.sock", NULL, NULL },
	{ "admin_group", SETTING_STRING, AT(admin_group), NULL, NULL, NULL },
	{ "poll_interval", SETTING_TIME, AT(poll_interval_ms), "60s", "100ms", "1d" },
	{ "check_interval", SETTING_TIME, AT(check_interval_ms), "5m", "100ms", "7d" },
	{ "deep_interval", SETTING_TIME, AT(deep_interval_ms), "1h", "100ms", "30d" },
	{ "workers", SETTING_COUNT, AT(workers), "16", "1", "256" },
	{ "commit_interval", SETTING_TIME, AT(commit_interval_ms), "30s", "0s", "1d" },
	{ "commit", SETTING_BOOL, AT(commit), "true", NULL, NULL },
	{ "git.ssh_command", SETTING_WORDS, AT(git.ssh_command), "ssh", NULL, NULL },
	{ "git.author_name", SETTING_WORDS, AT(git.author_name), "raasd", NULL, NULL },
	{ "git.author_email", SETTING_STRING, AT(git.author_email), "raasd@localhost", NULL, NULL },
	{ "git.timeout", SETTING_TIME, AT(git.timeout_ms), "2m", "1s", "1h" },
	{ "git.require_signed", SETTING_SIGNATURE, AT(git.require_signed), "none", NULL, NULL },
	{ "git.allowed_signers", SETTING_SECRET_FILE, AT(git.allowed_signers), NULL, NULL, NULL },
	{ "git.signing_key", SETTING_SECRET_FILE, AT(git.signing_key), NULL, NULL, NULL },
	{ "http.connect_timeout", SETTING_TIME, AT(http.connect_timeout_ms), "10s", "100ms", "10m" },
	{ "http.timeout", SETTING_TIME, AT(http.timeout_ms), "60s", "100ms", "1h" },
	{ "http.ca_file", SETTING_PATH, AT(http.ca_file), NULL, NULL, NULL },
	{ "publish.auth_file", SETTING_SECRET_FILE, AT(publish.auth_file), NULL, NULL, NULL },
	{ "publish.parallel", SETTING_COUNT, AT(publish.parallel), "8", "1", "64" },
	/* S3 takes parts of 5 MiB to 5 GiB. */
	{ "publish.part_size", SETTING_SIZE, AT(publish.part_size), "16M", "5M", "5G" },
	/* Crane looks for new files once a minute. */
	{ "publish.validate_timeout", SETTING_TIME, AT(publish.validate_timeout_ms), "2m", "1s",
	  "1h" },
	{ "metrics.textfile", SETTING_PATH, AT(metrics.textfile), NULL, NULL, NULL },
	{ "metrics.listen", SETTING_LOOPBACK, AT(metrics.listen), NULL, NULL, NULL },
	{ "metrics.interval", SETTING_TIME, AT(metrics.interval_ms), "15s", "100ms", "1h" },
	{ "log.level", SETTING_LEVEL, AT(log.level), "info", NULL, NULL },
	{ "log.target", SETTING_TARGET, AT(log.target), "auto", NULL, NULL },
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char *const targets[] = {
	[LOG_TARGET_AUTO] = "auto", [LOG_TARGET_STDERR] = "stderr", [LOG_TARGET_JOURNAL] = "journal",
};

static const char *const signature_kinds[] = {
	[SIGNATURE_NONE] = "none", [SIGNATURE_SSH] = "ssh", [SIGNATURE_GPG] = "gpg",
};

static void *
value_at(const struct setting *setting, struct settings *s)
{
	return (char *)s + setting->offset;
}

static char **
string_at(const struct setting *setting, struct settings *s)
{
	return value_at(setting, s);
}

static bool
is_string(const struct setting *setting)
{
	return setting->type <= SETTING_SOCKET;
}

/* --- numbers with units --- */

struct unit {
	const char	*name;
	uint64_t	 factor;
};

static const struct unit counts[] = { { "", 1 } };
static const struct unit times[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};
static const struct unit sizes[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 },
};

static const char *
units_of(enum setting_type type, const struct unit **units, size_t *n)
{
	if (type == SETTING_TIME) {
		*units = times;
		*n = N(times);
		return "a number with ms, s, m, h or d behind it";
	}
	if (type == SETTING_SIZE) {
		*units = sizes;
		*n = N(sizes);
		return "a number of bytes, or one with K, M or G behind it";
	}
	*units = counts;
	*n = N(counts);
	return "a whole number";
}

static bool
read_number(const char *text, const struct unit *units, size_t n_units, uint64_t *out)
{
	size_t digits = strspn(text, "0123456789"), i;
	uint64_t number;

	/* Ten digits times the largest unit stay far below 2^64. */
	if (digits == 0 || digits > 10)
		return false;
	number = strtoull(text, NULL, 10);
	for (i = 0; i < n_units; i++) {
		if (strcmp(text + digits, units[i].name) == 0) {
			*out = number * units[i].factor;
			return true;
		}
	}
	return false;
}

static int
set_number(const struct setting *setting, struct settings *s, const char *text,
    struct error *err)
{
	const struct unit *units;
	size_t n;
	const char *form = units_of(setting->type, &units, &n);
	uint64_t number, min, max;

	if (!read_number(text, units, n, &number))
		return error_set(err, ERROR_INPUT, "must be %s", form);
	read_number(setting->min, units, n, &min);
	read_number(setting->max, units, n, &max);
	if (number < min || number > max)
		return error_set(err, ERROR_INPUT, "must be %s to %s", setting->min, setting->max);
	if (setting->type == SETTING_COUNT)
		*(unsigned int *)value_at(setting, s) = (unsigned int)number;
	else if (setting->type == SETTING_TIME)
		*(int64_t *)value_at(setting, s) = (int64_t)number;
	else
		*(uint64_t *)value_at(setting, s) = number;
	return 0;
}

/* --- strings --- */

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	}
	return false;
}

static int
check_string(enum setting_type type, const char *s, struct error *err)
{
	struct loopback loopback;

	if (s[0] == '\0')
		return error_set(err, ERROR_INPUT, "must not be empty");
	if (has_control(s))
		return error_set(err, ERROR_INPUT, "has a control character");
	if (strlen(s) > 4096)
		return error_set(err, ERROR_INPUT, "is longer than 4096 bytes");
	if (type == SETTING_SECRET_FILE && s[0] != '/' && credential_name(s) == NULL)
		return error_set(err, ERROR_INPUT, "must be an absolute path, or credential:NAME");
	if ((type == SETTING_PATH || type == SETTING_SOCKET) && s[0] != '/')
		return error_set(err, ERROR_INPUT, "must be an absolute path");
	if (type == SETTING_LOOPBACK && !loopback_parse(s, &loopback))
		return error_set(err, ERROR_INPUT, "must be 127.0.0.1:PORT or [::1]:PORT");
	if (type == SETTING_SOCKET && strlen(s) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return error_set(err, ERROR_INPUT, "is too long a path for a socket");
	if (type == SETTING_STRING && strchr(s, ' ') != NULL)
		return error_set(err, ERROR_INPUT, "must not have blanks");
	/* Programs would take it for an option. */
	if (s[0] == '-' || s[0] == ' ')
		return error_set(err, ERROR_INPUT, "must not begin with '-' or a blank");
	if (type == SETTING_BRANCH && !words_branch(s))
		return error_set(err, ERROR_INPUT, "is no name for a branch");
	return 0;
}

/* --- one setting --- */

static int
set(const struct setting *setting, struct settings *s, const char *text, struct error *err)
{
	int word;

	switch (setting->type) {
	case SETTING_BOOL:
		return words_bool(text, value_at(setting, s)) ? 0
		    : error_set(err, ERROR_INPUT, "must be true or false");
	case SETTING_COUNT:
	case SETTING_TIME:
	case SETTING_SIZE:
		return set_number(setting, s, text, err);
	case SETTING_LEVEL:
		if (log_level_from_name(text, value_at(setting, s)))
			return 0;
		return error_set(err, ERROR_INPUT, "must be error, warning, info or debug");
	case SETTING_TARGET:
		if ((word = words_find(targets, N(targets), text)) == -1)
			return error_set(err, ERROR_INPUT, "must be auto, stderr or journal");
		*(enum log_target *)value_at(setting, s) = (enum log_target)word;
		return 0;
	case SETTING_SIGNATURE:
		if ((word = words_find(signature_kinds, N(signature_kinds), text)) == -1)
			return error_set(err, ERROR_INPUT, "must be none, ssh or gpg");
		*(enum signature_kind *)value_at(setting, s) = (enum signature_kind)word;
		return 0;
	default:
		break;
	}
	if (check_string(setting->type, text, err) == -1)
		return -1;
	free(*string_at(setting, s));
	*string_at(setting, s) = xstrdup(text);
	return 0;
}

static int
unknown_key(const struct yaml_value *value, struct error *err)
{
	struct nearest best = NEAREST_INIT;
	size_t i;

	for (i = 0; i < N(table); i++) {
		if (strncmp(table[i].key, value->key, strlen(value->key)) == 0 &&
		    table[i].key[strlen(value->key)] == '.')
			return yaml_error(err, value->line, value->column,
			    "'%s' needs keys below it, such as '%s'", value->key, table[i].key);
		nearest_offer(&best, value->key, table[i].key);
	}
	if (best.word != NULL)
		return yaml_error(err, value->line, value->column,
		    "unknown key '%s', did you mean '%s'?", value->key, best.word);
	return yaml_error(err, value->line, value->column, "unknown key '%s'", value->key);
}

static int
take_value(void *arg, const struct yaml_value *value, struct error *err)
{
	struct error why = ERROR_INIT;
	size_t i;

	for (i = 0; i < N(table); i++) {
		if (strcmp(table[i].key, value->key) != 0)
			continue;
		if (value->text == NULL || set(&table[i], arg, value->text, &why) == 0)
			return 0;
		return yaml_error(err, value->line, value->column, "%s: %s", value->key, why.text);
	}
	return unknown_key(value, err);
}

/* raasd's own commits have to be signed too: one of them is what another host, or this one with an
 * empty state directory, will find at the tip. */
static int
check_signing(const struct settings *s, struct error *err)
{
	if (s->git.require_signed == SIGNATURE_NONE)
		return 0;
	if (s->git.allowed_signers == NULL)
		return error_set(err, ERROR_INPUT, "git.require_signed needs git.allowed_signers, the "
		    "file of those who may sign");
	if (s->git.signing_key == NULL && s->commit)
		return error_set(err, ERROR_INPUT, "git.require_signed needs git.signing_key, which "
		    "signs raasd's own commits, or 'commit: false'");
	return 0;
}

/* The environment wins over the file. */
static int
finish(struct settings *s, struct error *err)
{
	const char *repo = getenv("RAAS_CONF_REPO");

	if (repo != NULL && repo[0] != '\0' && set(&table[0], s, repo, err) == -1)
		return error_prefix(err, "RAAS_CONF_REPO");
	if (s->config_repo == NULL)
		return error_set(err, ERROR_INPUT,
		    "no config repo: set config_repo, or RAAS_CONF_REPO in the environment");
	return check_signing(s, err);
}

struct settings *
settings_parse(const char *yaml, size_t len, const char *file, struct error *err)
{
	cleanup(settings_free_p) struct settings *s = xcalloc(1, sizeof(*s));
	struct error why = ERROR_INIT;
	size_t i;

	for (i = 0; i < N(table); i++) {
		if (table[i].fallback != NULL)
			set(&table[i], s, table[i].fallback, NULL);
	}
	if (yaml_each(yaml, len, take_value, s, &why) == -1) {
		error_set(err, why.kind, "%s:%s", file, why.text);
		return NULL;
	}
	if (finish(s, err) == -1)
		return NULL;
	return steal(s);
}

struct settings *
settings_load(const char *file, struct error *err)
{
	const char *repo = getenv("RAAS_CONF_REPO");
	cleanup(buf_done) struct buf text = BUF_INIT;
	struct error why = ERROR_INIT;

	if (atomic_file_read(AT_FDCWD, file != NULL ? file : SETTINGS_FILE, YAML_MAX, &text,
	    &why) == -1) {
		if (why.kind == ERROR_MISSING && file == NULL && repo != NULL && repo[0] != '\0')
			return settings_parse("", 0, SETTINGS_FILE, err);
		if (why.kind == ERROR_MISSING && file == NULL)
			error_set(err, ERROR_INPUT, "no settings: there is no " SETTINGS_FILE
			    ", no --config FILE and no RAAS_CONF_REPO");
		else
			error_set(err, ERROR_INPUT, "%s", why.text);
		return NULL;
	}
	return settings_parse(buf_str(&text), text.len, file != NULL ? file : SETTINGS_FILE, err);
}

void
settings_free(struct settings *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < N(table); i++) {
		if (is_string(&table[i]))
			free(*string_at(&table[i], s));
	}
	free(s);
}

/* --- as JSON --- */

/* In the largest unit that loses nothing. */
static json_t *
number_to_json(const struct setting *setting, uint64_t number)
{
	const struct unit *units;
	size_t n;

	units_of(setting->type, &units, &n);
	while (n > 1 && (number % units[n - 1].factor != 0 || number == 0))
		n--;
	return json_sprintf("%llu%s", (unsigned long long)(number / units[n - 1].factor),
	    units[n - 1].name);
}

static json_t *
string_to_json(const char *s)
{
	cleanup(free_p) char *shown = s != NULL ? url_hide_password(s) : NULL;

	return json_text(shown);
}

static json_t *
setting_to_json(const struct setting *setting, struct settings *s)
{
	switch (setting->type) {
	case SETTING_BOOL:
		return json_boolean(*(bool *)value_at(setting, s));
	case SETTING_COUNT:
		return json_integer(*(unsigned int *)value_at(setting, s));
	case SETTING_TIME:
		return number_to_json(setting, (uint64_t)*(int64_t *)value_at(setting, s));
	case SETTING_SIZE:
		return number_to_json(setting, *(uint64_t *)value_at(setting, s));
	case SETTING_LEVEL:
		return json_string(log_level_name(*(enum log_level *)value_at(setting, s)));
	case SETTING_TARGET:
		return json_string(targets[*(enum log_target *)value_at(setting, s)]);
	case SETTING_SIGNATURE:
		return json_string(signature_kinds[*(enum signature_kind *)value_at(setting, s)]);
	default:
		return string_to_json(*string_at(setting, s));
	}
}

json_t *
settings_to_json(const struct settings *lent)
{
	struct settings copy = *lent;	/* value_at() may write, we do not */
	json_t *whole = json_object(), *group;
	const char *dot;
	char name[32];
	size_t i;

	for (i = 0; i < N(table); i++) {
		group = whole;
		if ((dot = strchr(table[i].key, '.')) != NULL) {
			snprintf(name, sizeof(name), "%.*s", (int)(dot - table[i].key), table[i].key);
			if ((group = json_object_get(whole, name)) == NULL) {
				group = json_object();
				json_object_set_new(whole, name, group);
			}
		}
		json_object_set_new(group, dot != NULL ? dot + 1 : table[i].key,
		    setting_to_json(&table[i], &copy));
	}
	return whole;
}
