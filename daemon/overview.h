/* overview.h - how raasd and its ISVs are, in numbers: what status, check and metrics tell.
 *
 * Taken on the loop, whose state it is computed from, and nowhere else; a plain value without a
 * pointer into that state, so that it may cross threads. */
#ifndef DAEMON_OVERVIEW_H
#define DAEMON_OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "daemon/counters.h"
#include "daemon/registry.h"
#include "daemon/time-skip.h"
#include "daemon/watchdog.h"

struct daemon;

#define OVERVIEW_INCIDENTS 16

struct overview_incident {
	const char	*what;		/* static */
	time_t		 since;		/* 0: all is well */
	size_t		 isvs;
};

struct overview {
	time_t		 now, started;
	struct time_skip skip;
	time_t		 last_pull, last_push;	/* that worked; 0: none since the start */
	size_t		 unpushed;
	time_t		 unpushed_since;	/* 0: all is pushed */
	size_t		 isvs, phases[N_PHASES];
	size_t		 unsynced;		/* of those served, never in order so far */
	time_t		 oldest_sync;		/* of those served that were; 0: of none */
	size_t		 running, queued;
	bool		 is_stuck;
	struct stuck	 stuck;			/* if so */
	struct overview_incident incidents[OVERVIEW_INCIDENTS];
	size_t		 n_incidents;		/* calm ones too */
	struct counters	 counters;
};

void	 overview_take(struct daemon *, struct overview *);
/* Of one ISV: why it is not as it should be, or NULL; and failures in a row. */
const char *registry_error(const struct registry *);
unsigned int registry_failures(const struct registry *);

/* The ages that somebody has to judge, in seconds, without a time that was skipped (time-skip.h). */
int64_t	 overview_age_s(const struct overview *, time_t since);
/* Before the first pull it is raasd's own. */
int64_t	 overview_pull_age_s(const struct overview *);
int64_t	 overview_unpushed_age_s(const struct overview *);	/* 0: all is pushed */
/* Of the ISV whose last good sync is the longest ago; who never had one counts from the start. */
int64_t	 overview_sync_age_s(const struct overview *);

#endif
