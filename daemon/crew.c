#include "daemon/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/alloc.h"

/* What the threads of one crew_run() have in common. */
struct shift {
	crew_fn			*fn;
	void			*arg;
	size_t			 n;
	atomic_size_t		 next;
	atomic_bool		 failed;
};

struct member {
	struct shift		*shift;
	void			*tools;
	pthread_t		 thread;
	bool			 started;
	bool			 failed;
	struct error		 error;
};

struct crew {
	struct crew_options	 options;
	unsigned int		 n;
	struct member		 members[CREW_MAX];
};

void
crew_free(struct crew *c)
{
	unsigned int i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++)
		c->options.tools_free(c->members[i].tools);
	free(c);
}

struct crew *
crew_new(const struct crew_options *options, struct error *err)
{
	cleanup(crew_free_p) struct crew *c = xcalloc(1, sizeof(*c));

	c->options = *options;
	while (c->n < options->threads && c->n < CREW_MAX) {
		if ((c->members[c->n].tools = options->tools_new(options->arg, err)) == NULL)
			return NULL;
		c->n++;
	}
	return steal(c);
}

void *
crew_tools(struct crew *c)
{
	return c->members[0].tools;
}

static void *
work(void *arg)
{
	struct member *m = arg;
	struct shift *s = m->shift;
	size_t i;

	while (!atomic_load(&s->failed) && (i = atomic_fetch_add(&s->next, 1)) < s->n) {
		if (s->fn(s->arg, m->tools, i, &m->error) == 0)
			continue;
		/* What fails after the first is mostly told by the first. */
		m->failed = !atomic_exchange(&s->failed, true);
	}
	return NULL;
}

/* A thread that cannot be had is no failure: the others do its part. */
static void
start(struct crew *c, struct member *m)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, c->options.stack_size);
	m->started = pthread_create(&m->thread, &attributes, work, m) == 0;
	pthread_attr_destroy(&attributes);
}

int
crew_run(struct crew *c, size_t n, crew_fn *fn, void *arg, struct error *err)
{
	struct shift shift = { .fn = fn, .arg = arg, .n = n };
	struct member *m;
	unsigned int i;
	int status = 0;

	for (i = 0; i < c->n; i++) {
		m = &c->members[i];
		m->shift = &shift;
		m->started = m->failed = false;
		if (i > 0 && i < n)
			start(c, m);
	}
	work(&c->members[0]);
	for (i = 0; i < c->n; i++) {
		m = &c->members[i];
		if (m->started)
			pthread_join(m->thread, NULL);
		if (m->failed) {
			if (err != NULL)
				*err = m->error;
			status = -1;
		}
	}
	return status;
}
