#include "daemon/validate-job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/config-view.h"

#define TIMEOUT_MS (30 * 60 * 1000)
#define DEEP_TIMEOUT_MS (12 * 60 * 60 * (int64_t)1000)

struct validate_job {
	struct job			 job;
	const char			*config_repo;
	git_oid				 tip;
	char				*isv;
	char				*url;
	char				*image;
	bool				 deep;
	struct validate_listener	 listener;
	struct error			 error;
};

/* On its way to the loop: a step, or a report. */
struct validate_event {
	char			*image;
	char			*text;		/* of the step; NULL: it is a report */
	struct validate_step	 step;
	struct validate_report	 report;
};

/* One image at work, for the step's callback. */
struct current {
	struct validate_job	*job;
	const char		*image;
};

static void
post_step(void *arg, const struct validate_step *step)
{
	const struct current *current = arg;
	struct validate_event *e = xcalloc(1, sizeof(*e));

	e->image = xstrdup(current->image);
	e->text = xstrdup(step->text);
	e->step = *step;
	e->step.text = e->text;
	job_post(&current->job->job, e);
}

static void
post_report(struct validate_job *v, const char *image, const struct validate_report *report)
{
	struct validate_event *e = xcalloc(1, sizeof(*e));

	e->image = xstrdup(image);
	e->report = *report;
	job_post(&v->job, e);
}

/* A file that Crane would leave out: nobody can pull what it is of. */
static void
post_invalid(struct validate_job *v, const char *file, const struct error *why)
{
	struct validate_report report = { .fault = VALIDATE_METADATA };

	snprintf(report.text, sizeof(report.text), "not valid Crane metadata: %.400s", why->text);
	post_report(v, file, &report);
}

static int
validate_file(struct validate_job *v, struct http *http, const struct config_view *view,
    const struct repo_file *file, size_t *n, struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	struct current current = { .job = v };
	struct validate_options options = { v->deep, post_step, &current };
	struct validate_report report;
	struct error why = ERROR_INIT;

	if (config_view_read_blob(view, &file->oid, &text, err) == -1)
		return -1;
	if ((m = crane_metadata_parse(buf_str(&text), text.len, &why)) == NULL) {
		if (v->image == NULL)
			post_invalid(v, file->name, &why);
		return 0;
	}
	if (v->image != NULL && strcmp(v->image, m->registry_id) != 0)
		return 0;
	(*n)++;
	current.image = m->registry_id;
	if (validate_image(http, v->url, m, &options, &report, &v->job.deadline, err) == -1)
		return -1;
	post_report(v, m->registry_id, &report);
	return 0;
}

static int
validate_all(struct validate_job *v, struct http *http, struct error *err)
{
	cleanup(repo_files_done) struct repo_files files = { NULL, 0, { NULL, 0 } };
	cleanup(config_view_free_p) struct config_view *view = NULL;
	size_t i, n = 0;

	if ((view = config_view_open(v->config_repo, err)) == NULL ||
	    config_view_metadata(view, &v->tip, v->isv, &files, err) == -1)
		return -1;
	for (i = 0; i < files.n; i++)
		if (validate_file(v, http, view, &files.files[i], &n, err) == -1)
			return -1;
	if (v->image != NULL && n == 0)
		return error_set(err, ERROR_MISSING, "isv '%s': the config repo has no metadata of an "
		    "image '%s'; 'raasctl images %s' lists those that it has, and after 'raasctl "
		    "sync %s' it has what somebody else deployed", v->isv, v->image, v->isv,
		    v->isv);
	return 0;
}

static void
validate_run(struct job *job, void *tools)
{
	struct validate_job *v = (struct validate_job *)job;

	validate_all(v, tools, &v->error);
}

static void
validate_event(struct job *job, void *event)
{
	const struct validate_listener *l = &((struct validate_job *)job)->listener;
	struct validate_event *e = event;

	if (e->text != NULL)
		l->step(l->arg, e->image, &e->step);
	else
		l->report(l->arg, e->image, &e->report);
	free(e->image);
	free(e->text);
	free(e);
}

static void
validate_done(struct job *job)
{
	struct validate_job *v = (struct validate_job *)job;

	if (!job->ran)
		error_set(&v->error, ERROR_CANCELLED, "raasd is stopping");
	v->listener.done(v->listener.arg, v->error.kind != ERROR_NONE ? &v->error : NULL);
	free(v->isv);
	free(v->url);
	free(v->image);
	free(v);
}

struct job *
validate_job_start(struct workers *workers, const struct validate_request *request,
    const struct validate_listener *listener)
{
	struct validate_job *v = xcalloc(1, sizeof(*v));

	v->job.run = validate_run;
	v->job.event = validate_event;
	v->job.done = validate_done;
	v->job.timeout_ms = request->deep ? DEEP_TIMEOUT_MS : TIMEOUT_MS;
	v->config_repo = request->config_repo;
	v->tip = request->tip;
	v->isv = xstrdup(request->isv);
	v->job.name = "validate";
	v->job.isv = v->isv;
	v->url = xstrdup(request->url);
	v->image = xstrdup(request->image);
	v->deep = request->deep;
	v->listener = *listener;
	workers_submit(workers, &v->job);
	return &v->job;
}
