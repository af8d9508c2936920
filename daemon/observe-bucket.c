#include "daemon/observe-bucket.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/access-policy.h"

void
observe_bucket(struct session *s, struct observed *o)
{
	struct observed_bucket *b = &o->bucket;
	char region[S3_REGION_SIZE] = "";
	struct error err = ERROR_INIT;
	enum s3_bucket_state state;

	if (s3_bucket_head(s->s3, s->in->isv->bucket, &state, region, s->deadline, &err) == -1 ||
	    (state == S3_BUCKET_FORBIDDEN &&
	    s3_bucket_doubt(s->s3, s->in->isv->bucket, s->deadline, &err) == -1)) {
		sighting_fail(&b->seen, &err);
		return;
	}
	b->seen.sight = state == S3_BUCKET_MINE || state == S3_BUCKET_ELSEWHERE ? SIGHT_PRESENT
	    : SIGHT_ABSENT;
	b->foreign = state == S3_BUCKET_FORBIDDEN;
	if (region[0] != '\0') {
		free(b->region);
		b->region = xstrdup(region);
	}
}

void
published_done(struct published *p)
{
	crane_ids_done(&p->names);
	crane_objects_done(&p->objects);
	references_done(&p->references);
}

struct layer_check {
	struct crane_objects	*wanted;
	bool			*found;
	const struct references	*references;	/* NULL: not all that is needed is known */
	struct observed_layers	*out;
};

static int
compare_object(const void *key, const void *object)
{
	return strcmp(key, ((const struct crane_object *)object)->key);
}

static void
note_bad(struct observed_layers *out, const char *key)
{
	if (out->first_bad == NULL || strcmp(key, out->first_bad) < 0) {
		free(out->first_bad);
		out->first_bad = xstrdup(key);
	}
}

static void
note_unreferenced(struct layer_check *check, const char *key, const struct s3_object *object)
{
	if (check->references == NULL ||
	    references_judge(check->references, key) != REFERENCE_NONE)
		return;
	check->out->unreferenced++;
	check->out->unreferenced_bytes += object->size;
}

static int
check_listed(void *arg, const char *key, const struct s3_object *object, struct error *err)
{
	struct layer_check *check = arg;
	struct crane_object *o = bsearch(key, check->wanted->objects, check->wanted->n,
	    sizeof(*o), compare_object);

	(void)err;
	if (o == NULL) {
		note_unreferenced(check, key, object);
		return 0;
	}
	check->found[o - check->wanted->objects] = true;
	if (o->size != CRANE_SIZE_UNKNOWN && o->size != object->size) {
		check->out->wrong_size++;
		note_bad(check->out, key);
	}
	return 0;
}

/* One listing a repository; one that is inside of another's is in that listing. */
static int
list_repositories(struct session *s, const struct crane_ids *prefixes, struct layer_check *check,
    struct error *err)
{
	const char *outer = NULL;
	size_t i;

	for (i = 0; i < prefixes->n; i++) {
		if (outer != NULL && strncmp(prefixes->ids[i], outer, strlen(outer)) == 0)
			continue;
		outer = prefixes->ids[i];
		if (s3_object_list(s->s3, s->in->isv->bucket, outer, 0, check_listed, check,
		    s->deadline, err) == -1)
			return -1;
	}
	return 0;
}

void
observe_layers(struct session *s, struct published *p, struct observed *o)
{
	struct crane_objects *wanted = &p->objects;
	cleanup(free_p) bool *found = xcalloc(wanted->n, sizeof(*found));
	struct layer_check check = { wanted, found, p->unclear ? NULL : &p->references,
	    &o->layers };
	struct error err = ERROR_INIT;
	size_t i;

	o->layers.expected = wanted->n;
	if (list_repositories(s, &o->prefixes, &check, &err) == -1) {
		sighting_fail(&o->layers.seen, &err);
		return;
	}
	o->layers.seen.sight = SIGHT_PRESENT;
	for (i = 0; i < wanted->n; i++) {
		if (!found[i]) {
			o->layers.missing++;
			note_bad(&o->layers, wanted->objects[i].key);
		} else if (o->layers.first_found == NULL) {
			o->layers.first_found = xstrdup(wanted->objects[i].key);
		}
	}
}

/* Whether everybody can read one of the objects that are there: the only real proof there is. */
static int
probe_object(struct session *s, const char *key, bool *readable, struct error *err)
{
	enum s3_object_state state;

	*readable = false;
	if (key == NULL)
		return 0;
	if (s3_object_head_anonymous(s->s3, s->in->isv->bucket, key, &state, NULL, s->deadline,
	    err) == -1)
		return -1;
	*readable = state == S3_OBJECT_FOUND;
	return 0;
}

static int
look_policy(struct session *s, const struct crane_ids *prefixes, struct access_sight *sight,
    struct error *err)
{
	cleanup(buf_done) struct buf policy = BUF_INIT;
	bool found;

	if (s3_policy_get(s->s3, s->in->isv->bucket, &policy, &found, s->deadline, err) == -1)
		return -1;
	sight->allowed = found && access_policy_allows(buf_str(&policy), s->in->isv->bucket, prefixes);
	sight->ours = found && access_policy_has_ours(buf_str(&policy));
	return 0;
}

/* Of what stands above a bucket's policy the bucket itself may show nothing. */
static void
note_overruled(const struct session *s, const char *key, struct observed_bucket *b)
{
	struct error err;

	error_set(&err, ERROR_CREDENTIALS, "bucket '%s': its policy lets everybody read, yet '%s' "
	    "cannot be read: look for Block Public Access of the bucket or the account, and for a "
	    "Deny in the policy", s->in->isv->bucket, key);
	sighting_fail(&b->access, &err);
}

/* A state that was lost is learned again: the object is public, and its ACL may be why. */
static int
look_acl(struct session *s, const char *key, struct access_sight *sight, struct error *err)
{
	struct s3_acl acl;

	if (!sight->readable || sight->allowed || sight->ours || sight->known != ACCESS_UNKNOWN)
		return 0;
	if (s3_acl_get(s->s3, s->in->isv->bucket, key, &acl, s->deadline, err) == -1)
		/* Who may not ask, or asks a server that knows no ACLs, does without. */
		return err->kind == ERROR_CREDENTIALS || err->kind == ERROR_INPUT ? 0 : -1;
	sight->by_acl = acl.public_read;
	return 0;
}

static int
look_at_access(struct session *s, const struct observed *o, struct access_sight *sight,
    struct error *err)
{
	const char *key = o->layers.first_found;

	if ((sight->mode == S3_ACCESS_AUTO || sight->mode == S3_ACCESS_POLICY) &&
	    look_policy(s, &o->prefixes, sight, err) == -1)
		return -1;
	if (probe_object(s, key, &sight->readable, err) == -1)
		return -1;
	return sight->mode == S3_ACCESS_AUTO ? look_acl(s, key, sight, err) : 0;
}

void
observe_access(struct session *s, struct observed *o)
{
	struct observed_bucket *b = &o->bucket;
	struct access_sight sight = { .mode = s->in->isv->access, .known = s->access,
	    .wanted = o->prefixes.n > 0, .object = o->layers.first_found != NULL };
	struct error err = ERROR_INIT;
	const char *detail;

	if (look_at_access(s, o, &sight, &err) == -1) {
		sighting_fail(&b->access, &err);
		return;
	}
	b->access_need = access_judge(&sight, &s->access, &detail);
	if (b->access_need == ACCESS_OVERRULED) {
		note_overruled(s, o->layers.first_found, b);
		return;
	}
	b->access.sight = b->access_need == ACCESS_FINE ? SIGHT_PRESENT : SIGHT_ABSENT;
	if (b->access_need == ACCESS_FINE)
		b->access_detail = xstrdup(detail);
}

enum s3_canned_acl
session_acl(const struct session *s)
{
	enum s3_access mode = s->in->isv->access;

	return mode == S3_ACCESS_ACL || (mode == S3_ACCESS_AUTO && s->access == ACCESS_ACL)
	    ? S3_ACL_PUBLIC_READ : S3_ACL_DEFAULT;
}
