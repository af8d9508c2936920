#include "common/json.h"

#include "common/buf.h"
#include "tests/unit/test.h"

static int
collect(void *arg, json_t *element, struct error *err)
{
	struct buf *seen = arg;

	if (json_is_null(element))
		return error_set(err, ERROR_INPUT, "null seen");
	buf_printf(seen, "%s;", json_string_or(element, "id", "?"));
	return 0;
}

static int
each(const char *text, struct buf *seen, struct error *err)
{
	buf_clear(seen);
	return json_each(text, strlen(text), "data", collect, seen, err);
}

TEST(each_element_in_turn)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct error err = ERROR_INIT;

	CHECK_INT(each("{\"a\":[1,{\"x\":2}],\"data\": [ {\"id\":\"p\"} ,{\"id\":\"q]\"}], \"z\":null}\n",
	    &seen, &err), 0);
	CHECK_STR(buf_str(&seen), "p;q];");
	CHECK_INT(each("{\"data\":[]}", &seen, &err), 0);
	CHECK_INT(each("{}", &seen, &err), 0);
	CHECK_INT(each("{\"data\":null}", &seen, &err), 0);
	CHECK_STR(buf_str(&seen), "");
	CHECK_INT(each("{\"data\":[null]}", &seen, &err), -1);
	CHECK_STR(err.text, "null seen");
}

TEST(each_refuses_what_is_broken)
{
	static const char *const broken[] = {
		"", "[", "{", "{\"data\"", "{\"data\":[", "{\"data\":[{}", "{\"data\":[{},]}",
		"{\"data\":[{}]", "{\"data\":[{}]}x", "{1:2}", "{\"data\":[{\"a\"}]}", "<html>",
		"{\"data\":{}}", "{\"data\":1,\"data\":[]}",
	};
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		err = (struct error)ERROR_INIT;
		CHECK_INT(each(broken[i], &seen, &err), -1);
		CHECK_INT(err.kind, ERROR_INPUT);
	}
}

TEST(no_nul_slips_through)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct error err = ERROR_INIT;

	CHECK(json_read("[2\0]", 4, 4, &err) == NULL);
	CHECK_STR(err.text, "not valid JSON: it holds a NUL byte");
	err = (struct error)ERROR_INIT;
	CHECK_INT(json_each("{\"data\":[],\"a\":2\0}", 18, "data", collect, &seen, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
}

TEST(depth_is_limited)
{
	char deep[20001];
	struct error err = ERROR_INIT;

	memset(deep, '[', 10000);
	memset(deep + 10000, ']', 10000);
	CHECK(json_read(deep, 20000, 32, &err) == NULL);
	CHECK_STR(err.text, "JSON nested deeper than 32");
	CHECK_INT(json_depth("\"[[[\\\"[\"", 9, 5), 0);
}

TEST(getters_name_the_key)
{
	struct error err = ERROR_INIT;
	cleanup(json_unref) json_t *o = json_read("{\"a\":1,\"b\":\"x\"}", 15, 4, &err);
	int64_t n = 0;

	CHECK(o != NULL);
	CHECK(json_get_string(o, "a", &err) == NULL);
	CHECK_STR(err.text, "key 'a' is not a string");
	CHECK(json_get_string(o, "c", &err) == NULL);
	CHECK_STR(err.text, "key 'c' is missing");
	CHECK_INT(json_get_int(o, "a", &n, &err), 0);
	CHECK_INT(n, 1);
	CHECK_STR(json_string_or(o, "b", "y"), "x");
}

TEST(text_of_any_bytes)
{
	cleanup(json_unref) json_t *bad = json_text("a\xff");
	cleanup(json_unref) json_t *none = json_text(NULL);

	CHECK_STR(json_string_value(bad), "a?");
	CHECK(json_is_null(none));
}

int
main(void)
{
	return RUN(CASE(each_element_in_turn), CASE(each_refuses_what_is_broken),
	    CASE(no_nul_slips_through), CASE(depth_is_limited), CASE(getters_name_the_key),
	    CASE(text_of_any_bytes));
}
