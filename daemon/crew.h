/* crew.h - a few threads that share out the numbered pieces of one job's work.
 *
 * Belongs to a job, which is one of the threads itself and is back when all pieces are done. Each
 * thread has tools of its own (connections), which are kept from one piece of work to the next.
 * No state is shared but the list of what is to be done, which a piece may add to. */
#ifndef DAEMON_CREW_H
#define DAEMON_CREW_H

#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"

#define CREW_MAX 64u		/* threads */

struct crew;

struct crew_options {
	unsigned int	 threads;	/* the caller's included; at least 1 */
	size_t		 stack_size;
	/* Both in the caller's thread. NULL with err: they cannot be made. */
	void		*(*tools_new)(void *arg, struct error *err);
	void		 (*tools_free)(void *tools);
	void		*arg;
};

/* One piece, in any thread of the crew. */
typedef int crew_fn(void *arg, void *tools, size_t i, struct error *err);

struct crew *crew_new(const struct crew_options *, struct error *err);
void	 crew_free(struct crew *);		/* NULL is fine */
CLEANUP_FUNC(struct crew, crew_free);

void	*crew_tools(struct crew *);		/* of the caller's own thread */
/* Pieces 0 to n - 1. After the first that fails no other is begun, and its error is returned. */
int	 crew_run(struct crew *, size_t n, crew_fn *, void *arg, struct error *err);
/* In a piece: n more, begun before what is still waiting. crew_run() is back when they are done,
 * too; after a failure they may never be begun. */
void	 crew_add(struct crew *, size_t n, crew_fn *, void *arg);

#endif
