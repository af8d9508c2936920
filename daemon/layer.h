/* layer.h - layers between their two forms: the plain tar, and its compressed bytes.
 *
 * Streaming, in bounded memory, from extents into files without a name. Any thread. */
#ifndef DAEMON_LAYER_H
#define DAEMON_LAYER_H

#include <stdint.h>

#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"

#define LAYER_PLAIN_MAX (UINT64_C(1) << 40)	/* bytes of one plain tar */

struct packed_layer {
	char		digest[DIGEST_SIZE];	/* of the compressed bytes */
	char		diff_id[DIGEST_SIZE];	/* of the plain ones */
	struct extent	at;			/* the compressed bytes */
};

/* Gzip of a layer: bytes that are gzip already stay where they are and out->at lends them; plain
 * and zstd ones go into a file in that directory. The same plain bytes give the same compressed
 * bytes, with one version of zlib: level 6, no name, no time. out->at is for extent_done(). */
int	 layer_pack(const struct extent *, int spool_dir_fd, struct packed_layer *out,
    const struct deadline *, struct error *err);
/* The digest of the plain bytes, whatever their form here. */
int	 layer_diff_id(const struct extent *, char out[DIGEST_SIZE], const struct deadline *,
    struct error *err);

#endif
