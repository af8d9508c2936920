#include "common/rfc3339.h"

#include "tests/unit/test.h"

TEST(times_are_written)
{
	char text[RFC3339_SIZE];

	rfc3339_format(1769854272, text);
	CHECK_STR(text, "2026-01-31T10:11:12Z");
	rfc3339_format(-5, text);
	CHECK_STR(text, "1970-01-01T00:00:00Z");
	rfc3339_format(INT64_MAX, text);
	CHECK_STR(text, "9999-12-31T23:59:59Z");
}

TEST(times_are_read)
{
	static const struct {
		const char	*text;
		int64_t		 seconds;
	} cases[] = {
		{ "2026-01-31T10:11:12Z", 1769854272 },
		{ "2026-01-31T12:11:12+02:00", 1769854272 },
		{ "2026-01-31t05:41:12.987-04:30", 1769854272 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2016-12-31T23:59:60Z", 1483228800 },
	};
	int64_t seconds = 0;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(rfc3339_parse(cases[i].text, &seconds));
		CHECK_INT(seconds, cases[i].seconds);
	}
}

TEST(other_texts_are_not_times)
{
	static const char *const bad[] = {
		"", "now", "2026", "2026-01-31", "2026-01-31T10:11:12", "2026-01-31T10:11Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-31T24:00:00Z", "2026-01-31T10:60:00Z", "2026-01-31T10:11:61Z",
		"2026-01-31T10:11:12.Z", "2026-01-31T10:11:12Zx", "2026-01-31T10:11:12+0200",
		"1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", " 2026-01-31T10:11:12Z",
		"2026-1-31T10:11:12Z", "+026-01-31T10:11:12Z", "2026-01-31T10:11:12+24:00",
	};
	int64_t seconds = 7;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (rfc3339_parse(bad[i], &seconds))
			printf("# taken: '%s'\n", bad[i]);
		CHECK_INT(seconds, 7);
	}
}

int
main(void)
{
	return RUN(CASE(times_are_written), CASE(times_are_read), CASE(other_texts_are_not_times));
}
