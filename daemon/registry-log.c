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

void
registry_log(struct registry *r, const char *topic, const char *level, const char *fmt, ...)
{
	struct log_about about = { .isv = r->state->name };
	char now[RFC3339_SIZE];
	struct follower *f;
	struct error text;
	va_list ap;
	char *line;

	va_start(ap, fmt);
	error_vset(&text, ERROR_NONE, fmt, ap);
	va_end(ap);
	if (strcmp(level, "INFO") == 0)
		log_info(&about, "%s", text.text);
	else
		log_warning(&about, "%s", text.text);
	rfc3339_format(time(NULL), now);
	line = unlike_recent(r, xasprintf("%s %s %s %s", now, topic, level, text.text));
	LIST_FOREACH(f, &r->followers, entry)
		f->line(f, line);
	if (r->daemon->settings->commit) {
		isv_state_add_unlogged(r->state, line);
		daemon_flush(r->daemon, false);
	}
	free(line);
}
