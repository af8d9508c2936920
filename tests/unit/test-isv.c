#include "daemon/isv.h"

#include <stddef.h>

#include "common/cleanup.h"
#include "daemon/nearest.h"
#include "daemon/url.h"
#include "daemon/words.h"
#include "tests/unit/test.h"

#define X16 "aB3456789012345X"
#define X32 X16 X16
#define X63 "a23456789.123456789_123456789-123456789.123456789.123456789.123"

static const struct {
	int		(*check)(const char *, struct error *);
	const char	*name;
	bool		 good;
} names[] = {
	{ isv_check_name, "acme", true }, { isv_check_name, X16, true },
	{ isv_check_name, X16 "x", false }, { isv_check_name, "", false },
	{ isv_check_name, "a-b", false }, { isv_check_name, "..", false },
	{ isv_check_name, "a/b", false }, { isv_check_name, "a\n", false },
	{ isv_check_domain, X16, true }, { isv_check_domain, X16 "x", false },
	{ isv_check_domain, "a_b", false }, { isv_check_domain, "", false },
	{ isv_check_app, X32, true }, { isv_check_app, X32 "x", false },
	{ isv_check_app, "my-app", false },
	{ isv_check_bucket, X63, true }, { isv_check_bucket, X63 "4", false },
	{ isv_check_bucket, "Bucket", false }, { isv_check_bucket, ".", false },
	{ isv_check_bucket, "a..b", false }, { isv_check_bucket, "-a", false },
	{ isv_check_bucket, "a/b", false }, { isv_check_bucket, "", false },
	{ isv_check_image, "web", true }, { isv_check_image, "some_ns/web-1.x_y", true },
	{ isv_check_image, "abc/web", false }, { isv_check_image, "abcd/web", true },
	{ isv_check_image, "a23456789012345678901234567890/w", true },
	{ isv_check_image, "a234567890123456789012345678901/w", false },
	{ isv_check_image, "ab-d/web", false }, { isv_check_image, "abcd/e/f", false },
	{ isv_check_image, "abcd/", false }, { isv_check_image, "/web", false },
	{ isv_check_image, "abcd/..", false }, { isv_check_image, "Web", false },
	{ isv_check_fqdn, "r.example.com", true }, { isv_check_fqdn, "127.0.0.1:5000", true },
	{ isv_check_fqdn, "http://h:1", true }, { isv_check_fqdn, "h:0", false },
	{ isv_check_fqdn, "h:65536", false }, { isv_check_fqdn, "h:", false },
	{ isv_check_fqdn, "u@h", false }, { isv_check_fqdn, "h/path", false },
	{ isv_check_fqdn, "", false }, { isv_check_fqdn, "http://", false },
	{ isv_check_gear_size, "small.highcpu", true }, { isv_check_gear_size, "tiny", false },
};

TEST(names_keep_the_rules)
{
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		err = (struct error)ERROR_INIT;
		if ((names[i].check(names[i].name, &err) == 0) != names[i].good)
			printf("# '%s'\n", names[i].name);
		CHECK((names[i].check(names[i].name, &err) == 0) == names[i].good);
		CHECK(names[i].good || err.kind == ERROR_INPUT);
	}
}

static const char *
meant(const char *typed)
{
	struct nearest best = NEAREST_INIT;

	nearest_offer(&best, typed, "region");
	nearest_offer(&best, typed, "endpoint");
	nearest_offer(&best, typed, "url");
	return best.word != NULL ? best.word : "-";
}

TEST(the_nearest_word)
{
	CHECK_STR(meant("regoin"), "region");
	CHECK_STR(meant("end_point"), "endpoint");
	CHECK_STR(meant("uri"), "url");
	CHECK_STR(meant("password"), "-");
	CHECK_STR(meant(""), "-");
}

TEST(branches)
{
	CHECK(words_branch("master") && words_branch("team/a.b-c") && words_branch("@x"));
	CHECK(!words_branch("") && !words_branch("-x") && !words_branch("a..b") && !words_branch("/a"));
	CHECK(!words_branch("a/") && !words_branch("a//b") && !words_branch("a.lock/b"));
	CHECK(!words_branch("a b") && !words_branch("a\nb") && !words_branch("a@{1}"));
	CHECK(!words_branch(".a") && !words_branch("a/.b") && !words_branch("a.") && !words_branch("@"));
}

static bool
shown_as(const char *text, const char *want)
{
	cleanup(free_p) char *shown = url_hide_password(text);

	return strcmp(shown, want) == 0;
}

TEST(passwords_in_urls)
{
	CHECK(shown_as("https://h/p", "https://h/p"));
	CHECK(shown_as("https://u:p@h/p:q@r", "https://u:***@h/p:q@r"));
	CHECK(shown_as("a https://u:p@q@h b ssh://u@h:1/x", "a https://u:***@h b ssh://u@h:1/x"));
	CHECK(shown_as("git@h:r", "git@h:r"));
	CHECK(shown_as("://:@", "://:***@"));
}

int
main(void)
{
	return RUN(CASE(names_keep_the_rules), CASE(the_nearest_word), CASE(branches),
	    CASE(passwords_in_urls));
}
