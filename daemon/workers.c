#include "daemon/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/alloc.h"

/* What a worker tells the loop: an event of a job, or (event NULL) that the job ended. */
struct message {
	struct job		*job;
	void			*event;
	STAILQ_ENTRY(message)	 entry;
};

STAILQ_HEAD(message_list, message);

struct workers {
	struct workers_options	 options;
	pthread_t		*threads;
	int			 wakeup_fd;
	struct event		*wakeup;

	/* The loop's own. */
	unsigned int		 busy;

	pthread_mutex_t		 lock;		/* guards all below */
	pthread_cond_t		 more;
	TAILQ_HEAD(, job)	 queue;
	LIST_HEAD(, job)	 running;
	struct message_list	 outbox;
	bool			 stopping;
};

static void
send_message(struct workers *w, struct job *job, void *event)
{
	struct message *m = xcalloc(1, sizeof(*m));
	uint64_t one = 1;

	m->job = job;
	m->event = event;
	pthread_mutex_lock(&w->lock);
	if (event == NULL)
		LIST_REMOVE(job, running);
	STAILQ_INSERT_TAIL(&w->outbox, m, entry);
	pthread_mutex_unlock(&w->lock);
	/* An eventfd only refuses a write when its counter is full, and then the loop wakes. */
	if (write(w->wakeup_fd, &one, sizeof(one)) == -1 && errno != EAGAIN)
		abort();
}

void
job_post(struct job *job, void *event)
{
	send_message(job->workers, job, event);
}

/* The next job, marked as running; NULL when the pool ends. */
static struct job *
next_job(struct workers *w)
{
	struct job *job = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping && TAILQ_EMPTY(&w->queue))
		pthread_cond_wait(&w->more, &w->lock);
	if (!w->stopping) {
		job = TAILQ_FIRST(&w->queue);
		TAILQ_REMOVE(&w->queue, job, entry);
		LIST_INSERT_HEAD(&w->running, job, running);
		job->deadline = deadline_in(job->timeout_ms, &job->cancelled);
		job->deadline.superseded = &job->superseded;
		job->started_ms = clock_monotonic_ms();
		job->ran = true;
	}
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void *
work(void *arg)
{
	struct workers *w = arg;
	void *tools = NULL;
	struct job *job;

	if (w->options.tools_new != NULL)
		tools = w->options.tools_new(w->options.arg);
	while ((job = next_job(w)) != NULL) {
		job->run(job, tools);
		send_message(w, job, NULL);
	}
	if (w->options.tools_free != NULL)
		w->options.tools_free(tools);
	return NULL;
}

/* Handles what stood in the outbox when it was looked at; a done() may submit new jobs. */
static void
deliver(struct workers *w)
{
	struct message_list list = STAILQ_HEAD_INITIALIZER(list);
	struct message *m;

	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(&list, &w->outbox);
	pthread_mutex_unlock(&w->lock);
	while ((m = STAILQ_FIRST(&list)) != NULL) {
		STAILQ_REMOVE_HEAD(&list, entry);
		if (m->event != NULL) {
			m->job->event(m->job, m->event);
		} else {
			w->busy--;
			m->job->done(m->job);
		}
		free(m);
	}
}

static void
on_wakeup(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
		abort();
	deliver(arg);
}

/* Signals are the loop's: a worker starts with all of them blocked. */
static void
start_threads(struct workers *w)
{
	pthread_attr_t attr;
	sigset_t all, before;
	char name[16];
	unsigned int i;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, w->options.stack_size);
	for (i = 0; i < w->options.threads; i++) {
		if (pthread_create(&w->threads[i], &attr, work, w) != 0) {
			fputs("cannot create a thread\n", stderr);
			abort();
		}
		snprintf(name, sizeof(name), "%.10s-%u", w->options.name, i % 1000);
		pthread_setname_np(w->threads[i], name);
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct workers *
workers_new(struct event_base *base, const struct workers_options *options)
{
	struct workers *w = xcalloc(1, sizeof(*w));

	w->options = *options;
	w->threads = xcalloc(options->threads, sizeof(*w->threads));
	TAILQ_INIT(&w->queue);
	LIST_INIT(&w->running);
	STAILQ_INIT(&w->outbox);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	w->wakeup_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wakeup_fd == -1) {
		perror("eventfd");
		abort();
	}
	w->wakeup = event_new(base, w->wakeup_fd, EV_READ | EV_PERSIST, on_wakeup, w);
	event_add(w->wakeup, NULL);
	start_threads(w);
	return w;
}

static void
stop_threads(struct workers *w)
{
	struct job *job;
	unsigned int i;

	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	TAILQ_FOREACH(job, &w->queue, entry)
		atomic_store(&job->cancelled, true);
	LIST_FOREACH(job, &w->running, running)
		atomic_store(&job->cancelled, true);
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->options.threads; i++)
		pthread_join(w->threads[i], NULL);
}

void
workers_free(struct workers *w)
{
	struct job *job;

	if (w == NULL)
		return;
	stop_threads(w);
	deliver(w);
	while ((job = TAILQ_FIRST(&w->queue)) != NULL) {
		TAILQ_REMOVE(&w->queue, job, entry);
		w->busy--;
		job->done(job);
	}
	event_free(w->wakeup);
	close(w->wakeup_fd);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}

void
workers_submit(struct workers *w, struct job *job)
{
	job->workers = w;
	if (job->name == NULL)
		job->name = w->options.name;
	job->started_ms = 0;
	job->ran = false;
	w->busy++;
	pthread_mutex_lock(&w->lock);
	TAILQ_INSERT_TAIL(&w->queue, job, entry);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

void
job_cancel(struct job *job)
{
	atomic_store(&job->cancelled, true);
}

void
job_supersede(struct job *job)
{
	atomic_store(&job->superseded, true);
}

unsigned int
workers_busy(const struct workers *w)
{
	return w->busy;
}

const struct job *
workers_overdue(const struct workers *w, int64_t *by_ms)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&w->lock;
	int64_t now = clock_monotonic_ms();
	const struct job *job, *worst = NULL;

	*by_ms = 0;
	pthread_mutex_lock(lock);
	LIST_FOREACH(job, &w->running, running) {
		if (now - job->deadline.at_ms > *by_ms) {
			*by_ms = now - job->deadline.at_ms;
			worst = job;
		}
	}
	pthread_mutex_unlock(lock);
	return worst;
}
