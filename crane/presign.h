/* presign.h - redirects into a private bucket, signed with a read-only key.
 *
 * The key is read once from a file, JSON: {"access_key", "secret_key", "region", "endpoint"} and
 * optionally "session_token" and "bucket". Immutable afterwards: any thread. Only URLs of that
 * endpoint, and of that bucket if it is named, are signed; all others stay as they are. */
#ifndef CRANE_PRESIGN_H
#define CRANE_PRESIGN_H

#include <time.h>

#include "common/cleanup.h"
#include "common/error.h"

#define PRESIGN_SECONDS 900u	/* a client has to begin its download in that time */

struct presign;

struct presign *presign_read(const char *path, struct error *err);
struct presign *presign_parse(const char *json, size_t len, struct error *err);
void	 presign_free(struct presign *);	/* NULL is fine; wipes the key */
CLEANUP_FUNC(struct presign, presign_free);

/* The signed URL, the caller's to free, or NULL when the URL is not of the bucket. */
char	*presign_url(const struct presign *, const char *method, const char *url, time_t now);

#endif
