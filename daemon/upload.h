/* upload.h - objects into a bucket, each once and each by its content.
 *
 * In a job. What is there already is not sent again; a large upload that was broken off goes on
 * with the parts that are there. Sending the same twice is harmless, because the key holds the
 * digest, and the digest is what the server checks the bytes against. */
#ifndef DAEMON_UPLOAD_H
#define DAEMON_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
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

/* ---- a blob in parts, which the whole crew sends ---- */

struct upload_large;

struct upload_large_order {
	const char	*key;
	const char	*digest;	/* of all its bytes, "sha256:HEX"; NULL: nobody told it */
	struct s3	*(*s3_of)(void *tools);	/* the client among a member's tools */
	/* Both in any of the crew's threads. So many bytes more are in the bucket; all of it is. */
	void		(*progress)(void *arg, uint64_t bytes);
	void		(*done)(void *arg);
	void		*arg;
};

/* In a piece of crew_run(), with the member's tools: reads the blob once for its digest and those
 * of its parts, which become pieces of the same crew_run(). Takes the extent; lends the order's
 * strings, the place and the deadline until upload_large_free(), which is for after crew_run().
 * NULL with err. */
struct upload_large *upload_large_begin(struct crew *, void *tools, const struct upload_place *,
	    const struct upload_large_order *, struct extent *, const struct deadline *,
	    struct error *err);
void	 upload_large_free(struct upload_large *);	/* NULL is fine */
CLEANUP_FUNC(struct upload_large, upload_large_free);

/* A small object of exactly that type, whose content may change; *sent false: it was so already. */
int	 upload_text(struct s3 *, const struct upload_place *, const char *key, const char *type,
	    const void *data, size_t len, bool *sent, const struct deadline *, struct error *err);

#endif
