/* crane-metadata.h - one metadata file of Crane, versions 1 to 4, and what it needs in S3.
 *
 * Pure: bytes in, an immutable value out. Any thread. A file that Crane would leave out is an
 * error that names the key, and so is one that passes a limit. */
#ifndef DAEMON_CRANE_METADATA_H
#define DAEMON_CRANE_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

#define CRANE_METADATA_MAX (16u << 20)	/* bytes of one file */
#define CRANE_ENTRIES_MAX 50000u	/* of each list in it */

/* Sorted (strcmp) and each once. */
struct crane_ids {
	char	**ids;
	size_t	  n;
	size_t	  size;		/* allocated */
};

#define CRANE_IDS_INIT { NULL, 0, 0 }

/* A tag and what it means: a v1 image id, or a digest. */
struct crane_tag {
	char		*name;
	char		*target;
	int		 schema;	/* of amd64_tags: 1 or 2; else 0 */
};

struct crane_tags {
	struct crane_tag	*tags;		/* sorted by name */
	size_t			 n;
};

struct crane_manifest {
	char		*digest;
	char		*type;
	uint64_t	 size;
};

struct crane_blob {
	char		*digest;
	uint64_t	 size;
	bool		 has_origin;	/* masked: redirected to its origin, never uploaded */
	size_t		 origin;	/* which of the origins */
	char		*diff_id;	/* of a layer: the digest of its plain bytes; NULL: not told */
};

/* A registry that holds masked blobs. */
struct crane_origin {
	char		*url;
	char		*repository;
};

/* A manifest that refers to another one by its `subject`. */
struct crane_referrer {
	char		*subject;	/* a digest */
	char		*artifact_type;	/* "": it has none */
	char		*descriptor;	/* as it stands in an OCI index, JSON text */
};

/* Strings are never NULL. */
struct crane_metadata {
	int			 version;
	char			*repository;
	char			*registry_id;	/* the name that is pulled */
	char			*url;		/* base of the redirects */
	bool			 is_protected;
	struct crane_ids	 images;	/* version 1 */
	struct crane_tags	 tags;		/* version 1 */
	struct crane_ids	 schema2;	/* 3, 4: tags and digests */
	struct crane_ids	 lists;		/* 4: tags and digests of manifest lists */
	struct crane_tags	 amd64_tags;	/* 4 */

	/* Our own key `raas`, which Crane ignores. */
	bool			 has_raas;
	struct crane_tags	 raas_tags;
	struct crane_manifest	*manifests;	/* sorted by digest */
	size_t			 n_manifests;
	struct crane_blob	*blobs;		/* sorted by digest */
	size_t			 n_blobs;
	struct crane_origin	*origins;	/* as in the file */
	size_t			 n_origins;
	struct crane_referrer	*referrers;	/* sorted by subject, then by descriptor */
	size_t			 n_referrers;
};

#define CRANE_SIZE_UNKNOWN UINT64_MAX

struct crane_object {
	char		*key;		/* in the bucket */
	uint64_t	 size;
};

/* Sorted by key as S3 lists them, each once. */
struct crane_objects {
	struct crane_object	*objects;
	size_t			 n;
	size_t			 size;		/* allocated */
};

#define CRANE_OBJECTS_INIT { NULL, 0, 0 }

/* NULL with err (ERROR_INPUT, without the file's name) when it is not valid. */
struct crane_metadata *crane_metadata_parse(const char *data, size_t len, struct error *err);
void	 crane_metadata_free(struct crane_metadata *);		/* NULL is fine */
CLEANUP_FUNC(struct crane_metadata, crane_metadata_free);

/* What the sorted lists have under that name or digest, or NULL. */
const struct crane_tag *crane_tags_find(const struct crane_tags *, const char *name);
const struct crane_manifest *crane_metadata_manifest(const struct crane_metadata *,
	    const char *digest);
const struct crane_blob *crane_metadata_blob(const struct crane_metadata *, const char *digest);

/* Crane's folder of manifests of that type, "1", "2" or "list"; static. */
const char *crane_manifest_folder(const char *type);

/* Where the repository's objects are in the bucket, "some-app/": its url below public_url (the
 * base that clients read the bucket under), else its name. The caller's to free. */
char	*crane_metadata_prefix(const struct crane_metadata *, const char *public_url);

/* Adds every object that must be there for a pull to work. Images and blobs that are in `masked`
 * (may be NULL) are Red Hat's and left out. Without `raas` only what the arrays tell is known. */
void	 crane_metadata_objects(const struct crane_metadata *, const char *prefix,
	    const struct crane_ids *masked, struct crane_objects *out);
void	 crane_objects_done(struct crane_objects *);

/* A set of ids, filled in any order and sorted once. crane_ids_add copies. */
void	 crane_ids_add(struct crane_ids *, const char *id);
void	 crane_ids_sort(struct crane_ids *);
/* Into a set that is sorted, and stays so; false: it was there. Copies. */
bool	 crane_ids_insert(struct crane_ids *, const char *id);
bool	 crane_ids_have(const struct crane_ids *, const char *id);
void	 crane_ids_done(struct crane_ids *);

#endif
