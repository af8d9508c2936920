/* keeper.h - the config thread as the loop sees it: the only one that touches the config repo.
 *
 * Loop thread only. Work is queued and done in order, one piece at a time; each answer comes
 * back on the loop. Answers are lent for the call, unless a name begins with "take". */
#ifndef DAEMON_KEEPER_H
#define DAEMON_KEEPER_H

#include <event2/event.h>
#include <git2.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/config.h"
#include "daemon/config-repo.h"

struct job;
struct keeper;

/* What the config repo says, as of one commit. */
struct keeper_snapshot {
	struct config	 *config;		/* reference; NULL: raas.cfg could not be read */
	struct error	  error;		/* why, when config is NULL */
	struct repo_files trees;		/* ISV name -> id of its metadata tree, sorted */
	struct repo_files redhat;		/* redhat/metadata: name -> blob */
};

/* Where the config repo stands after a piece of work. */
struct keeper_answer {
	const struct error		*error;		/* NULL: it worked */
	struct config_branch_state	 repo;
	const struct config_news	*news;		/* of a pull, push or commit; else NULL */
	struct keeper_snapshot		*snapshot;	/* NULL: as before. Its members may be taken */
	bool				 committed;	/* a commit was made */
};

typedef void keeper_done(void *arg, const struct keeper_answer *);

struct keeper_options {
	struct config_repo_options	 repo;		/* strings are copied */
	const char			*state_dir;	/* for the last good raas.cfg */
	const char			*credentials_dir;	/* NULL: none */
	int64_t				 git_timeout_ms;
};

struct keeper *keeper_new(struct event_base *, const struct keeper_options *);
void	 keeper_free(struct keeper *);		/* ends what runs; all done() are called */

/* Reads the local copy: no network. Comes first. */
void	 keeper_load(struct keeper *, keeper_done *, void *arg);
/* A snapshot comes with the answer also when credentials are others than before. `accept`: see
 * config_repo_pull(). */
void	 keeper_pull(struct keeper *, const char *accept, keeper_done *, void *arg);
/* Commits what is not so already; changes are copied. */
void	 keeper_commit(struct keeper *, const struct config_change *, size_t n, const char *message,
	    keeper_done *, void *arg);
/* Commits a section of raas.cfg more: of the ISV, in the lines of cfg-section.h. ERROR_INPUT, and
 * nothing is written, when it could not be served. */
void	 keeper_add_section(struct keeper *, const char *isv, const char *lines,
	    const char *message, keeper_done *, void *arg);
/* Commits that there is no such section; its files stay. */
void	 keeper_remove_section(struct keeper *, const char *isv, const char *message,
	    keeper_done *, void *arg);
void	 keeper_push(struct keeper *, keeper_done *, void *arg);
/* Packs what commits left behind, when that is much. For a quiet moment. */
void	 keeper_tidy(struct keeper *, keeper_done *, void *arg);
/* The last n lines of an ISV's log, oldest first, over all its days. */
void	 keeper_log(struct keeper *, const char *isv, size_t n,
	    void (*done)(void *arg, char *const *lines, size_t n, const struct error *), void *arg);

bool	 keeper_busy(const struct keeper *);
/* The piece that is beyond its deadline, and by how many ms; NULL: none is. */
const struct job *keeper_overdue(const struct keeper *, int64_t *by_ms);

#endif
