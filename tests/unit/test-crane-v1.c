#include "crane/v1.h"

#include "tests/unit/crane-ask.h"
#include "tests/unit/test.h"

#define FILE(name, more) "{\"version\":1,\"repository\":\"r\",\"repo-registry-id\":\"" name "\"," \
	"\"url\":\"https://b.example.com/app\",\"images\":[{\"id\":\"i2\"},{\"id\":\"i1\"}]," \
	"\"tags\":{\"latest\":\"i2\",\"1.0\":\"i1\"}" more "}"
#define COMMON "X-Docker-Registry-Version: 0.6.6\nX-Docker-Registry-Config: common\n"
#define JSON "Content-Type: application/json\n"
#define NOT_FOUND "404\nContent-Type: text/plain; charset=utf-8\n" COMMON "\nNot Found\n"

static const char *const files[] = {
	FILE("some/app", ""), FILE("hidden", ",\"protected\":true"), FILE("plain", ""),
	"{\"version\":2,\"repository\":\"r\",\"repo-registry-id\":\"some/new\",\"url\":\"u\"}", NULL,
};

struct row {
	const char	*method;
	const char	*target;
	const char	*answer;
};

static void
check(const struct row *rows, size_t n)
{
	cleanup(live_unref_p) struct live *live = crane_live(files);
	struct service service = { .live = live };
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup(free_p) char *got = crane_ask(&service, rows[i].method, rows[i].target, "");

		if (strcmp(got, rows[i].answer) != 0)
			printf("# %s\n", rows[i].target);
		CHECK_STR(got, rows[i].answer);
	}
}

TEST(as_crane_answers)
{
	static const struct row rows[] = {
		{ "GET", "/v1/_ping", "200\n" JSON COMMON "\ntrue" },
		{ "GET", "/v1/users", "200\n" JSON COMMON "\n\"OK\"" },
		{ "POST", "/v1/users/", "201\n" JSON COMMON "\n\"User Created\"" },
		{ "GET", "/v1/repositories/some/app/images", "200\n" JSON
		    "X-Docker-Endpoints: registry.example.com\n" COMMON
		    "\n[{\"id\":\"i1\"},{\"id\":\"i2\"}]" },
		{ "GET", "/v1/repositories/some/app/tags", "200\n" JSON COMMON
		    "\n{\"1.0\":\"i1\",\"latest\":\"i2\"}" },
		{ "GET", "/v1/repositories/some/app/tags/1.0", "200\n" JSON COMMON "\n\"i1\"" },
		{ "GET", "/v1/repositories/library/plain/tags/latest", "200\n" JSON COMMON "\n\"i2\"" },
		{ "GET", "/v1/images/i1/layer", "302\nLocation: https://b.example.com/app/i1/layer\n"
		    COMMON "\n" },
		{ "GET", "/v1/images/i2/ancestry", "302\nLocation: "
		    "https://b.example.com/app/i2/ancestry\n" COMMON "\n" },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(what_is_not_there)
{
	static const struct row rows[] = {
		{ "GET", "/v1", NOT_FOUND },
		{ "GET", "/v1/repositories/nobody/images", NOT_FOUND },
		{ "GET", "/v1/repositories/hidden/images", NOT_FOUND },
		{ "GET", "/v1/repositories/some/app/tags/2.0", NOT_FOUND },
		{ "GET", "/v1/repositories/a/some/app/tags", NOT_FOUND },
		{ "GET", "/v1/repositories/some/app", NOT_FOUND },
		{ "GET", "/v1/repositories/some/new/tags", NOT_FOUND },
		{ "GET", "/v1/repositories//tags", NOT_FOUND },
		{ "GET", "/v1/images/i3/json", NOT_FOUND },
		{ "GET", "/v1/images/i1/checksum", NOT_FOUND },
		{ "GET", "/v1/images/i1", NOT_FOUND },
		{ "GET", "/v1/images/../i1/json", NOT_FOUND },
		{ "PUT", "/v1/images/i1/json", "405\nContent-Type: text/plain; charset=utf-8\n"
		    "Allow: GET, HEAD\n" COMMON "\nMethod Not Allowed\n" },
		{ "PUT", "/v1/users", "405\nContent-Type: text/plain; charset=utf-8\n"
		    "Allow: GET, HEAD, POST\n" COMMON "\nMethod Not Allowed\n" },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(the_endpoint_that_was_given)
{
	cleanup(live_unref_p) struct live *live = crane_live(files);
	struct service service = { .live = live, .endpoint = "pull.example.com" };
	cleanup(free_p) char *got = crane_ask(&service, "GET", "/v1/repositories/plain/images", "");

	CHECK(strstr(got, "X-Docker-Endpoints: pull.example.com\n") != NULL);
}

TEST(search)
{
	cleanup(live_unref_p) struct live *live = crane_live(files);
	struct service service = { .live = live };
	cleanup(free_p) char *some = crane_ask(&service, "GET", "/v1/search?q=SOME", "");
	cleanup(free_p) char *one = crane_ask(&service, "GET", "/v1/search?q=&n=1", "");
	cleanup(free_p) char *none = crane_ask(&service, "GET", "/v1/search?q=hidd", "");
	cleanup(free_p) char *bad = crane_ask(&service, "GET", "/v1/search?q=%00", "");

	CHECK(strstr(some, "\"query\":\"SOME\"") != NULL);
	CHECK(strstr(some, "\"num_results\":2") != NULL);
	CHECK(strstr(some, "\"name\":\"some/app\"") != NULL);
	CHECK(strstr(some, "\"name\":\"some/new\"") != NULL);
	CHECK(strstr(one, "\"num_results\":1") != NULL);
	CHECK(strstr(none, "\"results\":[]") != NULL);
	CHECK(strncmp(bad, "400\n", 4) == 0);
}

int
main(void)
{
	return RUN(CASE(as_crane_answers), CASE(what_is_not_there), CASE(the_endpoint_that_was_given),
	    CASE(search));
}
