/* image-walk.h - from one descriptor to all that it names: children, configs, layers.
 *
 * No I/O of its own: the source gives the bytes. Thread of the image. */
#ifndef DAEMON_IMAGE_WALK_H
#define DAEMON_IMAGE_WALK_H

#include "common/buf.h"
#include "common/error.h"
#include "daemon/image.h"

enum walk_kind { WALK_MANIFEST, WALK_CONFIG };

/* Adds the bytes of that descriptor to `out`, which has a limit; they are checked afterwards. */
typedef int walk_fn(void *arg, enum walk_kind, const struct descriptor *, struct buf *out,
    struct error *err);

/* The manifest of the descriptor and whatever hangs on it are in the image afterwards. Each
 * child of an index must be there, also attestations: an index is kept whole or refused. */
int	 image_walk(struct image *, const struct descriptor *, walk_fn *, void *arg,
    struct error *err);

#endif
