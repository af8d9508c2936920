/* events.h - what the journal's MESSAGE_ID says: the events that a person or a program waits for.
 *
 * One table. An id never changes its meaning, and none is used twice; `journalctl MESSAGE_ID=…`
 * finds the event in every version. Constant data; any thread. */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

enum event_id {
	EVENT_NONE,
	EVENT_STARTED,
	EVENT_STOPPING,
	EVENT_RELOADED,
	EVENT_CONFIG_ERROR,
	EVENT_INCIDENT_BEGAN,
	EVENT_INCIDENT_ENDED,
	EVENT_ISV_FAILED,
	EVENT_ISV_RECOVERED,
	EVENT_CONFLICT,
	EVENT_SYNC_CHANGED,
	EVENT_TASK_DONE,
	EVENT_TASK_FAILED,
	EVENT_PAUSED,
	EVENT_RESUMED,
	EVENT_BRANCH_REWRITTEN,
	EVENT_CHANGE_DROPPED,
	EVENT_COMMIT_REFUSED,
	EVENT_COMMIT_ACCEPTED,
	EVENT_STUCK,
	EVENT_STUCK_ENDED,
	N_EVENTS
};

struct event_row {
	const char	*name;		/* "incident-began" */
	const char	*id;		/* 32 hex digits, sd-id128(3) */
	const char	*meaning;
};

/* By event_id; the row of EVENT_NONE has an id of NULL. */
extern const struct event_row event_table[N_EVENTS];

#endif
