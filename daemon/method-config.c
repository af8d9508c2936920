#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/handlers.h"
#include "daemon/log.h"

struct pull_call {
	struct pull_waiter	 waiter;
	struct daemon		*daemon;
	struct control_call	*call;
};

static void
say_accepted(const struct pull_call *p)
{
	log_warning(&(struct log_about){ .resource = "config repo",
	    .message_id = event_table[EVENT_COMMIT_ACCEPTED].id },
	    "config repo: %s accepted commit %s, whatever its signature", control_call_who(p->call),
	    p->waiter.accept);
}

static void
on_pulled(struct pull_waiter *waiter, bool changed, char *const *isvs, size_t n,
    const struct error *err)
{
	struct pull_call *p = (struct pull_call *)waiter;
	char hex[GIT_OID_HEXSZ + 1];
	json_t *reply, *names;
	size_t i;

	if (err != NULL) {
		control_fail_error(p->call, err);
	} else {
		if (p->waiter.accept != NULL)
			say_accepted(p);
		reply = json_object();
		names = json_array();
		for (i = 0; i < n; i++)
			json_array_append_new(names, json_text(isvs[i]));
		json_object_set_new(reply, "commit",
		    json_text(git_oid_tostr(hex, sizeof(hex), &p->daemon->repo.tip)));
		json_object_set_new(reply, "changed", json_boolean(changed));
		json_object_set_new(reply, "isvs", names);
		control_reply(p->call, reply);
	}
	control_call_unref(p->call);
	free(p);
}

void
handle_pull(struct daemon *d, struct control_call *call)
{
	struct pull_call *p = xcalloc(1, sizeof(*p));

	p->waiter.done = on_pulled;
	p->waiter.accept = json_string_or(control_call_parameters(call), "accept", NULL);
	p->daemon = d;
	p->call = control_call_ref(call);
	daemon_pull(d, &p->waiter);
}

static json_t *
problems_json(const struct config_problem *problems, size_t n)
{
	json_t *list = json_array(), *item;
	size_t i;

	for (i = 0; i < n; i++) {
		item = json_object();
		json_object_set_new(item, "file", json_text("raas.cfg"));
		json_object_set_new(item, "line", json_integer(problems[i].line));
		json_object_set_new(item, "section", json_text(problems[i].section));
		json_object_set_new(item, "text", json_text(problems[i].text));
		json_array_append_new(list, item);
	}
	return list;
}

/* A reload ends with the pull that it begins: what was read is then in force. */
struct reload_call {
	struct pull_waiter	 waiter;
	struct daemon		*daemon;
	struct control_call	*call;
	const char		*fixed;		/* a setting that waits for a restart; "" none */
};

static void
on_reloaded(struct pull_waiter *waiter, bool changed, char *const *isvs, size_t n,
    const struct error *err)
{
	struct reload_call *r = (struct reload_call *)waiter;
	const struct config *c = r->daemon->config;
	json_t *reply = json_object(), *warnings, *errors;

	(void)changed;
	(void)isvs;
	(void)n;
	warnings = problems_json(c != NULL ? c->warnings : NULL, c != NULL ? c->n_warnings : 0);
	errors = problems_json(c != NULL ? c->errors : NULL, c != NULL ? c->n_errors : 0);
	if (r->fixed[0] != '\0')
		json_array_append_new(warnings, json_pack("{s:s, s:i, s:n, s:s+}", "file",
		    "raasd.yaml", "line", 0, "section", "text", r->fixed,
		    ": changes at the next restart only"));
	if (err != NULL)
		json_array_append_new(errors, json_pack("{s:s, s:i, s:n, s:s}", "file",
		    "config repo", "line", 0, "section", "text", err->text));
	json_object_set_new(reply, "warnings", warnings);
	json_object_set_new(reply, "errors", errors);
	control_reply(r->call, reply);
	control_call_unref(r->call);
	free(r);
}

void
handle_reload(struct daemon *d, struct control_call *call)
{
	struct error err = ERROR_INIT;
	const char *fixed = daemon_reload(d, &err);
	struct reload_call *r;

	if (fixed == NULL) {
		control_fail_error(call, &err);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->waiter.done = on_reloaded;
	r->daemon = d;
	r->call = control_call_ref(call);
	r->fixed = fixed;
	daemon_pull(d, &r->waiter);
}
