#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/rfc3339.h"
#include "daemon/daemon.h"
#include "daemon/log.h"

void
registry_forget_lines(struct registry *r)
{
	while (r->n_recent > 0)
		free(r->recent[--r->n_recent]);
}

static bool
is_recent(const struct registry *r, const char *line)
{
	size_t i;

	for (i = 0; i < r->n_recent; i++)
		if (strcmp(r->recent[i], line) == 0)
			return true;
	return false;
}

/* Logs are merged by lines, and two that are the same become one: what happens again within a
 * second says that it does. Takes the line. */
static char *
unlike_recent(struct registry *r, char *line)
{
	char *numbered = xstrdup(line);
	unsigned int n;

	if (r->n_recent > 0 && strncmp(r->recent[0], line, RFC3339_SIZE - 1) != 0)
		registry_forget_lines(r);
	for (n = 2; is_recent(r, numbered); n++) {
		free(numbered);
		numbered = xasprintf("%s (%u)", line, n);
	}
	free(line);
	r->recent = xreallocarray(r->recent, r->n_recent + 1, sizeof(*r->recent));
	r->recent[r->n_recent++] = xstrdup(numbered);
	return numbered;
}

static void
add_line(struct registry *r, const char *topic, const char *level, const char *text)
{
	char now[RFC3339_SIZE];
	struct follower *f;
	char *line;

	rfc3339_format(time(NULL), now);
	line = unlike_recent(r, xasprintf("%s %s %s %s", now, topic, level, text));
	LIST_FOREACH(f, &r->followers, entry)
		f->line(f, line);
	if (r->daemon->settings->commit) {
		isv_state_add_unlogged(r->state, line);
		daemon_flush(r->daemon, false);
	}
	free(line);
}

/* The journal's RAAS_JOB is the log's topic: "PUBLISH" is "publish". */
static void
say(const struct registry *r, const char *topic, const char *level, enum event_id event,
    const char *resource, const char *text)
{
	char job[16];
	struct log_about about = { .isv = r->state->name, .job = job, .resource = resource,
	    .message_id = event_table[event].id };
	size_t i;

	for (i = 0; i < sizeof(job) - 1 && topic[i] != '\0'; i++)
		job[i] = (char)tolower((unsigned char)topic[i]);
	job[i] = '\0';
	if (strcmp(level, "INFO") == 0)
		log_info(&about, "%s", text);
	else
		log_warning(&about, "%s", text);
}

void
registry_log(struct registry *r, const char *topic, const char *level, const char *fmt, ...)
{
	struct error text;
	va_list ap;

	va_start(ap, fmt);
	error_vset(&text, ERROR_NONE, fmt, ap);
	va_end(ap);
	say(r, topic, level, EVENT_NONE, NULL, text.text);
	add_line(r, topic, level, text.text);
}

void
registry_log_event(struct registry *r, const char *topic, const char *level, enum event_id event,
    const char *resource, const char *fmt, ...)
{
	struct error text;
	va_list ap;

	va_start(ap, fmt);
	error_vset(&text, ERROR_NONE, fmt, ap);
	va_end(ap);
	say(r, topic, level, event, resource, text.text);
	add_line(r, topic, level, text.text);
}

void
registry_log_own(struct registry *r, const char *topic, const char *level, const char *fmt, ...)
{
	struct log_about about = { .isv = r->state->name };
	struct error text;
	va_list ap;

	va_start(ap, fmt);
	error_vset(&text, ERROR_NONE, fmt, ap);
	va_end(ap);
	log_debug(&about, "%s", text.text);
	add_line(r, topic, level, text.text);
}
