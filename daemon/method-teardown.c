#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/handlers.h"
#include "daemon/sync-reply.h"
#include "daemon/teardown.h"

/* Of the pause that holds syncs off, so that none makes anew what is deleted, whatever happens to
 * raasd meanwhile. It tells a pause that a teardown may go on from. */
#define REASON "teardown; go on with: raasctl teardown"

/* Paused and saved, then deleted, then the section is taken out of raas.cfg, then that is pushed.
 * Each of these can be repeated. */
struct teardown_call {
	struct task		 task;
	struct push_waiter	 push;
	struct daemon		*daemon;
	struct control_call	*call;
	struct teardown_job	*job;		/* NULL: not made yet, or done with */
	char			*name;
	bool			 paused;	/* by this call */
	json_t			*result;
};

#define OF_PUSH(pointer)						\
	((struct teardown_call *)((char *)(pointer) - offsetof(struct teardown_call, push)))

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void
call_free(struct teardown_call *t)
{
	control_call_unref(t->call);
	teardown_job_free(t->job);
	json_decref(t->result);
	free(t->task.what);
	free(t->name);
	free(t);
}

static void
fail(struct teardown_call *t, const struct error *err)
{
	control_fail_error(t->call, err);
	call_free(t);
}

/* ---- the section ---- */

static void
on_pushed(struct push_waiter *w, const struct error *err)
{
	struct teardown_call *t = OF_PUSH(w);
	json_t *reply = json_object();

	set(t->result, "pushed", json_boolean(err == NULL));
	set(t->result, "push_error", json_text(err != NULL ? err->text : NULL));
	set(reply, "result", json_incref(t->result));
	control_reply(t->call, reply);
	call_free(t);
}

static void
on_removed(void *arg, const struct keeper_answer *a)
{
	struct teardown_call *t = arg;
	struct daemon *d = t->daemon;
	char hex[GIT_OID_HEXSZ + 1];
	struct registry *r;
	struct error err;

	if (a->error != NULL || d->stopping) {
		if (a->error != NULL)
			err = *a->error;
		else
			error_set(&err, ERROR_CANCELLED, "raasd is stopping");
		error_prefix(&err, "all is deleted, but section [%s] of raas.cfg is not; call it again",
		    t->name);
		fail(t, &err);
		return;
	}
	daemon_note_news(d, a->news);
	daemon_take_answer(d, a);
	set(t->result, "commit", json_text(git_oid_tostr(hex, sizeof(hex), &d->repo.tip)));
	if ((r = daemon_registry(d, t->name)) != NULL && r->isv == NULL)
		registry_forget(r);
	t->push.done = on_pushed;
	daemon_push(d, &t->push);
}

static void
remove_section(struct teardown_call *t)
{
	cleanup(free_p) char *message = xasprintf("raas.cfg: isv '%s' is torn down\n\nAsked for by "
	    "%s.\n", t->name, control_call_who(t->call));

	keeper_remove_section(t->daemon->keeper, t->name, message, on_removed, t);
}

/* ---- the task ---- */

static json_t *
plan_json(const struct teardown_call *t)
{
	const struct teardown_plan *p = &t->job->plan;
	const struct isv *isv = t->job->base.in.isv;
	json_t *plan = json_object();

	set(plan, "id", json_text(p->id));
	set(plan, "isv", json_text(t->name));
	set(plan, "domain", json_text(isv->domain));
	set(plan, "app", json_text(t->job->order.app && p->app_found ? isv->app : NULL));
	set(plan, "bucket", json_text(t->job->order.bucket && p->bucket_found ? isv->bucket : NULL));
	set(plan, "objects", json_integer((json_int_t)p->objects));
	set(plan, "bytes", json_integer((json_int_t)p->bytes));
	set(plan, "uploads", json_integer((json_int_t)p->uploads));
	set(plan, "others", json_integer((json_int_t)p->others));
	set(plan, "refusal", json_text(p->refusal));
	return plan;
}

static void
on_event(struct task *task, struct registry *r, void *event)
{
	struct teardown_call *t = (struct teardown_call *)task;
	struct reconcile_event *e = event;

	registry_log(r, task->topic, "INFO", "%s", e->text);
	sync_event_send(t->call, r, "step", "info", resource_kind_name(e->resource), e->text);
	reconcile_event_free(e);
}

static void
on_failed(struct teardown_call *t, struct registry *r, struct error *err)
{
	if (t->job->began)
		error_prefix(err, "not all could be deleted, and isv '%s' stays paused until it is: "
		    "call it again", t->name);
	else if (t->paused)
		registry_resume(r, "raasd, for nothing was deleted");
	fail(t, err);
}

static void
on_done(struct task *task, struct registry *r, const struct error *why)
{
	struct teardown_call *t = (struct teardown_call *)task;
	struct error err = why != NULL ? *why : (struct error)ERROR_INIT;
	json_t *reply;

	if (why != NULL) {
		on_failed(t, r, &err);
	} else if (t->job->order.confirm == NULL) {
		reply = json_object();
		set(reply, "plan", plan_json(t));
		control_reply(t->call, reply);
		call_free(t);
	} else {
		t->result = json_object();
		set(t->result, "isv", json_text(t->name));
		set(t->result, "app", json_boolean(t->job->app_gone));
		set(t->result, "bucket", json_boolean(t->job->bucket_gone));
		set(t->result, "objects", json_integer((json_int_t)t->job->removed));
		remove_section(t);
	}
}

static void
start(struct teardown_call *t)
{
	registry_add_task(daemon_registry(t->daemon, t->name), &t->task);
}

/* ---- the call ---- */

static void
on_saved(void *arg, const struct error *err)
{
	struct teardown_call *t = arg;
	struct registry *r = daemon_registry(t->daemon, t->name);
	struct error gone;

	if (err != NULL) {
		fail(t, err);
	} else if (r == NULL || r->slot == NULL || t->daemon->stopping) {
		error_set(&gone, ERROR_CONFLICT, "isv '%s': raas.cfg has changed, or raasd is stopping; "
		    "nothing was deleted, call it again", t->name);
		fail(t, &gone);
	} else {
		start(t);
	}
}

static int
read_order(const json_t *parameters, struct teardown_order *order, struct error *err)
{
	const char *what = json_string_or(parameters, "delete", "");

	order->app = strcmp(what, "app") == 0 || strcmp(what, "app,bucket") == 0;
	order->bucket = strcmp(what, "bucket") == 0 || strcmp(what, "app,bucket") == 0;
	if (!order->app && !order->bucket)
		return error_set(err, ERROR_INPUT, "--delete: '%s' is not app, bucket or app,bucket", what);
	return 0;
}

/* What only the one who carries it out must not meet. */
static int
check(const struct daemon *d, const struct registry *r, struct error *err)
{
	const struct pause *p = &r->state->pause;

	if (!d->settings->commit)
		return error_set(err, ERROR_INPUT, "this raasd does not write to the config repo, for "
		    "raasd.yaml says 'commit: false', and an ISV whose section stays would be made anew");
	if (p->on && strcmp(p->reason, REASON) != 0)
		return error_set(err, ERROR_CONFLICT, "isv '%s' is paused by %s; first: raasctl resume %s",
		    r->state->name, p->by, r->state->name);
	return 0;
}

void
handle_teardown(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	const char *confirm = json_string_or(parameters, "confirm", NULL);
	struct registry *r = call_served_registry(d, call, json_string_or(parameters, "isv", ""));
	struct teardown_order order = { .app = false };
	struct teardown_call *t;
	struct error err;

	if (r == NULL)
		return;
	if (read_order(parameters, &order, &err) == -1 ||
	    (confirm != NULL && check(d, r, &err) == -1)) {
		control_fail_error(call, &err);
		return;
	}
	t = xcalloc(1, sizeof(*t));
	t->daemon = d;
	t->call = control_call_ref(call);
	t->name = xstrdup(r->state->name);
	t->job = teardown_job_new();
	t->job->order = order;
	t->job->order.confirm = xstrdup(confirm);
	t->task = (struct task){ .job = &t->job->base, .topic = "TEARDOWN",
	    .what = xasprintf("%s %s", confirm == NULL ? "plan to delete" : "deleting",
	    json_string_or(parameters, "delete", "")),
	    .event = on_event, .done = on_done };
	if (confirm == NULL) {
		start(t);
		return;
	}
	registry_log(r, "TEARDOWN", "INFO", "%s, asked for by %s", t->task.what,
	    control_call_who(call));
	t->paused = !r->state->pause.on;
	if (t->paused)
		registry_pause(r, control_call_who(call), REASON, 0);
	registry_save(r, on_saved, t);
}
