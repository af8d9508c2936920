/* location.h - the URL of a redirect: a base from metadata, and what comes behind it.
 *
 * Pure; any thread. Whatever the two hold, the result is one header value: all but what a URL
 * may hold as it is (RFC 3986) is percent-encoded. */
#ifndef CRANE_LOCATION_H
#define CRANE_LOCATION_H

#include <stdbool.h>
#include <stddef.h>

/* Parts of a URL "scheme://host:port/path?query", pointing into it. */
struct location {
	size_t		 scheme_len;
	const char	*host;		/* with its port */
	size_t		 host_len;
	const char	*path;		/* with the query; "" when there is none */
};

/* base, a '/' unless it ends with one, and the rest, in which reserved characters but '/' and
 * ':' are encoded. The caller's to free. */
char	*location_join(const char *base, const char *rest);
/* False when it has no scheme or no host, or names a user. */
bool	 location_split(const char *url, struct location *);
/* The path encoded as Signature V4 wants it, whatever was encoded before; "/" for none. */
char	*location_canonical_path(const char *path);

#endif
