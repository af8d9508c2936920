#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/interface.h"
#include "common/json.h"
#include "daemon/handlers.h"

#define LINES_DEFAULT 20

struct log_call {
	struct follower		 follower;
	struct daemon		*daemon;
	struct control_call	*call;
	char			*isv;
	size_t			 n_lines;
	bool			 follow;
	bool			 following;
};

static void
log_call_free(struct log_call *l)
{
	if (l->following)
		LIST_REMOVE(&l->follower, entry);
	control_call_unref(l->call);
	free(l->isv);
	free(l);
}

static void
on_gone(void *arg, struct control_call *call)
{
	(void)call;
	log_call_free(arg);
}

static json_t *
lines_reply(json_t *lines)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "lines", lines);
	return reply;
}

static void
on_line(struct follower *follower, const char *line)
{
	struct log_call *l = (struct log_call *)follower;
	json_t *lines = json_array();

	json_array_append_new(lines, json_text(line));
	/* A client that has gone is heard of by on_gone(). */
	control_event(l->call, lines_reply(lines));
}

/* The last n of what is committed and what is not yet. */
static json_t *
last_lines(char *const *committed, size_t n_committed, const struct isv_state *s, size_t n)
{
	size_t total = n_committed + s->n_unlogged, i;
	json_t *lines = json_array();

	for (i = total > n ? total - n : 0; i < total; i++)
		json_array_append_new(lines, json_text(i < n_committed ? committed[i]
		    : s->unlogged[i - n_committed]));
	return lines;
}

static void
on_read(void *arg, char *const *lines, size_t n, const struct error *err)
{
	struct log_call *l = arg;
	struct registry *r = daemon_registry(l->daemon, l->isv);

	if (err != NULL || r == NULL || control_call_gone(l->call)) {
		if (err != NULL)
			control_fail_error(l->call, err);
		log_call_free(l);
		return;
	}
	if (!l->follow) {
		control_reply(l->call, lines_reply(last_lines(lines, n, r->state, l->n_lines)));
		log_call_free(l);
		return;
	}
	control_event(l->call, lines_reply(last_lines(lines, n, r->state, l->n_lines)));
	l->follower.line = on_line;
	l->following = true;
	LIST_INSERT_HEAD(&r->followers, &l->follower, entry);
	control_call_watch(l->call, NULL, on_gone, l);
}

void
handle_log(struct daemon *d, struct control_call *call)
{
	const json_t *parameters = control_call_parameters(call);
	struct registry *r = call_registry(d, call);
	struct log_call *l;

	if (r == NULL)
		return;
	if (json_bool_or(parameters, "follow", false) && !control_call_more(call)) {
		control_fail(call, VARLINK_EXPECTED_MORE, NULL);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->daemon = d;
	l->call = control_call_ref(call);
	l->isv = xstrdup(r->state->name);
	l->n_lines = (size_t)json_int_or(parameters, "lines", LINES_DEFAULT);
	l->follow = json_bool_or(parameters, "follow", false);
	keeper_log(d->keeper, l->isv, l->n_lines, on_read, l);
}
