#include "daemon/access.h"

#include "tests/unit/test.h"

#define AUTO S3_ACCESS_AUTO

/* What was seen, and what follows: the need, and what is known from then on. */
static const struct {
	struct access_sight	 sight;
	enum access_need	 need;
	enum access_method	 method;
} rows[] = {
	/* mode, known, wanted, allowed, ours, object, readable, by_acl */

	/* Nothing is known: it is tried, be there anything to read or not. */
	{ { AUTO, ACCESS_UNKNOWN, 0, 0, 0, 0, 0, 0 }, ACCESS_FIND, ACCESS_UNKNOWN },
	{ { AUTO, ACCESS_UNKNOWN, 1, 0, 0, 0, 0, 0 }, ACCESS_FIND, ACCESS_UNKNOWN },
	{ { AUTO, ACCESS_UNKNOWN, 1, 0, 0, 1, 0, 0 }, ACCESS_FIND, ACCESS_UNKNOWN },
	/* The bucket itself tells. */
	{ { AUTO, ACCESS_UNKNOWN, 1, 1, 1, 1, 1, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { AUTO, ACCESS_UNKNOWN, 1, 1, 0, 1, 1, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { AUTO, ACCESS_UNKNOWN, 1, 1, 0, 0, 0, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { AUTO, ACCESS_UNKNOWN, 0, 0, 1, 0, 0, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { AUTO, ACCESS_UNKNOWN, 1, 0, 1, 1, 1, 0 }, ACCESS_SET_POLICY, ACCESS_POLICY },
	{ { AUTO, ACCESS_UNKNOWN, 1, 0, 0, 1, 1, 1 }, ACCESS_FINE, ACCESS_ACL },
	{ { AUTO, ACCESS_UNKNOWN, 1, 0, 0, 1, 1, 0 }, ACCESS_FINE, ACCESS_OPEN },
	/* What once worked is not tried again, but done for what is new. */
	{ { AUTO, ACCESS_POLICY, 0, 0, 0, 0, 0, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { AUTO, ACCESS_POLICY, 1, 0, 0, 0, 0, 0 }, ACCESS_SET_POLICY, ACCESS_POLICY },
	{ { AUTO, ACCESS_POLICY, 1, 0, 1, 1, 1, 0 }, ACCESS_SET_POLICY, ACCESS_POLICY },
	{ { AUTO, ACCESS_POLICY, 1, 1, 1, 1, 1, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { AUTO, ACCESS_ACL, 1, 0, 0, 0, 0, 0 }, ACCESS_FINE, ACCESS_ACL },
	{ { AUTO, ACCESS_ACL, 1, 0, 0, 1, 1, 0 }, ACCESS_FINE, ACCESS_ACL },
	{ { AUTO, ACCESS_ACL, 1, 0, 0, 1, 0, 0 }, ACCESS_SET_ACLS, ACCESS_ACL },
	{ { AUTO, ACCESS_OPEN, 1, 0, 0, 0, 0, 0 }, ACCESS_FINE, ACCESS_OPEN },
	{ { AUTO, ACCESS_OPEN, 1, 0, 0, 1, 1, 0 }, ACCESS_FINE, ACCESS_OPEN },
	/* Open once, and no more. */
	{ { AUTO, ACCESS_OPEN, 1, 0, 0, 1, 0, 0 }, ACCESS_FIND, ACCESS_OPEN },
	/* Something stands above the policy. */
	{ { AUTO, ACCESS_POLICY, 1, 1, 1, 1, 0, 0 }, ACCESS_OVERRULED, ACCESS_POLICY },
	{ { AUTO, ACCESS_UNKNOWN, 1, 1, 0, 1, 0, 0 }, ACCESS_OVERRULED, ACCESS_UNKNOWN },

	{ { S3_ACCESS_POLICY, ACCESS_UNKNOWN, 0, 0, 0, 0, 0, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { S3_ACCESS_POLICY, ACCESS_UNKNOWN, 1, 0, 0, 0, 0, 0 }, ACCESS_SET_POLICY, ACCESS_POLICY },
	{ { S3_ACCESS_POLICY, ACCESS_ACL, 1, 0, 0, 1, 1, 0 }, ACCESS_SET_POLICY, ACCESS_POLICY },
	{ { S3_ACCESS_POLICY, ACCESS_POLICY, 1, 1, 1, 1, 1, 0 }, ACCESS_FINE, ACCESS_POLICY },
	{ { S3_ACCESS_POLICY, ACCESS_POLICY, 1, 1, 1, 1, 0, 0 }, ACCESS_OVERRULED, ACCESS_POLICY },

	{ { S3_ACCESS_ACL, ACCESS_UNKNOWN, 1, 0, 0, 0, 0, 0 }, ACCESS_FINE, ACCESS_ACL },
	{ { S3_ACCESS_ACL, ACCESS_POLICY, 1, 0, 0, 1, 0, 0 }, ACCESS_SET_ACLS, ACCESS_ACL },
	{ { S3_ACCESS_ACL, ACCESS_ACL, 1, 0, 0, 1, 1, 0 }, ACCESS_FINE, ACCESS_ACL },

	{ { S3_ACCESS_PRESIGNED, ACCESS_POLICY, 1, 0, 0, 1, 1, 0 }, ACCESS_EXPOSED, ACCESS_POLICY },
	{ { S3_ACCESS_PRESIGNED, ACCESS_UNKNOWN, 1, 0, 0, 1, 0, 0 }, ACCESS_FINE, ACCESS_UNKNOWN },
	{ { S3_ACCESS_PRESIGNED, ACCESS_UNKNOWN, 1, 0, 0, 0, 0, 0 }, ACCESS_FINE, ACCESS_UNKNOWN },
	{ { S3_ACCESS_NONE, ACCESS_ACL, 1, 0, 0, 1, 0, 0 }, ACCESS_FINE, ACCESS_ACL },
};

TEST(what_was_seen_says_what_to_do)
{
	enum access_method method;
	const char *detail;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("# row %zu\n", i);
		CHECK_INT(access_judge(&rows[i].sight, &method, &detail), rows[i].need);
		CHECK_INT(method, rows[i].method);
	}
}

TEST(the_detail_says_by_what)
{
	struct access_sight sight = { .mode = AUTO, .known = ACCESS_ACL };
	enum access_method method;
	const char *detail;

	access_judge(&sight, &method, &detail);
	CHECK_STR(detail, "by ACL");
	sight.known = ACCESS_OPEN;
	access_judge(&sight, &method, &detail);
	CHECK_STR(detail, "objects are public");
	sight.known = ACCESS_POLICY;
	access_judge(&sight, &method, &detail);
	CHECK_STR(detail, "by bucket policy");
	sight.mode = S3_ACCESS_ACL;
	access_judge(&sight, &method, &detail);
	CHECK_STR(detail, "nothing published yet");
}

TEST(methods_have_names)
{
	int method;

	for (method = 0; method < N_ACCESS_METHODS; method++)
		CHECK_INT(access_method_of(access_method_name((enum access_method)method)), method);
	CHECK_INT(access_method_of("magic"), ACCESS_UNKNOWN);
}

int
main(void)
{
	return RUN(CASE(what_was_seen_says_what_to_do), CASE(the_detail_says_by_what),
	    CASE(methods_have_names));
}
