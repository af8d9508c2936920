#include "daemon/settings.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/yaml.h"
#include "tests/unit/test.h"

CLEANUP_FUNC(struct settings, settings_free);

static struct settings *
parse(const char *yaml, struct error *err)
{
	*err = (struct error)ERROR_INIT;
	return settings_parse(yaml, strlen(yaml), "f", err);
}

#define CHECK_REFUSED(yaml, want) do {					\
	struct error err_;						\
	cleanup(settings_free_p) struct settings *s_ = parse(yaml, &err_);\
	CHECK(s_ == NULL);						\
	CHECK_INT(err_.kind, ERROR_INPUT);				\
	CHECK_STR(err_.text, want);					\
} while (0)

TEST(defaults)
{
	struct error err;
	cleanup(settings_free_p) struct settings *s = parse("config_repo: git@h:r\n", &err);

	CHECK(s != NULL);
	CHECK_STR(s->config_repo, "git@h:r");
	CHECK_STR(s->environment, "stage");
	CHECK_STR(s->socket, "/run/raas/raasd.sock");
	CHECK(s->admin_group == NULL && s->http.ca_file == NULL && s->commit);
	CHECK(s->publish.auth_file == NULL);
	CHECK_INT(s->poll_interval_ms, 60000);
	CHECK_INT(s->check_interval_ms, 300000);
	CHECK_INT(s->deep_interval_ms, 3600000);
	CHECK_INT(s->workers, 16);
	CHECK_INT(s->publish.parallel, 8);
	CHECK_INT(s->publish.part_size, 16 << 20);
	CHECK_INT(s->publish.validate_timeout_ms, 120000);
	CHECK_INT(s->log.level, LOG_LEVEL_INFO);
}

TEST(everything_given)
{
	struct error err;
	cleanup(settings_free_p) struct settings *s = parse(
	    "# a comment\nconfig_repo: \"/srv/conf repo\"\nenvironment: master\nadmin_group: ops\n"
	    "poll_interval: 500ms\ncommit: off\nworkers: 256\n"
	    "git: {ssh_command: ssh -i /k, timeout: 1h}\n"
	    "http:\n  connect_timeout: 2s\n  ca_file: /ca.pem\n"
	    "publish:\n  part_size: 1G\n  auth_file: /auth.json\nlog: {level: debug, target: stderr}\nstate_dir: ~\n", &err);

	CHECK(s != NULL);
	CHECK_STR(s->config_repo, "/srv/conf repo");
	CHECK_STR(s->admin_group, "ops");
	CHECK_STR(s->state_dir, "/var/lib/raas");
	CHECK_INT(s->poll_interval_ms, 500);
	CHECK(!s->commit);
	CHECK_INT(s->workers, 256);
	CHECK_STR(s->git.ssh_command, "ssh -i /k");
	CHECK_INT(s->git.timeout_ms, 3600000);
	CHECK_INT(s->http.connect_timeout_ms, 2000);
	CHECK_STR(s->http.ca_file, "/ca.pem");
	CHECK_INT(s->publish.part_size, 1 << 30);
	CHECK_STR(s->publish.auth_file, "/auth.json");
	CHECK_INT(s->log.level, LOG_LEVEL_DEBUG);
	CHECK_INT(s->log.target, LOG_TARGET_STDERR);
}

TEST(errors_name_line_and_column)
{
	CHECK_REFUSED("", "no config repo: set config_repo, or RAAS_CONF_REPO in the environment");
	CHECK_REFUSED("workers: 4\nworker: 3\n", "f:2:1: unknown key 'worker', did you mean 'workers'?");
	CHECK_REFUSED("git: {timeot: 3s}\n",
	    "f:1:7: unknown key 'git.timeot', did you mean 'git.timeout'?");
	CHECK_REFUSED("git: ssh\n",
	    "f:1:1: 'git' needs keys below it, such as 'git.ssh_command'");
	CHECK_REFUSED("workers: 0\n", "f:1:1: workers: must be 1 to 256");
	CHECK_REFUSED("workers: -1\n", "f:1:1: workers: must be a whole number");
	CHECK_REFUSED("workers: 99999999999999999999\n", "f:1:1: workers: must be a whole number");
	CHECK_REFUSED("poll_interval: 60\n",
	    "f:1:1: poll_interval: must be a number with ms, s, m, h or d behind it");
	CHECK_REFUSED("poll_interval: 2d\n", "f:1:1: poll_interval: must be 100ms to 1d");
	CHECK_REFUSED("publish: {part_size: 16X}\n", "f:1:11: publish.part_size: must be a number of"
	    " bytes, or one with K, M or G behind it");
	CHECK_REFUSED("publish: {auth_file: auth.json}\n", "f:1:11: publish.auth_file: must be an"
	    " absolute path, or credential:NAME");
	CHECK_REFUSED("metrics: {listen: 0.0.0.0:9777}\n", "f:1:11: metrics.listen: must be"
	    " 127.0.0.1:PORT or [::1]:PORT");
	CHECK_REFUSED("state_dir: var\n", "f:1:1: state_dir: must be an absolute path");
	CHECK_REFUSED("environment: a..b\n", "f:1:1: environment: is no name for a branch");
	CHECK_REFUSED("config_repo: --upload-pack=x\n",
	    "f:1:1: config_repo: must not begin with '-' or a blank");
	CHECK_REFUSED("commit: maybe\n", "f:1:1: commit: must be true or false");
	CHECK_REFUSED("log: {level: loud}\n",
	    "f:1:7: log.level: must be error, warning, info or debug");
}

TEST(only_plain_yaml)
{
	CHECK_REFUSED("a: &x 1\n", "f:1:4: anchors, aliases and tags are not for here");
	CHECK_REFUSED("a: *x\n", "f:1:4: anchors, aliases and tags are not for here");
	CHECK_REFUSED("a: !!str 1\n", "f:1:4: anchors, aliases and tags are not for here");
	CHECK_REFUSED("a: [1]\n", "f:1:4: a list has no place here");
	CHECK_REFUSED("- a\n", "f:1:1: a list has no place here");
	CHECK_REFUSED("hello\n", "f:1:1: keys and values are expected");
	CHECK_REFUSED("workers: 1\nworkers: 1\n", "f:2:1: the key is given twice");
	CHECK_REFUSED("workers: 1\n---\nworkers: 2\n", "f:2:1: a second document");
	CHECK_REFUSED("? {a: b}\n: c\n", "f:1:3: a key is expected here");
	CHECK_REFUSED("workers: 1\n\tcommit: no\n",
	    "f:2:1: found a tab character that violates indentation");
	CHECK_REFUSED("workers: 1\nx: \xff\n", "f:2:4: invalid leading UTF-8 octet");
	CHECK_REFUSED("a: {a: {a: {a: {a: {}}}}}\n", "f:1:17: nested too deeply");
}

TEST(too_long)
{
	cleanup(free_p) char *yaml = xcalloc(YAML_MAX + 1, 1);
	struct error err = ERROR_INIT;

	memset(yaml, '#', YAML_MAX + 1);
	CHECK(settings_parse(yaml, YAML_MAX + 1, "f", &err) == NULL);
	CHECK_STR(err.text, "f:1:1: longer than 1048576 bytes");
}

TEST(the_environment_wins)
{
	struct error err;
	struct settings *s;

	setenv("RAAS_CONF_REPO", "https://h/r", 1);
	s = parse("config_repo: /other\n", &err);
	CHECK(s != NULL);
	CHECK_STR(s->config_repo, "https://h/r");
	settings_free(s);
	s = settings_load("/nowhere/raasd.yaml", &err);
	CHECK(s == NULL);
	CHECK_STR(err.text, "no file '/nowhere/raasd.yaml'");
	setenv("RAAS_CONF_REPO", "-x", 1);
	CHECK_REFUSED("", "RAAS_CONF_REPO: must not begin with '-' or a blank");
	unsetenv("RAAS_CONF_REPO");
}

TEST(json_reads_back)
{
	struct error err;
	cleanup(settings_free_p) struct settings *s = parse(
	    "config_repo: https://me:Hunter2@h/r\npoll_interval: 1500ms\ncommit_interval: 0s\n", &err);
	cleanup(json_unref) json_t *o = settings_to_json(s);

	CHECK_STR(json_string_or(o, "config_repo", ""), "https://me:***@h/r");
	CHECK_STR(json_string_or(o, "poll_interval", ""), "1500ms");
	CHECK_STR(json_string_or(o, "commit_interval", ""), "0ms");
	CHECK_STR(json_string_or(json_object_get(o, "publish"), "part_size", ""), "16M");
	CHECK(json_is_null(json_object_get(o, "admin_group")));
}

int
main(void)
{
	unsetenv("RAAS_CONF_REPO");
	return RUN(CASE(defaults), CASE(everything_given), CASE(errors_name_line_and_column),
	    CASE(only_plain_yaml), CASE(too_long), CASE(the_environment_wins), CASE(json_reads_back));
}
