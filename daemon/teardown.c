#include "daemon/teardown.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/account.h"
#include "daemon/app-repo.h"
#include "daemon/bucket-metadata.h"
#include "daemon/config-view.h"
#include "daemon/mask.h"
#include "daemon/observe.h"
#include "daemon/openshift.h"
#include "daemon/references.h"
#include "daemon/s3.h"

struct teardown {
	struct teardown_job		*job;
	const struct reconcile_input	*in;
	const struct deadline		*deadline;
	struct openshift		*openshift;
	struct s3			*s3;
	struct openshift_app		 app;		/* if the plan has found it */
	struct config_view		*view;
	struct references		 references;
	struct references		 strays;	/* of folders of which nobody knows the bucket */
	struct digest_stream		*id;
};

/* The first reason is the one that is told. */
static void refuse(struct teardown *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
refuse(struct teardown *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (t->job->plan.refusal == NULL && vasprintf(&text, fmt, ap) != -1)
		t->job->plan.refusal = text;
	va_end(ap);
}

static void note(struct teardown *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
note(struct teardown *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	if ((n = vasprintf(&text, fmt, ap)) != -1)
		digest_stream_add(t->id, text, (size_t)n + 1);
	va_end(ap);
	free(text);
}

static void tell(struct teardown *, enum resource_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
tell(struct teardown *t, enum resource_kind resource, const char *fmt, ...)
{
	struct reconcile_event *e = xcalloc(1, sizeof(*e));
	va_list ap;

	e->resource = resource;
	va_start(ap, fmt);
	if (vasprintf(&e->text, fmt, ap) == -1)
		e->text = xstrdup("");
	va_end(ap);
	job_post(&t->job->base.job, e);
}

/* ---- the app ---- */

static void
check_app_shared(struct teardown *t)
{
	const struct config *c = t->in->config;
	const struct isv *isv = t->in->isv;
	size_t i;

	for (i = 0; i < c->n_isvs; i++) {
		const struct isv *other = &c->isvs[i];

		/* The broker folds the case of names. */
		if (strcmp(other->name, isv->name) != 0 && other->domain != NULL &&
		    other->app != NULL && strcasecmp(other->domain, isv->domain) == 0 &&
		    strcasecmp(other->app, isv->app) == 0)
			refuse(t, "app '%s' in domain '%s' is isv '%s's, too; delete only the "
			    "bucket, or tear that down first", isv->app, isv->domain, other->name);
	}
}

static bool
is_redhats(const struct mask *mask, const char *name)
{
	size_t i;

	for (i = 0; mask != NULL && i < mask->n_files; i++)
		if (strcmp(mask->files[i].name, name) == 0)
			return true;
	return false;
}

/* What only the app has would be lost with it. */
static int
check_backed_up(struct teardown *t, struct error *err)
{
	cleanup(repo_files_done) struct repo_files there = { NULL, 0, { NULL, 0 } };
	cleanup(repo_files_done) struct repo_files kept = { NULL, 0, { NULL, 0 } };
	cleanup(app_repo_free_p) struct app_repo *repo = NULL;
	cleanup(free_p) char *path = xasprintf("%s/teardown/%s-%s.git", t->in->places->cache_dir,
	    t->in->isv->domain, t->in->isv->app);
	struct deadline deadline = deadline_within(t->deadline, t->in->places->git_timeout_ms);
	struct app_repo_head head;
	size_t i;

	repo = app_repo_open(path, &(struct git_remote_at){ t->app.git_url,
	    t->in->places->ssh_command, t->in->places->http }, err);
	if (repo == NULL || app_repo_observe(repo, DEPLOYMENT_BRANCH, &head, &deadline, err) == -1 ||
	    app_repo_files(repo, &there, err) == -1 ||
	    config_view_metadata(t->view, &t->in->tip, t->in->isv->name, &kept, err) == -1)
		return -1;
	for (i = 0; i < there.n; i++) {
		const struct repo_file *f = repo_files_find(&kept, there.files[i].name);

		if ((f == NULL || !git_oid_equal(&f->oid, &there.files[i].oid)) &&
		    !is_redhats(t->in->mask, there.files[i].name))
			refuse(t, "the app has '%s', and the config repo has not, or not the same; "
			    "back it up first: raasctl sync %s", there.files[i].name,
			    t->in->isv->name);
	}
	return 0;
}

static int
look_at_app(struct teardown *t, struct error *err)
{
	const struct isv *isv = t->in->isv;
	struct teardown_plan *plan = &t->job->plan;

	if (openshift_app_get(t->openshift, isv->domain, isv->app, &t->app, &plan->app_found,
	    t->deadline, err) == -1)
		return -1;
	if (t->job->order.app)
		check_app_shared(t);
	else if (plan->app_found && t->job->order.bucket)
		refuse(t, "app '%s' in domain '%s' would go on redirecting to what is deleted; delete "
		    "both: --delete app,bucket", isv->app, isv->domain);
	note(t, "app %s", plan->app_found ? t->app.id : "-");
	if (!plan->app_found || !t->job->order.app)
		return 0;
	if (check_backed_up(t, err) == -1)
		return error_prefix(err, "app '%s' in domain '%s': not known what it has",
		    isv->app, isv->domain);
	return 0;
}

/* ---- the bucket ---- */

static void
check_bucket_shared(struct teardown *t)
{
	const struct config *c = t->in->config;
	const struct isv *isv = t->in->isv;
	size_t i;

	for (i = 0; i < c->n_isvs; i++)
		if (strcmp(c->isvs[i].name, isv->name) != 0 &&
		    text_equal(c->isvs[i].bucket, isv->bucket))
			refuse(t, "bucket '%s' is isv '%s's, too; delete only the app, or tear that "
			    "down first", isv->bucket, c->isvs[i].name);
}

/* Is it an object of the ISV's images, or of raasd's own? Nobody shares the bucket. */
static bool
is_ours(const struct teardown *t, const char *key)
{
	enum reference reference = references_judge(&t->references, key);

	return reference == REFERENCE_NAMED || reference == REFERENCE_NONE;
}

static int
look_at_object(void *arg, const char *key, const struct s3_object *object, struct error *err)
{
	struct teardown *t = arg;
	struct teardown_plan *plan = &t->job->plan;

	(void)err;
	note(t, "object %s %ju %s", key, (uintmax_t)object->size, object->etag);
	if (!is_ours(t, key)) {
		plan->others++;
		return 0;
	}
	/* The app of one whose section is gone may go on redirecting there. */
	if (references_judge(&t->strays, key) == REFERENCE_NAMED)
		refuse(t, "object '%s' is also named by metadata of a folder of the config repo that "
		    "has no good section in raas.cfg: if nobody needs its images, remove that folder",
		    key);
	plan->objects++;
	plan->bytes += object->size;
	return 0;
}

static int
look_at_upload(void *arg, const char *key, const char *upload_id, time_t begun, struct error *err)
{
	struct teardown *t = arg;

	(void)begun;
	(void)err;
	if (!is_ours(t, key))
		return 0;
	note(t, "upload %s %s", key, upload_id);
	t->job->plan.uploads++;
	return 0;
}

static int
read_references(struct teardown *t, struct error *err)
{
	struct bucket_metadata files = { t->view, &t->in->tip, t->in->config, t->in->isv->bucket,
	    &t->references }, strays = files;

	strays.out = &t->strays;
	if (bucket_metadata_add(&files, NULL, err) == -1 ||
	    bucket_metadata_add_history(&files, t->deadline, err) == -1 ||
	    bucket_metadata_protect_strays(&strays, err) == -1)
		return error_prefix(err, "config repo: not known what is the ISV's");
	references_seal(&t->references);
	references_seal(&t->strays);
	return 0;
}

static int
look_at_bucket(struct teardown *t, struct error *err)
{
	struct teardown_plan *plan = &t->job->plan;
	const char *bucket = t->in->isv->bucket;
	enum s3_bucket_state state;
	char region[S3_REGION_SIZE];

	if (!t->job->order.bucket)
		return 0;
	check_bucket_shared(t);
	if (s3_bucket_head(t->s3, bucket, &state, region, t->deadline, err) == -1)
		return -1;
	if (state == S3_BUCKET_FORBIDDEN)
		return s3_bucket_doubt(t->s3, bucket, t->deadline, err) == -1 ? -1
		    : error_set(err, ERROR_CREDENTIALS, "bucket '%s' is somebody else's, or may not be "
		    "looked at", bucket);
	note(t, "bucket %d", state == S3_BUCKET_MISSING);
	plan->bucket_found = state != S3_BUCKET_MISSING;
	if (!plan->bucket_found)
		return 0;
	if (read_references(t, err) == -1 ||
	    s3_object_list(t->s3, bucket, "", 0, look_at_object, t, t->deadline, err) == -1)
		return -1;
	return s3_upload_list(t->s3, bucket, "", look_at_upload, t, t->deadline, err);
}

/* ---- deleting ---- */

static int
delete_app(struct teardown *t, struct error *err)
{
	const struct isv *isv = t->in->isv;

	if (!t->job->order.app || !t->job->plan.app_found)
		return 0;
	t->job->began = true;
	if (openshift_app_delete(t->openshift, t->app.id, t->deadline, err) == -1)
		return error_prefix(err, "app '%s' in domain '%s'", isv->app, isv->domain);
	t->job->app_gone = true;
	tell(t, RESOURCE_APP, "deleted app '%s' in domain '%s'", isv->app, isv->domain);
	return 0;
}

static int
delete_object(void *arg, const char *key, const struct s3_object *object, struct error *err)
{
	struct teardown *t = arg;

	(void)object;
	if (!is_ours(t, key))
		return 0;
	t->job->began = true;
	if (s3_object_delete(t->s3, t->in->isv->bucket, key, t->deadline, err) == -1)
		return -1;
	t->job->removed++;
	return 0;
}

static int
abort_upload(void *arg, const char *key, const char *upload_id, time_t begun, struct error *err)
{
	struct teardown *t = arg;

	(void)begun;
	if (!is_ours(t, key))
		return 0;
	t->job->began = true;
	return s3_upload_abort(t->s3, t->in->isv->bucket, key, upload_id, t->deadline, err);
}

static int
delete_bucket(struct teardown *t, struct error *err)
{
	const char *bucket = t->in->isv->bucket;
	bool empty;

	if (!t->job->order.bucket || !t->job->plan.bucket_found)
		return 0;
	if (s3_object_list(t->s3, bucket, "", 0, delete_object, t, t->deadline, err) == -1 ||
	    s3_upload_list(t->s3, bucket, "", abort_upload, t, t->deadline, err) == -1)
		return -1;
	tell(t, RESOURCE_LAYERS, "deleted %zu objects in bucket '%s'", t->job->removed, bucket);
	if (t->job->plan.others > 0)
		return 0;
	t->job->began = true;
	if (s3_bucket_delete(t->s3, bucket, &empty, t->deadline, err) == -1)
		return -1;
	t->job->bucket_gone = empty;
	if (empty)
		tell(t, RESOURCE_BUCKET, "deleted bucket '%s'", bucket);
	return 0;
}

/* ---- the job ---- */

static int
make_plan(struct teardown *t, struct error *err)
{
	struct teardown_plan *plan = &t->job->plan;

	note(t, "isv %s %d %d", t->in->isv->name, t->job->order.app, t->job->order.bucket);
	if ((t->view = config_view_open(t->in->places->config_repo, err)) == NULL ||
	    look_at_app(t, err) == -1 || look_at_bucket(t, err) == -1)
		return -1;
	digest_stream_hex(t->id, plan->id);
	return 0;
}

static int
carry_out(struct teardown *t, struct error *err)
{
	const struct teardown_plan *plan = &t->job->plan;

	if (t->job->order.confirm == NULL)
		return 0;
	if (plan->refusal != NULL)
		return error_set(err, ERROR_CONFLICT, "%s", plan->refusal);
	if (strcmp(plan->id, t->job->order.confirm) != 0)
		return error_set(err, ERROR_CONFLICT, "what there is has changed since that plan was "
		    "made; nothing was deleted. Look at the new one: the same without --confirm");
	/* First what refers to the rest. */
	return delete_app(t, err) == -1 ? -1 : delete_bucket(t, err);
}

static void
teardown_run(struct job *job, void *tools)
{
	struct teardown_job *j = (struct teardown_job *)job;
	const struct config *c = j->base.in.config;
	struct teardown t = { .job = j, .in = &j->base.in, .deadline = &job->deadline,
	    .references = REFERENCES_INIT, .strays = REFERENCES_INIT };
	struct error err = ERROR_INIT;

	t.id = digest_stream_new();
	t.openshift = openshift_new(tools, &c->openshift);
	if ((t.s3 = account_s3(&c->aws, tools, &err)) == NULL || make_plan(&t, &err) == -1 ||
	    carry_out(&t, &err) == -1)
		j->base.out.error = err;
	digest_stream_free(t.id);
	config_view_free(t.view);
	openshift_app_done(&t.app);
	openshift_free(t.openshift);
	s3_free(t.s3);
	references_done(&t.references);
	references_done(&t.strays);
}

struct teardown_job *
teardown_job_new(void)
{
	struct teardown_job *j = xcalloc(1, sizeof(*j));

	j->base.job.run = teardown_run;
	return j;
}

void
teardown_job_free(struct teardown_job *j)
{
	if (j == NULL)
		return;
	free(j->order.confirm);
	free(j->plan.refusal);
	reconcile_job_done(&j->base);
	free(j);
}
