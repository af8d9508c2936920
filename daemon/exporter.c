#include "daemon/exporter.h"

#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "daemon/atomic-file.h"
#include "daemon/daemon.h"
#include "daemon/metrics.h"

#define EXPORT_STACK (128 * 1024)
#define EXPORT_TIMEOUT_MS 30000

struct exporter {
	struct daemon	*daemon;
	struct workers	*thread;
	struct event	*timer;
	bool		 writing;	/* the file; a disk that hangs gets one job, not many */
};

/* One making of the text: for somebody, or for the file. */
struct export_job {
	struct job	 job;
	struct exporter	*exporter;
	struct metrics	*metrics;
	struct buf	 text;
	char		*path;		/* of the file; NULL: for somebody */
	struct error	 error;
	void		(*done)(void *, struct buf *);
	void		*arg;
};

static void
export_run(struct job *job, void *tools)
{
	struct export_job *e = (struct export_job *)job;

	(void)tools;
	metrics_write(e->metrics, e->path == NULL, &e->text);
	if (e->path != NULL)
		atomic_file_write(AT_FDCWD, e->path, e->text.data, e->text.len, 0644, &e->error);
}

static void
arm(struct exporter *e)
{
	if (e->daemon->settings->metrics.textfile != NULL && !e->daemon->stopping)
		daemon_set_timer(e->timer, e->daemon->settings->metrics.interval_ms);
}

static void
export_done(struct job *job)
{
	struct export_job *e = (struct export_job *)job;
	struct exporter *exporter = e->exporter;

	if (e->path == NULL) {
		e->done(e->arg, job->ran ? &e->text : NULL);
	} else {
		exporter->writing = false;
		if (job->ran)
			incident_set(&exporter->daemon->textfile,
			    e->error.kind != ERROR_NONE ? e->error.text : NULL);
		arm(exporter);
	}
	metrics_free(e->metrics);
	buf_done(&e->text);
	free(e->path);
	free(e);
}

static void
submit(struct exporter *exporter, const char *path, void (*done)(void *, struct buf *), void *arg)
{
	struct export_job *e = xcalloc(1, sizeof(*e));

	e->job.run = export_run;
	e->job.done = export_done;
	e->job.timeout_ms = EXPORT_TIMEOUT_MS;
	e->job.name = "metrics";
	e->exporter = exporter;
	e->metrics = metrics_take(exporter->daemon);
	e->path = xstrdup(path);
	e->done = done;
	e->arg = arg;
	workers_submit(exporter->thread, &e->job);
}

void
exporter_ask(struct exporter *e, void (*done)(void *, struct buf *), void *arg)
{
	submit(e, NULL, done, arg);
}

static void
write_file(struct exporter *e)
{
	const char *path = e->daemon->settings->metrics.textfile;

	if (path == NULL || e->writing)
		return;
	e->writing = true;
	submit(e, path, NULL, NULL);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	write_file(arg);
}

void
exporter_reload(struct exporter *e)
{
	evtimer_del(e->timer);
	if (e->daemon->settings->metrics.textfile == NULL)
		incident_set(&e->daemon->textfile, NULL);
	write_file(e);
}

struct exporter *
exporter_new(struct daemon *d)
{
	struct exporter *e = xcalloc(1, sizeof(*e));

	e->daemon = d;
	e->timer = evtimer_new(d->base, on_timer, e);
	e->thread = workers_new(d->base, &(struct workers_options){ .name = "metrics",
	    .threads = 1, .stack_size = EXPORT_STACK });
	write_file(e);
	return e;
}

void
exporter_free(struct exporter *e)
{
	if (e == NULL)
		return;
	workers_free(e->thread);
	event_free(e->timer);
	free(e);
}
