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

static bool
is_all_objects(const char *s, const char *bucket)
{
	cleanup(free_p) char *arn = xasprintf("arn:aws:s3:::%s/*", bucket);

	return strcmp(s, arn) == 0 || strcmp(s, "*") == 0;
}

static bool
statement_allows(const json_t *s, const char *bucket)
{
	const json_t *principal = json_object_get(s, "Principal");

	if (json_is_object(principal))
		principal = json_object_get(principal, "AWS");
	return strcmp(json_string_or(s, "Effect", ""), "Allow") == 0 &&
	    json_object_get(s, "Condition") == NULL &&
	    names(principal, is_everybody, NULL) &&
	    names(json_object_get(s, "Action"), is_get_object, NULL) &&
	    names(json_object_get(s, "Resource"), is_all_objects, bucket);
}

bool
access_policy_allows(const char *policy, const char *bucket)
{
	cleanup(json_unref) json_t *doc = json_read(policy, strlen(policy), POLICY_DEPTH_MAX, NULL);
	json_t *statements = json_object_get(doc, "Statement"), *statement;
	size_t i;

	if (json_is_object(statements))
		return statement_allows(statements, bucket);
	json_array_foreach(statements, i, statement)
		if (statement_allows(statement, bucket))
			return true;
	return false;
}

static json_t *
our_statement(const char *bucket)
{
	cleanup(free_p) char *arn = xasprintf("arn:aws:s3:::%s/*", bucket);

	return json_pack("{s:s, s:s, s:{s:s}, s:s, s:s}", "Sid", ACCESS_POLICY_SID,
	    "Effect", "Allow", "Principal", "AWS", "*", "Action", "s3:GetObject",
	    "Resource", arn);
}

/* The list of statements of an existing policy, without an older one of ours. */
static json_t *
other_statements(json_t *doc)
{
	json_t *statements = json_object_get(doc, "Statement"), *statement;
	json_t *list = json_array();
	size_t i;

	if (json_is_object(statements))
		json_array_append(list, statements);
	json_array_foreach(statements, i, statement)
		if (strcmp(json_string_or(statement, "Sid", ""), ACCESS_POLICY_SID) != 0)
			json_array_append(list, statement);
	return list;
}

char *
access_policy_add(const char *policy, const char *bucket, struct error *err)
{
	cleanup(json_unref) json_t *doc = NULL;
	json_t *list;

	if (policy == NULL)
		doc = json_pack("{s:s}", "Version", "2012-10-17");
	else
		doc = json_read(policy, strlen(policy), POLICY_DEPTH_MAX, err);
	if (!json_is_object(doc)) {
		if (doc != NULL)
			error_set(err, ERROR_INPUT, "the bucket's policy is not a JSON object");
		error_prefix(err, "bucket '%s'", bucket);
		return NULL;
	}
	list = other_statements(doc);
	json_array_append_new(list, our_statement(bucket));
	json_object_set_new(doc, "Statement", list);
	return json_dumps(doc, JSON_COMPACT);
}
