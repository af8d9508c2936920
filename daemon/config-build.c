#include "daemon/config-build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/config-keys.h"
#include "daemon/credential.h"
#include "daemon/isv.h"

struct builder {
	struct raas_cfg		*raw;
	struct config		*config;
	const struct config	*last_good;	/* may be NULL */
	const char		*credentials_dir;
	bool			 elsewhere;
	bool			 torn;		/* the syntax is broken: a section may be missing */
};

static void
warn(struct builder *b, unsigned int line, const char *section, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
warn(struct builder *b, unsigned int line, const char *section, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	problems_vadd(&b->raw->warnings, line, section, fmt, ap);
	va_end(ap);
}

/* --- one section --- */

/* Puts what the credential holds in place of a value that names one. */
static int
resolve(struct builder *b, const struct raas_cfg_section *s, unsigned int line,
    const struct config_key *key, struct buf *value, struct error *err)
{
	const char *name = credential_name(buf_str(value));
	cleanup(buf_done) struct buf content = BUF_INIT;

	if (name == NULL)
		return 0;
	if (credential_read(b->credentials_dir, name, &content, err) == -1) {
		if (!b->elsewhere || b->credentials_dir != NULL)
			return -1;
		warn(b, line, s->name, "%s: its credential cannot be looked at here", key->name);
		return 0;
	}
	buf_clear(value);
	buf_add(value, buf_str(&content), content.len);
	return 0;
}

/* An empty value is as good as none, so that a template can be filled in bit by bit. */
static int
fill_key(struct builder *b, const struct raas_cfg_section *s, const struct config_key *key,
    const struct raas_cfg_entry *entry, void *values, struct error *err)
{
	cleanup(buf_done) struct buf value = BUF_INIT;
	bool secret;

	if (entry != NULL) {
		if (raas_cfg_value(b->raw, s, entry, &value, &secret, err) == -1 ||
		    resolve(b, s, entry->line, key, &value, err) == -1)
			return -1;
	}
	if (value.len == 0)
		return key->required ? error_set(err, ERROR_INPUT, "is missing") : 0;
	/* A credential that cannot be read here proves nothing about its value. */
	if (b->elsewhere && credential_name(buf_str(&value)) != NULL)
		return 0;
	return config_key_set(key, values, buf_str(&value), err);
}

static void
fill_defaults(const struct config_table *table, void *values)
{
	const struct config_key *key;

	for (key = table->keys; key < table->keys + table->n_keys; key++) {
		if (key->fallback != NULL)
			config_key_set(key, values, key->fallback, NULL);
	}
}

static void
warn_unknown(struct builder *b, const struct raas_cfg_section *s,
    const struct raas_cfg_entry *entry, const struct config_table *table)
{
	const char *meant = config_table_key_meant(table, entry->key);

	if (meant != NULL)
		warn(b, entry->line, s->name, "unknown key '%s', did you mean '%s'?",
		    raas_cfg_key_shown(entry->key), meant);
	else
		warn(b, entry->line, s->name, "unknown key '%s'", raas_cfg_key_shown(entry->key));
}

/* Nobody asks for the values of unknown keys, yet Python would refuse them. */
static void
check_unknown(struct builder *b, struct raas_cfg_section *s, const struct raas_cfg_entry *entry)
{
	cleanup(buf_done) struct buf value = BUF_INIT;
	struct error err = ERROR_INIT;
	bool secret;

	if (strchr(entry->value, '%') != NULL &&
	    raas_cfg_value(b->raw, s, entry, &value, &secret, &err) == -1)
		raas_cfg_fail(b->raw, s, entry->line, "%s: %s", raas_cfg_key_shown(entry->key), err.text);
}

static void
look_at_others(struct builder *b, struct raas_cfg_section *s, const struct config_table *table)
{
	const struct raas_cfg_section *defaults = &b->raw->defaults;
	const struct raas_cfg_entry *entry;
	size_t i;

	for (i = 0; i < s->n_entries; i++) {
		entry = &s->entries[i];
		if (config_table_key(table, entry->key) != NULL)
			continue;
		warn_unknown(b, s, entry, table);
		check_unknown(b, s, entry);
	}
	for (i = 0; i < defaults->n_entries; i++) {
		entry = &defaults->entries[i];
		if (config_table_key(table, entry->key) == NULL &&
		    raas_cfg_entry(b->raw, s, entry->key) == entry)
			check_unknown(b, s, entry);
	}
}

/* Reads what the table knows into `values`; s->error says whether all of it was good. */
static void
fill(struct builder *b, struct raas_cfg_section *s, const struct config_table *table,
    void *values)
{
	const struct config_key *key;
	const struct raas_cfg_entry *entry;
	struct error err;

	if (b->raw->defaults.error != NULL && s->error == NULL)
		s->error = xasprintf("[DEFAULT] has an error: %s", b->raw->defaults.error);
	fill_defaults(table, values);
	for (key = table->keys; key < table->keys + table->n_keys; key++) {
		entry = raas_cfg_entry(b->raw, s, key->name);
		err = (struct error)ERROR_INIT;
		if (fill_key(b, s, key, entry, values, &err) == -1)
			raas_cfg_fail(b->raw, s, entry != NULL ? entry->line : s->line, "%s: %s",
			    key->name, err.text);
	}
	look_at_others(b, s, table);
}

/* --- the shared sections --- */

static unsigned int
line_of(const struct builder *b, const struct raas_cfg_section *s, const char *key)
{
	const struct raas_cfg_entry *entry = raas_cfg_entry(b->raw, s, key);

	return entry != NULL ? entry->line : s->line;
}

/* True when the section has a value there, be it one that cannot be read here. */
static bool
has(const struct builder *b, const struct raas_cfg_section *s, const char *key)
{
	const struct raas_cfg_entry *entry = raas_cfg_entry(b->raw, s, key);

	return entry != NULL && entry->value[0] != '\0';
}

static void
check_redhat(struct builder *b, struct raas_cfg_section *s)
{
	if (has(b, s, "metadata") && has(b, s, "metadata_repo"))
		warn(b, line_of(b, s, "metadata_repo"), s->name,
		    "metadata_repo: is not used, because metadata is given");
	if (has(b, s, "metadata_relpath") && !has(b, s, "metadata_repo"))
		warn(b, line_of(b, s, "metadata_relpath"), s->name,
		    "metadata_relpath: is not used without metadata_repo");
}

static void
check_pair(struct builder *b, struct raas_cfg_section *s, const char *one, const char *other)
{
	if (has(b, s, one) && !has(b, s, other))
		raas_cfg_fail(b->raw, s, line_of(b, s, one), "%s: is of no use without %s", one, other);
	else if (!has(b, s, one) && has(b, s, other))
		raas_cfg_fail(b->raw, s, line_of(b, s, other), "%s: is of no use without %s", other, one);
}

static void
check_openshift(struct builder *b, struct raas_cfg_section *s)
{
	const char *source = b->config->openshift.app_git_url;

	check_pair(b, s, "username", "password");
	if (has(b, s, "token") && has(b, s, "username"))
		warn(b, line_of(b, s, "username"), s->name,
		    "username: is not used, because token is given");
	if (!has(b, s, "token") && !has(b, s, "username"))
		warn(b, s->line, s->name, "no credentials: give username and password, or token");
	if (source != NULL &&
	    (strncmp(source, "ssh://", 6) == 0 || strncmp(source, "file://", 7) == 0))
		warn(b, line_of(b, s, "app_git_url"), s->name,
		    "app_git_url: OpenShift refuses to clone ssh:// and file:// URLs");
}

static void
check_aws(struct builder *b, struct raas_cfg_section *s)
{
	check_pair(b, s, "aws_access_key", "aws_secret_access_key");
	if (has(b, s, "aws_session_token") && !has(b, s, "aws_access_key"))
		raas_cfg_fail(b->raw, s, line_of(b, s, "aws_session_token"),
		    "aws_session_token: is of no use without aws_access_key");
}

/* Fills `values` from the section NAME; where that is not good, with what was last good. */
static void
read_shared(struct builder *b, const char *name, void *values, const void *last, char **error,
    void (*check)(struct builder *, struct raas_cfg_section *))
{
	const struct config_table *table = config_table(name);
	struct raas_cfg_section *s = raas_cfg_section(b->raw, name);

	if (s == NULL && b->torn && last != NULL) {
		config_values_copy(table, values, last);
		return;
	}
	if (s == NULL) {
		fill_defaults(table, values);
		return;
	}
	fill(b, s, table, values);
	if (check != NULL)
		check(b, s);
	if (s->error == NULL)
		return;
	config_values_done(table, values);
	if (last != NULL)
		config_values_copy(table, values, last);
	if (*error == NULL)
		*error = xstrdup(s->error);
}

/* The URL may stand in [pulp] or in [pulpserver]. */
static void
read_pulp(struct builder *b, const struct pulp_config *last)
{
	struct pulp_config *pulp = &b->config->pulp, other = { .url = NULL };

	read_shared(b, "pulpserver", pulp, last, &pulp->error, NULL);
	read_shared(b, "pulp", &other, last, &pulp->error, NULL);
	if (other.url == NULL)
		return;
	if (pulp->url != NULL && strcmp(pulp->url, other.url) != 0)
		warn(b, line_of(b, raas_cfg_section(b->raw, "pulpserver"), "url"), "pulpserver",
		    "url: is not used, because [pulp] has one");
	free(pulp->url);
	pulp->url = other.url;
}

static void
read_shared_sections(struct builder *b)
{
	const struct config *last = b->last_good;
	struct config *c = b->config;

	read_shared(b, "redhat", &c->redhat, last != NULL ? &last->redhat : NULL,
	    &c->redhat.error, check_redhat);
	read_shared(b, "openshift", &c->openshift, last != NULL ? &last->openshift : NULL,
	    &c->openshift.error, check_openshift);
	if (b->raw->n_sections > 0 && raas_cfg_section(b->raw, "openshift") == NULL)
		warn(b, 0, "openshift", "no such section, so there are no credentials for OpenShift");
	read_shared(b, "aws", &c->aws, last != NULL ? &last->aws : NULL, &c->aws.error, check_aws);
	read_pulp(b, last != NULL ? &last->pulp : NULL);
	if (c->openshift.token != NULL) {
		free(steal(c->openshift.username));
		free(steal(c->openshift.password));
	}
}

/* --- the ISVs --- */

static bool
isv_served(const struct isv *isv)
{
	return isv->error == NULL || isv->stale;
}

/* The last good values, when there are any. */
static void
keep_last(struct isv *isv, const struct isv *last)
{
	if (last == NULL || !isv_served(last))
		return;
	config_values_copy(config_table(isv->name), isv, last);
	isv->stale = true;
}

static void
read_isv(struct builder *b, struct raas_cfg_section *s, struct isv *isv)
{
	const struct config_table *table = config_table(s->name);
	const char *meant;

	isv->name = xstrdup(s->name);
	fill(b, s, table, isv);
	if (s->error == NULL)
		return;
	meant = raas_cfg_entry(b->raw, s, "s3_bucket") == NULL ? config_table_meant(s->name) : NULL;
	if (meant != NULL)
		warn(b, s->line, s->name, "taken for an ISV, was [%s] meant?", meant);
	config_values_done(table, isv);
	isv->error = xstrdup(s->error);
	if (b->last_good != NULL)
		keep_last(isv, config_isv(b->last_good, isv->name));
}

static int
compare_isvs(const void *a, const void *b)
{
	return strcmp(((const struct isv *)a)->name, ((const struct isv *)b)->name);
}

/* The ISVs whose heads may be among what could not be read. */
static void
keep_missing(struct builder *b)
{
	struct config *c = b->config;
	const struct isv *last;
	size_t i;

	if (!b->torn || b->last_good == NULL)
		return;
	for (i = 0; i < b->last_good->n_isvs; i++) {
		last = &b->last_good->isvs[i];
		if (!isv_served(last) || raas_cfg_section(b->raw, last->name) != NULL)
			continue;
		c->isvs[c->n_isvs] = (struct isv){
			.name = xstrdup(last->name),
			.error = xasprintf("%s: the section is not found, and the file has errors",
			    b->raw->file),
		};
		keep_last(&c->isvs[c->n_isvs++], last);
	}
	if (c->n_isvs > 1)
		qsort(c->isvs, c->n_isvs, sizeof(*c->isvs), compare_isvs);
}

static void
read_isvs(struct builder *b)
{
	struct config *c = b->config;
	struct raas_cfg_section *s;
	struct error err;
	size_t kept = b->last_good != NULL ? b->last_good->n_isvs : 0, i;

	c->isvs = xcalloc(b->raw->n_sections + kept, sizeof(*c->isvs));
	for (i = 0; i < b->raw->n_sections; i++) {
		s = &b->raw->sections[i];
		if (config_table(s->name)->section != NULL)
			continue;
		err = (struct error)ERROR_INIT;
		if (isv_check_name(s->name, &err) == -1)
			raas_cfg_fail(b->raw, s, s->line, "neither a section of raasd's nor an ISV's: %s",
			    err.text);
		else
			read_isv(b, s, &c->isvs[c->n_isvs++]);
	}
	keep_missing(b);
}

/* --- ISVs that share something --- */

static int
compare_buckets(const void *a, const void *b)
{
	const struct isv *x = *(const struct isv *const *)a, *y = *(const struct isv *const *)b;
	int order = strcmp(x->bucket, y->bucket);

	return order != 0 ? order : strcmp(x->name, y->name);
}

/* The broker's look-ups ignore case, so names that differ in nothing else are one app. */
static int
compare_app_names(const struct isv *x, const struct isv *y)
{
	int order = strcasecmp(x->domain, y->domain);

	return order != 0 ? order : strcasecmp(x->app, y->app);
}

static int
compare_apps(const void *a, const void *b)
{
	const struct isv *x = *(const struct isv *const *)a, *y = *(const struct isv *const *)b;
	int order = compare_app_names(x, y);

	return order != 0 ? order : strcmp(x->name, y->name);
}

static bool
same_bucket(const struct isv *x, const struct isv *y)
{
	return strcmp(x->bucket, y->bucket) == 0;
}

static bool
same_app(const struct isv *x, const struct isv *y)
{
	return compare_app_names(x, y) == 0;
}

static void
warn_group(struct builder *b, const struct isv *const *group, size_t n, const char *what)
{
	const struct raas_cfg_section *s;
	const char *other;
	size_t i;

	for (i = 0; n > 1 && i < n; i++) {
		s = raas_cfg_section(b->raw, group[i]->name);
		other = group[i == 0 ? 1 : 0]->name;
		if (n == 2)
			warn(b, s != NULL ? s->line : 0, group[i]->name, "shares its %s with '%s'",
			    what, other);
		else
			warn(b, s != NULL ? s->line : 0, group[i]->name,
			    "shares its %s with '%s' and %zu more", what, other, n - 2);
	}
}

static void
warn_of_shared(struct builder *b, const struct isv **isvs, size_t n, const char *what,
    int (*compare)(const void *, const void *),
    bool (*same)(const struct isv *, const struct isv *))
{
	size_t first, end;

	qsort(isvs, n, sizeof(*isvs), compare);
	for (first = 0; first < n; first = end) {
		for (end = first + 1; end < n && same(isvs[first], isvs[end]); end++)
			continue;
		warn_group(b, isvs + first, end - first, what);
	}
}

static void
look_for_shared(struct builder *b)
{
	const struct config *c = b->config;
	cleanup(free_p) const struct isv **isvs = xcalloc(c->n_isvs, sizeof(*isvs));
	size_t i, n = 0;

	for (i = 0; i < c->n_isvs; i++) {
		/* A check elsewhere may lack what only a credential says. */
		if (c->isvs[i].bucket != NULL && c->isvs[i].domain != NULL)
			isvs[n++] = &c->isvs[i];
	}
	if (n < 2)
		return;
	warn_of_shared(b, isvs, n, "bucket", compare_buckets, same_bucket);
	warn_of_shared(b, isvs, n, "app", compare_apps, same_app);
}

/* --- */

struct config *
config_build(struct raas_cfg *raw, const struct config *last_good, const char *credentials_dir,
    bool elsewhere)
{
	struct config *c = xcalloc(1, sizeof(*c));
	struct builder b = { raw, c, last_good, credentials_dir, elsewhere, raw->errors.n > 0 };

	c->refs = 1;
	read_shared_sections(&b);
	read_isvs(&b);
	look_for_shared(&b);
	problems_sort(&raw->errors);
	problems_sort(&raw->warnings);
	c->errors = steal(raw->errors.list);
	c->n_errors = raw->errors.n;
	c->warnings = steal(raw->warnings.list);
	c->n_warnings = raw->warnings.n;
	raw->errors = raw->warnings = (struct problems)PROBLEMS_INIT;
	return c;
}
