/* openshift-suite: the OpenShift client, and the light check of what it made, against the sandbox
 * that BROKER_URL, BROKER_USERNAME, BROKER_PASSWORD, BROKER_TOKEN, SANDBOX_URL, APP_PORT and
 * APP_DOMAIN name. Prints TAP. CRANE_URL is a git repo with the branches master and 3.3. */
#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/health.h"
#include "daemon/openshift.h"
#include "tests/unit/test.h"

static struct openshift_config config;
static struct http_shared *shared;
static struct http *http;
static struct openshift *broker;
static struct deadline deadline;
static struct error err;

static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL) {
		printf("Bail out! %s is not set\n", name);
		exit(1);
	}
	return value;
}

static const struct openshift_variable variables[] = {
	{ "OPENSHIFT_PYTHON_WSGI_APPLICATION", "crane/wsgi.py" },
	{ "OPENSHIFT_PYTHON_DOCUMENT_ROOT", "crane/" },
	{ "HAPROXY_CARTRIDGE_HTTPCHK_URI", "/v1/_ping" },
	{ "COLOUR", "red" },
};
#define N_VARIABLES (sizeof(variables) / sizeof(variables[0]))

static struct openshift_new_app
new_app(const char *domain, const char *name)
{
	return (struct openshift_new_app){
		.domain = domain, .name = name, .cartridge = "python-2.7",
		.git_url = setting("CRANE_URL"), .git_branch = "3.3", .scale = true,
		.gear_size = "small", .variables = variables, .n_variables = N_VARIABLES,
	};
}

/* Tells the sandbox, behind the client's back. */
static bool
order(const char *method, const char *what, const char *json)
{
	cleanup(http_response_done) struct http_response answer = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *url = xasprintf("%s/_sandbox/%s", setting("SANDBOX_URL"), what);
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	struct http_request request = { .method = method, .url = url, .headers = headers,
		.body = json, .body_size = strlen(json) };

	if (http_do(http, &request, &answer, &deadline, &err) == 0 && answer.status == 200)
		return true;
	printf("# %s %s: %ld %s\n", method, what, answer.status, buf_str(&answer.body));
	return false;
}

static bool
says(enum error_kind kind, const char *words)
{
	if (err.kind == kind && strstr(err.text, words) != NULL)
		return true;
	printf("# %s: '%s'\n", error_kind_name(err.kind), err.text);
	return false;
}

TEST(domains)
{
	struct openshift_names names = OPENSHIFT_NAMES_INIT;
	bool found = true;

	CHECK_INT(openshift_domain_get(broker, "dom1", &found, &deadline, &err), 0);
	CHECK(!found);
	CHECK_INT(openshift_domain_create(broker, "dom1", &deadline, &err), 0);
	CHECK_INT(openshift_domain_get(broker, "DOM1", &found, &deadline, &err), 0);
	CHECK(found);
	CHECK_INT(openshift_domains(broker, &names, &deadline, &err), 0);
	CHECK(openshift_names_have(&names, "dom1") && !openshift_names_have(&names, "dom2"));
	openshift_names_done(&names);
	CHECK_INT(openshift_domain_create(broker, "dom1", &deadline, &err), -1);
	CHECK(says(ERROR_CONFLICT, "create domain 'dom1': "));
	CHECK_INT(openshift_domain_create(broker, "no good", &deadline, &err), -1);
	CHECK(says(ERROR_INPUT, "exit code 106"));
}

TEST(an_app_and_all_it_was_made_with)
{
	struct openshift_new_app new = new_app("dom1", "registry");
	struct openshift_variables listed = OPENSHIFT_VARIABLES_INIT;
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;
	struct openshift_app made, seen;
	const struct openshift_app *app;
	cleanup(free_p) char *source = xasprintf("%s#3.3", setting("CRANE_URL"));
	bool found = false;

	CHECK_INT(openshift_app_create(broker, &new, &made, &deadline, &err), 0);
	CHECK_STR(made.name, "registry");
	CHECK_STR(made.domain, "dom1");
	CHECK_STR(made.framework, "python-2.7");
	CHECK_STR(made.gear_profile, "small");
	CHECK_STR(made.initial_git_url, source);
	CHECK(made.scalable && made.auto_deploy);
	CHECK_INT(openshift_app_get(broker, "dom1", "registry", &seen, &found, &deadline, &err), 0);
	CHECK(found);
	CHECK_STR(seen.id, made.id);
	CHECK_STR(seen.git_url, made.git_url);
	CHECK_INT(openshift_apps(broker, &apps, &deadline, &err), 0);
	CHECK((app = openshift_apps_find(&apps, "dom1", "registry")) != NULL);
	CHECK_STR(app->id, made.id);
	CHECK_STR(app->app_url, made.app_url);
	CHECK_INT(openshift_variables_list(broker, made.id, &listed, &deadline, &err), 0);
	CHECK_STR(openshift_variables_get(&listed, "HAPROXY_CARTRIDGE_HTTPCHK_URI"), "/v1/_ping");
	openshift_variables_done(&listed);
	openshift_apps_done(&apps);
	openshift_app_done(&seen);
	openshift_app_done(&made);
}

static const char *
app_id(const char *domain, const char *name)
{
	static char id[128];
	struct openshift_app app;
	bool found = false;

	if (openshift_app_get(broker, domain, name, &app, &found, &deadline, &err) == -1 || !found)
		return "";
	snprintf(id, sizeof(id), "%s", app.id);
	openshift_app_done(&app);
	return id;
}

TEST(variables_are_added_and_overwritten)
{
	static const struct openshift_variable changed[] = {
		{ "COLOUR", "blue" }, { "NEW", "a \"b\" \xc3\xbc" },
	};
	struct openshift_variables listed = OPENSHIFT_VARIABLES_INIT;
	const char *id = app_id("dom1", "registry");

	CHECK_INT(openshift_variables_set(broker, id, changed, 2, &deadline, &err), 0);
	CHECK_INT(openshift_variables_list(broker, id, &listed, &deadline, &err), 0);
	CHECK_STR(openshift_variables_get(&listed, "COLOUR"), "blue");
	CHECK_STR(openshift_variables_get(&listed, "NEW"), "a \"b\" \xc3\xbc");
	CHECK_STR(openshift_variables_get(&listed, "OPENSHIFT_PYTHON_WSGI_APPLICATION"),
	    "crane/wsgi.py");
	openshift_variables_done(&listed);
}

TEST(how_it_deploys)
{
	const char *id = app_id("dom1", "registry");
	struct openshift_app app;
	bool found = false;

	CHECK_INT(openshift_app_update(broker, id, "other", false, &deadline, &err), 0);
	CHECK_INT(openshift_app_get(broker, "dom1", "registry", &app, &found, &deadline, &err), 0);
	CHECK_STR(app.deployment_branch, "other");
	CHECK(!app.auto_deploy);
	openshift_app_done(&app);
	CHECK_INT(openshift_app_update(broker, id, "master", true, &deadline, &err), 0);
	CHECK_INT(openshift_app_restart(broker, id, &deadline, &err), 0);
}

TEST(aliases)
{
	const char *id = app_id("dom1", "registry");
	struct openshift_names names = OPENSHIFT_NAMES_INIT;

	CHECK_INT(openshift_alias_add(broker, id, "r.example.com", &deadline, &err), 0);
	CHECK_INT(openshift_aliases_list(broker, id, &names, &deadline, &err), 0);
	CHECK_INT(names.n, 1);
	CHECK_STR(names.names[0], "r.example.com");
	openshift_names_done(&names);
	CHECK_INT(openshift_alias_add(broker, id, "r.example.com", &deadline, &err), -1);
	CHECK(says(ERROR_CONFLICT, "exit code 140"));
	CHECK_INT(openshift_alias_add(broker, id, "192.0.2.1", &deadline, &err), -1);
	CHECK(says(ERROR_INPUT, "exit code 105"));
	CHECK_INT(openshift_alias_remove(broker, id, "r.example.com", &deadline, &err), 0);
	CHECK_INT(openshift_alias_remove(broker, id, "r.example.com", &deadline, &err), -1);
	CHECK(says(ERROR_MISSING, "exit code 173"));
}

static int
create(const struct openshift_new_app *new)
{
	err = (struct error)ERROR_INIT;
	return openshift_app_create(broker, new, NULL, &deadline, &err);
}

TEST(apps_that_cannot_be_made)
{
	struct openshift_new_app new = new_app("dom1", "registry");
	struct openshift_names names = OPENSHIFT_NAMES_INIT;

	CHECK_INT(create(&new), -1);
	CHECK(says(ERROR_CONFLICT, "exit code 100"));
	new.name = "not-a-name";
	CHECK_INT(create(&new), -1);
	CHECK(says(ERROR_INPUT, "exit code 105"));
	new.name = "other";
	new.cartridge = "cobol-85";
	CHECK_INT(create(&new), -1);
	CHECK(says(ERROR_INPUT, "exit code 109"));
	new.cartridge = "python-2.7";
	new.gear_size = "giant";
	CHECK_INT(create(&new), -1);
	CHECK(says(ERROR_INPUT, "exit code 134"));
	new.gear_size = "small";
	new.git_url = "file:///etc";
	CHECK_INT(create(&new), -1);
	CHECK(says(ERROR_INPUT, "exit code 216"));
	new.git_url = NULL;
	new.domain = "dmo1";
	CHECK_INT(create(&new), -1);
	CHECK(says(ERROR_MISSING, "create app 'other' in domain 'dmo1': there is no such domain"));
	CHECK_INT(openshift_domains(broker, &names, &deadline, &err), 0);
	CHECK(!openshift_names_have(&names, "dmo1"));
	openshift_names_done(&names);
}

TEST(another_change_is_running)
{
	const char *id = app_id("dom1", "registry");

	CHECK(order("PATCH", "apps/dom1/registry", "{\"busy\":true}"));
	CHECK_INT(openshift_app_restart(broker, id, &deadline, &err), -1);
	CHECK(says(ERROR_REMOTE, "exit code 171"));
	CHECK(order("PATCH", "apps/dom1/registry", "{\"busy\":false}"));
	CHECK_INT(openshift_app_restart(broker, id, &deadline, &err), 0);
}

TEST(logins)
{
	struct openshift_config wrong = config, token = config;
	cleanup(openshift_free_p) struct openshift *by_password = NULL, *by_token = NULL;
	struct openshift_names names = OPENSHIFT_NAMES_INIT;

	wrong.password = (char *)"guessed";
	token.token = (char *)setting("BROKER_TOKEN");
	by_password = openshift_new(http, &wrong);
	by_token = openshift_new(http, &token);
	CHECK_INT(openshift_domains(by_password, &names, &deadline, &err), -1);
	CHECK(says(ERROR_CREDENTIALS, "set [openshift] username and password"));
	CHECK_INT(openshift_domains(by_token, &names, &deadline, &err), 0);
	openshift_names_done(&names);
	token.token = (char *)"expired";
	CHECK_INT(openshift_domains(by_token, &names, &deadline, &err), -1);
	CHECK(says(ERROR_CREDENTIALS, "set [openshift] token"));
	/* A token of the default scope can read the user and nothing else. */
	CHECK(order("POST", "tokens", "{\"login\":\"raas\",\"token\":\"narrow\","
	    "\"scopes\":\"userinfo\"}"));
	token.token = (char *)"narrow";
	CHECK_INT(openshift_domains(by_token, &names, &deadline, &err), -1);
	CHECK(says(ERROR_CREDENTIALS, "HTTP status 403"));
}

TEST(limits_of_the_account)
{
	struct openshift_config poor = config;
	cleanup(openshift_free_p) struct openshift *small = NULL;
	struct openshift_new_app first = new_app("poor1", "registry");
	struct openshift_new_app second = new_app("poor1", "second");

	CHECK(order("POST", "accounts", "{\"login\":\"poor\",\"password\":\"p\",\"max_gears\":1,"
	    "\"max_domains\":1}"));
	poor.username = (char *)"poor";
	poor.password = (char *)"p";
	small = openshift_new(http, &poor);
	CHECK_INT(openshift_domain_create(small, "poor1", &deadline, &err), 0);
	CHECK_INT(openshift_domain_create(small, "poor2", &deadline, &err), -1);
	CHECK(says(ERROR_QUOTA, "exit code 103"));
	CHECK_INT(openshift_app_create(small, &first, NULL, &deadline, &err), 0);
	CHECK_INT(openshift_app_create(small, &second, NULL, &deadline, &err), -1);
	CHECK(says(ERROR_QUOTA, "exit code 104"));
}

/* The proxy gives up while the broker goes on: the app is there all the same. */
TEST(an_app_whose_answer_was_lost)
{
	struct openshift_new_app new = new_app("dom1", "lost");

	CHECK(order("POST", "faults", "{\"face\":\"broker\",\"method\":\"POST\",\"count\":1,"
	    "\"status\":504,\"html\":true,\"after\":true}"));
	CHECK_INT(create(&new), -1);
	CHECK(says(ERROR_REMOTE, "it may have been done all the same"));
	CHECK(strlen(app_id("dom1", "lost")) > 0);
	CHECK(order("POST", "faults", "{\"face\":\"broker\",\"method\":\"DELETE\",\"count\":1,"
	    "\"reset\":true,\"after\":true}"));
	CHECK_INT(openshift_app_delete(broker, app_id("dom1", "lost"), &deadline, &err), -1);
	CHECK(says(ERROR_REMOTE, "it may have been done all the same"));
	CHECK_STR(app_id("dom1", "lost"), "");
}

TEST(a_broker_that_stumbles)
{
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;

	CHECK(order("POST", "faults", "{\"face\":\"broker\",\"count\":1,\"status\":503,"
	    "\"html\":true}"));
	CHECK(order("POST", "faults", "{\"face\":\"broker\",\"count\":1,\"truncate_at\":20}"));
	CHECK(order("POST", "faults", "{\"face\":\"broker\",\"count\":1,\"reset\":true}"));
	CHECK_INT(openshift_apps(broker, &apps, &deadline, &err), 0);
	CHECK(openshift_apps_find(&apps, "dom1", "registry") != NULL);
	openshift_apps_done(&apps);
	CHECK(order("DELETE", "faults", ""));
	CHECK(order("POST", "faults", "{\"face\":\"broker\",\"status\":200,\"html\":true}"));
	CHECK_INT(openshift_apps(broker, &apps, &deadline, &err), -1);
	CHECK(says(ERROR_REMOTE, "unusable answer: not valid JSON"));
	CHECK(order("DELETE", "faults", ""));
	CHECK(order("POST", "faults", "{\"face\":\"broker\",\"hang\":true}"));
	deadline = deadline_in(500, NULL);
	CHECK_INT(openshift_apps(broker, &apps, &deadline, &err), -1);
	CHECK(says(ERROR_REMOTE, "no answer in time"));
	deadline = deadline_in(600000, NULL);
	CHECK(order("DELETE", "faults", ""));
}

TEST(the_light_check)
{
	static const char *const served[] = { "some/app" }, *const lacking[] = { "some/other" };
	cleanup(free_p) char *url = xasprintf("http://registry-dom1.%s:%s", setting("APP_DOMAIN"),
	    setting("APP_PORT"));
	struct health_memory memory = { .no_list = false };
	struct health health = { .state = HEALTH_DOWN };

	CHECK(order("PATCH", "apps/dom1/registry", "{\"files\":{\"crane/data/a.json\":"
	    "\"{\\\"version\\\":1,\\\"repository\\\":\\\"r\\\",\\\"repo-registry-id\\\":"
	    "\\\"some/app\\\",\\\"url\\\":\\\"http://b/\\\",\\\"images\\\":[],"
	    "\\\"tags\\\":{}}\"}}"));
	CHECK_INT(health_check(http, url, served, 1, &memory, &health, &deadline, &err), 0);
	CHECK_STR(health.detail, "");
	CHECK_INT(health.state, HEALTH_OK);
	CHECK_INT(health_check(http, url, lacking, 1, &memory, &health, &deadline, &err), 0);
	CHECK_INT(health.state, HEALTH_LACKS);
	CHECK(order("PATCH", "apps/dom1/registry", "{\"started\":false}"));
	CHECK_INT(health_check(http, url, served, 1, &memory, &health, &deadline, &err), 0);
	CHECK_INT(health.state, HEALTH_DOWN);
}

TEST(all_of_it_can_be_deleted)
{
	CHECK_INT(openshift_domain_delete(broker, "dom1", &deadline, &err), -1);
	CHECK(says(ERROR_CONFLICT, "exit code 128"));
	CHECK_INT(openshift_app_delete(broker, app_id("dom1", "registry"), &deadline, &err), 0);
	CHECK_STR(app_id("dom1", "registry"), "");
	CHECK_INT(openshift_domain_delete(broker, "dom1", &deadline, &err), 0);
	CHECK_INT(openshift_domain_delete(broker, "dom1", &deadline, &err), -1);
	CHECK(says(ERROR_MISSING, "exit code 127"));
}

int
main(void)
{
	static const struct http_options options = { 10000, 60000, NULL };
	int result;

	config.server_url = (char *)setting("BROKER_URL");
	config.username = (char *)setting("BROKER_USERNAME");
	config.password = (char *)setting("BROKER_PASSWORD");
	deadline = deadline_in(600000, NULL);
	if ((shared = http_shared_new(&options, &err)) == NULL) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	http = http_new(shared);
	broker = openshift_new(http, &config);
	result = RUN(CASE(domains), CASE(an_app_and_all_it_was_made_with),
	    CASE(variables_are_added_and_overwritten), CASE(how_it_deploys), CASE(aliases),
	    CASE(apps_that_cannot_be_made), CASE(another_change_is_running), CASE(logins),
	    CASE(limits_of_the_account), CASE(an_app_whose_answer_was_lost),
	    CASE(a_broker_that_stumbles), CASE(the_light_check), CASE(all_of_it_can_be_deleted));
	openshift_free(broker);
	http_free(http);
	http_shared_free(shared);
	return result;
}
