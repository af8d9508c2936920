/* observed.h - what one look at an ISV's registry found; a plain value of the job that looked.
 *
 * Filled by observe.c, read by plan.c. Whatever was not looked at, or could not be seen, says
 * so: nothing is planned from ignorance. */
#ifndef DAEMON_OBSERVED_H
#define DAEMON_OBSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/access.h"
#include "daemon/crane-metadata.h"
#include "daemon/health.h"
#include "daemon/metadata-merge.h"

enum sight {
	SIGHT_NONE,		/* not looked at */
	SIGHT_FAILED,		/* could not be seen: see error */
	SIGHT_ABSENT,
	SIGHT_PRESENT,
};

struct sighting {
	enum sight	 sight;
	struct error	 error;		/* with SIGHT_FAILED */
};

/* A registry's app as the broker shows it. Strings may be NULL while it is not there. */
struct observed_app {
	struct sighting	 seen;
	char		*id;
	char		*app_url;
	char		*git_url;
	char		*alias;		/* the first; NULL: none */
	char		*cartridge;
	char		*gear_size;
	bool		 scale;
	char		*deployment_branch;
	bool		 auto_deploy;
	struct sighting	 variables;	/* PRESENT: as Crane needs them; ABSENT: some are not */
};

struct observed_bucket {
	struct sighting	 seen;		/* PRESENT: ours */
	bool		 foreign;	/* with ABSENT: the name is somebody else's */
	char		*region;	/* NULL: not asked */
	struct sighting	 access;	/* PRESENT: readable as s3_access wants; ABSENT: not so */
	enum access_need access_need;	/* with ABSENT: what mends it */
	char		*access_detail;	/* one line for people; may be NULL */
};

/* One *.json in the app repo's crane/data/, in the config repo or in Red Hat's metadata. */
struct observed_file {
	char		*name;
	bool		 redhat;	/* a mask file; `config` is then Red Hat's content */
	struct merge_input ids;
	char		*invalid;	/* why the side that would win is not valid metadata; NULL: valid */
};

struct observed_layers {
	struct sighting	 seen;		/* PRESENT: looked at, see the counts */
	size_t		 expected;
	size_t		 missing;
	size_t		 wrong_size;
	size_t		 unreferenced;	/* under the images' prefixes, and named by nobody */
	uint64_t	 unreferenced_bytes;
	char		*first_bad;	/* key; NULL: none */
	char		*first_found;	/* key; NULL: none */
};

struct observed_health {
	struct sighting	 seen;		/* PRESENT: answers and serves; ABSENT: answers, lacks images */
	struct health_memory memory;	/* for the next check */
	char		*detail;	/* NULL, or what is lacking */
	unsigned int	 failures_before;	/* checks in a row that failed before this one */
};

struct observed {
	struct sighting		 domain;
	struct observed_app	 app;
	struct observed_bucket	 bucket;
	struct sighting		 app_repo;	/* PRESENT: files[] is complete */
	char			*app_head;	/* commit, hex; NULL: an empty repo */
	struct sighting		 redhat;	/* of Red Hat's metadata itself */
	struct observed_file	*files;		/* sorted by name */
	size_t			 n_files;
	struct observed_layers	 layers;
	struct observed_health	 health;
	char			**images;	/* pull names, sorted; from the metadata */
	size_t			 n_images;
	struct crane_ids	 prefixes;	/* of their objects in the bucket */
};

#define OBSERVED_INIT { .n_files = 0 }

void	 observed_done(struct observed *);	/* empties it */

struct openshift_app;

/* Copies what the broker shows of an app, which is thereby present. */
void	 observed_app_set(struct observed_app *, const struct openshift_app *);
/* Sets a sighting to SIGHT_FAILED with that error. */
void	 sighting_fail(struct sighting *, const struct error *);

#endif
