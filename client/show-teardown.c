#include "client/show-teardown.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"

static long long
number(const json_t *object, const char *key)
{
	return (long long)json_int_or(object, key, 0);
}

static void
show_bucket(struct render *r, const json_t *plan, const char *bucket)
{
	long long others = number(plan, "others");
	char size[24];

	size_format(json_int_or(plan, "bytes", 0), size, sizeof(size));
	render_line(r, NULL, "  %lld objects of %s in bucket '%s'", number(plan, "objects"), size,
	    bucket);
	if (number(plan, "uploads") > 0)
		render_line(r, NULL, "  %lld uncompleted uploads there", number(plan, "uploads"));
	if (others == 0)
		render_line(r, NULL, "  the bucket itself");
	else
		render_line(r, NULL, "  but not the bucket: %lld objects in it are not raasd's, and "
		    "stay", others);
}

bool
teardown_can_ask(const struct show *s)
{
	return s->render->tty && !s->json && isatty(STDIN_FILENO) == 1;
}

static void
show_plan(struct show *s, const json_t *plan)
{
	const char *isv = json_string_or(plan, "isv", ""), *text;
	struct render *r = s->render;

	if ((text = json_string_or(plan, "refusal", NULL)) != NULL) {
		render_line(r, phase_color("failed"), "refused: %s", text);
		return;
	}
	render_line(r, NULL, "This would be deleted, for good:");
	if ((text = json_string_or(plan, "app", NULL)) != NULL)
		render_line(r, NULL, "  app '%s' in domain '%s'", text,
		    json_string_or(plan, "domain", ""));
	if ((text = json_string_or(plan, "bucket", NULL)) != NULL)
		show_bucket(r, plan, text);
	render_line(r, NULL, "  section [%s] of raas.cfg", isv);
	render_line(r, NULL, "Its metadata and logs stay in the config repo.");
	s->plan = xstrdup(json_string_or(plan, "id", ""));
	if (!teardown_can_ask(s))
		render_line(r, NULL, "Nothing was deleted. Do it with: raasctl teardown %s --delete %s "
		    "--confirm %s", isv, json_string_or(s->asked, "delete", ""), s->plan);
}

static void
show_result(struct show *s, const json_t *result)
{
	const char *isv = json_string_or(result, "isv", "");

	render_line(s->render, NULL, "%s is torn down; raas.cfg has no such section from commit %.10s "
	    "on", isv, json_string_or(result, "commit", ""));
	if (!json_bool_or(result, "pushed", false))
		render_line(s->render, phase_color("warning"), "that commit is on this host only, until "
		    "it can be pushed: %s", json_string_or(result, "push_error", ""));
}

void
show_teardown(struct show *s, const json_t *reply, bool last)
{
	const json_t *event = json_object_get(reply, "event");
	const json_t *plan = json_object_get(reply, "plan");
	const json_t *result = json_object_get(reply, "result");

	if (json_is_object(event))
		show_sync_event(s, event);
	if (!last)
		return;
	render_progress_end(s->render);
	if (json_is_object(plan))
		show_plan(s, plan);
	if (json_is_object(result))
		show_result(s, result);
}

bool
teardown_ask(struct show *s, const char *isv)
{
	char line[256];

	fprintf(s->render->out, "Type the ISV's name to delete it: ");
	fflush(s->render->out);
	if (fgets(line, sizeof(line), stdin) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, isv) == 0)
		return true;
	render_line(s->render, NULL, "nothing was deleted");
	return false;
}
