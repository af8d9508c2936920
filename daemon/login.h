/* login.h - logins to registries and web servers, from a file as containers-auth.json(5) and
 * docker's config.json have it.
 *
 * Any thread; no state. No error holds anything of the file but the names of its keys. */
#ifndef DAEMON_LOGIN_H
#define DAEMON_LOGIN_H

#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"

#define LOGIN_FILE_MAX (1u << 20)	/* bytes */

struct login {
	char	*username;	/* NULL: there is none, ask as anybody */
	char	*password;
};

#define LOGIN_INIT { NULL, NULL }

/* The login for `place`, "HOST[:PORT]/NAMESPACE/NAME": that of the longest key that is the place
 * or a namespace or host above it. *out is left as it is when there is none. ERROR_INPUT: not
 * such a file, or that key's login is of a kind that cannot be used. */
int	 login_find(const char *text, size_t len, const char *place, struct login *out,
	    struct error *err);
/* The same from a file: a path, or "credential:NAME" of that directory (NULL: there is none). */
int	 login_read(const char *file, const char *credentials_dir, const char *place,
	    struct login *out, struct error *err);
void	 login_done(struct login *);		/* wipes it */

#endif
