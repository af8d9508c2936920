#include "daemon/access-policy.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "tests/unit/test.h"

#define STATEMENT(effect, principal, action, resource, rest)				\
	"{\"Effect\":\"" effect "\",\"Principal\":" principal ",\"Action\":" action	\
	",\"Resource\":" resource rest "}"
#define POLICY(statement) "{\"Version\":\"2012-10-17\",\"Statement\":" statement "}"
#define ALL "\"arn:aws:s3:::b/*\""

static const struct {
	const char	*policy;
	bool		 allows;
} rows[] = {
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", ALL, "") "]"), true },
	{ POLICY(STATEMENT("Allow", "{\"AWS\":\"*\"}", "[\"s3:PutObject\",\"s3:GetObject\"]",
	    "[" ALL "]", "")), true },
	{ POLICY("[" STATEMENT("Allow", "{\"AWS\":[\"*\"]}", "\"s3:*\"", ALL, "") "]"), true },
	{ POLICY("[" STATEMENT("Deny", "\"*\"", "\"s3:GetObject\"", ALL, "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "{\"AWS\":\"arn:aws:iam::1:root\"}", "\"s3:GetObject\"",
	    ALL, "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:ListBucket\"", ALL, "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::c/*\"", "")
	    "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::b/x/*\"", "")
	    "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", ALL,
	    ",\"Condition\":{\"IpAddress\":{}}") "]"), false },
	{ POLICY("[1,null,\"x\"]"), false },
	{ "[]", false },
	{ "not json", false },
	{ "", false },
};

TEST(only_what_is_open_to_everybody_counts)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("# %s\n", rows[i].policy);
		CHECK_INT(access_policy_allows(rows[i].policy, "b"), rows[i].allows);
	}
}

TEST(our_statement_joins_those_of_others)
{
	struct error err = ERROR_INIT;
	cleanup(free_p) char *fresh = access_policy_add(NULL, "b", &err);
	cleanup(free_p) char *more = NULL, *again = NULL;

	CHECK(fresh != NULL && access_policy_allows(fresh, "b"));
	more = access_policy_add(POLICY("{\"Sid\":\"theirs\",\"Effect\":\"Deny\"}"), "b", &err);
	CHECK(more != NULL && access_policy_allows(more, "b"));
	CHECK(strstr(more, "theirs") != NULL);
	again = access_policy_add(more, "b", &err);
	CHECK_STR(again, more);
}

TEST(what_is_no_policy_is_left_alone)
{
	struct error err = ERROR_INIT;

	CHECK(access_policy_add("[]", "b", &err) == NULL);
	CHECK_STR(err.text, "bucket 'b': the bucket's policy is not a JSON object");
	CHECK(access_policy_add("{", "b", &err) == NULL);
	CHECK_INT(err.kind, ERROR_INPUT);
}

int
main(void)
{
	return RUN(CASE(only_what_is_open_to_everybody_counts),
	    CASE(our_statement_joins_those_of_others), CASE(what_is_no_policy_is_left_alone));
}
