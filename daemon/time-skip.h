/* time-skip.h - how far the time of day last ran on without us: the host slept, or its clock was
 * set forward.
 *
 * What lasts too long is an alarm, and nothing lasts while raasd cannot work on it: who judges an
 * age takes it from here. Clocks that are set back are no matter, no age is below 0. Of several
 * skips only the last is left out, so that what is never mended is told in the end. A plain value
 * of the loop's; no I/O. */
#ifndef DAEMON_TIME_SKIP_H
#define DAEMON_TIME_SKIP_H

#include <stdint.h>
#include <time.h>

struct time_skip {
	time_t	 wall;		/* when we looked last, by both clocks */
	int64_t	 awake_ms;
	time_t	 at;		/* when the last skip was noticed; 0: never */
	int64_t	 by_s;
};

/* Looks at both clocks, as often as possible: CLOCK_MONOTONIC counts the time that we were awake. */
void	 time_skip_look(struct time_skip *, time_t wall, int64_t awake_ms);
/* How long it has lasted. */
int64_t	 time_skip_age_s(const struct time_skip *, time_t since, time_t now);

#endif
