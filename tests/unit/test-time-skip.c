#include "daemon/time-skip.h"
#include "tests/unit/test.h"

#define DAY (24 * 60 * 60)
#define NOON 1700000000

TEST(awake)
{
	struct time_skip s = { 0 };

	time_skip_look(&s, NOON, 5000);
	time_skip_look(&s, NOON + DAY, 5000 + (int64_t)DAY * 1000);
	CHECK(s.at == 0);
	CHECK(time_skip_age_s(&s, NOON, NOON + DAY) == DAY);
	time_skip_look(&s, NOON + DAY + 6, 6000 + (int64_t)DAY * 1000);
	CHECK(s.at == 0);
}

TEST(skip)
{
	struct time_skip s = { 0 };
	time_t later = NOON + DAY + 1;

	time_skip_look(&s, NOON, 5000);
	time_skip_look(&s, later, 6000);
	CHECK(s.at == later && s.by_s == DAY);
	CHECK(time_skip_age_s(&s, NOON - 60, later) == 61);
	CHECK(time_skip_age_s(&s, NOON - 60, later + 100) == 161);
	CHECK(time_skip_age_s(&s, later, later + 100) == 100);
	/* As seen in between: on the new time, but before we looked. */
	CHECK(time_skip_age_s(&s, later - 1, later) == 0);
	/* The last one alone is left out. */
	time_skip_look(&s, later + DAY, 6000);
	CHECK(time_skip_age_s(&s, NOON - 60, later + DAY) == DAY + 61);
}

TEST(back)
{
	struct time_skip s = { 0 };

	time_skip_look(&s, NOON, 5000);
	CHECK(time_skip_look(&s, NOON - DAY, 6000) == DAY + 1);
	CHECK(s.at == 0);
	CHECK(time_skip_age_s(&s, NOON, NOON - DAY) == 0);
	CHECK(time_skip_look(&s, NOON - DAY - 4, 6000) == 0);
}

TEST(times_move_back_with_the_clock)
{
	struct time_skip s = { 0 };
	time_t minute_ago = NOON - 60, before = NOON - 2 * DAY, never = 0;

	time_skip_look(&s, NOON, 5000);
	time_skip_move(&s, &minute_ago, time_skip_look(&s, NOON - DAY + 1, 6000));
	CHECK(time_skip_age_s(&s, minute_ago, NOON - DAY + 1) == 61);
	/* Which clock these are from cannot be told, or they are of none. */
	time_skip_move(&s, &before, DAY);
	time_skip_move(&s, &never, DAY);
	CHECK(before == NOON - 2 * DAY && never == 0);
}

TEST(a_skip_undone)
{
	struct time_skip s = { 0 };

	time_skip_look(&s, NOON, 5000);
	time_skip_look(&s, NOON + DAY, 5000);
	CHECK(time_skip_age_s(&s, NOON - 60, NOON + DAY) == 60);
	CHECK(time_skip_look(&s, NOON, 5000) == DAY);
	CHECK(time_skip_age_s(&s, NOON - 60, NOON) == 60);
	/* Part of it only: what is left is still a skip. */
	time_skip_look(&s, NOON + DAY, 5000);
	time_skip_look(&s, NOON + 2 * DAY, 5000 + (int64_t)DAY * 1000);
	time_skip_look(&s, NOON + 2 * DAY - 60, 5000 + (int64_t)DAY * 1000);
	CHECK(time_skip_age_s(&s, NOON - 60, NOON + 2 * DAY) == DAY + 60);
}

int
main(void)
{
	return RUN(CASE(awake), CASE(skip), CASE(back), CASE(times_move_back_with_the_clock),
	    CASE(a_skip_undone));
}
