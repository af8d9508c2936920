#include "common/buf.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "tests/unit/test.h"

TEST(grows_and_ends_in_nul)
{
	cleanup(buf_done) struct buf b = BUF_INIT;
	int i;

	CHECK_STR(buf_str(&b), "");
	for (i = 0; i < 1000; i++)
		CHECK(buf_printf(&b, "%d,", i % 10));
	CHECK_INT(b.len, 2000);
	CHECK(b.data[2000] == '\0');
	buf_drain(&b, 1998);
	CHECK_STR(buf_str(&b), "9,");
}

TEST(keeps_its_limit)
{
	cleanup(buf_done) struct buf b = BUF_LIMIT(4);

	CHECK(buf_add_str(&b, "abc"));
	CHECK(!buf_add_str(&b, "de"));
	CHECK_STR(buf_str(&b), "abc");
	CHECK(buf_add_str(&b, "d"));
	CHECK(!buf_add(&b, "x", (size_t)-1));
}

TEST(can_be_taken)
{
	struct buf b = BUF_INIT;
	cleanup(free_p) char *empty = buf_take(&b);
	cleanup(free_p) char *full = NULL;

	CHECK_STR(empty, "");
	buf_add_str(&b, "x");
	full = buf_take(&b);
	CHECK_STR(full, "x");
	CHECK(b.data == NULL);
}

int
main(void)
{
	return RUN(CASE(grows_and_ends_in_nul), CASE(keeps_its_limit), CASE(can_be_taken));
}
