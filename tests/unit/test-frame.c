#include "common/frame.h"

#include "common/cleanup.h"
#include "tests/unit/test.h"

TEST(messages_in_pieces)
{
	static const char stream[] = "one\0\0three";	/* the literal's own NUL ends the third */
	cleanup(frame_done) struct frame f = FRAME_INIT(100);
	const char *data;
	size_t len, i;

	for (i = 0; i < 4; i++) {
		CHECK(!frame_next(&f, &data, &len));
		CHECK(frame_add(&f, stream + i, 1));
	}
	CHECK_INT(f.complete, 1);
	CHECK(frame_next(&f, &data, &len));
	CHECK_STR(data, "one");
	CHECK_INT(len, 3);
	CHECK(frame_add(&f, stream + 4, sizeof(stream) - 4));
	CHECK_INT(f.complete, 2);
	CHECK(frame_next(&f, &data, &len));
	CHECK_INT(len, 0);
	CHECK(frame_next(&f, &data, &len));
	CHECK_STR(data, "three");
	CHECK(!frame_next(&f, &data, &len));
}

TEST(nothing_waits_beyond_the_limit)
{
	cleanup(frame_done) struct frame f = FRAME_INIT(8);
	const char *data;
	size_t len;

	CHECK(frame_add(&f, "1234567", 8));
	CHECK(!frame_add(&f, "x", 1));
	CHECK_INT(f.complete, 1);
	CHECK(frame_next(&f, &data, &len));
	CHECK_STR(data, "1234567");
	CHECK(frame_add(&f, "abcdefgh", 8));	/* what was taken no longer counts */
	CHECK(!frame_add(&f, "i", 1));
	CHECK(!frame_next(&f, &data, &len));
}

int
main(void)
{
	return RUN(CASE(messages_in_pieces), CASE(nothing_waits_beyond_the_limit));
}
