/* workers.h - threads that run blocking jobs and hand their results back to the loop.
 *
 * Loop thread only, but for job->run(), which a worker calls, and job_post() and the deadline in
 * the job, which a running job uses. The only lock of the daemon is in workers.c: it guards the
 * queue, and the outbox that carries events and finished jobs to the loop (an eventfd wakes it).
 * A pool of one thread is a queue: the config thread and the state writer are such pools. */
#ifndef DAEMON_WORKERS_H
#define DAEMON_WORKERS_H

#include <event2/event.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/deadline.h"

struct workers;
struct job;

/* Base of every job; what the job works on stands behind it in the caller's own struct. */
struct job {
	/* In a worker. `tools` is what the pool's tools_new() made for that thread. */
	void		(*run)(struct job *, void *tools);
	/* On the loop, once, after run() returned; takes the job. Jobs that were still queued
	 * when the pool is freed are done, too, without having run: see `ran`. */
	void		(*done)(struct job *);
	/* On the loop, for each job_post(), in order, before done(); takes the event. */
	void		(*event)(struct job *, void *event);
	int64_t		 timeout_ms;	/* for the whole run */
	/* For people who ask what is going on; lent for as long as the job lives. */
	const char	*name;		/* "sync"; NULL: that of the pool */
	const char	*isv;		/* that it is about; NULL: of none */

	/* Owned by workers.c, readable by anyone who holds the job. */
	struct deadline	 deadline;	/* set when the run begins */
	int64_t		 started_ms;	/* 0 while queued */
	bool		 ran;
	atomic_bool	 cancelled;
	atomic_bool	 superseded;
	struct workers	*workers;
	TAILQ_ENTRY(job) entry;		/* in the queue */
	LIST_ENTRY(job)	 running;
};

struct workers_options {
	const char	*name;		/* of the threads, at most 10 bytes */
	unsigned int	 threads;
	size_t		 stack_size;	/* bytes */
	void		*(*tools_new)(void *arg);	/* in the new thread; may be NULL */
	void		 (*tools_free)(void *tools);
	void		*arg;
};

struct workers *workers_new(struct event_base *, const struct workers_options *);
/* Cancels all jobs, waits for the running ones, and calls done() for every one. */
void	 workers_free(struct workers *);

void	 workers_submit(struct workers *, struct job *);	/* takes the job until done() */
void	 job_cancel(struct job *);		/* it ends soon, by way of done() */
void	 job_supersede(struct job *);	/* the same, but see deadline_of_change() */
void	 job_post(struct job *, void *event);	/* from run(): takes the event */

unsigned int workers_busy(const struct workers *);	/* queued and running */
/* The running job that is furthest beyond its deadline, and by how many ms; NULL: none is. */
const struct job *workers_overdue(const struct workers *, int64_t *by_ms);

#endif
