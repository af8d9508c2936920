#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/mask-job.h"

#define RAAS_CFG_PROBLEMS_SHOWN 3

static void apply_configuration(struct daemon *);

/* Red Hat's metadata. */

/* A name for what the mask holds: it goes into what each ISV's sync depends on. An empty one is
 * as good as none. */
static char *
name_of_mask(const struct mask *mask)
{
	struct buf b = BUF_INIT;
	char hex[GIT_OID_HEXSZ + 1];
	git_oid id;
	size_t i;

	if (mask->n_files == 0)
		return NULL;
	for (i = 0; i < mask->n_files; i++)
		buf_printf(&b, "%s %s\n", mask->files[i].name,
		    git_oid_tostr(hex, sizeof(hex), &mask->files[i].oid));
	id = repo_oid_of_bytes(buf_str(&b), b.len);
	buf_done(&b);
	return xstrdup(git_oid_tostr(hex, sizeof(hex), &id));
}

static void
set_mask(struct daemon *d, struct mask *mask)
{
	mask_unref(d->mask);
	d->mask = mask_ref(mask);
	free(d->mask_id);
	d->mask_id = name_of_mask(mask);
}

/* The last good copy of Red Hat's metadata, if there is one. */
void
daemon_load_mask(struct daemon *d)
{
	cleanup(free_p) char *dir = mask_keep_dir(d->settings->state_dir);
	cleanup(mask_unref_p) struct mask *mask = mask_load(dir, NULL);

	if (mask != NULL)
		set_mask(d, mask);
}

static void
on_mask(void *arg, struct mask *mask, const struct error *err)
{
	struct daemon *d = arg;

	d->masking = false;
	if (d->stopping)
		return;
	incident_set(&d->redhat, err != NULL ? err->text : NULL);
	d->mask_error = err != NULL ? *err : (struct error)ERROR_INIT;
	if (mask != NULL && mask != d->mask) {
		set_mask(d, mask);
		apply_configuration(d);
	}
	daemon_set_timer(d->mask_timer, d->mask_again ? 0 : err != NULL ? d->settings->check_interval_ms
	    : d->settings->deep_interval_ms);
	d->mask_again = false;
}

static void
refresh_mask(struct daemon *d)
{
	if (d->config == NULL || d->stopping)
		return;
	if (d->masking) {
		d->mask_again = true;
		return;
	}
	d->masking = true;
	mask_job_start(d->jobs, &(struct mask_job_input){ .places = &d->places,
	    .state_dir = d->settings->state_dir, .config = d->config, .last = d->mask,
	    .tip = d->repo.tip }, on_mask, d);
}

void
daemon_on_mask(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	refresh_mask(arg);
}

/* A new configuration. */

static void
targets_of(const struct isv *isv, char *targets[SLOT_TARGETS_MAX])
{
	char *p;

	/* The broker folds the case of names. */
	targets[0] = xasprintf("app:%s/%s", isv->domain, isv->app);
	for (p = targets[0]; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	targets[1] = xasprintf("bucket:%s", isv->bucket);
}

/* A section is served when its values can be used, be they new or the last good ones. */
static bool
can_be_served(const struct daemon *d, const struct isv *isv)
{
	return (isv->error == NULL || isv->stale) && d->config->openshift.server_url != NULL &&
	    d->config->aws.region != NULL;
}

static void
put_on_schedule(struct registry *r)
{
	struct daemon *d = r->daemon;
	char *targets[SLOT_TARGETS_MAX];
	size_t i;

	targets_of(r->isv, targets);
	if (r->slot == NULL)
		r->slot = scheduler_add(d->scheduler, r, (const char *const *)targets,
		    clock_monotonic_ms(), d->settings->deep_interval_ms);
	else
		scheduler_set_targets(d->scheduler, r->slot, (const char *const *)targets);
	for (i = 0; i < SLOT_TARGETS_MAX; i++)
		free(targets[i]);
}

const git_oid *
daemon_tree_of(const struct daemon *d, const char *isv)
{
	const struct repo_file *f = repo_files_find(&d->trees, isv);

	return f != NULL ? &f->oid : NULL;
}

/* Brings one ISV in line with the configuration in force; true: its sync is due. */
static bool
apply_isv(struct daemon *d, struct registry *r)
{
	enum wanted_change change = registry_set_wanted(r, d->config,
	    daemon_tree_of(d, r->state->name), d->mask_id);
	bool changed = change != WANTED_SAME;

	put_on_schedule(r);
	if (r->running && r->backups == NULL &&
	    change >= (r->task != NULL ? WANTED_BY_ALL : WANTED_BY_SYNCS)) {
		/* A plan made for what was wanted before is never carried on. */
		r->superseded = true;
		job_supersede(&r->job->job);
		return true;
	}
	if (r->state->synced_id != NULL && strcmp(r->state->synced_id, r->wanted_id) == 0)
		return false;
	if (changed)
		scheduler_request(d->scheduler, r->slot, WORK_DEEP, false, clock_monotonic_ms());
	return changed;
}

void
daemon_forget_unmade(struct daemon *d)
{
	size_t i, kept = 0;

	for (i = 0; i < d->n_registries; i++) {
		struct registry *r = d->registries[i];

		if (!registry_forgettable(r)) {
			d->registries[kept++] = r;
			continue;
		}
		state_store_remove(d->store, r->state->name);
		registry_free(r);
	}
	d->n_registries = kept;
}

static void
apply_configuration(struct daemon *d)
{
	struct registry *r;
	size_t i;

	if (d->config == NULL)
		return;
	for (i = 0; i < d->config->n_isvs; i++) {
		if (daemon_registry(d, d->config->isvs[i].name) == NULL)
			daemon_add_registry(d, isv_state_new(d->config->isvs[i].name));
	}
	for (i = 0; i < d->n_registries; i++) {
		r = d->registries[i];
		r->isv = config_isv(d->config, r->state->name);
		r->unserved = false;
		if (r->isv == NULL || !can_be_served(d, r->isv)) {
			registry_unschedule(r);
			troubles_forget(d->troubles, r);
		} else {
			r->config_changed |= apply_isv(d, r);
		}
	}
	daemon_forget_unmade(d);
	daemon_set_timer(d->schedule_timer, 0);
}

static void
say_problems(struct daemon *d)
{
	const struct config *c = d->config;
	struct buf text = BUF_INIT;
	size_t i;

	for (i = 0; i < c->n_errors && i < RAAS_CFG_PROBLEMS_SHOWN; i++)
		buf_printf(&text, "%sline %u: %s", i > 0 ? "; " : "", c->errors[i].line,
		    c->errors[i].text);
	if (c->n_errors > i)
		buf_printf(&text, "; and %zu more", c->n_errors - i);
	incident_set(&d->raas_cfg, text.len > 0 ? buf_str(&text) : NULL);
	for (i = 0; i < c->n_warnings; i++)
		log_debug(NULL, "raas.cfg:%u: %s", c->warnings[i].line, c->warnings[i].text);
	buf_done(&text);
}

static bool
same_source(const struct redhat_config *a, const struct redhat_config *b)
{
	return text_equal(a->metadata, b->metadata) && text_equal(a->metadata_repo, b->metadata_repo) &&
	    text_equal(a->metadata_relpath, b->metadata_relpath);
}

static bool
same_accounts(const struct config *a, const struct config *b)
{
	return text_equal(a->openshift.server_url, b->openshift.server_url) &&
	    text_equal(a->openshift.username, b->openshift.username) &&
	    text_equal(a->openshift.password, b->openshift.password) &&
	    text_equal(a->openshift.token, b->openshift.token) &&
	    text_equal(a->aws.access_key, b->aws.access_key) &&
	    text_equal(a->aws.secret_key, b->aws.secret_key) &&
	    text_equal(a->aws.session_token, b->aws.session_token) &&
	    text_equal(a->aws.region, b->aws.region) &&
	    text_equal(a->aws.endpoint, b->aws.endpoint);
}

static bool
same_files(const struct repo_files *a, const struct repo_files *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->files[i].name, b->files[i].name) != 0 ||
		    !git_oid_equal(&a->files[i].oid, &b->files[i].oid))
			return false;
	return true;
}

static int
compare_sections(const void *a, const void *b)
{
	const struct config_problem *const *x = a, *const *y = b;
	int order = strcmp((*x)->section, (*y)->section);

	return order != 0 ? order : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}

/* Status looks for each ISV's own: with thousands of both that must not be a search through all. */
static void
index_warnings(struct daemon *d)
{
	const struct config *c = d->config;
	size_t i;

	free(d->warnings);
	d->warnings = xcalloc(c->n_warnings, sizeof(*d->warnings));
	d->n_warnings = 0;
	for (i = 0; i < c->n_warnings; i++)
		if (c->warnings[i].section != NULL)
			d->warnings[d->n_warnings++] = &c->warnings[i];
	if (d->n_warnings > 0)
		qsort(d->warnings, d->n_warnings, sizeof(*d->warnings), compare_sections);
}

/* Takes what the config thread read; true: raas.cfg itself is another. */
static bool
take_snapshot(struct daemon *d, struct keeper_snapshot *s)
{
	bool redhat_changed, accounts_changed, other;

	if (s->config == NULL) {
		/* Before the first pull there is none to be missed. */
		if (d->repo.has_tip)
			incident_set(&d->raas_cfg, s->error.text);
		return false;
	}
	other = d->config != s->config;
	redhat_changed = d->config == NULL ||
	    !same_source(&d->config->redhat, &s->config->redhat) ||
	    !same_files(&d->redhat_files, &s->redhat);
	accounts_changed = d->config != NULL && !same_accounts(d->config, s->config);
	config_unref(d->config);
	d->config = steal(s->config);
	repo_files_done(&d->trees);
	d->trees = s->trees;
	repo_files_done(&d->redhat_files);
	d->redhat_files = s->redhat;
	s->trees = s->redhat = (struct repo_files){ NULL, 0, { NULL, 0 } };
	if (other) {
		say_problems(d);
		index_warnings(d);
	}
	if (accounts_changed)
		daemon_sweep_anew(d);
	apply_configuration(d);
	if (redhat_changed)
		refresh_mask(d);
	return other;
}

void
daemon_set_repo(struct daemon *d, const struct config_branch_state *repo)
{
	d->repo = *repo;
	if (repo->unpushed == 0)
		d->unpushed_since = 0;
	else if (d->unpushed_since == 0)
		d->unpushed_since = time(NULL);
}

void
daemon_take_answer(struct daemon *d, const struct keeper_answer *a)
{
	bool first = d->config == NULL, can_commit = !d->repo.has_tip && a->repo.has_tip;

	daemon_set_repo(d, &a->repo);
	if (a->snapshot != NULL)
		take_snapshot(d, a->snapshot);
	if (can_commit && !d->stopping)
		daemon_flush(d, false);
	if (first && d->config != NULL && !d->stopping)
		daemon_sweep(d);
}

/* Pulling. */

void
daemon_note_news(struct daemon *d, const struct config_news *news)
{
	size_t i;

	if (news->forced)
		log_warning(&(struct log_about){ .resource = "config repo",
		    .message_id = event_table[EVENT_BRANCH_REWRITTEN].id },
		    "config repo: branch '%s' was rewritten by somebody; following it, "
		    "%zu own commit%s put on top", d->settings->environment, news->replayed,
		    news->replayed == 1 ? "" : "s");
	for (i = 0; i < news->dropped.n; i++)
		log_warning(&(struct log_about){ .resource = "config repo",
		    .message_id = event_table[EVENT_CHANGE_DROPPED].id },
		    "config repo: an own change gave way to another's: %s", news->dropped.texts[i]);
	daemon_forget_bases(d, &news->dropped);
}

/* The names of the ISVs that the pull gave something new; clears the marks. */
static char **
changed_isvs(struct daemon *d, size_t *n)
{
	char **names = xcalloc(d->n_registries, sizeof(*names));
	size_t i;

	for (i = 0, *n = 0; i < d->n_registries; i++) {
		if (d->registries[i]->config_changed)
			names[(*n)++] = d->registries[i]->state->name;
		d->registries[i]->config_changed = false;
	}
	return names;
}

static void
finish_pull_waiters(struct daemon *d, bool changed, const struct error *err)
{
	cleanup(free_p) char **names = NULL;
	struct pull_waiter *w, *next;
	size_t n;

	names = changed_isvs(d, &n);
	for (w = LIST_FIRST(&d->pull_waiters); w != NULL; w = next) {
		next = LIST_NEXT(w, entry);
		if (!w->attached)
			continue;
		LIST_REMOVE(w, entry);
		w->done(w, changed, names, n, err);
	}
}

/* What is refused stays so until something else is fetched and taken: a server that cannot be
 * reached says nothing about it. */
bool
daemon_note_signatures(struct daemon *d, const struct error *err)
{
	if (err == NULL || err->kind == ERROR_UNTRUSTED)
		incident_set(&d->signatures, err != NULL ? err->text : NULL);
	return err != NULL && err->kind == ERROR_UNTRUSTED;
}

/* A commit that somebody named wrongly, to be accepted, is no trouble of the config repo. */
static void
note_pulled(struct daemon *d, const struct error *err)
{
	bool refused;

	if (err != NULL && err->kind == ERROR_INPUT && d->accepting)
		return;
	refused = daemon_note_signatures(d, err);
	incident_set(&d->config_repo, err != NULL && !refused ? err->text : NULL);
}

/* Does somebody wait for this pull? */
static bool
is_awaited(const struct daemon *d)
{
	const struct pull_waiter *w;

	LIST_FOREACH(w, &d->pull_waiters, entry)
		if (w->attached)
			return true;
	return false;
}

static void
on_pulled(void *arg, const struct keeper_answer *a)
{
	struct daemon *d = arg;
	struct pull_waiter *w;

	d->pulling = false;
	d->counters.pulls[a->error != NULL]++;
	if (d->stopping) {
		finish_pull_waiters(d, false, a->error);
		return;
	}
	if (a->error == NULL) {
		d->last_pull = time(NULL);
		/* The way is open again, for pushes as well; or somebody may have opened it. */
		if (d->pull_failures > 0 || is_awaited(d))
			d->push_failures = 0;
		d->pull_failures = 0;
		daemon_note_news(d, a->news);
	}
	note_pulled(d, a->error);
	daemon_take_answer(d, a);
	finish_pull_waiters(d, a->news != NULL && a->news->changed, a->error);
	if (a->error != NULL)
		daemon_set_timer(d->pull_timer, daemon_retry_ms(++d->pull_failures) < d->settings->poll_interval_ms
		    ? daemon_retry_ms(d->pull_failures) : d->settings->poll_interval_ms);
	else
		daemon_set_timer(d->pull_timer, d->settings->poll_interval_ms);
	LIST_FOREACH(w, &d->pull_waiters, entry) {
		daemon_pull(d, NULL);
		break;
	}
	if (a->error == NULL && a->repo.unpushed > 0 && !d->pushing)
		daemon_push_soon(d);
}

void
daemon_pull(struct daemon *d, struct pull_waiter *waiter)
{
	const char *accept = NULL;
	struct pull_waiter *w;
	size_t n;

	if (waiter != NULL) {
		waiter->attached = false;
		LIST_INSERT_HEAD(&d->pull_waiters, waiter, entry);
	}
	if (d->pulling || d->stopping)
		return;
	d->pulling = true;
	evtimer_del(d->pull_timer);
	/* What changed before is no news of this pull. */
	free(changed_isvs(d, &n));
	LIST_FOREACH(w, &d->pull_waiters, entry)
		accept = accept != NULL ? accept : w->accept;
	LIST_FOREACH(w, &d->pull_waiters, entry)
		w->attached = w->accept == NULL || strcmp(w->accept, accept) == 0;
	d->accepting = accept != NULL;
	keeper_pull(d->keeper, accept, on_pulled, d);
}

void
daemon_on_pull(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	daemon_pull(arg, NULL);
}
