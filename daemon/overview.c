#include "daemon/overview.h"

#include "daemon/daemon.h"

/* Is a sync of it due at all? */
static bool
is_served(enum phase phase)
{
	return phase != PHASE_PAUSED && phase != PHASE_ORPHANED && phase != PHASE_INVALID;
}

static void
count_isvs(const struct daemon *d, struct overview *o)
{
	size_t i;

	o->isvs = d->n_registries;
	for (i = 0; i < d->n_registries; i++) {
		enum phase phase = registry_phase(d->registries[i]);
		time_t synced = d->registries[i]->state->last_sync;

		o->phases[phase]++;
		if (!is_served(phase))
			continue;
		if (synced == 0)
			o->unsynced++;
		else if (o->oldest_sync == 0 || synced < o->oldest_sync)
			o->oldest_sync = synced;
	}
}

const char *
registry_error(const struct registry *r)
{
	const struct config *c = r->daemon->config;
	size_t i;

	if (r->isv != NULL && r->isv->error != NULL)
		return r->isv->error;
	if (r->isv != NULL && r->slot == NULL)
		return c->openshift.error != NULL ? c->openshift.error : c->aws.error;
	if (r->state->error != NULL)
		return r->state->error;
	for (i = 0; i < N_RESOURCE_KINDS; i++)
		if (r->state->resources[i].name != NULL &&
		    r->state->resources[i].state == STATE_FAILED)
			return r->state->resources[i].detail;
	return NULL;
}

unsigned int
registry_failures(const struct registry *r)
{
	unsigned int failures = r->slot != NULL ? slot_failures(r->slot) : 0;

	return r->state->health_failures > failures ? r->state->health_failures : failures;
}

void
overview_take(struct daemon *d, struct overview *o)
{
	struct incident *all[DAEMON_INCIDENTS];
	size_t i;

	_Static_assert(DAEMON_INCIDENTS <= OVERVIEW_INCIDENTS, "there is room for every incident");
	daemon_look_at_clocks(d);
	*o = (struct overview){ .now = d->skip.wall, .skip = d->skip, .started = d->started,
	    .last_pull = d->last_pull, .last_push = d->last_push, .unpushed = d->repo.unpushed,
	    .unpushed_since = d->unpushed_since, .running = d->running,
	    .queued = scheduler_ready(d->scheduler), .counters = d->counters };
	count_isvs(d, o);
	o->is_stuck = watchdog_stuck(d, &o->stuck);
	o->n_incidents = daemon_incidents(d, all);
	for (i = 0; i < o->n_incidents; i++)
		o->incidents[i] = (struct overview_incident){ all[i]->what,
		    all[i]->text != NULL ? all[i]->since : 0, all[i]->text != NULL ? all[i]->isvs : 0 };
}

int64_t
overview_age_s(const struct overview *o, time_t since)
{
	return time_skip_age_s(&o->skip, since, o->now);
}

int64_t
overview_pull_age_s(const struct overview *o)
{
	return overview_age_s(o, o->last_pull != 0 ? o->last_pull : o->started);
}

int64_t
overview_unpushed_age_s(const struct overview *o)
{
	return o->unpushed_since != 0 ? overview_age_s(o, o->unpushed_since) : 0;
}

int64_t
overview_sync_age_s(const struct overview *o)
{
	int64_t oldest = o->oldest_sync != 0 ? overview_age_s(o, o->oldest_sync) : 0;
	int64_t never = o->unsynced > 0 ? overview_age_s(o, o->started) : 0;

	return oldest > never ? oldest : never;
}
