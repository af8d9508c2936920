#include "daemon/scheduler.h"

#include <stdlib.h>

#include "tests/unit/test.h"

#define HOUR 3600000

static const char *const no_targets[SLOT_TARGETS_MAX];
static const char *const shared_app[SLOT_TARGETS_MAX] = { "app:d/registry", "bucket:b" };
static const char *const shared_bucket[SLOT_TARGETS_MAX] = { "app:e/registry", "bucket:b" };

static struct scheduler *
new_scheduler(void)
{
	return scheduler_new(&(struct scheduler_options){ .deep_interval_ms = HOUR,
	    .backoff_min_ms = 1000, .backoff_max_ms = 8000, .seed = 1 });
}

/* The name of the next owner, "-" when there is none. */
static const char *
next(struct scheduler *s, int64_t now, enum work *work)
{
	enum work ignored;
	const char *owner = scheduler_next(s, now, work != NULL ? work : &ignored);

	return owner != NULL ? owner : "-";
}

static struct slot *
add(struct scheduler *s, const char *name, const char *const *targets)
{
	return scheduler_add(s, (void *)name, targets, 0, HOUR);
}

TEST(asked_for_goes_first_then_fresh_then_failed)
{
	struct scheduler *s = new_scheduler();
	struct slot *a = add(s, "a", no_targets), *b = add(s, "b", no_targets),
	    *c = add(s, "c", no_targets);
	enum work work;

	scheduler_request(s, a, WORK_LIGHT, true, 1);
	CHECK_STR(next(s, 1, &work), "a");
	CHECK_INT(work, WORK_LIGHT);
	CHECK_STR(next(s, 1, NULL), "-");
	scheduler_done(s, a, WORK_LIGHT, false, 2);
	CHECK_INT(slot_failures(a), 1);
	scheduler_request(s, b, WORK_LIGHT, false, 3000);
	scheduler_request(s, c, WORK_DEEP, true, 3000);
	CHECK_STR(next(s, 3000, &work), "c");
	CHECK_INT(work, WORK_DEEP);
	CHECK_STR(next(s, 3000, NULL), "b");
	CHECK_STR(next(s, 3000, NULL), "a");
	CHECK_STR(next(s, 3000, NULL), "-");
	scheduler_done(s, a, WORK_LIGHT, true, 3000);
	scheduler_done(s, b, WORK_LIGHT, true, 3000);
	scheduler_done(s, c, WORK_DEEP, true, 3000);
	CHECK_INT(slot_failures(a), 0);
	scheduler_remove(s, a);
	scheduler_remove(s, b);
	scheduler_remove(s, c);
	scheduler_free(s);
}

TEST(shared_targets_take_turns)
{
	struct scheduler *s = new_scheduler();
	struct slot *a = add(s, "a", shared_app), *b = add(s, "b", shared_app),
	    *c = add(s, "c", shared_bucket), *d = add(s, "d", no_targets);

	scheduler_request(s, a, WORK_DEEP, true, 1);
	scheduler_request(s, b, WORK_DEEP, true, 1);
	scheduler_request(s, c, WORK_DEEP, true, 1);
	scheduler_request(s, d, WORK_DEEP, false, 1);
	CHECK_STR(next(s, 1, NULL), "a");
	CHECK_STR(next(s, 1, NULL), "d");
	CHECK_STR(next(s, 1, NULL), "-");
	CHECK_INT(scheduler_ready(s), 2);
	scheduler_done(s, a, WORK_DEEP, true, 2);
	CHECK_STR(next(s, 2, NULL), "b");
	CHECK_STR(next(s, 2, NULL), "-");
	/* One that waits may go away, or get other targets. */
	scheduler_set_targets(s, c, no_targets);
	CHECK_STR(next(s, 2, NULL), "c");
	scheduler_done(s, b, WORK_DEEP, true, 3);
	scheduler_done(s, c, WORK_DEEP, true, 3);
	scheduler_done(s, d, WORK_DEEP, true, 3);
	scheduler_remove(s, a);
	scheduler_remove(s, b);
	scheduler_remove(s, c);
	scheduler_remove(s, d);
	scheduler_free(s);
}

TEST(failures_back_off_and_are_bounded)
{
	struct scheduler *s = new_scheduler();
	struct slot *a = add(s, "a", no_targets);
	int64_t now = 1, due;
	int i;

	scheduler_request(s, a, WORK_DEEP, true, now);
	for (i = 0; i < 10; i++) {
		CHECK_STR(next(s, now, NULL), "a");
		scheduler_done(s, a, WORK_DEEP, false, now);
		CHECK_STR(next(s, now, NULL), "-");
		due = scheduler_wakeup(s);
		CHECK(due - now >= 500 && due - now <= 8000);
		CHECK(i < 4 || due - now >= 4000);
		/* A sweep's request does not end a backoff; a person's does. */
		scheduler_request(s, a, WORK_LIGHT, false, now);
		CHECK_STR(next(s, now, NULL), "-");
		now = due;
	}
	scheduler_request(s, a, WORK_LIGHT, true, now - 400);
	CHECK_STR(next(s, now - 400, NULL), "a");
	scheduler_done(s, a, WORK_DEEP, true, now);
	scheduler_remove(s, a);
	scheduler_free(s);
}

TEST(requests_join_and_those_during_a_run_follow_it)
{
	struct scheduler *s = new_scheduler();
	struct slot *a = add(s, "a", no_targets);
	enum work work;

	scheduler_request(s, a, WORK_LIGHT, false, 1);
	scheduler_request(s, a, WORK_DEEP, false, 1);
	CHECK_STR(next(s, 1, &work), "a");
	CHECK_INT(work, WORK_DEEP);
	scheduler_request(s, a, WORK_LIGHT, true, 2);
	CHECK_STR(next(s, 2, NULL), "-");
	scheduler_done(s, a, WORK_DEEP, true, 3);
	CHECK_STR(next(s, 3, &work), "a");
	CHECK_INT(work, WORK_LIGHT);
	scheduler_done(s, a, WORK_LIGHT, true, 4);
	CHECK_STR(next(s, 4, NULL), "-");
	scheduler_remove(s, a);
	scheduler_free(s);
}

TEST(a_pause_keeps_requests)
{
	struct scheduler *s = new_scheduler();
	struct slot *a = add(s, "a", no_targets);

	scheduler_request(s, a, WORK_DEEP, true, 1);
	scheduler_pause(s, a, true, 1);
	CHECK_STR(next(s, 2 * HOUR, NULL), "-");
	CHECK_INT(slot_due(a), -1);
	scheduler_pause(s, a, false, 3);
	CHECK_STR(next(s, 3, NULL), "a");
	scheduler_done(s, a, WORK_DEEP, true, 4);
	scheduler_remove(s, a);
	scheduler_free(s);
}

TEST(deep_checks_are_spread_and_none_is_forgotten)
{
	enum { N = 2000 };
	struct scheduler *s = new_scheduler();
	struct slot *slots[N];
	unsigned int ran[N] = { 0 }, quarter[8] = { 0 };
	int64_t now;
	enum work work;
	int numbers[N], i, *owner;

	for (i = 0; i < N; i++) {
		numbers[i] = i;
		slots[i] = scheduler_add(s, &numbers[i], no_targets, 0, HOUR);
	}
	for (now = 0; now < 2 * HOUR; now += 1000) {
		while ((owner = scheduler_next(s, now, &work)) != NULL) {
			ran[*owner]++;
			quarter[now / (HOUR / 4)]++;
			scheduler_done(s, slots[*owner], work, true, now);
			if (now >= HOUR)
				scheduler_request(s, slots[*owner], WORK_NONE, false, now);
		}
	}
	for (i = 0; i < N; i++)
		CHECK(ran[i] >= 1 && ran[i] <= 3);
	for (i = 0; i < 8; i++)
		CHECK(quarter[i] > N / 8 && quarter[i] < N / 2);
	for (i = 0; i < N; i++)
		scheduler_remove(s, slots[i]);
	scheduler_free(s);
}

TEST(after_a_sleep_checks_are_spread)
{
	enum { N = 800 };
	struct scheduler *s = new_scheduler();
	struct slot *slots[N];
	unsigned int quarter[4] = { 0 }, total = 0;
	int64_t woke = 100 * HOUR, now;
	enum work work;
	int numbers[N], i, *owner;

	for (i = 0; i < N; i++) {
		numbers[i] = i;
		slots[i] = scheduler_add(s, &numbers[i], no_targets, 0, HOUR);
	}
	scheduler_request(s, slots[7], WORK_DEEP, true, woke);
	scheduler_woke(s, woke, HOUR);
	CHECK((owner = scheduler_next(s, woke, &work)) == &numbers[7]);
	scheduler_done(s, slots[7], work, true, woke);
	for (now = woke; now < woke + HOUR; now += 1000) {
		while ((owner = scheduler_next(s, now, &work)) != NULL) {
			CHECK_INT(work, WORK_DEEP);
			quarter[(now - woke) / (HOUR / 4)]++;
			total++;
			scheduler_done(s, slots[*owner], work, true, woke + HOUR);
		}
	}
	CHECK_INT(total, N - 1);
	for (i = 0; i < 4; i++)
		CHECK(quarter[i] > N / 8 && quarter[i] < N / 2);
	for (i = 0; i < N; i++)
		scheduler_remove(s, slots[i]);
	scheduler_free(s);
}

int
main(void)
{
	return RUN(CASE(asked_for_goes_first_then_fresh_then_failed),
	    CASE(shared_targets_take_turns), CASE(failures_back_off_and_are_bounded),
	    CASE(requests_join_and_those_during_a_run_follow_it), CASE(a_pause_keeps_requests),
	    CASE(deep_checks_are_spread_and_none_is_forgotten),
	    CASE(after_a_sleep_checks_are_spread));
}
