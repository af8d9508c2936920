/* watchdog.h - notices a stage that goes on beyond its deadline: a job, the config thread, the
 * writer of the state, or the loop itself.
 *
 * Every blocking call has a deadline and asks for it, so that nothing gets stuck; the watchdog is
 * for the day on which that is not true. systemd's watchdog, where it is set (WatchdogSec=), is
 * fed only while nothing is stuck for longer than its time; then systemd starts raasd afresh.
 * A stage that is stuck is also said in the log, once, and for as long as it lasts in the status.
 * Loop thread only. */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct watchdog;

/* What is stuck. (The loop is never in here: while it is stuck it answers nobody.) */
struct stuck {
	char	 stage[32];	/* "sync", "pull" … */
	char	 isv[65];	/* that it works for; "": none */
	int64_t	 over_s;	/* beyond its deadline */
};

/* Begins to look, and to feed; once a second the daemon's status goes to systemd, see notify.h. */
struct watchdog *watchdog_new(struct daemon *);
void	 watchdog_free(struct watchdog *);		/* NULL is fine */

/* The stage that is furthest beyond its deadline; false: none is. A stage may take a moment to
 * notice its deadline, which counts as none. */
bool	 watchdog_stuck(const struct daemon *, struct stuck *);
/* The loop has not gone round for a while, because the host slept or raasd was stopped, and the
 * watchdog did not have its turn yet. NULL is fine: false. */
bool	 watchdog_late(const struct watchdog *);
/* "stuck in sync of isv1 for 12 s" */
void	 stuck_format(const struct stuck *, char *text, int size);

#endif
