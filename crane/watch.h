/* watch.h - says when a directory of metadata files may have changed.
 *
 * inotify on every folder of it, and on each directory along its path: the directory, or one
 * above it, may be a link that is replaced at a deploy. Where inotify cannot see (a link behind a
 * link, a limit of the host, a network file system) it looks once a minute. Belongs to the thread
 * of its event loop. */
#ifndef CRANE_WATCH_H
#define CRANE_WATCH_H

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/error.h"

struct watch;

/* Calls fn, from the loop, when changes have come to rest. Everything that changes after the
 * return of watch_new, or of what fn replaces, is noticed: read the directory then. */
struct watch *watch_new(struct event_base *, const char *dir, void (*fn)(void *arg), void *arg,
	    struct error *err);
void	 watch_free(struct watch *);		/* NULL is fine */
CLEANUP_FUNC(struct watch, watch_free);

#endif
