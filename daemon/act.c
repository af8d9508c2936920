#include "daemon/act.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/access-policy.h"

#define RAISE_LIMIT "have the account's limit raised, or delete what is not needed"

/* The broker says what is wrong; what to do about it is added. */
static int
advise(struct error *err, enum error_kind kind, const char *cure)
{
	struct error why = *err;

	return why.kind == kind ? error_set(err, kind, "%s; %s", why.text, cure) : -1;
}

static int
create_domain(struct session *s, struct error *err)
{
	if (openshift_domain_create(s->openshift, s->in->isv->domain, s->deadline, err) == 0)
		return 0;
	advise(err, ERROR_QUOTA, RAISE_LIMIT);
	return advise(err, ERROR_CONFLICT, "choose another openshift_domain in raas.cfg");
}

static int
create_app(struct session *s, struct error *err)
{
	const struct openshift_config *c = &s->in->config->openshift;
	const struct isv *isv = s->in->isv;
	struct openshift_variable variables[N_CRANE_VARIABLES];
	size_t i;

	for (i = 0; i < N_CRANE_VARIABLES; i++)
		variables[i] = (struct openshift_variable){ crane_variables[i].name,
		    crane_variables[i].value };
	if (openshift_app_create(s->openshift, &(struct openshift_new_app){
	    .domain = isv->domain, .name = isv->app, .cartridge = c->cartridge,
	    .git_url = c->app_git_url, .git_branch = c->app_git_branch, .scale = isv->scale,
	    .gear_size = isv->gear_size, .variables = variables,
	    .n_variables = N_CRANE_VARIABLES }, NULL, s->deadline, err) == -1)
		return advise(err, ERROR_QUOTA, RAISE_LIMIT);
	return 0;
}

/* An environment variable counts from the next start of the app. */
static int
set_variables(struct session *s, const struct observed *o, struct error *err)
{
	struct openshift_variable variables[N_CRANE_VARIABLES];
	size_t i;

	for (i = 0; i < N_CRANE_VARIABLES; i++)
		variables[i] = (struct openshift_variable){ crane_variables[i].name,
		    crane_variables[i].value };
	if (openshift_variables_set(s->openshift, o->app.id, variables, N_CRANE_VARIABLES,
	    s->deadline, err) == -1)
		return -1;
	return openshift_app_restart(s->openshift, o->app.id, s->deadline, err);
}

/* Says which switch of the bucket stands against a public policy, when one does. */
static void
explain_refusal(struct session *s, struct error *err)
{
	struct s3_public_block block;

	if (err->kind != ERROR_CREDENTIALS ||
	    s3_public_block_get(s->s3, s->in->isv->bucket, &block, s->deadline, NULL) == -1 ||
	    (!block.block_policy && !block.restrict_buckets))
		return;
	error_set(err, ERROR_CREDENTIALS, "bucket '%s': Block Public Access is on; turn off "
	    "BlockPublicPolicy and RestrictPublicBuckets for it, or say 's3_access = none' in "
	    "raas.cfg and give the readers access yourself", s->in->isv->bucket);
}

static int
set_policy(struct session *s, struct error *err)
{
	const char *bucket = s->in->isv->bucket;
	cleanup(buf_done) struct buf old = BUF_INIT;
	cleanup(free_p) char *policy = NULL;
	bool found;

	if (s3_policy_get(s->s3, bucket, &old, &found, s->deadline, err) == -1 ||
	    (policy = access_policy_add(found ? buf_str(&old) : NULL, bucket, err)) == NULL)
		return -1;
	if (s3_policy_put(s->s3, bucket, policy, s->deadline, err) == -1) {
		explain_refusal(s, err);
		return -1;
	}
	return 0;
}

static int
make_public(void *arg, const char *key, const struct s3_object *object, struct error *err)
{
	struct session *s = arg;

	(void)object;
	return s3_acl_put(s->s3, s->in->isv->bucket, key, S3_ACL_PUBLIC_READ, s->deadline, err);
}

static int
set_acls(struct session *s, struct error *err)
{
	return s3_object_list(s->s3, s->in->isv->bucket, "", 0, make_public, s, s->deadline, err);
}

/* ---- files ---- */

static void
note_base(struct reconcile_result *out, const char *name, const struct blob_id *content)
{
	out->base = xreallocarray(out->base, out->n_base + 1, sizeof(*out->base));
	out->base[out->n_base++] = (struct base_file){ xstrdup(name), *content };
}

static int
read_content(struct session *s, const struct step_file *f, struct buf *out, struct error *err)
{
	if (f->redhat)
		return session_read_mask(s, f->name, out, err);
	return session_read_config(s, &f->content, out, err);
}

/* 1: somebody else was faster. */
static int
push_changes(struct session *s, const struct app_repo_change *changes, size_t n, struct error *err)
{
	cleanup(free_p) char *message = xasprintf("crane/data: metadata of %s\n", s->in->isv->name);
	struct deadline deadline = session_git_deadline(s);
	enum app_repo_result result;

	if (app_repo_push(s->app_repo, changes, n, message, &s->in->places->author, &result,
	    &deadline, err) == -1)
		return error_prefix(err, "app repo");
	if (result == APP_REPO_BEHIND)
		return 1;
	return result == APP_REPO_DONE ? 0 : error_prefix(err, "app repo");
}

static int
push_files(struct session *s, const struct step *step, struct reconcile_result *out,
    struct error *err)
{
	cleanup(free_p) struct app_repo_change *changes = xcalloc(step->n_files, sizeof(*changes));
	cleanup(free_p) struct buf *bytes = xcalloc(step->n_files, sizeof(*bytes));
	int status = 0;
	size_t i;

	for (i = 0; i < step->n_files && status == 0; i++) {
		const struct step_file *f = &step->files[i];

		changes[i] = (struct app_repo_change){ .name = f->name };
		if (f->remove)
			continue;
		status = read_content(s, f, &bytes[i], err);
		changes[i].data = buf_str(&bytes[i]);
		changes[i].len = bytes[i].len;
	}
	if (status == 0)
		status = push_changes(s, changes, step->n_files, err);
	for (i = 0; i < step->n_files; i++) {
		if (status == 0 && !step->files[i].redhat)
			note_base(out, step->files[i].name, &step->files[i].content);
		buf_done(&bytes[i]);
	}
	return status;
}

/* The content travels to the loop, which has the config thread commit it; the base is moved
 * only once that commit is on disk. */
static int
back_up_files(struct session *s, const struct step *step, struct reconcile_result *out,
    struct error *err)
{
	size_t i;

	/* An earlier round's are the same files, looked at again. */
	reconcile_result_drop_backups(out);
	for (i = 0; i < step->n_files; i++) {
		struct backup b = { .content = step->files[i].content, .bytes = BUF_INIT };

		if (session_read_app(s, &b.content, &b.bytes, err) == -1) {
			buf_done(&b.bytes);
			return -1;
		}
		b.name = xstrdup(step->files[i].name);
		out->backups = xreallocarray(out->backups, out->n_backups + 1,
		    sizeof(*out->backups));
		out->backups[out->n_backups++] = b;
	}
	return 0;
}

int
act(struct session *s, const struct step *step, const struct observed *o,
    struct reconcile_result *out, struct error *err)
{
	const struct isv *isv = s->in->isv;

	switch (step->kind) {
	case STEP_CREATE_DOMAIN:
		return create_domain(s, err);
	case STEP_CREATE_APP:
		out->deployed = true;
		return create_app(s, err);
	case STEP_SET_VARIABLES:
		out->deployed = true;
		return set_variables(s, o, err);
	case STEP_SET_DEPLOYMENT:
		return openshift_app_update(s->openshift, o->app.id, DEPLOYMENT_BRANCH, true,
		    s->deadline, err);
	case STEP_CREATE_BUCKET:
		return s3_bucket_create(s->s3, isv->bucket, s->deadline, err);
	case STEP_SET_POLICY:
		return set_policy(s, err);
	case STEP_SET_ACLS:
		return set_acls(s, err);
	case STEP_PUSH_FILES:
		out->deployed = true;
		return push_files(s, step, out, err);
	case STEP_BACKUP_FILES:
		return back_up_files(s, step, out, err);
	case STEP_RESTART_APP:
		out->deployed = true;
		return openshift_app_restart(s->openshift, o->app.id, s->deadline, err);
	}
	return error_set(err, ERROR_INTERNAL, "unknown step %d", (int)step->kind);
}
