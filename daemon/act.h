/* act.h - doing one step of a plan. In a job; every step may be repeated. */
#ifndef DAEMON_ACT_H
#define DAEMON_ACT_H

#include "daemon/observe.h"
#include "daemon/plan.h"

/* 0: done. 1: somebody else was faster, so look again. -1 with err. What the step changed that the
 * loop must know goes into `out`: files that are to be backed up, bases, whether something was
 * deployed. */
int	 act(struct session *, const struct step *, const struct observed *,
	    struct reconcile_result *out, struct error *err);

#endif
