/* upload.h - objects into a bucket, each once and each by its content.
 *
 * In a job. What is there already is not sent again; a large upload that was broken off goes on
 * with the parts that are there. Sending the same twice is harmless, because the key holds the
 * digest, and the digest is what the server checks the bytes against. */
#ifndef DAEMON_UPLOAD_H
#define DAEMON_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/crew.h"
#include "daemon/deadline.h"
#include "daemon/extent.h"
#include "daemon/s3.h"

#define UPLOAD_PARTS_MAX 10000u		/* S3's own limit */
#define UPLOAD_COPY_MAX (UINT64_C(5) << 30)	/* bytes that a server copies at once */

/* Where to, and how. Any thread. */
struct upload_place {
	const char		*bucket;
	enum s3_canned_acl	 acl;
	uint64_t		 part_size;	/* what is larger goes up in such parts */
};

/* Is the object there? *size: the wanted one, or SIZE_UNKNOWN and then what is found. One that
 * is there with another size is not. */
int	 upload_look(struct s3 *, const struct upload_place *, const char *key, uint64_t *size,
	    bool *there, const struct deadline *, struct error *err);
/* The server copies. *done false: the other object is not there, or not of that size. */
int	 upload_copy(struct s3 *, const struct upload_place *, const char *from_key, const char *key,
	    uint64_t size, bool *done, const struct deadline *, struct error *err);
/* A blob in one request; `digest` of all its bytes, "sha256:HEX", NULL: nobody told it. */
int	 upload_blob(struct s3 *, const struct upload_place *, const char *key, const char *digest,
	    const struct extent *, const struct deadline *, struct error *err);

/* Called when so many bytes more are in the bucket, from any of the crew's threads. */
typedef void upload_progress(void *arg, uint64_t bytes);

/* A blob in parts, by all of the crew. s3_of() finds the client among a member's tools. */
int	 upload_large_blob(struct crew *, struct s3 *(*s3_of)(void *tools),
	    const struct upload_place *, const char *key, const char *digest,
	    const struct extent *, upload_progress *, void *arg, const struct deadline *,
	    struct error *err);

/* A small object of exactly that type, whose content may change; *sent false: it was so already. */
int	 upload_text(struct s3 *, const struct upload_place *, const char *key, const char *type,
	    const void *data, size_t len, bool *sent, const struct deadline *, struct error *err);

#endif
