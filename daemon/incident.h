/* incident.h - a trouble that concerns more than one ISV: said once when it begins and once when
 * it ends.
 *
 * A plain value, open to the daemon, which owns one for each cause. Loop thread only. */
#ifndef DAEMON_INCIDENT_H
#define DAEMON_INCIDENT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "daemon/events.h"

struct incident {
	const char	*what;		/* "openshift"; the journal's RAAS_RESOURCE */
	enum event_id	 began;		/* EVENT_NONE: EVENT_INCIDENT_BEGAN */
	char		*text;		/* NULL: all is well */
	time_t		 since;
	int64_t		 began_ms;	/* the same; monotonic, so that it can be measured */
	size_t		 isvs;		/* that it concerns, the most there were; 0: not known */
	int64_t		 ended_ms;	/* the last one; monotonic, 0: there was none */
};

/* Starts, continues or ends it (text NULL: it is over). */
void	 incident_set(struct incident *, const char *text);
/* The same for one of which it is known how many ISVs it concerns. */
void	 incident_set_isvs(struct incident *, const char *text, size_t isvs);
/* Ends it with a word about what remains. */
void	 incident_end(struct incident *, const char *rest);
/* Without a word: at the end of the process it is not over. */
void	 incident_done(struct incident *);

#endif
