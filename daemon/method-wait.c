#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/interface.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "daemon/handlers.h"
#include "daemon/overview.h"

/* Somebody who waits until ISVs are in order. The ISVs are kept by name: they may go, or, while
 * the first raas.cfg is still being fetched, come. */
struct wait_call {
	struct daemon		*daemon;
	struct control_call	*call;
	struct event		*late;		/* timer; NULL: no limit */
	bool			 is_late;
	bool			 synced;	/* is enough, however the registry is otherwise */
	char			**names;
	size_t			 n;
	LIST_ENTRY(wait_call)	 entry;
};

enum prospect { PROSPECT_REACHED, PROSPECT_COMES, PROSPECT_NEVER };

static void
wait_free(struct wait_call *w)
{
	size_t i;

	LIST_REMOVE(w, entry);
	if (w->late != NULL)
		event_free(w->late);
	for (i = 0; i < w->n; i++)
		free(w->names[i]);
	free(w->names);
	control_call_unref(w->call);
	free(w);
}

/* What stands in the way and goes on doing so until a person acts. */
static bool
needs_person(const struct registry *r)
{
	switch (registry_phase(r)) {
	case PHASE_CONFLICT:
	case PHASE_ORPHANED:
	case PHASE_INVALID:
		return true;
	case PHASE_PAUSED:
		return r->state->pause.until == 0;
	default:
		return false;
	}
}

static enum prospect
prospect_of(const struct wait_call *w, const struct registry *r)
{
	if (w->daemon->config == NULL)
		return PROSPECT_COMES;
	if (r == NULL)
		return PROSPECT_NEVER;
	if (w->synced ? registry_is_synced(r) : registry_in_order(r))
		return PROSPECT_REACHED;
	return needs_person(r) ? PROSPECT_NEVER : PROSPECT_COMES;
}

/* Why it is not reached, and what to do; the caller's to free. */
static char *
reason(const struct daemon *d, const struct registry *r, const char *name)
{
	const char *error;

	if (d->config == NULL)
		return xasprintf("there is no raas.cfg to go by yet");
	if (r == NULL || r->isv == NULL)
		return xasprintf("raas.cfg has no section [%s]", name);
	if (r->state->pause.on)
		return xasprintf("paused by %s; end that with: raasctl resume %s",
		    r->state->pause.by, name);
	if (registry_phase(r) == PHASE_CONFLICT)
		return xasprintf("its metadata was changed on both sides; see 'raasctl diff %s', "
		    "then decide with: raasctl resolve %s --take config|app", name, name);
	if (r->isv->error != NULL)
		return xstrdup(r->isv->error);
	if (r->slot == NULL)
		return xasprintf("a section that all ISVs share has an error, see "
		    "'raasctl status'");
	error = registry_error(r);
	return error != NULL ? xstrdup(error) : xasprintf("not in order yet, see "
	    "'raasctl status %s'", name);
}

static json_t *
waited_json(const struct wait_call *w, const char *name)
{
	const struct registry *r = daemon_registry(w->daemon, name);
	bool reached = prospect_of(w, r) == PROSPECT_REACHED;
	cleanup(free_p) char *why = reached ? NULL : reason(w->daemon, r, name);
	json_t *item = json_object();

	json_object_set_new(item, "isv", json_text(name));
	json_object_set_new(item, "phase", json_text(r != NULL ? phase_name(registry_phase(r))
	    : NULL));
	json_object_set_new(item, "reached", json_boolean(reached));
	json_object_set_new(item, "error", json_text(why));
	return item;
}

static void
answer(struct wait_call *w, bool late)
{
	json_t *list = json_array(), *reply = json_object();
	size_t i;

	for (i = 0; i < w->n; i++)
		json_array_append_new(list, waited_json(w, w->names[i]));
	json_object_set_new(reply, "isvs", list);
	json_object_set_new(reply, "late", json_boolean(late));
	control_reply(w->call, reply);
	wait_free(w);
}

/* Answers, if there is an answer by now. */
static void
look(struct wait_call *w)
{
	enum prospect worst = PROSPECT_REACHED, one;
	size_t i;

	for (i = 0; i < w->n; i++) {
		one = prospect_of(w, daemon_registry(w->daemon, w->names[i]));
		worst = one > worst ? one : worst;
	}
	if (worst != PROSPECT_COMES || w->is_late)
		answer(w, worst == PROSPECT_COMES);
}

void
daemon_tell_waits(struct daemon *d)
{
	struct wait_call *w, *next;

	for (w = LIST_FIRST(&d->waits); w != NULL; w = next) {
		next = LIST_NEXT(w, entry);
		look(w);
	}
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct wait_call *w = arg;

	(void)fd;
	(void)what;
	w->is_late = true;
	look(w);
}

static void
on_gone(void *arg, struct control_call *call)
{
	(void)call;
	wait_free(arg);
}

static void
set_limit(struct wait_call *w, const char *until_text)
{
	int64_t until = 0, left;

	if (until_text == NULL || !rfc3339_parse(until_text, &until))
		return;
	left = until - (int64_t)time(NULL);
	w->is_late = left <= 0;
	if (w->is_late)
		return;
	w->late = evtimer_new(w->daemon->base, on_late, w);
	evtimer_add(w->late, &(struct timeval){ .tv_sec = left });
}

void
handle_wait(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	const json_t *isvs = json_object_get(parameters, "isvs");
	struct wait_call *w;
	json_t *item;
	size_t i;

	/* Before there is a raas.cfg, who is in it is not known. */
	json_array_foreach(isvs, i, item)
		if (d->config != NULL &&
		    call_registry_named(d, call, json_string_value(item)) == NULL)
			return;
	w = xcalloc(1, sizeof(*w));
	w->daemon = d;
	w->call = control_call_ref(call);
	w->synced = strcmp(json_string_or(parameters, "for", "ok"), "synced") == 0;
	w->names = xcalloc(json_array_size(isvs), sizeof(*w->names));
	json_array_foreach(isvs, i, item)
		w->names[w->n++] = xstrdup(json_string_value(item));
	LIST_INSERT_HEAD(&d->waits, w, entry);
	set_limit(w, json_string_or(parameters, "until", NULL));
	control_call_watch(call, NULL, on_gone, w);
	look(w);
}
