/* live.h - what is served now: the last good store and the last good keys, and what the last
 * reading refused.
 *
 * Made by the thread that watches the directory, immutable, shared with references. Pages that
 * show all of it are written once, here. */
#ifndef CRANE_LIVE_H
#define CRANE_LIVE_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "crane/keys.h"
#include "crane/load.h"
#include "crane/store.h"

enum live_page {
	LIVE_STATUS,		/* JSON, /raas/status */
	LIVE_V1_JSON,		/* /crane/repositories and …/v1 */
	LIVE_V1_HTML,
	LIVE_V2_JSON,		/* /crane/repositories/v2 */
	LIVE_V2_HTML,
	LIVE_PAGES		/* how many there are */
};

struct live;

/* After a reading that gave `loaded` and `refused`: all or nothing. If something was refused, the
 * store of `before` (may be NULL) stays, unless that was not whole either: until a reading was
 * whole, the good files of the last one are served. Takes loaded, what refused holds and a
 * reference of its own to the keys; keys_refused: why those in the files are not served, or NULL. */
struct live *live_new(const struct live *before, struct store *loaded, struct refusals *refused,
	    struct keys *, const char *keys_refused, int64_t now);
struct live *live_ref(struct live *);
void	 live_unref(struct live *);		/* NULL is fine */
CLEANUP_FUNC(struct live, live_unref);

const struct store *live_store(const struct live *);
const struct refusals *live_refusals(const struct live *);
const struct keys *live_keys(const struct live *);		/* NULL: none are wanted */
const struct buf *live_page(const struct live *, enum live_page);

#endif
