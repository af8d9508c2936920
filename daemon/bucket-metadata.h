/* bucket-metadata.h - what the config repo says of the objects in one bucket, by the metadata of all
 * ISVs that have that bucket.
 *
 * In a job, on its own view. All return -1 with err when a file cannot be read or is not valid:
 * what it names is not known then. */
#ifndef DAEMON_BUCKET_METADATA_H
#define DAEMON_BUCKET_METADATA_H

#include "daemon/config-view.h"
#include "daemon/config.h"
#include "daemon/references.h"

struct bucket_metadata {
	const struct config_view	*view;
	const git_oid			*tip;
	const struct config		*config;
	const char			*bucket;
	struct references		*out;
};

/* The files of those ISVs, but of `except` (may be NULL). */
int	 bucket_metadata_add(const struct bucket_metadata *, const struct isv *except,
	    struct error *err);
/* The files of folders of which nobody knows what bucket they are for: without a section in
 * raas.cfg, or with one that has errors. */
int	 bucket_metadata_protect_strays(const struct bucket_metadata *, struct error *err);
/* The prefixes of all that those ISVs ever had published in the bucket. */
int	 bucket_metadata_add_history(const struct bucket_metadata *, const struct deadline *,
	    struct error *err);

#endif
