#include <ctype.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "tests/sandbox/broker-call.h"

#define DOMAIN_NAME_MAX 16

static json_t *
domain_json(struct call *c, const struct domain *d)
{
	const char *key = d->name, *include = call_text(c, "include");
	json_t *o = json_object();

	if (c->version >= 16) {
		json_object_set_new(o, "id", json_string(d->id));
		json_object_set_new(o, "name", json_text(d->name));
		json_object_set(o, "allowed_gear_sizes", d->owner->gear_sizes);
		json_object_set_new(o, "members", json_array());
	} else {
		json_object_set_new(o, "id", json_text(d->name));
	}
	json_object_set_new(o, "suffix", json_text(c->apps->options.cloud_domain));
	call_time(o, "creation_time", d->created);
	if (include != NULL && strcmp(include, "application_info") == 0) {
		json_object_set_new(o, "application_count", json_integer((json_int_t)d->apps.n));
		json_object_set_new(o, "gear_counts", json_pack("{s:I}", "small",
		    (json_int_t)d->apps.n));
	}
	call_link(c, o, "GET", "GET", "domain/%s", key);
	call_link(c, o, "LIST_APPLICATIONS", "GET", "domain/%s/applications", key);
	call_link(c, o, "ADD_APPLICATION", "POST", "domain/%s/applications", key);
	call_link(c, o, "DELETE", "DELETE", "domain/%s", key);
	return o;
}

void
domains_list(struct call *c)
{
	json_t *list = json_array();
	const struct domain *d;
	size_t i;

	for (i = 0; i < c->apps->domains.n; i++) {
		d = c->apps->domains.rows[i].value;
		if (d->owner == c->account)
			json_array_append_new(list, domain_json(c, d));
	}
	call_data(c, 200, "domains", list, NULL);
}

static bool
is_name(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		if (!isalnum((unsigned char)name[i]) || i >= DOMAIN_NAME_MAX)
			return false;
	}
	return i > 0;
}

static int
domains_of(const struct apps *apps, const struct account *account)
{
	const struct domain *d;
	size_t i;
	int n = 0;

	for (i = 0; i < apps->domains.n; i++) {
		d = apps->domains.rows[i].value;
		n += d->owner == account;
	}
	return n;
}

void
domain_add(struct call *c)
{
	const char *key = c->version >= 16 && call_text(c, "name") != NULL ? "name" : "id";
	const char *name = call_text(c, key);

	if (name == NULL || !is_name(name)) {
		call_error(c, 422, 106, key, "Invalid namespace: '%s'. Namespace must be "
		    "alphanumeric and at most %d characters.", name != NULL ? name : "",
		    DOMAIN_NAME_MAX);
		return;
	}
	if (apps_domain(c->apps, name) != NULL) {
		call_error(c, 422, 103, key, "Namespace '%s' is already in use. Please choose "
		    "another.", name);
		return;
	}
	if (domains_of(c->apps, c->account) >= c->account->max_domains) {
		call_error(c, 409, 103, NULL, "There is a limit of %d domains per account.",
		    c->account->max_domains);
		return;
	}
	call_data(c, 201, "domain", domain_json(c, apps_add_domain(c->apps, name, c->account)),
	    "Created domain");
}

void
domain_show(struct call *c)
{
	const struct domain *d = call_domain(c);

	if (d != NULL)
		call_data(c, 200, "domain", domain_json(c, d), NULL);
}

void
domain_delete(struct call *c)
{
	struct domain *d = call_domain(c);

	if (d == NULL)
		return;
	if (d->apps.n > 0 && !call_flag(c, "force", false)) {
		call_error(c, 422, 128, NULL, "Domain contains applications. Delete applications "
		    "first or set force to true.");
		return;
	}
	apps_remove_domain(c->apps, d);
	call_deleted(c, "Domain is deleted.");
}
