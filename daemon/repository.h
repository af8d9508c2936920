/* repository.h - one repository of a registry that speaks the distribution API.
 *
 * Blocking, with a deadline; one thread at a time. Logs in when it is asked to (Basic, or a
 * Bearer token for that repository) and keeps what it got; no secret is in any error. */
#ifndef DAEMON_REPOSITORY_H
#define DAEMON_REPOSITORY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"
#include "daemon/http.h"
#include "daemon/manifest.h"

struct repository_reference {
	char	*host;		/* "registry.example.com:5000", as to be asked */
	char	*name;		/* "acme/app" */
	char	*tag;		/* NULL when there is a digest and no tag */
	char	*digest;	/* NULL: none */
};

/* HOST[:PORT]/NAME[:TAG][@DIGEST]; the tag is "latest" when there is neither. */
int	 repository_reference_parse(const char *, struct repository_reference *, struct error *err);
void	 repository_reference_done(struct repository_reference *);

struct repository_options {
	struct http_shared	*http;
	const char		*username;	/* NULL: anonymous */
	const char		*password;
	bool			 plain_http;
};

struct repository_manifest {
	struct buf	 body;
	char		*type;			/* media type; NULL: the server told none that is known */
	char		 digest[DIGEST_SIZE];	/* of the body */
};

#define REPOSITORY_MANIFEST_INIT { BUF_INIT, NULL, "" }

struct repository;

/* Lends the reference and what the options point to. No request is made yet. */
struct repository *repository_new(const struct repository_reference *, const struct repository_options *);
void	 repository_free(struct repository *);	/* NULL is fine */
CLEANUP_FUNC(struct repository, repository_free);

/* By tag or digest; checked against the digest, and against Docker-Content-Digest. ERROR_MISSING:
 * there is none. */
int	 repository_manifest(struct repository *, const char *reference, struct repository_manifest *out,
    const struct deadline *, struct error *err);
void	 repository_manifest_done(struct repository_manifest *);
/* The index of what refers to that manifest, added to `out`. ERROR_MISSING: the registry does not
 * know of referrers. */
int	 repository_referrers(struct repository *, const char *digest, struct buf *out,
    const struct deadline *, struct error *err);
/* A blob of at most CONFIG_MAX bytes, added to `out` and not checked. */
int	 repository_config(struct repository *, const char *digest, struct buf *out,
    const struct deadline *, struct error *err);
/* The whole blob by way of the spool, which is empty and has the blob's size for its limit; digest
 * and size are checked. `size` may be SIZE_UNKNOWN. */
int	 repository_blob(struct repository *, const char *digest, uint64_t size, struct spool *,
    struct extent *out, const struct deadline *, struct error *err);

#endif
