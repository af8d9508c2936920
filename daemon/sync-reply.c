#include "daemon/sync-reply.h"

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rfc3339.h"

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

void
sync_event_send(struct control_call *call, const struct registry *r, const char *kind,
    const char *level, const char *resource, const char *text)
{
	json_t *event, *reply;
	char now[RFC3339_SIZE];

	if (!control_call_more(call) || control_call_gone(call))
		return;
	rfc3339_format(time(NULL), now);
	event = json_object();
	set(event, "isv", json_text(r->state->name));
	set(event, "time", json_text(now));
	set(event, "level", json_text(level));
	set(event, "kind", json_text(kind));
	set(event, "resource", json_text(resource));
	set(event, "text", json_text(text));
	reply = json_object();
	set(reply, "event", event);
	control_event(call, reply);
}

json_t *
sync_steps_json(const struct reconcile_result *result, bool planned)
{
	json_t *list = json_array(), *item;
	size_t i;

	for (i = 0; result != NULL && i < result->n_steps; i++) {
		if (result->steps[i].failed)
			continue;
		item = json_object();
		set(item, "kind", json_text(resource_kind_name(result->steps[i].resource)));
		set(item, "resource",
		    json_text(result->plan.resources[result->steps[i].resource].name));
		set(item, "text", json_text(planned ? result->steps[i].text : result->steps[i].past));
		json_array_append_new(list, item);
	}
	return list;
}

bool
sync_did_something(const struct reconcile_result *result)
{
	size_t i;

	for (i = 0; result != NULL && i < result->n_steps; i++)
		if (!result->steps[i].failed)
			return true;
	return false;
}

/* What keeps the ISV from being in order although its job did its work; the caller's to free. */
static char *
amiss(const struct registry *r)
{
	const struct resource *worst = NULL;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		const struct resource *now = &r->state->resources[i];

		if (now->name == NULL || now->state == STATE_OK || now->state == STATE_UNKNOWN)
			continue;
		if (worst == NULL || (now->state == STATE_FAILED && worst->state != STATE_FAILED))
			worst = now;
	}
	if (worst == NULL)
		return NULL;
	return xasprintf("%s '%s': %s", resource_kind_name(worst->kind), worst->name,
	    worst->detail != NULL ? worst->detail : resource_state_name(worst->state));
}

json_t *
sync_result_json(const struct registry *r, const struct reconcile_result *result,
    const struct error *err, bool dry_run, bool *ok)
{
	enum phase phase = registry_phase(r);
	cleanup(free_p) char *why = NULL;
	json_t *item = json_object();

	/* A dry run's finding is its result; it fails only when it could not look. */
	*ok = err == NULL && (dry_run || !phase_unhealthy(phase));
	why = err != NULL ? xstrdup(err->text) : *ok ? NULL : amiss(r);
	set(item, "isv", json_text(r->state->name));
	set(item, "phase", json_text(phase_name(phase)));
	set(item, "ok", json_boolean(*ok));
	set(item, "changed", json_boolean(sync_did_something(result)));
	set(item, "error", json_text(why));
	set(item, "steps", sync_steps_json(result, dry_run));
	return item;
}
