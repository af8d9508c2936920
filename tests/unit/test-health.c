#include "daemon/health.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "tests/unit/http-server.h"
#include "tests/unit/test.h"

#define JSON "Content-Type: application/json\r\n"

/* Crane as a test wants it: a status and a body for each of its paths, NULL for 404. */
struct crane {
	const char		*list;
	const char		*list_v2;
	const char		*ping;
	const char		*ping_v2;
	const char		*status;	/* of all of them; NULL: 200 */
	bool			 hangs;
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	char			 asked[256];	/* the paths, in order */
	char			 accept[64];
};

static const char *
body_of(const struct crane *crane, const char *path)
{
	if (strcmp(path, "/crane/repositories") == 0)
		return crane->list;
	if (strcmp(path, "/crane/repositories/v2") == 0)
		return crane->list_v2;
	if (strcmp(path, "/v1/_ping") == 0)
		return crane->ping;
	return strcmp(path, "/v2/") == 0 ? crane->ping_v2 : NULL;
}

static void
serve(void *arg, const struct server_request *request, struct server_connection *c)
{
	struct crane *crane = arg;
	const char *body = body_of(crane, request->target);
	size_t len;

	len = strlen(crane->asked);
	snprintf(crane->asked + len, sizeof(crane->asked) - len, "%s ", request->target);
	snprintf(crane->accept, sizeof(crane->accept), "%s", server_header(request, "accept"));
	if (crane->hangs)
		server_wait_gone(c);
	else if (crane->status != NULL)
		server_answer(c, crane->status, "Location: https://elsewhere/\r\n", "<html>");
	else
		server_answer(c, body != NULL ? "200 OK" : "404 Not Found", JSON,
		    body != NULL ? body : "{}");
}

static void
crane_start(struct crane *crane)
{
	static const struct http_options options = { 5000, 20000, NULL };

	crane->server = http_server_start(serve, crane, false);
	if ((crane->shared = http_shared_new(&options, NULL)) == NULL)
		abort();
	crane->http = http_new(crane->shared);
}

static void
crane_stop(struct crane *crane)
{
	http_free(crane->http);
	http_shared_free(crane->shared);
	http_server_stop(crane->server);
}

static const char *const two[] = { "some/app", "web" };

static int
check(struct crane *crane, size_t n, const struct health_memory *memory, struct health *out,
    struct error *err)
{
	struct deadline deadline = deadline_in(20000, NULL);

	crane->asked[0] = '\0';
	return health_check(crane->http, http_server_url(crane->server), two, n, memory, out,
	    &deadline, err);
}

#define START(...)							\
	cleanup(crane_stop) struct crane crane = { __VA_ARGS__ };	\
	struct health health = { .state = HEALTH_OK };			\
	struct error err = ERROR_INIT;					\
	crane_start(&crane)

TEST(one_request_where_the_list_may_be_asked)
{
	START(.list = "{\"some/app\":{\"tags\":{}},\"web\":{},\"more\":{}}");

	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_OK);
	CHECK_STR(health.detail, "");
	CHECK_STR(crane.asked, "/crane/repositories ");
	CHECK_STR(crane.accept, "application/json");
	crane.list = "{}";
	CHECK_INT(check(&crane, 0, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_OK);
	CHECK_STR(crane.asked, "/crane/repositories ");
}

TEST(what_is_not_served_is_named)
{
	START(.list = "{\"web\":{}}", .list_v2 = "{}");

	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_LACKS);
	CHECK_STR(health.detail, "does not serve 'some/app'");
	crane.list = "{}";
	crane.list_v2 = NULL;
	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_STR(health.detail, "does not serve 'some/app', 'web'");
	CHECK(!health.memory.no_list);
}

TEST(v2_is_asked_first_the_next_time)
{
	START(.list = "{}", .list_v2 = "{\"some/app\":{},\"web\":{}}");

	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_OK);
	CHECK_STR(crane.asked, "/crane/repositories /crane/repositories/v2 ");
	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_OK);
	CHECK_STR(crane.asked, "/crane/repositories/v2 ");
}

TEST(the_ping_where_the_list_is_refused)
{
	START(.ping = "true");

	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_OK);
	CHECK(health.memory.no_list);
	CHECK_STR(crane.asked, "/crane/repositories /v1/_ping ");
	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_OK);
	CHECK_STR(crane.asked, "/v1/_ping ");
}

/* A router without the app answers 404 to everything: that is no registry. */
TEST(nothing_but_404_is_down)
{
	START(.list = NULL);

	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_DOWN);
	CHECK_STR(health.detail, "/v1/_ping: HTTP status 404");
	CHECK(!health.memory.no_list);
}

TEST(pages_and_redirects_are_down)
{
	START(.list = "<html>It works!</html>");

	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_DOWN);
	CHECK(strstr(health.detail, "/crane/repositories: not valid JSON") != NULL);
	crane.list = "[]";
	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_STR(health.detail, "/crane/repositories: not an object");
	crane.status = "503 Service Unavailable";
	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_INT(health.state, HEALTH_DOWN);
	CHECK_STR(health.detail, "/crane/repositories: HTTP status 503");
	crane.status = "302 Found";
	CHECK_INT(check(&crane, 2, &health.memory, &health, &err), 0);
	CHECK_STR(health.detail,
	    "/crane/repositories: HTTP status 302, leads to https://elsewhere/");
}

TEST(silence_is_down_and_a_cancel_is_not)
{
	START(.hangs = true);
	atomic_bool stop = true;
	struct deadline deadline = deadline_in(200, NULL);

	CHECK_INT(health_check(crane.http, http_server_url(crane.server), two, 2, &health.memory,
	    &health, &deadline, &err), 0);
	CHECK_INT(health.state, HEALTH_DOWN);
	CHECK(strstr(health.detail, "no answer in time") != NULL);
	deadline = deadline_in(20000, &stop);
	CHECK_INT(health_check(crane.http, http_server_url(crane.server), two, 2, &health.memory,
	    &health, &deadline, &err), -1);
	CHECK_INT(err.kind, ERROR_CANCELLED);
	deadline = deadline_in(20000, NULL);
	CHECK_INT(health_check(crane.http, "ftp://x", two, 2, &health.memory, &health, &deadline,
	    &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
}

int
main(void)
{
	return RUN(CASE(one_request_where_the_list_may_be_asked), CASE(what_is_not_served_is_named),
	    CASE(v2_is_asked_first_the_next_time), CASE(the_ping_where_the_list_is_refused),
	    CASE(nothing_but_404_is_down), CASE(pages_and_redirects_are_down),
	    CASE(silence_is_down_and_a_cancel_is_not));
}
