#include "daemon/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/daemon.h"
#include "daemon/registry-result.h"
#include "daemon/repo.h"

/* A job may wait for the broker as long as its proxy does (300 s) and still push afterwards. */
#define RUN_TIMEOUT_MS (15 * 60 * 1000)
/* A large image over a slow line. Every request of it has a limit of its own. */
#define TASK_TIMEOUT_MS (12 * 3600 * 1000)
/* How long the inventory of a sweep stands for a look of one's own. */
#define INVENTORY_FRESH_MS 120000
/* After a deployment: looks at 1, 2, 4 … s, until the app answers. */
#define RECHECKS_MAX 7

static const char *const phase_names[N_PHASES] = {
	[PHASE_PENDING] = "pending", [PHASE_SYNCING] = "syncing", [PHASE_OK] = "ok",
	[PHASE_DRIFT] = "drift", [PHASE_FAILED] = "failed", [PHASE_CONFLICT] = "conflict",
	[PHASE_PAUSED] = "paused", [PHASE_ORPHANED] = "orphaned", [PHASE_INVALID] = "invalid",
};

const char *
phase_name(enum phase phase)
{
	return phase_names[phase];
}

bool
phase_unhealthy(enum phase phase)
{
	return phase == PHASE_DRIFT || phase == PHASE_FAILED || phase == PHASE_CONFLICT ||
	    phase == PHASE_ORPHANED || phase == PHASE_INVALID;
}

static enum phase
phase_of_resources(const struct isv_state *s)
{
	bool conflict = false, failed = false, drift = false, seen = false;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		const struct resource *r = &s->resources[i];

		if (r->name == NULL)
			continue;
		seen |= r->state != STATE_UNKNOWN;
		conflict |= r->conflict;
		failed |= r->state == STATE_FAILED;
		drift |= r->state == STATE_DRIFT || r->state == STATE_MISSING;
	}
	if (conflict)
		return PHASE_CONFLICT;
	if (failed || s->error != NULL)
		return PHASE_FAILED;
	if (drift)
		return PHASE_DRIFT;
	return seen && s->last_sync != 0 ? PHASE_OK : PHASE_PENDING;
}

enum phase
registry_phase(const struct registry *r)
{
	if (r->isv == NULL)
		return r->daemon->config == NULL ? phase_of_resources(r->state) : PHASE_ORPHANED;
	if (r->state->pause.on)
		return PHASE_PAUSED;
	if (r->isv->error != NULL || r->slot == NULL)
		return PHASE_INVALID;
	if (r->task != NULL || (r->running && r->acted && (r->work == WORK_DEEP || r->recheck)))
		return PHASE_SYNCING;
	return phase_of_resources(r->state);
}

bool
registry_is_synced(const struct registry *r)
{
	return r->state->synced_id != NULL && text_equal(r->state->synced_id, r->wanted_id);
}

bool
registry_in_order(const struct registry *r)
{
	return registry_phase(r) == PHASE_OK && registry_is_synced(r);
}

/* A section that was pushed by mistake leaves nothing behind when it is taken back. */
bool
registry_forgettable(const struct registry *r)
{
	const struct isv_state *s = r->state;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++)
		if (s->resources[i].name != NULL)
			return false;
	return r->isv == NULL && r->slot == NULL && !r->running && !s->pause.on &&
	    s->n_unlogged == 0 && s->n_base == 0 && s->last_sync == 0 &&
	    LIST_EMPTY(&r->waiters) && LIST_EMPTY(&r->followers);
}

/* What a sync depends on. */

static void
hash_text(struct buf *b, const char *s)
{
	buf_printf(b, "%zu:%s,", s != NULL ? strlen(s) : 0, s != NULL ? s : "");
}

/* Puts the hash of what was collected into *id; true: that differs. */
static bool
id_take(char **id, const struct buf *b)
{
	git_oid oid = repo_oid_of_bytes(buf_str(b), b->len);
	char hex[GIT_OID_HEXSZ + 1];

	git_oid_tostr(hex, sizeof(hex), &oid);
	if (text_equal(*id, hex))
		return false;
	free(*id);
	*id = xstrdup(hex);
	return true;
}

enum wanted_change
registry_set_wanted(struct registry *r, const struct config *c, const git_oid *metadata_tree,
    const char *mask_id)
{
	cleanup(buf_done) struct buf b = BUF_INIT;
	char hex[GIT_OID_HEXSZ + 1];
	bool by_tasks, by_syncs;

	hash_text(&b, r->isv->bucket);
	hash_text(&b, r->isv->domain);
	hash_text(&b, r->isv->app);
	hash_text(&b, r->isv->fqdn);
	hash_text(&b, r->isv->public_url);
	buf_printf(&b, "%d,", r->isv->access);
	hash_text(&b, c->openshift.server_url);
	hash_text(&b, c->openshift.username);
	hash_text(&b, c->aws.access_key);
	hash_text(&b, c->aws.region);
	hash_text(&b, c->aws.endpoint);
	hash_text(&b, metadata_tree != NULL ? git_oid_tostr(hex, sizeof(hex), metadata_tree) : "");
	hash_text(&b, mask_id);
	by_tasks = id_take(&r->needed_id, &b);
	/* How an app is made and sized is nothing to who publishes to it. */
	hash_text(&b, r->isv->gear_size);
	buf_printf(&b, "%d %d,", r->isv->scale, r->isv->create);
	hash_text(&b, c->openshift.app_git_url);
	hash_text(&b, c->openshift.app_git_branch);
	hash_text(&b, c->openshift.cartridge);
	by_syncs = id_take(&r->wanted_id, &b);
	return by_tasks ? WANTED_BY_ALL : by_syncs ? WANTED_BY_SYNCS : WANTED_SAME;
}

/* Waiters. */

static void
finish_waiters(struct registry *r, const struct reconcile_result *result, const struct error *err)
{
	struct waiter *w, *next;

	for (w = LIST_FIRST(&r->waiters); w != NULL; w = next) {
		next = LIST_NEXT(w, entry);
		if (!w->attached)
			continue;
		LIST_REMOVE(w, entry);
		w->done(w, r, result, err);
		/* A done() may end other waits of its caller. */
		next = LIST_FIRST(&r->waiters);
	}
}

static void
detach_waiters(struct registry *r)
{
	struct waiter *w;

	LIST_FOREACH(w, &r->waiters, entry)
		w->attached = false;
}

/* Attaches those that this run serves. True: it is a dry one, for waiters who want only that;
 * the others are served by the next. */
static bool
attach_waiters(struct registry *r)
{
	struct waiter *w;
	bool dry = false;

	LIST_FOREACH(w, &r->waiters, entry)
		dry |= w->dry_run;
	LIST_FOREACH(w, &r->waiters, entry) {
		w->attached = w->dry_run == dry;
		if (w->attached && w->started != NULL)
			w->started(w, r);
	}
	return dry;
}

static bool
waiters_left(const struct registry *r)
{
	return !LIST_EMPTY(&r->waiters);
}

/* Tasks. */

/* Ends those that have not begun; what for is told to whoever waits for them. */
static void
drop_tasks(struct registry *r, enum error_kind kind, const char *why)
{
	struct error err = ERROR_INIT;
	struct task *task;

	while ((task = TAILQ_FIRST(&r->tasks)) != NULL) {
		TAILQ_REMOVE(&r->tasks, task, entry);
		error_set(&err, kind, "%s: %s", task->what, why);
		task->done(task, r, &err);
	}
}

static void
log_task(struct registry *r, const struct task *task, const struct error *err)
{
	if (err == NULL)
		registry_log_event(r, task->topic, "INFO", EVENT_TASK_DONE, NULL, "%s is done",
		    task->what);
	else if (err->kind == ERROR_CANCELLED)
		registry_log(r, task->topic, "INFO", "%s was stopped", task->what);
	else
		registry_log_event(r, task->topic, "ERROR", EVENT_TASK_FAILED, NULL, "%s", err->text);
}

/* The run's end: saving, telling, and giving the slot back. */

static void
free_backups(struct registry *r)
{
	size_t i;

	for (i = 0; i < r->n_backups; i++) {
		free(r->backups[i].name);
		buf_done(&r->backups[i].bytes);
	}
	free(r->backups);
	r->backups = NULL;
	r->n_backups = 0;
}

/* After a deployment Crane needs a moment: looks at 1, 2, 4 … s until it answers. */
static void
plan_recheck(struct registry *r, const struct reconcile_result *out)
{
	bool well = out->plan.resources[RESOURCE_HEALTH].state == STATE_OK;
	int64_t now = clock_monotonic_ms();

	if (out->deployed)
		r->rechecks = 0;
	r->recheck = (out->deployed || r->recheck) && !well && r->rechecks < RECHECKS_MAX &&
	    out->error.kind == ERROR_NONE;
	if (r->recheck)
		scheduler_request_at(r->daemon->scheduler, r->slot, WORK_LIGHT,
		    now + ((int64_t)1000 << r->rechecks++));
}

void
registry_unschedule(struct registry *r)
{
	struct waiter *w;
	struct error err;

	if (r->slot == NULL)
		return;
	if (r->running) {
		r->unserved = r->superseded = true;
		job_supersede(&r->job->job);
		return;
	}
	scheduler_remove(r->daemon->scheduler, r->slot);
	r->slot = NULL;
	r->unserved = false;
	error_set(&err, ERROR_CANCELLED, "its section in raas.cfg cannot be served any more");
	LIST_FOREACH(w, &r->waiters, entry)
		w->attached = true;
	finish_waiters(r, NULL, &err);
	drop_tasks(r, ERROR_CONFLICT, err.text);
}

static void
count_run(struct registry *r, const struct job *job, enum run_result result)
{
	struct counters *c = &r->daemon->counters;
	enum run_kind kind = r->task != NULL ? RUN_TASK : r->work == WORK_DEEP ? RUN_DEEP : RUN_LIGHT;

	c->runs[kind][result]++;
	if (job->started_ms != 0)
		c->run_ms[kind] += (uint64_t)(clock_monotonic_ms() - job->started_ms);
}

/* The slot is free again: for those who came during the run, or for nobody. */
static void
after_run(struct registry *r)
{
	if (r->unserved)
		registry_unschedule(r);
	else if (waiters_left(r) || !TAILQ_EMPTY(&r->tasks))
		scheduler_request(r->daemon->scheduler, r->slot, WORK_DEEP, true,
		    clock_monotonic_ms());
	daemon_run_ended(r->daemon);
}

/* The slot is given back as it was got: what it was for besides is asked for again, and a look
 * at what was changed is due anyway. */
static void
end_task(struct registry *r, const struct error *err)
{
	struct task *task = steal(r->task);

	r->running = false;
	scheduler_done(r->daemon->scheduler, r->slot, WORK_NONE, true, clock_monotonic_ms());
	plan_recheck(r, &r->job->out);
	r->job = NULL;
	free_backups(r);
	log_task(r, task, err);
	task->done(task, r, err);
	if (!r->unserved)
		scheduler_request(r->daemon->scheduler, r->slot, WORK_DEEP, false,
		    clock_monotonic_ms());
	after_run(r);
}

static void
end_run(struct registry *r)
{
	struct reconcile_job *job = r->job;
	struct reconcile_result *out = &job->out;
	bool ok = out->error.kind == ERROR_NONE && (r->work == WORK_LIGHT || result_saw_all(out));
	bool deep_done = r->work == WORK_DEEP && r->acted;

	count_run(r, &job->job, out->error.kind == ERROR_NONE ? RUN_OK : RUN_FAILED);
	if (r->task != NULL) {
		end_task(r, out->error.kind != ERROR_NONE ? &out->error : NULL);
		return;
	}
	r->running = false;
	r->job = NULL;
	scheduler_done(r->daemon->scheduler, r->slot,
	    r->acted ? r->work : WORK_NONE, ok || !r->acted, clock_monotonic_ms());
	if (!ok && r->acted && job->job.started_ms <= r->daemon->accounts_back_ms)
		daemon_try_soon(r);
	if (deep_done && result_everything_ok(out) && result_saw_all(out)) {
		free(r->state->synced_id);
		r->state->synced_id = xstrdup(r->run_id);
	}
	plan_recheck(r, out);
	if (!r->dry)
		troubles_note(r->daemon->troubles, r, job->job.started_ms, r->work == WORK_DEEP);
	free_backups(r);
	finish_waiters(r, out, out->error.kind != ERROR_NONE ? &out->error : NULL);
	reconcile_job_free(job);
	after_run(r);
}

static void
note_saved(void *arg, const struct error *err)
{
	struct daemon *d = arg;

	incident_set(&d->saves, err != NULL ? err->text : NULL);
}

static void
on_saved(void *arg, const struct error *err)
{
	struct registry *r = arg;

	note_saved(r->daemon, err);
	/* A state that cannot be saved is said, but holds nobody up: it can be rebuilt. */
	if (err != NULL && r->job->out.error.kind == ERROR_NONE)
		r->job->out.error = *err;
	end_run(r);
}

void
registry_save(struct registry *r, void (*done)(void *, const struct error *), void *arg)
{
	state_store_write(r->daemon->store, r->state, done != NULL ? done : note_saved,
	    done != NULL ? arg : r->daemon);
}

void
registry_backups_done(struct registry *r, const struct error *err)
{
	struct reconcile_result *out = &r->job->out;
	size_t i;

	for (i = 0; i < r->n_backups && err == NULL; i++)
		isv_state_set_base(r->state, r->backups[i].name, &r->backups[i].content);
	if (err != NULL && out->error.kind == ERROR_NONE) {
		out->error = *err;
		error_prefix(&out->error, "cannot back up metadata");
		if (r->task == NULL)
			registry_take_error(r, &out->error);
	}
	registry_save(r, on_saved, r);
}

/* The next run of the slot is this task's, on the configuration of then. False: it cannot. */
static bool
begin_task_again(struct registry *r)
{
	struct task *task = r->task;
	struct reconcile_job *job = task->renew != NULL ? task->renew(task, r) : NULL;

	if (job == NULL)
		return false;
	task->job = job;
	r->task = NULL;
	r->job = NULL;
	r->running = false;
	registry_log(r, task->topic, "INFO", "%s begins again, as what it works for was changed "
	    "meanwhile", task->what);
	TAILQ_INSERT_HEAD(&r->tasks, task, entry);
	scheduler_done(r->daemon->scheduler, r->slot, WORK_NONE, true, clock_monotonic_ms());
	after_run(r);
	return true;
}

/* What the task had done by then is done; a sync finds it. */
static void
drop_task(struct registry *r)
{
	bool cancelled = r->stopped || !r->superseded || r->daemon->stopping;
	const char *why = cancelled ? "cancelled" : r->unserved
	    ? "its section in raas.cfg cannot be served any more" : r->state->pause.on
	    ? "the ISV was paused" : "what it works for was changed meanwhile; try again, nothing "
	    "that was done is done again";
	struct error err;

	count_run(r, &r->job->job, RUN_CANCELLED);
	if (registry_take_base(r, &r->job->out))
		registry_save(r, NULL, NULL);
	if (!cancelled && !r->unserved && !r->state->pause.on && begin_task_again(r))
		return;
	error_set(&err, cancelled ? ERROR_CANCELLED : ERROR_CONFLICT, "%s: %s", r->task->what, why);
	end_task(r, &err);
}

/* The run was stopped, which is no failure. What it had done by then is done. */
static void
drop_run(struct registry *r)
{
	struct reconcile_job *job = r->job;
	bool steps = registry_take_steps(r, &job->out);
	bool base = registry_take_base(r, &job->out);
	struct error err;

	count_run(r, &job->job, RUN_CANCELLED);
	if (steps || base)
		registry_save(r, NULL, NULL);
	error_set(&err, ERROR_CANCELLED, "cancelled");
	r->running = false;
	r->job = NULL;
	scheduler_done(r->daemon->scheduler, r->slot, WORK_NONE, true, clock_monotonic_ms());
	if (r->superseded && !r->daemon->stopping) {
		detach_waiters(r);
		scheduler_request(r->daemon->scheduler, r->slot, WORK_DEEP, false,
		    clock_monotonic_ms());
	} else {
		finish_waiters(r, NULL, &err);
	}
	reconcile_job_free(job);
	after_run(r);
}

void
registry_abandon(struct registry *r)
{
	if (r->task != NULL)
		drop_task(r);
	else
		drop_run(r);
}

/* The bases of these move when they are in a commit. */
static void
take_backups(struct registry *r)
{
	struct reconcile_result *out = &r->job->out;

	r->backups = steal(out->backups);
	r->n_backups = out->n_backups;
	out->n_backups = 0;
	registry_take_base(r, out);
	daemon_flush(r->daemon, true);
}

static void
on_done(struct job *job)
{
	struct reconcile_job *j = (struct reconcile_job *)job;
	struct registry *r = j->owner;
	bool changed;

	if (!job->ran || r->superseded || j->out.error.kind == ERROR_CANCELLED) {
		drop_run(r);
		return;
	}
	if (r->dry) {
		end_run(r);
		return;
	}
	changed = registry_take_result(r, &j->out);
	if (j->out.n_backups > 0) {
		take_backups(r);
	} else if (changed) {
		registry_save(r, on_saved, r);
	} else {
		end_run(r);
	}
}

static void
on_event(struct job *job, void *event)
{
	struct registry *r = ((struct reconcile_job *)job)->owner;
	struct reconcile_event *e = event;
	struct waiter *w, *next;

	for (w = LIST_FIRST(&r->waiters); w != NULL; w = next) {
		next = LIST_NEXT(w, entry);
		if (w->attached && w->step != NULL)
			w->step(w, r, e);
	}
	reconcile_event_free(e);
}

static void
on_task_done(struct job *job)
{
	struct reconcile_job *j = (struct reconcile_job *)job;
	struct registry *r = j->owner;

	if (!job->ran || r->superseded || j->out.error.kind == ERROR_CANCELLED) {
		drop_task(r);
		return;
	}
	if (j->out.n_backups > 0) {
		take_backups(r);
	} else if (registry_take_base(r, &j->out)) {
		registry_save(r, on_saved, r);
	} else {
		end_run(r);
	}
}

static void
on_task_event(struct job *job, void *event)
{
	struct registry *r = ((struct reconcile_job *)job)->owner;

	r->task->event(r->task, r, event);
}

static struct inventory *
usable_inventory(const struct registry *r)
{
	struct daemon *d = r->daemon;
	struct waiter *w;

	/* Who asks for this one ISV wants to know how it is now. */
	LIST_FOREACH(w, &r->waiters, entry)
		if (w->attached && !r->after_sweep)
			return NULL;
	if (d->inventory == NULL || clock_monotonic_ms() - d->inventory_ms > INVENTORY_FRESH_MS)
		return NULL;
	return inventory_ref(d->inventory);
}

static bool
wants_diffs(const struct registry *r)
{
	struct waiter *w;

	LIST_FOREACH(w, &r->waiters, entry)
		if (w->attached && w->want_diffs)
			return true;
	return false;
}

static void
fill_input(struct registry *r, struct reconcile_input *in)
{
	struct daemon *d = r->daemon;
	size_t i;

	in->places = &d->places;
	in->config = config_ref(d->config);
	in->isv = r->isv;
	in->inventory = usable_inventory(r);
	in->mask = d->mask != NULL ? mask_ref(d->mask) : NULL;
	in->mask_error = d->mask_error;
	in->tip = d->repo.tip;
	in->work = r->work;
	in->act = r->acted;
	in->backup = d->settings->commit;
	in->take = r->take;
	in->n_base = r->state->n_base;
	in->base = xcalloc(in->n_base, sizeof(*in->base));
	for (i = 0; i < in->n_base; i++)
		in->base[i] = (struct base_file){ xstrdup(r->state->base[i].name),
		    r->state->base[i].content };
	in->health_failures = r->state->health_failures;
	in->health_memory = r->state->health_memory;
	in->access = text_equal(r->state->access_bucket, r->isv->bucket) ? r->state->access
	    : ACCESS_UNKNOWN;
	in->bucket_refused = r->state->resources[RESOURCE_BUCKET].state == STATE_FAILED;
	in->n_images = r->state->n_images;
	in->images = xcalloc(in->n_images, sizeof(*in->images));
	for (i = 0; i < in->n_images; i++)
		in->images[i] = xstrdup(r->state->images[i]);
	in->want_diffs = wants_diffs(r);
}

void
registry_add_task(struct registry *r, struct task *task)
{
	TAILQ_INSERT_TAIL(&r->tasks, task, entry);
	daemon_request(r->daemon, r, WORK_LIGHT, true);
}

static void
start_task(struct registry *r)
{
	struct task *task = TAILQ_FIRST(&r->tasks);
	struct reconcile_job *j = task->job;

	TAILQ_REMOVE(&r->tasks, task, entry);
	r->task = task;
	r->dry = false;
	r->acted = true;
	r->work = WORK_NONE;
	fill_input(r, &j->in);
	j->job.done = on_task_done;
	j->job.event = on_task_event;
	j->job.timeout_ms = TASK_TIMEOUT_MS;
	j->job.name = task->topic;
	j->job.isv = r->state->name;
	j->owner = r;
	r->job = j;
	if (task->started != NULL)
		task->started(task, r);
	workers_submit(r->daemon->jobs, &j->job);
}

void
registry_start(struct registry *r, enum work work)
{
	struct reconcile_job *j;

	r->running = true;
	r->superseded = r->stopped = false;
	if (!TAILQ_EMPTY(&r->tasks)) {
		start_task(r);
		return;
	}
	j = reconcile_job_new();
	r->dry = attach_waiters(r);
	r->acted = !r->dry && !r->state->pause.on && r->isv->error == NULL;
	r->work = work;
	free(r->run_id);
	r->run_id = xstrdup(r->wanted_id);
	fill_input(r, &j->in);
	r->after_sweep = false;
	if (!r->dry)
		r->take = TAKE_NONE;
	j->job.done = on_done;
	j->job.event = on_event;
	j->job.timeout_ms = RUN_TIMEOUT_MS;
	j->job.name = "sync";
	j->job.isv = r->state->name;
	j->owner = r;
	r->job = j;
	workers_submit(r->daemon->jobs, &j->job);
}

bool
registry_cancel(struct registry *r)
{
	struct error err;
	bool queued;

	if (r->slot == NULL)
		return false;
	queued = scheduler_unrequest(r->daemon->scheduler, r->slot);
	if (r->running && r->backups == NULL) {
		r->stopped = true;
		job_cancel(&r->job->job);
		return true;
	}
	if (!r->running && (waiters_left(r) || !TAILQ_EMPTY(&r->tasks))) {
		struct waiter *w;

		error_set(&err, ERROR_CANCELLED, "cancelled");
		LIST_FOREACH(w, &r->waiters, entry)
			w->attached = true;
		finish_waiters(r, NULL, &err);
		drop_tasks(r, ERROR_CANCELLED, err.text);
		return true;
	}
	return queued;
}

/* Pauses. */

static void
on_pause_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	registry_resume(arg, "raasd, for the time given was over");
}

static void
set_pause_timer(struct registry *r)
{
	time_t left = r->state->pause.until - time(NULL);
	struct timeval tv = { left > 0 ? left : 0, 0 };

	if (r->pause_end != NULL) {
		event_free(r->pause_end);
		r->pause_end = NULL;
	}
	if (!r->state->pause.on || r->state->pause.until == 0)
		return;
	r->pause_end = evtimer_new(r->daemon->base, on_pause_end, r);
	evtimer_add(r->pause_end, &tv);
}

void
registry_pause(struct registry *r, const char *by, const char *reason, time_t until)
{
	struct pause *p = &r->state->pause;

	free(p->by);
	free(p->reason);
	*p = (struct pause){ .on = true, .by = xstrdup(by), .reason = xstrdup(reason),
	    .since = time(NULL), .until = until };
	set_pause_timer(r);
	registry_log_event(r, "PAUSE", "INFO", EVENT_PAUSED, NULL, "paused by %s%s%s", by, reason[0] != '\0' ? ": " : "",
	    reason);
	if (r->running && r->acted && r->backups == NULL && r->job != NULL) {
		r->superseded = true;
		job_supersede(&r->job->job);
	}
	drop_tasks(r, ERROR_CONFLICT, "the ISV was paused");
	daemon_set_timer(r->daemon->schedule_timer, 0);
}

void
registry_resume(struct registry *r, const char *by)
{
	struct pause *p = &r->state->pause;

	if (!p->on)
		return;
	free(p->by);
	free(p->reason);
	*p = (struct pause){ .on = false };
	set_pause_timer(r);
	registry_log_event(r, "PAUSE", "INFO", EVENT_RESUMED, NULL, "resumed by %s", by);
	registry_save(r, NULL, NULL);
	if (r->slot != NULL)
		daemon_request(r->daemon, r, WORK_DEEP, false);
}

void
registry_forget(struct registry *r)
{
	isv_state_forget(r->state);
	set_pause_timer(r);
	registry_save(r, NULL, NULL);
}

struct registry *
registry_new(struct daemon *d, struct isv_state *state)
{
	struct registry *r = xcalloc(1, sizeof(*r));

	r->daemon = d;
	r->state = state;
	TAILQ_INIT(&r->tasks);
	LIST_INIT(&r->waiters);
	LIST_INIT(&r->followers);
	set_pause_timer(r);
	return r;
}

void
registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	if (r->slot != NULL) {
		registry_cancel(r);
		scheduler_remove(r->daemon->scheduler, r->slot);
	}
	troubles_forget(r->daemon->troubles, r);
	if (r->pause_end != NULL)
		event_free(r->pause_end);
	free_backups(r);
	registry_forget_lines(r);
	free(r->recent);
	isv_state_free(r->state);
	free(r->wanted_id);
	free(r->needed_id);
	free(r->run_id);
	free(r);
}
