/* inventory.h - what the accounts hold: one look at all apps, domains and buckets.
 *
 * Taken by a job once a sweep, so that a light check of N ISVs costs the broker and S3 a constant
 * number of requests. Immutable afterwards and reference-counted; any thread. */
#ifndef DAEMON_INVENTORY_H
#define DAEMON_INVENTORY_H

#include <stdbool.h>

#include "common/error.h"
#include "daemon/config.h"
#include "daemon/http.h"
#include "daemon/observed.h"

struct inventory;

/* Asks the broker and S3. What could not be seen is kept as an error of that part. */
struct inventory *inventory_take(const struct config *, struct http *, const struct deadline *);
struct inventory *inventory_ref(struct inventory *);
void	 inventory_unref(struct inventory *);	/* NULL is fine */

/* What it knows of an ISV's domain, app (without its variables) and bucket (without access):
 * fills those of `out`. */
void	 inventory_look(const struct inventory *, const struct isv *, struct observed *out);

/* NULL: that account could be read. */
const struct error *inventory_openshift_error(const struct inventory *);
const struct error *inventory_s3_error(const struct inventory *);

#endif
