#include "client/show.h"

#include <stdlib.h>

#include "client/outcome.h"
#include "common/interface.h"
#include "common/json.h"
#include "tests/unit/test.h"

#define NOW 1769854272	/* 2026-01-31T10:11:12Z */

/* What a command prints for these replies (JSON objects, NULL at the end); to be freed. */
static char *
shown(const char *method, const char *asked, const char *const *replies, struct render render,
    bool json, enum outcome *outcome)
{
	struct error err;
	cleanup(json_unref) json_t *asked_json = json_read(asked, strlen(asked), 16, &err);
	struct show show = { .method = method_by_name(method), .asked = asked_json, .json = json,
	    .render = &render };
	char *text = NULL;
	size_t size;

	*outcome = OUTCOME_DONE;
	render.out = open_memstream(&text, &size);
	render.now = NOW;
	for (; *replies != NULL; replies++) {
		cleanup(json_unref) json_t *reply = json_read(*replies, strlen(*replies), 16, &err);
		enum outcome of_this = outcome_of_reply(show.method, reply);

		if (reply == NULL)
			printf("# %s\n", err.text);
		*outcome = of_this > *outcome ? of_this : *outcome;
		show_reply(&show, reply, replies[1] == NULL);
	}
	show_done(&show);
	fclose(render.out);
	return text;
}

/* `text` is what is shown, `outcome` what raasctl would exit with. */
#define SHOWN(text, method, asked, look, ...)						\
	enum outcome outcome;								\
	cleanup(free_p) char *text = shown(method, asked,				\
	    (const char *const[]){ __VA_ARGS__, NULL }, (struct render)look, false, &outcome)

#define PLAIN { .width = 0 }
#define BARS { .tty = true, .progress = true }

static char *
shown_json(const char *method, const char *reply)
{
	enum outcome outcome;

	return shown(method, "{}", (const char *const[]){ reply, NULL },
	    (struct render){ .tty = true }, true, &outcome);
}

static const char first_page[] =
    "{\"daemon\":{\"version\":\"0.1.0\",\"pid\":7,\"environment\":\"stage\",\"config_repo\":\"r\","
    "\"config_commit\":\"0123456789abcdef\",\"last_pull\":\"2026-01-31T10:10:42Z\","
    "\"pull_error\":null,\"unpushed_commits\":1,\"isvs\":4,\"phases\":{\"ok\":2,\"failed\":1,"
    "\"drift\":0,\"paused\":1},\"jobs_running\":2,\"jobs_queued\":3,"
    "\"stuck\":{\"stage\":\"sync\",\"isv\":\"b\",\"seconds\":12}},\"isvs\":["
    "{\"name\":\"acme\",\"phase\":\"ok\",\"url\":\"https://registry-acme.example.com\","
    "\"images\":[{\"name\":\"a/b\",\"pull_url\":\"r/a/b\"}],\"warnings\":[],\"resources\":["
    "{\"kind\":\"domain\",\"name\":\"acme\",\"state\":\"ok\",\"detail\":null},"
    "{\"kind\":\"bucket\",\"name\":\"acme.bucket\",\"state\":\"missing\",\"detail\":\"gone\"}],"
    "\"last_sync\":\"2026-01-31T10:06:12Z\",\"failures\":0,\"error\":null},"
    "{\"name\":\"b\",\"phase\":\"ok\",\"url\":null,\"images\":[],\"warnings\":[\"w1\",\"w2\"],"
    "\"resources\":[],\"last_sync\":\"2026-01-28T10:06:12Z\",\"failures\":0,\"error\":null}]}";
static const char second_page[] =
    "{\"isvs\":[{\"name\":\"longername\",\"phase\":\"failed\",\"url\":null,\"images\":[],"
    "\"warnings\":[],\"resources\":[],\"last_sync\":null,\"failures\":3,"
    "\"error\":\"broker: HTTP status 503 and a long story about it\"},"
    "{\"name\":\"z\",\"phase\":\"paused\",\"images\":[],\"resources\":[],\"warnings\":[],"
    "\"last_sync\":null,\"failures\":0,\"error\":\"x\",\"paused\":{\"by\":\"alice\","
    "\"since\":\"2026-01-31T10:00:00Z\",\"reason\":\"audit\",\"until\":null}}]}";

TEST(status_is_a_table)
{
	SHOWN(text, "Status", "{}", PLAIN, first_page, second_page);

	CHECK_STR(text,
	    "NAME        PHASE   IMAGES  SYNCED  URL                                NOTE\n"
	    "acme        ok      1       5m      https://registry-acme.example.com\n"
	    "b           ok      0       3d      -                                  w1\n"
	    "longername  failed  0       -       -                                  "
	    "broker: HTTP status 503 and a long story about it\n"
	    "z           paused  0       -       -                                  "
	    "paused by alice: audit\n"
	    "\n"
	    "raasd 0.1.0, environment stage, config 0123456789, pulled 30s ago, 1 unpushed, "
	    "jobs: 2 running, 3 queued\n"
	    "stuck in sync of b for 12 s\n"
	    "4 ISVs: 2 ok, 1 failed, 1 paused\n");
	CHECK_INT(outcome, OUTCOME_UNHEALTHY);
}

TEST(status_fits_the_terminal)
{
	SHOWN(text, "Status", "{}", { .width = 60 }, first_page, second_page);
	const char *line, *end;

	for (line = text; (end = strchr(line, '\n')) != line; line = end + 1)
		CHECK(end - line <= 60);
	CHECK(strstr(text, "acme        ok      1       5m      https://...\n") != NULL);
	CHECK(strstr(text, "longername  failed  0       -       -            broker: ...\n") != NULL);
}

TEST(status_of_one_says_more)
{
	SHOWN(text, "Status", "{\"isvs\":[\"acme\"]}", PLAIN, first_page);

	CHECK(strstr(text, "\nacme\n"
	    "  domain  acme         ok\n"
	    "  bucket  acme.bucket  missing  gone\n"
	    "  image a/b: docker pull r/a/b\n") != NULL);
	CHECK(strstr(text, "  warning: w2\n") != NULL);
	CHECK_INT(outcome, OUTCOME_DONE);
}

TEST(colours_when_wanted)
{
	SHOWN(text, "Status", "{}", { .color = true }, second_page);

	CHECK(strstr(text, "\033[31mfailed\033[0m") != NULL);
	CHECK(strstr(text, "\033[34mpaused\033[0m") != NULL);
}

TEST(control_characters_never_get_through)
{
	static const char *const calls[][2] = {
		{ "Status", "{\"daemon\":{\"version\":\"\\u001b[2J\",\"pull_error\":\"\\u009b1m\","
		    "\"phases\":{\"\\u0007\":1}},\"isvs\":[{\"name\":\"\\u001b]0;x\\u0007\","
		    "\"phase\":\"\\u001b\",\"url\":\"\\u001b\",\"error\":\"a\\r\\u001b\",\"resources\":"
		    "[{\"kind\":\"\\u001b\",\"name\":\"\\u001b\",\"state\":\"\\u001b\",\"detail\":\"\\u001b\"}],"
		    "\"warnings\":[\"\\u001b\"],\"images\":[{\"name\":\"\\u001b\"}]}]}" },
		{ "Sync", "{\"event\":{\"kind\":\"step\",\"isv\":\"\\u001b\",\"text\":\"\\u001b\","
		    "\"time\":\"\\u001b\"},\"results\":[{\"isv\":\"\\u001b\",\"phase\":\"\\u001b\","
		    "\"error\":\"\\u001b\",\"steps\":[{\"kind\":\"\\u001b\",\"resource\":\"\\u001b\","
		    "\"text\":\"\\u001b\"}]}]}" },
		{ "Diff", "{\"steps\":[{\"kind\":\"\\u001b\",\"resource\":\"\\u001b\",\"text\":\"\\u001b\"}],"
		    "\"files\":[{\"name\":\"\\u001b\",\"state\":\"\\u001b\",\"diff\":[\"+\\u001b\"]}]}" },
		{ "Gc", "{\"objects\":[{\"key\":\"\\u001b\\u009b\"}]}" },
		{ "Validate", "{\"step\":{\"text\":\"\\u001b\"},\"results\":[{\"image\":\"\\u001b\","
		    "\"fault\":\"\\u009b\",\"text\":\"\\u001b\"}]}" },
		{ "Pull", "{\"commit\":\"\\u001b\",\"isvs\":[\"\\u001b\"]}" },
		{ "Log", "{\"lines\":[\"\\u001b[31m\"]}" },
		{ "Resolve", "{\"files\":[\"\\u001b\"]}" },
		{ "Reload", "{\"errors\":[{\"file\":\"\\u001b\",\"section\":\"\\u001b\",\"text\":\"\\u001b\"}]}" },
		{ "Version", "{\"version\":\"\\u001b\",\"environment\":\"\\u001b\"}" },
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		SHOWN(text, calls[i][0], "{\"isvs\":[\"a\"],\"dry_run\":true}", PLAIN, calls[i][1]);
		cleanup(free_p) char *json = shown_json(calls[i][0], calls[i][1]);

		CHECK(strpbrk(text, "\033\007\r") == NULL);
		CHECK(strstr(text, "\xc2\x9b") == NULL);
		CHECK(strpbrk(json, "\033\007\r") == NULL);
		CHECK(strstr(json, "\xc2\x9b") == NULL);
		CHECK(strchr(text, '?') != NULL);
	}
}

TEST(sync_is_followed)
{
	SHOWN(text, "Sync", "{\"all\":true}", PLAIN,
	    "{\"event\":{\"isv\":\"a\",\"time\":\"2026-01-31T10:11:12Z\",\"kind\":\"queued\",\"text\":\"q\"}}",
	    "{\"event\":{\"isv\":\"a\",\"time\":\"2026-01-31T10:11:12Z\",\"level\":\"info\","
	    "\"kind\":\"step\",\"resource\":\"bucket\",\"text\":\"created bucket 'x'\"}}",
	    "{\"results\":[{\"isv\":\"a\",\"phase\":\"ok\",\"ok\":true,\"changed\":true,\"steps\":[]}]}",
	    "{\"results\":[{\"isv\":\"b\",\"phase\":\"failed\",\"ok\":false,\"changed\":false,"
	    "\"error\":\"quota\",\"steps\":[]}]}",
	    "{\"summary\":{\"isvs\":2,\"ok\":1,\"changed\":1,\"failed\":1}}");

	CHECK_STR(text, "10:11:12Z a: created bucket 'x'\na: ok\nb: failed: quota\n"
	    "2 synced: 1 ok, 1 changed, 1 failed\n");
	CHECK_INT(outcome, OUTCOME_FAILED);
}

TEST(sync_that_only_looks)
{
	SHOWN(text, "Sync", "{\"all\":true,\"dry_run\":true}", { .progress = true },
	    "{\"event\":{\"isv\":\"a\",\"kind\":\"started\",\"text\":\"looking\"}}",
	    "{\"results\":[{\"isv\":\"a\",\"phase\":\"drift\",\"ok\":true,\"changed\":true,\"steps\":["
	    "{\"kind\":\"bucket\",\"resource\":\"x\",\"text\":\"create it\"}]}],"
	    "\"summary\":{\"isvs\":1,\"ok\":1,\"changed\":1,\"failed\":0}}");

	CHECK_STR(text, "[0 of 0] a: looking\r\033[Ka: drift\n  would create it\n"
	    "1 synced: 1 ok, 1 would change, 0 failed\n");
	CHECK_INT(outcome, OUTCOME_DONE);
}

TEST(diff_of_nothing_and_something)
{
	enum outcome outcome_some;
	SHOWN(nothing, "Diff", "{\"isv\":\"a\"}", PLAIN, "{\"steps\":[],\"files\":[]}");
	cleanup(free_p) char *some = shown("Diff", "{}", (const char *const[]){
	    "{\"steps\":[],\"files\":[{\"name\":\"f.json\",\"state\":\"push\",\"diff\":[\"-a\",\"+b\"]}]}",
	    NULL }, (struct render)PLAIN, false, &outcome_some);

	CHECK_STR(nothing, "nothing to do\n");
	CHECK_INT(outcome, OUTCOME_DONE);
	CHECK_STR(some, "f.json: push\n  -a\n  +b\n");
	CHECK_INT(outcome_some, OUTCOME_UNHEALTHY);
}

TEST(reload_shows_where)
{
	SHOWN(text, "Reload", "{}", PLAIN, "{\"warnings\":[],\"errors\":[{\"file\":\"raas.cfg\","
	    "\"line\":7,\"section\":\"isv1\",\"text\":\"no bucket\"}]}");

	CHECK_STR(text, "raas.cfg:7: error: [isv1] no bucket\n"
	    "reloaded, but for what has an error: that stays as it was\n");
	CHECK_INT(outcome, OUTCOME_FAILED);
}

TEST(json_is_one_object_of_all_pages)
{
	enum outcome outcome;
	cleanup(free_p) char *text = shown("Status", "{}", (const char *const[]){ first_page,
	    second_page, NULL }, (struct render)PLAIN, true, &outcome);
	struct error err = ERROR_INIT;
	cleanup(json_unref) json_t *all = json_read(text, strlen(text), 16, &err);

	CHECK_STR(err.text, "");
	CHECK_INT(json_array_size(json_object_get(all, "isvs")), 4);
	CHECK_INT(json_int_or(json_object_get(all, "daemon"), "pid", 0), 7);
}

TEST(phases_that_are_healthy)
{
	static const struct {
		const char	*phase;
		enum outcome	 outcome;
	} cases[] = {
		{ "pending", OUTCOME_DONE }, { "syncing", OUTCOME_DONE }, { "ok", OUTCOME_DONE },
		{ "paused", OUTCOME_DONE }, { "drift", OUTCOME_UNHEALTHY },
		{ "failed", OUTCOME_UNHEALTHY }, { "conflict", OUTCOME_UNHEALTHY },
		{ "orphaned", OUTCOME_UNHEALTHY }, { "invalid", OUTCOME_UNHEALTHY },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(json_unref) json_t *page = json_pack("{s:[{s:s},{s:s}]}", "isvs", "phase",
		    "ok", "phase", cases[i].phase);

		CHECK_INT(outcome_of_reply(method_by_name("Status"), page), cases[i].outcome);
	}
}

TEST(errors_say_what_to_do)
{
	static const struct {
		const char	*error;
		const char	*parameters;
		enum outcome	 outcome;
		const char	*text;
	} cases[] = {
		{ VARLINK_DENIED, "{}", OUTCOME_DENIED, "you may not sync: that is for root, the user "
		    "that raasd runs as and members of its admin_group; try with sudo, or join that "
		    "group and log in anew" },
		{ VARLINK_BAD_PARAMETER, "{\"parameter\":\"x\"}", OUTCOME_USAGE,
		    "raasd does not accept the parameter 'x'" },
		{ ERROR_UNKNOWN_ISV, "{\"isv\":\"acne\",\"nearest\":\"acme\"}", OUTCOME_FAILED,
		    "raas.cfg has no ISV 'acne'; did you mean 'acme'?" },
		{ ERROR_UNKNOWN_ISV, "{\"isv\":\"x\"}", OUTCOME_FAILED,
		    "raas.cfg has no ISV 'x'; 'raasctl status' lists them" },
		{ ERROR_FAILED, "{\"kind\":\"remote\",\"text\":\"no\\u001bdice\"}", OUTCOME_FAILED,
		    "no?dice" },
		{ ERROR_BUSY, "{\"text\":\"later\"}", OUTCOME_NO_DAEMON, "later" },
		{ ERROR_STOPPED, "{}", OUTCOME_FAILED, "cancelled" },
		{ "a.b.Other", "{}", OUTCOME_FAILED, "a.b.Other" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = ERROR_INIT, text = ERROR_INIT;
		cleanup(json_unref) json_t *parameters = json_read(cases[i].parameters,
		    strlen(cases[i].parameters), 8, &err);
		struct message_reply reply = { parameters, (char *)(uintptr_t)cases[i].error, false };

		CHECK_INT(outcome_of_error(method_by_name("Sync"), &reply, &text), cases[i].outcome);
		CHECK_STR(text.text, cases[i].text);
	}
}

TEST(ages)
{
	static const char *const cases[][2] = {
		{ NULL, "-" }, { "soon", "-" }, { "2026-01-31T10:11:12Z", "now" },
		{ "2026-01-31T10:12:12Z", "now" }, { "2026-01-31T10:11:02Z", "10s" },
		{ "2026-01-31T09:11:12Z", "60m" }, { "2026-01-31T05:11:12Z", "5h" },
		{ "2026-01-01T10:11:12Z", "30d" },
	};
	char age[24];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		age_format(cases[i][0], NOW, age, sizeof(age));
		CHECK_STR(age, cases[i][1]);
	}
}

TEST(gc_shows_what_is_not_needed)
{
	SHOWN(text, "Gc", "{\"isv\":\"acme\"}", PLAIN,
	    "{\"objects\":[{\"key\":\"app/blobs/x\",\"size\":2048,"
	    "\"time\":\"2026-01-29T10:11:12Z\",\"removed\":false}]}",
	    "{\"summary\":{\"found\":1,\"bytes\":2048,\"uploads\":2,\"upload_bytes\":1024,"
	    "\"removed\":false,\"named\":7,\"young\":2,"
	    "\"unclear\":0,\"foreign\":3,\"unlisted\":0}}");
	enum outcome none;
	cleanup(free_p) char *removed = shown("Gc", "{\"isv\":\"acme\"}", (const char *const[]){
	    "{\"objects\":[{\"key\":\"k\",\"size\":1,\"time\":\"2026-01-31T10:10:12Z\","
	    "\"removed\":true}],\"summary\":{\"found\":2,\"bytes\":3,\"removed\":true,"
	    "\"unlisted\":1}}", NULL }, (struct render){ .now = NOW }, false, &none);

	CHECK_STR(text,
	    "  app/blobs/x  2.0 KiB, 2d old\n"
	    "2 that no metadata names are kept, being young\n"
	    "3 are kept, not being raasd's\n"
	    "1 objects of 2.0 KiB are named by no metadata\n"
	    "2 uncompleted uploads of 1.0 KiB were broken off\n"
	    "remove them with: raasctl gc --delete acme\n");
	CHECK_INT(outcome, OUTCOME_DONE);
	CHECK_STR(removed, "  k  1 bytes, 60s old, removed\n1 more are not listed here\n"
	    "2 objects of 3 bytes removed\n");
}

TEST(validate_names_what_is_wrong)
{
	SHOWN(text, "Validate", "{\"isv\":\"a\"}", PLAIN,
	    "{\"step\":{\"image\":\"a/b\",\"part\":\"blob\",\"text\":\"layer sha256:1\","
	    "\"size\":2048}}",
	    "{\"step\":{\"image\":\"a/b\",\"part\":\"manifest\",\"text\":\"tag 'x'\","
	    "\"size\":null}}",
	    "{\"results\":[{\"image\":\"a/b\",\"ok\":true,\"manifests\":2,\"blobs\":1,"
	    "\"v1_images\":0,\"bytes\":2048}]}",
	    "{\"results\":[{\"image\":\"old\",\"ok\":true,\"v1_images\":3,\"bytes\":7}]}",
	    "{\"results\":[{\"image\":\"c\",\"ok\":false,\"fault\":\"missing object\","
	    "\"text\":\"tag 'x': gone\"}]}",
	    "{\"summary\":{\"images\":3,\"ok\":2,\"failed\":1}}");
	enum outcome no_outcome;
	cleanup(free_p) char *nothing = shown("Validate", "{}", (const char *const[]){
	    "{\"summary\":{\"images\":0,\"ok\":0,\"failed\":0}}", NULL },
	    (struct render)PLAIN, false, &no_outcome);

	CHECK_STR(text,
	    "  layer sha256:1, 2.0 KiB\n"
	    "  tag 'x'\n"
	    "a/b: ok, 2 manifests, 1 blobs, 2.0 KiB\n"
	    "old: ok, 3 v1 images, 7 bytes\n"
	    "c: missing object: tag 'x': gone\n"
	    "3 validated: 2 ok, 1 failed\n");
	CHECK_INT(outcome, OUTCOME_UNHEALTHY);
	CHECK_STR(nothing, "nothing is published\n");
	CHECK_INT(no_outcome, OUTCOME_DONE);
}

#define LAYER(digest, state, done) "{\"event\":{\"isv\":\"a\",\"kind\":\"layer\",\"layer\":{\"digest\":" \
	digest ",\"diff_id\":\"sha256:0123456789abcdef\",\"state\":\"" state "\",\"done\":" done "," \
	"\"size\":2097152,\"rate\":1048576,\"left\":1}}}"
#define PUBLISHED "{\"result\":{\"image\":\"acme/app\",\"pull_url\":\"r.example.com/acme/app\"," \
	"\"tags\":[\"1.0\"],\"uploaded\":1,\"present\":2,\"copied\":0,\"masked\":3,\"bytes\":2097152}}"

TEST(publishing_in_a_pipe_is_a_line_for_what_is_over)
{
	SHOWN(text, "Publish", "{\"isv\":\"a\"}", PLAIN,
	    "{\"event\":{\"isv\":\"a\",\"kind\":\"queued\",\"text\":\"image\"}}",
	    "{\"event\":{\"isv\":\"a\",\"kind\":\"stage\",\"text\":\"reading the file\"}}",
	    LAYER("null", "compressing", "0"), LAYER("\"sha256:fedcba9876543210\"", "uploading", "1"),
	    LAYER("\"sha256:fedcba9876543210\"", "uploaded", "2097152"), PUBLISHED);

	CHECK_STR(text, "reading the file\n  sha256:fedcba987654  uploaded, 2.0 MiB\n"
	    "acme/app is published: 1 uploaded, 2 there, 0 copied, 3 Red Hat's; 2.0 MiB sent\n"
	    "docker pull r.example.com/acme/app:1.0\n");
	CHECK_INT(outcome, OUTCOME_DONE);
}

TEST(what_was_published_is_what_one_is_told_to_pull)
{
	SHOWN(text, "Publish", "{\"isv\":\"a\",\"image\":\"acme/app:2.0\"}", PLAIN, PUBLISHED);

	CHECK(strstr(text, "docker pull r.example.com/acme/app:2.0\n") != NULL);
}

/* Each layer on its way has a line, which is rewritten in its place. */
TEST(publishing_on_a_terminal_has_bars)
{
	SHOWN(text, "Publish", "{\"isv\":\"a\"}", BARS,
	    LAYER("null", "compressing", "0"),
	    LAYER("\"sha256:fedcba9876543210\"", "uploading", "1048576"), PUBLISHED);

	CHECK_STR(text, "sha256:0123456789ab  compressing 2.0 MiB\r\033[K"
	    "sha256:fedcba987654  [############            ]  50% of 2.0 MiB, 1.0 MiB/s, 1 s left"
	    "\r\033[K"
	    "acme/app is published: 1 uploaded, 2 there, 0 copied, 3 Red Hat's; 2.0 MiB sent\n"
	    "docker pull r.example.com/acme/app:1.0\n");
	CHECK_INT(outcome, OUTCOME_DONE);
}

TEST(images_are_shown_as_they_are_pulled)
{
	SHOWN(text, "Images", "{\"isv\":\"a\"}", PLAIN,
	    "{\"images\":[{\"name\":\"acme/app\",\"version\":2,\"pull_url\":\"r/acme/app\",\"tags\":"
	    "[{\"name\":\"1\",\"digest\":\"sha256:0123456789abcdef\"}]}]}");

	CHECK_STR(text, "r/acme/app:1  v2  sha256:0123456789ab\n");
	CHECK_INT(outcome, OUTCOME_DONE);
}

int
main(void)
{
	return RUN(CASE(publishing_in_a_pipe_is_a_line_for_what_is_over),
	    CASE(what_was_published_is_what_one_is_told_to_pull),
	    CASE(publishing_on_a_terminal_has_bars), CASE(images_are_shown_as_they_are_pulled),
	    CASE(status_is_a_table), CASE(status_fits_the_terminal),
	    CASE(status_of_one_says_more), CASE(colours_when_wanted),
	    CASE(control_characters_never_get_through), CASE(sync_is_followed),
	    CASE(sync_that_only_looks), CASE(diff_of_nothing_and_something),
	    CASE(gc_shows_what_is_not_needed),
	    CASE(validate_names_what_is_wrong), CASE(reload_shows_where), CASE(json_is_one_object_of_all_pages),
	    CASE(phases_that_are_healthy), CASE(errors_say_what_to_do), CASE(ages));
}
