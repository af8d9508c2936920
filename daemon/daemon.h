/* daemon.h - the loop: it owns all state, and everything meets here. Loop thread only.
 *
 * Data flows one way: settings and raas.cfg -> configuration snapshot -> job (observe, plan, act)
 * -> result -> state. The struct is open to daemon-*.c, to registry.c and to the methods of the
 * control interface (method-*.c), which are parts of the daemon; to nobody else. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <event2/event.h>
#include <git2.h>
#include <stdbool.h>
#include <time.h>

#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/counters.h"
#include "daemon/exporter.h"
#include "daemon/http.h"
#include "daemon/incident.h"
#include "daemon/inventory.h"
#include "daemon/keeper.h"
#include "daemon/metrics-server.h"
#include "daemon/redhat-metadata.h"
#include "daemon/registry.h"
#include "daemon/scheduler.h"
#include "daemon/settings.h"
#include "daemon/state.h"
#include "daemon/time-skip.h"
#include "daemon/troubles.h"
#include "daemon/workers.h"

struct notify;
struct pull_waiter;
struct push_waiter;
struct wait_call;
struct watchdog;

struct daemon {
	struct event_base	*base;
	struct settings		*settings;
	const char		*settings_file;		/* NULL: the default */
	char			*config_repo_path;
	struct places		 places;
	struct http_shared	*http;
	struct control		*control;
	struct state_store	*store;
	struct scheduler	*scheduler;
	struct workers		*jobs;
	struct workers		*visitors;	/* validations: they take nobody's turn */
	struct keeper		*keeper;
	struct notify		*notify;
	struct watchdog		*watchdog;
	struct exporter		*exporter;
	struct metrics_server	*metrics_server;	/* NULL: none is wanted */
	time_t			 started;
	struct time_skip	 skip;
	bool			 stopping;

	/* What is wanted. */
	struct config		*config;		/* NULL: none yet */
	const struct config_problem **warnings;		/* of config, those of sections, sorted by them */
	size_t			 n_warnings;
	struct config_branch_state repo;
	struct repo_files	 trees;			/* ISV -> metadata tree */
	struct repo_files	 redhat_files;		/* of the config repo */
	struct mask		*mask;			/* NULL: none yet */
	char			*mask_id;		/* of its content; NULL: nothing is masked */
	struct error		 mask_error;

	/* What was seen. */
	struct inventory	*inventory;
	int64_t			 inventory_ms;		/* when; monotonic */
	int64_t			 accounts_back_ms;	/* the same, of when one that was down last was back */
	struct registry		**registries;		/* sorted by name */
	size_t			 n_registries;
	time_t			 last_pull, last_push;	/* that worked; 0: none */
	time_t			 unpushed_since;	/* 0: all is pushed */
	struct counters		 counters;
	struct incident		 config_repo, signatures, raas_cfg, openshift, s3, redhat, commits,
				 saves, textfile, metrics;
	struct troubles		*troubles;		/* of single ISVs, and of many */

	/* What goes on. */
	bool			 loading, pulling, accepting, sweeping, masking, committing, pushing;
	unsigned int		 running;		/* ISVs at work */
	bool			 sweep_again, mask_again;
	bool			 sweep_outdated;	/* the one that goes on asks the old accounts */
	bool			 accounts_changed;	/* since the last sweep */
	bool			 flush_now;		/* backups wait for a commit */
	unsigned int		 pull_failures, push_failures;
	LIST_HEAD(, pull_waiter) pull_waiters;
	LIST_HEAD(, push_waiter) push_waiters;
	LIST_HEAD(, wait_call)	 waits;			/* for ISVs; method-wait.c's */

	struct event		*schedule_timer, *pull_timer, *sweep_timer, *mask_timer,
				*commit_timer, *push_timer;
	struct event		*sigterm, *sigint, *sighup;
};

/* Somebody who waits for a pull. isvs: those whose configuration changed. */
struct pull_waiter {
	void		(*done)(struct pull_waiter *, bool changed, char *const *isvs, size_t n,
			    const struct error *err);
	const char	*accept;	/* as in config_repo_pull(); outlives the waiter */
	bool		 attached;	/* to the pull that runs; else to a later one */
	LIST_ENTRY(pull_waiter) entry;
};

/* Somebody who waits until what is committed by now is pushed. */
struct push_waiter {
	void		(*done)(struct push_waiter *, const struct error *err);
	LIST_ENTRY(push_waiter) entry;
};

/* ---- daemon.c: up, down and what is done next ---- */

/* Runs until it is told to stop. The exit status of the process; takes the settings. */
int	 daemon_run(struct settings *, const char *settings_file);
/* Reads settings and raas.cfg again. NULL with err: the old ones stay; else the name of a setting
 * that only a restart can change, "" when there is none. */
const char *daemon_reload(struct daemon *, struct error *err);
struct registry *daemon_registry(struct daemon *, const char *name);	/* NULL: unknown */
struct registry *daemon_add_registry(struct daemon *, struct isv_state *);	/* takes the state */
void	 daemon_count_phases(const struct daemon *, size_t counts[N_PHASES]);
/* Asks for work on an ISV. */
void	 daemon_request(struct daemon *, struct registry *, enum work, bool urgent);
/* Starts what is due. Comes after whatever changes how an ISV is, soon if not at once. */
void	 daemon_schedule(struct daemon *);
void	 daemon_woke(struct daemon *);			/* after a sleep: spreads what fell due */
void	 daemon_look_at_clocks(struct daemon *);	/* before ages are judged or told */
void	 daemon_run_ended(struct daemon *);		/* one of the running is done */
void	 daemon_set_timer(struct event *, int64_t ms);
/* Until try number failures + 1: 2 s, 4 s … 5 min, a quarter of it random. */
int64_t	 daemon_retry_ms(unsigned int failures);
/* Every incident that there could be, those whose text is NULL too; how many. */
#define DAEMON_INCIDENTS (8 + N_CAUSES)
size_t	 daemon_incidents(struct daemon *, struct incident *[DAEMON_INCIDENTS]);

/* ---- daemon-config.c: what is wanted ---- */

void	 daemon_pull(struct daemon *, struct pull_waiter *);	/* waiter may be NULL */
/* Drops the registries of which nothing is known and whose section is gone. */
void	 daemon_forget_unmade(struct daemon *);
void	 daemon_take_answer(struct daemon *, const struct keeper_answer *);
/* What a pull or a push has learned of who signed what is there; true: that is all there is to be
 * said of `err`. */
bool	 daemon_note_signatures(struct daemon *, const struct error *err);
/* Where the config repo stands now. */
void	 daemon_set_repo(struct daemon *, const struct config_branch_state *);
void	 daemon_note_news(struct daemon *, const struct config_news *);
const git_oid *daemon_tree_of(const struct daemon *, const char *isv);	/* NULL: no metadata */
void	 daemon_load_mask(struct daemon *);		/* the last good copy */

/* ---- daemon-sweep.c: what is seen of all at once ---- */

/* Takes the inventory afresh, then looks at every ISV; see registry's sweep_work. */
void	 daemon_sweep(struct daemon *);

/* The same when the accounts are others, or what they are asked with: what was seen of the old
 * ones is dropped, and what failed is tried again. */
void	 daemon_sweep_anew(struct daemon *);

/* A deep check within seconds, though the last failed: what that was for may be over. */
void	 daemon_try_soon(struct registry *);

/* ---- daemon-commit.c: what is written back ---- */

/* Commits log lines and backups: soon, or now. */
void	 daemon_flush(struct daemon *, bool now);
void	 daemon_push(struct daemon *, struct push_waiter *);
/* What was committed or found just now; one that failed waits for its backoff all the same. */
void	 daemon_push_soon(struct daemon *);
/* Forgets what was agreed on for files of which an own change gave way to another's. */
void	 daemon_forget_bases(struct daemon *, const struct repo_notes *dropped);

/* Callbacks of the timers; `arg` is the daemon. */
void	 daemon_on_sweep(evutil_socket_t, short, void *arg);
void	 daemon_on_mask(evutil_socket_t, short, void *arg);
void	 daemon_on_pull(evutil_socket_t, short, void *arg);
void	 daemon_on_push(evutil_socket_t, short, void *arg);
void	 daemon_on_commit(evutil_socket_t, short, void *arg);

void	 daemon_handle_call(void *daemon, struct control_call *);	/* dispatch.c */
void	 daemon_tell_waits(struct daemon *);	/* method-wait.c: answers those that are over */

#endif
