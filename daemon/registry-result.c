#include "daemon/registry-result.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/daemon.h"

/* A success that changed nothing is written down this often only. */
#define SAVE_AGE_S (6 * 3600)

static bool
was_worked_on(const struct reconcile_result *out, enum resource_kind kind)
{
	size_t i;

	for (i = 0; i < out->n_steps; i++)
		if (out->steps[i].resource == kind)
			return true;
	return false;
}

/* A resource's state changed by itself; what a step or an error tells is not told twice. */
static void
log_transition(struct registry *r, const struct resource *before, const struct resource *after,
    const struct reconcile_result *out)
{
	const char *kind = resource_kind_name(after->kind);
	bool was_bad = before->name != NULL && before->state != STATE_UNKNOWN &&
	    before->state != STATE_OK;

	if ((after->state == before->state && after->conflict == before->conflict) ||
	    (r->acted && was_worked_on(out, after->kind)) ||
	    (out->error.kind != ERROR_NONE && after->detail != NULL &&
	    strstr(out->error.text, after->detail) != NULL))
		return;
	if (after->state == STATE_OK && was_bad)
		registry_log_own(r, "SYNC", "INFO", "%s is ok again", kind);
	else if (after->state == STATE_FAILED || after->state == STATE_DRIFT ||
	    after->state == STATE_MISSING)
		registry_log_own(r, "SYNC", after->state == STATE_FAILED ? "ERROR" : "WARNING",
		    "%s: %s%s%s", kind, resource_state_name(after->state),
		    after->detail != NULL ? ": " : "", after->detail != NULL ? after->detail : "");
}

/* Moves what the run judged into the state; what it did not look at stays. */
static bool
take_resources(struct registry *r, struct reconcile_result *out)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		struct resource *old = &r->state->resources[i], *new = &out->plan.resources[i];

		if (!out->looked[i] || new->name == NULL)
			continue;
		log_transition(r, old, new, out);
		changed |= old->name == NULL || old->state != new->state ||
		    old->conflict != new->conflict || !text_equal(old->detail, new->detail) ||
		    !text_equal(old->name, new->name);
		free(old->name);
		free(old->detail);
		*old = *new;
		old->name = xstrdup(new->name);
		old->detail = xstrdup(new->detail);
	}
	return changed;
}

static bool
take_string(char **to, const char *from)
{
	if (from == NULL || text_equal(*to, from))
		return false;
	free(*to);
	*to = xstrdup(from);
	return true;
}

bool
registry_take_base(struct registry *r, const struct reconcile_result *out)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < out->n_base; i++) {
		struct blob_id old = isv_state_base(r->state, out->base[i].name);

		if (blob_id_equal(&old, &out->base[i].content))
			continue;
		isv_state_set_base(r->state, out->base[i].name, &out->base[i].content);
		changed = true;
	}
	return changed;
}

static bool
take_access(struct registry *r, const struct reconcile_result *out)
{
	struct isv_state *s = r->state;
	bool changed = s->access != out->access;

	if (!out->looked[RESOURCE_ACCESS])
		return false;
	s->access = out->access;
	return take_string(&s->access_bucket, r->isv->bucket) || changed;
}

static bool
take_images(struct registry *r, struct reconcile_result *out)
{
	struct isv_state *s = r->state;
	bool changed = out->n_images != s->n_images;
	size_t i;

	if (!out->looked[RESOURCE_METADATA])
		return false;
	for (i = 0; i < out->n_images && !changed; i++)
		changed = strcmp(s->images[i], out->images[i]) != 0;
	if (!changed)
		return false;
	for (i = 0; i < s->n_images; i++)
		free(s->images[i]);
	free(s->images);
	s->images = steal(out->images);
	s->n_images = out->n_images;
	out->n_images = 0;
	return true;
}

/* Errors are told when they begin, change their kind, and end; not at each new try. */
bool
registry_take_error(struct registry *r, const struct error *err)
{
	struct isv_state *s = r->state;
	bool had = s->error != NULL, has = err->kind != ERROR_NONE;
	bool changed = had != has || (has && !text_equal(s->error, err->text));

	if (has && (!had || s->error_kind != err->kind))
		registry_log_own(r, "SYNC", "ERROR", "%s", err->text);
	else if (had && !has)
		registry_log_own(r, "SYNC", "INFO", "works again");
	free(s->error);
	s->error = has ? xstrdup(err->text) : NULL;
	s->error_kind = err->kind;
	return changed;
}

bool
result_everything_ok(const struct reconcile_result *out)
{
	size_t i;

	if (out->error.kind != ERROR_NONE)
		return false;
	for (i = 0; i < N_RESOURCE_KINDS; i++)
		if (out->looked[i] && (out->plan.resources[i].conflict ||
		    out->plan.resources[i].state == STATE_FAILED))
			return false;
	return true;
}

/* A deep look that could not see all for an account's sake is repeated, without an error of its
 * own: the sweep has told of the account. Red Hat's metadata being away stops nobody. */
bool
result_saw_all(const struct reconcile_result *out)
{
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++)
		if (out->looked[i] && out->plan.resources[i].state == STATE_UNKNOWN &&
		    i != RESOURCE_REDHAT_METADATA)
			return false;
	return true;
}

bool
registry_take_steps(struct registry *r, const struct reconcile_result *out)
{
	bool any = false;
	size_t i;

	for (i = 0; i < out->n_steps && r->acted; i++) {
		if (out->steps[i].failed)
			continue;
		registry_log_event(r, "SYNC", "INFO", EVENT_SYNC_CHANGED,
		    resource_kind_name(out->steps[i].resource), "%s", out->steps[i].past);
		r->daemon->counters.changes[out->steps[i].resource]++;
		any = true;
	}
	return any;
}

bool
registry_take_result(struct registry *r, struct reconcile_result *out)
{
	struct isv_state *s = r->state;
	time_t now = time(NULL);
	bool changed = false;

	changed |= registry_take_steps(r, out);
	changed |= take_resources(r, out);
	changed |= registry_take_base(r, out);
	changed |= take_images(r, out);
	changed |= take_access(r, out);
	changed |= take_string(&s->fqdn, out->fqdn);
	changed |= take_string(&s->url, out->url);
	/* Who could not look does not know that what failed works again. */
	if (out->error.kind != ERROR_NONE || result_saw_all(out))
		changed |= registry_take_error(r, &out->error);
	if (out->looked[RESOURCE_HEALTH]) {
		s->health_failures = out->health_failed ? s->health_failures + 1 : 0;
		s->health_memory = out->health_memory;
	}
	if (r->work == WORK_DEEP && r->acted && result_everything_ok(out) && result_saw_all(out)) {
		changed |= now - s->last_sync >= SAVE_AGE_S;
		s->last_sync = now;
	}
	return changed;
}
