#include "daemon/act.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

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

static struct access_target
access_target(const struct session *s, const struct observed *o)
{
	return (struct access_target){ s->in->isv->bucket, &o->prefixes, o->layers.first_found };
}

static int
find_access(struct session *s, const struct observed *o, struct error *err)
{
	struct access_target target = access_target(s, o);

	return access_find(s->s3, &target, &s->access, s->deadline, err);
}

/* What is refused although it once worked is found out afresh the next time. */
static int
grant_access(struct session *s, const struct observed *o, enum access_method method,
    struct error *err)
{
	struct access_target target = access_target(s, o);

	if (access_grant(s->s3, &target, method, s->deadline, err) == 0)
		return 0;
	if (err->kind != ERROR_REMOTE && err->kind != ERROR_CANCELLED)
		s->access = ACCESS_UNKNOWN;
	return -1;
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
	case STEP_FIND_ACCESS:
		return find_access(s, o, err);
	case STEP_SET_POLICY:
		return grant_access(s, o, ACCESS_POLICY, err);
	case STEP_SET_ACLS:
		return grant_access(s, o, ACCESS_ACL, err);
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
