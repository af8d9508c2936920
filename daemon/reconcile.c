#include "daemon/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/act.h"
#include "daemon/observe.h"

/* Look at where the inventory hints, create what is missing, fill it, see that it works; and two
 * more for others' pushes. */
#define ROUNDS_MAX 6

static void
note_error(struct reconcile_result *out, const struct error *err)
{
	if (out->error.kind == ERROR_NONE)
		out->error = *err;
}

static void
tell(struct reconcile_job *j, const struct step *step, const struct error *err)
{
	struct reconcile_event *e;

	if (j->job.event == NULL)
		return;
	e = xcalloc(1, sizeof(*e));
	e->resource = step->resource;
	e->failed = err != NULL;
	e->text = err != NULL ? xasprintf("could not %s: %s", step->text, err->text)
	    : xstrdup(step->past);
	job_post(&j->job, e);
}

static void
note_step(struct reconcile_result *out, const struct step *step, bool failed)
{
	out->steps = xreallocarray(out->steps, out->n_steps + 1, sizeof(*out->steps));
	out->steps[out->n_steps++] = (struct done_step){ step->resource, xstrdup(step->text),
	    xstrdup(step->past), failed };
}

/* What was tried may turn out to need nothing. */
static void
correct_past(struct step *step, const struct session *s)
{
	if (step->kind != STEP_FIND_ACCESS || s->access != ACCESS_OPEN)
		return;
	free(step->past);
	step->past = xasprintf("found the images in bucket '%s' readable for everybody already",
	    s->in->isv->bucket);
}

/* A step that was begun is ended, so that it is known, and told, what was done. */
static int
do_step(struct reconcile_job *j, struct session *s, struct step *step,
    const struct observed *o, struct error *err)
{
	const struct deadline *all = s->deadline;
	struct deadline of_change = deadline_of_change(all);
	int outcome;

	if (deadline_check(all, err) == -1)
		return -1;
	s->deadline = &of_change;
	outcome = act(s, step, o, &j->out, err);
	s->deadline = all;
	if (outcome == 0)
		correct_past(step, s);
	return outcome;
}

/* A domain that could not be made has no app; a bucket that could not, no policy. What failed
 * once is left to the next run. */
static bool
depends_on_failed(const struct step *step, const bool failed[N_RESOURCE_KINDS])
{
	switch (step->resource) {
	case RESOURCE_APP:
		return failed[RESOURCE_DOMAIN] || failed[RESOURCE_APP];
	case RESOURCE_ACCESS:
		return failed[RESOURCE_BUCKET] || failed[RESOURCE_ACCESS];
	default:
		return failed[step->resource];
	}
}

/* Does the steps in turn. True when another round may get further; what failed in one account
 * does not hold up the other. */
static bool
act_on_plan(struct reconcile_job *j, struct session *s, const struct observed *o,
    bool failed[N_RESOURCE_KINDS])
{
	struct reconcile_result *out = &j->out;
	bool any_done = false;
	size_t i;

	for (i = 0; i < out->plan.n_steps; i++) {
		struct step *step = &out->plan.steps[i];
		struct error err = ERROR_INIT;
		int outcome;

		if (depends_on_failed(step, failed) ||
		    (step->kind == STEP_BACKUP_FILES && !j->in.backup))
			continue;
		outcome = do_step(j, s, step, o, &err);
		if (outcome > 0) {
			any_done = true;
			continue;
		}
		if (outcome == 0) {
			any_done |= step->kind != STEP_BACKUP_FILES;
			if (step->kind != STEP_BACKUP_FILES)
				plan_succeed(&out->plan, step->resource);
			note_step(out, step, false);
			tell(j, step, NULL);
			continue;
		}
		failed[step->resource] = true;
		if (err.kind != ERROR_CANCELLED) {
			note_step(out, step, true);
			tell(j, step, &err);
		}
		plan_fail(&out->plan, step->resource, &err);
		out->failures[step->resource] = err;
		note_error(out, &err);
	}
	return any_done && deadline_check(s->deadline, NULL) == 0;
}

/* What could not be seen is an error of this run, unless the sweep has told of it already. */
static void
note_blindness(struct reconcile_job *j, const struct session *s, const struct observed *o)
{
	bool asked_alone = j->in.inventory == NULL || s->fresh;
	const struct sighting *own[] = { &o->app.variables, &o->app_repo, &o->bucket.access,
	    &o->layers.seen };
	const struct sighting *account[] = { &o->domain, &o->app.seen, &o->bucket.seen };
	size_t i;

	for (i = 0; asked_alone && i < sizeof(account) / sizeof(account[0]); i++)
		if (account[i]->sight == SIGHT_FAILED)
			note_error(&j->out, &account[i]->error);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i]->sight == SIGHT_FAILED)
			note_error(&j->out, &own[i]->error);
}

/* Nothing is to be done about it, and yet the run has failed: it is tried again, with the backoff. */
static void
note_refusal(struct reconcile_job *j, const struct observed *o)
{
	struct error err;

	if (!o->bucket.foreign)
		return;
	error_set(&err, ERROR_CREDENTIALS, "bucket '%s': %s", j->in.isv->bucket,
	    j->out.plan.resources[RESOURCE_BUCKET].detail);
	note_error(&j->out, &err);
}

/* A sweep's inventory is a hint, and may be older than the last repair, or than somebody's
 * deletion: only what was seen just now is acted on, and what has gone is looked for again. Nor is a
 * bucket that refused us in order because the account lists it. */
static bool
needs_fresh_look(const struct reconcile_job *j, const struct session *s, const struct observed *o)
{
	const struct sighting *own[] = { &o->app.variables, &o->bucket.access, &o->layers.seen };
	/* A repo that is gone has no error of its own: its host is unknown, or lets nobody in. */
	bool doubtful = o->app_repo.sight == SIGHT_FAILED;
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		doubtful |= own[i]->sight == SIGHT_FAILED && own[i]->error.kind == ERROR_MISSING;
	doubtful |= j->in.bucket_refused && j->out.plan.resources[RESOURCE_BUCKET].state == STATE_OK;
	return (j->out.plan.n_steps > 0 || doubtful) && j->in.inventory != NULL && !s->fresh;
}

/* ---- what the loop wants to know of the last look ---- */

static void
note_looked(struct reconcile_result *out)
{
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++)
		out->looked[i] = out->plan.resources[i].state != STATE_UNKNOWN ||
		    out->plan.resources[i].detail != NULL;
}

/* Files that are the same on both sides are agreed on: that is the new base. */
static void
note_same_files(struct reconcile_result *out, const struct observed *o)
{
	size_t i;

	for (i = 0; i < o->n_files; i++) {
		const struct observed_file *f = &o->files[i];

		if (f->redhat || f->invalid != NULL ||
		    !blob_id_equal(&f->ids.config, &f->ids.app))
			continue;
		out->base = xreallocarray(out->base, out->n_base + 1, sizeof(*out->base));
		out->base[out->n_base++] = (struct base_file){ xstrdup(f->name), f->ids.config };
	}
}

/* The public name as a client writes it, without a scheme. */
static char *
name_of_url(const char *url)
{
	const char *host = strstr(url, "://");

	return xstrdup(host != NULL ? host + 3 : url);
}

/* What goes to the config repo with this result differs no more. */
static void
note_backed_up(struct reconcile_result *out)
{
	struct resource *r = &out->plan.resources[RESOURCE_METADATA];

	if (out->n_backups == 0 || r->state != STATE_DRIFT || r->conflict)
		return;
	r->state = STATE_OK;
	free(r->detail);
	r->detail = xasprintf("%zu file%s backed up", out->n_backups,
	    out->n_backups == 1 ? "" : "s");
}

static void
note_observed(struct reconcile_job *j, const struct session *s, struct observed *o)
{
	struct reconcile_result *out = &j->out;

	note_backed_up(out);
	note_looked(out);
	if (o->app_repo.sight == SIGHT_PRESENT) {
		note_same_files(out, o);
		out->images = steal(o->images);
		out->n_images = o->n_images;
		o->n_images = 0;
	}
	out->access = s->access;
	out->health_memory = o->health.memory;
	out->health_failed = o->health.seen.sight == SIGHT_FAILED ||
	    o->health.seen.sight == SIGHT_ABSENT;
	if ((out->url = registry_base_url(j->in.isv, &o->app)) != NULL)
		out->fqdn = name_of_url(out->url);
}

static const char *
diff_state(const struct observed_file *f, enum merge_take take)
{
	if (f->redhat)
		return "push";
	switch (merge_decide(&f->ids, take)) {
	case MERGE_PUSH:
		return blob_id_none(&f->ids.app) && !blob_id_none(&f->ids.base) ? "restore" : "push";
	case MERGE_BACKUP:
		return "backup";
	case MERGE_REMOVE:
		return "remove";
	case MERGE_CONFLICT:
		return "conflict";
	case MERGE_SAME:
		break;
	}
	return "same";
}

static void
add_diff(struct reconcile_job *j, struct session *s, const struct observed_file *f)
{
	struct file_diff d = { .name = xstrdup(f->name), .state = diff_state(f, j->in.take),
	    .config = f->ids.config, .app = f->ids.app, .config_bytes = BUF_INIT,
	    .app_bytes = BUF_INIT };

	if (f->redhat)
		session_read_mask(s, f->name, &d.config_bytes, NULL);
	else if (!blob_id_none(&f->ids.config))
		session_read_config(s, &f->ids.config, &d.config_bytes, NULL);
	if (!blob_id_none(&f->ids.app))
		session_read_app(s, &f->ids.app, &d.app_bytes, NULL);
	j->out.diffs = xreallocarray(j->out.diffs, j->out.n_diffs + 1, sizeof(*j->out.diffs));
	j->out.diffs[j->out.n_diffs++] = d;
}

static void
note_diffs(struct reconcile_job *j, struct session *s, const struct observed *o)
{
	size_t i;

	for (i = 0; i < o->n_files; i++)
		if (!blob_id_equal(&o->files[i].ids.config, &o->files[i].ids.app))
			add_diff(j, s, &o->files[i]);
}

/* Files that only `take` decided; noted before the steps are done, for they are equal afterwards. */
static void
note_resolved(struct reconcile_job *j, const struct observed *o)
{
	struct reconcile_result *out = &j->out;
	size_t i;

	for (i = 0; i < o->n_files && j->in.take != TAKE_NONE; i++) {
		const struct observed_file *f = &o->files[i];

		if (f->redhat || merge_decide(&f->ids, TAKE_NONE) != MERGE_CONFLICT)
			continue;
		out->resolved = xreallocarray(out->resolved, out->n_resolved + 1,
		    sizeof(*out->resolved));
		out->resolved[out->n_resolved++] = xstrdup(f->name);
	}
}

static void
note_planned_steps(struct reconcile_result *out)
{
	size_t i;

	for (i = 0; i < out->plan.n_steps; i++)
		note_step(out, &out->plan.steps[i], false);
}

/* ---- the job ---- */

/* What could not be done in an earlier round is still not done, whatever a new look says. */
static void
note_failures(struct reconcile_job *j, const bool failed[N_RESOURCE_KINDS])
{
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++)
		if (failed[i] && j->out.plan.resources[i].state != STATE_OK)
			plan_fail(&j->out.plan, (enum resource_kind)i, &j->out.failures[i]);
}

/* One look, its plan, and what follows from it. True: look again. */
static bool
one_round(struct reconcile_job *j, struct session *s, bool deep, bool failed[N_RESOURCE_KINDS])
{
	struct observed o = OBSERVED_INIT;
	bool again = false;

	plan_done(&j->out.plan);
	observe(s, deep, &o);
	plan_make(&(struct plan_input){ j->in.isv, &j->in.config->openshift, &j->in.config->aws,
	    j->in.take }, &o, &j->out.plan);
	if (needs_fresh_look(j, s, &o)) {
		observed_done(&o);
		return true;
	}
	note_blindness(j, s, &o);
	note_refusal(j, &o);
	note_failures(j, failed);
	if (j->out.n_resolved == 0)
		note_resolved(j, &o);
	if (deadline_check(s->deadline, &j->out.error) == 0 && j->in.act)
		again = act_on_plan(j, s, &o, failed);
	if (!again) {
		note_observed(j, s, &o);
		if (!j->in.act)
			note_planned_steps(&j->out);
		if (j->in.want_diffs)
			note_diffs(j, s, &o);
	}
	observed_done(&o);
	return again;
}

static void
reconcile(struct reconcile_job *j, struct session *s)
{
	bool deep = j->in.work == WORK_DEEP, failed[N_RESOURCE_KINDS] = { false };
	struct error err;
	int round;

	for (round = 1; one_round(j, s, deep, failed); round++) {
		if (round == ROUNDS_MAX) {
			error_set(&err, ERROR_REMOTE, "not in order after %d rounds of repairs: "
			    "somebody else changes it meanwhile", ROUNDS_MAX);
			note_error(&j->out, &err);
			return;
		}
		/* What was changed is looked at where it is, and wholly. */
		session_look_afresh(s);
		deep = true;
	}
}

static void
reconcile_run(struct job *job, void *tools)
{
	struct reconcile_job *j = (struct reconcile_job *)job;
	struct session s;
	struct error err = ERROR_INIT;

	if (session_open(&s, &j->in, &job->deadline, tools, &err) == -1)
		note_error(&j->out, &err);
	else
		reconcile(j, &s);
	session_close(&s);
}

struct reconcile_job *
reconcile_job_new(void)
{
	struct reconcile_job *j = xcalloc(1, sizeof(*j));

	j->job.run = reconcile_run;
	return j;
}

static void
free_input(struct reconcile_input *in)
{
	size_t i;

	for (i = 0; i < in->n_base; i++)
		free(in->base[i].name);
	free(in->base);
	for (i = 0; i < in->n_images; i++)
		free(in->images[i]);
	free(in->images);
	inventory_unref(in->inventory);
	mask_unref(in->mask);
	config_unref(in->config);
}

void
reconcile_result_drop_backups(struct reconcile_result *out)
{
	size_t i;

	for (i = 0; i < out->n_backups; i++) {
		free(out->backups[i].name);
		buf_done(&out->backups[i].bytes);
	}
	free(out->backups);
	out->backups = NULL;
	out->n_backups = 0;
}

static void
free_result(struct reconcile_result *out)
{
	size_t i;

	plan_done(&out->plan);
	for (i = 0; i < out->n_steps; i++) {
		free(out->steps[i].text);
		free(out->steps[i].past);
	}
	free(out->steps);
	for (i = 0; i < out->n_base; i++)
		free(out->base[i].name);
	free(out->base);
	reconcile_result_drop_backups(out);
	for (i = 0; i < out->n_diffs; i++) {
		free(out->diffs[i].name);
		buf_done(&out->diffs[i].config_bytes);
		buf_done(&out->diffs[i].app_bytes);
	}
	free(out->diffs);
	for (i = 0; i < out->n_resolved; i++)
		free(out->resolved[i]);
	free(out->resolved);
	for (i = 0; i < out->n_images; i++)
		free(out->images[i]);
	free(out->images);
	free(out->fqdn);
	free(out->url);
}

void
reconcile_job_done(struct reconcile_job *j)
{
	free_input(&j->in);
	free_result(&j->out);
}

void
reconcile_job_free(struct reconcile_job *j)
{
	if (j == NULL)
		return;
	reconcile_job_done(j);
	free(j);
}

void
reconcile_event_free(struct reconcile_event *e)
{
	free(e->text);
	free(e);
}
