#include "daemon/images-job.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/config-view.h"
#include "daemon/crane-metadata.h"

#define TIMEOUT_MS 60000

struct images_job {
	struct job	 job;
	char		*config_repo;
	char		*isv;
	git_oid		 tip;
	json_t		*images;
	struct error	 error;
	void		(*done)(void *, json_t *, const struct error *);
	void		*arg;
};

static json_t *
tags_json(const struct crane_tags *tags)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < tags->n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "name",
		    json_text(tags->tags[i].name), "digest", json_text(tags->tags[i].target)));
	return list;
}

/* A file that is not valid serves no image; a sync says what is wrong with it. */
static int
add_image(struct images_job *j, const struct config_view *view, const struct repo_file *f)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;

	if (config_view_read_blob(view, &f->oid, &text, &j->error) == -1)
		return -1;
	if ((m = crane_metadata_parse(buf_str(&text), text.len, NULL)) == NULL)
		return 0;
	json_array_append_new(j->images, json_pack("{s:o, s:i, s:o, s:o}", "name",
	    json_text(m->registry_id), "version", m->version == 1 ? 1 : 2, "file",
	    json_text(f->name), "tags", tags_json(m->version == 1 ? &m->tags : &m->raas_tags)));
	return 0;
}

static void
images_run(struct job *job, void *tools)
{
	struct images_job *j = (struct images_job *)job;
	cleanup(repo_files_done) struct repo_files files = { NULL, 0, { NULL, 0 } };
	cleanup(config_view_free_p) struct config_view *view = NULL;
	size_t i;

	(void)tools;
	if ((view = config_view_open(j->config_repo, &j->error)) == NULL ||
	    config_view_metadata(view, &j->tip, j->isv, &files, &j->error) == -1)
		return;
	for (i = 0; i < files.n; i++)
		if (deadline_check(&job->deadline, &j->error) == -1 ||
		    add_image(j, view, &files.files[i]) == -1)
			return;
}

static void
images_done(struct job *job)
{
	struct images_job *j = (struct images_job *)job;

	if (!job->ran)
		error_set(&j->error, ERROR_CANCELLED, "raasd is stopping");
	j->done(j->arg, j->error.kind == ERROR_NONE ? j->images : NULL, &j->error);
	json_decref(j->images);
	free(j->config_repo);
	free(j->isv);
	free(j);
}

void
images_job_start(struct workers *workers, const char *config_repo, const git_oid *tip,
    const char *isv, void (*done)(void *, json_t *, const struct error *), void *arg)
{
	struct images_job *j = xcalloc(1, sizeof(*j));

	j->job.run = images_run;
	j->job.done = images_done;
	j->job.timeout_ms = TIMEOUT_MS;
	j->config_repo = xstrdup(config_repo);
	j->isv = xstrdup(isv);
	j->job.name = "images";
	j->job.isv = j->isv;
	j->tip = *tip;
	j->images = json_array();
	j->done = done;
	j->arg = arg;
	workers_submit(workers, &j->job);
}
