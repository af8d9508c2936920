/* observe-bucket.h - looking at an ISV's bucket: is it there, does it hold what the metadata names,
 * and can everybody read that.
 *
 * In a job; reads only. A part of observe.h. */
#ifndef DAEMON_OBSERVE_BUCKET_H
#define DAEMON_OBSERVE_BUCKET_H

#include <stdbool.h>

#include "daemon/crane-metadata.h"
#include "daemon/observe.h"
#include "daemon/references.h"

/* What the ISV's own files say is published, and where that must be. */
struct published {
	struct crane_ids	 names;
	struct crane_objects	 objects;
	struct references	 references;	/* of all who share the bucket */
	bool			 unclear;	/* not all of those are known */
};

void	 published_done(struct published *);

/* Each fills its part of `out`; what cannot be seen is a failed sighting of that part. */
void	 observe_bucket(struct session *, struct observed *out);
/* Every object that the metadata names is looked for, and what nothing names is counted. */
void	 observe_layers(struct session *, struct published *, struct observed *out);
/* Comes after the layers: one of them is the proof. */
void	 observe_access(struct session *, struct observed *out);

/* What an object of an image is to be put with, for others to read it. */
enum s3_canned_acl session_acl(const struct session *);

#endif
