#include "daemon/loopback.h"

#include <netinet/in.h>

#include "tests/unit/test.h"

TEST(addresses_of_this_host_alone)
{
	static const char *const good[] = { "127.0.0.1:9777", "127.9.8.7:1", "[::1]:65535" };
	static const char *const bad[] = { "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:0",
	    "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1", "0.0.0.0:9777", ":9777",
	    "128.0.0.1:9777", "[::]:9777", "::1:9777", "[::1]", "[::1]9777", "[127.0.0.1]:9777",
	    "localhost:9777", "[fe80::1]:9777", "[::ffff:127.0.0.1]:9777" };
	struct loopback at;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		printf("# %s\n", good[i]);
		CHECK(loopback_parse(good[i], &at));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		printf("# %s\n", bad[i]);
		CHECK(!loopback_parse(bad[i], &at));
	}
}

TEST(what_is_said_is_meant)
{
	struct loopback at;

	CHECK(loopback_parse("127.0.0.2:80", &at));
	CHECK_INT(at.at.ss_family, AF_INET);
	CHECK_INT(at.len, sizeof(struct sockaddr_in));
	CHECK_INT(ntohs(((struct sockaddr_in *)&at.at)->sin_port), 80);
	CHECK_INT(ntohl(((struct sockaddr_in *)&at.at)->sin_addr.s_addr), 0x7f000002);
	CHECK(loopback_parse("[::1]:443", &at));
	CHECK_INT(at.at.ss_family, AF_INET6);
	CHECK_INT(ntohs(((struct sockaddr_in6 *)&at.at)->sin6_port), 443);
}

int
main(void)
{
	return RUN(CASE(addresses_of_this_host_alone), CASE(what_is_said_is_meant));
}
