/* sync-reply.h - what a client is told of a sync while it runs and in the end: SyncEvent and
 * SyncResult of raas.varlink. Loop thread only; shared by the methods that sync. */
#ifndef DAEMON_SYNC_REPLY_H
#define DAEMON_SYNC_REPLY_H

#include "daemon/handlers.h"

/* Nothing is sent to a client that asked for one reply only, or has gone. resource may be NULL. */
void	 sync_event_send(struct control_call *, const struct registry *, const char *kind,
	    const char *level, const char *resource, const char *text);

/* A Step for each that was done, or with `planned` would be; what failed is told by the error. */
json_t	*sync_steps_json(const struct reconcile_result *, bool planned);
bool	 sync_did_something(const struct reconcile_result *);

/* What is to be said of a run; *ok: whether the ISV is in order by it. result NULL: it was
 * stopped. */
json_t	*sync_result_json(const struct registry *, const struct reconcile_result *result,
	    const struct error *err, bool dry_run, bool *ok);

#endif
