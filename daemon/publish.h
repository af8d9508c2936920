/* publish.h - the job that makes an image available in one ISV's registry, or takes one out.
 *
 * It runs in a worker as a sync does, on the same input, and hands back the same result, so the
 * loop takes it over in the same way: backups, bases, what was deployed. Until the metadata is
 * pushed to the app the image that was there is served; stopping it anywhere is safe, and a
 * second run sends nothing twice. */
#ifndef DAEMON_PUBLISH_H
#define DAEMON_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/extent.h"
#include "daemon/reconcile.h"

/* What it is told to do; ours. */
struct publish_order {
	char		*image;		/* "acme/app" */
	char		*tag;		/* NULL: the tags that the source has */
	int		 fd;		/* of an archive, a pipe or a directory; -1: none */
	char		*from;		/* NULL, or docker://… or https://… */
	char		*auth_file;	/* with the login for that: settings.h; NULL: none */
	bool		 remove;	/* take the image out of service; no source is needed */
	bool		 validate;	/* see that the registry serves it, else put the old one back */
	int64_t		 validate_timeout_ms;	/* until the app has it */
	unsigned int	 parallel;
	uint64_t	 part_size;	/* bytes */
};

enum layer_state {
	LAYER_COMPRESSING, LAYER_FETCHING, LAYER_UPLOADING,
	/* It is over: */
	LAYER_UPLOADED, LAYER_PRESENT, LAYER_COPIED, LAYER_MASKED
};

/* What it tells as it goes; made for job_post(), freed by the loop. */
struct publish_event {
	char			*text;		/* of a stage; NULL: of a layer, as follows */
	char			 digest[DIGEST_SIZE];	/* "" while it is not compressed */
	char			*diff_id;	/* NULL: unknown */
	enum layer_state	 state;
	uint64_t		 done, size;	/* bytes */
	uint64_t		 rate;		/* bytes a second; 0: not known yet */
	int64_t			 left_ms;	/* -1: not known yet */
};

struct publish_totals {
	size_t		 uploaded, copied, present, masked;	/* blobs */
	uint64_t	 bytes;			/* that were sent, manifests included */
};

struct publish_job {
	struct reconcile_job	 base;		/* first, as the loop knows this part */
	struct publish_order	 order;
	struct publish_totals	 totals;
	char			**tags;		/* that the registry has afterwards */
	size_t			 n_tags;
	char			*pull_name;	/* "registry.example.com/acme/app"; NULL: not known */
};

struct publish_job *publish_job_new(void);
void	 publish_job_free(struct publish_job *);	/* with what its base holds */
void	 publish_event_free(struct publish_event *);
bool	 layer_state_ends(enum layer_state);
const char *layer_state_name(enum layer_state);		/* "uploading"; static */

#endif
