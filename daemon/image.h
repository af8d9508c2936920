/* image.h - what a source yields: manifests as they are, the blobs they name, tags, v1 images.
 *
 * An image goes through stages, each a step of who publishes it:
 *	source_open_*()		reads and checks everything but the blobs' bytes
 *	image_mask()		marks Red Hat's layers: referenced, never uploaded
 *	image_compress()	each layer that image_is_raw(), in any order and any thread, though
 *				one thread a layer
 *	image_finish()		writes the manifests that `docker save` does not have
 *	source_reader_blob()	hands out the bytes of each blob that is BLOB_HERE
 * After image_finish() it is not changed any more and any thread may look at it. Until then it
 * belongs to one thread, but for image_compress(). */
#ifndef DAEMON_IMAGE_H
#define DAEMON_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"
#include "daemon/manifest.h"

#define IMAGE_MANIFESTS_MAX 1000u
#define IMAGE_MANIFEST_BYTES_MAX (32u << 20)	/* of all manifests together */
#define IMAGE_BLOBS_MAX 20000u
#define IMAGE_TAGS_MAX 10000u
#define IMAGE_NESTING_MAX 4u			/* of an index in an index */
#define IMAGE_V1_MAX 10000u
#define V1_TEXT_MAX (1u << 20)			/* bytes of a v1 image's json, or its ancestry */
#define V1_ID_LEN 64u

enum blob_place {
	BLOB_HERE,	/* the source has it; to be uploaded */
	BLOB_MASKED,	/* Red Hat's: see `origin` */
	BLOB_FOREIGN,	/* its descriptor has urls, and the source has no copy */
};

struct blob_index;

/* Where a masked layer is served from, and what it is there. */
struct layer_origin {
	char		*digest;	/* of the compressed bytes */
	uint64_t	 size;
	char		*type;		/* media type; NULL: Docker's gzip */
	char		*diff_id;	/* NULL: unknown */
	char		*url;		/* "https://registry.example.com" */
	char		*repository;	/* "rhel7" */
};

struct image_blob {
	char			*digest;	/* NULL: a raw layer, not compressed yet */
	uint64_t		 size;		/* SIZE_UNKNOWN: schema 1 and a registry */
	char			*type;		/* media type; NULL: not told */
	char			*diff_id;	/* of a layer; NULL: unknown */
	bool			 is_config;
	enum blob_place		 place;
	struct layer_origin	*origin;	/* of BLOB_MASKED: a copy */
	struct extent		 at;		/* fd -1: the source's reader has to get it */
	bool			 checked;	/* the bytes at `at` are known to have the digest */
};

struct image_manifest {
	char		*digest;
	char		*type;		/* media type, exactly as to be served */
	char		*data;		/* the exact bytes */
	size_t		 len;
	struct manifest	 parsed;
};

struct image_tag {
	char	*name;
	char	*digest;	/* of a manifest of the image */
};

/* Pulp's and the first registry's image: one layer and its parents. */
struct image_v1 {
	char		*id;		/* 64 hex digits */
	struct extent	 json;
	struct extent	 ancestry;	/* a JSON array of ids, self first */
	struct extent	 layer;
	bool		 masked;	/* Red Hat's: not uploaded */
};

struct image_v1_tag {
	char	*name;
	char	*id;
};

/* An image of `docker save`, whose manifest is written by image_finish(). */
struct image_draft {
	size_t	 config;	/* index of its blob */
	size_t	*layers;	/* indexes of blobs, the lowest first */
	size_t	 n_layers;
	char	**tags;
	size_t	 n_tags;
};

struct image {
	char			*name;		/* as the source calls it, "acme/app"; NULL */
	struct image_manifest	*manifests;	/* each once */
	size_t			 n_manifests;
	struct image_blob	*blobs;		/* each once */
	size_t			 n_blobs;
	struct image_tag	*tags;
	size_t			 n_tags;
	struct image_v1		*v1;
	size_t			 n_v1;
	struct image_v1_tag	*v1_tags;
	size_t			 n_v1_tags;
	struct image_draft	*drafts;
	size_t			 n_drafts;
	char			**roots;	/* digests that the source itself names, tagged or not */
	size_t			 n_roots;

	/* image.c's own */
	size_t			 manifest_bytes;
	struct blob_index	*by_digest;
	struct blob_index	*by_diff_id;	/* raw layers */
};

struct image *image_new(void);
void	 image_free(struct image *);		/* NULL is fine */
CLEANUP_FUNC(struct image, image_free);

const struct image_manifest *image_manifest_find(const struct image *, const char *digest);
struct image_blob *image_blob_find(const struct image *, const char *digest);	/* NULL: none */

/* Layers of `docker save`: uncompressed, or compressed by who wrote the archive. */
bool	 image_is_raw(const struct image_blob *);
/* Compresses raw layer i into a file without a name in that directory, and checks its diff_id.
 * Layers that are compressed already keep their bytes. */
int	 image_compress(struct image *, size_t i, int spool_dir_fd, const struct deadline *,
    struct error *err);
/* Writes the drafts' manifests, byte for byte the same for the same layers. */
int	 image_finish(struct image *, struct error *err);

struct layer_origin *layer_origin_copy(const struct layer_origin *);
void	 layer_origin_free(struct layer_origin *);

bool	 image_tag_valid(const char *);		/* [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} */

void	 image_index(struct image *);		/* for image_finish(): raw layers got digests */

/* For sources. Strings are copied; -1 with err when a limit is passed. */
int	 image_add_tag(struct image *, const char *name, const char *digest, struct error *err);
int	 image_add_v1_tag(struct image *, const char *name, const char *id, struct error *err);
int	 image_add_root(struct image *, const char *digest, struct error *err);
/* The index of the blob of that descriptor, there already or new. */
int	 image_add_blob(struct image *, const struct descriptor *, size_t *i, struct error *err);
/* A raw layer, of which only diff_id is known. */
int	 image_add_raw(struct image *, const char *diff_id, const struct extent *, size_t *i,
    struct error *err);
/* Tells the layers of manifest `digest` their diff_ids, which its config's bytes hold. */
int	 image_add_config(struct image *, const char *digest, const char *data, size_t len,
    struct error *err);
/* Takes the v1 image's id. */
int	 image_add_v1(struct image *, const struct image_v1 *, struct error *err);
/* Takes the draft. */
int	 image_add_draft(struct image *, const struct image_draft *, struct error *err);
/* The manifest (not its children) and its blobs. `digest` is what it is known by, NULL: what
 * comes out; `type` as manifest_parse() takes it. The bytes are checked. */
int	 image_add_manifest(struct image *, const char *digest, const char *type, const char *data,
    size_t len, struct error *err);

#endif
