#include "daemon/sweep-job.h"

#include <stdlib.h>

#include "common/alloc.h"

#define SWEEP_TIMEOUT_MS (5 * 60 * 1000)

struct sweep_job {
	struct job		 job;
	struct config		*config;	/* reference */
	struct inventory	*inventory;
	void			(*done)(void *, struct inventory *);
	void			*arg;
};

static void
sweep_run(struct job *job, void *tools)
{
	struct sweep_job *s = (struct sweep_job *)job;

	s->inventory = inventory_take(s->config, tools, &job->deadline);
}

static void
sweep_done(struct job *job)
{
	struct sweep_job *s = (struct sweep_job *)job;

	s->done(s->arg, s->inventory);
	inventory_unref(s->inventory);
	config_unref(s->config);
	free(s);
}

void
sweep_job_start(struct workers *workers, struct config *config,
    void (*done)(void *, struct inventory *), void *arg)
{
	struct sweep_job *s = xcalloc(1, sizeof(*s));

	s->job.run = sweep_run;
	s->job.done = sweep_done;
	s->job.timeout_ms = SWEEP_TIMEOUT_MS;
	s->job.name = "sweep";
	s->config = config_ref(config);
	s->done = done;
	s->arg = arg;
	workers_submit(workers, &s->job);
}
