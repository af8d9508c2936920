/* source-kind.h - what the files source-*.c give to source.c: one way each to read an image.
 *
 * They fill the image; -1 with err. Blobs of a tar get their place in it at once; those of a
 * directory are opened, and those of a registry fetched, by source.c's readers. */
#ifndef DAEMON_SOURCE_KIND_H
#define DAEMON_SOURCE_KIND_H

#include <stdbool.h>

#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/image.h"
#include "daemon/repository.h"
#include "daemon/tarball.h"
#include "daemon/tree.h"

bool	 source_is_oci(const struct tree *);
int	 source_oci_read(const struct tree *, struct image *, const struct deadline *,
    struct error *err);
/* Its blobs are compressed: they can be published as they are. */
bool	 source_oci_is_packed(const struct image *);
/* Where the layout keeps a blob. */
#define OCI_BLOB_PATH "blobs/sha256/"
void	 source_oci_blob_path(const char *digest, char out[sizeof(OCI_BLOB_PATH) + DIGEST_SIZE]);

bool	 source_is_docker_archive(const struct tree *);
int	 source_docker_archive_read(const struct tree *, struct image *, const struct deadline *,
    struct error *err);

bool	 source_is_pulp(const struct tarball *);
int	 source_pulp_read(const struct tarball *, struct image *, const struct deadline *,
    struct error *err);

int	 source_registry_read(struct repository *, const struct repository_reference *,
    struct image *, const struct deadline *, struct error *err);

#endif
