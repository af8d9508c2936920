/* validate-job.h - the job that validates what an ISV has published. Loop thread only.
 *
 * What should be served is read from the config repo's metadata. Nothing else of the daemon is
 * touched, so it may run beside any other job. */
#ifndef DAEMON_VALIDATE_JOB_H
#define DAEMON_VALIDATE_JOB_H

#include <git2.h>

#include "daemon/validate.h"
#include "daemon/workers.h"

struct validate_request {
	const char	*config_repo;	/* path; lent until the job is done */
	git_oid		 tip;
	const char	*isv;
	const char	*url;		/* of the registry */
	const char	*image;		/* as it is pulled; NULL: all of them */
	bool		 deep;
};

/* All on the loop. `image` is the name that is pulled, or of a file that is no metadata. */
struct validate_listener {
	void	(*step)(void *arg, const char *image, const struct validate_step *);
	void	(*report)(void *arg, const char *image, const struct validate_report *);
	/* The last. err NULL: all was looked at, whatever was found. */
	void	(*done)(void *arg, const struct error *err);
	void	*arg;
};

/* Copies the request. job_cancel() ends it soon, by way of done(). */
struct job *validate_job_start(struct workers *, const struct validate_request *,
	    const struct validate_listener *);

#endif
