/* references.h - what a bucket's objects are to the metadata of those who share the bucket.
 *
 * Pure. Filled with every metadata file that there is, sealed, then asked key by key. */
#ifndef DAEMON_REFERENCES_H
#define DAEMON_REFERENCES_H

#include <stdbool.h>

#include "daemon/crane-metadata.h"

struct references {
	struct crane_ids	 keys;		/* that some metadata names */
	struct crane_ids	 prefixes;	/* of image repositories, now or once */
	struct crane_ids	 opaque;	/* of those whose metadata does not name all it needs */
};

#define REFERENCES_INIT { CRANE_IDS_INIT, CRANE_IDS_INIT, CRANE_IDS_INIT }

enum reference {
	REFERENCE_NAMED,
	REFERENCE_FOREIGN,	/* not of an image repository that is known, or not of its layout */
	REFERENCE_UNCLEAR,	/* of one whose metadata does not tell: written by Pulp, not by raasd */
	REFERENCE_NONE,		/* nobody names it */
};

/* prefix: "some-app/", where the file's objects are. Masked blobs count as named: what is there
 * may have been put there for a redirector that knows no origins. */
void	 references_add(struct references *, const struct crane_metadata *, const char *prefix);
/* The same, but it does not make the prefix one of a repository that is known. */
void	 references_protect(struct references *, const struct crane_metadata *, const char *prefix);
/* An image repository that has no metadata any more. */
void	 references_add_prefix(struct references *, const char *prefix);
void	 references_seal(struct references *);
void	 references_done(struct references *);

enum reference references_judge(const struct references *, const char *key);

#endif
