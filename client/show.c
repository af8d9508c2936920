#include "client/show.h"

#include <string.h>

#include "client/show-gc.h"
#include "client/show-publish.h"
#include "client/show-setup.h"
#include "client/show-teardown.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"

#define COLOR_BOLD "\033[1m"
#define COLOR_GREEN "\033[32m"
#define COLOR_RED "\033[31m"

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_or(object, key, "");
}

/* --- status --- */

static void
add_page(struct show *s, const json_t *page)
{
	const char *key;
	json_t *value;

	if (s->pages == NULL)
		s->pages = json_object();
	json_object_foreach((json_t *)page, key, value) {
		json_t *list = json_object_get(s->pages, key);

		if (json_is_array(list) && json_is_array(value))
			json_array_extend(list, value);
		else if (!json_is_null(value) || list == NULL)
			json_object_set(s->pages, key, value);
	}
}

/* The one thing that is most worth knowing of an ISV. */
static void
set_note(struct table *t, size_t row, unsigned int column, const json_t *isv)
{
	const json_t *paused = json_object_get(isv, "paused");
	const json_t *warnings = json_object_get(isv, "warnings");
	const char *error = text_of(isv, "error"), *until = text_of(paused, "until");

	if (json_is_object(paused))
		table_set(t, row, column, phase_color("paused"), "paused by %s%s%s: %s",
		    text_of(paused, "by"), until[0] != '\0' ? " until " : "", until,
		    json_string_or(paused, "reason", "no reason given"));
	else if (error[0] != '\0')
		table_set(t, row, column, phase_color("failed"), "%s", error);
	else if (json_array_size(warnings) > 0)
		table_set(t, row, column, phase_color("warning"), "%s",
		    json_is_string(json_array_get(warnings, 0))
		    ? json_string_value(json_array_get(warnings, 0)) : "");
}

static void
add_isv(struct table *t, const json_t *isv, int64_t now)
{
	const char *phase = text_of(isv, "phase");
	size_t row = table_row(t);
	char age[24];

	age_format(json_string_or(isv, "last_sync", NULL), now, age, sizeof(age));
	table_set(t, row, 0, NULL, "%s", text_of(isv, "name"));
	table_set(t, row, 1, phase_color(phase), "%s", phase);
	table_set(t, row, 2, NULL, "%zu", json_array_size(json_object_get(isv, "images")));
	table_set(t, row, 3, NULL, "%s", age);
	table_set(t, row, 4, NULL, "%s", json_string_or(isv, "url", "-"));
	set_note(t, row, 5, isv);
}

static void
show_table(struct render *r, const json_t *isvs)
{
	static const char *const heads[] = {
		"NAME", "PHASE", "IMAGES", "SYNCED", "URL", "NOTE",
	};
	struct table t;
	unsigned int i;

	if (json_array_size(isvs) == 0)
		return;
	table_init(&t, 6, 1u << 4 | 1u << 5);
	table_row(&t);
	for (i = 0; i < 6; i++)
		table_set(&t, 0, i, COLOR_BOLD, "%s", heads[i]);
	for (i = 0; i < json_array_size(isvs); i++)
		add_isv(&t, json_array_get(isvs, i), r->now);
	table_print(&t, r, "");
	table_done(&t);
}

static void
show_resources(struct render *r, const json_t *resources)
{
	struct table t;
	size_t i;

	table_init(&t, 4, 1u << 1 | 1u << 3);
	for (i = 0; i < json_array_size(resources); i++) {
		const json_t *resource = json_array_get(resources, i);
		const char *state = text_of(resource, "state");

		table_row(&t);
		table_set(&t, i, 0, NULL, "%s", text_of(resource, "kind"));
		table_set(&t, i, 1, NULL, "%s", text_of(resource, "name"));
		table_set(&t, i, 2, phase_color(state), "%s", state);
		table_set(&t, i, 3, NULL, "%s", text_of(resource, "detail"));
	}
	table_print(&t, r, "  ");
	table_done(&t);
}

static void
show_details(struct render *r, const json_t *isv)
{
	const json_t *images = json_object_get(isv, "images");
	const json_t *warnings = json_object_get(isv, "warnings");
	const char *error = text_of(isv, "error");
	size_t i;

	render_line(r, NULL, "%s", "");
	render_line(r, COLOR_BOLD, "%s", text_of(isv, "name"));
	show_resources(r, json_object_get(isv, "resources"));
	for (i = 0; i < json_array_size(images); i++)
		render_line(r, NULL, "  image %s: docker pull %s",
		    text_of(json_array_get(images, i), "name"),
		    text_of(json_array_get(images, i), "pull_url"));
	for (i = 0; i < json_array_size(warnings); i++) {
		const char *text = json_string_value(json_array_get(warnings, i));

		render_line(r, phase_color("warning"), "  warning: %s", text != NULL ? text : "");
	}
	if (error[0] != '\0')
		render_line(r, COLOR_RED, "  error, %lld in a row: %s",
		    (long long)json_int_or(isv, "failures", 0), error);
}

static void
show_phases(struct render *r, const json_t *daemon)
{
	cleanup(buf_done) struct buf line = BUF_INIT;
	const char *phase;
	json_t *count;

	buf_printf(&line, "%lld ISVs", (long long)json_int_or(daemon, "isvs", 0));
	json_object_foreach(json_object_get(daemon, "phases"), phase, count) {
		if (json_integer_value(count) > 0)
			buf_printf(&line, "%s%lld %s", strchr(buf_str(&line), ':') == NULL ? ": " : ", ",
			    (long long)json_integer_value(count), phase);
	}
	render_line(r, NULL, "%s", buf_str(&line));
}

/* Commits that wait, and when the last one went. */
static void
show_waiting(struct render *r, const json_t *daemon)
{
	char since[24], pushed[24];

	if (json_int_or(daemon, "unpushed_commits", 0) == 0 ||
	    json_string_or(daemon, "unpushed_since", NULL) == NULL)
		return;
	age_format(json_string_or(daemon, "unpushed_since", NULL), r->now, since, sizeof(since));
	age_format(json_string_or(daemon, "last_push", NULL), r->now, pushed, sizeof(pushed));
	render_line(r, NULL, "commits wait for being pushed since %s, last push %s", since, pushed);
}

static void
show_troubles(struct render *r, const json_t *daemon)
{
	const json_t *incidents = json_object_get(daemon, "incidents");
	size_t i;

	for (i = 0; i < json_array_size(incidents); i++) {
		const json_t *incident = json_array_get(incidents, i);
		char age[24];

		/* That of the last pull stands above. */
		if (strcmp(text_of(incident, "what"), "config repo") == 0)
			continue;
		age_format(json_string_or(incident, "since", NULL), r->now, age, sizeof(age));
		render_line(r, COLOR_RED, "%s, since %s: %s", text_of(incident, "what"), age,
		    text_of(incident, "text"));
	}
}

static void
show_daemon(struct render *r, const json_t *daemon)
{
	const char *commit = text_of(daemon, "config_commit");
	const char *error = text_of(daemon, "pull_error");
	const json_t *stuck = json_object_get(daemon, "stuck");
	char age[24];

	if (!json_is_object(daemon))
		return;
	age_format(json_string_or(daemon, "last_pull", NULL), r->now, age, sizeof(age));
	render_line(r, NULL, "raasd %s, environment %s, config %.10s, pulled %s%s, %lld unpushed, "
	    "jobs: %lld running, %lld queued", text_of(daemon, "version"),
	    text_of(daemon, "environment"), commit[0] != '\0' ? commit : "none yet",
	    strcmp(age, "-") == 0 ? "never" : age,
	    strcmp(age, "-") == 0 || strcmp(age, "now") == 0 ? "" : " ago",
	    (long long)json_int_or(daemon, "unpushed_commits", 0),
	    (long long)json_int_or(daemon, "jobs_running", 0),
	    (long long)json_int_or(daemon, "jobs_queued", 0));
	if (error[0] != '\0')
		render_line(r, COLOR_RED, "the last pull failed: %s", error);
	if (json_is_object(stuck))
		render_line(r, COLOR_RED, "stuck in %s%s%s for %lld s", text_of(stuck, "stage"),
		    json_is_null(json_object_get(stuck, "isv")) ? "" : " of ", text_of(stuck, "isv"),
		    (long long)json_int_or(stuck, "seconds", 0));
	show_waiting(r, daemon);
	show_troubles(r, daemon);
	show_phases(r, daemon);
}

static void
show_status(struct show *s, const json_t *page, bool last)
{
	const json_t *isvs;
	size_t i;

	add_page(s, page);
	if (!last)
		return;
	isvs = json_object_get(s->pages, "isvs");
	show_table(s->render, isvs);
	if (json_array_size(json_object_get(s->asked, "isvs")) > 0) {
		for (i = 0; i < json_array_size(isvs); i++)
			show_details(s->render, json_array_get(isvs, i));
	}
	if (json_array_size(isvs) > 0)
		render_line(s->render, NULL, "%s", "");
	show_daemon(s->render, json_object_get(s->pages, "daemon"));
}

/* --- sync --- */

void
show_sync_event(struct show *s, const json_t *event)
{
	const char *kind = text_of(event, "kind"), *time = text_of(event, "time");

	/* The time of day is enough: it happens while one looks at it. */
	if (strlen(time) > 11)
		time += 11;
	if (strcmp(kind, "queued") == 0)
		s->n_queued++;
	else if (strcmp(kind, "step") == 0 || strcmp(kind, "note") == 0)
		render_line(s->render, phase_color(text_of(event, "level")), "%s %s: %s", time,
		    text_of(event, "isv"), text_of(event, "text"));
	render_progress(s->render, "[%zu of %zu] %s: %s", s->n_finished, s->n_queued,
	    text_of(event, "isv"), text_of(event, "text"));
}

static void
show_steps(struct render *r, const json_t *steps, const char *word)
{
	size_t i;

	for (i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);

		render_line(r, phase_color("drift"), "  %s %s", word, text_of(step, "text"));
	}
}

void
show_sync_result(struct show *s, const json_t *result)
{
	const json_t *steps = json_object_get(result, "steps");
	bool dry_run = json_bool_or(s->asked, "dry_run", false);
	bool ok = json_bool_or(result, "ok", false);
	const char *error = text_of(result, "error");

	s->n_finished++;
	render_line(s->render, ok ? COLOR_GREEN : COLOR_RED, "%s: %s%s%s", text_of(result, "isv"),
	    text_of(result, "phase"), error[0] != '\0' ? ": " : "", error);
	if (dry_run)
		show_steps(s->render, steps, "would");
}

static void
show_sync(struct show *s, const json_t *reply, bool last)
{
	const json_t *event = json_object_get(reply, "event");
	const json_t *results = json_object_get(reply, "results");
	const json_t *summary = json_object_get(reply, "summary");
	size_t i;

	if (json_is_object(event))
		show_sync_event(s, event);
	for (i = 0; i < json_array_size(results); i++)
		show_sync_result(s, json_array_get(results, i));
	if (!last)
		return;
	render_progress_end(s->render);
	if (json_is_false(json_object_get(s->asked, "wait")))
		render_line(s->render, NULL, "%lld queued",
		    (long long)json_int_or(summary, "isvs", 0));
	else
		render_line(s->render, NULL, "%lld synced: %lld ok, %lld %s, %lld failed",
		    (long long)json_int_or(summary, "isvs", 0),
		    (long long)json_int_or(summary, "ok", 0),
		    (long long)json_int_or(summary, "changed", 0),
		    json_bool_or(s->asked, "dry_run", false) ? "would change" : "changed",
		    (long long)json_int_or(summary, "failed", 0));
}

/* --- the others --- */

static void
show_file(struct render *r, const json_t *file)
{
	const json_t *lines = json_object_get(file, "diff");
	size_t i;

	render_line(r, COLOR_BOLD, "%s: %s", text_of(file, "name"), text_of(file, "state"));
	for (i = 0; i < json_array_size(lines); i++) {
		const char *line = json_string_value(json_array_get(lines, i));

		if (line != NULL)
			render_line(r, line[0] == '+' ? COLOR_GREEN : line[0] == '-' ? COLOR_RED
			    : NULL, "  %s", line);
	}
}

static void
show_diff(struct show *s, const json_t *reply, bool last)
{
	const json_t *steps = json_object_get(reply, "steps");
	const json_t *files = json_object_get(reply, "files");
	size_t i;

	(void)last;
	if (json_array_size(steps) == 0 && json_array_size(files) == 0)
		render_line(s->render, NULL, "nothing to do");
	show_steps(s->render, steps, "would");
	for (i = 0; i < json_array_size(files); i++)
		show_file(s->render, json_array_get(files, i));
}

static void
show_checked(struct show *s, const json_t *step)
{
	int64_t n = json_int_or(step, "size", -1);
	char size[32] = "";

	if (n >= 0)
		size_format(n, size, sizeof(size));
	render_line(s->render, NULL, "  %s%s%s", text_of(step, "text"), n >= 0 ? ", " : "", size);
}

static void
show_validation(struct show *s, const json_t *result)
{
	const char *image = text_of(result, "image");
	long long manifests = (long long)json_int_or(result, "manifests", 0);
	long long v1_images = (long long)json_int_or(result, "v1_images", 0);
	char size[32];

	if (!json_bool_or(result, "ok", false)) {
		render_line(s->render, COLOR_RED, "%s: %s: %s", image, text_of(result, "fault"),
		    text_of(result, "text"));
		return;
	}
	size_format(json_int_or(result, "bytes", 0), size, sizeof(size));
	if (v1_images > 0)
		render_line(s->render, COLOR_GREEN, "%s: ok, %lld v1 images, %s", image, v1_images,
		    size);
	else
		render_line(s->render, COLOR_GREEN, "%s: ok, %lld manifests, %lld blobs, %s", image,
		    manifests, (long long)json_int_or(result, "blobs", 0), size);
}

static void
show_validate(struct show *s, const json_t *reply, bool last)
{
	const json_t *step = json_object_get(reply, "step");
	const json_t *results = json_object_get(reply, "results");
	const json_t *summary = json_object_get(reply, "summary");
	size_t i;

	if (json_is_object(step))
		show_checked(s, step);
	for (i = 0; i < json_array_size(results); i++)
		show_validation(s, json_array_get(results, i));
	if (last && json_int_or(summary, "images", 0) == 0)
		render_line(s->render, NULL, "nothing is published");
	else if (last)
		render_line(s->render, NULL, "%lld validated: %lld ok, %lld failed",
		    (long long)json_int_or(summary, "images", 0),
		    (long long)json_int_or(summary, "ok", 0),
		    (long long)json_int_or(summary, "failed", 0));
}

static void
show_wait(struct show *s, const json_t *reply, bool last)
{
	const json_t *isvs = json_object_get(reply, "isvs");
	size_t i;

	(void)last;
	for (i = 0; i < json_array_size(isvs); i++) {
		const json_t *isv = json_array_get(isvs, i);
		const char *phase = text_of(isv, "phase"), *error = text_of(isv, "error");

		render_line(s->render, json_bool_or(isv, "reached", false) ? COLOR_GREEN : COLOR_RED,
		    "%s: %s%s%s", text_of(isv, "isv"), phase[0] != '\0' ? phase : "unknown",
		    error[0] != '\0' ? ": " : "", error);
	}
	if (json_bool_or(reply, "late", false))
		render_line(s->render, NULL, "not in time");
}

static void
show_pull(struct show *s, const json_t *reply, bool last)
{
	const json_t *isvs = json_object_get(reply, "isvs");
	size_t i;

	(void)last;
	render_line(s->render, NULL, "config %.10s, %s, %zu ISVs affected", text_of(reply, "commit"),
	    json_bool_or(reply, "changed", false) ? "new" : "nothing new", json_array_size(isvs));
	for (i = 0; i < json_array_size(isvs); i++)
		render_line(s->render, NULL, "  %s", json_is_string(json_array_get(isvs, i))
		    ? json_string_value(json_array_get(isvs, i)) : "");
}

static void
show_log(struct show *s, const json_t *reply, bool last)
{
	const json_t *lines = json_object_get(reply, "lines");
	size_t i;

	(void)last;
	for (i = 0; i < json_array_size(lines); i++) {
		const char *line = json_string_value(json_array_get(lines, i));

		if (line != NULL)
			render_line(s->render, NULL, "%s", line);
	}
}

static void
show_pause(struct show *s, const json_t *reply, bool last)
{
	const char *until = text_of(s->asked, "until");

	(void)reply;
	(void)last;
	render_line(s->render, NULL, "%s is paused%s%s", text_of(s->asked, "isv"),
	    until[0] != '\0' ? " until " : "; end it with 'raasctl resume'", until);
}

static void
show_resume(struct show *s, const json_t *reply, bool last)
{
	(void)reply;
	(void)last;
	render_line(s->render, NULL, "%s goes on", text_of(s->asked, "isv"));
}

static void
show_resolve(struct show *s, const json_t *reply, bool last)
{
	const json_t *files = json_object_get(reply, "files");
	size_t i;

	(void)last;
	if (json_array_size(files) == 0)
		render_line(s->render, NULL, "%s has no conflict", text_of(s->asked, "isv"));
	for (i = 0; i < json_array_size(files); i++)
		render_line(s->render, NULL, "%s: the %s's is taken",
		    json_is_string(json_array_get(files, i))
		    ? json_string_value(json_array_get(files, i)) : "",
		    strcmp(text_of(s->asked, "take"), "app") == 0 ? "app" : "config repo");
}

static void
show_cancel(struct show *s, const json_t *reply, bool last)
{
	(void)last;
	render_line(s->render, NULL, json_bool_or(reply, "cancelled", false)
	    ? "%s: the job is stopped" : "%s: there was no job", text_of(s->asked, "isv"));
}

static void
show_problems(struct render *r, const char *word, const json_t *problems)
{
	size_t i;

	for (i = 0; i < json_array_size(problems); i++) {
		const json_t *p = json_array_get(problems, i);
		const char *section = text_of(p, "section");
		long long line = (long long)json_int_or(p, "line", 0);
		char number[24] = "";

		if (line > 0)
			snprintf(number, sizeof(number), ":%lld", line);
		render_line(r, phase_color(word), "%s%s: %s: %s%s%s%s", text_of(p, "file"), number, word,
		    section[0] != '\0' ? "[" : "", section, section[0] != '\0' ? "] " : "",
		    text_of(p, "text"));
	}
}

static void
show_reload(struct show *s, const json_t *reply, bool last)
{
	const json_t *errors = json_object_get(reply, "errors");

	(void)last;
	show_problems(s->render, "warning", json_object_get(reply, "warnings"));
	show_problems(s->render, "error", errors);
	render_line(s->render, NULL, json_array_size(errors) == 0 ? "reloaded"
	    : "reloaded, but for what has an error: that stays as it was");
}

static void
show_metrics(struct show *s, const json_t *reply, bool last)
{
	(void)last;
	fputs(text_of(reply, "text"), s->render->out);
}

static void
show_check(struct show *s, const json_t *reply, bool last)
{
	(void)last;
	render_line(s->render, NULL, "%s", text_of(reply, "line"));
}

static void
show_ping(struct show *s, const json_t *reply, bool last)
{
	(void)reply;
	(void)last;
	render_line(s->render, NULL, "raasd answers");
}

static void
show_version(struct show *s, const json_t *reply, bool last)
{
	(void)last;
	render_line(s->render, NULL, "raasctl " RAAS_VERSION);
	render_line(s->render, NULL, "raasd %s, environment %s", text_of(reply, "version"),
	    text_of(reply, "environment"));
}

static const struct {
	const char	*method;
	void		(*show)(struct show *, const json_t *, bool last);
} shows[] = {
	{ "Status", show_status },
	{ "Sync", show_sync },
	{ "Diff", show_diff },
	{ "Validate", show_validate },
	{ "Wait", show_wait },
	{ "Gc", show_gc },
	{ "Setup", show_setup },
	{ "Teardown", show_teardown },
	{ "Publish", show_publish },
	{ "Images", show_images },
	{ "Unpublish", show_unpublish },
	{ "Pull", show_pull },
	{ "Log", show_log },
	{ "Pause", show_pause },
	{ "Resume", show_resume },
	{ "Resolve", show_resolve },
	{ "Cancel", show_cancel },
	{ "Reload", show_reload },
	{ "Metrics", show_metrics },
	{ "Check", show_check },
	{ "Ping", show_ping },
	{ "Version", show_version },
};

/* A status is one object however many pages it came in; other replies are one line each. A
 * terminal must not see the control characters from 0x80 that JSON allows. */
static void
show_json(struct show *s, const json_t *reply, bool last)
{
	size_t flags = s->render->tty ? JSON_ENSURE_ASCII : 0;

	if (strcmp(s->method->name, "Status") == 0) {
		add_page(s, reply);
		if (!last)
			return;
		reply = s->pages;
		flags |= JSON_INDENT(2);
	}
	json_dumpf(reply, s->render->out, flags);
	fputc('\n', s->render->out);
}

void
show_reply(struct show *s, const json_t *reply, bool last)
{
	size_t i;

	if (s->json) {
		show_json(s, reply, last);
	} else {
		for (i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
			if (strcmp(shows[i].method, s->method->name) == 0)
				shows[i].show(s, reply, last);
		}
	}
	/* Whoever follows wants to see it now, through a pipe too. */
	fflush(s->render->out);
}

void
show_done(struct show *s)
{
	render_progress_end(s->render);
	fflush(s->render->out);
	json_decref(s->pages);
	json_decref(s->layers);
	free(s->plan);
	s->pages = s->layers = NULL;
	s->plan = NULL;
}
