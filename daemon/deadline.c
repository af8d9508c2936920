#include "daemon/deadline.h"

#include <time.h>

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_monotonic_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t
clock_awake_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

struct deadline
deadline_in(int64_t ms, const atomic_bool *cancelled)
{
	return (struct deadline){ clock_monotonic_ms() + ms, cancelled, NULL };
}

struct deadline
deadline_within(const struct deadline *outer, int64_t ms)
{
	struct deadline inner = deadline_in(ms, outer->cancelled);

	inner.superseded = outer->superseded;
	if (outer->at_ms < inner.at_ms)
		inner.at_ms = outer->at_ms;
	return inner;
}

struct deadline
deadline_of_change(const struct deadline *outer)
{
	struct deadline d = *outer;

	d.superseded = NULL;
	return d;
}

static bool
is_set(const atomic_bool *flag)
{
	return flag != NULL && atomic_load_explicit(flag, memory_order_relaxed);
}

bool
deadline_cancelled(const struct deadline *d)
{
	return is_set(d->cancelled) || is_set(d->superseded);
}

int64_t
deadline_left_ms(const struct deadline *d)
{
	int64_t left;

	if (deadline_cancelled(d))
		return 0;
	left = d->at_ms - clock_monotonic_ms();
	return left > 0 ? left : 0;
}

int
deadline_check(const struct deadline *d, struct error *err)
{
	if (deadline_cancelled(d))
		return error_set(err, ERROR_CANCELLED, "cancelled");
	if (deadline_left_ms(d) == 0)
		return error_set(err, ERROR_REMOTE, "no answer in time");
	return 0;
}

int
deadline_sleep(const struct deadline *d, int64_t ms, struct error *err)
{
	int64_t end = clock_monotonic_ms() + ms;

	for (;;) {
		int64_t left = end - clock_monotonic_ms();
		struct timespec nap;

		if (deadline_check(d, err) == -1)
			return -1;
		if (left <= 0)
			return 0;
		if (left > 100)
			left = 100;
		nap = (struct timespec){ 0, left * 1000000 };
		nanosleep(&nap, NULL);
	}
}
