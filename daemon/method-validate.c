#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/handlers.h"
#include "daemon/validate-job.h"

struct validate_call {
	struct control_call	*call;
	struct job		*job;
	size_t			 n, n_ok;	/* images */
	json_t			*results;	/* those not sent yet */
};

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *
size_json(uint64_t size)
{
	return size != CRANE_SIZE_UNKNOWN ? json_integer((json_int_t)size) : json_null();
}

/* Steps are for eyes: a client that does not keep up with them misses some. */
static void
on_step(void *arg, const char *image, const struct validate_step *step)
{
	struct validate_call *v = arg;
	json_t *item, *reply;

	if (!control_call_more(v->call) || !control_call_room(v->call))
		return;
	item = json_object();
	set(item, "image", json_text(image));
	set(item, "part", json_text(validate_part_name(step->part)));
	set(item, "text", json_text(step->text));
	set(item, "size", size_json(step->size));
	reply = json_object();
	set(reply, "step", item);
	control_event(v->call, reply);
}

static void
on_report(void *arg, const char *image, const struct validate_report *report)
{
	struct validate_call *v = arg;
	bool ok = report->fault == VALIDATE_WELL;
	json_t *item = json_object(), *reply, *list;

	v->n++;
	v->n_ok += ok;
	set(item, "image", json_text(image));
	set(item, "ok", json_boolean(ok));
	set(item, "fault", json_text(ok ? NULL : validate_fault_name(report->fault)));
	set(item, "text", json_text(ok ? NULL : report->text));
	set(item, "manifests", json_integer((json_int_t)report->manifests));
	set(item, "blobs", json_integer((json_int_t)report->blobs));
	set(item, "v1_images", json_integer((json_int_t)report->v1_images));
	set(item, "bytes", json_integer((json_int_t)report->bytes));
	if (!control_call_more(v->call)) {
		json_array_append_new(v->results, item);
		return;
	}
	list = json_array();
	json_array_append_new(list, item);
	reply = json_object();
	set(reply, "results", list);
	control_event(v->call, reply);
}

static void
on_done(void *arg, const struct error *err)
{
	struct validate_call *v = arg;
	json_t *reply, *summary;

	if (err != NULL) {
		control_fail_error(v->call, err);
	} else {
		summary = json_object();
		set(summary, "images", json_integer((json_int_t)v->n));
		set(summary, "ok", json_integer((json_int_t)v->n_ok));
		set(summary, "failed", json_integer((json_int_t)(v->n - v->n_ok)));
		reply = json_object();
		set(reply, "summary", summary);
		if (json_array_size(v->results) > 0)
			set(reply, "results", json_incref(v->results));
		control_reply(v->call, reply);
	}
	control_call_unref(v->call);
	json_decref(v->results);
	free(v);
}

/* Nobody is left to tell. */
static void
on_gone(void *arg, struct control_call *call)
{
	struct validate_call *v = arg;

	(void)call;
	job_cancel(v->job);
}

void
handle_validate(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	struct registry *r = call_served_registry(d, call, json_string_or(parameters, "isv", ""));
	struct validate_call *v;
	struct error err;

	if (r == NULL)
		return;
	if (r->state->url == NULL) {
		error_set(&err, ERROR_MISSING, "isv '%s': it is not known yet where its registry "
		    "answers; try again after: raasctl sync %s", r->state->name, r->state->name);
		control_fail_error(call, &err);
		return;
	}
	v = xcalloc(1, sizeof(*v));
	v->call = control_call_ref(call);
	v->results = json_array();
	v->job = validate_job_start(d->visitors, &(struct validate_request){
	    .config_repo = d->places.config_repo, .tip = d->repo.tip, .isv = r->state->name,
	    .url = r->state->url, .image = json_string_or(parameters, "image", NULL),
	    .deep = json_bool_or(parameters, "deep", false) },
	    &(struct validate_listener){ on_step, on_report, on_done, v });
	control_call_watch(call, NULL, on_gone, v);
}
