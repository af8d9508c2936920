/* store.h - the repositories that are served: what one reading of the directory gave.
 *
 * Built by one thread (store_new, store_add, store_seal), immutable from then on and shared by
 * all with references. v1 and v2 name spaces are apart, as Crane has them; where two files give
 * one name, the later file in order of names wins. */
#ifndef CRANE_STORE_H
#define CRANE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "daemon/crane-metadata.h"
#include "daemon/digest.h"

struct store;

struct store_file {
	char			*name;		/* below the directory */
	char			 sha256[SHA256_HEX_SIZE];
	struct crane_metadata	*metadata;
	const struct store_file	*shadowed_by;	/* NULL: it is served */
};

struct store *store_new(void);
/* Takes the metadata. Files come in order of their names. */
void	 store_add(struct store *, const char *file, const char *sha256, struct crane_metadata *);
/* `whole`: no file was refused. */
void	 store_seal(struct store *, bool whole, int64_t loaded_at);
struct store *store_ref(struct store *);
void	 store_unref(struct store *);		/* NULL is fine */
CLEANUP_FUNC(struct store, store_unref);

/* NULL: there is none. */
const struct crane_metadata *store_v1(const struct store *, const char *name);
const struct crane_metadata *store_v2(const struct store *, const char *name);
/* A repository that holds this v1 image and is not protected. */
const struct crane_metadata *store_image(const struct store *, const char *id);

/* Those that are served, sorted by name. */
size_t	 store_n_v1(const struct store *);
size_t	 store_n_v2(const struct store *);
const struct crane_metadata *store_v1_at(const struct store *, size_t);
const struct crane_metadata *store_v2_at(const struct store *, size_t);

size_t	 store_n_files(const struct store *);
const struct store_file *store_file_at(const struct store *, size_t);
bool	 store_is_whole(const struct store *);
int64_t	 store_loaded_at(const struct store *);
/* SHA-256 of "SHA256  NAME\n" for each file in order: `sha256sum $(LC_ALL=C ls) | sha256sum`. */
const char *store_hash(const struct store *);

#endif
