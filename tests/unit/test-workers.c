#include "daemon/workers.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "tests/unit/test.h"

struct sum_job {
	struct job	 job;
	int		 from;
	long		 sum;
	bool		 stopped;
};

static struct event_base *base;
static int n_done, n_events, n_never_ran, n_stopped;
static long total;

static void
sum_run(struct job *job, void *tools)
{
	struct sum_job *s = (struct sum_job *)job;
	int i;

	(void)tools;
	for (i = s->from; i < s->from + 10; i++)
		s->sum += i;
	job_post(job, xstrdup("half"));
	job_post(job, xstrdup("whole"));
}

/* Runs until it is told to stop. */
static void
endless_run(struct job *job, void *tools)
{
	struct sum_job *s = (struct sum_job *)job;

	(void)tools;
	s->stopped = deadline_sleep(&job->deadline, 60000, NULL) == -1;
}

static void
sum_event(struct job *job, void *event)
{
	(void)job;
	n_events++;
	free(event);
}

static void
sum_done(struct job *job)
{
	struct sum_job *s = (struct sum_job *)job;

	n_done++;
	total += s->sum;
	n_never_ran += !job->ran;
	n_stopped += s->stopped;
	free(s);
}

static struct sum_job *
new_job(void (*run)(struct job *, void *), int from, int64_t timeout_ms)
{
	struct sum_job *s = xcalloc(1, sizeof(*s));

	s->job.run = run;
	s->job.done = sum_done;
	s->job.event = sum_event;
	s->job.timeout_ms = timeout_ms;
	s->from = from;
	return s;
}

static void
start(void)
{
	base = event_base_new();
	n_done = n_events = n_never_ran = n_stopped = 0;
	total = 0;
}

TEST(runs_jobs_and_delivers_in_order)
{
	struct workers *w;
	int i;

	start();
	w = workers_new(base, &(struct workers_options){ .name = "test", .threads = 8,
	    .stack_size = 256 * 1024 });
	for (i = 0; i < 1000; i++)
		workers_submit(w, &new_job(sum_run, i * 10, 1000)->job);
	CHECK_INT(workers_busy(w), 1000);
	while (n_done < 1000)
		event_base_loop(base, EVLOOP_ONCE);
	CHECK_INT(total, 9999L * 10000 / 2);
	CHECK_INT(n_events, 2000);
	CHECK_INT(workers_busy(w), 0);
	workers_free(w);
	event_base_free(base);
}

TEST(freeing_cancels_running_and_queued)
{
	struct workers *w;
	int i;

	start();
	w = workers_new(base, &(struct workers_options){ .name = "test", .threads = 2,
	    .stack_size = 256 * 1024 });
	for (i = 0; i < 5; i++)
		workers_submit(w, &new_job(endless_run, 0, 60000)->job);
	workers_free(w);
	CHECK_INT(n_done, 5);
	CHECK(n_never_ran >= 3);
	CHECK_INT(n_stopped + n_never_ran, 5);
	event_base_free(base);
}

TEST(a_job_can_be_cancelled_and_has_a_deadline)
{
	struct workers *w;
	struct sum_job *s;

	start();
	w = workers_new(base, &(struct workers_options){ .name = "test", .threads = 1,
	    .stack_size = 256 * 1024 });
	s = new_job(endless_run, 0, 60000);
	workers_submit(w, &s->job);
	job_cancel(&s->job);
	while (n_done < 1)
		event_base_loop(base, EVLOOP_ONCE);
	workers_submit(w, &new_job(endless_run, 0, 20)->job);
	while (n_done < 2)
		event_base_loop(base, EVLOOP_ONCE);
	CHECK_INT(n_stopped, 2);
	workers_free(w);
	event_base_free(base);
}

int
main(void)
{
	return RUN(CASE(runs_jobs_and_delivers_in_order), CASE(freeing_cancels_running_and_queued),
	    CASE(a_job_can_be_cancelled_and_has_a_deadline));
}
