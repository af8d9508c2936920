/* image-mask.h - which layers of an image are Red Hat's: referenced, never uploaded.
 *
 * The table is built by who reads Red Hat's metadata. Pure; any thread. */
#ifndef DAEMON_IMAGE_MASK_H
#define DAEMON_IMAGE_MASK_H

#include <stddef.h>

#include "daemon/crane-metadata.h"
#include "daemon/image.h"

/* All lent. */
struct layer_table {
	const struct layer_origin	*layers;	/* in any order */
	size_t				 n_layers;
	const struct crane_ids		*v1_ids;	/* of v1 images; may be NULL */
};

/* Marks v1 images by id and layers by digest. Raw layers are found by diff_id, and get the
 * origin's compressed digest and size, which image_finish() then writes into the manifest. What
 * is no layer is left alone. Returns how many were marked. */
size_t	 image_mask(struct image *, const struct layer_table *);

#endif
