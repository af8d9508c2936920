#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/interface.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "daemon/handlers.h"
#include "daemon/overview.h"
#include "daemon/url.h"

#define PAGE 256	/* ISVs in one reply */
/* Of the status: raised when a member goes or changes its meaning, not when one is added. */
#define STATUS_SCHEMA 1

static json_t *
time_or_null(time_t t)
{
	char text[RFC3339_SIZE];

	if (t == 0)
		return json_null();
	rfc3339_format(t, text);
	return json_text(text);
}

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *
resources_json(const struct isv_state *s)
{
	json_t *list = json_array(), *item;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		const struct resource *r = &s->resources[i];

		if (r->name == NULL)
			continue;
		item = json_object();
		set(item, "kind", json_text(resource_kind_name(r->kind)));
		set(item, "name", json_text(r->name));
		set(item, "state", json_text(resource_state_name(r->state)));
		set(item, "detail", json_text(r->detail));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *
images_json(const struct isv_state *s)
{
	json_t *list = json_array(), *item;
	size_t i;

	for (i = 0; i < s->n_images; i++) {
		cleanup(free_p) char *pull = xasprintf("%s/%s", s->fqdn != NULL ? s->fqdn : "",
		    s->images[i]);

		item = json_object();
		set(item, "name", json_text(s->images[i]));
		set(item, "pull_url", json_text(pull));
		json_array_append_new(list, item);
	}
	return list;
}

/* Where the warnings of that section begin, or would. */
static size_t
first_warning(const struct daemon *d, const char *section)
{
	size_t low = 0, high = d->n_warnings, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(d->warnings[middle]->section, section) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

json_t *
registry_warnings_json(const struct registry *r)
{
	const struct daemon *d = r->daemon;
	const char *name = r->state->name;
	json_t *list = json_array();
	size_t i;

	for (i = first_warning(d, name);
	    i < d->n_warnings && strcmp(d->warnings[i]->section, name) == 0; i++)
		json_array_append_new(list, json_text(d->warnings[i]->text));
	if (r->isv != NULL && r->isv->stale) {
		cleanup(free_p) char *text = xasprintf("its section in raas.cfg has an error, the "
		    "last good values are in force");

		json_array_append_new(list, json_text(text));
	}
	return list;
}

static json_t *
pause_json(const struct pause *p)
{
	json_t *object;

	if (!p->on)
		return json_null();
	object = json_object();
	set(object, "by", json_text(p->by));
	set(object, "since", time_or_null(p->since));
	set(object, "reason", p->reason[0] != '\0' ? json_text(p->reason) : json_null());
	set(object, "until", time_or_null(p->until));
	return object;
}

/* When the next check will be, of whatever kind; the sweep looks at all. */
static time_t
next_check(const struct registry *r)
{
	struct timeval tv, now;
	int64_t due = r->slot != NULL ? slot_due(r->slot) : -1, sweep = -1, ms;

	if (r->slot == NULL)
		return 0;
	event_base_gettimeofday_cached(r->daemon->base, &now);
	if (evtimer_pending(r->daemon->sweep_timer, &tv))
		sweep = (tv.tv_sec - now.tv_sec) * 1000;
	ms = due != -1 ? due - clock_monotonic_ms() : -1;
	if (ms < 0 || (sweep >= 0 && sweep < ms))
		ms = sweep;
	return time(NULL) + (ms > 0 ? ms / 1000 : 0);
}

static json_t *
isv_json(const struct registry *r)
{
	const struct isv_state *s = r->state;
	json_t *object = json_object();
	set(object, "name", json_text(s->name));
	set(object, "phase", json_text(phase_name(registry_phase(r))));
	set(object, "domain", json_text(r->isv != NULL ? r->isv->domain : NULL));
	set(object, "app", json_text(r->isv != NULL ? r->isv->app : NULL));
	set(object, "bucket", json_text(r->isv != NULL ? r->isv->bucket : NULL));
	set(object, "fqdn", json_text(s->fqdn));
	set(object, "url", json_text(s->url));
	set(object, "images", images_json(s));
	set(object, "resources", resources_json(s));
	set(object, "warnings", registry_warnings_json(r));
	set(object, "last_sync", time_or_null(s->last_sync));
	set(object, "next_check", time_or_null(next_check(r)));
	set(object, "failures", json_integer(registry_failures(r)));
	set(object, "error", json_text(registry_error(r)));
	set(object, "paused", pause_json(&s->pause));
	return object;
}

static json_t *
phases_json(const struct overview *o)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < N_PHASES; i++)
		if (o->phases[i] > 0)
			set(object, phase_name((enum phase)i), json_integer((json_int_t)o->phases[i]));
	return object;
}

static json_t *
incidents_json(struct daemon *d)
{
	struct incident *all[DAEMON_INCIDENTS];
	size_t n = daemon_incidents(d, all), i;
	json_t *list = json_array(), *item;

	for (i = 0; i < n; i++) {
		if (all[i]->text == NULL)
			continue;
		item = json_object();
		set(item, "what", json_text(all[i]->what));
		set(item, "text", json_text(all[i]->text));
		set(item, "since", time_or_null(all[i]->since));
		set(item, "isvs", all[i]->isvs > 0 ? json_integer((json_int_t)all[i]->isvs)
		    : json_null());
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *
stuck_json(const struct overview *o)
{
	const struct stuck *s = &o->stuck;
	json_t *object;

	if (!o->is_stuck)
		return json_null();
	object = json_object();
	set(object, "stage", json_text(s->stage));
	set(object, "isv", s->isv[0] != '\0' ? json_text(s->isv) : json_null());
	set(object, "seconds", json_integer(s->over_s));
	return object;
}

static json_t *
daemon_json(struct daemon *d)
{
	cleanup(free_p) char *url = url_hide_password(d->settings->config_repo);
	char hex[GIT_OID_HEXSZ + 1];
	json_t *object = json_object();
	struct overview o;

	overview_take(d, &o);
	set(object, "schema", json_integer(STATUS_SCHEMA));
	set(object, "version", json_text(RAAS_VERSION));
	set(object, "pid", json_integer(getpid()));
	set(object, "environment", json_text(d->settings->environment));
	set(object, "config_repo", json_text(url));
	set(object, "config_commit", d->repo.has_tip
	    ? json_text(git_oid_tostr(hex, sizeof(hex), &d->repo.tip)) : json_null());
	set(object, "started", time_or_null(o.started));
	set(object, "last_pull", time_or_null(o.last_pull));
	set(object, "pull_error", json_text(d->config_repo.text));
	set(object, "last_push", time_or_null(o.last_push));
	set(object, "unpushed_commits", json_integer((json_int_t)o.unpushed));
	set(object, "unpushed_since", time_or_null(o.unpushed_since));
	set(object, "oldest_sync", time_or_null(o.oldest_sync));
	set(object, "isvs", json_integer((json_int_t)o.isvs));
	set(object, "phases", phases_json(&o));
	set(object, "incidents", incidents_json(d));
	set(object, "jobs_running", json_integer((json_int_t)o.running));
	set(object, "jobs_queued", json_integer((json_int_t)o.queued));
	set(object, "stuck", stuck_json(&o));
	return object;
}

/* A status that is too long for one reply: sent page by page, as the client reads. */
struct pager {
	struct daemon		*daemon;
	struct control_call	*call;
	char			**names;	/* NULL: all; copies */
	size_t			 n;
	size_t			 at;
};

static json_t *
page_reply(struct pager *p)
{
	json_t *reply = json_object(), *list = json_array();
	size_t end = p->at + PAGE < p->n ? p->at + PAGE : p->n;

	if (p->at == 0)
		set(reply, "daemon", daemon_json(p->daemon));
	for (; p->at < end; p->at++) {
		struct registry *r = daemon_registry(p->daemon, p->names[p->at]);

		if (r != NULL)
			json_array_append_new(list, isv_json(r));
	}
	set(reply, "isvs", list);
	return reply;
}

static void
pager_free(struct pager *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		free(p->names[i]);
	free(p->names);
	control_call_unref(p->call);
	free(p);
}

static void
send_pages(struct pager *p)
{
	while (p->n - p->at > PAGE) {
		/* A client that has gone is heard of by on_gone(). */
		if (!control_event(p->call, page_reply(p)) || !control_call_room(p->call))
			return;
	}
	control_reply(p->call, page_reply(p));
	pager_free(p);
}

static void
on_room(void *arg, struct control_call *call)
{
	(void)call;
	send_pages(arg);
}

static void
on_gone(void *arg, struct control_call *call)
{
	(void)call;
	pager_free(arg);
}

/* The names asked for, or all. False: one is unknown, and the call is answered. */
static bool
collect_names(struct pager *p)
{
	const json_t *isvs = json_object_get(control_call_parameters(p->call), "isvs");
	struct daemon *d = p->daemon;
	json_t *item;
	size_t i;

	if (json_array_size(isvs) == 0) {
		p->names = xcalloc(d->n_registries, sizeof(*p->names));
		for (p->n = 0; p->n < d->n_registries; p->n++)
			p->names[p->n] = xstrdup(d->registries[p->n]->state->name);
		return true;
	}
	p->names = xcalloc(json_array_size(isvs), sizeof(*p->names));
	json_array_foreach(isvs, i, item) {
		if (call_registry_named(d, p->call, json_string_value(item)) == NULL)
			return false;
		p->names[p->n++] = xstrdup(json_string_value(item));
	}
	return true;
}

void
handle_status(struct daemon *d, struct control_call *call)
{
	struct pager *p = xcalloc(1, sizeof(*p));

	p->daemon = d;
	p->call = control_call_ref(call);
	if (!collect_names(p)) {
		pager_free(p);
		return;
	}
	if (p->n > PAGE && !control_call_more(call)) {
		control_fail(call, VARLINK_EXPECTED_MORE, NULL);
		pager_free(p);
		return;
	}
	control_call_watch(call, on_room, on_gone, p);
	send_pages(p);
}
