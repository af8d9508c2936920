#include "client/arguments.h"

#include <stdlib.h>

#include "common/json.h"
#include "tests/unit/test.h"

#define NOW 1769854272	/* 2026-01-31T10:11:12Z */
#define WORDS_MAX 16

/* Parses a command line that is split at blanks. */
static int
parse(struct arguments *a, const char *line, struct error *err)
{
	static char copy[512];	/* the arguments are lent */
	char *argv[WORDS_MAX] = { NULL }, *rest = copy, *word;
	int argc = 0;

	snprintf(copy, sizeof(copy), "raasctl %s", line);
	while ((word = strsep(&rest, " ")) != NULL && argc < WORDS_MAX) {
		if (word[0] != '\0')
			argv[argc++] = word;
	}
	return arguments_parse(a, argc, argv, NOW, err);
}

TEST(command_lines_become_calls)
{
	static const char *const cases[][3] = {
		{ "status", "Status", "{}" },
		{ "status a b", "Status", "{\"isvs\":[\"a\",\"b\"]}" },
		{ "--json status a", "Status", "{\"isvs\":[\"a\"]}" },
		{ "sync --all", "Sync", "{\"all\":true}" },
		{ "sync a --deep b --dry-run --no-wait", "Sync",
		    "{\"deep\":true,\"dry_run\":true,\"isvs\":[\"a\",\"b\"],\"wait\":false}" },
		{ "sync --all --all", "Sync", "{\"all\":true}" },
		{ "sync -- --all", "Sync", "{\"isvs\":[\"--all\"]}" },
		{ "log a", "Log", "{\"isv\":\"a\"}" },
		{ "log -n 5 a -f", "Log", "{\"follow\":true,\"isv\":\"a\",\"lines\":5}" },
		{ "log -fn5 a", "Log", "{\"follow\":true,\"isv\":\"a\",\"lines\":5}" },
		{ "log --lines=7 a", "Log", "{\"isv\":\"a\",\"lines\":7}" },
		{ "pause a --reason x --until 2026-02-01T00:00:00Z", "Pause",
		    "{\"isv\":\"a\",\"reason\":\"x\",\"until\":\"2026-02-01T00:00:00Z\"}" },
		{ "pause a --for 1h", "Pause", "{\"isv\":\"a\",\"until\":\"2026-01-31T11:11:12Z\"}" },
		{ "pause a --for=1d30m", "Pause",
		    "{\"isv\":\"a\",\"until\":\"2026-02-01T10:41:12Z\"}" },
		{ "resolve a --take app", "Resolve", "{\"isv\":\"a\",\"take\":\"app\"}" },
		{ "ping --no-color", "Ping", "{}" },
		{ "status -", "Status", "{\"isvs\":[\"-\"]}" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(arguments_done) struct arguments a;
		cleanup(free_p) char *parameters = NULL;
		struct error err = ERROR_INIT;

		parse(&a, cases[i][0], &err);
		CHECK_STR(err.text, "");
		CHECK_STR(a.method->name, cases[i][1]);
		parameters = json_dumps(a.parameters, JSON_COMPACT | JSON_SORT_KEYS);
		CHECK_STR(parameters, cases[i][2]);
	}
}

TEST(wrong_command_lines_are_explained)
{
	static const char *const cases[][2] = {
		{ "", "no command; 'raasctl --help' lists them" },
		{ "stauts", "no command 'stauts'; did you mean 'status'?" },
		{ "conquer", "no command 'conquer'; 'raasctl --help' lists them" },
		{ "publish a", "publish: IMAGE is missing" },
		{ "--deep sync", "there is no option '--deep' before a command" },
		{ "sync --deeep a", "sync: there is no option '--deeep'" },
		{ "sync -x a", "sync: there is no option '-x'" },
		{ "sync", "sync: name one ISV or more, or give --all" },
		{ "sync a --all", "sync: name one ISV or more, or give --all" },
		{ "sync --all=yes", "option '--all' takes no value" },
		{ "diff", "diff: ISV is missing" },
		{ "diff a b", "diff: unexpected argument 'b'" },
		{ "ping a", "ping: unexpected argument 'a'" },
		{ "resolve a", "resolve: --take is missing" },
		{ "resolve a --take both", "resolve: 'take': not one of config|app" },
		{ "log a -n", "option '-n' needs a value" },
		{ "log a -n x", "--lines: 'x' is not a whole number" },
		{ "log a -n -1", "log: 'lines': not a whole number from 0 to 10000" },
		{ "log a -n 99999999999999999999",
		    "--lines: '99999999999999999999' is not a whole number" },
		{ "log a -n 1 -n 2", "--lines: given already, by this or another option" },
		{ "pause a --for 5", "--for: '5' is not a duration such as 30m, 8h or 2d" },
		{ "pause a --for 5y", "--for: '5y' is not a duration such as 30m, 8h or 2d" },
		{ "pause a --for 99999999999999999999s",
		    "--for: '99999999999999999999s' is not a duration such as 30m, 8h or 2d" },
		{ "pause a --until soon",
		    "pause: 'until': not a time such as 2026-01-31T18:00:00Z" },
		{ "pause a --for 1h --until 2026-02-01T00:00:00Z",
		    "--until: given already, by this or another option" },
		{ "pause a --reason \xff", "--reason: '?' is not UTF-8" },
		{ "ping --socket", "option '--socket' needs a value" },
		{ "ping --socket /a --environment b",
		    "give --socket or --environment, and once" },
		{ "ping --environment ../x", "--environment: '../x' is not a name" },
		{ "ping --environment a/b", "--environment: 'a/b' is not a name" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(arguments_done) struct arguments a;
		struct error err = ERROR_INIT;

		CHECK_INT(parse(&a, cases[i][0], &err), -1);
		CHECK_STR(err.text, cases[i][1]);
		CHECK_INT(err.kind, ERROR_INPUT);
	}
}

TEST(help_asks_for_nothing_else)
{
	cleanup(arguments_done) struct arguments all = { 0 }, one = { 0 }, version = { 0 };
	struct error err;

	CHECK_INT(parse(&all, "-h", &err), 0);
	CHECK(all.help && all.method == NULL);
	CHECK_INT(parse(&one, "resolve --help", &err), 0);
	CHECK(one.help && strcmp(one.method->name, "Resolve") == 0);
	CHECK_INT(parse(&version, "--version", &err), 0);
	CHECK(version.version);
}

TEST(where_the_socket_is)
{
	cleanup(arguments_done) struct arguments none = { 0 }, env = { 0 }, named = { 0 },
	    option = { 0 };
	struct error err;

	unsetenv("RAAS_SOCKET");
	CHECK_INT(parse(&none, "ping", &err), 0);
	CHECK_STR(none.socket, "/run/raas/raasd.sock");
	setenv("RAAS_SOCKET", "/x/y", 1);
	CHECK_INT(parse(&env, "ping", &err), 0);
	CHECK_STR(env.socket, "/x/y");
	CHECK_INT(parse(&named, "ping --environment stage", &err), 0);
	CHECK_STR(named.socket, "/run/raas/stage.sock");
	CHECK_INT(parse(&option, "--socket=/a/b ping", &err), 0);
	CHECK_STR(option.socket, "/a/b");
	unsetenv("RAAS_SOCKET");
}

int
main(void)
{
	return RUN(CASE(command_lines_become_calls), CASE(wrong_command_lines_are_explained),
	    CASE(help_asks_for_nothing_else), CASE(where_the_socket_is));
}
