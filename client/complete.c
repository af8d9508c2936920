#include "client/complete.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/call.h"
#include "client/outcome.h"
#include "client/time-limit.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/interface.h"
#include "common/json.h"

struct completion {
	FILE			*out;
	const char		*typed;		/* of the word */
	struct arguments	 before;	/* what stands in front of it */
};

static void
offer(const struct completion *c, const char *word, size_t len, const char *about)
{
	size_t typed = strlen(c->typed);

	if (len < typed || strncmp(word, c->typed, typed) != 0)
		return;
	fprintf(c->out, "%.*s%s%s\n", (int)len, word, about != NULL ? "\t" : "",
	    about != NULL ? about : "");
}

static void
offer_word(const struct completion *c, const char *word, const char *about)
{
	offer(c, word, strlen(word), about);
}

static void
offer_choices(const struct completion *c, const char *choices)
{
	const char *end;

	for (; choices != NULL; choices = end != NULL ? end + 1 : NULL) {
		end = strchr(choices, '|');
		offer(c, choices, end != NULL ? (size_t)(end - choices) : strlen(choices), NULL);
	}
}

static void
offer_commands(const struct completion *c)
{
	const struct method *m;

	for (m = methods; m->command != NULL; m++)
		offer_word(c, m->command, m->summary);
}

/* ---- names of ISVs ---- */

/* A shell would have to quote anything else; no ISV that can be worked on has such a name. */
static bool
is_plain(const char *name)
{
	return name[0] != '\0' && name[0] != '-' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static bool
is_given(const struct completion *c, const char *name)
{
	const json_t *isvs = json_object_get(c->before.parameters, "isvs"), *isv;
	size_t i;

	json_array_foreach(isvs, i, isv)
		if (strcmp(json_string_value(isv), name) == 0)
			return true;
	return false;
}

static void
offer_page(const struct completion *c, const json_t *isvs)
{
	const json_t *isv;
	const char *name;
	size_t i;

	json_array_foreach(isvs, i, isv) {
		name = json_string_or(isv, "name", "");
		if (is_plain(name) && !is_given(c, name))
			offer_word(c, name, json_string_or(isv, "phase", NULL));
	}
	fflush(c->out);
}

static void
offer_isvs(const struct completion *c)
{
	cleanup(call_done) struct call call = CALL_INIT;
	struct message_reply reply;
	struct error err;
	bool last = c->before.socket == NULL;

	time_limit(1, STDERR_FILENO, "", OUTCOME_DONE);
	if (last || call_open(&call, c->before.socket, &err) == -1 ||
	    call_send(&call, INTERFACE_NAME ".Status", json_object(), true, false, -1, &err) == -1)
		return;
	while (!last && call_next(&call, &reply, &err) == 0) {
		last = !reply.continues || reply.error != NULL;
		if (reply.error == NULL)
			offer_page(c, json_object_get(reply.parameters, "isvs"));
		message_reply_done(&reply);
	}
}

/* ---- values ---- */

static void
offer_value(const struct completion *c, const struct param *p)
{
	if (p->kind == PARAM_ISV || p->kind == PARAM_ISVS)
		offer_isvs(c);
	else if (p->kind == PARAM_FILE)
		fputs(COMPLETE_FILES "\n", c->out);
	else
		offer_choices(c, p->choices);
}

/* The parameter by position that comes next; NULL: there is none. */
static const struct param *
next_parameter(const struct completion *c)
{
	const struct method *m = c->before.method;
	const struct param *p;

	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++)
		if (p->option == NULL && (p->kind == PARAM_ISVS ||
		    json_object_get(c->before.parameters, p->name) == NULL))
			return p;
	return NULL;
}

static bool
is_option(const char *option, char letter, const char *word)
{
	return (option != NULL && strcmp(option, word) == 0) ||
	    (letter != 0 && word[0] == '-' && word[1] == letter && word[2] == '\0');
}

/* False: `option` is none that takes a value. */
static bool
offer_value_of(const struct completion *c, const char *option)
{
	const struct method *m = c->before.method;
	const struct global_option *g;
	const struct param *p;

	for (g = global_options; g->option != NULL; g++) {
		if (!is_option(g->option, g->letter, option) || g->value == NULL)
			continue;
		if (strcmp(g->option, "--socket") == 0)
			fputs(COMPLETE_FILES "\n", c->out);
		return true;
	}
	for (p = m != NULL ? m->params : NULL; p != NULL && p < m->params + METHOD_PARAMS &&
	    p->name != NULL; p++) {
		if (!is_option(p->option, p->letter, option) || p->kind == PARAM_FLAG)
			continue;
		offer_value(c, p);
		return true;
	}
	return false;
}

static void
offer_options(const struct completion *c)
{
	const struct method *m = c->before.method;
	const struct global_option *g;
	const struct param *p;

	for (p = m != NULL ? m->params : NULL; p != NULL && p < m->params + METHOD_PARAMS &&
	    p->name != NULL; p++)
		if (p->option != NULL && json_object_get(c->before.parameters, p->name) == NULL)
			offer_word(c, p->option, p->help);
	for (g = global_options; g->option != NULL; g++)
		offer_word(c, g->option, g->help);
}

/* ---- the whole line ---- */

static bool
ends_options(char *const words[], int current)
{
	int i;

	for (i = 1; i < current; i++)
		if (strcmp(words[i], "--") == 0)
			return true;
	return false;
}

void
complete(FILE *out, char *const words[], int current)
{
	struct completion c = { .out = out, .typed = words[current] };
	bool no_options = ends_options(words, current);
	const struct param *p;
	struct error err;

	/* A line that is not whole yet is wrong; what could be read of it is what counts. */
	arguments_parse(&c.before, current, words, (int64_t)time(NULL), &err);
	if (!no_options && current > 1 && offer_value_of(&c, words[current - 1]))
		;
	else if (!no_options && c.typed[0] == '-')
		offer_options(&c);
	else if (c.before.method == NULL)
		offer_commands(&c);
	else if ((p = next_parameter(&c)) != NULL)
		offer_value(&c, p);
	fflush(out);
	arguments_done(&c.before);
}
