/* bucket-metadata.h - the metadata of all ISVs that have the same bucket, as the config repo has it.
 *
 * In a job, on its own view. */
#ifndef DAEMON_BUCKET_METADATA_H
#define DAEMON_BUCKET_METADATA_H

#include "daemon/config-view.h"
#include "daemon/config.h"
#include "daemon/references.h"

/* The metadata files of those ISVs but `except` (may be NULL). -1 with err, when one cannot be read
 * or is not valid: what such a file names is not known then. */
int	 bucket_metadata_add(const struct config_view *, const git_oid *tip, const struct config *,
	    const char *bucket, const struct isv *except, struct references *, struct error *err);

#endif
