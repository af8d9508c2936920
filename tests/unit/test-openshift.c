#include "daemon/openshift.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "tests/unit/http-server.h"
#include "tests/unit/test.h"

#define JSON "Content-Type: application/json\r\n"
#define APP_DATA "{\"id\":\"53f1\",\"name\":\"registry\",\"domain_id\":\"isv1\"," \
	"\"app_url\":\"http://r/\",\"git_url\":\"ssh://53f1@r/~/git/registry.git/\"," \
	"\"aliases\":[{\"id\":\"r.example.com\"}]}"
#define OK_WITH(data) { "200 OK", JSON, "{\"status\":\"ok\",\"data\":" data ",\"messages\":[]}", \
	ANSWER }
#define REFUSED(status, code, words) { status, JSON, "{\"data\":null,\"messages\":[" \
	"{\"severity\":\"error\",\"exit_code\":" code ",\"text\":\"" words "\"}]}", ANSWER }

/* What the broker does with one request. */
struct turn {
	const char	*status;
	const char	*headers;
	const char	*body;
	enum { ANSWER, HALF, HANG, RESET, CLOSE } how;
};

/* A broker that takes its turns one by one and stays at the last. */
struct broker {
	const struct turn	*turns;
	size_t			 n;
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	struct openshift_config	 config;
	struct openshift	*openshift;
	struct deadline		 deadline;
	struct error		 err;

	/* Of the last request; read after its answer. */
	char			 line[512];
	char			 accept[128];
	char			 authorization[128];
	char			 body[2048];
};

static void
broker_serve(void *arg, const struct server_request *request, struct server_connection *c)
{
	struct broker *b = arg;
	const struct turn *turn = &b->turns[request->number <= b->n ? request->number - 1 : b->n - 1];

	snprintf(b->line, sizeof(b->line), "%s %.400s", request->method, request->target);
	snprintf(b->accept, sizeof(b->accept), "%s", server_header(request, "accept"));
	snprintf(b->authorization, sizeof(b->authorization), "%s",
	    server_header(request, "authorization"));
	snprintf(b->body, sizeof(b->body), "%s", request->body);
	switch (turn->how) {
	case ANSWER:
		server_answer(c, turn->status, turn->headers, turn->body);
		break;
	case HALF:
		server_send(c, "HTTP/1.1 200 OK\r\n" JSON "Content-Length: 1000\r\n\r\n{\"data\":[");
		server_close(c);
		break;
	case HANG:
		server_wait_gone(c);
		break;
	case RESET:
		server_reset(c);
		break;
	case CLOSE:
		server_close(c);
		break;
	}
}

static void
broker_start(struct broker *b, const struct turn *turns, size_t n)
{
	static const struct http_options options = { 5000, 20000, NULL };

	memset(b, 0, sizeof(*b));
	b->turns = turns;
	b->n = n;
	b->server = http_server_start(broker_serve, b, false);
	b->config.server_url = xstrdup(http_server_url(b->server));
	b->config.username = xstrdup("alice");
	b->config.password = xstrdup("sesame");
	if ((b->shared = http_shared_new(&options, &b->err)) == NULL)
		abort();
	b->http = http_new(b->shared);
	b->openshift = openshift_new(b->http, &b->config);
	b->deadline = deadline_in(20000, NULL);
}

static void
broker_stop(struct broker *b)
{
	openshift_free(b->openshift);
	http_free(b->http);
	http_shared_free(b->shared);
	http_server_stop(b->server);
	free(b->config.server_url);
	free(b->config.username);
	free(b->config.password);
	free(b->config.token);
}

#define START(b, ...)							\
	static const struct turn turns_[] = { __VA_ARGS__ };		\
	cleanup(broker_stop) struct broker b;				\
	broker_start(&b, turns_, sizeof(turns_) / sizeof(turns_[0]))

static bool
has(const struct broker *b, const char *words)
{
	if (strstr(b->err.text, words) != NULL)
		return true;
	printf("# '%s' is not in '%s'\n", words, b->err.text);
	return false;
}

TEST(lists_of_the_account)
{
	START(b, OK_WITH("[{\"name\":\"isv2\"},{\"name\":\"isv1\"}]"), OK_WITH("[" APP_DATA "]"));
	struct openshift_names domains = OPENSHIFT_NAMES_INIT;
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;

	CHECK_INT(openshift_domains(b.openshift, &domains, &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "GET /broker/rest/domains?nolinks=true");
	CHECK_STR(b.accept, "application/json; version=1.7");
	CHECK_STR(b.authorization, "Basic YWxpY2U6c2VzYW1l");
	CHECK_INT(domains.n, 2);
	CHECK_STR(domains.names[0], "isv1");
	openshift_names_done(&domains);
	CHECK_INT(openshift_apps(b.openshift, &apps, &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "GET /broker/rest/applications?nolinks=true");
	CHECK_STR(openshift_apps_find(&apps, "isv1", "registry")->aliases[0], "r.example.com");
	openshift_apps_done(&apps);
	CHECK_INT(http_server_requests(b.server), 2);
}

TEST(a_token_goes_before_a_user)
{
	START(b, OK_WITH("[]"));
	struct openshift_names domains = OPENSHIFT_NAMES_INIT;

	b.config.token = xstrdup("t0ken");
	CHECK_INT(openshift_domains(b.openshift, &domains, &b.deadline, &b.err), 0);
	CHECK_STR(b.authorization, "Bearer t0ken");
}

TEST(an_app_is_created_with_all_it_needs)
{
	START(b, OK_WITH("{\"name\":\"isv1\"}"), OK_WITH(APP_DATA));
	static const struct openshift_variable variables[] = { { "A", "1" }, { "B", "x/y" } };
	const struct openshift_new_app new = {
		"isv1", "registry", "python-2.7", "https://github.com/pulp/crane", "3.3", true,
		"small", variables, 2
	};
	struct openshift_app app;

	CHECK_INT(openshift_app_create(b.openshift, &new, &app, &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "POST /broker/rest/domain/isv1/applications?nolinks=true");
	CHECK_STR(b.body, "{\"name\":\"registry\",\"cartridges\":[\"python-2.7\"],\"scale\":true,"
	    "\"initial_git_url\":\"https://github.com/pulp/crane#3.3\",\"gear_size\":\"small\","
	    "\"environment_variables\":[{\"name\":\"A\",\"value\":\"1\"},"
	    "{\"name\":\"B\",\"value\":\"x/y\"}]}");
	CHECK_STR(app.id, "53f1");
	openshift_app_done(&app);
}

TEST(the_usual_branch_is_not_named)
{
	START(b, OK_WITH("{}"), OK_WITH(APP_DATA));
	const struct openshift_new_app new = {
		.domain = "isv1", .name = "registry", .cartridge = "python-2.7",
		.git_url = "https://github.com/pulp/crane", .git_branch = "master",
	};

	CHECK_INT(openshift_app_create(b.openshift, &new, NULL, &b.deadline, &b.err), 0);
	CHECK_STR(b.body, "{\"name\":\"registry\",\"cartridges\":[\"python-2.7\"],\"scale\":false,"
	    "\"initial_git_url\":\"https://github.com/pulp/crane\"}");
}

/* The broker would make the domain, misspelt as it is. */
TEST(no_app_without_its_domain)
{
	START(b, REFUSED("404 Not Found", "127", "Domain 'isvl' not found."));
	const struct openshift_new_app new = {
		.domain = "isvl", .name = "registry", .cartridge = "python-2.7",
	};

	CHECK_INT(openshift_app_create(b.openshift, &new, NULL, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_MISSING);
	CHECK(has(&b, "create app 'registry' in domain 'isvl': there is no such domain"));
	CHECK_INT(http_server_requests(b.server), 1);
}

TEST(what_is_not_there_is_a_result)
{
	START(b, REFUSED("404 Not Found", "101", "Application 'x' not found"),
	    REFUSED("404 Not Found", "127", "Domain 'x' not found"),
	    OK_WITH(APP_DATA),
	    { "404 Not Found", "Content-Type: text/html\r\n", "<html>", ANSWER });
	struct openshift_app app;
	bool found = true;

	CHECK_INT(openshift_app_get(b.openshift, "d", "x", &app, &found, &b.deadline, &b.err), 0);
	CHECK(!found);
	CHECK_INT(openshift_domain_get(b.openshift, "x", &found, &b.deadline, &b.err), 0);
	CHECK(!found);
	CHECK_INT(openshift_app_get(b.openshift, "isv1", "registry", &app, &found, &b.deadline,
	    &b.err), 0);
	CHECK_STR(b.line, "GET /broker/rest/domain/isv1/application/registry?nolinks=true");
	CHECK(found);
	openshift_app_done(&app);
	/* A proxy's page does not count, however often it comes. */
	CHECK_INT(openshift_app_get(b.openshift, "d", "x", &app, &found, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_REMOTE);
}

TEST(changes_of_an_app)
{
	START(b, OK_WITH("null"));
	static const struct openshift_variable variable = { "A", "1" };
	struct openshift *o = b.openshift;

	CHECK_INT(openshift_domain_create(o, "isv1", &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "POST /broker/rest/domains?nolinks=true");
	CHECK_STR(b.body, "{\"name\":\"isv1\"}");
	CHECK_INT(openshift_domain_delete(o, "isv1", &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "DELETE /broker/rest/domain/isv1?nolinks=true");
	CHECK_INT(openshift_variables_set(o, "53f1", &variable, 1, &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "POST /broker/rest/application/53f1/environment-variables?nolinks=true");
	CHECK_STR(b.body, "{\"environment_variables\":[{\"name\":\"A\",\"value\":\"1\"}]}");
	CHECK_INT(openshift_app_update(o, "53f1", "master", true, &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "PUT /broker/rest/application/53f1?nolinks=true");
	CHECK_STR(b.body, "{\"auto_deploy\":true,\"deployment_branch\":\"master\"}");
	CHECK_INT(openshift_app_restart(o, "53f1", &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "POST /broker/rest/application/53f1/events?nolinks=true");
	CHECK_STR(b.body, "{\"event\":\"restart\"}");
	CHECK_INT(openshift_alias_add(o, "53f1", "r.example.com", &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "POST /broker/rest/application/53f1/aliases?nolinks=true");
	CHECK_STR(b.body, "{\"id\":\"r.example.com\"}");
	CHECK_INT(openshift_alias_remove(o, "53f1", "r.example.com", &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "DELETE /broker/rest/application/53f1/alias/r.example.com?nolinks=true");
	CHECK_INT(openshift_app_delete(o, "53f1", &b.deadline, &b.err), 0);
	CHECK_STR(b.line, "DELETE /broker/rest/application/53f1?nolinks=true");
}

TEST(names_cannot_leave_their_place)
{
	START(b, OK_WITH("null"));
	struct openshift *o = b.openshift;

	CHECK_INT(openshift_alias_remove(o, "1", "a/../b?c#d%", &b.deadline, &b.err), 0);
	CHECK_STR(b.line,
	    "DELETE /broker/rest/application/1/alias/a%2F..%2Fb%3Fc%23d%25?nolinks=true");
	CHECK_INT(openshift_alias_remove(o, "1", "..", &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_INPUT);
	CHECK_INT(openshift_app_delete(o, ".", &b.deadline, &b.err), -1);
	CHECK_INT(openshift_domain_delete(o, "", &b.deadline, &b.err), -1);
	CHECK_INT(http_server_requests(b.server), 1);
}

TEST(a_refused_login_names_the_setting)
{
	START(b, { "401 Unauthorized", JSON, "HTTP Basic: Access denied.\n", ANSWER });
	struct openshift_names domains = OPENSHIFT_NAMES_INIT;

	CHECK_INT(openshift_domains(b.openshift, &domains, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_CREDENTIALS);
	CHECK(has(&b, "list domains: the login of user 'alice' is refused (HTTP status 401): "
	    "set [openshift] username and password"));
	b.config.token = xstrdup("t0ken");
	CHECK_INT(openshift_domains(b.openshift, &domains, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_CREDENTIALS);
	CHECK(has(&b, "set [openshift] token"));
	CHECK(strstr(b.err.text, "t0ken") == NULL);
	CHECK_INT(http_server_requests(b.server), 2);
}

TEST(without_a_login_nothing_is_asked)
{
	START(b, OK_WITH("[]"));
	struct openshift_names domains = OPENSHIFT_NAMES_INIT;

	free(b.config.username);
	b.config.username = NULL;
	CHECK_INT(openshift_domains(b.openshift, &domains, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_CREDENTIALS);
	CHECK_INT(http_server_requests(b.server), 0);
}

TEST(refusals_are_not_repeated)
{
	START(b, REFUSED("403 Forbidden", "104", "alice has reached the gear limit of 3"),
	    REFUSED("422 Unprocessable Entity", "103", "Namespace 'isv1' is already in use"),
	    REFUSED("500 Internal Server Error", "171", "another operation is running"));
	struct openshift *o = b.openshift;

	CHECK_INT(openshift_app_restart(o, "1", &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_QUOTA);
	CHECK(has(&b, "alice has reached the gear limit of 3 (HTTP status 403, exit code 104)"));
	CHECK_INT(openshift_domain_create(o, "isv1", &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_CONFLICT);
	CHECK_INT(openshift_app_restart(o, "1", &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_REMOTE);
	CHECK(strstr(b.err.text, "may have been done") == NULL);
	CHECK_INT(http_server_requests(b.server), 3);
}

TEST(reading_is_tried_again)
{
	START(b, { "503 Service Unavailable", "", "", ANSWER }, { .how = HALF }, { .how = RESET },
	    OK_WITH("[]"));
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;

	CHECK_INT(openshift_apps(b.openshift, &apps, &b.deadline, &b.err), 0);
	CHECK_INT(http_server_requests(b.server), 4);
}

TEST(reading_gives_up)
{
	START(b, { "502 Bad Gateway", "Content-Type: text/html\r\n", "<html>", ANSWER });
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;

	CHECK_INT(openshift_apps(b.openshift, &apps, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_REMOTE);
	CHECK(has(&b, "HTTP status 502 with text/html instead of the broker's JSON"));
	CHECK_INT(http_server_requests(b.server), 4);
}

TEST(a_page_with_status_200_is_no_list)
{
	START(b, { "200 OK", "Content-Type: text/html\r\n", "<html>maintenance</html>", ANSWER });
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;

	CHECK_INT(openshift_apps(b.openshift, &apps, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_REMOTE);
	CHECK(has(&b, "list apps: unusable answer: not valid JSON"));
}

TEST(a_lost_change_is_not_repeated)
{
	START(b, { "504 Gateway Time-out", "Content-Type: text/html\r\n", "<html>", ANSWER },
	    { .how = HALF }, { .how = RESET });
	struct openshift *o = b.openshift;
	int i;

	for (i = 1; i <= 3; i++) {
		CHECK_INT(openshift_app_restart(o, "1", &b.deadline, &b.err), -1);
		CHECK_INT(b.err.kind, ERROR_REMOTE);
		CHECK(has(&b, "it may have been done all the same"));
		CHECK_INT(http_server_requests(b.server), i);
	}
}

/* The broker took the request and closed a connection that had served before: to libcurl that
 * looks like a connection that had been idle too long, and it would send the request again. */
TEST(a_kept_connection_repeats_no_change)
{
	START(b, OK_WITH("[]"), { .how = CLOSE }, OK_WITH("null"));
	struct openshift_names domains = OPENSHIFT_NAMES_INIT;

	CHECK_INT(openshift_domains(b.openshift, &domains, &b.deadline, &b.err), 0);
	CHECK_INT(openshift_app_delete(b.openshift, "1", &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_REMOTE);
CHECK_INT(http_server_requests(b.server), 2);
}

TEST(a_broker_that_never_answers)
{
	START(b, { .how = HANG });
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;
	atomic_bool stop = true;

	b.deadline = deadline_in(300, NULL);
	CHECK_INT(openshift_apps(b.openshift, &apps, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_REMOTE);
	CHECK(has(&b, "no answer in time"));
	b.deadline = deadline_in(20000, &stop);
	CHECK_INT(openshift_app_restart(b.openshift, "1", &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_CANCELLED);
}

TEST(nobody_listens)
{
	START(b, OK_WITH("[]"));
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;

	http_server_stop(b.server);
	b.server = http_server_start(broker_serve, &b, false);
	b.deadline = deadline_in(1000, NULL);
	CHECK_INT(openshift_apps(b.openshift, &apps, &b.deadline, &b.err), -1);
	CHECK_INT(b.err.kind, ERROR_REMOTE);
	CHECK(strstr(b.err.text, "sesame") == NULL);
}

int
main(void)
{
	return RUN(CASE(lists_of_the_account), CASE(a_token_goes_before_a_user),
	    CASE(an_app_is_created_with_all_it_needs), CASE(the_usual_branch_is_not_named),
	    CASE(no_app_without_its_domain), CASE(what_is_not_there_is_a_result),
	    CASE(changes_of_an_app), CASE(names_cannot_leave_their_place),
	    CASE(a_refused_login_names_the_setting), CASE(without_a_login_nothing_is_asked),
	    CASE(refusals_are_not_repeated), CASE(reading_is_tried_again), CASE(reading_gives_up),
	    CASE(a_page_with_status_200_is_no_list), CASE(a_lost_change_is_not_repeated),
	    CASE(a_kept_connection_repeats_no_change), CASE(a_broker_that_never_answers),
	    CASE(nobody_listens));
}
