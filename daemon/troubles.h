/* troubles.h - what is wrong with ISVs, grouped by its cause, for the journal.
 *
 * An ISV that begins to fail, and is well again, has a line of its own for each. When many fail
 * for one cause they are a crowd: one incident with their number, and silence until it is over.
 * The same silence holds while an account's incident tells of the cause already. (Each ISV's own
 * log has its own lines all the same.) Owns the crowds' incidents and what was said of whom; loop
 * thread only. */
#ifndef DAEMON_TROUBLES_H
#define DAEMON_TROUBLES_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/incident.h"
#include "daemon/state.h"

struct registry;
struct troubles;

enum cause {
	CAUSE_OPENSHIFT, CAUSE_S3, CAUSE_APP_REPOS, CAUSE_REGISTRIES, CAUSE_DRIFT, CAUSE_CONFLICT,
	CAUSE_OTHER, N_CAUSES
};

/* What the journal knows of one ISV and one cause. */
enum trouble { TROUBLE_NONE, TROUBLE_NEW, TROUBLE_TOLD, TROUBLE_SILENT };

/* More than so many at once are a crowd. */
#define TROUBLES_ALONE 3

/* `flush` is called when it is time for troubles_flush(); the incidents of the accounts are the
 * daemon's own. */
struct troubles *troubles_new(struct event_base *, struct incident *openshift, struct incident *s3,
	    void (*flush)(void *arg), void *arg);
void	 troubles_free(struct troubles *);

/* How the ISV is after a run that began then (monotonic). deep: it looked at everything. */
void	 troubles_note(struct troubles *, struct registry *, int64_t started_ms, bool deep);
/* It is not looked at any more. */
void	 troubles_forget(struct troubles *, struct registry *);
/* Says what has not been said; `registries` are all that there are. */
void	 troubles_flush(struct troubles *, struct registry *const *registries, size_t n);

/* The account of that cause cannot be used (text), or can (NULL); true: it can again. */
bool	 troubles_account(struct troubles *, enum cause, const char *text, size_t isvs);
struct incident *troubles_incident(struct troubles *, enum cause);

#endif
