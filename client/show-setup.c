#include "client/show-setup.h"

#include <string.h>

#include "common/json.h"

static void
show_added(struct show *s, const json_t *result)
{
	const char *isv = json_string_or(result, "isv", ""), *fqdn, *text;
	const json_t *sync = json_object_get(result, "sync");
	const json_t *warnings = json_object_get(result, "warnings"), *warning;
	size_t i;

	if (json_is_object(sync))
		show_sync_result(s, sync);
	json_array_foreach(warnings, i, warning) {
		if ((text = json_string_value(warning)) != NULL)
			render_line(s->render, phase_color("warning"), "warning: %s", text);
	}
	if (!json_bool_or(result, "added", false))
		render_line(s->render, NULL, "%s was in raas.cfg already, as asked for", isv);
	if (!json_bool_or(result, "pushed", false))
		render_line(s->render, phase_color("warning"), "commit %.10s is on this host only, until "
		    "it can be pushed: %s", json_string_or(result, "commit", ""),
		    json_string_or(result, "push_error", ""));
	if ((fqdn = json_string_or(result, "fqdn", NULL)) != NULL)
		render_line(s->render, NULL, "its images are pulled from %s/; publish one with: raasctl "
		    "publish %s IMAGE", fqdn, isv);
	if (json_is_null(sync))
		render_line(s->render, NULL, "see how it goes with: raasctl status %s", isv);
}

void
show_setup(struct show *s, const json_t *reply, bool last)
{
	const json_t *event = json_object_get(reply, "event");

	if (json_is_object(event))
		show_sync_event(s, event);
	if (!last)
		return;
	render_progress_end(s->render);
	show_added(s, json_object_get(reply, "result"));
}
