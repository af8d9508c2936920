/* mask-job.h - the job that fetches Red Hat's metadata. Loop thread only. */
#ifndef DAEMON_MASK_JOB_H
#define DAEMON_MASK_JOB_H

#include <git2.h>

#include "daemon/config.h"
#include "daemon/reconcile.h"
#include "daemon/redhat-metadata.h"
#include "daemon/workers.h"

struct mask_job_input {
	const struct places	*places;	/* lent, outlives the job */
	const char		*state_dir;	/* copied, as all below */
	struct config		*config;
	struct mask		*last;		/* may be NULL */
	git_oid			 tip;		/* the config repo's commit */
};

/* `done` comes on the loop. mask is lent; NULL with err when the source is away or not valid. */
void	 mask_job_start(struct workers *, const struct mask_job_input *,
	    void (*done)(void *arg, struct mask *, const struct error *err), void *arg);

char	*mask_keep_dir(const char *state_dir);	/* of the last good copy; the caller's */

#endif
