#include "daemon/access-policy.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "tests/unit/test.h"

#define STATEMENT(effect, principal, action, resource, rest)				\
	"{\"Effect\":\"" effect "\",\"Principal\":" principal ",\"Action\":" action	\
	",\"Resource\":" resource rest "}"
#define POLICY(statement) "{\"Version\":\"2012-10-17\",\"Statement\":" statement "}"
#define ALL "\"arn:aws:s3:::b/*\""

#define APP "\"arn:aws:s3:::b/some-app/*\""

static struct crane_ids app = { (char *[]){ (char *)"some-app/" }, 1, 1 };
static struct crane_ids both = { (char *[]){ (char *)"some-app/", (char *)"web/" }, 2, 2 };

static const struct {
	const char	*policy;
	bool		 allows;
} rows[] = {
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", ALL, "") "]"), true },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", APP, "") "]"), true },
	{ POLICY(STATEMENT("Allow", "{\"AWS\":\"*\"}", "[\"s3:PutObject\",\"s3:GetObject\"]",
	    "[\"x\"," APP "]", "")), true },
	{ POLICY("[" STATEMENT("Allow", "{\"AWS\":[\"*\"]}", "\"s3:*\"", ALL, "") "]"), true },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"*\"", "\"*\"", "") "]"), true },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::b/some*\"", "")
	    "]"), true },
	{ POLICY("[" STATEMENT("Deny", "\"*\"", "\"s3:GetObject\"", ALL, "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "{\"AWS\":\"arn:aws:iam::1:root\"}", "\"s3:GetObject\"",
	    ALL, "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:ListBucket\"", ALL, "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::c/*\"", "")
	    "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::b/x/*\"", "")
	    "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"",
	    "\"arn:aws:s3:::b/some-app/blobs/*\"", "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"",
	    "\"arn:aws:s3:::b/*/layer\"", "") "]"), false },
	{ POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::b/some-app/\"",
	    "") "]"), false },
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
		CHECK_INT(access_policy_allows(rows[i].policy, "b", &app), rows[i].allows);
	}
}

TEST(every_prefix_must_be_open)
{
	static const char one[] = POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", APP, "")
	    "]");
	static const char two[] = POLICY("[" STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", APP, "")
	    "," STATEMENT("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::b/web/*\"", "") "]");

	CHECK(!access_policy_allows(one, "b", &both));
	CHECK(access_policy_allows(two, "b", &both));
}

TEST(our_statement_joins_those_of_others)
{
	struct error err = ERROR_INIT;
	cleanup(free_p) char *fresh = access_policy_add(NULL, "b", &app, &err);
	cleanup(free_p) char *more = NULL, *again = NULL;

	CHECK_STR(fresh, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"raasdPublicRead\","
	    "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"s3:GetObject\","
	    "\"Resource\":[" APP "]}]}");
	CHECK(access_policy_has_ours(fresh));
	more = access_policy_add(POLICY("{\"Sid\":\"theirs\",\"Effect\":\"Deny\"}"), "b", &app, &err);
	CHECK(more != NULL && access_policy_allows(more, "b", &app));
	CHECK(strstr(more, "theirs") != NULL);
	CHECK(!access_policy_has_ours(POLICY("{\"Sid\":\"theirs\",\"Effect\":\"Deny\"}")));
	again = access_policy_add(more, "b", &app, &err);
	CHECK_STR(again, more);
}

/* Another ISV may be in the same bucket. */
TEST(prefixes_are_added_and_stay)
{
	struct error err = ERROR_INIT;
	struct crane_ids web = { (char *[]){ (char *)"web/" }, 1, 1 };
	cleanup(free_p) char *first = access_policy_add(NULL, "b", &app, &err);
	cleanup(free_p) char *second = access_policy_add(first, "b", &web, &err);
	cleanup(free_p) char *whole = NULL;

	CHECK(access_policy_allows(second, "b", &both));
	CHECK(strstr(second, "\"Resource\":[" APP ",\"arn:aws:s3:::b/web/*\"]") != NULL);
	/* What the whole bucket covers is not named again. */
	whole = access_policy_add(POLICY("{\"Sid\":\"raasdPublicRead\",\"Effect\":\"Allow\","
	    "\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":" ALL "}"), "b", &both, &err);
	CHECK(strstr(whole, "\"Resource\":[" ALL "]") != NULL);
	/* What is not this bucket's is not taken over. */
	free(whole);
	whole = access_policy_add(POLICY("{\"Sid\":\"raasdPublicRead\",\"Effect\":\"Allow\","
	    "\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::c/*\"}"), "b",
	    &app, &err);
	CHECK(strstr(whole, ":::c") == NULL);
}

TEST(a_prefix_opens_what_it_names_only)
{
	struct error err = ERROR_INIT;
	struct crane_ids star = { (char *[]){ (char *)"*" }, 1, 1 };
	struct crane_ids variable = { (char *[]){ (char *)"${aws:username}/" }, 1, 1 };

	CHECK(access_policy_add(NULL, "b", &star, &err) == NULL);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_STR(err.text, "bucket 'b': the prefix '*' cannot be named in a policy");
	CHECK(access_policy_add(NULL, "b", &variable, &err) == NULL);
}

TEST(a_policy_has_an_end)
{
	struct error err = ERROR_INIT;
	cleanup(crane_ids_done) struct crane_ids many = CRANE_IDS_INIT;
	char prefix[64];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(prefix, sizeof(prefix), "image-%d/", i);
		crane_ids_add(&many, prefix);
	}
	CHECK(access_policy_add(NULL, "b", &many, &err) == NULL);
	CHECK_INT(err.kind, ERROR_QUOTA);
	CHECK(strstr(err.text, "s3_access = acl") != NULL);
}

TEST(what_is_no_policy_is_left_alone)
{
	struct error err = ERROR_INIT;

	CHECK(access_policy_add("[]", "b", &app, &err) == NULL);
	CHECK_STR(err.text, "bucket 'b': the bucket's policy is not a JSON object");
	CHECK(access_policy_add("{", "b", &app, &err) == NULL);
	CHECK_INT(err.kind, ERROR_INPUT);
}

int
main(void)
{
	return RUN(CASE(only_what_is_open_to_everybody_counts), CASE(every_prefix_must_be_open),
	    CASE(our_statement_joins_those_of_others), CASE(prefixes_are_added_and_stay),
	    CASE(a_prefix_opens_what_it_names_only), CASE(a_policy_has_an_end),
	    CASE(what_is_no_policy_is_left_alone));
}
