#include "daemon/daemon.h"

/* When the time of day is set back. */

static void
move_times(struct daemon *d, int64_t back_s)
{
	time_t *const own[] = { &d->started, &d->last_pull, &d->last_push, &d->unpushed_since };
	struct incident *all[DAEMON_INCIDENTS];
	size_t n = daemon_incidents(d, all), i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		time_skip_move(&d->skip, own[i], back_s);
	for (i = 0; i < n; i++)
		time_skip_move(&d->skip, &all[i]->since, back_s);
	for (i = 0; i < d->n_registries; i++) {
		time_skip_move(&d->skip, &d->registries[i]->state->last_sync, back_s);
		time_skip_move(&d->skip, &d->registries[i]->state->pause.since, back_s);
	}
}

void
daemon_look_at_clocks(struct daemon *d)
{
	int64_t back_s = time_skip_look(&d->skip, time(NULL), clock_awake_ms());

	if (back_s > 0)
		move_times(d, back_s);
}
