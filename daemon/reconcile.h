/* reconcile.h - the job that makes one ISV's registry what raas.cfg asks for.
 *
 * observe, plan, act, and again until nothing is left to do. It runs in a worker on an immutable
 * input and hands back one result; it never touches the loop's state. Stopping it anywhere is
 * safe: every step can be repeated. */
#ifndef DAEMON_RECONCILE_H
#define DAEMON_RECONCILE_H

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/config.h"
#include "daemon/health.h"
#include "daemon/http.h"
#include "daemon/inventory.h"
#include "daemon/plan.h"
#include "daemon/redhat-metadata.h"
#include "daemon/repo.h"
#include "daemon/scheduler.h"
#include "daemon/state.h"
#include "daemon/workers.h"

/* Where things are on this host; never changes while jobs run. All lent. */
struct places {
	const char		*config_repo;	/* path of the daemon's bare copy */
	const char		*cache_dir;
	const char		*credentials_dir;	/* NULL: systemd gave none */
	const char		*ssh_command;
	int64_t			 git_timeout_ms;	/* of one git operation */
	struct http_shared	*http;
	struct repo_author	 author;
};

struct reconcile_input {
	const struct places	*places;
	struct config		*config;	/* reference */
	const struct isv	*isv;		/* of that config */
	struct inventory	*inventory;	/* reference; NULL: ask for this ISV alone */
	struct mask		*mask;		/* reference; NULL: there is none yet */
	struct error		 mask_error;	/* why, when there is none */
	git_oid			 tip;		/* the config repo's commit */
	enum work		 work;
	bool			 act;		/* false: look and plan only */
	bool			 backup;	/* may steps write to the config repo */
	enum merge_take		 take;
	struct base_file	*base;		/* copy of the state's, ours */
	size_t			 n_base;
	char			**images;	/* copy of the state's, ours */
	size_t			 n_images;
	unsigned int		 health_failures;
	struct health_memory	 health_memory;
	enum access_method	 access;	/* that works in the bucket, as far as is known */
	bool			 bucket_refused;	/* at the last look at it */
	bool			 want_diffs;	/* texts of what differs, for `diff` */
};

/* A metadata file for the config repo. */
struct backup {
	char		*name;
	bool		 remove;
	struct buf	 bytes;
	struct blob_id	 content;
};

/* What was done, or with act false would be. */
struct done_step {
	enum resource_kind	 resource;
	char			*text;		/* "create bucket 'b'" */
	char			*past;		/* "created bucket 'b'" */
	bool			 failed;
};

/* For `diff`: one file that is not the same on both sides. */
struct file_diff {
	char		*name;
	const char	*state;		/* push backup restore remove conflict; static */
	struct blob_id	 config, app;
	struct buf	 config_bytes, app_bytes;
};

struct reconcile_result {
	struct plan		 plan;		/* the last: its resources are how things stand */
	bool			 looked[N_RESOURCE_KINDS];	/* resources that this run judged */
	struct done_step	*steps;
	size_t			 n_steps;
	bool			 deployed;	/* something was pushed, created or restarted */
	struct base_file	*base;		/* new values, also empty ones; the loop's to merge */
	size_t			 n_base;
	struct backup		*backups;
	size_t			 n_backups;
	struct file_diff	*diffs;
	size_t			 n_diffs;
	char			**resolved;	/* files that were in conflict and are decided by `take` */
	size_t			 n_resolved;
	char			**images;	/* with `looked` metadata */
	size_t			 n_images;
	char			*fqdn;		/* NULL: not known */
	char			*url;
	struct health_memory	 health_memory;
	enum access_method	 access;	/* with `looked` access */
	bool			 health_failed;
	struct error		 failures[N_RESOURCE_KINDS];	/* of the steps that failed */
	struct error		 error;		/* the first that stopped something; kind NONE: all well */
};

/* What a running job tells as it goes; made for job_post(), freed by the loop. */
struct reconcile_event {
	bool			 failed;
	enum resource_kind	 resource;
	char			*text;
};

struct reconcile_job {
	struct job		 job;		/* run is set by reconcile_job_new(), done is not */
	struct reconcile_input	 in;
	struct reconcile_result	 out;
	void			*owner;		/* the loop's */
};

struct reconcile_job *reconcile_job_new(void);
/* Drops the references of the input and all of the result. */
void	 reconcile_job_free(struct reconcile_job *);
void	 reconcile_job_done(struct reconcile_job *);	/* the same for one in another struct */
void	 reconcile_result_drop_backups(struct reconcile_result *);
void	 reconcile_event_free(struct reconcile_event *);

#endif
