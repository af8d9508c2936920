/* s3.h - the S3 API: buckets, objects, access, multipart uploads; AWS and its likes.
 *
 * A `struct s3` belongs to one thread, as the `struct http` that it borrows. Every call signs,
 * goes to the bucket's region (learned from redirects and remembered), corrects a skewed clock
 * once, and is tried again on what passes by itself (5xx, SlowDown, resets, short bodies) until
 * the deadline; all requests here are safe to repeat. An expected absence is a result, not an
 * error. Error texts read "bucket 'b': object 'k': CODE: message" and never hold a secret.
 * Callbacks return 0, or -1 with err to stop. */
#ifndef DAEMON_S3_H
#define DAEMON_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/buf.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/http.h"

#define S3_REGION_SIZE 32
#define S3_ETAG_SIZE 136

enum s3_style {
	S3_STYLE_AUTO,		/* AWS and a bucket without dots: its own host; else the path */
	S3_STYLE_PATH,
	S3_STYLE_HOST,
};

struct s3_options {
	const char	*endpoint;	/* "https://host[:port]"; NULL: AWS's own for the region */
	const char	*region;	/* NULL: us-east-1 */
	const char	*access_key;	/* NULL: only what is unsigned can be done */
	const char	*secret_key;
	const char	*session_token;	/* NULL: none */
	enum s3_style	 style;
};

struct s3;

/* Copies the options, borrows http. NULL with err (ERROR_INPUT) for a bad endpoint or region. */
struct s3 *s3_new(const struct s3_options *, struct http *, struct error *err);
void	 s3_free(struct s3 *);		/* NULL is fine */

/* ---- buckets ---- */

enum s3_bucket_state {
	S3_BUCKET_MINE,		/* it answers to our credentials */
	S3_BUCKET_MISSING,
	S3_BUCKET_FORBIDDEN,	/* another's, or our rights do not reach; wrong credentials look the
				 * same here, s3_bucket_doubt() tells */
	S3_BUCKET_ELSEWHERE,	/* in another region than the options' */
};

struct s3_bucket {
	const char	*name;
	const char	*region;	/* "": the server did not say */
	time_t		 created;
};
typedef int s3_bucket_fn(void *arg, const struct s3_bucket *, struct error *err);

/* In the options' region. One that is ours already is fine; ERROR_CONFLICT: another's. */
int	 s3_bucket_create(struct s3 *, const char *bucket, const struct deadline *, struct error *);
/* *empty false: something is in it, and it stays. One that is missing is fine. */
int	 s3_bucket_delete(struct s3 *, const char *bucket, bool *empty, const struct deadline *,
	    struct error *);
/* region "" when the server did not say. */
int	 s3_bucket_head(struct s3 *, const char *bucket, enum s3_bucket_state *,
	    char region[S3_REGION_SIZE], const struct deadline *, struct error *);
/* Asks about a forbidden bucket again, in a way that is answered with words: -1 when it is not the
 * bucket that is refused but the request itself, its key, signature or time. */
int	 s3_bucket_doubt(struct s3 *, const char *bucket, const struct deadline *, struct error *);
int	 s3_bucket_list(struct s3 *, s3_bucket_fn *, void *arg, const struct deadline *,
	    struct error *);
int	 s3_bucket_location(struct s3 *, const char *bucket, char region[S3_REGION_SIZE],
	    const struct deadline *, struct error *);

/* ---- who may read ---- */

enum s3_canned_acl { S3_ACL_DEFAULT, S3_ACL_PRIVATE, S3_ACL_PUBLIC_READ };

/* What a grant to everybody allows. On a bucket, reading is the listing, not the objects. */
struct s3_acl {
	bool		 public_read;
	bool		 public_write;
};

enum s3_ownership {
	S3_OWNERSHIP_UNKNOWN,		/* never set, or the server does not know of it */
	S3_OWNERSHIP_ENFORCED,		/* ACLs are off: a PUT with one is refused */
	S3_OWNERSHIP_PREFERRED,
	S3_OWNERSHIP_WRITER,
};

/* All false when never set, or when the server does not know of it. */
struct s3_public_block {
	bool		 block_acls;
	bool		 ignore_acls;
	bool		 block_policy;
	bool		 restrict_buckets;
};

/* *found false: the bucket has no policy. The text is JSON as the server keeps it. */
int	 s3_policy_get(struct s3 *, const char *bucket, struct buf *policy, bool *found,
	    const struct deadline *, struct error *);
int	 s3_policy_put(struct s3 *, const char *bucket, const char *policy, const struct deadline *,
	    struct error *);
int	 s3_policy_delete(struct s3 *, const char *bucket, const struct deadline *, struct error *);
/* Does the server hold the bucket's policy for a public one? */
int	 s3_policy_is_public(struct s3 *, const char *bucket, bool *is_public,
	    const struct deadline *, struct error *);
/* key NULL: the bucket's. */
int	 s3_acl_get(struct s3 *, const char *bucket, const char *key, struct s3_acl *,
	    const struct deadline *, struct error *);
int	 s3_acl_put(struct s3 *, const char *bucket, const char *key, enum s3_canned_acl,
	    const struct deadline *, struct error *);
int	 s3_ownership_get(struct s3 *, const char *bucket, enum s3_ownership *,
	    const struct deadline *, struct error *);
int	 s3_public_block_get(struct s3 *, const char *bucket, struct s3_public_block *,
	    const struct deadline *, struct error *);
int	 s3_public_block_put(struct s3 *, const char *bucket, const struct s3_public_block *,
	    const struct deadline *, struct error *);

/* ---- objects ---- */

struct s3_object {
	uint64_t	 size;
	time_t		 mtime;			/* 0: not said */
	char		 etag[S3_ETAG_SIZE];	/* without its quotes */
	char		 content_type[256];	/* "" in a listing */
};
typedef int s3_object_fn(void *arg, const char *key, const struct s3_object *, struct error *err);

enum s3_object_state {
	S3_OBJECT_FOUND,
	S3_OBJECT_MISSING,
	S3_OBJECT_FORBIDDEN,	/* missing too, for who may not list the bucket */
};

/* What to store. The body is bytes, or a range of a file that is read in place. */
struct s3_put {
	const char		*bucket;
	const char		*key;
	const char		*content_type;	/* NULL: application/octet-stream */
	enum s3_canned_acl	 acl;
	const void		*body;
	bool			 from_fd;
	int			 fd;
	off_t			 offset;
	uint64_t		 size;
	const char		*sha256;	/* hex; the server checks it; NULL: computed here */
	bool			 if_absent;	/* leave an object that is there alone */
};

/* Keys in order of bytes. page: objects a request, 0: the server's most. */
int	 s3_object_list(struct s3 *, const char *bucket, const char *prefix, unsigned int page,
	    s3_object_fn *, void *arg, const struct deadline *, struct error *);
/* *existed (may be NULL): if_absent was asked and the key was taken; by ourselves, perhaps, when
 * the answer to a first try was lost. */
int	 s3_object_put(struct s3 *, const struct s3_put *, bool *existed, const struct deadline *,
	    struct error *);
/* Bytes from `first` to the end, or `length` of them when that is not 0. A stream that breaks is
 * taken up where it broke, if the object is still the same. ERROR_MISSING. info may be NULL. */
int	 s3_object_get(struct s3 *, const char *bucket, const char *key, uint64_t first,
	    uint64_t length, int (*sink)(void *arg, const void *, size_t, struct error *err),
	    void *arg, struct s3_object *info, const struct deadline *, struct error *);
int	 s3_object_head(struct s3 *, const char *bucket, const char *key, enum s3_object_state *,
	    struct s3_object *info, const struct deadline *, struct error *);
/* The same without credentials: what a registry's client would be told. */
int	 s3_object_head_anonymous(struct s3 *, const char *bucket, const char *key,
	    enum s3_object_state *, struct s3_object *info, const struct deadline *,
	    struct error *);
/* The server copies, type and metadata too; the ACL is the one given. At most 5 GiB. */
int	 s3_object_copy(struct s3 *, const char *from_bucket, const char *from_key,
	    const char *bucket, const char *key, enum s3_canned_acl, const struct deadline *,
	    struct error *);
/* A missing one is fine. */
int	 s3_object_delete(struct s3 *, const char *bucket, const char *key, const struct deadline *,
	    struct error *);

/* ---- multipart uploads: parts of at least 5 MiB but the last, numbered from 1 ---- */

struct s3_part {
	unsigned int	 number;
	uint64_t	 size;
	char		 etag[S3_ETAG_SIZE];	/* without its quotes */
};
typedef int s3_part_fn(void *arg, const struct s3_part *, struct error *err);
typedef int s3_upload_fn(void *arg, const char *key, const char *upload_id, time_t begun,
	    struct error *err);

/* *upload_id: the caller's to free. */
int	 s3_upload_create(struct s3 *, const char *bucket, const char *key, const char *content_type,
	    enum s3_canned_acl, char **upload_id, const struct deadline *, struct error *);
/* Of `put` the bucket, the key, the body and its sha256 count. */
int	 s3_upload_part(struct s3 *, const struct s3_put *, const char *upload_id,
	    unsigned int number, struct s3_part *, const struct deadline *, struct error *);
/* ERROR_MISSING when the upload is gone: also when a repeated request finds it completed. */
int	 s3_upload_complete(struct s3 *, const char *bucket, const char *key, const char *upload_id,
	    const struct s3_part *, size_t n, const struct deadline *, struct error *);
/* An upload that is gone is fine. */
int	 s3_upload_abort(struct s3 *, const char *bucket, const char *key, const char *upload_id,
	    const struct deadline *, struct error *);
int	 s3_upload_list(struct s3 *, const char *bucket, const char *prefix, s3_upload_fn *,
	    void *arg, const struct deadline *, struct error *);
int	 s3_part_list(struct s3 *, const char *bucket, const char *key, const char *upload_id,
	    s3_part_fn *, void *arg, const struct deadline *, struct error *);

/* ---- URLs; the caller's to free ---- */

/* Where everybody reads the object, if it is public; key NULL: the base, without a slash. */
char	*s3_public_url(const struct s3_options *, const char *bucket, const char *key);
/* A URL that needs no credentials for `seconds` from `at` on. Never to be printed. NULL with err
 * (ERROR_CREDENTIALS) without a key to sign with. */
char	*s3_presign(struct s3 *, const char *method, const char *bucket, const char *key,
	    unsigned int seconds, time_t at, struct error *err);

#endif
