/* scheduler.h - which ISV is worked on next: due times, backoff, and what excludes what.
 *
 * Loop thread only. Pure: it reads no clock and draws no random number of its own; "now" is a
 * parameter (ms, any monotonic scale) and the jitter comes from a seed. Cost per call is
 * O(log n) in the number of ISVs.
 *
 * Order of hand-out: what somebody asked for, then fresh work, then repeats of what failed.
 * ISVs that share a target (an app, a bucket) never run at once. */
#ifndef DAEMON_SCHEDULER_H
#define DAEMON_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scheduler;
struct slot;		/* an ISV's place in the scheduler */

enum work {
	WORK_NONE,
	WORK_LIGHT,		/* a light check */
	WORK_DEEP,		/* a full comparison and repair */
};

struct scheduler_options {
	int64_t		deep_interval_ms;
	int64_t		backoff_min_ms;		/* after the first failure; doubles each time */
	int64_t		backoff_max_ms;
	uint64_t	seed;			/* of the jitter */
};

#define SLOT_TARGETS_MAX 2

struct scheduler *scheduler_new(const struct scheduler_options *);
void	 scheduler_free(struct scheduler *);	/* all slots must have been removed */
void	 scheduler_set_options(struct scheduler *, const struct scheduler_options *);

/* `owner` comes back from scheduler_next(). The first deep check is due within first_deep_ms,
 * at a random point. targets: names such as "app:isv1/registry"; NULL entries are none. */
struct slot *scheduler_add(struct scheduler *, void *owner, const char *const *targets,
    int64_t now, int64_t first_deep_ms);
void	 scheduler_remove(struct scheduler *, struct slot *);	/* not while it runs */
/* Takes effect at the next run when it is running. */
void	 scheduler_set_targets(struct scheduler *, struct slot *, const char *const *targets);

/* Asks for work soon. What is queued already is joined (deeper wins); what is asked for while
 * the slot runs is done after that. `urgent`: somebody waits; goes before all else and ends a
 * backoff. */
void	 scheduler_request(struct scheduler *, struct slot *, enum work, bool urgent, int64_t now);
/* The same, but not before `at`; an earlier request stays. */
void	 scheduler_request_at(struct scheduler *, struct slot *, enum work, int64_t at);
bool	 scheduler_unrequest(struct scheduler *, struct slot *);	/* true: something was queued */

/* A paused slot is never handed out; requests are kept for the resume. */
void	 scheduler_pause(struct scheduler *, struct slot *, bool paused, int64_t now);

/* After a time in which nothing could be done, because the host slept: what fell due meanwhile
 * comes at random points within spread_ms from now, and not all at once. What is queued already,
 * and what somebody waits for, keeps its turn. */
void	 scheduler_woke(struct scheduler *, int64_t now, int64_t spread_ms);

/* The next piece of work, its slot marked as running; NULL: nothing is ready now. */
void	*scheduler_next(struct scheduler *, int64_t now, enum work *out);
/* The run has ended. ok false: the slot is tried again after a backoff. */
void	 scheduler_done(struct scheduler *, struct slot *, enum work done, bool ok, int64_t now);

int64_t	 scheduler_wakeup(const struct scheduler *);	/* when something falls due; -1: nothing will */
size_t	 scheduler_ready(const struct scheduler *);	/* queued, not running */
unsigned int slot_failures(const struct slot *);
int64_t	 slot_due(const struct slot *);			/* of the next run; -1: none planned */
bool	 slot_running(const struct slot *);

#endif
