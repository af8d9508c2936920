#include "daemon/metadata-merge.h"

#include <string.h>

bool
blob_id_equal(const struct blob_id *a, const struct blob_id *b)
{
	return strcmp(a->hex, b->hex) == 0;
}

bool
blob_id_none(const struct blob_id *id)
{
	return id->hex[0] == '\0';
}

/* Without a base the history is asked which side is the newer one. */
static enum merge_action
decide_by_history(const struct merge_input *in)
{
	if (in->config_in_app_history == in->app_in_config_history)
		return MERGE_CONFLICT;
	return in->config_in_app_history ? MERGE_BACKUP : MERGE_PUSH;
}

/*	base	config	app	action
 *	any	x	x	same
 *	any	x	-	push: a new file, or an app that was made again
 *	-	-	x	backup: published behind our back
 *	x	-	x	remove: the config repo dropped what the app has unchanged
 *	x	-	y	conflict
 *	x	y	x	push
 *	x	x	y	backup
 *	x	y	z	conflict
 *	-	y	z	by history, else conflict
 *
 * A file that vanished from the app alone is always restored: nothing tells a deletion from an
 * app that was made again, and a registry that lost an image hurts more than one too many. */
enum merge_action
merge_decide(const struct merge_input *in, enum merge_take take)
{
	bool have_base = !blob_id_none(&in->base);
	enum merge_action action;

	if (blob_id_equal(&in->config, &in->app))
		return MERGE_SAME;
	if (blob_id_none(&in->app))
		return MERGE_PUSH;
	if (have_base && blob_id_equal(&in->base, &in->app))
		return blob_id_none(&in->config) ? MERGE_REMOVE : MERGE_PUSH;
	if (have_base ? blob_id_equal(&in->base, &in->config) : blob_id_none(&in->config))
		return MERGE_BACKUP;
	action = have_base ? MERGE_CONFLICT : decide_by_history(in);
	if (action != MERGE_CONFLICT || take == TAKE_NONE)
		return action;
	if (take == TAKE_APP)
		return MERGE_BACKUP;
	return blob_id_none(&in->config) ? MERGE_REMOVE : MERGE_PUSH;
}
