/* url.h - what of a URL may be shown, and where a relative one leads.
 *
 * Pure functions. Any thread. */
#ifndef DAEMON_URL_H
#define DAEMON_URL_H

#include "common/error.h"

/* A copy of any text, in which the password of each "SCHEME://USER:PASSWORD@" is "***". */
char	*url_hide_password(const char *);
/* Where `location`, as given by the answer for `base`, leads; the caller's. NULL: nowhere. */
char	*url_resolve(const char *base, const char *location);
/* "host:port/path", without the port that the scheme has anyway, or user, password, query. NULL
 * with err: that is no URL. */
char	*url_place(const char *url, struct error *err);

#endif
