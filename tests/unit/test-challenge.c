#include "daemon/challenge.h"

#include "tests/unit/test.h"

TEST(bearer_with_its_parameters)
{
	struct challenge c = CHALLENGE_INIT;

	challenge_add(&c, "Bearer realm=\"https://auth.example.com/t?a=b,c\",service=\"a \\\"b\\\"\","
	    "scope=\"repository:acme/app:pull,push\"");
	CHECK(c.bearer && !c.basic);
	CHECK_STR(c.realm, "https://auth.example.com/t?a=b,c");
	CHECK_STR(c.service, "a \"b\"");
	CHECK_STR(c.scope, "repository:acme/app:pull,push");
}

TEST(several_challenges)
{
	struct challenge c = CHALLENGE_INIT;

	challenge_add(&c, "Negotiate abc==, Basic realm=\"x\", bearer REALM = https://a/t , scope=s");
	CHECK(c.bearer && c.basic);
	CHECK_STR(c.scope, "s");
	challenge_add(&c, "Bearer realm=\"https://other/t\"");
	CHECK(c.basic);
	CHECK(strstr(c.realm, "other") == NULL);
}

TEST(parameters_of_others_do_not_count)
{
	struct challenge c = CHALLENGE_INIT;

	challenge_add(&c, "Bearer realm=\"https://a/t\", Basic realm=\"https://evil/t\"");
	CHECK(c.bearer && c.basic);
	CHECK_STR(c.realm, "https://a/t");
}

TEST(what_offers_nothing)
{
	static const char *const bad[] = {
		"", ",", "=", "Bearer", "Bearer realm=", "Bearer realm=\"open", "Bearer realm=\"\\",
		"Bearer service=\"x\"", "Digest realm=\"x\"", "\"Bearer\" realm=\"x\"", "\x80 Basic",
	};
	char big[3000];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct challenge c = CHALLENGE_INIT;

		challenge_add(&c, bad[i]);
		CHECK(!c.bearer && !c.basic);
	}
	snprintf(big, sizeof(big), "Bearer realm=\"%02000d\"", 1);
	{
		struct challenge c = CHALLENGE_INIT;

		challenge_add(&c, big);
		CHECK(!c.bearer);
	}
}

int
main(void)
{
	return RUN(CASE(bearer_with_its_parameters), CASE(several_challenges),
	    CASE(parameters_of_others_do_not_count), CASE(what_offers_nothing));
}
