/* plan.h - what is to be done for one ISV: a pure function of what is wanted and what was seen.
 *
 * No I/O, no clock. A plan is a value of the job that made it. Steps stand in the order in which
 * they are to be done; each is safe to repeat. Nothing is ever planned that deletes an app, a
 * domain, a bucket, a layer, or a file that raasd did not write. */
#ifndef DAEMON_PLAN_H
#define DAEMON_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config.h"
#include "daemon/observed.h"

enum resource_kind {
	RESOURCE_DOMAIN, RESOURCE_APP, RESOURCE_BUCKET, RESOURCE_ACCESS, RESOURCE_REDHAT_METADATA,
	RESOURCE_METADATA, RESOURCE_LAYERS, RESOURCE_HEALTH, N_RESOURCE_KINDS
};

enum resource_state { STATE_UNKNOWN, STATE_OK, STATE_DRIFT, STATE_MISSING, STATE_FAILED };

struct resource {
	enum resource_kind	 kind;
	enum resource_state	 state;
	bool			 conflict;	/* waits for `raasctl resolve` */
	char			*name;
	char			*detail;	/* NULL: nothing to say */
};

enum step_kind {
	STEP_CREATE_DOMAIN, STEP_CREATE_APP, STEP_SET_VARIABLES, STEP_SET_DEPLOYMENT,
	STEP_CREATE_BUCKET, STEP_FIND_ACCESS, STEP_SET_POLICY, STEP_SET_ACLS, STEP_PUSH_FILES, STEP_BACKUP_FILES,
	STEP_RESTART_APP
};

/* One file of STEP_PUSH_FILES or STEP_BACKUP_FILES. */
struct step_file {
	char		*name;
	bool		 redhat;
	bool		 remove;
	struct blob_id	 content;	/* what it becomes; none with `remove` */
};

struct step {
	enum step_kind		 kind;
	enum resource_kind	 resource;
	char			*text;		/* "create bucket 'isv1.bucket'" */
	char			*past;		/* "created bucket 'isv1.bucket'" */
	struct step_file	*files;
	size_t			 n_files;
};

struct plan {
	struct resource	 resources[N_RESOURCE_KINDS];
	struct step	*steps;
	size_t		 n_steps;
};

#define PLAN_INIT { .n_steps = 0 }

struct plan_input {
	const struct isv		*isv;
	const struct openshift_config	*openshift;
	const struct aws_config		*aws;
	enum merge_take			 take;
};

/* The environment variables without which Crane does not run in a python cartridge (FACTS of
 * the broker: they are given at the app's creation and kept afterwards). */
struct app_variable {
	const char	*name;
	const char	*value;
};
#define N_CRANE_VARIABLES 3
extern const struct app_variable crane_variables[N_CRANE_VARIABLES];

/* The first deployment of an app is always of this branch, and raasd pushes to it. */
#define DEPLOYMENT_BRANCH "master"
/* Failed health checks in a row before an app with `restart = yes` is restarted. */
#define HEALTH_FAILURES_BEFORE_RESTART 3

void	 plan_make(const struct plan_input *, const struct observed *, struct plan *);
void	 plan_done(struct plan *);

/* What came of a step: its resource is in order now, or its state is the error. */
void	 plan_succeed(struct plan *, enum resource_kind);
void	 plan_fail(struct plan *, enum resource_kind, const struct error *);

const char *resource_kind_name(enum resource_kind);	/* "bucket" */
const char *resource_state_name(enum resource_state);	/* "ok" */

#endif
