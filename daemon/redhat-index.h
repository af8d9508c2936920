/* redhat-index.h - the files that a web server's listing of a directory links to.
 *
 * Pure; any thread. */
#ifndef DAEMON_REDHAT_INDEX_H
#define DAEMON_REDHAT_INDEX_H

#include <stddef.h>

#include "common/error.h"
#include "daemon/crane-metadata.h"

/* Adds the names of the metadata files [A-Za-z0-9._-]+.json that the page links to in its own
 * directory, sorted, each once. `path` is the path of the page's URL up to its last slash.
 * Fails when there are more than `max`. */
int	 redhat_index_names(const char *html, size_t len, const char *path, size_t max,
	    struct crane_ids *out, struct error *err);

#endif
