#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/interface.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "daemon/handlers.h"
#include "daemon/image.h"
#include "daemon/images-job.h"
#include "daemon/isv.h"
#include "daemon/publish.h"

struct publish_call {
	struct task		 task;
	struct control_call	*call;
	struct publish_job	*job;
};

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

/* ---- events ---- */

static json_t *
layer_json(const struct publish_event *e)
{
	json_t *layer = json_object();

	set(layer, "digest", json_text(e->digest[0] != '\0' ? e->digest : NULL));
	set(layer, "diff_id", json_text(e->diff_id));
	set(layer, "state", json_text(layer_state_name(e->state)));
	set(layer, "done", json_integer((json_int_t)e->done));
	set(layer, "size", json_integer((json_int_t)e->size));
	set(layer, "rate", json_integer((json_int_t)e->rate));
	set(layer, "left", e->left_ms >= 0 ? json_integer(e->left_ms / 1000) : json_null());
	return layer;
}

/* Takes layer. A client that does not read misses the news of a layer's way, not its end. */
static void
send_event(struct publish_call *p, struct registry *r, const char *kind, const char *text,
    json_t *layer)
{
	json_t *event, *reply;
	char now[RFC3339_SIZE];

	if (!control_call_more(p->call) || control_call_gone(p->call)) {
		json_decref(layer);
		return;
	}
	rfc3339_format(time(NULL), now);
	event = json_object();
	set(event, "isv", json_text(r->state->name));
	set(event, "time", json_text(now));
	set(event, "kind", json_text(kind));
	set(event, "text", json_text(text));
	set(event, "layer", layer != NULL ? layer : json_null());
	reply = json_object();
	set(reply, "event", event);
	control_event(p->call, reply);
}

static void
on_started(struct task *task, struct registry *r)
{
	send_event((struct publish_call *)task, r, "started", task->what, NULL);
}

static void
on_event(struct task *task, struct registry *r, void *event)
{
	struct publish_call *p = (struct publish_call *)task;
	struct publish_event *e = event;

	if (e->text != NULL)
		send_event(p, r, "stage", e->text, NULL);
	else if (layer_state_ends(e->state) || control_call_room(p->call))
		send_event(p, r, "layer", NULL, layer_json(e));
	publish_event_free(e);
}

static json_t *
result_json(const struct publish_job *j)
{
	json_t *result = json_object(), *tags = json_array(), *reply = json_object();
	const struct publish_totals *t = &j->totals;
	size_t i;

	for (i = 0; i < j->n_tags; i++)
		json_array_append_new(tags, json_text(j->tags[i]));
	set(result, "image", json_text(j->order.image));
	set(result, "pull_url", json_text(j->pull_name));
	set(result, "tags", tags);
	set(result, "uploaded", json_integer((json_int_t)t->uploaded));
	set(result, "copied", json_integer((json_int_t)t->copied));
	set(result, "present", json_integer((json_int_t)t->present));
	set(result, "masked", json_integer((json_int_t)t->masked));
	set(result, "bytes", json_integer((json_int_t)t->bytes));
	set(reply, "result", result);
	return reply;
}

static void
on_done(struct task *task, struct registry *r, const struct error *err)
{
	struct publish_call *p = (struct publish_call *)task;

	(void)r;
	if (err != NULL)
		control_fail_error(p->call, err);
	else
		control_reply(p->call, p->job->order.remove ? NULL : result_json(p->job));
	control_call_unref(p->call);
	publish_job_free(p->job);
	free(task->what);
	free(p);
}

/* The order moves to a new job; what an archive's pipe has given by then is lost. */
static struct reconcile_job *
on_renew(struct task *task, struct registry *r)
{
	struct publish_call *p = (struct publish_call *)task;
	struct publish_order *order = &p->job->order;
	struct publish_job *j;
	struct stat st;

	if (order->fd != -1 && (fstat(order->fd, &st) == -1 || S_ISFIFO(st.st_mode)))
		return NULL;
	j = publish_job_new();
	j->order = *order;
	*order = (struct publish_order){ .fd = -1 };
	publish_job_free(p->job);
	p->job = j;
	send_event(p, r, "stage", "raas.cfg or the metadata was changed meanwhile: beginning again, "
	    "and what was sent is not sent again", NULL);
	return &j->base;
}

/* ---- orders ---- */

/* "acme/app:1.0" */
static int
read_image(const char *text, struct publish_order *order, struct error *err)
{
	const char *colon = strchr(text, ':');

	order->image = colon != NULL ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	if (isv_check_image(order->image, err) == -1)
		return -1;
	if (colon == NULL)
		return 0;
	if (order->remove)
		return error_set(err, ERROR_INPUT, "an image is taken out with all its tags");
	order->tag = xstrdup(colon + 1);
	return image_tag_valid(order->tag) ? 0 : error_set(err, ERROR_INPUT, "'%s' is no tag",
	    order->tag);
}

static int
check_file(int fd, struct error *err)
{
	struct stat st;

	if (fd == -1)
		return 0;
	if (fstat(fd, &st) == -1)
		return error_errno(err, "cannot look at the file");
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISDIR(st.st_mode))
		return error_set(err, ERROR_INPUT, "the source is neither a file, nor a pipe, nor "
		    "a directory");
	return 0;
}

static int
read_order(struct daemon *d, struct control_call *call, struct publish_order *order,
    struct error *err)
{
	const json_t *parameters = control_call_parameters(call);

	order->fd = control_call_take_file(call);
	order->from = xstrdup(json_string_or(parameters, "from", NULL));
	order->auth_file = xstrdup(d->settings->publish.auth_file);
	order->validate = json_bool_or(parameters, "validate", true);
	order->validate_timeout_ms = d->settings->publish.validate_timeout_ms;
	order->parallel = d->settings->publish.parallel;
	order->part_size = d->settings->publish.part_size;
	if (order->fd != -1 && order->from != NULL)
		return error_set(err, ERROR_INPUT, "give either a file or --from");
	if (check_file(order->fd, err) == -1)
		return -1;
	return read_image(json_string_or(parameters, "image", ""), order, err);
}

static void
submit(struct daemon *d, struct control_call *call, bool remove)
{
	struct registry *r = call_registry_to_change(d, call);
	struct publish_call *p;
	struct publish_job *j;
	struct error err;

	if (r == NULL)
		return;
	j = publish_job_new();
	j->order.remove = remove;
	if (read_order(d, call, &j->order, &err) == -1) {
		control_fail_error(call, &err);
		publish_job_free(j);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->call = control_call_ref(call);
	p->job = j;
	p->task = (struct task){ .job = &j->base, .topic = remove ? "UNPUBLISH" : "PUBLISH",
	    .what = xasprintf("image '%s%s%s'", j->order.image, j->order.tag != NULL ? ":" : "",
	    j->order.tag != NULL ? j->order.tag : ""), .started = on_started, .event = on_event,
	    .done = on_done, .renew = on_renew };
	registry_log(r, p->task.topic, "INFO", "%s, asked for by %s", p->task.what,
	    control_call_who(call));
	send_event(p, r, "queued", p->task.what, NULL);
	registry_add_task(r, &p->task);
}

void
handle_publish(struct daemon *d, struct control_call *call)
{
	submit(d, call, false);
}

void
handle_unpublish(struct daemon *d, struct control_call *call)
{
	submit(d, call, true);
}

/* ---- images ---- */

struct images_call {
	struct control_call	*call;
	char			*fqdn;		/* NULL: not known yet */
};

static void
on_images(void *arg, json_t *images, const struct error *err)
{
	struct images_call *c = arg;
	json_t *reply, *image;
	size_t i;

	if (images == NULL) {
		control_fail_error(c->call, err);
	} else {
		json_array_foreach(images, i, image) {
			cleanup(free_p) char *pull = c->fqdn == NULL ? NULL : xasprintf("%s/%s",
			    c->fqdn, json_string_or(image, "name", ""));

			set(image, "pull_url", json_text(pull));
		}
		reply = json_object();
		set(reply, "images", json_incref(images));
		control_reply(c->call, reply);
	}
	control_call_unref(c->call);
	free(c->fqdn);
	free(c);
}

void
handle_images(struct daemon *d, struct control_call *call)
{
	struct registry *r;
	struct images_call *c;

	if (!call_has_config(d, call) || (r = call_registry(d, call)) == NULL)
		return;
	c = xcalloc(1, sizeof(*c));
	c->call = control_call_ref(call);
	c->fqdn = xstrdup(r->state->fqdn);
	images_job_start(d->jobs, d->config_repo_path, &d->repo.tip, r->state->name, on_images, c);
}
