/* deadline.h - until when a blocking call may go on, and whether it was told to stop.
 *
 * Every function of the daemon that can block takes one. A plain value, lent down the calls;
 * the flag it points to is set by another thread (shutdown, `raasctl cancel`). Any thread. */
#ifndef DAEMON_DEADLINE_H
#define DAEMON_DEADLINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct deadline {
	int64_t			 at_ms;		/* on clock_monotonic_ms()'s scale */
	const atomic_bool	*cancelled;	/* may be NULL */
	/* The same, but a change that has been asked for is waited for: else nobody would know
	 * whether it was made. May be NULL. */
	const atomic_bool	*superseded;
};

int64_t	 clock_monotonic_ms(void);	/* counts on while the host is suspended */
int64_t	 clock_awake_ms(void);		/* does not */

struct deadline	deadline_in(int64_t ms, const atomic_bool *cancelled);
/* The outer deadline, or `ms` from now if that is sooner. */
struct deadline	deadline_within(const struct deadline *, int64_t ms);
/* For the asking for a change: it does not end by being superseded. */
struct deadline	deadline_of_change(const struct deadline *);
int64_t	 deadline_left_ms(const struct deadline *);	/* 0 when passed or cancelled */
bool	 deadline_cancelled(const struct deadline *);
/* 0, or -1: ERROR_CANCELLED "cancelled", ERROR_REMOTE "no answer in time". */
int	 deadline_check(const struct deadline *, struct error *);
/* Waits; returns as deadline_check() does when that ends first. Notices a cancel in 100 ms. */
int	 deadline_sleep(const struct deadline *, int64_t ms, struct error *);

#endif
