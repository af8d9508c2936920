#include "daemon/publish.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/publish-work.h"

bool
layer_state_ends(enum layer_state state)
{
	return state >= LAYER_UPLOADED;
}

const char *
layer_state_name(enum layer_state state)
{
	static const char *const names[] = {
		[LAYER_COMPRESSING] = "compressing", [LAYER_FETCHING] = "fetching",
		[LAYER_UPLOADING] = "uploading", [LAYER_UPLOADED] = "uploaded",
		[LAYER_PRESENT] = "present", [LAYER_COPIED] = "copied", [LAYER_MASKED] = "masked",
	};

	return names[state];
}

void
publish_tell(struct publish *p, const char *fmt, ...)
{
	struct publish_event *e;
	struct error text;
	va_list ap;

	if (p->job->base.job.event == NULL)
		return;
	va_start(ap, fmt);
	error_vset(&text, ERROR_NONE, fmt, ap);
	va_end(ap);
	e = xcalloc(1, sizeof(*e));
	e->text = xstrdup(text.text);
	job_post(&p->job->base.job, e);
}

/* Content first, then manifests by digest, then the metadata: so at every moment the registry
 * serves what it served before, or all of the new. */
static int
publish(struct publish *p, struct error *err)
{
	if (publish_look(p, err) == -1 ||
	    publish_read_source(p, err) == -1 ||
	    publish_mask(p, err) == -1 ||
	    publish_compress(p, err) == -1 ||
	    publish_upload(p, err) == -1 ||
	    publish_deploy(p, err) == -1 ||
	    publish_prove(p, err) == -1)
		return -1;
	publish_note_image(p);
	publish_note_result(p);
	return 0;
}

static int
unpublish(struct publish *p, struct error *err)
{
	if (publish_look(p, err) == -1 || publish_withdraw(p, err) == -1)
		return -1;
	publish_note_result(p);
	return 0;
}

static void
set_place(struct publish *p)
{
	const struct isv *isv = p->session->in->isv;
	char *at;

	p->repository = xasprintf("%s-%s", isv->name, p->order->image);
	for (at = p->repository; *at != '\0'; at++)
		if (*at == '/')
			*at = '-';
	p->prefix = xasprintf("%s/", p->repository + strlen(isv->name) + 1);
	p->url = xasprintf("%s/%s", p->session->public_base, p->prefix);
	p->place = (struct crane_place){ p->repository, p->order->image, p->url };
}

static int
work(struct publish *p, struct error *err)
{
	int status;

	set_place(p);
	status = p->order->remove ? unpublish(p, err) : publish(p, err);
	publish_blobs_done(p);
	publish_deploy_done(p);
	free(p->repository);
	free(p->prefix);
	free(p->url);
	return status == -1 ? error_prefix(err, "image '%s'", p->order->image) : 0;
}

static void
publish_run(struct job *job, void *tools)
{
	struct publish_job *j = (struct publish_job *)job;
	struct session session;
	struct publish p = { .job = j, .order = &j->order, .session = &session,
	    .deadline = &job->deadline, .spool_fd = -1 };
	struct error err = ERROR_INIT;

	if (session_open(&session, &j->base.in, &job->deadline, tools, &err) == -1 ||
	    work(&p, &err) == -1)
		j->base.out.error = err;
	session_close(&session);
}

struct publish_job *
publish_job_new(void)
{
	struct publish_job *j = xcalloc(1, sizeof(*j));

	j->base.job.run = publish_run;
	j->order.fd = -1;
	return j;
}

void
publish_job_free(struct publish_job *j)
{
	size_t i;

	if (j == NULL)
		return;
	reconcile_job_done(&j->base);
	free(j->order.image);
	free(j->order.tag);
	free(j->order.from);
	free(j->order.auth_file);
	if (j->order.fd != -1)
		close(j->order.fd);
	for (i = 0; i < j->n_tags; i++)
		free(j->tags[i]);
	free(j->tags);
	free(j->pull_name);
	free(j);
}

void
publish_event_free(struct publish_event *e)
{
	free(e->text);
	free(e->diff_id);
	free(e);
}
