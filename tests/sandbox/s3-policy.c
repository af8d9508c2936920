#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/s3.h"

#define DEPTH_MAX 16

enum verdict { SILENT, ALLOWED, DENIED };

/* '*' is any run of characters, '?' any one. */
static bool
matches(const char *pattern, const char *text)
{
	const char *star = NULL, *back = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			back = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++back;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* A member of a statement is a string or a list of them. */
static bool
any_matches(const json_t *patterns, const char *text)
{
	const json_t *one;
	size_t i;

	if (json_is_string(patterns))
		return matches(json_string_value(patterns), text);
	json_array_foreach(patterns, i, one) {
		if (json_is_string(one) && matches(json_string_value(one), text))
			return true;
	}
	return false;
}

static bool
is_for_all(const json_t *statement)
{
	const json_t *principal = json_object_get(statement, "Principal");

	if (json_is_object(principal))
		principal = json_object_get(principal, "AWS");
	return any_matches(principal, "*");
}

/* A condition is never met here: what it would ask for, the sandbox has not. */
static enum verdict
verdict_of(const json_t *statement, const char *action, const char *resource)
{
	if (!is_for_all(statement) || json_object_get(statement, "Condition") != NULL ||
	    !any_matches(json_object_get(statement, "Action"), action) ||
	    !any_matches(json_object_get(statement, "Resource"), resource))
		return SILENT;
	return strcmp(json_string_or(statement, "Effect", ""), "Allow") == 0 ? ALLOWED : DENIED;
}

/* Statement is an object or a list of them; an owned list. NULL: the text is no policy. */
static json_t *
statements_of(const char *policy)
{
	cleanup(json_unref) json_t *doc = json_read(policy, strlen(policy), DEPTH_MAX, NULL);
	json_t *statement = json_object_get(doc, "Statement");

	if (json_is_array(statement))
		return json_incref(statement);
	return json_is_object(statement) ? json_pack("[O]", statement) : NULL;
}

static enum verdict
policy_says(const char *policy, const char *action, const char *resource)
{
	cleanup(json_unref) json_t *statements = statements_of(policy);
	enum verdict verdict = SILENT, one;
	const json_t *statement;
	size_t i;

	json_array_foreach(statements, i, statement) {
		one = verdict_of(statement, action, resource);
		if (one == DENIED)
			return DENIED;
		if (one == ALLOWED)
			verdict = ALLOWED;
	}
	return verdict;
}

bool
policy_is_public(const char *policy)
{
	cleanup(json_unref) json_t *statements = statements_of(policy);
	const json_t *statement;
	size_t i;

	json_array_foreach(statements, i, statement) {
		if (is_for_all(statement) && json_object_get(statement, "Condition") == NULL &&
		    strcmp(json_string_or(statement, "Effect", ""), "Allow") == 0)
			return true;
	}
	return false;
}

/* Is every resource the bucket or something in it? */
static bool
resources_are_in(const json_t *resource, const char *arn)
{
	const json_t *one;
	size_t len = strlen(arn), i;
	const char *text = json_string_value(resource);

	if (text != NULL)
		return strncmp(text, arn, len) == 0 && (text[len] == '\0' || text[len] == '/');
	json_array_foreach(resource, i, one) {
		if (!json_is_string(one) || !resources_are_in(one, arn))
			return false;
	}
	return json_array_size(resource) > 0;
}

bool
policy_is_valid(const char *policy, const char *bucket)
{
	cleanup(json_unref) json_t *statements = statements_of(policy);
	cleanup(free_p) char *arn = xasprintf("arn:aws:s3:::%s", bucket);
	const json_t *statement;
	const char *effect;
	size_t i;

	json_array_foreach(statements, i, statement) {
		effect = json_string_or(statement, "Effect", "");
		if ((strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0) ||
		    json_object_get(statement, "Principal") == NULL ||
		    json_object_get(statement, "Action") == NULL ||
		    !resources_are_in(json_object_get(statement, "Resource"), arn))
			return false;
	}
	return json_array_size(statements) > 0;
}

static bool
is_owner(const struct s3_call *c)
{
	return !c->anonymous && strcmp(c->bucket->owner, S3_OWNER) == 0;
}

static bool
acl_allows(const struct s3_call *c, const char *action, const char *key)
{
	const struct object *object = key != NULL ? table_get(&c->bucket->objects, key) : NULL;

	if (c->bucket->block.ignore_acls || c->s3->account_block ||
	    (c->bucket->ownership != NULL &&
	    strcmp(c->bucket->ownership, "BucketOwnerEnforced") == 0))
		return false;
	if (strcmp(action, "s3:GetObject") == 0)
		return object != NULL && object->is_public;
	return strcmp(action, "s3:ListBucket") == 0 && c->bucket->is_public;
}

bool
s3_may(const struct s3_call *c, const char *action, const char *key)
{
	cleanup(free_p) char *resource = xasprintf("arn:aws:s3:::%s%s%s", c->bucket->name,
	    key != NULL ? "/" : "", key != NULL ? key : "");
	bool restricted = c->bucket->block.restrict_buckets || c->s3->account_block;
	enum verdict verdict = SILENT;

	if (c->bucket->policy != NULL)
		verdict = policy_says(c->bucket->policy, action, resource);
	if (verdict == DENIED)
		return false;
	if (is_owner(c) || acl_allows(c, action, key))
		return true;
	return verdict == ALLOWED && !restricted;
}

/* A bucket's policy cannot lock its owner out of the policy itself. */
bool
s3_permit(struct s3_call *c, const char *action)
{
	bool permitted = strstr(action, "BucketPolicy") != NULL ? is_owner(c) :
	    s3_may(c, action, c->key);

	return permitted || s3_error(c, 403, "AccessDenied", "Access Denied", NULL);
}

bool
s3_wanted_acl(struct s3_call *c, bool *is_public)
{
	const char *acl = request_header(c->request, "x-amz-acl");

	*is_public = false;
	if (acl == NULL)
		return true;
	if (c->bucket != NULL && c->bucket->ownership != NULL &&
	    strcmp(c->bucket->ownership, "BucketOwnerEnforced") == 0 &&
	    strcmp(acl, "bucket-owner-full-control") != 0)
		return s3_error(c, 400, "AccessControlListNotSupported", "The bucket does not allow "
		    "ACLs", NULL);
	*is_public = strncmp(acl, "public-read", 11) == 0;
	if (*is_public && ((c->bucket != NULL && c->bucket->block.block_acls) ||
	    c->s3->account_block))
		return s3_error(c, 403, "AccessDenied", "Access Denied", NULL);
	return true;
}
