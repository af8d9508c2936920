/* mask.h - Red Hat's metadata files as one value, and its last good copy on disk.
 *
 * A mask is filled by one thread, sealed, and then never changes; it is reference-counted, and
 * any thread may hold one. On disk each file is named by its content, so that the index, which
 * is replaced last, always names whole files. One writer a directory. */
#ifndef DAEMON_MASK_H
#define DAEMON_MASK_H

#include <git2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/crane-metadata.h"

#define MASK_FILES_MAX 10000u
#define MASK_FILE_MAX CRANE_METADATA_MAX	/* bytes */
#define MASK_TOTAL_MAX (64u << 20)

struct mask_file {
	char		*name;		/* [A-Za-z0-9._-]+.json */
	char		*data;
	size_t		 len;
	git_oid		 oid;		/* of the bytes, as git's blob */
	char		*validator;	/* request header that asks whether it changed; NULL: none */
};

struct mask {
	struct mask_file	*files;		/* sorted by name */
	size_t			 n_files;
	struct crane_ids	 masked;	/* v1 image ids and blob digests */
	char			*source;	/* where it came from, fit to be shown */
	char			*commit;	/* of a git source, hex; NULL: another source */
	size_t			 size;		/* mask.c's own: files allocated */
	size_t			 total;		/* bytes of all files */
	atomic_uint		 refs;
};

/* Empty, with one reference. */
struct mask *mask_new(const char *source);
/* Copies the file. Fails when it is not a valid metadata file, or passes a limit; the error does
 * not say the name. `validator` may be NULL. */
int	 mask_add(struct mask *, const char *name, const void *data, size_t len,
	    const char *validator, struct error *err);
/* Sorts what was added: nothing is changed afterwards. */
void	 mask_seal(struct mask *);

struct mask *mask_ref(struct mask *);
void	 mask_unref(struct mask *);		/* NULL is fine */
CLEANUP_FUNC(struct mask, mask_unref);

const struct mask_file *mask_find(const struct mask *, const char *name);	/* NULL: none */
/* The same files with the same bytes. */
bool	 mask_same(const struct mask *, const struct mask *);

/* Makes it the last good copy in the directory `keep_dir`, which is made if need be. */
int	 mask_keep(const struct mask *, const char *keep_dir, struct error *err);
/* The last good copy. NULL with err: ERROR_MISSING when there is none yet. */
struct mask *mask_load(const char *keep_dir, struct error *err);

#endif
