#include "daemon/access.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/access-policy.h"
#include "daemon/digest.h"

#define CANARY_TEXT "raasd tries whether everybody can read this, and removes it.\n"
#define PROBES 4u		/* a new policy takes a moment to be everywhere */
#define CLEAN_UP_MS 10000	/* to remove the canary, cancelled or not */

static const char *const method_names[N_ACCESS_METHODS] = {
	[ACCESS_UNKNOWN] = "unknown", [ACCESS_OPEN] = "open", [ACCESS_POLICY] = "policy",
	[ACCESS_ACL] = "acl",
};

const char *
access_method_name(enum access_method method)
{
	return method_names[method];
}

enum access_method
access_method_of(const char *name)
{
	size_t i;

	for (i = 0; i < N_ACCESS_METHODS; i++)
		if (strcmp(method_names[i], name) == 0)
			return (enum access_method)i;
	return ACCESS_UNKNOWN;
}

/* ---- judging ---- */

static const char *
method_detail(enum access_method method)
{
	static const char *const details[N_ACCESS_METHODS] = {
		[ACCESS_OPEN] = "objects are public", [ACCESS_POLICY] = "by bucket policy",
		[ACCESS_ACL] = "by ACL",
	};

	return details[method];
}

static enum access_need
judge_policy(const struct access_sight *s, enum access_method *method, const char **detail)
{
	*method = ACCESS_POLICY;
	if (!s->wanted) {
		*detail = "nothing published yet";
		return ACCESS_FINE;
	}
	if (!s->allowed)
		return ACCESS_SET_POLICY;
	*detail = method_detail(ACCESS_POLICY);
	return s->object && !s->readable ? ACCESS_OVERRULED : ACCESS_FINE;
}

static enum access_need
judge_acl(const struct access_sight *s, enum access_method *method, const char **detail)
{
	*method = ACCESS_ACL;
	if (s->object && !s->readable)
		return ACCESS_SET_ACLS;
	*detail = s->object ? method_detail(ACCESS_ACL) : "nothing published yet";
	return ACCESS_FINE;
}

/* What works is found out once, and remembered; a state that was lost is told by the bucket. */
static enum access_need
judge_auto(const struct access_sight *s, enum access_method *method, const char **detail)
{
	*method = s->known;
	if (s->wanted && s->allowed && (s->readable || !s->object))
		*method = ACCESS_POLICY;
	else if (s->known == ACCESS_UNKNOWN && s->ours)
		*method = ACCESS_POLICY;
	else if (s->known == ACCESS_UNKNOWN && s->readable)
		*method = s->by_acl ? ACCESS_ACL : ACCESS_OPEN;
	*detail = method_detail(*method);
	switch (*method) {
	case ACCESS_POLICY:
		if (s->wanted && !s->allowed)
			return ACCESS_SET_POLICY;
		break;
	case ACCESS_ACL:
		if (s->object && !s->readable)
			return ACCESS_SET_ACLS;
		return ACCESS_FINE;
	case ACCESS_OPEN:
		if (!s->object || s->readable)
			return ACCESS_FINE;
		break;
	default:
		break;
	}
	if (s->wanted && s->allowed && s->object && !s->readable)
		return ACCESS_OVERRULED;
	return *method == ACCESS_POLICY ? ACCESS_FINE : ACCESS_FIND;
}

enum access_need
access_judge(const struct access_sight *s, enum access_method *method, const char **detail)
{
	*method = s->known;
	*detail = NULL;
	switch (s->mode) {
	case S3_ACCESS_AUTO:
		return judge_auto(s, method, detail);
	case S3_ACCESS_POLICY:
		return judge_policy(s, method, detail);
	case S3_ACCESS_ACL:
		return judge_acl(s, method, detail);
	case S3_ACCESS_PRESIGNED:
		*detail = "private: the redirector signs";
		return s->object && s->readable ? ACCESS_EXPOSED : ACCESS_FINE;
	case S3_ACCESS_NONE:
		break;
	}
	return ACCESS_FINE;
}

/* ---- granting ---- */

static bool
is_refusal(const struct error *err)
{
	return err->kind == ERROR_CREDENTIALS || err->kind == ERROR_INPUT;
}

/* Says which switch of the bucket stands against it, when one does. */
static void
explain_refusal(struct s3 *s3, const char *bucket, const struct deadline *deadline,
    struct error *err)
{
	struct s3_public_block block;

	if (err->kind != ERROR_CREDENTIALS ||
	    s3_public_block_get(s3, bucket, &block, deadline, NULL) == -1 ||
	    (!block.block_policy && !block.restrict_buckets))
		return;
	error_set(err, ERROR_CREDENTIALS, "bucket '%s': not public: Block Public Access is on; turn "
	    "off BlockPublicPolicy and RestrictPublicBuckets for it, or say 's3_access = none' in "
	    "raas.cfg and give the readers access yourself, or 's3_access = presigned' with a "
	    "redirector that signs", bucket);
}

static int
set_policy(struct s3 *s3, const struct access_target *t, const struct buf *old,
    const struct deadline *deadline, struct error *err)
{
	cleanup(free_p) char *policy = NULL;

	if (t->prefixes->n == 0 ||
	    (old != NULL && access_policy_allows(buf_str(old), t->bucket, t->prefixes)))
		return 0;
	policy = access_policy_add(old != NULL ? buf_str(old) : NULL, t->bucket, t->prefixes, err);
	if (policy == NULL)
		return -1;
	if (s3_policy_put(s3, t->bucket, policy, deadline, err) == 0)
		return 0;
	explain_refusal(s3, t->bucket, deadline, err);
	return -1;
}

static int
grant_policy(struct s3 *s3, const struct access_target *t, const struct deadline *deadline,
    struct error *err)
{
	cleanup(buf_done) struct buf old = BUF_INIT;
	bool found;

	if (s3_policy_get(s3, t->bucket, &old, &found, deadline, err) == -1)
		return -1;
	return set_policy(s3, t, found ? &old : NULL, deadline, err);
}

struct acl_walk {
	struct s3		*s3;
	const char		*bucket;
	const struct deadline	*deadline;
};

static int
make_public(void *arg, const char *key, const struct s3_object *object, struct error *err)
{
	const struct acl_walk *w = arg;

	(void)object;
	return s3_acl_put(w->s3, w->bucket, key, S3_ACL_PUBLIC_READ, w->deadline, err);
}

/* Nobody else's objects: a bucket may hold more than images. */
static int
grant_acls(struct s3 *s3, const struct access_target *t, const struct deadline *deadline,
    struct error *err)
{
	struct acl_walk walk = { s3, t->bucket, deadline };
	size_t i;

	for (i = 0; i < t->prefixes->n; i++)
		if (s3_object_list(s3, t->bucket, t->prefixes->ids[i], 0, make_public, &walk,
		    deadline, err) == -1)
			return -1;
	return 0;
}

int
access_grant(struct s3 *s3, const struct access_target *t, enum access_method method,
    const struct deadline *deadline, struct error *err)
{
	switch (method) {
	case ACCESS_POLICY:
		return grant_policy(s3, t, deadline, err);
	case ACCESS_ACL:
		return grant_acls(s3, t, deadline, err);
	default:
		return 0;
	}
}

/* ---- finding ---- */

struct canary {
	struct s3			*s3;
	const struct access_target	*target;
	const struct deadline		*deadline;
	char				 key[sizeof(ACCESS_CANARY_PREFIX) + 32];
};

static void
name_canary(struct canary *c)
{
	unsigned char random[16];
	size_t prefix = strlen(ACCESS_CANARY_PREFIX);

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	memcpy(c->key, ACCESS_CANARY_PREFIX, prefix);
	digest_hex(random, sizeof(random), c->key + prefix);
}

static int
put_canary(const struct canary *c, enum s3_canned_acl acl, struct error *err)
{
	return s3_object_put(c->s3, &(struct s3_put){ .bucket = c->target->bucket, .key = c->key,
	    .content_type = "text/plain", .acl = acl, .body = CANARY_TEXT,
	    .size = strlen(CANARY_TEXT) }, NULL, c->deadline, err);
}

/* Whether everybody can read the key, now or in a moment. */
static int
probe(const struct canary *c, const char *key, unsigned int tries, bool *readable,
    struct error *err)
{
	enum s3_object_state state;
	unsigned int n;

	for (n = 1;; n++) {
		if (s3_object_head_anonymous(c->s3, c->target->bucket, key, &state, NULL,
		    c->deadline, err) == -1)
			return -1;
		*readable = state == S3_OBJECT_FOUND;
		if (*readable || n >= tries)
			return 0;
		if (deadline_sleep(c->deadline, http_backoff_ms(n), err) == -1)
			return -1;
	}
}

/* The policy as it was: what was put there is of no use, or is not known to be. */
static int
put_back(const struct canary *c, const struct buf *old, bool found, struct error *err)
{
	struct deadline last = deadline_in(CLEAN_UP_MS, NULL);

	if (found)
		return s3_policy_put(c->s3, c->target->bucket, buf_str(old), &last, err);
	return s3_policy_delete(c->s3, c->target->bucket, &last, err);
}

/* 1: it works; 0: it does not, `why` says what stands against it. */
static int
try_policy(const struct canary *c, struct error *why, struct error *err)
{
	cleanup(crane_ids_done) struct crane_ids prefixes = CRANE_IDS_INIT;
	cleanup(buf_done) struct buf old = BUF_INIT;
	struct access_target t = *c->target;
	bool found, readable;
	size_t i;

	for (i = 0; i < t.prefixes->n; i++)
		crane_ids_add(&prefixes, t.prefixes->ids[i]);
	crane_ids_add(&prefixes, ACCESS_CANARY_PREFIX);
	crane_ids_sort(&prefixes);
	t.prefixes = &prefixes;
	if (s3_policy_get(c->s3, t.bucket, &old, &found, c->deadline, why) == -1 ||
	    set_policy(c->s3, &t, found ? &old : NULL, c->deadline, why) == -1)
		return is_refusal(why) ? 0 : error_set(err, why->kind, "%s", why->text);
	if (probe(c, c->key, PROBES, &readable, err) == -1) {
		put_back(c, &old, found, NULL);
		return -1;
	}
	if (readable)
		return 1;
	error_set(why, ERROR_CREDENTIALS, "bucket '%s': a policy does not make its objects public: "
	    "look for Block Public Access of the account, and for a Deny in the policy", t.bucket);
	return put_back(c, &old, found, err);
}

static int
try_acl(const struct canary *c, struct error *why, struct error *err)
{
	bool readable;

	if (put_canary(c, S3_ACL_PUBLIC_READ, why) == -1)
		return is_refusal(why) ? 0 : error_set(err, why->kind, "%s", why->text);
	if (probe(c, c->key, 1, &readable, err) == -1)
		return -1;
	return readable;
}

static int
find_method(const struct canary *c, enum access_method *method, struct error *err)
{
	struct error no_policy = ERROR_INIT, no_acl = ERROR_INIT;
	bool readable;
	int works;

	*method = ACCESS_OPEN;
	if (put_canary(c, S3_ACL_DEFAULT, err) == -1 || probe(c, c->key, 1, &readable, err) == -1)
		return -1;
	if (readable)
		return 0;
	*method = ACCESS_POLICY;
	if ((works = try_policy(c, &no_policy, err)) != 0)
		return works == 1 ? 0 : -1;
	*method = ACCESS_ACL;
	if ((works = try_acl(c, &no_acl, err)) != 0)
		return works == 1 ? 0 : -1;
	return error_set(err, ERROR_CREDENTIALS, "%s; nor do ACLs help%s%s", no_policy.text,
	    no_acl.text[0] != '\0' ? ": " : "", no_acl.text);
}

/* A canary that works, and a layer that cannot be read, are two things that no sync can bring
 * together. */
static int
check_object(const struct canary *c, enum access_method method, struct error *err)
{
	const char *key = c->target->object;
	bool readable;

	if (key == NULL)
		return 0;
	if (probe(c, key, PROBES, &readable, err) == -1)
		return -1;
	if (readable)
		return 0;
	return error_set(err, ERROR_CREDENTIALS, "bucket '%s': a new object can be read %s, but '%s' "
	    "cannot: look for a Deny in the policy, and for its owner", c->target->bucket,
	    method == ACCESS_OPEN ? "as it is" : method_detail(method), key);
}

int
access_find(struct s3 *s3, const struct access_target *target, enum access_method *method,
    const struct deadline *deadline, struct error *err)
{
	struct canary canary = { .s3 = s3, .target = target, .deadline = deadline };
	struct deadline last;
	enum access_method found = ACCESS_UNKNOWN;
	int result;

	name_canary(&canary);
	result = find_method(&canary, &found, err);
	last = deadline_in(CLEAN_UP_MS, NULL);
	/* One that stays behind is found by gc. */
	s3_object_delete(s3, target->bucket, canary.key, &last, NULL);
	if (result == -1 || access_grant(s3, target, found, deadline, err) == -1 ||
	    check_object(&canary, found, err) == -1)
		return -1;
	*method = found;
	return 0;
}
