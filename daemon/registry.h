/* registry.h - one ISV's registry as the loop sees it: memory of it, its place in the schedule,
 * the job that runs, and who waits for it. Loop thread only. */
#ifndef DAEMON_REGISTRY_H
#define DAEMON_REGISTRY_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/reconcile.h"
#include "daemon/scheduler.h"
#include "daemon/events.h"
#include "daemon/state.h"
#include "daemon/troubles.h"

struct daemon;
struct registry;

enum phase {
	PHASE_PENDING, PHASE_SYNCING, PHASE_OK, PHASE_DRIFT, PHASE_FAILED, PHASE_CONFLICT,
	PHASE_PAUSED, PHASE_ORPHANED, PHASE_INVALID, N_PHASES
};

/* Somebody who waits for a run of this ISV. Only runs that begin after the wait count. */
struct waiter {
	bool		 dry_run;	/* wants to know what would be done */
	bool		 want_diffs;
	/* Each may be NULL. done() comes once, and takes the waiter out first. cancelled: the run
	 * was stopped, or will not come; result is then NULL. */
	void		(*started)(struct waiter *, struct registry *);
	void		(*step)(struct waiter *, struct registry *, const struct reconcile_event *);
	void		(*done)(struct waiter *, struct registry *, const struct reconcile_result *,
			    const struct error *err);
	bool		 attached;	/* to the run that is going on */
	LIST_ENTRY(waiter) entry;
};

/* A piece of work that has the ISV to itself while it runs: publishing, taking an image out. It
 * waits for the ISV's slot, as a sync does, and those of one ISV are done in turn. */
struct task {
	struct reconcile_job	*job;		/* what is run; its input is filled then */
	const char		*topic;		/* in the ISV's log: "PUBLISH" */
	char			*what;		/* "image 'acme/app'"; the task's own */
	void			(*started)(struct task *, struct registry *);
	void			(*event)(struct task *, struct registry *, void *event);
	/* Once; takes the task and its job. err NULL: it is done. */
	void			(*done)(struct task *, struct registry *, const struct error *err);
	/* What it works for was changed while it ran, and it was stopped for that: a new job in
	 * place of the old one, which it frees, to begin again. May be NULL, or give NULL with the
	 * old one left: it cannot, and done() comes. */
	struct reconcile_job	*(*renew)(struct task *, struct registry *);
	TAILQ_ENTRY(task)	 entry;		/* while it waits */
};

/* Somebody who follows the ISV's log. */
struct follower {
	void		(*line)(struct follower *, const char *line);
	LIST_ENTRY(follower) entry;
};

struct registry {
	struct daemon		*daemon;
	struct isv_state	*state;
	const struct isv	*isv;		/* of daemon->config; NULL: orphaned */
	struct slot		*slot;		/* NULL: orphaned */
	struct event		*pause_end;	/* timer; NULL: none */
	char			*wanted_id;	/* hash of all that its sync depends on */
	char			*needed_id;	/* … that its tasks depend on */

	/* The run that is going on. */
	struct reconcile_job	*job;		/* NULL while its result is being saved */
	struct task		*task;		/* the job is this task's; NULL: a sync's */
	bool			 running;
	enum work		 work;
	bool			 dry;		/* looks only */
	bool			 acted;		/* the run may repair, or did */
	bool			 superseded;	/* what it works for has changed meanwhile */
	bool			 stopped;	/* by somebody */
	char			*run_id;	/* wanted_id when it began */
	struct backup		*backups;	/* of its result, until they are committed */
	size_t			 n_backups;

	unsigned char		 troubles[N_CAUSES];	/* enum trouble; troubles.c's */
	enum merge_take		 take;		/* of the next run */
	bool			 unserved;	/* to come off the schedule when its run ends */
	enum work		 sweep_work;	/* asked for with --all: follows the next sweep */
	bool			 after_sweep;	/* what is asked for came with a fresh inventory */
	bool			 config_changed;	/* by the pull that is going on */
	bool			 recheck;	/* look again soon: something was deployed */
	unsigned int		 rechecks;	/* so far */
	TAILQ_HEAD(, task)	 tasks;		/* that wait for the slot */
	LIST_HEAD(, waiter)	 waiters;
	LIST_HEAD(, follower)	 followers;
	char			**recent;	/* log lines of the newest second */
	size_t			 n_recent;
};

struct registry *registry_new(struct daemon *, struct isv_state *);	/* takes the state */
void	 registry_free(struct registry *);	/* not while it runs; waiters are told */

enum phase registry_phase(const struct registry *);
const char *phase_name(enum phase);
bool	 phase_unhealthy(enum phase);
/* What raas.cfg and the config repo ask for now was synced, whatever befell it since. */
bool	 registry_is_synced(const struct registry *);
/* … and nothing is amiss, as far as is known. */
bool	 registry_in_order(const struct registry *);

enum wanted_change { WANTED_SAME, WANTED_BY_SYNCS, WANTED_BY_ALL };

/* What its sync depends on has a new value: who works for something else now than before. */
enum wanted_change registry_set_wanted(struct registry *, const struct config *, const git_oid *metadata_tree,
	    const char *mask_id);

/* Adds a line to the ISV's own log: "2026-01-31T10:11:12Z SYNC INFO text"; and one to the
 * daemon's. */
void	 registry_log(struct registry *, const char *topic, const char *level, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
/* The same for what somebody may wait for; resource may be NULL. */
void	 registry_log_event(struct registry *, const char *topic, const char *level, enum event_id,
	    const char *resource, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Only to the ISV's own log: the daemon's tells of it in another way. */
void	 registry_log_own(struct registry *, const char *topic, const char *level,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void	 registry_forget_lines(struct registry *);	/* of this second; before it is freed */

/* Takes the task, which is run when the slot is free. The ISV must be served. */
void	 registry_add_task(struct registry *, struct task *);

/* Runs the ISV as the scheduler said. */
void	 registry_start(struct registry *, enum work);
/* Called when the backups of the run are in a commit, or cannot be (err). */
void	 registry_backups_done(struct registry *, const struct error *err);
/* Stops the run, or forgets what is queued; false: there was nothing. */
bool	 registry_cancel(struct registry *);

/* Its section is gone, and nothing was ever seen or made of it. */
bool	 registry_forgettable(const struct registry *);
/* Takes it off the schedule: at once, or when the run that is going on has been stopped. */
void	 registry_unschedule(struct registry *);
/* At the end of the process: the run's result can no longer be used. */
void	 registry_abandon(struct registry *);

/* Saves the state; `done` may be NULL. */
void	 registry_save(struct registry *, void (*done)(void *, const struct error *), void *arg);

void	 registry_pause(struct registry *, const char *by, const char *reason, time_t until);
void	 registry_resume(struct registry *, const char *by);
/* Its section is gone, and so is what there was of it: nothing is known of it any more, but the
 * lines that are to be logged. */
void	 registry_forget(struct registry *);

#endif
