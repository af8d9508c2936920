/* observe.h - looking at one ISV's registry: broker, S3, app repo, Crane.
 *
 * In a job. Reads only, but for the cached copy of the app repo. What cannot be seen becomes a
 * failed sighting of that part, so that one dead service hides nothing else. */
#ifndef DAEMON_OBSERVE_H
#define DAEMON_OBSERVE_H

#include "daemon/app-repo.h"
#include "daemon/config-view.h"
#include "daemon/observed.h"
#include "daemon/openshift.h"
#include "daemon/reconcile.h"
#include "daemon/s3.h"

/* What a job works with; made by reconcile.c, lent to observing and acting. */
struct session {
	const struct reconcile_input	*in;
	const struct deadline		*deadline;
	struct http			*http;
	struct openshift		*openshift;
	struct s3			*s3;
	struct config_view		*view;		/* NULL until it is needed */
	struct app_repo			*app_repo;	/* NULL until there is an app */
	bool				 fresh;		/* ask for this ISV alone, inventory or not */
	char				*public_base;	/* s3_public_url or its default, no slash */
	enum access_method		 access;	/* that works in the bucket, as far as is known */
};

/* Lends all that it is given; to be closed also after a failure. */
int	 session_open(struct session *, const struct reconcile_input *, const struct deadline *,
	    struct http *, struct error *err);
void	 session_close(struct session *);

/* From now on nothing is taken from the inventory, or from where it led. */
void	 session_look_afresh(struct session *);

/* Fills an empty `out`. deep: also app repo, access, layers. */
void	 observe(struct session *, bool deep, struct observed *out);

/* For one git operation. */
struct deadline session_git_deadline(const struct session *);

/* Only the app and the metadata files; into an empty `out`. ERROR_MISSING: there is no app yet. */
int	 session_look_files(struct session *, struct observed *out, struct error *err);

/* The content of a metadata file by its blob id: the config repo's, Red Hat's, or the app's. */
int	 session_read_config(struct session *, const struct blob_id *, struct buf *out,
	    struct error *err);
int	 session_read_mask(struct session *, const char *name, struct buf *out, struct error *err);
int	 session_read_app(struct session *, const struct blob_id *, struct buf *out,
	    struct error *err);

/* "https://host[:port]" that clients use, or NULL while nothing is known; the caller's. */
char	*registry_base_url(const struct isv *, const struct observed_app *);

#endif
