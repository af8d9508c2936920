/* state.h - what raasd remembers of each ISV, and how that reaches the disk.
 *
 * A `struct isv_state` belongs to the loop. It is written as one JSON file an ISV under
 * STATE_DIR/isvs, by a thread of its own, each time by write, fsync, rename and fsync of the
 * directory; `done` is called on the loop afterwards, and only then may anybody be told.
 * All of it can be rebuilt from the config repo and the outside world, but for pauses. */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "common/error.h"
#include "daemon/metadata-merge.h"
#include "daemon/plan.h"

/* The content of a metadata file at the last sync. */
struct base_file {
	char		*name;
	struct blob_id	 content;
};

struct pause {
	bool	 on;
	char	*by;		/* user name or "uid N" */
	char	*reason;	/* may be "" */
	time_t	 since;
	time_t	 until;		/* 0: until `resume` */
};

struct isv_state {
	char		 *name;
	char		 *synced_id;	/* of what was wanted at the last good sync; NULL: never */
	struct resource	  resources[N_RESOURCE_KINDS];	/* name NULL: never looked at */
	struct base_file *base;		/* sorted by name */
	size_t		  n_base;
	char		**images;
	size_t		  n_images;
	char		 *fqdn;		/* as clients say it; NULL: not known yet */
	char		 *url;		/* base URL of the registry */
	char		 *error;	/* of the last sync; NULL: it went well */
	enum error_kind	  error_kind;
	time_t		  last_sync;	/* that went well; 0: never */
	unsigned int	  health_failures;	/* checks in a row */
	struct health_memory health_memory;	/* how Crane may be asked */
	enum access_method access;		/* how objects become readable … */
	char		 *access_bucket;	/* … in this bucket; NULL: nothing is known */
	struct pause	  pause;
	char		**unlogged;	/* lines for the ISV's log that are in no commit yet */
	size_t		  n_unlogged;
};

struct isv_state *isv_state_new(const char *name);
void	 isv_state_free(struct isv_state *);
/* Everything but the name, and what is to be logged. */
void	 isv_state_forget(struct isv_state *);

json_t	*isv_state_to_json(const struct isv_state *);		/* new reference */
struct isv_state *isv_state_from_json(const char *name, const json_t *, struct error *err);

/* The base of that file; no content when there is none. */
struct blob_id isv_state_base(const struct isv_state *, const char *file);
/* Sets it; no content removes it. */
void	 isv_state_set_base(struct isv_state *, const char *file, const struct blob_id *);
void	 isv_state_add_unlogged(struct isv_state *, const char *line);
/* Forgets the first n of them: they are in a commit. */
void	 isv_state_drop_unlogged(struct isv_state *, size_t n);

/* The files. */
struct job;
struct state_store;

/* Makes the directory when needed and locks it; ERROR_CONFLICT when another raasd holds it. */
struct state_store *state_store_open(struct event_base *, const char *state_dir, struct error *err);
/* Writes what is still queued, then closes. */
void	 state_store_close(struct state_store *);

/* Calls fn for each ISV that has a file; takes the state. A file that cannot be read is logged,
 * put aside as NAME.json.bad, and rebuilt by the next sync. */
int	 state_store_load(struct state_store *, void (*fn)(void *arg, struct isv_state *), void *arg,
	    struct error *err);

/* Writes a snapshot of the state as it is now. `done` may be NULL; err NULL: it is on disk. */
void	 state_store_write(struct state_store *, const struct isv_state *,
	    void (*done)(void *arg, const struct error *err), void *arg);
void	 state_store_remove(struct state_store *, const char *name);
/* The write that is beyond its deadline, and by how many ms; NULL: none is. */
const struct job *state_store_overdue(const struct state_store *, int64_t *by_ms);

#endif
