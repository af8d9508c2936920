/* pages.h - the pages that show all that is served, for people and for monitors.
 *
 * Pure: each appends its text. Any thread. */
#ifndef CRANE_PAGES_H
#define CRANE_PAGES_H

#include <stdint.h>

#include "common/buf.h"
#include "crane/load.h"
#include "crane/store.h"

/* {"schema", "version", "hash", "loaded_at", "checked_at", "whole", "repositories": {"v1", "v2"},
 * "files": [{"file", "repository", "version", "sha256", "shadowed_by"?}], "refused_total",
 * "refused": [{"file", "reason"}], "keys_refused": REASON or null}. checked_at is the time of the
 * last reading. */
void	 pages_status(const struct store *, const struct refusals *, const char *keys_refused,
	    int64_t checked_at, struct buf *out);

/* As Crane has them: {NAME: {"image_ids", "tags", "protected"}} and {NAME: {"protected"}}. */
void	 pages_v1_json(const struct store *, struct buf *out);
void	 pages_v2_json(const struct store *, struct buf *out);
void	 pages_v1_html(const struct store *, struct buf *out);
void	 pages_v2_html(const struct store *, struct buf *out);

#endif
