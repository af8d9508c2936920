/* challenge.h - what a server's WWW-Authenticate asks for (RFC 7235; the registry's token flow).
 *
 * Pure. Any thread. */
#ifndef DAEMON_CHALLENGE_H
#define DAEMON_CHALLENGE_H

#include <stdbool.h>

#define CHALLENGE_TEXT_MAX 1024		/* bytes of a parameter, with the NUL */

struct challenge {
	bool	basic;				/* Basic is offered */
	bool	bearer;				/* Bearer is, with a realm */
	char	realm[CHALLENGE_TEXT_MAX];	/* of Bearer: the URL that gives tokens */
	char	service[CHALLENGE_TEXT_MAX];	/* "" : none */
	char	scope[CHALLENGE_TEXT_MAX];
};

#define CHALLENGE_INIT { .basic = false }

/* Adds what one header line offers; a server may send several. The first Bearer counts. What
 * cannot be read, or is too long, offers nothing. */
void	 challenge_add(struct challenge *, const char *value);

#endif
