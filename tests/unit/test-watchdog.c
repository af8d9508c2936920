#include "daemon/watchdog.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "daemon/daemon.h"
#include "tests/unit/test.h"

/* A job that takes no notice of its deadline: it ends when it is let go. */
struct deaf_job {
	struct job	 job;
	pthread_mutex_t	*gate;
};

static void
deaf_run(struct job *job, void *tools)
{
	struct deaf_job *j = (struct deaf_job *)job;

	(void)tools;
	pthread_mutex_lock(j->gate);
	pthread_mutex_unlock(j->gate);
}

static void
deaf_done(struct job *job)
{
	free(job);
}

static void
submit(struct workers *w, pthread_mutex_t *gate, const char *name, const char *isv,
    int64_t timeout_ms)
{
	struct deaf_job *j = xcalloc(1, sizeof(*j));

	j->job = (struct job){ .run = deaf_run, .done = deaf_done, .timeout_ms = timeout_ms,
	    .name = name, .isv = isv };
	j->gate = gate;
	workers_submit(w, &j->job);
}

/* A deadline that passed long ago is as good as a long wait. */
#define HOUR_AGO_MS (-3600 * 1000)

TEST(the_furthest_beyond_its_deadline_is_named)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct daemon d = { .base = event_base_new() };
	const struct workers_options options = { .name = "job", .threads = 4,
	    .stack_size = 256 * 1024 };
	struct stuck s;
	char text[160];
	int64_t ms;

	CHECK(!watchdog_stuck(&d, &s));
	d.jobs = workers_new(d.base, &options);
	d.visitors = workers_new(d.base, &options);
	CHECK(!watchdog_stuck(&d, &s));

	pthread_mutex_lock(&gate);
	submit(d.jobs, &gate, "sync", "in-time", 60000);
	submit(d.jobs, &gate, "sync", "late", -1);	/* has a moment to notice it */
	while (workers_overdue(d.jobs, &ms) == NULL)
		;
	CHECK(!watchdog_stuck(&d, &s));

	submit(d.visitors, &gate, "validate", "isv2", HOUR_AGO_MS);
	while (!watchdog_stuck(&d, &s))
		;
	CHECK_STR(s.stage, "validate");
	CHECK_STR(s.isv, "isv2");
	CHECK(s.over_s >= 3600 && s.over_s < 7200);
	s.over_s = 3601;
	stuck_format(&s, text, sizeof(text));
	CHECK_STR(text, "stuck in validate of isv2 for 3601 s");

	submit(d.jobs, &gate, "PUBLISH", "isv1", 2 * HOUR_AGO_MS);
	while (watchdog_stuck(&d, &s) && s.over_s < 7200)
		;
	CHECK_STR(s.stage, "publish");
	CHECK_STR(s.isv, "isv1");

	submit(d.jobs, &gate, NULL, NULL, 3 * HOUR_AGO_MS);
	while (watchdog_stuck(&d, &s) && s.over_s < 3 * 3600)
		;
	s.over_s = 9;
	stuck_format(&s, text, sizeof(text));
	CHECK_STR(text, "stuck in job for 9 s");

	pthread_mutex_unlock(&gate);
	workers_free(d.jobs);
	workers_free(d.visitors);
	d.jobs = d.visitors = NULL;
	CHECK(!watchdog_stuck(&d, &s));
	event_base_free(d.base);
}

int
main(void)
{
	return RUN(CASE(the_furthest_beyond_its_deadline_is_named));
}
