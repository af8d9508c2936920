#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "daemon/handlers.h"

/* The pause is on disk before the client is told. */
static void
on_saved(void *arg, const struct error *err)
{
	struct control_call *call = arg;

	if (err != NULL)
		control_fail_error(call, err);
	else
		control_reply(call, NULL);
	control_call_unref(call);
}

void
handle_pause(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	const char *until_text = json_string_or(parameters, "until", NULL);
	struct registry *r = call_registry(d, call);
	struct error err;
	int64_t until = 0;

	if (r == NULL)
		return;
	if (until_text != NULL && (!rfc3339_parse(until_text, &until) || until <= time(NULL))) {
		error_set(&err, ERROR_INPUT, "isv '%s': a pause cannot end at '%s': that is past",
		    r->state->name, until_text);
		control_fail_error(call, &err);
		return;
	}
	registry_pause(r, control_call_who(call), json_string_or(parameters, "reason", ""),
	    (time_t)until);
	registry_save(r, on_saved, control_call_ref(call));
}

void
handle_resume(struct daemon *d, struct control_call *call)
{
	struct registry *r = call_registry(d, call);

	if (r == NULL)
		return;
	registry_resume(r, control_call_who(call));
	registry_save(r, on_saved, control_call_ref(call));
}
