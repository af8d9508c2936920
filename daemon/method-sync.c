#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/interface.h"
#include "common/json.h"
#include "daemon/handlers.h"
#include "daemon/line-diff.h"
#include "daemon/sync-reply.h"

#define DIFF_LINES_MAX 400	/* of one file */

struct sync_call;

/* The wait of a sync for one of its ISVs. */
struct sync_wait {
	struct waiter		 waiter;
	struct sync_call	*sync;
};

struct sync_call {
	struct daemon		*daemon;
	struct control_call	*call;
	bool			 dry_run;
	size_t			 pending;	/* ISVs that have not answered, and one while queueing */
	size_t			 n, n_ok, n_changed;
	json_t			*results;	/* those not sent yet */
};

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void
finish_sync(struct sync_call *s)
{
	json_t *reply, *summary;

	if (--s->pending > 0)
		return;
	summary = json_object();
	set(summary, "isvs", json_integer((json_int_t)s->n));
	set(summary, "ok", json_integer((json_int_t)s->n_ok));
	set(summary, "changed", json_integer((json_int_t)s->n_changed));
	set(summary, "failed", json_integer((json_int_t)(s->n - s->n_ok)));
	reply = json_object();
	set(reply, "summary", summary);
	if (json_array_size(s->results) > 0)
		set(reply, "results", json_incref(s->results));
	control_reply(s->call, reply);
	control_call_unref(s->call);
	json_decref(s->results);
	free(s);
}

static void
add_result(struct sync_call *s, struct registry *r, const struct reconcile_result *result,
    const struct error *err)
{
	json_t *reply, *item;
	bool ok;

	item = sync_result_json(r, result, err, s->dry_run, &ok);
	s->n_ok += ok;
	s->n_changed += sync_did_something(result);
	if (!control_call_more(s->call)) {
		json_array_append_new(s->results, item);
		return;
	}
	reply = json_object();
	set(reply, "results", json_pack("[o]", item));
	control_event(s->call, reply);
}

static void
on_started(struct waiter *waiter, struct registry *r)
{
	struct sync_call *s = ((struct sync_wait *)waiter)->sync;

	sync_event_send(s->call, r, "started", "info", NULL, s->dry_run ? "looking" : "syncing");
}

static void
on_step(struct waiter *waiter, struct registry *r, const struct reconcile_event *e)
{
	sync_event_send(((struct sync_wait *)waiter)->sync->call, r, "step",
	    e->failed ? "error" : "info", resource_kind_name(e->resource), e->text);
}

static void
on_done(struct waiter *waiter, struct registry *r, const struct reconcile_result *result,
    const struct error *err)
{
	struct sync_call *s = ((struct sync_wait *)waiter)->sync;

	sync_event_send(s->call, r, "finished", err != NULL ? "error" : "info", NULL,
	    err != NULL ? err->text : phase_name(registry_phase(r)));
	add_result(s, r, result, err);
	free(waiter);
	finish_sync(s);
}

static void
wait_for(struct sync_call *s, struct registry *r)
{
	struct sync_wait *w = xcalloc(1, sizeof(*w));

	w->waiter = (struct waiter){ .dry_run = s->dry_run, .started = on_started, .step = on_step,
	    .done = on_done };
	w->sync = s;
	s->pending++;
	LIST_INSERT_HEAD(&r->waiters, &w->waiter, entry);
	sync_event_send(s->call, r, "queued", "info", NULL, "queued");
}

/* Named ISVs, all of which are served and not paused; NULL: the call is answered. */
static struct registry **
named_registries(struct daemon *d, struct control_call *call, bool dry_run, size_t *n)
{
	const json_t *isvs = json_object_get(control_call_parameters(call), "isvs");
	struct registry **list = xcalloc(json_array_size(isvs), sizeof(*list));
	struct registry *r;
	struct error err;
	json_t *item;
	size_t i;

	*n = 0;
	json_array_foreach(isvs, i, item) {
		r = call_served_registry(d, call, json_string_value(item));
		if (r != NULL && r->state->pause.on && !dry_run) {
			error_set(&err, ERROR_CONFLICT, "isv '%s' is paused by %s; end that with: "
			    "raasctl resume %s", r->state->name, r->state->pause.by, r->state->name);
			control_fail_error(call, &err);
			r = NULL;
		}
		if (r == NULL) {
			free(list);
			return NULL;
		}
		list[(*n)++] = r;
	}
	return list;
}

static struct registry **
all_registries(struct daemon *d, bool dry_run, size_t *n)
{
	struct registry **list = xcalloc(d->n_registries, sizeof(*list));
	size_t i;

	for (i = 0, *n = 0; i < d->n_registries; i++)
		if (d->registries[i]->slot != NULL &&
		    (dry_run || !d->registries[i]->state->pause.on))
			list[(*n)++] = d->registries[i];
	return list;
}

static void
reply_queued(struct control_call *call, size_t n)
{
	json_t *reply = json_object();

	set(reply, "summary", json_pack("{s:i, s:i, s:i, s:i}", "isvs", (int)n, "ok", 0,
	    "changed", 0, "failed", 0));
	control_reply(call, reply);
}

static enum work
work_for(const struct registry *r, bool deep)
{
	return deep || !registry_in_order(r) ? WORK_DEEP : WORK_LIGHT;
}

static struct sync_call *
sync_call_new(struct daemon *d, struct control_call *call, bool dry_run, size_t n)
{
	struct sync_call *s = xcalloc(1, sizeof(*s));

	s->daemon = d;
	s->call = control_call_ref(call);
	s->dry_run = dry_run;
	s->pending = 1;
	s->n = n;
	s->results = json_array();
	return s;
}

void
handle_sync(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	bool all = json_bool_or(parameters, "all", false);
	bool deep = json_bool_or(parameters, "deep", false);
	bool dry_run = json_bool_or(parameters, "dry_run", false);
	bool wait = json_bool_or(parameters, "wait", true);
	struct sync_call *s = NULL;
	struct registry **list;
	struct error err;
	size_t i, n;

	if (!call_has_config(d, call))
		return;
	if (dry_run && !wait) {
		error_set(&err, ERROR_INPUT, "a dry run whose result nobody waits for is of no use");
		control_fail_error(call, &err);
		return;
	}
	list = all ? all_registries(d, dry_run, &n) : named_registries(d, call, dry_run, &n);
	if (list == NULL)
		return;
	if (wait)
		s = sync_call_new(d, call, dry_run, n);
	for (i = 0; i < n; i++) {
		if (wait)
			wait_for(s, list[i]);
		if (all)
			list[i]->sweep_work = work_for(list[i], deep);
		else
			daemon_request(d, list[i], WORK_DEEP, true);
	}
	if (all)
		daemon_sweep(d);
	free(list);
	if (wait)
		finish_sync(s);
	else
		reply_queued(call, n);
}

/* ---- diff: a dry run that tells what differs in the files ---- */

struct diff_call {
	struct waiter		 waiter;
	struct control_call	*call;
};

static json_t *
file_json(const struct file_diff *f)
{
	json_t *item = json_object();

	set(item, "name", json_text(f->name));
	set(item, "state", json_text(f->state));
	set(item, "config", json_text(f->config.hex[0] != '\0' ? f->config.hex : NULL));
	set(item, "app", json_text(f->app.hex[0] != '\0' ? f->app.hex : NULL));
	set(item, "diff", line_diff(buf_str(&f->app_bytes), f->app_bytes.len,
	    buf_str(&f->config_bytes), f->config_bytes.len, DIFF_LINES_MAX));
	return item;
}

static void
on_diff_done(struct waiter *waiter, struct registry *r, const struct reconcile_result *result,
    const struct error *err)
{
	struct diff_call *diff = (struct diff_call *)waiter;
	json_t *reply, *files;
	size_t i;

	(void)r;
	if (err != NULL) {
		control_fail_error(diff->call, err);
	} else {
		files = json_array();
		for (i = 0; i < result->n_diffs; i++)
			json_array_append_new(files, file_json(&result->diffs[i]));
		reply = json_object();
		set(reply, "steps", sync_steps_json(result, true));
		set(reply, "files", files);
		control_reply(diff->call, reply);
	}
	control_call_unref(diff->call);
	free(diff);
}

void
handle_diff(struct daemon *d, struct control_call *call)
{
	struct registry *r = call_served_registry(d, call,
	    json_string_or(control_call_parameters(call), "isv", ""));
	struct diff_call *diff;

	if (r == NULL)
		return;
	diff = xcalloc(1, sizeof(*diff));
	diff->waiter = (struct waiter){ .dry_run = true, .want_diffs = true, .done = on_diff_done };
	diff->call = control_call_ref(call);
	LIST_INSERT_HEAD(&r->waiters, &diff->waiter, entry);
	daemon_request(d, r, WORK_DEEP, true);
}

/* ---- resolve: a sync that knows which side to take ---- */

static void
on_resolved(struct waiter *waiter, struct registry *r, const struct reconcile_result *result,
    const struct error *err)
{
	struct diff_call *resolve = (struct diff_call *)waiter;
	json_t *reply, *files;
	size_t i;

	(void)r;
	if (err != NULL) {
		control_fail_error(resolve->call, err);
	} else {
		files = json_array();
		for (i = 0; i < result->n_resolved; i++)
			json_array_append_new(files, json_text(result->resolved[i]));
		reply = json_object();
		set(reply, "files", files);
		control_reply(resolve->call, reply);
	}
	control_call_unref(resolve->call);
	free(resolve);
}

void
handle_resolve(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	struct registry *r = call_served_registry(d, call, json_string_or(parameters, "isv", ""));
	struct diff_call *resolve;
	struct error err;

	if (r == NULL)
		return;
	if (r->state->pause.on) {
		error_set(&err, ERROR_CONFLICT, "isv '%s' is paused by %s; end that with: "
		    "raasctl resume %s", r->state->name, r->state->pause.by, r->state->name);
		control_fail_error(call, &err);
		return;
	}
	r->take = strcmp(json_string_or(parameters, "take", ""), "app") == 0 ? TAKE_APP
	    : TAKE_CONFIG;
	resolve = xcalloc(1, sizeof(*resolve));
	resolve->waiter = (struct waiter){ .done = on_resolved };
	resolve->call = control_call_ref(call);
	LIST_INSERT_HEAD(&r->waiters, &resolve->waiter, entry);
	registry_log(r, "RESOLVE", "INFO", "%s chose the %s's files",
	    control_call_who(call), r->take == TAKE_APP ? "app" : "config repo");
	daemon_request(d, r, WORK_DEEP, true);
}

void
handle_cancel(struct daemon *d, struct control_call *call)
{
	struct registry *r = call_registry(d, call);

	if (r == NULL)
		return;
	control_reply(call, json_pack("{s:b}", "cancelled", registry_cancel(r)));
}
