/* metadata-merge.h - which side of a metadata file is right: config repo or app repo.
 *
 * Pure. Contents are compared by git blob id, so "same id" is "same bytes". base is the content
 * at the last sync. See the table in metadata-merge.c. */
#ifndef DAEMON_METADATA_MERGE_H
#define DAEMON_METADATA_MERGE_H

#include <stdbool.h>

/* A git blob id in hex; "" where there is no such file. */
struct blob_id {
	char	hex[41];
};

enum merge_take { TAKE_NONE, TAKE_CONFIG, TAKE_APP };	/* `raasctl resolve --take` */

enum merge_action {
	MERGE_SAME,		/* both sides have it, or neither */
	MERGE_PUSH,		/* the config repo's goes to the app */
	MERGE_BACKUP,		/* the app's goes to the config repo */
	MERGE_REMOVE,		/* taken out of the config repo: take it out of the app, too */
	MERGE_CONFLICT,		/* both changed: touch neither */
};

struct merge_input {
	struct blob_id	base, config, app;
	/* Looked up only when both sides have the file, differ, and there is no base. */
	bool		config_in_app_history;	/* the app once had what the config repo has */
	bool		app_in_config_history;
};

enum merge_action merge_decide(const struct merge_input *, enum merge_take);

bool	 blob_id_equal(const struct blob_id *, const struct blob_id *);
bool	 blob_id_none(const struct blob_id *);

#endif
