/* images-job.h - the job that lists what is published in one ISV's registry. Loop thread only.
 *
 * It reads the config repo's copy on this host, so it needs neither the ISV's slot nor a network. */
#ifndef DAEMON_IMAGES_JOB_H
#define DAEMON_IMAGES_JOB_H

#include <git2.h>
#include <jansson.h>

#include "common/error.h"
#include "daemon/workers.h"

/* `done` comes on the loop: an array of {"name", "version", "file", "tags"}, lent, or NULL and err. */
void	 images_job_start(struct workers *, const char *config_repo, const git_oid *tip,
	    const char *isv, void (*done)(void *arg, json_t *images, const struct error *err),
	    void *arg);

#endif
