#include "daemon/mask-job.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/config-view.h"

#define MASK_TIMEOUT_MS (5 * 60 * 1000)

struct mask_job {
	struct job			 job;
	struct mask_job_input		 in;
	char				*keep_dir;
	char				*git_dir;
	struct mask			*mask;
	struct error			 error;
	void				(*done)(void *, struct mask *, const struct error *);
	void				*arg;
};

char *
mask_keep_dir(const char *state_dir)
{
	return xasprintf("%s/redhat", state_dir);
}

/* The config repo's own redhat/metadata, read into memory. */
struct own_files {
	struct repo_files	 files;
	struct buf		*bytes;
	struct mask_input	*inputs;
};

static void
own_files_done(struct own_files *own)
{
	size_t i;

	for (i = 0; own->bytes != NULL && i < own->files.n; i++)
		buf_done(&own->bytes[i]);
	free(own->bytes);
	free(own->inputs);
	repo_files_done(&own->files);
}

static int
read_own_files(const struct mask_job *m, struct own_files *own, struct error *err)
{
	cleanup(config_view_free_p) struct config_view *view = NULL;
	size_t i;

	if ((view = config_view_open(m->in.places->config_repo, err)) == NULL ||
	    config_view_metadata(view, &m->in.tip, "redhat", &own->files, err) == -1)
		return -1;
	own->bytes = xcalloc(own->files.n, sizeof(*own->bytes));
	own->inputs = xcalloc(own->files.n, sizeof(*own->inputs));
	for (i = 0; i < own->files.n; i++) {
		if (config_view_read_blob(view, &own->files.files[i].oid, &own->bytes[i], err) == -1)
			return -1;
		own->inputs[i] = (struct mask_input){ own->files.files[i].name,
		    buf_str(&own->bytes[i]), own->bytes[i].len };
	}
	return 0;
}

static void
mask_run(struct job *job, void *tools)
{
	struct mask_job *m = (struct mask_job *)job;
	struct own_files own = { .bytes = NULL };

	if (read_own_files(m, &own, &m->error) == 0)
		m->mask = mask_get(&(struct mask_source){ .redhat = &m->in.config->redhat,
		    .config_files = own.inputs, .n_config_files = own.files.n, .http = tools,
		    .http_shared = m->in.places->http, .ssh_command = m->in.places->ssh_command,
		    .git_dir = m->git_dir, .keep_dir = m->keep_dir }, m->in.last, &job->deadline,
		    &m->error);
	own_files_done(&own);
}

static void
mask_done(struct job *job)
{
	struct mask_job *m = (struct mask_job *)job;

	if (!job->ran)
		error_set(&m->error, ERROR_CANCELLED, "raasd is stopping");
	m->done(m->arg, m->mask, m->mask == NULL ? &m->error : NULL);
	mask_unref(m->mask);
	mask_unref(m->in.last);
	config_unref(m->in.config);
	free(m->keep_dir);
	free(m->git_dir);
	free(m);
}

void
mask_job_start(struct workers *workers, const struct mask_job_input *in,
    void (*done)(void *, struct mask *, const struct error *), void *arg)
{
	struct mask_job *m = xcalloc(1, sizeof(*m));

	m->job.run = mask_run;
	m->job.done = mask_done;
	m->job.timeout_ms = MASK_TIMEOUT_MS;
	m->job.name = "red hat metadata";
	m->in = *in;
	m->in.config = config_ref(in->config);
	m->in.last = in->last != NULL ? mask_ref(in->last) : NULL;
	m->in.state_dir = NULL;
	m->keep_dir = mask_keep_dir(in->state_dir);
	m->git_dir = xasprintf("%s/redhat.git", in->places->cache_dir);
	m->done = done;
	m->arg = arg;
	workers_submit(workers, &m->job);
}
