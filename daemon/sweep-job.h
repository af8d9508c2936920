/* sweep-job.h - the job that takes the inventory of the accounts. Loop thread only. */
#ifndef DAEMON_SWEEP_JOB_H
#define DAEMON_SWEEP_JOB_H

#include "daemon/config.h"
#include "daemon/inventory.h"
#include "daemon/workers.h"

/* `done` comes on the loop; the inventory is lent, and NULL when the job was stopped. */
void	 sweep_job_start(struct workers *, struct config *,
	    void (*done)(void *arg, struct inventory *), void *arg);

#endif
