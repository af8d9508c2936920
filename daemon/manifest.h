/* manifest.h - what a manifest or an index says, of OCI and of Docker (schema 1 and 2).
 *
 * Pure: bytes in, a value out; nothing is fetched. Any thread. The bytes themselves are kept by
 * who gave them: they are what is published, never a rewriting of this value. */
#ifndef DAEMON_MANIFEST_H
#define DAEMON_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/extent.h"

#define MANIFEST_MAX (4u << 20)		/* bytes, as registries take them */
#define MANIFEST_ENTRIES_MAX 1000u	/* layers of an image, children of an index */
#define CONFIG_MAX (8u << 20)		/* bytes */

#define TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define TYPE_DOCKER_SCHEMA1 "application/vnd.docker.distribution.manifest.v1+prettyjws"
#define TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define TYPE_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define TYPE_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define TYPE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"

enum manifest_kind {
	MANIFEST_IMAGE,		/* a config and layers */
	MANIFEST_INDEX,		/* other manifests */
	MANIFEST_SCHEMA1,	/* layers only; its digest is that of the signed payload */
};

#define SIZE_UNKNOWN UINT64_MAX		/* schema 1 does not tell */

/* What one manifest says of another object. Strings but for the digest may be NULL. */
struct descriptor {
	char		*digest;	/* "sha256:HEX", checked */
	uint64_t	 size;
	char		*type;
	char		*platform;	/* "linux/arm64/v8" */
	char		*name;		/* annotation org.opencontainers.image.ref.name */
	bool		 foreign;	/* has urls: clients get it elsewhere */
};

struct descriptors {
	struct descriptor	*list;
	size_t			 n;
};

struct manifest {
	enum manifest_kind	 kind;
	char			*type;		/* its media type */
	struct descriptor	 config;	/* of MANIFEST_IMAGE */
	struct descriptors	 layers;	/* the lowest first */
	struct descriptors	 children;	/* of MANIFEST_INDEX */
	struct descriptor	 subject;	/* digest NULL: none */
};

/* `type` is what its descriptor or server calls it; NULL: only the bytes tell. -1 with err
 * (ERROR_INPUT): not such a document, two kinds at once, another type than it was called. */
int	 manifest_parse(const char *data, size_t len, const char *type, struct manifest *out,
	    struct error *err);
void	 manifest_done(struct manifest *);

bool	 manifest_type_known(const char *type);
/* The digest that the manifest goes by: of the bytes, and of schema 1 of the signed payload. */
int	 manifest_digest(const char *data, size_t len, const struct manifest *,
	    char out[DIGEST_SIZE], struct error *err);

/* rootfs.diff_ids of an image's config, the lowest layer first; *n is 0 when it has none, as
 * with what is no container image. */
int	 config_diff_ids(const char *data, size_t len, char ***ids, size_t *n,
	    struct error *err);
void	 strings_free(char **, size_t n);

#endif
