#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/metadata-merge.h"
#include "daemon/publish-work.h"
#include "daemon/validate.h"

#define PUSH_ROUNDS 8		/* while others push to the app at the same time */
#define TYPE_TAGS_LIST "application/json"

/* ---- what there is ---- */

static void
file_forget(struct publish_file *f)
{
	buf_clear(&f->before);
	crane_metadata_free(f->old);
	f->old = NULL;
	f->config = (struct blob_id){ "" };
}

static void
neighbours_done(struct publish *p)
{
	while (p->n_neighbours > 0) {
		free(p->neighbours[--p->n_neighbours].prefix);
		crane_metadata_free(p->neighbours[p->n_neighbours].metadata);
	}
	free(p->neighbours);
	p->neighbours = NULL;
}

/* Takes the metadata. */
static void
add_neighbour(struct publish *p, const char *prefix, struct crane_metadata *m)
{
	p->neighbours = xreallocarray(p->neighbours, p->n_neighbours + 1, sizeof(*p->neighbours));
	p->neighbours[p->n_neighbours++] = (struct publish_neighbour){ xstrdup(prefix), m };
}

/* The content that is to stand, as a sync would decide. NULL: it is not valid, or is being removed. */
static struct crane_metadata *
read_file(struct publish *p, const struct observed_file *f)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	bool from_config = merge_decide(&f->ids, p->session->in->take) == MERGE_PUSH;

	if ((from_config ? session_read_config(p->session, &f->ids.config, &text, NULL)
	    : session_read_app(p->session, &f->ids.app, &text, NULL)) == -1)
		return NULL;
	return crane_metadata_parse(buf_str(&text), text.len, NULL);
}

/* Takes the metadata. */
static int
note_own_file(struct publish *p, const struct observed_file *f, struct crane_metadata *m,
    struct error *err)
{
	struct publish_file *own = &p->files[m->version == 1 ? CRANE_V1 : CRANE_V2];

	if (own->old != NULL) {
		crane_metadata_free(m);
		return error_set(err, ERROR_CONFLICT, "both '%s' and '%s' say that they are image "
		    "'%s'", own->name, f->name, p->place.name);
	}
	free(own->name);
	own->name = xstrdup(f->name);
	own->old = m;
	own->config = f->ids.config;
	if (!blob_id_none(&f->ids.app) &&
	    session_read_app(p->session, &f->ids.app, &own->before, err) == -1)
		return -1;
	/* What is there because we put it there is not what there was before. */
	if (own->after.len > 0 && own->before.len == own->after.len &&
	    memcmp(own->before.data, own->after.data, own->after.len) == 0)
		return 0;
	buf_clear(&own->undo);
	buf_add(&own->undo, buf_str(&own->before), own->before.len);
	return 0;
}

static int
note_file(struct publish *p, const struct observed_file *f, struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(free_p) char *prefix = NULL;
	enum merge_action action = merge_decide(&f->ids, p->session->in->take);

	if (f->redhat || f->invalid != NULL || action == MERGE_REMOVE ||
	    (blob_id_none(&f->ids.app) && blob_id_none(&f->ids.config)) ||
	    (m = read_file(p, f)) == NULL)
		return 0;
	prefix = crane_metadata_prefix(m, p->session->public_base);
	if (strcmp(m->registry_id, p->place.name) != 0) {
		if (strcmp(prefix, p->prefix) == 0)
			return error_set(err, ERROR_CONFLICT, "image '%s' has its objects in the "
			    "same folder '%s' of the bucket", m->registry_id, prefix);
		add_neighbour(p, prefix, steal(m));
		return 0;
	}
	if (action == MERGE_CONFLICT)
		return error_set(err, ERROR_CONFLICT, "'%s' was changed in the config repo and in "
		    "the app; 'raasctl resolve %s' decides", f->name, p->session->in->isv->name);
	if (strcmp(prefix, p->prefix) != 0 && !p->order->remove)
		return error_set(err, ERROR_CONFLICT, "'%s' has the image's objects at %s; unpublish "
		    "it first", f->name, m->url);
	return note_own_file(p, f, steal(m), err);
}

/* Another ISV may have the same bucket: its images are in the way, or of use. */
static int
note_sharers_file(struct publish *p, const struct isv *sharer, const struct repo_file *f,
    struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *prefix = NULL;

	if (config_view_read_blob(p->session->view, &f->oid, &text, err) == -1)
		return -1;
	if ((m = crane_metadata_parse(buf_str(&text), text.len, NULL)) == NULL)
		return 0;
	prefix = crane_metadata_prefix(m, p->session->public_base);
	if (strcmp(prefix, p->prefix) == 0 && !p->order->remove)
		return error_set(err, ERROR_CONFLICT, "isv '%s' has its image '%s' in folder '%s' of "
		    "the same bucket", sharer->name, m->registry_id, prefix);
	add_neighbour(p, prefix, steal(m));
	return 0;
}

static int
look_at_sharers(struct publish *p, struct error *err)
{
	const struct config *c = p->session->in->config;
	const struct isv *isv = p->session->in->isv;
	size_t i, k;

	for (i = 0; i < c->n_isvs; i++) {
		cleanup(repo_files_done) struct repo_files files = { NULL, 0, { NULL, 0 } };

		if (&c->isvs[i] == isv || !text_equal(c->isvs[i].bucket, isv->bucket))
			continue;
		if (config_view_metadata(p->session->view, &p->session->in->tip, c->isvs[i].name,
		    &files, err) == -1)
			return -1;
		for (k = 0; k < files.n; k++)
			if (note_sharers_file(p, &c->isvs[i], &files.files[k], err) == -1)
				return -1;
	}
	return 0;
}

int
publish_look(struct publish *p, struct error *err)
{
	size_t i;

	for (i = 0; i < N_CRANE_KINDS; i++)
		file_forget(&p->files[i]);
	neighbours_done(p);
	observed_done(&p->observed);
	p->observed = (struct observed)OBSERVED_INIT;
	if (session_look_files(p->session, &p->observed, err) == -1)
		return -1;
	for (i = 0; i < p->observed.n_files; i++)
		if (note_file(p, &p->observed.files[i], err) == -1)
			return -1;
	return look_at_sharers(p, err);
}

/* ---- the new files ---- */

static bool
name_taken(const struct publish *p, const char *name)
{
	size_t i;

	for (i = 0; i < N_CRANE_KINDS; i++)
		if (text_equal(p->files[i].name, name))
			return true;
	for (i = 0; i < p->observed.n_files; i++)
		if (strcmp(p->observed.files[i].name, name) == 0 &&
		    (!blob_id_none(&p->observed.files[i].ids.app) ||
		    !blob_id_none(&p->observed.files[i].ids.config)))
			return true;
	return false;
}

/* "isv1-some-app.json"; the second of an image's two files has its kind in its name. */
static int
choose_name(struct publish *p, enum crane_kind kind, struct error *err)
{
	struct publish_file *f = &p->files[kind];
	cleanup(free_p) char *plain = xasprintf("%s.json", p->repository);
	cleanup(free_p) char *second = xasprintf("%s-v%d.json", p->repository,
	    kind == CRANE_V1 ? 1 : 2);

	if (f->name != NULL)
		return 0;
	if (!name_taken(p, plain))
		f->name = steal(plain);
	else if (!name_taken(p, second))
		f->name = steal(second);
	return f->name != NULL ? 0 : error_set(err, ERROR_CONFLICT, "'%s' and '%s' are both taken "
	    "by other images", plain, second);
}

/* The file's text as `old` becomes by this image; NULL with err. */
static char *
compose(struct publish *p, enum crane_kind kind, const struct crane_metadata *old,
    struct error *err)
{
	return kind == CRANE_V1 ? crane_write_v1(&p->place, p->image, old)
	    : crane_write(&p->place, p->image, old, err);
}

static int
write_file(struct publish *p, enum crane_kind kind, struct error *err)
{
	struct publish_file *f = &p->files[kind];
	cleanup(free_p) char *text = NULL, *own = NULL;

	if (choose_name(p, kind, err) == -1 ||
	    (text = compose(p, kind, f->old, err)) == NULL ||
	    (own = compose(p, kind, NULL, err)) == NULL)
		return -1;
	crane_metadata_free(f->new);
	crane_metadata_free(f->own);
	f->own = NULL;
	if ((f->new = crane_metadata_parse(text, strlen(text), err)) == NULL ||
	    (f->own = crane_metadata_parse(own, strlen(own), err)) == NULL)
		return error_prefix(err, "the new metadata");
	buf_clear(&f->after);
	buf_add_str(&f->after, text);
	return 0;
}

static int
write_files(struct publish *p, struct error *err)
{
	if (p->order->remove)
		return 0;
	if (p->image->n_manifests > 0 && write_file(p, CRANE_V2, err) == -1)
		return -1;
	return p->image->n_v1 > 0 ? write_file(p, CRANE_V1, err) : 0;
}

static int
put_text(struct publish *p, const char *key, const char *type, const void *data, size_t len,
    struct error *err)
{
	bool sent;

	if (upload_text(p->session->s3, &p->to, key, type, data, len, &sent, p->deadline,
	    err) == -1)
		return -1;
	p->job->totals.bytes += sent ? len : 0;
	return 0;
}

/* Does the original Crane serve the tag from that folder now? */
static bool
is_served_from(const struct publish *p, const char *tag, const char *folder)
{
	const struct crane_metadata *old = p->files[CRANE_V2].old;
	const struct crane_tag *t = old != NULL ? crane_tags_find(&old->raas_tags, tag) : NULL;
	const struct crane_manifest *m = t != NULL ? crane_metadata_manifest(old, t->target) : NULL;

	return m != NULL && strcmp(crane_manifest_folder(m->type), folder) == 0;
}

/* The original Crane redirects to a tag's own copy of its manifest, and clients ask by its digest
 * next, which they only find once the metadata names it. So a copy that is served is replaced
 * after the metadata, and one that is not is made before it. */
static int
put_tags(struct publish *p, bool served, struct error *err)
{
	size_t i;

	for (i = 0; i < p->image->n_tags; i++) {
		const struct image_tag *t = &p->image->tags[i];
		const struct image_manifest *m = image_manifest_find(p->image, t->digest);
		const char *folder = m != NULL ? crane_manifest_folder(m->type) : NULL;
		cleanup(free_p) char *key = NULL;

		if (m == NULL)
			return error_set(err, ERROR_INTERNAL, "tag '%s' names no manifest", t->name);
		if (is_served_from(p, t->name, folder) != served)
			continue;
		key = xasprintf("%smanifests/%s/%s", p->prefix, folder, t->name);
		if (put_text(p, key, m->type, m->data, m->len, err) == -1)
			return -1;
	}
	return 0;
}

static int
put_tags_list(struct publish *p, const struct crane_metadata *m, struct error *err)
{
	cleanup(free_p) char *key = xasprintf("%stags/list", p->prefix);
	cleanup(free_p) char *text = crane_write_tags_list(m);

	return put_text(p, key, TYPE_TAGS_LIST, text, strlen(text), err);
}

/* ---- to the app ---- */

/* Pushes the files as they become, or as they were. */
static int
push(struct publish *p, bool undo, enum app_repo_result *result, struct error *err)
{
	const char *verb = undo ? "put back" : p->order->remove ? "unpublish" : "publish";
	cleanup(free_p) char *message = xasprintf("%s: %s %s\n", p->session->in->isv->name, verb,
	    p->place.name);
	struct app_repo_change changes[N_CRANE_KINDS];
	size_t i, n = 0;

	for (i = 0; i < N_CRANE_KINDS; i++) {
		const struct publish_file *f = &p->files[i];
		const struct buf *bytes = undo ? &f->undo : &f->after;

		if (f->name != NULL)
			changes[n++] = (struct app_repo_change){ f->name, bytes->len > 0
			    ? bytes->data : NULL, bytes->len };
	}
	if (app_repo_push(p->session->app_repo, changes, n, message,
	    &p->session->in->places->author, result, p->deadline, err) == -1 ||
	    *result == APP_REPO_REFUSED)
		return error_prefix(err, "app repo");
	if (*result == APP_REPO_BEHIND)
		error_set(err, ERROR_REMOTE, "app repo: others push to it all the time");
	else
		p->job->base.out.deployed = true;
	return 0;
}

/* Somebody else was faster, or it is not known who was: what there is now is looked at, and ours
 * added to it. */
static int
push_until_done(struct publish *p, bool undo, struct error *err)
{
	enum app_repo_result result;
	unsigned int round;

	for (round = 1;; round++) {
		if (push(p, undo, &result, err) == 0 && result == APP_REPO_DONE)
			return 0;
		if (err->kind != ERROR_REMOTE || round == PUSH_ROUNDS ||
		    deadline_sleep(p->deadline, http_backoff_ms(round), err) == -1 ||
		    publish_look(p, err) == -1)
			return -1;
		if (!undo && write_files(p, err) == -1)
			return -1;
	}
}

int
publish_deploy(struct publish *p, struct error *err)
{
	if (write_files(p, err) == -1)
		return -1;
	if (put_tags(p, false, err) == -1)
		return -1;
	publish_tell(p, "deploying the metadata");
	if (push_until_done(p, false, err) == -1 || put_tags(p, true, err) == -1)
		return -1;
	return p->files[CRANE_V2].new != NULL ? put_tags_list(p, p->files[CRANE_V2].new, err) : 0;
}

int
publish_withdraw(struct publish *p, struct error *err)
{
	if (p->files[CRANE_V1].name == NULL && p->files[CRANE_V2].name == NULL)
		return error_set(err, ERROR_MISSING, "it is not published");
	publish_tell(p, "taking the metadata out of the app");
	return push_until_done(p, false, err);
}

/* ---- is it served? ---- */

/* The image as if nothing else were published under its name: what is wrong with older tags must
 * not keep this one from being published. */
static int
prove_file(struct publish *p, const char *base, const struct crane_metadata *own,
    struct error *err)
{
	struct validate_options options = { .deep = false };
	struct validate_report report;

	if (validate_image(p->session->http, base, own, &options, &report, p->deadline, err) == -1)
		return -1;
	if (report.fault == VALIDATE_WELL)
		return 0;
	return error_set(err, ERROR_REMOTE, "%s: %s", validate_fault_name(report.fault),
	    report.text);
}

static int
prove_once(struct publish *p, const char *base, struct error *err)
{
	size_t i;

	for (i = 0; i < N_CRANE_KINDS; i++)
		if (p->files[i].own != NULL && prove_file(p, base, p->files[i].own, err) == -1)
			return -1;
	return 0;
}

/* A deployment takes its time, so what is wrong now may be right in a moment. */
static int
prove(struct publish *p, const char *base, struct error *err)
{
	struct deadline until = deadline_within(p->deadline, p->order->validate_timeout_ms);
	unsigned int try;

	for (try = 1;; try++) {
		if (prove_once(p, base, err) == 0)
			return 0;
		if (err->kind == ERROR_CANCELLED || deadline_cancelled(&until) ||
		    deadline_left_ms(&until) <= http_backoff_ms(try))
			return -1;
		deadline_sleep(&until, http_backoff_ms(try), NULL);
	}
}

/* Tags as they were: their manifests are still in the bucket, by digest. */
static int
restore_tags(struct publish *p, struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *old = NULL;
	const struct publish_file *f = &p->files[CRANE_V2];
	size_t i;

	if (f->undo.len == 0 ||
	    (old = crane_metadata_parse(buf_str(&f->undo), f->undo.len, NULL)) == NULL)
		return 0;
	for (i = 0; i < p->image->n_tags; i++) {
		const struct crane_tag *t = crane_tags_find(&old->raas_tags, p->image->tags[i].name);
		const struct crane_manifest *m = t != NULL ? crane_metadata_manifest(old, t->target)
		    : NULL;
		cleanup(free_p) char *from = NULL, *to = NULL;

		if (m == NULL)
			continue;
		from = xasprintf("%smanifests/%s/%s", p->prefix, crane_manifest_folder(m->type),
		    m->digest);
		to = xasprintf("%smanifests/%s/%s", p->prefix, crane_manifest_folder(m->type),
		    t->name);
		if (s3_object_copy(p->session->s3, p->to.bucket, from, p->to.bucket, to, p->to.acl,
		    p->deadline, err) == -1)
			return -1;
	}
	return old->has_raas ? put_tags_list(p, old, err) : 0;
}

static void
put_back(struct publish *p, struct error *err)
{
	bool old = p->files[CRANE_V1].undo.len > 0 || p->files[CRANE_V2].undo.len > 0;
	struct error proof = *err, why = ERROR_INIT;

	publish_tell(p, "putting the old metadata back: %s", proof.text);
	if (restore_tags(p, &why) == 0 && push_until_done(p, true, &why) == 0)
		error_set(err, ERROR_REMOTE, "the registry does not serve it, so %s: %s", old
		    ? "what was published before is back" : "it was taken out again", proof.text);
	else
		error_set(err, ERROR_REMOTE, "the registry does not serve it (%.200s), and what "
		    "was there before cannot be put back: %s", proof.text, why.text);
}

int
publish_prove(struct publish *p, struct error *err)
{
	cleanup(free_p) char *base = registry_base_url(p->session->in->isv, &p->observed.app);

	if (!p->order->validate)
		return 0;
	if (base == NULL)
		return error_set(err, ERROR_INPUT, "the registry has no public name: set "
		    "registry_fqdn");
	publish_tell(p, "asking %s for it", base);
	if (prove(p, base, err) == 0)
		return 0;
	if (err->kind != ERROR_CANCELLED && !deadline_cancelled(p->deadline))
		put_back(p, err);
	return -1;
}

/* ---- what the loop is told ---- */

static void
note_base(struct reconcile_result *out, const char *name, const struct blob_id *content)
{
	out->base = xreallocarray(out->base, out->n_base + 1, sizeof(*out->base));
	out->base[out->n_base++] = (struct base_file){ xstrdup(name), *content };
}

static void
note_backup(struct reconcile_result *out, const struct publish_file *f,
    const struct blob_id *content)
{
	struct backup b = { .name = xstrdup(f->name), .remove = f->after.len == 0,
	    .bytes = BUF_INIT, .content = *content };

	buf_add(&b.bytes, buf_str(&f->after), f->after.len);
	out->backups = xreallocarray(out->backups, out->n_backups + 1, sizeof(*out->backups));
	out->backups[out->n_backups++] = b;
}

/* What is equal on both sides is agreed on at once; the rest when it is in the config repo. */
void
publish_note_result(struct publish *p)
{
	struct reconcile_result *out = &p->job->base.out;
	size_t i;

	for (i = 0; i < N_CRANE_KINDS; i++) {
		const struct publish_file *f = &p->files[i];
		struct blob_id content = { "" };
		git_oid id;

		if (f->name == NULL)
			continue;
		if (f->after.len > 0) {
			id = repo_oid_of_bytes(f->after.data, f->after.len);
			git_oid_tostr(content.hex, sizeof(content.hex), &id);
		}
		if (blob_id_equal(&content, &f->config))
			note_base(out, f->name, &content);
		else if (p->session->in->backup)
			note_backup(out, f, &content);
	}
}

static void
note_tags(struct publish *p, const struct crane_tags *tags)
{
	struct publish_job *j = p->job;
	size_t i;

	j->tags = xreallocarray(j->tags, j->n_tags + tags->n, sizeof(*j->tags));
	for (i = 0; i < tags->n; i++)
		j->tags[j->n_tags++] = xstrdup(tags->tags[i].name);
}

void
publish_note_image(struct publish *p)
{
	cleanup(free_p) char *base = registry_base_url(p->session->in->isv, &p->observed.app);

	if (p->files[CRANE_V1].new != NULL)
		note_tags(p, &p->files[CRANE_V1].new->tags);
	if (p->files[CRANE_V2].new != NULL)
		note_tags(p, &p->files[CRANE_V2].new->raas_tags);
	if (base != NULL)
		p->job->pull_name = xasprintf("%s/%s", strstr(base, "://") + 3, p->place.name);
}

void
publish_deploy_done(struct publish *p)
{
	size_t i;

	for (i = 0; i < N_CRANE_KINDS; i++) {
		struct publish_file *f = &p->files[i];

		file_forget(f);
		free(f->name);
		buf_done(&f->before);
		buf_done(&f->undo);
		buf_done(&f->after);
		crane_metadata_free(f->new);
		crane_metadata_free(f->own);
	}
	neighbours_done(p);
	observed_done(&p->observed);
}
