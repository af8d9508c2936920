/* s3-content.h - the bytes of objects: small ones in memory, big ones in files, shared by
 * reference, never changed once an object has them. */
#ifndef TESTS_SANDBOX_S3_CONTENT_H
#define TESTS_SANDBOX_S3_CONTENT_H

#include <event2/buffer.h>
#include <stdint.h>

#include "common/error.h"

struct content;

/* Where files go; made when the first one does. Process-wide: one sandbox is one store. */
void		 content_set_folder(const char *path);

struct content	*content_new(const void *data, size_t len, struct error *err);	/* NULL: disk */
struct content	*content_ref(struct content *);
void		 content_unref(struct content *);	/* NULL is fine */
uint64_t	 content_size(const struct content *);
/* Puts the bytes of `more` behind those that are there; both must be unshared with others. */
void		 content_append(struct content *, struct content *more);	/* takes `more` */
int		 content_read(const struct content *, uint64_t offset, uint64_t len,
		    struct evbuffer *out, struct error *err);

#endif
