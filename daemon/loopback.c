#include "daemon/loopback.h"

#include <arpa/inet.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <string.h>

static bool
is_loopback(const struct sockaddr *at)
{
	if (at->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr) >> 24 == 127;
	return at->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)at)->sin6_addr);
}

bool
loopback_parse(const char *text, struct loopback *out)
{
	const char *colon = strrchr(text, ':');
	bool v6 = strchr(text, ':') != colon;

	memset(out, 0, sizeof(*out));
	out->len = sizeof(out->at);
	/* libevent would take an address without a port, too. */
	return colon != NULL && colon[1] != '\0' &&
	    strspn(colon + 1, "0123456789") == strlen(colon + 1) && v6 == (text[0] == '[') &&
	    evutil_parse_sockaddr_port(text, (struct sockaddr *)&out->at, &out->len) == 0 &&
	    is_loopback((const struct sockaddr *)&out->at);
}
