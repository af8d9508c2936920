/* raasctl - asks raasd to do something, or how things are. */
#include <fcntl.h>
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
#include "client/time-limit.h"
#include "client/watch.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/interface.h"
#include "common/json.h"

#define CHECK_TIMEOUT_S 10

/* One command line, and how its complaints are made. */
struct run {
	const struct arguments	*a;
	/* A monitoring plugin says on standard output what it has to say, and knows no outcome but
	 * its own. */
	bool			 is_plugin;
	/* Who tries again and again says once that there is no raasd. */
	bool			 is_away_told;
	/* Where else than to standard error: into what is shown next. */
	FILE			*complaints;
};

static bool
is_plugin(const struct method *m)
{
	return m != NULL && strcmp(m->name, "Check") == 0;
}

static enum outcome
complain(struct run *run, enum outcome outcome, const struct error *err)
{
	if (run->is_plugin) {
		printf("RAAS UNKNOWN - %s\n", err->text);
		return OUTCOME_NO_DAEMON;
	}
	if (outcome != OUTCOME_NO_DAEMON || !run->is_away_told)
		fprintf(run->complaints != NULL ? run->complaints : stderr, "raasctl: %s\n",
		    err->text);
	run->is_away_told |= outcome == OUTCOME_NO_DAEMON;
	return outcome;
}

/* Shows replies until the last one. */
static enum outcome
follow(struct run *run, struct call *call, struct show *show)
{
	const struct method *m = run->a->method;
	enum outcome outcome = OUTCOME_DONE, of_this;
	struct message_reply reply;
	struct error err;
	bool last = false;

	while (!last) {
		if (call_next(call, &reply, &err) == -1) {
			render_progress_end(show->render);
			return complain(run, outcome_of_connection(&err), &err);
		}
		last = !reply.continues || reply.error != NULL;
		if (reply.error != NULL) {
			render_progress_end(show->render);
			outcome = complain(run, outcome_of_error(m, &reply, &err), &err);
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
call_once(struct run *run, struct show *show, int file)
{
	const struct arguments *a = run->a;
	cleanup(call_done) struct call call = CALL_INIT;
	cleanup(free_p) char *name = xasprintf("%s.%s", INTERFACE_NAME, a->method->name);
	struct error err;

	if (call_open(&call, a->socket, &err) == -1 ||
	    call_send(&call, name, json_incref(a->parameters), a->method->streams,
	    a->method->waits, file, &err) == -1)
		return complain(run, outcome_of_connection(&err), &err);
	return follow(run, &call, show);
}

/* A raasd that is not there yet, or is restarted, is waited for like the rest. */
static enum outcome
call_again(struct run *run, struct show *show)
{
	struct patience patience;
	enum outcome outcome;

	patience_init(&patience, json_string_or(run->a->parameters, "until", NULL), time(NULL));
	do
		outcome = call_once(run, show, -1);
	while (outcome == OUTCOME_NO_DAEMON && patience_pause(&patience));
	return outcome;
}

/* A plan that a person has agreed to is carried out. */
static enum outcome
confirm(struct run *run, struct show *show)
{
	json_t *parameters = run->a->parameters;

	if (!teardown_ask(show, json_string_or(parameters, "isv", "")))
		return OUTCOME_FAILED;
	json_object_set_new(parameters, "confirm", json_string(show->plan));
	return call_once(run, show, -1);
}

/* What raasd says, or that it does not, once more. */
static void
look(void *arg, FILE *out)
{
	const struct arguments *a = arg;
	struct run run = { .a = a, .complaints = out };
	struct render render;
	struct show show = { .render = &render, .method = a->method, .asked = a->parameters };

	render_init(&render, a->no_color);
	render.out = out;
	render.progress = false;
	call_once(&run, &show, -1);
	show_done(&show);
}

static enum outcome
call_and_show(struct run *run, struct render *render)
{
	const struct arguments *a = run->a;
	struct show show = { .render = render, .method = a->method, .asked = a->parameters,
	    .json = a->json };
	struct error err;
	enum outcome outcome;
	cleanup(close_p) int file = -1;

	if (open_file(a, &file, &err) == -1)
		return complain(run, OUTCOME_FAILED, &err);
	outcome = strcmp(a->method->name, "Wait") == 0 ? call_again(run, &show)
	    : call_once(run, &show, file);
	if (show.plan != NULL && outcome == OUTCOME_DONE && teardown_can_ask(&show))
		outcome = confirm(run, &show);
	show_done(&show);
	if (ferror(stdout)) {
		error_set(&err, ERROR_SYSTEM, "cannot write the answer");
		return complain(run, OUTCOME_FAILED, &err);
	}
	return outcome;
}

static enum outcome
run_command(const struct arguments *a)
{
	struct run run = { .a = a, .is_plugin = is_plugin(a->method) };
	struct render render;
	struct error err;

	/* Whatever it is that takes too long. */
	if (run.is_plugin)
		time_limit((unsigned int)json_int_or(a->parameters, "timeout", CHECK_TIMEOUT_S),
		    STDOUT_FILENO, "RAAS UNKNOWN - no answer from raasd in time\n",
		    OUTCOME_NO_DAEMON);
	render_init(&render, a->no_color);
	if (a->watch && (a->json || !render.progress)) {
		error_set(&err, ERROR_INPUT, "--watch is for a terminal, and not with --json");
		return complain(&run, OUTCOME_USAGE, &err);
	}
	if (a->watch)
		watch(look, (void *)a);
	return call_and_show(&run, &render);
}

/* What is wrong with the command line. */
static enum outcome
refuse(const struct arguments *a, const struct error *err)
{
	struct run run = { .a = a, .is_plugin = is_plugin(a->method) };

	complain(&run, OUTCOME_USAGE, err);
	help_usage(stderr, a->method);
	return run.is_plugin ? OUTCOME_NO_DAEMON : OUTCOME_USAGE;
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
	if (arguments_parse(&a, argc, argv, (int64_t)time(NULL), &err) == -1)
		return refuse(&a, &err);
	if (a.version) {
		puts("raasctl " RAAS_VERSION);
	} else if (a.help && a.method != NULL) {
		help_command(stdout, a.method);
	} else if (a.help) {
		help_all(stdout);
	} else {
		return run_command(&a);
	}
	return OUTCOME_DONE;
}
