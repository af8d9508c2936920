/* loopback.h - addresses that only this host can reach. Pure; any thread. */
#ifndef DAEMON_LOOPBACK_H
#define DAEMON_LOOPBACK_H

#include <stdbool.h>
#include <sys/socket.h>

struct loopback {
	struct sockaddr_storage	 at;
	int			 len;
};

/* "127.0.0.1:9777" (any of 127.0.0.0/8, RFC 1122 section 3.2.1.3) or "[::1]:9777", with a port from
 * 1 on. False: it is none. */
bool	 loopback_parse(const char *text, struct loopback *);

#endif
