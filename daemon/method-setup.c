#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/cfg-section.h"
#include "daemon/config-keys.h"
#include "daemon/handlers.h"
#include "daemon/isv.h"
#include "daemon/sync-reply.h"

/* What the call's parameters are in raas.cfg. */
static const struct given {
	const char	*parameter;
	const char	*key;
} givens[] = {
	{ "domain", "openshift_domain" },
	{ "bucket", "s3_bucket" },
	{ "app", "openshift_app" },
	{ "fqdn", "registry_fqdn" },
	{ "public_url", "s3_public_url" },
	{ "scale", "openshift_scale" },
	{ "gear_size", "openshift_gear_size" },
	{ "access", "s3_access" },
	{ "create", "create" },
	{ "restart", "restart" },
};

#define N_GIVENS (sizeof(givens) / sizeof(givens[0]))

/* The section is committed first. Then it is pushed, and the ISV synced, side by side. */
struct setup_call {
	struct push_waiter	 push;
	struct waiter		 sync;
	struct daemon		*daemon;
	struct control_call	*call;
	char			*name;
	bool			 added;		/* by this call; else it was there */
	struct error		 push_error;	/* kind ERROR_NONE: it is pushed */
	json_t			*result;	/* of the sync; NULL: none */
	unsigned int		 pending;	/* of the two */
};

#define CONTAINER(member, pointer)					\
	((struct setup_call *)((char *)(pointer) - offsetof(struct setup_call, member)))

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void
setup_free(struct setup_call *s)
{
	control_call_unref(s->call);
	json_decref(s->result);
	free(s->name);
	free(s);
}

static void
fail(struct setup_call *s, const struct error *err)
{
	control_fail_error(s->call, err);
	setup_free(s);
}

/* ---- what is asked for ---- */

static const char *
value_of(const json_t *parameters, const struct given *given)
{
	return json_string_or(parameters, given->parameter, NULL);
}

/* By the rules of raas.cfg itself, into `isv`. */
static int
read_values(const json_t *parameters, struct isv *isv, struct error *err)
{
	const struct config_table *table = config_table("");
	size_t i;

	for (i = 0; i < N_GIVENS; i++) {
		const struct config_key *key = config_table_key(table, givens[i].key);
		const char *value = value_of(parameters, &givens[i]);

		if (value == NULL)
			continue;
		if (value[0] == '\0')
			return error_set(err, ERROR_INPUT, "%s: is empty", key->name);
		if (config_key_set(key, isv, value, err) == -1)
			return error_prefix(err, "%s", key->name);
	}
	return 0;
}

/* The key that is asked for otherwise than the ISV has it; NULL: there is none. */
static const char *
other_key(const json_t *parameters, const struct isv *wanted, const struct isv *isv)
{
	size_t i;

	for (i = 0; i < N_GIVENS; i++) {
		const struct config_key *key = config_table_key(config_table(""), givens[i].key);
		const struct config_table one = { NULL, key, 1 };

		if (value_of(parameters, &givens[i]) != NULL &&
		    !config_values_equal(&one, wanted, isv))
			return key->name;
	}
	return NULL;
}

static int
check_name(const char *name, struct error *err)
{
	const char *shared = config_table_meant(name);

	if (isv_check_name(name, err) == -1)
		return error_prefix(err, "isv '%s'", name);
	if (strcasecmp(name, "DEFAULT") == 0 || (shared != NULL && strcasecmp(shared, name) == 0))
		return error_set(err, ERROR_INPUT, "isv '%s': a section of this name means something "
		    "else in raas.cfg", name);
	return 0;
}

/* Is raas.cfg fit to be added to? What is wrong with single ISVs does not matter. */
static int
check_config(const struct config *c, struct error *err)
{
	const char *shared = c->openshift.error != NULL ? c->openshift.error : c->aws.error;
	size_t i;

	if (shared != NULL)
		return error_set(err, ERROR_INPUT, "no ISV can be set up while raas.cfg has an error "
		    "in a section that all share; mend that first: %s", shared);
	for (i = 0; i < c->n_errors; i++)
		if (c->errors[i].section == NULL)
			return error_set(err, ERROR_INPUT, "no ISV can be set up while raas.cfg cannot "
			    "be read as a whole; mend that first: line %u: %s", c->errors[i].line,
			    c->errors[i].text);
	return 0;
}

/* An ISV that is there is fine when it is as asked for, so that a setup can be repeated. */
static int
check_present(const json_t *parameters, const struct isv *wanted, const struct isv *isv,
    struct error *err)
{
	const char *key;

	if (isv->error != NULL)
		return error_set(err, ERROR_CONFLICT, "raas.cfg has a section [%s] already, with an "
		    "error; mend it there: %s", isv->name, isv->error);
	if ((key = other_key(parameters, wanted, isv)) != NULL)
		return error_set(err, ERROR_CONFLICT, "raas.cfg has a section [%s] already, with "
		    "another %s; change it there", isv->name, key);
	return 0;
}

static void
write_section(const json_t *parameters, const char *name, struct buf *lines)
{
	size_t i;

	cfg_section_head(lines, name);
	for (i = 0; i < N_GIVENS; i++)
		if (value_of(parameters, &givens[i]) != NULL)
			cfg_section_key(lines, givens[i].key, value_of(parameters, &givens[i]));
}

/* ---- the end ---- */

/* Another may have been faster to push: then theirs is in force. */
static int
check_in_force(const struct setup_call *s, struct error *err)
{
	const json_t *parameters = control_call_parameters(s->call);
	const struct config *c = s->daemon->config;
	const struct isv *isv = c != NULL ? config_isv(c, s->name) : NULL;
	struct isv wanted = { .name = s->name };
	int result;

	if (isv == NULL)
		return error_set(err, ERROR_CONFLICT, "somebody else has taken section [%s] out of "
		    "raas.cfg meanwhile", s->name);
	result = read_values(parameters, &wanted, err);
	if (result == 0)
		result = check_present(parameters, &wanted, isv, err);
	config_values_done(config_table(""), &wanted);
	return result;
}

static json_t *
outcome_json(const struct setup_call *s)
{
	const struct daemon *d = s->daemon;
	const struct registry *r = daemon_registry(s->daemon, s->name);
	bool pushed = s->push_error.kind == ERROR_NONE;
	char hex[GIT_OID_HEXSZ + 1];
	json_t *result = json_object(), *reply = json_object();

	set(result, "isv", json_text(s->name));
	set(result, "added", json_boolean(s->added));
	set(result, "commit", json_text(git_oid_tostr(hex, sizeof(hex), &d->repo.tip)));
	set(result, "pushed", json_boolean(pushed));
	set(result, "push_error", json_text(pushed ? NULL : s->push_error.text));
	set(result, "fqdn", json_text(r->state->fqdn));
	set(result, "warnings", registry_warnings_json(r));
	set(result, "sync", s->result != NULL ? json_incref(s->result) : json_null());
	set(reply, "result", result);
	return reply;
}

static void
one_done(struct setup_call *s)
{
	struct error err;

	if (--s->pending > 0)
		return;
	if (s->daemon->stopping) {
		error_set(&err, ERROR_CANCELLED, "raasd is stopping; the section is committed here");
		fail(s, &err);
	} else if (check_in_force(s, &err) == -1) {
		fail(s, &err);
	} else {
		control_reply(s->call, outcome_json(s));
		setup_free(s);
	}
}

/* ---- pushing ---- */

static void
on_pushed(struct push_waiter *w, const struct error *err)
{
	struct setup_call *s = CONTAINER(push, w);
	struct registry *r = daemon_registry(s->daemon, s->name);
	cleanup(free_p) char *text = NULL;

	if (err != NULL) {
		s->push_error = *err;
		text = xasprintf("the section is committed here, and safe, but not pushed yet: %s; "
		    "that is tried again until it works", err->text);
		if (r != NULL)
			sync_event_send(s->call, r, "note", "warning", NULL, text);
	}
	one_done(s);
}

/* ---- syncing ---- */

static void
on_started(struct waiter *w, struct registry *r)
{
	sync_event_send(CONTAINER(sync, w)->call, r, "started", "info", NULL, "syncing");
}

static void
on_step(struct waiter *w, struct registry *r, const struct reconcile_event *e)
{
	sync_event_send(CONTAINER(sync, w)->call, r, "step", e->failed ? "error" : "info",
	    resource_kind_name(e->resource), e->text);
}

static void
on_synced(struct waiter *w, struct registry *r, const struct reconcile_result *result,
    const struct error *err)
{
	struct setup_call *s = CONTAINER(sync, w);
	bool ok;

	s->result = sync_result_json(r, result, err, false, &ok);
	sync_event_send(s->call, r, "finished", ok ? "info" : "error", NULL,
	    phase_name(registry_phase(r)));
	one_done(s);
}

static void
sync_now(struct setup_call *s, struct registry *r)
{
	if (!json_bool_or(control_call_parameters(s->call), "wait", true) || r->slot == NULL ||
	    r->state->pause.on)
		return;
	s->sync = (struct waiter){ .started = on_started, .step = on_step, .done = on_synced };
	s->pending++;
	LIST_INSERT_HEAD(&r->waiters, &s->sync, entry);
	sync_event_send(s->call, r, "queued", "info", NULL, "queued");
	daemon_request(s->daemon, r, WORK_DEEP, true);
}

/* ---- adding ---- */

/* The section is in force. */
static void
go_on(struct setup_call *s)
{
	struct registry *r = daemon_registry(s->daemon, s->name);

	s->pending = 1;
	sync_now(s, r);
	s->push.done = on_pushed;
	daemon_push(s->daemon, &s->push);
}

static void
say_added(struct setup_call *s)
{
	struct registry *r = daemon_registry(s->daemon, s->name);
	char hex[11];
	cleanup(free_p) char *text = xasprintf("added to raas.cfg in commit %s",
	    git_oid_tostr(hex, sizeof(hex), &s->daemon->repo.tip));

	registry_log(r, "SETUP", "INFO", "%s, asked for by %s", text, control_call_who(s->call));
	sync_event_send(s->call, r, "note", "info", NULL, text);
}

static void
on_added(void *arg, const struct keeper_answer *a)
{
	struct setup_call *s = arg;
	struct daemon *d = s->daemon;
	struct error err;

	if (a->error != NULL) {
		fail(s, a->error);
		return;
	}
	s->added = a->committed;
	if (d->stopping) {
		error_set(&err, ERROR_CANCELLED, "raasd is stopping; the section is committed here");
		fail(s, &err);
		return;
	}
	daemon_note_news(d, a->news);
	daemon_take_answer(d, a);
	if (a->news->dropped.n > 0 || check_in_force(s, &err) == -1) {
		if (a->news->dropped.n > 0)
			error_set(&err, ERROR_CONFLICT, "%s", a->news->dropped.texts[0]);
		fail(s, &err);
		return;
	}
	if (s->added)
		say_added(s);
	go_on(s);
}

static int
check(struct daemon *d, const json_t *parameters, struct isv *wanted, struct error *err)
{
	const char *name = json_string_or(parameters, "isv", "");
	const struct isv *isv = config_isv(d->config, name);

	if (!d->settings->commit)
		return error_set(err, ERROR_INPUT, "this raasd does not write to the config repo, for "
		    "raasd.yaml says 'commit: false'; add section [%s] to raas.cfg by hand", name);
	if (check_name(name, err) == -1 || read_values(parameters, wanted, err) == -1)
		return -1;
	return isv != NULL ? check_present(parameters, wanted, isv, err)
	    : check_config(d->config, err);
}

void
handle_setup(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	const char *name = json_string_or(parameters, "isv", "");
	cleanup(buf_done) struct buf lines = BUF_INIT;
	cleanup(free_p) char *message = NULL;
	struct isv wanted = { .name = NULL };
	struct setup_call *s;
	struct error err;
	int result;

	if (!call_has_config(d, call))
		return;
	result = check(d, parameters, &wanted, &err);
	config_values_done(config_table(""), &wanted);
	if (result == -1) {
		control_fail_error(call, &err);
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->daemon = d;
	s->call = control_call_ref(call);
	s->name = xstrdup(name);
	if (config_isv(d->config, name) != NULL) {
		go_on(s);
		return;
	}
	write_section(parameters, name, &lines);
	message = xasprintf("raas.cfg: set up isv '%s'\n\nAsked for by %s.\n", name,
	    control_call_who(call));
	keeper_add_section(d->keeper, name, buf_str(&lines), message, on_added, s);
}
