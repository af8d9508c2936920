#include "daemon/openshift-answer.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "tests/unit/test.h"

#define APP(id, domain, name) "{\"id\":\"" id "\",\"name\":\"" name "\",\"domain_id\":\"" domain \
	"\",\"app_url\":\"http://x/\",\"git_url\":\"ssh://u@x/~/git/a.git/\"}"

static struct buf
text(const char *s)
{
	return (struct buf){ (char *)s, strlen(s), 0, 0 };
}

static enum error_kind
kind_of(long status, const char *body, int *code, struct error *err)
{
	struct buf bytes = text(body);

	if (openshift_answer_check(status, "text/html", &bytes, code, err) == 0)
		return ERROR_NONE;
	return err->kind;
}

TEST(an_app_is_read)
{
	static const char body[] = "{\"data\":{\"id\":\"53f1\",\"name\":\"registry\","
	    "\"domain_id\":\"isv1\",\"app_url\":\"http://registry-isv1.example.com/\","
	    "\"git_url\":\"ssh://53f1@registry-isv1.example.com/~/git/registry.git/\","
	    "\"framework\":\"python-2.7\",\"gear_profile\":\"small\",\"scalable\":true,"
	    "\"deployment_branch\":\"master\",\"auto_deploy\":false,\"initial_git_url\":null,"
	    "\"aliases\":[{\"id\":\"b.example.com\"},{\"id\":\"a.example.com\"}],\"embedded\":{}}}";
	struct buf bytes = text(body);
	struct openshift_app app;
	struct error err = ERROR_INIT;

	CHECK_INT(openshift_answer_app(&bytes, &app, &err), 0);
	CHECK_STR(app.id, "53f1");
	CHECK_STR(app.name, "registry");
	CHECK_STR(app.domain, "isv1");
	CHECK_STR(app.app_url, "http://registry-isv1.example.com/");
	CHECK_STR(app.git_url, "ssh://53f1@registry-isv1.example.com/~/git/registry.git/");
	CHECK_STR(app.framework, "python-2.7");
	CHECK_STR(app.gear_profile, "small");
	CHECK_STR(app.deployment_branch, "master");
	CHECK(app.initial_git_url == NULL);
	CHECK(app.scalable && !app.auto_deploy);
	CHECK_INT(app.n_aliases, 2);
	CHECK_STR(app.aliases[0], "b.example.com");
	CHECK_STR(app.aliases[1], "a.example.com");
	openshift_app_done(&app);
}

TEST(ten_thousand_apps_are_sorted_and_found)
{
	cleanup(buf_done) struct buf body = BUF_INIT;
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;
	struct error err = ERROR_INIT;
	int i;

	buf_add_str(&body, "{\"data\":[");
	for (i = 0; i < 10000; i++)
		buf_printf(&body, "%s" APP("%x", "isv%d", "registry"), i > 0 ? "," : "", i,
		    i * 7919 % 10000);
	buf_add_str(&body, "]}");
	CHECK_INT(openshift_answer_apps(&body, &apps, &err), 0);
	CHECK_INT(apps.n, 10000);
	CHECK_STR(openshift_apps_find(&apps, "isv7919", "registry")->id, "1");
	CHECK_STR(openshift_apps_find(&apps, "ISV0", "Registry")->id, "0");
	CHECK(openshift_apps_find(&apps, "isv10000", "registry") == NULL);
	CHECK(openshift_apps_find(&apps, "isv1", "other") == NULL);
	openshift_apps_done(&apps);
	CHECK(openshift_apps_find(&apps, "isv1", "registry") == NULL);
}

/* An answer that does not say that there are no apps must never look as if there were none:
 * raasd would create them all. */
TEST(an_empty_account_must_be_said)
{
	static const char *const bad[] = {
		"", "{}", "{\"data\":null}", "{\"data\":{}}", "{\"messages\":[]}", "[]", "null",
		"{\"data\":\"\"}", "<html></html>", "{\"data\":[]", "{\"data\":[{}]}",
		"{\"data\":[null]}", "{\"data\":[" APP("../x", "d", "n") "]}",
		"{\"data\":[" APP("", "d", "n") "]}", "{\"data\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		"{\"data\":[" APP("1", "d", "n") ",]}",
		"{\"data\":[{\"id\":1,\"name\":\"a\",\"domain_id\":\"d\"}]}",
	};
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;
	struct error err = ERROR_INIT;
	struct buf bytes;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bytes = text(bad[i]);
		err.kind = ERROR_NONE;
		CHECK_INT(openshift_answer_apps(&bytes, &apps, &err), -1);
		CHECK_INT(err.kind, ERROR_REMOTE);
	}
	bytes = text("{\"data\":[],\"messages\":[]}");
	CHECK_INT(openshift_answer_apps(&bytes, &apps, &err), 0);
	CHECK_INT(apps.n, 0);
}

TEST(what_is_wrong_with_an_app_is_named)
{
	struct buf bytes = text("{\"data\":[" APP("1", "d", "n") ",{\"id\":\"2\",\"name\":7}]}");
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;
	struct error err = ERROR_INIT;

	CHECK_INT(openshift_answer_apps(&bytes, &apps, &err), -1);
	CHECK_STR(err.text, "unusable answer: app 2: key 'name' is not a string");
	bytes = text("{\"data\":{\"id\":\"1\",\"name\":\"n\",\"domain_id\":\"d\",\"app_url\":\"u\","
	    "\"git_url\":\"g\",\"aliases\":[\"text\"]}}");
	CHECK_INT(openshift_answer_app(&bytes, &(struct openshift_app){ .id = NULL }, &err), -1);
	CHECK_STR(err.text, "unusable answer: key 'aliases' holds something else");
}

TEST(names_and_variables)
{
	struct buf bytes = text("{\"data\":[{\"name\":\"b\",\"value\":\"2\"},"
	    "{\"name\":\"a\",\"value\":\"1\"}]}");
	struct openshift_names names = OPENSHIFT_NAMES_INIT;
	struct openshift_variables variables = OPENSHIFT_VARIABLES_INIT;
	struct error err = ERROR_INIT;

	CHECK_INT(openshift_answer_names(&bytes, "name", &names, &err), 0);
	CHECK_INT(names.n, 2);
	CHECK_STR(names.names[0], "a");
	CHECK(openshift_names_have(&names, "B") && !openshift_names_have(&names, "c"));
	openshift_names_done(&names);
	CHECK_INT(openshift_answer_variables(&bytes, &variables, &err), 0);
	CHECK_STR(openshift_variables_get(&variables, "b"), "2");
	CHECK(openshift_variables_get(&variables, "c") == NULL);
	openshift_variables_done(&variables);
	bytes = text("{\"data\":[{\"name\":\"b\",\"value\":null}]}");
	CHECK_INT(openshift_answer_variables(&bytes, &variables, &err), -1);
	CHECK_STR(err.text, "unusable answer: key 'value' is not a string");
}

TEST(every_refusal_has_its_kind)
{
	static const struct {
		long		status;
		const char	*code;
		enum error_kind	kind;
	} rows[] = {
		{ 200, "0", ERROR_NONE }, { 204, "0", ERROR_NONE },
		{ 422, "100", ERROR_CONFLICT }, { 403, "105", ERROR_INPUT },
		{ 422, "105", ERROR_INPUT }, { 422, "216", ERROR_INPUT },
		{ 422, "131", ERROR_INPUT }, { 422, "104", ERROR_QUOTA },
		{ 403, "104", ERROR_QUOTA }, { 422, "134", ERROR_INPUT },
		{ 403, "134", ERROR_QUOTA }, { 422, "109", ERROR_INPUT },
		{ 422, "197", ERROR_INPUT }, { 422, "186", ERROR_INTERNAL },
		{ 422, "188", ERROR_INTERNAL }, { 422, "190", ERROR_INTERNAL },
		{ 422, "106", ERROR_INPUT }, { 422, "103", ERROR_CONFLICT },
		{ 409, "103", ERROR_QUOTA }, { 422, "128", ERROR_CONFLICT },
		{ 404, "127", ERROR_MISSING }, { 404, "101", ERROR_MISSING },
		{ 404, "173", ERROR_MISSING }, { 404, "129", ERROR_MISSING },
		{ 422, "140", ERROR_CONFLICT }, { 500, "171", ERROR_REMOTE },
		{ 500, "1", ERROR_REMOTE }, { 503, "null", ERROR_REMOTE },
		{ 422, "-1", ERROR_INPUT }, { 422, "null", ERROR_INPUT },
		{ 403, "1", ERROR_CREDENTIALS }, { 406, "null", ERROR_INPUT },
		{ 400, "1", ERROR_INTERNAL }, { 409, "null", ERROR_CONFLICT },
		{ 422, "99999999999999999999", ERROR_REMOTE },
	};
	struct error err = ERROR_INIT;
	size_t i;
	int code;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *body = xasprintf("{\"status\":\"x\",\"data\":null,\"messages\":"
		    "[{\"severity\":\"error\",\"exit_code\":%s,\"text\":\"why\"}]}", rows[i].code);

		printf("# row %zu\n", i);
		CHECK_INT(kind_of(rows[i].status, body, &code, &err), rows[i].kind);
	}
}

TEST(the_brokers_words_are_kept)
{
	struct error err = ERROR_INIT;
	int code;

	kind_of(422, "{\"messages\":[{\"severity\":\"info\",\"exit_code\":0,\"text\":\"fyi\"},"
	    "{\"severity\":\"error\",\"exit_code\":null,\"text\":\"one\\nline\"},"
	    "{\"severity\":\"error\",\"exit_code\":104,\"text\":\"two\"}]}", &code, &err);
	CHECK_STR(err.text, "one line; two (HTTP status 422, exit code 104)");
	CHECK_INT(code, 104);
	CHECK_INT(err.kind, ERROR_QUOTA);
	kind_of(500, "{\"messages\":[{\"severity\":\"result\",\"text\":\"only this\"},7,null]}",
	    &code, &err);
	CHECK_STR(err.text, "only this (HTTP status 500, exit code 0)");
	kind_of(500, "{\"messages\":[]}", &code, &err);
	CHECK_STR(err.text, "no reason given (HTTP status 500, exit code 0)");
}

TEST(long_words_are_cut)
{
	cleanup(buf_done) struct buf body = BUF_INIT;
	struct error err = ERROR_INIT;
	int code, i;

	buf_add_str(&body, "{\"messages\":[");
	for (i = 0; i < 500; i++)
		buf_printf(&body, "%s{\"severity\":\"error\",\"exit_code\":105,\"text\":\"%0*d\"}",
		    i > 0 ? "," : "", i + 1, 0);
	buf_add_str(&body, "]}");
	CHECK_INT(kind_of(422, buf_str(&body), &code, &err), ERROR_INPUT);
	CHECK(strlen(err.text) < 460 && strstr(err.text, "exit code 105") != NULL);
}

/* Only the broker itself can say that something is not there. */
TEST(an_answer_of_somebody_else)
{
	struct error err = ERROR_INIT;
	int code;

	CHECK_INT(kind_of(404, "<html>not found</html>", &code, &err), ERROR_REMOTE);
	CHECK_STR(err.text, "HTTP status 404 with text/html instead of the broker's JSON: "
	    "is server_url right?");
	CHECK_INT(code, 0);
	CHECK_INT(kind_of(404, "{\"messages\":[{\"exit", &code, &err), ERROR_REMOTE);
	CHECK_INT(kind_of(502, "", &code, &err), ERROR_REMOTE);
	CHECK_INT(kind_of(301, "", &code, &err), ERROR_INPUT);
	CHECK_INT(kind_of(401, "{\"messages\":[{\"exit_code\":101}]}", &code, &err),
	    ERROR_CREDENTIALS);
	CHECK_INT(code, 0);
}

int
main(void)
{
	return RUN(CASE(an_app_is_read), CASE(ten_thousand_apps_are_sorted_and_found),
	    CASE(an_empty_account_must_be_said), CASE(what_is_wrong_with_an_app_is_named),
	    CASE(names_and_variables), CASE(every_refusal_has_its_kind),
	    CASE(the_brokers_words_are_kept), CASE(long_words_are_cut),
	    CASE(an_answer_of_somebody_else));
}
