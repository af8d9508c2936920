#include "daemon/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/alloc.h"

/* Pieces that were given together. */
struct batch {
	crew_fn			*fn;
	void			*arg;
	size_t			 n;
	size_t			 next;
};

struct member {
	struct crew		*crew;
	void			*tools;
	pthread_t		 thread;
	bool			 started;
};

struct crew {
	struct crew_options	 options;
	unsigned int		 n;
	struct member		 members[CREW_MAX];

	/* Of one crew_run(), under the lock. */
	pthread_mutex_t		 lock;
	pthread_cond_t		 changed;
	struct batch		*batches;	/* the last is the next to be worked at */
	size_t			 n_batches;
	unsigned int		 working;	/* threads in a piece, which may add others */
	bool			 failed;
	struct error		 error;		/* of the first that failed */
};

void
crew_free(struct crew *c)
{
	unsigned int i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++)
		c->options.tools_free(c->members[i].tools);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c->batches);
	free(c);
}

struct crew *
crew_new(const struct crew_options *options, struct error *err)
{
	cleanup(crew_free_p) struct crew *c = xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->options = *options;
	while (c->n < options->threads && c->n < CREW_MAX) {
		c->members[c->n].crew = c;
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

/* ---- under the lock ---- */

/* Waits while there is nothing to do that a working thread may still add to. False: it is over. */
static bool
next_piece(struct crew *c, struct batch *out)
{
	struct batch *last;

	while (!c->failed && c->n_batches == 0 && c->working > 0)
		pthread_cond_wait(&c->changed, &c->lock);
	if (c->failed || c->n_batches == 0)
		return false;
	last = &c->batches[c->n_batches - 1];
	*out = *last;
	if (++last->next == last->n)
		c->n_batches--;
	return true;
}

/* What fails after the first is mostly told by the first. */
static void
note_failure(struct crew *c, const struct error *err)
{
	if (!c->failed)
		c->error = *err;
	c->failed = true;
}

static void *
work(void *arg)
{
	struct member *m = arg;
	struct crew *c = m->crew;
	struct batch piece;

	pthread_mutex_lock(&c->lock);
	while (next_piece(c, &piece)) {
		struct error err = ERROR_INIT;
		int status;

		c->working++;
		pthread_mutex_unlock(&c->lock);
		status = piece.fn(piece.arg, m->tools, piece.next, &err);
		pthread_mutex_lock(&c->lock);
		if (status == -1)
			note_failure(c, &err);
		if (--c->working == 0 || status == -1)
			pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* As many threads as there are pieces, the caller's being the first. One that cannot be had is no
 * failure: the others do its part. */
static void
start(struct crew *c, size_t pieces)
{
	pthread_attr_t attributes;
	unsigned int i;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, c->options.stack_size);
	for (i = 1; i < c->n && i < pieces; i++) {
		struct member *m = &c->members[i];

		if (!m->started)
			m->started = pthread_create(&m->thread, &attributes, work, m) == 0;
	}
	pthread_attr_destroy(&attributes);
}

static void
add(struct crew *c, size_t n, crew_fn *fn, void *arg)
{
	if (n == 0 || c->failed)
		return;
	c->batches = xreallocarray(c->batches, c->n_batches + 1, sizeof(*c->batches));
	c->batches[c->n_batches++] = (struct batch){ .fn = fn, .arg = arg, .n = n };
	pthread_cond_broadcast(&c->changed);
	start(c, n);
}

/* ---- for the job ---- */

void
crew_add(struct crew *c, size_t n, crew_fn *fn, void *arg)
{
	pthread_mutex_lock(&c->lock);
	add(c, n, fn, arg);
	pthread_mutex_unlock(&c->lock);
}

int
crew_run(struct crew *c, size_t n, crew_fn *fn, void *arg, struct error *err)
{
	unsigned int i;

	c->n_batches = 0;
	c->failed = false;
	crew_add(c, n, fn, arg);
	work(&c->members[0]);
	for (i = 1; i < c->n; i++) {
		if (c->members[i].started)
			pthread_join(c->members[i].thread, NULL);
		c->members[i].started = false;
	}
	if (c->failed && err != NULL)
		*err = c->error;
	return c->failed ? -1 : 0;
}
