/* time-skip.h - how far the time of day last ran on without us: the host slept, or its clock was
 * set forward.
 *
 * What lasts too long is an alarm, and nothing lasts while raasd cannot work on it: who judges an
 * age takes it from here. Of several skips only the last is left out, so that what is never mended
 * is told in the end. When the clock is set back, times that it has shown already would lie ahead,
 * and what began then would have no age until it comes by there again: they are moved with it. No
 * age is below 0. A plain value of the loop's; no I/O. */
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

/* Looks at both clocks, as often as possible: CLOCK_MONOTONIC counts the time that we were awake.
 * How far the time of day was set back since the last look, in seconds; 0: it was not. */
int64_t	 time_skip_look(struct time_skip *, time_t wall, int64_t awake_ms);
/* Moves a time of before the clock was set back, if it can be told that it is one. */
void	 time_skip_move(const struct time_skip *, time_t *, int64_t back_s);
/* How long it has lasted. */
int64_t	 time_skip_age_s(const struct time_skip *, time_t since, time_t now);

#endif
