#include "common/error.h"

#include <errno.h>

#include "tests/unit/test.h"

TEST(layers_add_what_they_know)
{
	struct error err = ERROR_INIT;

	CHECK_INT(error_set(&err, ERROR_REMOTE, "HTTP status %d", 503), -1);
	error_prefix(&err, "https://r.example/v2/");
	error_prefix(&err, "isv '%s'", "acme");
	CHECK_STR(err.text, "isv 'acme': https://r.example/v2/: HTTP status 503");
	CHECK_INT(err.kind, ERROR_REMOTE);
}

TEST(errno_is_said)
{
	struct error err = ERROR_INIT;

	errno = ENOSPC;
	error_errno(&err, "cannot write '%s'", "x");
	CHECK_STR(err.text, "cannot write 'x': No space left on device");
}

TEST(outside_text_is_cleaned)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERROR_REMOTE, "a\x1b[31mb\nc\xff\xc3\xa9\xc2\x9b.\xed\xa0\x80");
	CHECK_STR(err.text, "a?[31mb c?\xc3\xa9??.???");
}

TEST(a_cut_text_shows_it)
{
	struct error err = ERROR_INIT;
	char longer[2000];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	error_set(&err, ERROR_REMOTE, "%s", longer);
	CHECK_INT(strlen(err.text), sizeof(err.text) - 1);
	CHECK_STR(err.text + strlen(err.text) - 4, "x...");
}

TEST(nobody_need_want_it)
{
	CHECK_INT(error_set(NULL, ERROR_INPUT, "x"), -1);
	CHECK_INT(error_prefix(NULL, "x"), -1);
}

TEST(a_secret_is_hidden)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERROR_REMOTE, "it said: 'pa55-word' and pa55-word");
	error_hide(&err, "pa55-word");
	CHECK_STR(err.text, "it said: '***' and ***");
	CHECK_INT(err.kind, ERROR_REMOTE);
	error_set(&err, ERROR_REMOTE, "cut in the middle: pa55-wo (status 1)");
	error_hide(&err, "pa55-word");
	CHECK_STR(err.text, "cut in the middle: *** (status 1)");
	error_set(&err, ERROR_REMOTE, "nothing here but pass and abc");
	error_hide(&err, NULL);
	error_hide(&err, "abc");
	error_hide(&err, "pa55-word");
	CHECK_STR(err.text, "nothing here but pass and abc");
	error_hide(NULL, "pa55-word");
	error_set(&err, ERROR_REMOTE, "%0511d", 0);
	error_hide(&err, "0000");
	CHECK(strlen(err.text) < sizeof(err.text));
}

int
main(void)
{
	return RUN(CASE(layers_add_what_they_know), CASE(errno_is_said),
	    CASE(outside_text_is_cleaned), CASE(a_cut_text_shows_it), CASE(nobody_need_want_it),
	    CASE(a_secret_is_hidden));
}
