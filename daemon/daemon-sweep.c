#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/sweep-job.h"

#define BACKOFF_SPREAD_MS 10000	/* so that not all come back at once */

/* Sweeps: one look at the accounts, then one at each registry. */

void
daemon_try_soon(struct registry *r)
{
	scheduler_request_at(r->daemon->scheduler, r->slot, WORK_DEEP,
	    clock_monotonic_ms() + random() % BACKOFF_SPREAD_MS);
}

/* An account is back: what failed for its sake need not wait for the end of its backoff. */
static void
end_backoffs(struct daemon *d, int64_t now)
{
	size_t i;

	d->accounts_back_ms = now;
	for (i = 0; i < d->n_registries; i++) {
		struct registry *r = d->registries[i];

		if (r->slot != NULL && slot_failures(r->slot) > 0)
			daemon_try_soon(r);
	}
}

static size_t
served_isvs(const struct daemon *d)
{
	size_t i, n = 0;

	for (i = 0; i < d->n_registries; i++)
		n += d->registries[i]->slot != NULL;
	return n;
}

static void
note_accounts(struct daemon *d, const struct inventory *inventory, int64_t now)
{
	const struct error *broker = inventory_openshift_error(inventory);
	const struct error *s3 = inventory_s3_error(inventory);
	size_t isvs = served_isvs(d);
	bool back = troubles_account(d->troubles, CAUSE_OPENSHIFT, broker != NULL ? broker->text
	    : NULL, isvs);

	back |= troubles_account(d->troubles, CAUSE_S3, s3 != NULL ? s3->text : NULL, isvs);
	d->counters.sweeps[broker != NULL || s3 != NULL]++;
	if (back || d->accounts_changed)
		end_backoffs(d, now);
	d->accounts_changed = false;
}

static void
look_after_sweep(struct daemon *d, struct registry *r, bool asked, int64_t now)
{
	enum work work = asked ? r->sweep_work : WORK_NONE;

	if (r->slot == NULL)
		return;
	if (work == WORK_NONE) {
		scheduler_request(d->scheduler, r->slot, WORK_LIGHT, false, now);
		return;
	}
	r->sweep_work = WORK_NONE;
	r->after_sweep = true;
	scheduler_request(d->scheduler, r->slot, work, true, now);
}

static void
on_swept(void *arg, struct inventory *inventory)
{
	struct daemon *d = arg;
	int64_t now = clock_monotonic_ms();
	/* Who asked while this sweep was going on waits for the next. */
	bool asked = !d->sweep_again;
	size_t i;

	d->sweeping = false;
	if (d->stopping || inventory == NULL)
		return;
	if (d->sweep_outdated) {
		d->sweep_outdated = d->sweep_again = false;
		daemon_sweep(d);
		return;
	}
	inventory_unref(d->inventory);
	d->inventory = inventory_ref(inventory);
	d->inventory_ms = now;
	note_accounts(d, inventory, now);
	for (i = 0; i < d->n_registries; i++)
		look_after_sweep(d, d->registries[i], asked, now);
	daemon_set_timer(d->sweep_timer, d->sweep_again ? 0 : d->settings->check_interval_ms);
	d->sweep_again = false;
	daemon_schedule(d);
}

void
daemon_sweep(struct daemon *d)
{
	if (d->config == NULL || d->stopping)
		return;
	if (d->sweeping) {
		d->sweep_again = true;
		return;
	}
	d->sweeping = true;
	sweep_job_start(d->jobs, d->config, on_swept, d);
}

void
daemon_sweep_anew(struct daemon *d)
{
	inventory_unref(d->inventory);
	d->inventory = NULL;
	d->accounts_changed = true;
	d->sweep_outdated = d->sweeping;
	daemon_sweep(d);
}

void
daemon_on_sweep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	daemon_sweep(arg);
}
