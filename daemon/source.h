/* source.h - where an image comes from: an archive, a directory, a registry.
 *
 * Archives (their kind is found by looking inside): `docker save` old and new, OCI, Pulp's export
 * v1 and v2; plain, gzip or zstd; a file or a pipe. Directories: OCI's layout. URLs:
 * docker://HOST[:PORT]/NAME[:TAG][@DIGEST], and http(s)://… of an archive.
 *
 * Opening reads all manifests and configs, checks them, and leaves the blobs alone. The source
 * belongs to one thread; a reader too, though each thread may have one of its own, and any
 * number of readers read one source at once. No state of the daemon is in reach here, and no
 * secret but the login that is passed in. */
#ifndef DAEMON_SOURCE_H
#define DAEMON_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"
#include "daemon/http.h"
#include "daemon/image.h"

/* All lent, until the source is freed. */
struct source_options {
	int			 spool_dir_fd;	/* for what must be kept on disk meanwhile */
	uint64_t		 spool_max;	/* bytes of one such file */
	struct http_shared	*http;		/* of URLs; may be NULL for files */
	const char		*username;	/* of the registry; NULL: anonymous */
	const char		*password;
	bool			 plain_http;	/* docker:// without TLS, and http:// archives */
};

struct source;

/* Lends fd, which must stay open as long as the source. */
struct source *source_open_file(int fd, const struct source_options *, const struct deadline *,
    struct error *err);
struct source *source_open_dir(int dir_fd, const struct source_options *,
    const struct deadline *, struct error *err);
struct source *source_open_url(const char *url, const struct source_options *,
    const struct deadline *, struct error *err);
/* "registry.example.com/acme/app": what a login for that URL is looked up by, the caller's. One
 * that holds a login itself is refused: URLs are shown, in lists of processes too. */
char	*source_url_place(const char *url, struct error *err);
void	 source_free(struct source *);		/* NULL is fine; after its readers */
CLEANUP_FUNC(struct source, source_free);

const char *source_kind(const struct source *);	/* "docker-archive"; static */
/* The source's own; goes with it. */
struct image *source_image(struct source *);

struct source_reader;

struct source_reader *source_reader_new(const struct source *);
/* The bytes of one blob that is BLOB_HERE and not raw, read whole and found to have its digest
 * and size. *out is the caller's, to be released by extent_done() before the source is freed. */
int	 source_reader_blob(struct source_reader *, const struct image_blob *, struct extent *out,
    const struct deadline *, struct error *err);
void	 source_reader_free(struct source_reader *);	/* NULL is fine */
CLEANUP_FUNC(struct source_reader, source_reader_free);

#endif
