#include "daemon/config-keys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "daemon/config.h"
#include "daemon/isv.h"
#include "daemon/nearest.h"
#include "daemon/words.h"

#define VALUE_MAX 4096	/* bytes of a value that is known to raasd */

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* A URL that requests are built on. Its user and password would end up in messages. */
static int
check_base_url(const char *s, struct error *err)
{
	size_t scheme = strncmp(s, "https://", 8) == 0 ? 8 : strncmp(s, "http://", 7) == 0 ? 7 : 0;

	if (scheme == 0 || strchr("/:", s[scheme]) != NULL)
		return error_set(err, ERROR_INPUT, "must be a URL, http://HOST or https://HOST");
	if (strpbrk(s, " ?#\"<>\\") != NULL)
		return error_set(err, ERROR_INPUT, "a URL without blanks, '?' and '#' is needed");
	if (memchr(s + scheme, '@', strcspn(s + scheme, "/")) != NULL)
		return error_set(err, ERROR_INPUT, "a user or password has no place in this URL");
	return 0;
}

/* What git or curl is given: they know better which schemes there are. */
static int
check_source(const char *s, struct error *err)
{
	if (s[0] == '-' || strchr(s, ' ') != NULL)
		return error_set(err, ERROR_INPUT, "must be a URL, without blanks");
	if (strncmp(s, "http", 4) == 0 && strstr(s, "://") != NULL) {
		const char *host = strstr(s, "://") + 3;

		if (host[0] == '\0' || host[0] == '/')
			return error_set(err, ERROR_INPUT, "the URL has no host");
	}
	return 0;
}

static int
check_branch(const char *s, struct error *err)
{
	return words_branch(s) ? 0 : error_set(err, ERROR_INPUT, "is no name for a branch");
}

/* A path that stays below where it begins. */
static int
check_relpath(const char *s, struct error *err)
{
	const char *part = s;
	size_t n;

	for (;; part += n + 1) {
		n = strcspn(part, "/");
		if (s[0] == '/' || (n == 2 && strncmp(part, "..", 2) == 0))
			return error_set(err, ERROR_INPUT, "must be a path in the repository, without '..'");
		if (part[n] == '\0')
			return 0;
	}
}

static int
check_word(const char *s, struct error *err)
{
	if (strchr("._-", s[0]) == NULL && s[strspn(s, ALPHANUMERIC "._-")] == '\0')
		return 0;
	return error_set(err, ERROR_INPUT, "may have letters, digits, '.', '_' and '-'");
}

static int
check_username(const char *s, struct error *err)
{
	if (strchr(s, ':') == NULL)
		return 0;
	return error_set(err, ERROR_INPUT, "a user's name cannot have a ':'");
}

static int
check_no_blank(const char *s, struct error *err)
{
	if (strchr(s, ' ') == NULL)
		return 0;
	return error_set(err, ERROR_INPUT, "cannot have a blank");
}

#define AT(type, member) .offset = offsetof(struct type, member)

static const struct config_key redhat_keys[] = {
	{ "metadata", AT(redhat_config, metadata), .check = check_source },
	{ "metadata_repo", AT(redhat_config, metadata_repo), .check = check_source },
	{ "metadata_relpath", AT(redhat_config, metadata_relpath), .check = check_relpath,
	    .fallback = "" },
};

static const struct config_key openshift_keys[] = {
	{ "server_url", CONFIG_KEY_BASE_URL, AT(openshift_config, server_url),
	    .check = check_base_url, .fallback = "https://openshift.redhat.com" },
	{ "app_git_url", AT(openshift_config, app_git_url), .check = check_source,
	    .fallback = "https://github.com/pulp/crane" },
	{ "app_git_branch", AT(openshift_config, app_git_branch), .check = check_branch,
	    .fallback = "master" },
	{ "username", AT(openshift_config, username), .check = check_username },
	{ "password", AT(openshift_config, password) },
	{ "token", AT(openshift_config, token), .check = check_no_blank },
	{ "cartridge", AT(openshift_config, cartridge), .check = check_word,
	    .fallback = "python-2.7" },
};

static const struct config_key aws_keys[] = {
	{ "aws_access_key", AT(aws_config, access_key), .check = check_no_blank },
	{ "aws_secret_access_key", AT(aws_config, secret_key), .check = check_no_blank },
	{ "aws_session_token", AT(aws_config, session_token), .check = check_no_blank },
	{ "region", AT(aws_config, region), .check = check_word, .fallback = "us-east-1" },
	{ "endpoint", CONFIG_KEY_BASE_URL, AT(aws_config, endpoint), .check = check_base_url },
};

/* [pulp] has the first of these. */
static const struct config_key pulp_keys[] = {
	{ "url", AT(pulp_config, url), .check = check_base_url },
	{ "host", AT(pulp_config, host), .check = check_no_blank },
	{ "username", AT(pulp_config, username), .check = check_username },
	{ "password", AT(pulp_config, password) },
	{ "verify_ssl", CONFIG_KEY_BOOL, AT(pulp_config, verify_ssl), .fallback = "yes" },
};

static const struct config_key isv_keys[] = {
	{ "s3_bucket", AT(isv, bucket), .check = isv_check_bucket, .required = true },
	{ "openshift_domain", AT(isv, domain), .check = isv_check_domain, .required = true },
	{ "openshift_app", AT(isv, app), .check = isv_check_app, .fallback = "registry" },
	{ "registry_fqdn", CONFIG_KEY_REGISTRY, AT(isv, fqdn), .check = isv_check_fqdn },
	{ "s3_public_url", CONFIG_KEY_BASE_URL, AT(isv, public_url), .check = check_base_url },
	{ "openshift_scale", CONFIG_KEY_BOOL, AT(isv, scale), .fallback = "yes" },
	{ "openshift_gear_size", AT(isv, gear_size), .check = isv_check_gear_size,
	    .fallback = "small" },
	{ "s3_access", CONFIG_KEY_ACCESS, AT(isv, access), .fallback = "auto" },
	{ "create", CONFIG_KEY_BOOL, AT(isv, create), .fallback = "yes" },
	{ "restart", CONFIG_KEY_BOOL, AT(isv, restart), .fallback = "no" },
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct config_table shared_tables[] = {
	{ "redhat", redhat_keys, N(redhat_keys) },
	{ "openshift", openshift_keys, N(openshift_keys) },
	{ "aws", aws_keys, N(aws_keys) },
	{ "pulp", pulp_keys, 1 },
	{ "pulpserver", pulp_keys, N(pulp_keys) },
};

static const struct config_table isv_table = { NULL, isv_keys, N(isv_keys) };

const struct config_table *
config_table(const char *section)
{
	size_t i;

	for (i = 0; i < N(shared_tables); i++) {
		if (strcmp(shared_tables[i].section, section) == 0)
			return &shared_tables[i];
	}
	return &isv_table;
}

const struct config_table *
config_table_at(size_t i)
{
	if (i > N(shared_tables))
		return NULL;
	return i < N(shared_tables) ? &shared_tables[i] : &isv_table;
}

const struct config_key *
config_table_key(const struct config_table *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->n_keys; i++) {
		if (strcmp(table->keys[i].name, name) == 0)
			return &table->keys[i];
	}
	return NULL;
}

const char *
config_table_meant(const char *section)
{
	struct nearest best = NEAREST_INIT;
	size_t i;

	for (i = 0; i < N(shared_tables); i++) {
		if (strcasecmp(shared_tables[i].section, section) == 0)
			return shared_tables[i].section;
		nearest_offer(&best, section, shared_tables[i].section);
	}
	return best.word;
}

const char *
config_table_key_meant(const struct config_table *table, const char *name)
{
	struct nearest best = NEAREST_INIT;
	size_t i;

	for (i = 0; i < table->n_keys; i++)
		nearest_offer(&best, name, table->keys[i].name);
	return best.word;
}

/* --- one value --- */

static const char *const access_words[] = {
	[S3_ACCESS_AUTO] = "auto", [S3_ACCESS_ACL] = "acl",
	[S3_ACCESS_POLICY] = "policy", [S3_ACCESS_NONE] = "none",
	[S3_ACCESS_PRESIGNED] = "presigned",
};

/* Values go into headers, URLs, paths and messages: there is no place for more than one line. */
static int
check_text(const char *s, struct error *err)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++) {
		if (s[n] == '\n')
			return error_set(err, ERROR_INPUT, "goes over several lines; is the next line"
			    " indented by mistake?");
		if ((unsigned char)s[n] < 0x20 || s[n] == 0x7f)
			return error_set(err, ERROR_INPUT, "has a control character");
	}
	if (n > VALUE_MAX)
		return error_set(err, ERROR_INPUT, "is longer than %d bytes", VALUE_MAX);
	return 0;
}

static bool
is_string(const struct config_key *key)
{
	return key->type != CONFIG_KEY_BOOL && key->type != CONFIG_KEY_ACCESS;
}

static char **
string_at(const struct config_key *key, const void *values)
{
	return (char **)((char *)(uintptr_t)values + key->offset);
}

static bool *
bool_at(const struct config_key *key, const void *values)
{
	return (bool *)((char *)(uintptr_t)values + key->offset);
}

static enum s3_access *
access_at(const struct config_key *key, const void *values)
{
	return (enum s3_access *)((char *)(uintptr_t)values + key->offset);
}

/* A copy in the form that is kept. */
static char *
normalized(const struct config_key *key, const char *text)
{
	size_t len;

	if (key->type == CONFIG_KEY_REGISTRY && strncmp(text, "https://", 8) == 0)
		text += 8;
	len = strlen(text);
	while (key->type == CONFIG_KEY_BASE_URL && len > 0 && text[len - 1] == '/')
		len--;
	return xstrndup(text, len);
}

int
config_key_set(const struct config_key *key, void *values, const char *text, struct error *err)
{
	int word;

	if (check_text(text, err) == -1)
		return -1;
	if (key->type == CONFIG_KEY_BOOL)
		return words_bool(text, bool_at(key, values)) ? 0
		    : error_set(err, ERROR_INPUT, "must be yes or no");
	if (key->type == CONFIG_KEY_ACCESS) {
		if ((word = words_find(access_words, N(access_words), text)) == -1)
			return error_set(err, ERROR_INPUT, "must be auto, acl, policy, presigned or none");
		*access_at(key, values) = (enum s3_access)word;
		return 0;
	}
	if (text[0] != '\0' && key->check != NULL && key->check(text, err) == -1)
		return -1;
	free(*string_at(key, values));
	*string_at(key, values) = normalized(key, text);
	return 0;
}

/* --- all values of a section --- */

void
config_values_copy(const struct config_table *table, void *to, const void *from)
{
	const struct config_key *key;

	for (key = table->keys; key < table->keys + table->n_keys; key++) {
		if (key->type == CONFIG_KEY_BOOL) {
			*bool_at(key, to) = *bool_at(key, from);
		} else if (key->type == CONFIG_KEY_ACCESS) {
			*access_at(key, to) = *access_at(key, from);
		} else {
			free(*string_at(key, to));
			*string_at(key, to) = xstrdup(*string_at(key, from));
		}
	}
}

static bool
same_string(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
config_values_equal(const struct config_table *table, const void *a, const void *b)
{
	const struct config_key *key;
	bool same = true;

	for (key = table->keys; same && key < table->keys + table->n_keys; key++) {
		if (key->type == CONFIG_KEY_BOOL)
			same = *bool_at(key, a) == *bool_at(key, b);
		else if (key->type == CONFIG_KEY_ACCESS)
			same = *access_at(key, a) == *access_at(key, b);
		else
			same = same_string(*string_at(key, a), *string_at(key, b));
	}
	return same;
}

void
config_values_done(const struct config_table *table, void *values)
{
	const struct config_key *key;

	for (key = table->keys; key < table->keys + table->n_keys; key++) {
		if (!is_string(key))
			continue;
		free(*string_at(key, values));
		*string_at(key, values) = NULL;
	}
}
