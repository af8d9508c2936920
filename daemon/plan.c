#include "daemon/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/buf.h"

const struct app_variable crane_variables[N_CRANE_VARIABLES] = {
	{ "OPENSHIFT_PYTHON_WSGI_APPLICATION", "crane/wsgi.py" },
	{ "OPENSHIFT_PYTHON_DOCUMENT_ROOT", "crane/" },
	{ "HAPROXY_CARTRIDGE_HTTPCHK_URI", "/v1/_ping" },
};

const char *
resource_kind_name(enum resource_kind kind)
{
	static const char *const names[N_RESOURCE_KINDS] = {
		[RESOURCE_DOMAIN] = "domain", [RESOURCE_APP] = "app", [RESOURCE_BUCKET] = "bucket",
		[RESOURCE_ACCESS] = "access", [RESOURCE_REDHAT_METADATA] = "redhat-metadata",
		[RESOURCE_METADATA] = "metadata", [RESOURCE_LAYERS] = "layers",
		[RESOURCE_HEALTH] = "health",
	};

	return names[kind];
}

const char *
resource_state_name(enum resource_state state)
{
	static const char *const names[] = {
		[STATE_UNKNOWN] = "unknown", [STATE_OK] = "ok", [STATE_DRIFT] = "drift",
		[STATE_MISSING] = "missing", [STATE_FAILED] = "failed",
	};

	return names[state];
}

/* Sets a resource's state and says why (fmt NULL: nothing to say). */
static struct resource *
judge(struct plan *p, enum resource_kind kind, enum resource_state state, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static struct resource *
judge(struct plan *p, enum resource_kind kind, enum resource_state state, const char *fmt, ...)
{
	struct resource *r = &p->resources[kind];
	va_list ap;

	r->state = state;
	free(r->detail);
	r->detail = NULL;
	if (fmt != NULL) {
		va_start(ap, fmt);
		if (vasprintf(&r->detail, fmt, ap) == -1)
			abort();
		va_end(ap);
	}
	return r;
}

/* A step reads "VERB REST" before it is done, and "PAST REST" afterwards. */
static struct step *add_step(struct plan *, enum step_kind, enum resource_kind, const char *verb,
    const char *past, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

static struct step *
add_step(struct plan *p, enum step_kind kind, enum resource_kind resource, const char *verb,
    const char *past, const char *fmt, ...)
{
	struct step *step;
	char *rest;
	va_list ap;

	p->steps = xreallocarray(p->steps, p->n_steps + 1, sizeof(*p->steps));
	step = &p->steps[p->n_steps++];
	*step = (struct step){ .kind = kind, .resource = resource };
	va_start(ap, fmt);
	if (vasprintf(&rest, fmt, ap) == -1)
		abort();
	va_end(ap);
	step->text = xasprintf("%s %s", verb, rest);
	step->past = xasprintf("%s %s", past, rest);
	free(rest);
	return step;
}

static void
add_file(struct step *step, const struct observed_file *f, const struct blob_id *content)
{
	step->files = xreallocarray(step->files, step->n_files + 1, sizeof(*step->files));
	step->files[step->n_files++] = (struct step_file){ .name = xstrdup(f->name),
	    .redhat = f->redhat, .remove = blob_id_none(content), .content = *content };
}

/* True when there is nothing to compare, which is then judged. */
static bool
unseen(struct plan *p, enum resource_kind kind, const struct sighting *s)
{
	if (s->sight == SIGHT_FAILED)
		judge(p, kind, STATE_UNKNOWN, "%s", s->error.text);
	return s->sight == SIGHT_NONE || s->sight == SIGHT_FAILED;
}

static void
plan_domain(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	if (unseen(p, RESOURCE_DOMAIN, &o->domain))
		return;
	if (o->domain.sight == SIGHT_PRESENT) {
		judge(p, RESOURCE_DOMAIN, STATE_OK, NULL);
	} else if (in->isv->create) {
		judge(p, RESOURCE_DOMAIN, STATE_MISSING, NULL);
		add_step(p, STEP_CREATE_DOMAIN, RESOURCE_DOMAIN, "create", "created", "domain '%s'",
		    in->isv->domain);
	} else {
		judge(p, RESOURCE_DOMAIN, STATE_MISSING,
		    "not there, and raas.cfg says 'create = no'; create it, or say 'create = yes'");
	}
}

/* What differs and the API cannot change, as one line; NULL: nothing. */
static char *
fixed_differences(const struct plan_input *in, const struct observed_app *app)
{
	struct buf text = BUF_INIT;

	if (app->cartridge != NULL && strcmp(app->cartridge, in->openshift->cartridge) != 0)
		buf_printf(&text, "cartridge is %s, not %s; ", app->cartridge,
		    in->openshift->cartridge);
	if (app->scale != in->isv->scale)
		buf_printf(&text, "%s, raas.cfg says openshift_scale = %s; ",
		    app->scale ? "scales" : "does not scale", in->isv->scale ? "yes" : "no");
	if (app->gear_size != NULL && strcmp(app->gear_size, in->isv->gear_size) != 0)
		buf_printf(&text, "gear size is %s, not %s; ", app->gear_size, in->isv->gear_size);
	if (text.len == 0) {
		buf_done(&text);
		return NULL;
	}
	buf_add_str(&text, "only making the app again can change that");
	return buf_take(&text);
}

static void
plan_existing_app(const struct plan_input *in, const struct observed_app *app, struct plan *p)
{
	char *fixed = fixed_differences(in, app);

	if (fixed != NULL)
		judge(p, RESOURCE_APP, STATE_DRIFT, "%s", fixed);
	else
		judge(p, RESOURCE_APP, STATE_OK, NULL);
	free(fixed);
	if (app->variables.sight == SIGHT_FAILED)
		judge(p, RESOURCE_APP, STATE_UNKNOWN, "%s", app->variables.error.text);
	if (app->variables.sight == SIGHT_ABSENT) {
		judge(p, RESOURCE_APP, STATE_DRIFT, "environment variables for Crane are not set");
		add_step(p, STEP_SET_VARIABLES, RESOURCE_APP, "set", "set",
		    "Crane's environment variables of app '%s'", in->isv->app);
	}
	if (app->deployment_branch != NULL &&
	    (strcmp(app->deployment_branch, DEPLOYMENT_BRANCH) != 0 || !app->auto_deploy)) {
		judge(p, RESOURCE_APP, STATE_DRIFT, "deploys branch '%s'%s",
		    app->deployment_branch, app->auto_deploy ? "" : ", and not by itself");
		add_step(p, STEP_SET_DEPLOYMENT, RESOURCE_APP, "set", "set",
		    "app '%s' to deploy branch '" DEPLOYMENT_BRANCH "' at each push", in->isv->app);
	}
}

static void
plan_app(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	if (unseen(p, RESOURCE_APP, &o->app.seen))
		return;
	if (o->app.seen.sight == SIGHT_PRESENT) {
		plan_existing_app(in, &o->app, p);
	} else if (in->isv->create) {
		judge(p, RESOURCE_APP, STATE_MISSING, NULL);
		add_step(p, STEP_CREATE_APP, RESOURCE_APP, "create", "created",
		    "app '%s' in domain '%s'", in->isv->app, in->isv->domain);
	} else {
		judge(p, RESOURCE_APP, STATE_MISSING,
		    "not there, and raas.cfg says 'create = no'; create it, or say 'create = yes'");
	}
}

/* "", "US", "default" (Ceph) and us-east-1 are names of one place, or of no place at all. */
static bool
same_region(const char *seen, const char *wanted)
{
	if (seen == NULL || seen[0] == '\0' || strcmp(seen, "default") == 0)
		return true;
	if (strcmp(seen, "EU") == 0)
		seen = "eu-west-1";
	return strcmp(seen, wanted) == 0;
}

static void
plan_bucket(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	const struct observed_bucket *b = &o->bucket;

	if (unseen(p, RESOURCE_BUCKET, &b->seen))
		return;
	if (b->seen.sight == SIGHT_PRESENT) {
		if (same_region(b->region, in->aws->region))
			judge(p, RESOURCE_BUCKET, STATE_OK, NULL);
		else
			judge(p, RESOURCE_BUCKET, STATE_DRIFT,
			    "is in region %s, raas.cfg says %s; a bucket cannot be moved",
			    b->region, in->aws->region);
	} else if (b->foreign) {
		judge(p, RESOURCE_BUCKET, STATE_FAILED, "belongs to another account, or these "
		    "credentials may not use it; choose another s3_bucket in raas.cfg");
	} else if (in->isv->create) {
		judge(p, RESOURCE_BUCKET, STATE_MISSING, NULL);
		add_step(p, STEP_CREATE_BUCKET, RESOURCE_BUCKET, "create", "created", "bucket '%s'",
		    in->isv->bucket);
	} else {
		judge(p, RESOURCE_BUCKET, STATE_MISSING,
		    "not there, and raas.cfg says 'create = no'; create it, or say 'create = yes'");
	}
}

static void
plan_access_step(const struct plan_input *in, enum access_need need, struct plan *p)
{
	if (need == ACCESS_FIND)
		add_step(p, STEP_FIND_ACCESS, RESOURCE_ACCESS, "make", "made",
		    "the images in bucket '%s' readable for everybody", in->isv->bucket);
	else if (need == ACCESS_SET_ACLS)
		add_step(p, STEP_SET_ACLS, RESOURCE_ACCESS, "set", "set",
		    "a public-read ACL on the images in bucket '%s'", in->isv->bucket);
	else
		add_step(p, STEP_SET_POLICY, RESOURCE_ACCESS, "set", "set",
		    "a policy on bucket '%s' that lets everybody read its images", in->isv->bucket);
}

static void
plan_access(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	const struct observed_bucket *b = &o->bucket;
	const char *detail = b->access_detail;

	if (in->isv->access == S3_ACCESS_NONE) {
		judge(p, RESOURCE_ACCESS, STATE_OK, "not managed: s3_access = none");
		return;
	}
	if (unseen(p, RESOURCE_ACCESS, &b->access))
		return;
	if (b->access.sight == SIGHT_PRESENT) {
		judge(p, RESOURCE_ACCESS, STATE_OK, detail != NULL ? "%s" : NULL, detail);
		return;
	}
	if (b->access_need == ACCESS_EXPOSED) {
		judge(p, RESOURCE_ACCESS, STATE_DRIFT, "everybody can read the objects, and raas.cfg "
		    "says 's3_access = presigned'; take the bucket's public policy or the objects' "
		    "ACLs away, or say 's3_access = auto'");
		return;
	}
	judge(p, RESOURCE_ACCESS, STATE_DRIFT, "%s", b->access_need == ACCESS_FIND
	    ? "not known yet how layers become readable"
	    : "layers cannot be read without credentials");
	plan_access_step(in, b->access_need, p);
}

/* How the files of one owner stand; counts for the resource's detail. */
struct file_counts {
	size_t		 same, push, backup, conflict, invalid;
	const char	*first_conflict;
	const char	*first_invalid;
	const char	*why_invalid;
};

/* The one step that carries all files of its kind; its text is made when all are in it. */
static struct step *
step_of_kind(struct plan *p, enum step_kind kind, enum resource_kind resource)
{
	size_t i;

	for (i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == kind)
			return &p->steps[i];
	p->steps = xreallocarray(p->steps, p->n_steps + 1, sizeof(*p->steps));
	p->steps[p->n_steps] = (struct step){ .kind = kind, .resource = resource };
	return &p->steps[p->n_steps++];
}

#define NAMES_SHOWN 3

static void
name_files(struct plan *p)
{
	size_t i, j;

	for (i = 0; i < p->n_steps; i++) {
		struct step *step = &p->steps[i];
		bool push = step->kind == STEP_PUSH_FILES;
		struct buf names = BUF_INIT;

		if (step->text != NULL)
			continue;
		for (j = 0; j < step->n_files && j < NAMES_SHOWN; j++)
			buf_printf(&names, "%s%s%s", j > 0 ? ", " : "",
			    step->files[j].remove ? "removal of " : "", step->files[j].name);
		if (step->n_files > NAMES_SHOWN)
			buf_printf(&names, " and %zu more", step->n_files - NAMES_SHOWN);
		step->text = xasprintf(push ? "push to the app repo: %s"
		    : "back up to the config repo: %s", buf_str(&names));
		step->past = xasprintf(push ? "pushed to the app repo: %s"
		    : "backed up to the config repo: %s", buf_str(&names));
		buf_done(&names);
	}
}

static void
plan_file(const struct plan_input *in, const struct observed_file *f, struct plan *p,
    struct file_counts *n)
{
	/* Red Hat's files have one source: what it says is right. */
	enum merge_action action = !f->redhat ? merge_decide(&f->ids, in->take) :
	    blob_id_equal(&f->ids.config, &f->ids.app) ? MERGE_SAME : MERGE_PUSH;
	enum resource_kind resource = f->redhat ? RESOURCE_REDHAT_METADATA : RESOURCE_METADATA;

	if (f->invalid != NULL && action != MERGE_SAME) {
		if (n->invalid++ == 0) {
			n->first_invalid = f->name;
			n->why_invalid = f->invalid;
		}
		return;
	}
	switch (action) {
	case MERGE_SAME:
		n->same++;
		break;
	case MERGE_PUSH:
	case MERGE_REMOVE:
		n->push++;
		add_file(step_of_kind(p, STEP_PUSH_FILES, resource), f, &f->ids.config);
		break;
	case MERGE_BACKUP:
		n->backup++;
		add_file(step_of_kind(p, STEP_BACKUP_FILES, resource), f, &f->ids.app);
		break;
	case MERGE_CONFLICT:
		if (n->conflict++ == 0)
			n->first_conflict = f->name;
		break;
	}
}

static void
judge_files(const struct plan_input *in, struct plan *p, enum resource_kind kind,
    const struct file_counts *n)
{
	if (n->conflict > 0) {
		judge(p, kind, STATE_DRIFT, "%zu file%s changed in the config repo and in the app, "
		    "'%s' first; choose with: raasctl resolve %s --take config|app", n->conflict,
		    n->conflict == 1 ? "" : "s", n->first_conflict, in->isv->name)->conflict = true;
	} else if (n->invalid > 0) {
		judge(p, kind, STATE_FAILED, "'%s' is not valid Crane metadata and is left alone: %s",
		    n->first_invalid, n->why_invalid);
	} else if (n->push > 0 || n->backup > 0) {
		judge(p, kind, STATE_DRIFT, "%zu to push, %zu to back up", n->push, n->backup);
	} else {
		judge(p, kind, STATE_OK, "%zu file%s", n->same, n->same == 1 ? "" : "s");
	}
}

static void
plan_files(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	struct file_counts redhat = { 0 }, own = { 0 };
	size_t i;

	if (o->redhat.sight == SIGHT_FAILED)
		judge(p, RESOURCE_REDHAT_METADATA, STATE_UNKNOWN, "%s", o->redhat.error.text);
	if (o->app_repo.sight == SIGHT_FAILED) {
		judge(p, RESOURCE_METADATA, STATE_UNKNOWN, "%s", o->app_repo.error.text);
		return;
	}
	if (o->app_repo.sight != SIGHT_PRESENT)
		return;
	for (i = 0; i < o->n_files; i++)
		plan_file(in, &o->files[i], p, o->files[i].redhat ? &redhat : &own);
	name_files(p);
	judge_files(in, p, RESOURCE_METADATA, &own);
	if (o->redhat.sight != SIGHT_FAILED)
		judge_files(in, p, RESOURCE_REDHAT_METADATA, &redhat);
}

static void
plan_layers(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	const struct observed_layers *l = &o->layers;

	if (unseen(p, RESOURCE_LAYERS, &l->seen))
		return;
	if (l->missing == 0 && l->wrong_size == 0 && l->unreferenced > 0)
		judge(p, RESOURCE_LAYERS, STATE_OK, "%zu object%s, and %zu of %.1f MiB that no metadata "
		    "names; see: raasctl gc %s", l->expected, l->expected == 1 ? "" : "s",
		    l->unreferenced, (double)l->unreferenced_bytes / (1 << 20), in->isv->name);
	else if (l->missing == 0 && l->wrong_size == 0)
		judge(p, RESOURCE_LAYERS, STATE_OK, "%zu object%s", l->expected,
		    l->expected == 1 ? "" : "s");
	else
		judge(p, RESOURCE_LAYERS, STATE_MISSING,
		    "%zu of %zu objects missing, %zu of a wrong size, '%s' first; publish the image "
		    "again", l->missing, l->expected, l->wrong_size,
		    l->first_bad != NULL ? l->first_bad : "?");
}

static void
plan_health(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	const struct observed_health *h = &o->health;

	switch (h->seen.sight) {
	case SIGHT_NONE:
		return;
	case SIGHT_PRESENT:
		judge(p, RESOURCE_HEALTH, STATE_OK, NULL);
		return;
	case SIGHT_ABSENT:
		judge(p, RESOURCE_HEALTH, STATE_DRIFT, "%s",
		    h->detail != NULL ? h->detail : "does not serve what the metadata names");
		break;
	case SIGHT_FAILED:
		judge(p, RESOURCE_HEALTH, STATE_FAILED, "%s", h->seen.error.text);
		break;
	}
	/* Every third failure in a row, not each one after the third: a restart takes time. */
	if (in->isv->restart && o->app.seen.sight == SIGHT_PRESENT &&
	    (h->failures_before + 1) % HEALTH_FAILURES_BEFORE_RESTART == 0)
		add_step(p, STEP_RESTART_APP, RESOURCE_HEALTH, "restart", "restarted", "app '%s'",
		    in->isv->app);
}

static void
name_resources(const struct plan_input *in, struct plan *p)
{
	const struct isv *isv = in->isv;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++)
		p->resources[i].kind = (enum resource_kind)i;
	p->resources[RESOURCE_DOMAIN].name = xstrdup(isv->domain);
	p->resources[RESOURCE_APP].name = xasprintf("%s/%s", isv->domain, isv->app);
	p->resources[RESOURCE_BUCKET].name = xstrdup(isv->bucket);
	p->resources[RESOURCE_ACCESS].name = xstrdup(isv->bucket);
	p->resources[RESOURCE_REDHAT_METADATA].name = xstrdup("crane/data");
	p->resources[RESOURCE_METADATA].name = xasprintf("%s/metadata", isv->name);
	p->resources[RESOURCE_LAYERS].name = xstrdup(isv->bucket);
	p->resources[RESOURCE_HEALTH].name = xstrdup(isv->fqdn != NULL ? isv->fqdn : isv->app);
}

void
plan_make(const struct plan_input *in, const struct observed *o, struct plan *p)
{
	*p = (struct plan)PLAN_INIT;
	name_resources(in, p);
	plan_domain(in, o, p);
	plan_app(in, o, p);
	plan_bucket(in, o, p);
	plan_access(in, o, p);
	plan_files(in, o, p);
	plan_layers(in, o, p);
	plan_health(in, o, p);
}

void
plan_succeed(struct plan *p, enum resource_kind kind)
{
	if (p->resources[kind].state == STATE_DRIFT || p->resources[kind].state == STATE_MISSING)
		judge(p, kind, STATE_OK, NULL);
}

void
plan_fail(struct plan *p, enum resource_kind kind, const struct error *err)
{
	judge(p, kind, STATE_FAILED, "%s", err->text);
}

void
plan_done(struct plan *p)
{
	size_t i, j;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		free(p->resources[i].name);
		free(p->resources[i].detail);
	}
	for (i = 0; i < p->n_steps; i++) {
		for (j = 0; j < p->steps[i].n_files; j++)
			free(p->steps[i].files[j].name);
		free(p->steps[i].files);
		free(p->steps[i].text);
		free(p->steps[i].past);
	}
	free(p->steps);
	*p = (struct plan)PLAN_INIT;
}
