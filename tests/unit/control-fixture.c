/* control-fixture SOCKET SCRIPT - the control socket with a daemon behind it that only recites.
 *
 * SCRIPT is a JSON object: METHOD: [reply, …]. A reply is the parameters of an event, or of the
 * answer when it is the last; {"error": NAME, "parameters": {…}} is an error, {"drop": true}
 * ends the program at that point and {"hang": true} answers no more. Ends when its standard
 * input does. Prints "ready" once it listens. */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "daemon/control.h"
#include "daemon/log.h"

struct fixture {
	struct event_base	*base;
	json_t			*script;
};

static void
release(void *arg, struct control_call *call)
{
	(void)arg;
	control_call_unref(call);
}

/* Until its client goes, or we do. */
static void
hold(struct control_call *call)
{
	control_call_watch(control_call_ref(call), NULL, release, NULL);
}

static void
give_reply(struct fixture *f, struct control_call *call, const json_t *reply, bool last)
{
	const char *error = json_string_or(reply, "error", NULL);

	if (json_bool_or(reply, "drop", false) || json_bool_or(reply, "hang", false))
		hold(call);
	if (json_bool_or(reply, "drop", false))
		event_base_loopexit(f->base, NULL);
	else if (json_bool_or(reply, "hang", false))
		return;
	else if (error != NULL)
		control_fail(call, error, json_incref(json_object_get(reply, "parameters")));
	else if (last)
		control_reply(call, json_deep_copy(reply));
	else
		control_event(call, json_deep_copy(reply));
}

static void
handle(void *arg, struct control_call *call)
{
	struct fixture *f = arg;
	const json_t *replies = json_object_get(f->script, control_call_method(call)->name);
	size_t i, n = json_array_size(replies);

	for (i = 0; i < n; i++)
		give_reply(f, call, json_array_get(replies, i), i + 1 == n);
}

static void
on_input(evutil_socket_t fd, short what, void *arg)
{
	char byte;

	(void)what;
	if (read((int)fd, &byte, 1) <= 0)
		event_base_loopexit(arg, NULL);
}

int
main(int argc, char **argv)
{
	struct control_options options = { .listen_fd = -1, .version = "0.1.0" };
	struct fixture f = { .base = event_base_new() };
	struct event *input;
	struct control *control;
	struct error err;

	if (argc != 3 || (f.script = json_load_file(argv[2], 0, NULL)) == NULL) {
		fprintf(stderr, "usage: control-fixture SOCKET SCRIPT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	log_setup(LOG_LEVEL_WARNING, LOG_TARGET_STDERR);
	options.path = argv[1];
	if ((control = control_new(f.base, &options, handle, &f, &err)) == NULL) {
		fprintf(stderr, "control-fixture: %s\n", err.text);
		return 1;
	}
	input = event_new(f.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, f.base);
	event_add(input, NULL);
	puts("ready");
	fflush(stdout);
	event_base_dispatch(f.base);
	event_free(input);
	control_free(control);
	event_base_free(f.base);
	json_decref(f.script);
	return 0;
}
