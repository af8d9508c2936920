#include "daemon/access-policy.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define POLICY_DEPTH_MAX 16

/* "x", or one of ["x", …]: the policy language lets a list of one be written without brackets. */
static bool
names(const json_t *value, bool (*is)(const char *, const char *), const char *arg)
{
	size_t i;
	json_t *item;

	if (json_is_string(value))
		return is(json_string_value(value), arg);
	json_array_foreach(value, i, item)
		if (json_is_string(item) && is(json_string_value(item), arg))
			return true;
	return false;
}

static bool
is_everybody(const char *s, const char *unused)
{
	(void)unused;
	return strcmp(s, "*") == 0;
}

static bool
is_get_object(const char *s, const char *unused)
{
	(void)unused;
	return strcmp(s, "s3:GetObject") == 0 || strcmp(s, "s3:Get*") == 0 ||
	    strcmp(s, "s3:*") == 0 || strcmp(s, "*") == 0;
}

/* Is each object whose name begins with `arn` meant? Only patterns that end in their one '*'. */
static bool
covers(const char *pattern, const char *arn)
{
	size_t len = strlen(pattern);

	return len > 0 && strcspn(pattern, "*?") == len - 1 && pattern[len - 1] == '*' &&
	    strncmp(pattern, arn, len - 1) == 0;
}

static char *
arn_of(const char *bucket, const char *prefix)
{
	return xasprintf("arn:aws:s3:::%s/%s", bucket, prefix);
}

static bool
opens(const json_t *s)
{
	const json_t *principal = json_object_get(s, "Principal");

	if (json_is_object(principal))
		principal = json_object_get(principal, "AWS");
	return strcmp(json_string_or(s, "Effect", ""), "Allow") == 0 &&
	    json_object_get(s, "Condition") == NULL &&
	    names(principal, is_everybody, NULL) &&
	    names(json_object_get(s, "Action"), is_get_object, NULL);
}

static bool
is_ours(const json_t *statement)
{
	return strcmp(json_string_or(statement, "Sid", ""), ACCESS_POLICY_SID) == 0;
}

/* The statements, of which there may be one without brackets; a new reference. */
static json_t *
statements_of(const json_t *doc)
{
	json_t *statements = json_object_get(doc, "Statement");

	if (json_is_object(statements))
		return json_pack("[O]", statements);
	return json_is_array(statements) ? json_incref(statements) : json_array();
}

static bool
any_opens(const json_t *statements, const char *arn)
{
	const json_t *statement;
	size_t i;

	json_array_foreach(statements, i, statement)
		if (opens(statement) && names(json_object_get(statement, "Resource"), covers, arn))
			return true;
	return false;
}

bool
access_policy_allows(const char *policy, const char *bucket, const struct crane_ids *prefixes)
{
	cleanup(json_unref) json_t *doc = json_read(policy, strlen(policy), POLICY_DEPTH_MAX, NULL);
	cleanup(json_unref) json_t *statements = statements_of(doc);
	size_t i;

	for (i = 0; i < prefixes->n; i++) {
		cleanup(free_p) char *arn = arn_of(bucket, prefixes->ids[i]);

		if (!any_opens(statements, arn))
			return false;
	}
	return true;
}

bool
access_policy_has_ours(const char *policy)
{
	cleanup(json_unref) json_t *doc = json_read(policy, strlen(policy), POLICY_DEPTH_MAX, NULL);
	cleanup(json_unref) json_t *statements = statements_of(doc);
	const json_t *statement;
	size_t i;

	json_array_foreach(statements, i, statement)
		if (is_ours(statement))
			return true;
	return false;
}

static void
add_resource(struct crane_ids *resources, const json_t *resource, const char *arn)
{
	const char *text = json_string_value(resource);

	if (text != NULL && strncmp(text, arn, strlen(arn)) == 0)
		crane_ids_add(resources, text);
}

/* What our statement opens already. */
static void
old_resources(const json_t *statements, const char *bucket, struct crane_ids *out)
{
	cleanup(free_p) char *arn = arn_of(bucket, "");
	const json_t *statement, *resource, *item;
	size_t i, j;

	json_array_foreach(statements, i, statement) {
		if (!is_ours(statement) || !opens(statement))
			continue;
		resource = json_object_get(statement, "Resource");
		add_resource(out, resource, arn);
		json_array_foreach(resource, j, item)
			add_resource(out, item, arn);
	}
}

static json_t *
our_statement(const json_t *statements, const char *bucket, const struct crane_ids *prefixes)
{
	cleanup(crane_ids_done) struct crane_ids resources = CRANE_IDS_INIT;
	json_t *list = json_array();
	size_t i;

	old_resources(statements, bucket, &resources);
	for (i = 0; i < prefixes->n; i++) {
		cleanup(free_p) char *arn = arn_of(bucket, prefixes->ids[i]);
		cleanup(free_p) char *pattern = xasprintf("%s*", arn);
		size_t j, n = resources.n;

		for (j = 0; j < n && !covers(resources.ids[j], arn); j++)
			;
		if (j == n)
			crane_ids_add(&resources, pattern);
	}
	crane_ids_sort(&resources);
	for (i = 0; i < resources.n; i++)
		json_array_append_new(list, json_text(resources.ids[i]));
	return json_pack("{s:s, s:s, s:{s:s}, s:s, s:o}", "Sid", ACCESS_POLICY_SID,
	    "Effect", "Allow", "Principal", "AWS", "*", "Action", "s3:GetObject",
	    "Resource", list);
}

static json_t *
other_statements(const json_t *statements)
{
	json_t *list = json_array(), *statement;
	size_t i;

	json_array_foreach(statements, i, statement)
		if (!is_ours(statement))
			json_array_append(list, statement);
	return list;
}

static json_t *
read_policy(const char *policy, struct error *err)
{
	json_t *doc;

	if (policy == NULL)
		return json_pack("{s:s}", "Version", "2012-10-17");
	doc = json_read(policy, strlen(policy), POLICY_DEPTH_MAX, err);
	if (doc == NULL || json_is_object(doc))
		return doc;
	json_decref(doc);
	error_set(err, ERROR_INPUT, "the bucket's policy is not a JSON object");
	return NULL;
}

/* '*' and '?' would open more than is meant, '$' begins a variable. */
static int
check_prefixes(const struct crane_ids *prefixes, struct error *err)
{
	size_t i;

	for (i = 0; i < prefixes->n; i++)
		if (strpbrk(prefixes->ids[i], "*?$") != NULL)
			return error_set(err, ERROR_INPUT, "the prefix '%.100s' cannot be named in a "
			    "policy", prefixes->ids[i]);
	return 0;
}

static char *
make_policy(json_t *doc, const char *bucket, const struct crane_ids *prefixes, struct error *err)
{
	cleanup(json_unref) json_t *statements = statements_of(doc);
	json_t *list = other_statements(statements);
	char *text;

	json_array_append_new(list, our_statement(statements, bucket, prefixes));
	json_object_set_new(doc, "Statement", list);
	text = json_dumps(doc, JSON_COMPACT);
	if (strlen(text) <= ACCESS_POLICY_MAX)
		return text;
	free(text);
	error_set(err, ERROR_QUOTA, "its policy would be longer than S3's limit of %u bytes; open "
	    "the whole bucket in it by hand, or say 's3_access = acl' in raas.cfg",
	    ACCESS_POLICY_MAX);
	return NULL;
}

char *
access_policy_add(const char *policy, const char *bucket, const struct crane_ids *prefixes,
    struct error *err)
{
	cleanup(json_unref) json_t *doc = NULL;
	char *text = NULL;

	if (check_prefixes(prefixes, err) == 0 && (doc = read_policy(policy, err)) != NULL)
		text = make_policy(doc, bucket, prefixes, err);
	if (text == NULL)
		error_prefix(err, "bucket '%s'", bucket);
	return text;
}
