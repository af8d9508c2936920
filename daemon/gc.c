#include "daemon/gc.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/account.h"
#include "daemon/app-repo.h"
#include "daemon/bucket-metadata.h"
#include "daemon/config-view.h"
#include "daemon/openshift.h"
#include "daemon/s3.h"

struct gc {
	struct gc_job			*job;
	const struct reconcile_input	*in;
	const struct deadline		*deadline;
	struct s3			*s3;
	struct openshift		*openshift;
	struct references		 references;
};

bool
gc_judge(const struct references *references, time_t before, const char *key, uint64_t size,
    time_t mtime, struct gc_totals *totals)
{
	switch (references_judge(references, key)) {
	case REFERENCE_NAMED:
		totals->named++;
		return false;
	case REFERENCE_UNCLEAR:
		totals->unclear++;
		return false;
	case REFERENCE_FOREIGN:
		totals->foreign++;
		return false;
	case REFERENCE_NONE:
		break;
	}
	if (mtime == 0 || mtime >= before) {
		totals->young++;
		return false;
	}
	totals->found++;
	totals->bytes += size;
	return true;
}

bool
gc_judge_upload(const struct references *references, time_t before, const char *key, time_t begun,
    struct gc_totals *totals)
{
	enum reference reference = references_judge(references, key);

	if (reference == REFERENCE_FOREIGN || reference == REFERENCE_UNCLEAR || begun == 0 ||
	    begun >= before)
		return false;
	totals->uploads++;
	return true;
}

/* ---- what is named ---- */

static int
read_config_repo(struct gc *g, struct error *err)
{
	cleanup(config_view_free_p) struct config_view *view = NULL;
	struct bucket_metadata files = { NULL, &g->in->tip, g->in->config, g->in->isv->bucket,
	    &g->references };

	if ((view = config_view_open(g->in->places->config_repo, err)) == NULL)
		return -1;
	files.view = view;
	if (bucket_metadata_add(&files, NULL, err) == -1 ||
	    bucket_metadata_protect_strays(&files, err) == -1 ||
	    bucket_metadata_add_history(&files, g->deadline, err) == -1)
		return error_prefix(err, "config repo");
	return 0;
}

static int
read_app_file(struct gc *g, struct app_repo *repo, const struct repo_file *file,
    const char *public_base, struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *prefix = NULL;

	if (app_repo_read_blob(repo, &file->oid, &text, err) == -1 ||
	    (m = crane_metadata_parse(buf_str(&text), text.len, err)) == NULL)
		return error_prefix(err, "'%s'", file->name);
	prefix = crane_metadata_prefix(m, public_base);
	references_protect(&g->references, m, prefix);
	return 0;
}

/* A clone of our own: another ISV's sync may be at the app's usual one. */
static struct app_repo *
open_clone(const struct gc *g, const struct isv *isv, const char *git_url, struct error *err)
{
	cleanup(free_p) char *path = xasprintf("%s/gc/%s/%s-%s.git", g->in->places->cache_dir,
	    g->in->isv->bucket, isv->domain, isv->app);

	return app_repo_open(path, &(struct git_remote_at){ git_url, g->in->places->ssh_command,
	    g->in->places->http }, err);
}

static int
read_app(struct gc *g, const struct isv *isv, const char *git_url, struct error *err)
{
	cleanup(free_p) char *public_base = account_public_base(&g->in->config->aws,
	    isv->public_url, isv->bucket);
	cleanup(repo_files_done) struct repo_files files = { NULL, 0, { NULL, 0 } };
	cleanup(app_repo_free_p) struct app_repo *repo = open_clone(g, isv, git_url, err);
	struct deadline deadline = deadline_within(g->deadline, g->in->places->git_timeout_ms);
	struct app_repo_head head;
	size_t i;

	if (repo == NULL ||
	    app_repo_observe(repo, DEPLOYMENT_BRANCH, &head, &deadline, err) == -1 ||
	    app_repo_files(repo, &files, err) == -1)
		return -1;
	for (i = 0; i < files.n; i++)
		if (read_app_file(g, repo, &files.files[i], public_base, err) == -1)
			return -1;
	return 0;
}

/* Somebody may have deployed what is not backed up yet. */
static int
read_apps(struct gc *g, struct error *err)
{
	const struct config *c = g->in->config;
	struct openshift_apps apps = OPENSHIFT_APPS_INIT;
	const struct openshift_app *app;
	int result = 0;
	size_t i;

	if (openshift_apps(g->openshift, &apps, g->deadline, err) == -1)
		return -1;
	for (i = 0; i < c->n_isvs && result == 0; i++) {
		const struct isv *isv = &c->isvs[i];

		if (!text_equal(isv->bucket, g->in->isv->bucket) || isv->domain == NULL ||
		    isv->app == NULL ||
		    (app = openshift_apps_find(&apps, isv->domain, isv->app)) == NULL)
			continue;
		if ((result = read_app(g, isv, app->git_url, err)) == -1)
			error_prefix(err, "app '%s' in domain '%s'", isv->app, isv->domain);
	}
	openshift_apps_done(&apps);
	return result;
}

/* ---- what is there ---- */

static void
tell(struct gc *g, const struct gc_event *what)
{
	struct gc_event *e = xcalloc(1, sizeof(*e));

	*e = *what;
	e->key = xstrdup(what->key);
	e->removed = g->job->order.remove;
	g->job->totals.removed += e->removed;
	job_post(&g->job->base.job, e);
}

static int
look_at(void *arg, const char *key, const struct s3_object *object, struct error *err)
{
	struct gc *g = arg;
	const struct gc_order *order = &g->job->order;

	if (!gc_judge(&g->references, order->before, key, object->size, object->mtime,
	    &g->job->totals))
		return 0;
	if (order->remove &&
	    s3_object_delete(g->s3, g->in->isv->bucket, key, g->deadline, err) == -1)
		return -1;
	tell(g, &(struct gc_event){ .key = (char *)key, .size = object->size,
	    .mtime = object->mtime });
	return 0;
}

static int
add_part(void *arg, const struct s3_part *part, struct error *err)
{
	uint64_t *bytes = arg;

	(void)err;
	*bytes += part->size;
	return 0;
}

/* Its parts are paid for, though nobody sees them in a list of the bucket's objects. */
static int
look_at_upload(void *arg, const char *key, const char *upload_id, time_t begun, struct error *err)
{
	struct gc *g = arg;
	const char *bucket = g->in->isv->bucket;
	uint64_t bytes = 0;
	struct error why = ERROR_INIT;

	if (!gc_judge_upload(&g->references, g->job->order.before, key, begun, &g->job->totals))
		return 0;
	/* One that ended meanwhile has no parts. */
	if (s3_part_list(g->s3, bucket, key, upload_id, add_part, &bytes, g->deadline, &why) == -1 && why.kind != ERROR_MISSING) {
		*err = why;
		return -1;
	}
	if (g->job->order.remove &&
	    s3_upload_abort(g->s3, bucket, key, upload_id, g->deadline, err) == -1)
		return -1;
	g->job->totals.upload_bytes += bytes;
	tell(g, &(struct gc_event){ .key = (char *)key, .size = bytes, .mtime = begun,
	    .upload = true });
	return 0;
}

static int
collect(struct gc *g, struct error *err)
{
	if (read_config_repo(g, err) == -1 || read_apps(g, err) == -1)
		return error_prefix(err, "not known what is needed, so nothing is removed");
	references_seal(&g->references);
	if (s3_object_list(g->s3, g->in->isv->bucket, "", 0, look_at, g, g->deadline, err) == -1)
		return -1;
	return s3_upload_list(g->s3, g->in->isv->bucket, "", look_at_upload, g, g->deadline, err);
}

static void
gc_run(struct job *job, void *tools)
{
	struct gc_job *j = (struct gc_job *)job;
	const struct config *c = j->base.in.config;
	struct gc g = { .job = j, .in = &j->base.in, .deadline = &job->deadline,
	    .references = REFERENCES_INIT };
	struct error err = ERROR_INIT;

	g.openshift = openshift_new(tools, &c->openshift);
	if ((g.s3 = account_s3(&c->aws, tools, &err)) == NULL || collect(&g, &err) == -1)
		j->base.out.error = err;
	openshift_free(g.openshift);
	s3_free(g.s3);
	references_done(&g.references);
}

struct gc_job *
gc_job_new(void)
{
	struct gc_job *j = xcalloc(1, sizeof(*j));

	j->base.job.run = gc_run;
	return j;
}

void
gc_job_free(struct gc_job *j)
{
	if (j == NULL)
		return;
	reconcile_job_done(&j->base);
	free(j);
}

void
gc_event_free(struct gc_event *e)
{
	free(e->key);
	free(e);
}
