/* raasctl - asks raasd to do something, or how things are. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/call.h"
#include "client/complete.h"
#include "client/help.h"
#include "client/outcome.h"
#include "client/patience.h"
#include "client/render.h"
#include "client/show-teardown.h"
#include "client/show.h"
#include "client/watch.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/interface.h"
#include "common/json.h"

#define CHECK_TIMEOUT_S 10

/* A monitoring plugin says on standard output what it has to say, and knows no outcome but its
 * own. */
static bool is_plugin;
/* Who tries again and again says once that there is no raasd. */
static bool is_away_told;
/* Where they go instead of standard error: into what is shown next. */
static FILE *complaints;

static enum outcome
complain(enum outcome outcome, const struct error *err)
{
	if (is_plugin) {
		printf("RAAS UNKNOWN - %s\n", err->text);
		return OUTCOME_NO_DAEMON;
	}
	if (outcome != OUTCOME_NO_DAEMON || !is_away_told)
		fprintf(complaints != NULL ? complaints : stderr, "raasctl: %s\n", err->text);
	is_away_told |= outcome == OUTCOME_NO_DAEMON;
	return outcome;
}

static void
on_alarm(int number)
{
	static const char text[] = "RAAS UNKNOWN - no answer from raasd in time\n";

	(void)number;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) == -1)
		_exit(OUTCOME_NO_DAEMON);
	_exit(OUTCOME_NO_DAEMON);
}

/* Whatever it is that takes too long. */
static void
limit_time(const json_t *parameters)
{
	signal(SIGALRM, on_alarm);
	alarm((unsigned int)json_int_or(parameters, "timeout", CHECK_TIMEOUT_S));
}

/* Shows replies until the last one. */
static enum outcome
follow(struct call *call, struct show *show, const struct method *m)
{
	enum outcome outcome = OUTCOME_DONE, of_this;
	struct message_reply reply;
	struct error err;
	bool last = false;

	while (!last) {
		if (call_next(call, &reply, &err) == -1) {
			render_progress_end(show->render);
			return complain(outcome_of_connection(&err), &err);
		}
		last = !reply.continues || reply.error != NULL;
		if (reply.error != NULL) {
			render_progress_end(show->render);
			outcome = complain(outcome_of_error(m, &reply, &err), &err);
		} else {
			of_this = outcome_of_reply(m, reply.parameters);
			outcome = of_this > outcome ? of_this : outcome;
			show_reply(show, reply.parameters, last);
		}
		message_reply_done(&reply);
	}
	return outcome;
}

/* Whoever runs raasctl has the right to read the file; raasd need not. */
static int
open_file(const struct arguments *a, int *file, struct error *err)
{
	const char *name = method_file(a->method, a->parameters);
	const char *path = name != NULL ? json_string_or(a->parameters, name, "") : NULL;

	if (path == NULL)
		return 0;
	*file = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	    : open(path, O_RDONLY | O_CLOEXEC);
	return *file != -1 ? 0 : error_errno(err, "cannot open '%s'", path);
}

static enum outcome
call_once(const struct arguments *a, struct show *show, int file)
{
	cleanup(call_done) struct call call = CALL_INIT;
	cleanup(free_p) char *name = xasprintf("%s.%s", INTERFACE_NAME, a->method->name);
	struct error err;

	if (call_open(&call, a->socket, &err) == -1 ||
	    call_send(&call, name, json_incref(a->parameters), a->method->streams,
	    a->method->waits, file, &err) == -1)
		return complain(outcome_of_connection(&err), &err);
	return follow(&call, show, a->method);
}

/* A raasd that is not there yet, or is restarted, is waited for like the rest. */
static enum outcome
call_again(const struct arguments *a, struct show *show)
{
	struct patience patience;
	enum outcome outcome;

	patience_init(&patience, json_string_or(a->parameters, "until", NULL), time(NULL));
	do
		outcome = call_once(a, show, -1);
	while (outcome == OUTCOME_NO_DAEMON && patience_pause(&patience));
	return outcome;
}

/* A plan that a person has agreed to is carried out. */
static enum outcome
confirm(const struct arguments *a, struct show *show)
{
	if (!teardown_ask(show, json_string_or(a->parameters, "isv", "")))
		return OUTCOME_FAILED;
	json_object_set_new(a->parameters, "confirm", json_string(show->plan));
	return call_once(a, show, -1);
}

/* What raasd says, or that it does not, once more. */
static void
look(void *arg, FILE *out)
{
	const struct arguments *a = arg;
	struct render render;
	struct show show = { .render = &render, .method = a->method, .asked = a->parameters };

	render_init(&render, a->no_color);
	render.out = complaints = out;
	render.progress = is_away_told = false;
	call_once(a, &show, -1);
	show_done(&show);
	complaints = NULL;
}

static enum outcome
run(const struct arguments *a)
{
	struct render render;
	struct show show = { .render = &render, .method = a->method, .asked = a->parameters,
	    .json = a->json };
	struct error err;
	enum outcome outcome;
	cleanup(close_p) int file = -1;

	is_plugin = strcmp(a->method->name, "Check") == 0;
	if (is_plugin)
		limit_time(a->parameters);
	render_init(&render, a->no_color);
	if (a->watch && (a->json || !render.progress)) {
		error_set(&err, ERROR_INPUT, "--watch is for a terminal, and not with --json");
		return complain(OUTCOME_USAGE, &err);
	}
	if (a->watch)
		watch(look, (void *)a);
	if (open_file(a, &file, &err) == -1)
		return complain(OUTCOME_FAILED, &err);
	outcome = strcmp(a->method->name, "Wait") == 0 ? call_again(a, &show)
	    : call_once(a, &show, file);
	if (show.plan != NULL && outcome == OUTCOME_DONE && teardown_can_ask(&show))
		outcome = confirm(a, &show);
	show_done(&show);
	if (ferror(stdout)) {
		error_set(&err, ERROR_SYSTEM, "cannot write the answer");
		return complain(OUTCOME_FAILED, &err);
	}
	return outcome;
}

/* "raasctl __complete CURRENT WORD…", from the shells' completion. */
static enum outcome
complete_line(int argc, char **argv)
{
	int current = atoi(argv[2]), n = argc - 3;

	if (current < 1 || current >= n)
		return OUTCOME_USAGE;
	complete(stdout, argv + 3, current);
	return OUTCOME_DONE;
}

int
main(int argc, char **argv)
{
	cleanup(arguments_done) struct arguments a = { 0 };
	struct error err;

	if (argc > 3 && strcmp(argv[1], "__complete") == 0)
		return complete_line(argc, argv);
	if (arguments_parse(&a, argc, argv, (int64_t)time(NULL), &err) == -1) {
		is_plugin = a.method != NULL && strcmp(a.method->name, "Check") == 0;
		complain(OUTCOME_USAGE, &err);
		help_usage(stderr, a.method);
		return is_plugin ? OUTCOME_NO_DAEMON : OUTCOME_USAGE;
	}
	if (a.version) {
		puts("raasctl " RAAS_VERSION);
	} else if (a.help && a.method != NULL) {
		help_command(stdout, a.method);
	} else if (a.help) {
		help_all(stdout);
	} else {
		return run(&a);
	}
	return OUTCOME_DONE;
}
