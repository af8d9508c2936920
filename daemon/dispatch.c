#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/interface.h"
#include "common/json.h"
#include "daemon/handlers.h"

static void
handle_ping(struct daemon *d, struct control_call *call)
{
	(void)d;
	control_reply(call, NULL);
}

static void
handle_version(struct daemon *d, struct control_call *call)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "version", json_text(RAAS_VERSION));
	json_object_set_new(reply, "environment", json_text(d->settings->environment));
	control_reply(call, reply);
}

/* Every row of the command table has its function here; test-dispatch holds the two together. */
static const struct handler {
	const char	*method;
	void		(*handle)(struct daemon *, struct control_call *);
} handlers[] = {
	{ "Status", handle_status },
	{ "Sync", handle_sync },
	{ "Diff", handle_diff },
	{ "Resolve", handle_resolve },
	{ "Cancel", handle_cancel },
	{ "Pull", handle_pull },
	{ "Reload", handle_reload },
	{ "Log", handle_log },
	{ "Pause", handle_pause },
	{ "Publish", handle_publish },
	{ "Images", handle_images },
	{ "Unpublish", handle_unpublish },
	{ "Resume", handle_resume },
	{ "Validate", handle_validate },
	{ "Wait", handle_wait },
	{ "Setup", handle_setup },
	{ "Teardown", handle_teardown },
	{ "Gc", handle_gc },
	{ "Metrics", handle_metrics },
	{ "Check", handle_check },
	{ "Ping", handle_ping },
	{ "Version", handle_version },
};

void
daemon_handle_call(void *daemon, struct control_call *call)
{
	const char *method = control_call_method(call)->name;
	size_t i;

	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (strcmp(handlers[i].method, method) == 0) {
			handlers[i].handle(daemon, call);
			return;
		}
	}
	control_fail(call, VARLINK_NOT_IMPLEMENTED, json_pack("{s:s}", "method", method));
}

static const char *
nearest_isv(const struct daemon *d, const char *name)
{
	const char **names = xcalloc(d->n_registries, sizeof(*names));
	const char *nearest;
	size_t i;

	for (i = 0; i < d->n_registries; i++)
		names[i] = d->registries[i]->state->name;
	nearest = nearest_name(name, names, d->n_registries);
	free(names);
	return nearest;
}

struct registry *
call_registry_named(struct daemon *d, struct control_call *call, const char *name)
{
	struct registry *r = daemon_registry(d, name);
	json_t *parameters;

	if (r != NULL)
		return r;
	parameters = json_object();
	json_object_set_new(parameters, "isv", json_text(name));
	json_object_set_new(parameters, "nearest", json_text(nearest_isv(d, name)));
	control_fail(call, ERROR_UNKNOWN_ISV, parameters);
	return NULL;
}

struct registry *
call_registry(struct daemon *d, struct control_call *call)
{
	return call_registry_named(d, call,
	    json_string_or(control_call_parameters(call), "isv", ""));
}

bool
call_has_config(struct daemon *d, struct control_call *call)
{
	struct error err;

	if (d->config != NULL)
		return true;
	error_set(&err, ERROR_REMOTE, "there is no raas.cfg to go by yet: %s",
	    d->config_repo.text != NULL ? d->config_repo.text : d->raas_cfg.text != NULL
	    ? d->raas_cfg.text : "the config repo is still being fetched, try again");
	control_fail_error(call, &err);
	return false;
}

struct registry *
call_served_registry(struct daemon *d, struct control_call *call, const char *name)
{
	struct registry *r;
	struct error err;

	if (!call_has_config(d, call) || (r = call_registry_named(d, call, name)) == NULL)
		return NULL;
	if (r->slot != NULL)
		return r;
	if (r->isv == NULL)
		error_set(&err, ERROR_MISSING, "isv '%s': raas.cfg has no section [%s] any more",
		    name, name);
	else
		error_set(&err, ERROR_INPUT, "isv '%s': %s", name, r->isv->error != NULL
		    ? r->isv->error : "a section that all ISVs share has an error, see "
		    "'raasctl status'");
	control_fail_error(call, &err);
	return NULL;
}

struct registry *
call_registry_to_change(struct daemon *d, struct control_call *call)
{
	struct registry *r = call_served_registry(d, call,
	    json_string_or(control_call_parameters(call), "isv", ""));
	struct error err;

	if (r == NULL || !r->state->pause.on)
		return r;
	error_set(&err, ERROR_CONFLICT, "isv '%s' is paused by %s; end that with: raasctl resume %s",
	    r->state->name, r->state->pause.by, r->state->name);
	control_fail_error(call, &err);
	return NULL;
}
