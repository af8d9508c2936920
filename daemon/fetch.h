/* fetch.h - a GET that follows redirects, tries again, and resumes.
 *
 * Blocking, with a deadline; the http handle's thread. A login is sent to the origin of the URL
 * alone (scheme, host and port), never to where a redirect leads. */
#ifndef DAEMON_FETCH_H
#define DAEMON_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"
#include "daemon/http.h"

struct fetch_request {
	const char	*url;
	const char	*accept;	/* "Accept: …"; NULL: none */
	const char	*username;	/* Basic; NULL: none */
	const char	*password;
	const char	*bearer;	/* NULL: none */
	bool		 plain_http;	/* http:// may be asked; else never, nor redirected to */
	size_t		 body_max;	/* 0: HTTP_BODY_MAX */
	struct spool	*spool;		/* takes the body of a 200, NULL: http_response.body does.
					 * What is in it already is not asked for again. */
};

/* 0 with any status but a redirect's, 429 and 5xx, which are tried again a few times and are then
 * an error (ERROR_REMOTE). A transfer that breaks off goes on where it stopped. */
int	 fetch_get(struct http *, const struct fetch_request *, struct http_response *,
    const struct deadline *, struct error *err);

bool	 fetch_url_allowed(const char *url, bool plain_http);

#endif
