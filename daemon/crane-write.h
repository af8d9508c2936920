/* crane-write.h - the metadata file that serves an image, made from the image and from the file
 * that serves the repository now.
 *
 * Pure; any thread. Equal input gives equal bytes. One file serves the original Crane, by the
 * arrays of version 4, and raas-crane, by the object `raas`. */
#ifndef DAEMON_CRANE_WRITE_H
#define DAEMON_CRANE_WRITE_H

#include "common/error.h"
#include "daemon/crane-metadata.h"
#include "daemon/image.h"

/* All lent. */
struct crane_place {
	const char	*repository;	/* "isv1-some-app" */
	const char	*name;		/* that is pulled: "some/app" */
	const char	*url;		/* base of the redirects, with a slash at its end */
};

/* The image's manifests, with the tags that it moves; all else that `before` (NULL: none) has
 * stays, also manifests that no tag names any more: somebody may run them by digest. NULL with
 * err (ERROR_CONFLICT) when `before` is not of raasd's making: it does not tell what its tags
 * mean. The caller's. */
char	*crane_write(const struct crane_place *, const struct image *,
	    const struct crane_metadata *before, struct error *err);
/* The same of its v1 images, as a file of version 1. Those that are masked are not in it: Crane
 * takes an image from any repository that has its id, and must find it at Red Hat's. */
char	*crane_write_v1(const struct crane_place *, const struct image *,
	    const struct crane_metadata *before);

/* {"name", "tags"}, as the object tags/list holds it. The caller's. */
char	*crane_write_tags_list(const struct crane_metadata *);

#endif
