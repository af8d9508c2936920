#include "daemon/observe.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/account.h"
#include "daemon/bucket-metadata.h"
#include "daemon/crane-metadata.h"
#include "daemon/health.h"
#include "daemon/observe-bucket.h"

int
session_open(struct session *s, const struct reconcile_input *in, const struct deadline *d,
    struct http *http, struct error *err)
{
	const struct config *c = in->config;

	*s = (struct session){ .in = in, .deadline = d, .http = http, .access = in->access };
	if ((s->s3 = account_s3(&c->aws, http, err)) == NULL)
		return -1;
	s->openshift = openshift_new(http, &c->openshift);
	s->public_base = account_public_base(&c->aws, in->isv->public_url, in->isv->bucket);
	return 0;
}

void
session_close(struct session *s)
{
	openshift_free(s->openshift);
	s3_free(s->s3);
	config_view_free(s->view);
	app_repo_free(s->app_repo);
	free(s->public_base);
}

void
session_look_afresh(struct session *s)
{
	s->fresh = true;
	app_repo_free(s->app_repo);	/* the app may be another, with its repo elsewhere */
	s->app_repo = NULL;
}

/* ---- the broker ---- */

static void
look_domain(struct session *s, struct observed *o)
{
	struct error err = ERROR_INIT;
	bool found;

	if (openshift_domain_get(s->openshift, s->in->isv->domain, &found, s->deadline, &err) == -1)
		sighting_fail(&o->domain, &err);
	else
		o->domain.sight = found ? SIGHT_PRESENT : SIGHT_ABSENT;
}

static void
look_app(struct session *s, struct observed *o)
{
	const struct isv *isv = s->in->isv;
	struct openshift_app app = { .id = NULL };
	struct error err = ERROR_INIT;
	bool found;

	if (openshift_app_get(s->openshift, isv->domain, isv->app, &app, &found, s->deadline,
	    &err) == -1) {
		sighting_fail(&o->app.seen, &err);
	} else if (found) {
		observed_app_set(&o->app, &app);
		openshift_app_done(&app);
	} else {
		o->app.seen.sight = SIGHT_ABSENT;
	}
}

static void
look_variables(struct session *s, struct observed *o)
{
	struct openshift_variables variables = OPENSHIFT_VARIABLES_INIT;
	struct error err = ERROR_INIT;
	const char *value;
	size_t i;

	if (openshift_variables_list(s->openshift, o->app.id, &variables, s->deadline, &err) == -1) {
		sighting_fail(&o->app.variables, &err);
		return;
	}
	o->app.variables.sight = SIGHT_PRESENT;
	for (i = 0; i < N_CRANE_VARIABLES; i++) {
		value = openshift_variables_get(&variables, crane_variables[i].name);
		if (value == NULL || strcmp(value, crane_variables[i].value) != 0)
			o->app.variables.sight = SIGHT_ABSENT;
	}
	openshift_variables_done(&variables);
}

/* ---- the metadata files ---- */

struct deadline
session_git_deadline(const struct session *s)
{
	return deadline_within(s->deadline, s->in->places->git_timeout_ms);
}

static struct blob_id
blob_id_of(const git_oid *oid)
{
	struct blob_id id;

	git_oid_tostr(id.hex, sizeof(id.hex), oid);
	return id;
}

static int
oid_of(const struct blob_id *id, git_oid *out, struct error *err)
{
	if (git_oid_fromstr(out, id->hex) != 0)
		return error_set(err, ERROR_INTERNAL, "'%s' is not a blob id", id->hex);
	return 0;
}

static int
open_view(struct session *s, struct error *err)
{
	if (s->view == NULL)
		s->view = config_view_open(s->in->places->config_repo, err);
	return s->view != NULL ? 0 : -1;
}

int
session_read_config(struct session *s, const struct blob_id *id, struct buf *out,
    struct error *err)
{
	git_oid oid;

	if (oid_of(id, &oid, err) == -1 || open_view(s, err) == -1)
		return -1;
	return config_view_read_blob(s->view, &oid, out, err);
}

int
session_read_app(struct session *s, const struct blob_id *id, struct buf *out, struct error *err)
{
	git_oid oid;

	if (oid_of(id, &oid, err) == -1)
		return -1;
	return app_repo_read_blob(s->app_repo, &oid, out, err);
}

int
session_read_mask(struct session *s, const char *name, struct buf *out, struct error *err)
{
	const struct mask_file *f = s->in->mask != NULL ? mask_find(s->in->mask, name) : NULL;

	if (f == NULL)
		return error_set(err, ERROR_INTERNAL, "'%s' is not in Red Hat's metadata", name);
	buf_add(out, f->data, f->len);
	return 0;
}

static struct observed_file *
add_file(struct observed *o, const char *name, bool redhat)
{
	o->files = xreallocarray(o->files, o->n_files + 1, sizeof(*o->files));
	o->files[o->n_files] = (struct observed_file){ .name = xstrdup(name), .redhat = redhat };
	return &o->files[o->n_files++];
}

static int
compare_files(const void *a, const void *b)
{
	return strcmp(((const struct observed_file *)a)->name,
	    ((const struct observed_file *)b)->name);
}

static struct blob_id
base_of(const struct session *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->in->n_base; i++)
		if (strcmp(s->in->base[i].name, name) == 0)
			return s->in->base[i].content;
	return (struct blob_id){ "" };
}

/* ISVs may share an app. A file that is in the app only belongs to the one whose name it begins
 * with, "isv1-some-app.json", else to the first of them; and one that another of them has in the
 * config repo is that one's. */
static int
belongs_to_other(struct session *s, const char *file, bool *other, struct error *err)
{
	const struct config *c = s->in->config;
	const struct isv *isv = s->in->isv, *first = NULL, *named = NULL;
	size_t i;

	*other = false;
	for (i = 0; i < c->n_isvs; i++) {
		const struct isv *sharer = &c->isvs[i];
		struct repo_files files = { NULL, 0, { NULL, 0 } };
		size_t len = strlen(sharer->name);

		if (sharer->app == NULL || strcasecmp(sharer->app, isv->app) != 0 ||
		    strcasecmp(sharer->domain, isv->domain) != 0)
			continue;
		if (first == NULL)
			first = sharer;
		if (strncmp(file, sharer->name, len) == 0 && file[len] == '-')
			named = sharer;
		if (sharer == isv)
			continue;
		if (config_view_metadata(s->view, &s->in->tip, sharer->name, &files, err) == -1)
			return -1;
		*other |= repo_files_find(&files, file) != NULL;
		repo_files_done(&files);
	}
	*other |= (named != NULL ? named : first) != isv;
	return 0;
}

/* Without a base, and with both sides there but different, the histories tell which is newer. */
static int
look_histories(struct session *s, struct observed_file *f, struct error *err)
{
	struct merge_input *ids = &f->ids;
	struct deadline deadline = session_git_deadline(s);
	git_oid config, app;

	if (f->redhat || !blob_id_none(&ids->base) || blob_id_none(&ids->config) ||
	    blob_id_none(&ids->app) || blob_id_equal(&ids->config, &ids->app))
		return 0;
	if (oid_of(&ids->config, &config, err) == -1 || oid_of(&ids->app, &app, err) == -1)
		return -1;
	if (app_repo_history_has(s->app_repo, f->name, &config, &ids->config_in_app_history,
	    &deadline, err) == -1)
		return -1;
	return config_view_history_has(s->view, &s->in->tip, s->in->isv->name, f->name, &app,
	    &ids->app_in_config_history, &deadline, err);
}

static int
add_config_files(struct session *s, const struct repo_files *config, const struct repo_files *app,
    struct observed *o)
{
	const struct mask *mask = s->in->mask;
	size_t i;

	for (i = 0; i < config->n; i++) {
		const char *name = config->files[i].name;
		const struct repo_file *theirs = repo_files_find(app, name);
		struct observed_file *f = add_file(o, name, false);

		f->ids.config = blob_id_of(&config->files[i].oid);
		if (mask != NULL && mask_find(mask, name) != NULL) {
			f->invalid = xstrdup("one of Red Hat's files has that name; rename it");
			continue;
		}
		f->ids.base = base_of(s, name);
		if (theirs != NULL)
			f->ids.app = blob_id_of(&theirs->oid);
	}
	return 0;
}

static int
add_app_files(struct session *s, const struct repo_files *config, const struct repo_files *app,
    struct observed *o, struct error *err)
{
	const struct mask *mask = s->in->mask;
	bool other;
	size_t i;

	for (i = 0; i < app->n; i++) {
		const char *name = app->files[i].name;
		struct observed_file *f;

		if (repo_files_find(config, name) != NULL ||
		    (mask != NULL && mask_find(mask, name) != NULL))
			continue;
		if (belongs_to_other(s, name, &other, err) == -1)
			return -1;
		if (other)
			continue;
		f = add_file(o, name, false);
		f->ids.base = base_of(s, name);
		f->ids.app = blob_id_of(&app->files[i].oid);
	}
	return 0;
}

/* Without a last good copy: why there is none, or that nothing has come yet. The config repo's own
 * files are never waited for. */
static void
note_no_mask(const struct session *s, struct observed *o)
{
	const struct redhat_config *redhat = &s->in->config->redhat;
	struct error err = s->in->mask_error;

	if (err.kind == ERROR_NONE && (redhat->metadata != NULL || redhat->metadata_repo != NULL))
		error_set(&err, ERROR_REMOTE, "not fetched yet");
	if (err.kind != ERROR_NONE)
		sighting_fail(&o->redhat, &err);
}

static void
add_mask_files(struct session *s, const struct repo_files *app, struct observed *o)
{
	const struct mask *mask = s->in->mask;
	size_t i;

	if (mask == NULL) {
		note_no_mask(s, o);
		return;
	}
	o->redhat.sight = SIGHT_PRESENT;
	for (i = 0; i < mask->n_files; i++) {
		const struct repo_file *theirs = repo_files_find(app, mask->files[i].name);
		struct observed_file *f = add_file(o, mask->files[i].name, true);

		f->ids.config = blob_id_of(&mask->files[i].oid);
		if (theirs != NULL)
			f->ids.app = blob_id_of(&theirs->oid);
	}
}

/* The side of a file that is to stand in the end, parsed; NULL when it is not valid. */
static struct crane_metadata *
read_metadata(struct session *s, struct observed_file *f, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	enum merge_action action = merge_decide(&f->ids, s->in->take);
	bool from_config = action == MERGE_PUSH;
	int status = from_config ? session_read_config(s, &f->ids.config, &text, err)
	    : session_read_app(s, &f->ids.app, &text, err);

	if (status == -1)
		return NULL;
	return crane_metadata_parse(buf_str(&text), text.len, err);
}

/* The side of a file that will not stand: what it names is not to be called superfluous yet. */
static void
add_other_side(struct session *s, const struct observed_file *f, struct published *p)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *prefix = NULL;
	bool app = merge_decide(&f->ids, s->in->take) == MERGE_PUSH;
	const struct blob_id *id = app ? &f->ids.app : &f->ids.config;

	if (blob_id_none(id) || blob_id_equal(&f->ids.app, &f->ids.config))
		return;
	if ((app ? session_read_app(s, id, &text, NULL) : session_read_config(s, id, &text, NULL))
	    == -1 || (m = crane_metadata_parse(buf_str(&text), text.len, NULL)) == NULL) {
		p->unclear = true;
		return;
	}
	prefix = crane_metadata_prefix(m, s->public_base);
	references_add(&p->references, m, prefix);
}

static void
read_published(struct session *s, struct observed *o, struct published *p)
{
	const struct crane_ids *masked = s->in->mask != NULL ? &s->in->mask->masked : NULL;
	size_t i;

	for (i = 0; i < o->n_files; i++) {
		cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
		struct observed_file *f = &o->files[i];
		cleanup(free_p) char *prefix = NULL;
		struct error err = ERROR_INIT;

		if (f->redhat)
			continue;
		p->unclear |= f->invalid != NULL;
		add_other_side(s, f, p);
		if (f->invalid != NULL || merge_decide(&f->ids, s->in->take) == MERGE_REMOVE ||
		    (blob_id_none(&f->ids.config) && blob_id_none(&f->ids.app)))
			continue;
		if ((m = read_metadata(s, f, &err)) == NULL) {
			f->invalid = xstrdup(err.text);
			p->unclear = true;
			continue;
		}
		prefix = crane_metadata_prefix(m, s->public_base);
		crane_ids_add(&p->names, m->registry_id);
		crane_ids_add(&o->prefixes, prefix);
		crane_metadata_objects(m, prefix, masked, &p->objects);
		references_add(&p->references, m, prefix);
	}
	p->unclear |= bucket_metadata_add(&(struct bucket_metadata){ s->view, &s->in->tip,
	    s->in->config, s->in->isv->bucket, &p->references }, s->in->isv, NULL) == -1;
	references_seal(&p->references);
	crane_ids_sort(&p->names);
	crane_ids_sort(&o->prefixes);
}

static int
open_app_repo(struct session *s, const struct observed *o, struct error *err)
{
	cleanup(free_p) char *path = NULL;
	char *p;

	if (s->app_repo != NULL)
		return 0;
	path = xasprintf("%s/apps/%s-%s.git", s->in->places->cache_dir, s->in->isv->domain,
	    s->in->isv->app);
	for (p = path + strlen(s->in->places->cache_dir); *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	s->app_repo = app_repo_open(path, &(struct git_remote_at){ o->app.git_url,
	    s->in->places->ssh_command, s->in->places->http }, err);
	return s->app_repo != NULL ? 0 : -1;
}

static int
look_files(struct session *s, struct observed *o, struct error *err)
{
	cleanup(repo_files_done) struct repo_files config = { NULL, 0, { NULL, 0 } };
	cleanup(repo_files_done) struct repo_files app = { NULL, 0, { NULL, 0 } };
	struct deadline deadline = session_git_deadline(s);
	struct app_repo_head head;
	size_t i;

	if (open_app_repo(s, o, err) == -1 || open_view(s, err) == -1 ||
	    app_repo_observe(s->app_repo, DEPLOYMENT_BRANCH, &head, &deadline, err) == -1 ||
	    app_repo_files(s->app_repo, &app, err) == -1 ||
	    config_view_metadata(s->view, &s->in->tip, s->in->isv->name, &config, err) == -1)
		return -1;
	if (add_config_files(s, &config, &app, o) == -1 ||
	    add_app_files(s, &config, &app, o, err) == -1)
		return -1;
	add_mask_files(s, &app, o);
	for (i = 0; i < o->n_files; i++)
		if (look_histories(s, &o->files[i], err) == -1)
			return -1;
	if (o->n_files > 0)
		qsort(o->files, o->n_files, sizeof(*o->files), compare_files);
	return 0;
}

static void
look_app_repo(struct session *s, struct observed *o, struct published *p)
{
	struct error err = ERROR_INIT;

	if (look_files(s, o, &err) == -1) {
		error_prefix(&err, "app repo");
		sighting_fail(&o->app_repo, &err);
		return;
	}
	o->app_repo.sight = SIGHT_PRESENT;
	read_published(s, o, p);
	o->n_images = p->names.n;
	o->images = steal(p->names.ids);
	p->names.n = 0;
}

int
session_look_files(struct session *s, struct observed *o, struct error *err)
{
	const struct isv *isv = s->in->isv;

	look_app(s, o);
	if (o->app.seen.sight == SIGHT_FAILED) {
		*err = o->app.seen.error;
		return -1;
	}
	if (o->app.seen.sight == SIGHT_ABSENT)
		return error_set(err, ERROR_MISSING, "app '%s' in domain '%s' is not there yet; "
		    "'raasctl sync %s' makes it", isv->app, isv->domain, isv->name);
	return look_files(s, o, err) == -1 ? error_prefix(err, "app repo") : 0;
}

/* ---- health ---- */

char *
registry_base_url(const struct isv *isv, const struct observed_app *app)
{
	const char *url = isv->fqdn != NULL ? isv->fqdn : app->alias != NULL ? app->alias
	    : app->app_url;
	size_t len;

	if (url == NULL || url[0] == '\0')
		return NULL;
	for (len = strlen(url); len > 0 && url[len - 1] == '/'; len--)
		;
	return xasprintf("%s%.*s", strstr(url, "://") != NULL ? "" : "https://", (int)len, url);
}

static void
look_health(struct session *s, struct observed *o)
{
	cleanup(free_p) char *url = registry_base_url(s->in->isv, &o->app);
	bool deep = o->app_repo.sight == SIGHT_PRESENT;
	struct health health;
	struct error err = ERROR_INIT;

	o->health.failures_before = s->in->health_failures;
	o->health.memory = s->in->health_memory;
	if (url == NULL || o->app.seen.sight == SIGHT_ABSENT)
		return;
	if (health_check(s->http, url, (const char *const *)(deep ? o->images : s->in->images),
	    deep ? o->n_images : s->in->n_images, &s->in->health_memory, &health, s->deadline,
	    &err) == -1) {
		sighting_fail(&o->health.seen, &err);
		return;
	}
	o->health.memory = health.memory;
	if (health.state == HEALTH_DOWN) {
		error_set(&err, ERROR_REMOTE, "%s", health.detail);
		sighting_fail(&o->health.seen, &err);
		return;
	}
	o->health.seen.sight = health.state == HEALTH_OK ? SIGHT_PRESENT : SIGHT_ABSENT;
	o->health.detail = health.detail[0] != '\0' ? xstrdup(health.detail) : NULL;
}

void
observe(struct session *s, bool deep, struct observed *o)
{
	struct published published = { .unclear = false };

	if (s->in->inventory != NULL && !s->fresh) {
		inventory_look(s->in->inventory, s->in->isv, o);
	} else {
		look_domain(s, o);
		look_app(s, o);
	}
	if (o->bucket.seen.sight == SIGHT_NONE)
		observe_bucket(s, o);
	if (deep && o->app.seen.sight == SIGHT_PRESENT) {
		look_variables(s, o);
		look_app_repo(s, o, &published);
	}
	/* Only who knows what is published can say what is to be there, and for everybody. */
	if (o->app_repo.sight == SIGHT_PRESENT && o->bucket.seen.sight == SIGHT_PRESENT) {
		observe_layers(s, &published, o);
		if (s->in->isv->access != S3_ACCESS_NONE)
			observe_access(s, o);
	}
	look_health(s, o);
	published_done(&published);
}
