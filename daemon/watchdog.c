#include "daemon/watchdog.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/alloc.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/log.h"
#include "daemon/notify.h"

#define TICK_MS 1000
/* Time that a stage has to notice its deadline: more than libcurl and ssh need to hang up. */
#define SLACK_MS 5000

struct watchdog {
	struct daemon	*daemon;
	struct event	*timer;
	int64_t		 tick_ms;
	int64_t		 limit_ms;	/* systemd's; 0: there is no watchdog */
	int64_t		 fed_ms;
	int64_t		 due_ms;	/* the next tick */
	int64_t		 due_awake_ms;	/* the same on a clock that stands still in a suspend */
	int64_t		 woke_ms;	/* when the loop, or the whole host, last went on; 0: never */
	bool		 starving;	/* no longer fed */
	struct stuck	 said;		/* in the log; over_s 0: nothing */
};

/* Keeps the one that is further beyond its deadline. */
static void
offer(const struct job *job, int64_t by_ms, const struct job **worst, int64_t *worst_ms)
{
	if (job == NULL || by_ms <= *worst_ms)
		return;
	*worst = job;
	*worst_ms = by_ms;
}

static const struct job *
furthest_overdue(const struct daemon *d, int64_t *by_ms)
{
	const struct job *worst = NULL, *job;
	int64_t ms;

	*by_ms = 0;
	if (d->keeper != NULL && (job = keeper_overdue(d->keeper, &ms)) != NULL)
		offer(job, ms, &worst, by_ms);
	if (d->store != NULL && (job = state_store_overdue(d->store, &ms)) != NULL)
		offer(job, ms, &worst, by_ms);
	if (d->jobs != NULL && (job = workers_overdue(d->jobs, &ms)) != NULL)
		offer(job, ms, &worst, by_ms);
	if (d->visitors != NULL && (job = workers_overdue(d->visitors, &ms)) != NULL)
		offer(job, ms, &worst, by_ms);
	return worst;
}

static void
describe(struct stuck *s, const struct job *job, int64_t by_ms)
{
	char *p;

	snprintf(s->stage, sizeof(s->stage), "%s", job->name);
	for (p = s->stage; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	snprintf(s->isv, sizeof(s->isv), "%s", job->isv != NULL ? job->isv : "");
	s->over_s = by_ms / 1000;
}

bool
watchdog_stuck(const struct daemon *d, struct stuck *out)
{
	int64_t by_ms, awake_ms;
	const struct job *job = furthest_overdue(d, &by_ms);

	if (job == NULL)
		return false;
	/* Deadlines pass while a host is suspended; its jobs get their moment when it is awake. */
	if (d->watchdog != NULL && d->watchdog->woke_ms != 0) {
		awake_ms = clock_monotonic_ms() - d->watchdog->woke_ms;
		by_ms = awake_ms < by_ms ? awake_ms : by_ms;
	}
	if (by_ms <= SLACK_MS)
		return false;
	describe(out, job, by_ms);
	return true;
}

void
stuck_format(const struct stuck *s, char *text, int size)
{
	snprintf(text, (size_t)size, "stuck in %s%s%s for %lld s", s->stage,
	    s->isv[0] != '\0' ? " of " : "", s->isv, (long long)s->over_s);
}

static bool
same_stage(const struct stuck *a, const struct stuck *b)
{
	return strcmp(a->stage, b->stage) == 0 && strcmp(a->isv, b->isv) == 0;
}

/* Once when something is stuck, and once when it is over. */
static void
say(struct watchdog *w, bool is_stuck, const struct stuck *now)
{
	struct log_about about = { .message_id = event_table[EVENT_STUCK_ENDED].id };
	char text[160];

	if (w->said.over_s > 0 && (!is_stuck || !same_stage(&w->said, now))) {
		about.isv = w->said.isv[0] != '\0' ? w->said.isv : NULL;
		log_info(&about, "%s is no longer stuck", w->said.stage);
		w->said.over_s = 0;
	}
	if (!is_stuck || w->said.over_s > 0)
		return;
	w->said = *now;
	stuck_format(now, text, sizeof(text));
	about = (struct log_about){ .isv = now->isv[0] != '\0' ? now->isv : NULL,
	    .message_id = event_table[EVENT_STUCK].id };
	log_warning(&about, "%s beyond its deadline", text);
}

static void
feed(struct watchdog *w, bool is_stuck, const struct stuck *stuck)
{
	int64_t now = clock_monotonic_ms();
	bool starve = w->limit_ms > 0 && is_stuck && stuck->over_s * 1000 > w->limit_ms;

	if (starve && !w->starving)
		log_error(NULL, "%s does not end; systemd will start raasd afresh", stuck->stage);
	w->starving = starve;
	if (w->limit_ms == 0 || starve || now - w->fed_ms < w->limit_ms / 2 - w->tick_ms)
		return;
	w->fed_ms = now;
	sd_notify(0, "WATCHDOG=1");
}

static void
notice_gap(struct watchdog *w)
{
	int64_t late_ms = clock_awake_ms() - w->due_awake_ms;

	if (clock_monotonic_ms() - w->due_ms <= SLACK_MS)
		return;
	w->woke_ms = clock_monotonic_ms();
	if (late_ms > SLACK_MS)
		log_warning(NULL, "the event loop was held up for %lld s",
		    (long long)(late_ms / 1000));
	else
		log_info(NULL, "the host slept for %lld s; what fell due meanwhile is spread",
		    (long long)((w->woke_ms - w->due_ms) / 1000));
	daemon_woke(w->daemon);
}

static void
schedule(struct watchdog *w)
{
	w->due_ms = clock_monotonic_ms() + w->tick_ms;
	w->due_awake_ms = clock_awake_ms() + w->tick_ms;
	daemon_set_timer(w->timer, w->tick_ms);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct watchdog *w = arg;
	struct stuck stuck = { .over_s = 0 };
	bool is_stuck;

	(void)fd;
	(void)what;
	notice_gap(w);
	daemon_look_at_clocks(w->daemon);
	is_stuck = watchdog_stuck(w->daemon, &stuck);
	say(w, is_stuck, &stuck);
	feed(w, is_stuck, &stuck);
	notify_status(w->daemon->notify, w->daemon);
	schedule(w);
}

struct watchdog *
watchdog_new(struct daemon *d)
{
	struct watchdog *w = xcalloc(1, sizeof(*w));
	uint64_t limit_us = 0;

	w->daemon = d;
	w->timer = evtimer_new(d->base, on_tick, w);
	if (sd_watchdog_enabled(0, &limit_us) > 0)
		w->limit_ms = (int64_t)(limit_us / 1000);
	/* Twice in half of its time, whatever that is. */
	w->tick_ms = w->limit_ms > 0 && w->limit_ms / 4 < TICK_MS ? w->limit_ms / 4 + 1 : TICK_MS;
	schedule(w);
	return w;
}

void
watchdog_free(struct watchdog *w)
{
	if (w == NULL)
		return;
	event_free(w->timer);
	free(w);
}

bool
watchdog_late(const struct watchdog *w)
{
	return w != NULL && clock_monotonic_ms() - w->due_ms > SLACK_MS;
}
