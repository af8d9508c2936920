/* url.h - what of a URL may be shown.
 *
 * Pure function. Any thread. */
#ifndef DAEMON_URL_H
#define DAEMON_URL_H

/* A copy of any text, in which the password of each "SCHEME://USER:PASSWORD@" is "***". */
char	*url_hide_password(const char *);

#endif
