/* test.h - unit tests that print TAP (https://testanything.org).
 *
 *	TEST(adds_numbers) { CHECK(1 + 1 == 2); CHECK_STR(name, "acme"); }
 *	int main(void) { return RUN(CASE(adds_numbers), CASE(other_test)); }
 *
 * A failed check is printed with its place and ends the test's function, not the program. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool test_failed;

#define TEST(name) static void test_##name(void)

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);\
		test_failed = true;					\
		return;							\
	}								\
} while (0)

#define CHECK_STR(got, want) do {					\
	const char *got_ = (got), *want_ = (want);			\
	if (got_ == NULL || strcmp(got_, want_) != 0) {			\
		printf("# %s:%d: %s is '%s', not '%s'\n", __FILE__,	\
		    __LINE__, #got, got_ != NULL ? got_ : "(null)", want_);\
		test_failed = true;					\
		return;							\
	}								\
} while (0)

#define CHECK_INT(got, want) do {					\
	intmax_t got_ = (intmax_t)(got), want_ = (intmax_t)(want);	\
	if (got_ != want_) {						\
		printf("# %s:%d: %s is %jd, not %jd\n", __FILE__,	\
		    __LINE__, #got, got_, want_);			\
		test_failed = true;					\
		return;							\
	}								\
} while (0)

struct test_case {
	const char	*name;
	void		(*run)(void);
};

static inline int
test_main(const struct test_case *cases, int n)
{
	int i, failures = 0;

	printf("1..%d\n", n);
	for (i = 0; i < n; i++) {
		test_failed = false;
		cases[i].run();
		printf("%s %d - %s\n", test_failed ? "not ok" : "ok", i + 1, cases[i].name);
		fflush(stdout);
		failures += test_failed;
	}
	return failures != 0;
}

/* A row of the table that RUN takes. */
#define CASE(name) { #name, test_##name }
#define RUN(...) test_main((const struct test_case[]){ __VA_ARGS__ },	\
	(int)(sizeof((const struct test_case[]){ __VA_ARGS__ }) / sizeof(struct test_case)))

#endif
