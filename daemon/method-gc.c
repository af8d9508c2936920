#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "daemon/gc.h"
#include "daemon/handlers.h"

#define SAFETY_WINDOW_S (24 * 60 * 60)
#define LISTED_MAX 1000		/* objects in a reply that is to hold all */

struct gc_call {
	struct task		 task;
	struct control_call	*call;
	struct gc_job		*job;
	json_t			*objects;	/* those not sent yet */
	size_t			 unlisted;	/* that the client was not told of */
};

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *
object_json(const struct gc_event *e)
{
	json_t *object = json_object();
	char time[RFC3339_SIZE];

	rfc3339_format(e->mtime, time);
	set(object, "key", json_text(e->key));
	set(object, "size", json_integer((json_int_t)e->size));
	set(object, "time", json_text(time));
	set(object, "upload", json_boolean(e->upload));
	set(object, "removed", json_boolean(e->removed));
	return object;
}

static void
send_objects(struct gc_call *g, json_t *objects)
{
	json_t *reply = json_object();

	set(reply, "objects", objects);
	control_event(g->call, reply);
}

/* What a client does not keep up with it is not told, but how much that was. */
static void
on_event(struct task *task, struct registry *r, void *event)
{
	struct gc_call *g = (struct gc_call *)task;
	struct gc_event *e = event;
	bool more = control_call_more(g->call);

	(void)r;
	if (more && control_call_room(g->call))
		send_objects(g, json_pack("[o]", object_json(e)));
	else if (!more && json_array_size(g->objects) < LISTED_MAX)
		json_array_append_new(g->objects, object_json(e));
	else
		g->unlisted++;
	gc_event_free(e);
}

static json_t *
summary_json(const struct gc_call *g)
{
	const struct gc_totals *t = &g->job->totals;
	json_t *summary = json_object();

	set(summary, "found", json_integer((json_int_t)t->found));
	set(summary, "uploads", json_integer((json_int_t)t->uploads));
	set(summary, "upload_bytes", json_integer((json_int_t)t->upload_bytes));
	set(summary, "bytes", json_integer((json_int_t)t->bytes));
	set(summary, "removed", json_boolean(g->job->order.remove));
	set(summary, "named", json_integer((json_int_t)t->named));
	set(summary, "young", json_integer((json_int_t)t->young));
	set(summary, "unclear", json_integer((json_int_t)t->unclear));
	set(summary, "foreign", json_integer((json_int_t)t->foreign));
	set(summary, "unlisted", json_integer((json_int_t)g->unlisted));
	return summary;
}

static void
on_done(struct task *task, struct registry *r, const struct error *err)
{
	struct gc_call *g = (struct gc_call *)task;
	const struct gc_totals *t = &g->job->totals;
	json_t *reply;

	if (t->removed > 0)
		registry_log(r, "GC", "INFO", "removed %zu objects that no metadata named, "
		    "and %zu uploads that were broken off", t->removed - t->uploads, t->uploads);
	if (err != NULL) {
		control_fail_error(g->call, err);
	} else {
		reply = json_object();
		set(reply, "summary", summary_json(g));
		if (json_array_size(g->objects) > 0)
			set(reply, "objects", json_incref(g->objects));
		control_reply(g->call, reply);
	}
	control_call_unref(g->call);
	json_decref(g->objects);
	gc_job_free(g->job);
	free(task->what);
	free(g);
}

static int
read_order(const json_t *parameters, struct gc_order *order, struct error *err)
{
	const char *before = json_string_or(parameters, "before", NULL);
	time_t now = time(NULL);
	int64_t at = now - SAFETY_WINDOW_S;

	order->remove = json_bool_or(parameters, "delete", false);
	if (before != NULL && (!rfc3339_parse(before, &at) || at > now))
		return error_set(err, ERROR_INPUT, "%s is not in the past", before);
	order->before = (time_t)at;
	return 0;
}

void
handle_gc(struct daemon *d, struct control_call *call)
{
	struct registry *r = call_registry_to_change(d, call);
	struct gc_order order;
	struct gc_call *g;
	struct error err;

	if (r == NULL)
		return;
	if (read_order(control_call_parameters(call), &order, &err) == -1) {
		control_fail_error(call, &err);
		return;
	}
	g = xcalloc(1, sizeof(*g));
	g->call = control_call_ref(call);
	g->objects = json_array();
	g->job = gc_job_new();
	g->job->order = order;
	g->task = (struct task){ .job = &g->job->base, .topic = "GC",
	    .what = xasprintf("%s of bucket '%s'", order.remove ? "clean-up" : "search",
	    r->isv->bucket), .event = on_event, .done = on_done };
	registry_log(r, "GC", "INFO", "%s, asked for by %s", g->task.what, control_call_who(call));
	registry_add_task(r, &g->task);
}
