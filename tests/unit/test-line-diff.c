#include "daemon/line-diff.h"

#include "common/json.h"
#include "daemon/git.h"
#include "tests/unit/test.h"

static json_t *
diff(const char *a, const char *b, size_t max)
{
	return line_diff(a, strlen(a), b, strlen(b), max);
}

static bool
has(const json_t *lines, const char *line)
{
	size_t i;
	json_t *item;

	json_array_foreach(lines, i, item)
		if (strcmp(json_string_value(item), line) == 0)
			return true;
	return false;
}

TEST(json_on_one_line_is_laid_out)
{
	cleanup(json_unref) json_t *lines = diff("{\"a\":1,\"b\":2}", "{\"b\":3,\"a\":1}", 100);

	CHECK(has(lines, "-  \"b\": 2"));
	CHECK(has(lines, "+  \"b\": 3"));
	CHECK(has(lines, "   \"a\": 1,"));
}

TEST(other_text_is_compared_as_it_stands)
{
	cleanup(json_unref) json_t *lines = diff("one\ntwo\n", "one\n2\n", 100);

	CHECK(has(lines, "-two"));
	CHECK(has(lines, "+2"));
}

TEST(a_side_may_be_empty)
{
	cleanup(json_unref) json_t *lines = diff("", "{}", 100);
	cleanup(json_unref) json_t *none = diff("", "", 100);

	CHECK(has(lines, "+{}"));
	CHECK_INT(json_array_size(none), 0);
}

TEST(the_length_is_limited)
{
	cleanup(json_unref) json_t *lines = diff("", "[1,2,3,4,5,6,7,8,9]", 3);

	CHECK_INT(json_array_size(lines), 4);
	CHECK(has(lines, "… and more"));
}

int
main(void)
{
	int status;

	git_setup();
	status = RUN(CASE(json_on_one_line_is_laid_out), CASE(other_text_is_compared_as_it_stands),
	    CASE(a_side_may_be_empty), CASE(the_length_is_limited));
	git_teardown();
	return status;
}
