/* s3.h - an S3 server: buckets and objects, AWS's rules for who may do what.
 *
 * Open structs, between the s3-*.c files; the control face looks into them too. */
#ifndef TESTS_SANDBOX_S3_H
#define TESTS_SANDBOX_S3_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/buf.h"
#include "tests/sandbox/face.h"
#include "tests/sandbox/s3-content.h"
#include "tests/sandbox/table.h"

#define S3_OWNER "sandbox"	/* the account of every key */
#define S3_ETAG_SIZE 48
#define S3_XMLNS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

struct s3_key {
	char	*access;
	char	*secret;
	char	*token;			/* the session's, or NULL */
	char	 scope[64];		/* "20260131/us-east-1", of the key below */
	unsigned char signing[32];
};

struct access_block {
	bool	is_set;
	bool	block_acls, ignore_acls, block_policy, restrict_buckets;
};

struct object {
	struct content	*content;
	char		 etag[S3_ETAG_SIZE];	/* without quotes */
	json_t		*headers;	/* object: kept and given back, Content-Type among them */
	bool		 is_public;	/* ACL public-read */
	time_t		 modified;
};

struct bucket {
	char			*name;
	char			*owner;
	char			*region;
	char			*policy;	/* as it was put, or NULL */
	char			*ownership;	/* "BucketOwnerEnforced", or NULL: not set */
	struct access_block	 block;
	bool			 is_public;	/* ACL public-read: may be listed */
	time_t			 created;
	struct table		 objects;	/* by key */
	struct table		 uploads;	/* by upload id */
};

struct s3 {
	struct table	 keys;		/* by access key */
	struct table	 buckets;	/* by name */
	char		*region;	/* of the endpoint, and of buckets that name none */
	bool		 modern;	/* new buckets are as AWS makes them since April 2023 */
	bool		 account_block;	/* the account's own block, which no bucket shows */
	int		 max_buckets;
	int64_t		 clock_offset_s;	/* how far our clock is wrong */
	uint64_t	 next_id;
};

struct s3	*s3_new(const char *region, bool modern);
void		 s3_free(struct s3 *);
void		 s3_clear(struct s3 *);		/* all buckets; keys and settings stay */
struct s3_key	*s3_add_key(struct s3 *, const char *access, const char *secret,
		    const char *token);
struct bucket	*s3_add_bucket(struct s3 *, const char *name, const char *owner,
		    const char *region);
void		 s3_remove_bucket(struct s3 *, struct bucket *);
void		 md5_hex(const void *, size_t, char out[33]);
/* Takes the headers; replaces what is there. */
int		 bucket_put_bytes(struct bucket *, const char *key, const void *, size_t,
		    json_t *headers, bool is_public, struct error *err);
/* Takes the content and the headers; replaces what is there. */
struct object	*bucket_put(struct bucket *, const char *key, struct content *, const char *etag,
		    json_t *headers, bool is_public);
bool		 bucket_remove(struct bucket *, const char *key);	/* false: was not there */

face_answer	 s3_answer;	/* of a struct s3 */

/* -- one call; between the s3-*.c files -- */

struct s3_call {
	struct s3		*s3;
	const struct request	*request;
	struct reply		*answer;
	char			*bucket_name;	/* NULL: the service itself */
	char			*key;		/* NULL: the bucket itself */
	struct bucket		*bucket;	/* NULL: there is none of that name */
	bool			 anonymous;
	char			 region[40];	/* that the signature is for */
};

/* Answers with an error; `extra` is XML inside the Error element, or NULL. Returns false. */
bool	 s3_error(struct s3_call *, int status, const char *code, const char *message,
	    const char *extra);
void	 s3_xml(struct s3_call *, int status, const char *root, const struct buf *content);
bool	 s3_has(const struct s3_call *, const char *parameter);
const char *s3_param(const struct s3_call *, const char *name, const char *otherwise);
time_t	 s3_now(const struct s3 *);
void	 s3_xml_time(struct buf *, const char *tag, time_t);
bool	 s3_etag_is(const char *condition, const char *etag);	/* of If-Match: quotes or none */

/* s3-auth.c: is the signature right? Sets anonymous and region; false: answered. */
bool	 s3_authenticate(struct s3_call *);
bool	 s3_check_body(struct s3_call *);	/* Content-MD5 */

/* s3-policy.c: who may do what; these answer with AccessDenied and return false. */
bool	 s3_permit(struct s3_call *, const char *action);
bool	 s3_may(const struct s3_call *, const char *action, const char *key);
bool	 policy_is_public(const char *policy);
bool	 policy_is_valid(const char *policy, const char *bucket);
/* What x-amz-acl asks for; false: answered, such an ACL is not possible here. */
bool	 s3_wanted_acl(struct s3_call *, bool *is_public);

typedef void s3_handler(struct s3_call *);

/* s3-bucket.c */
s3_handler	s3_list_buckets, s3_create_bucket, s3_head_bucket, s3_delete_bucket;
s3_handler	s3_list_objects, s3_get_location, s3_get_versioning;
/* s3-access.c */
s3_handler	s3_get_policy, s3_put_policy, s3_delete_policy, s3_get_policy_status;
s3_handler	s3_get_acl, s3_put_acl, s3_get_ownership, s3_put_ownership, s3_delete_ownership;
s3_handler	s3_get_block, s3_put_block, s3_delete_block;
/* s3-object.c */
s3_handler	s3_get_object, s3_put_object, s3_delete_object, s3_delete_objects;
bool		 s3_check_key(struct s3_call *);	/* UTF-8 of limited length */
json_t		*s3_kept_headers(const struct request *);
bool		 s3_check_conditions(struct s3_call *, const struct object *existing);
/* s3-multipart.c */
s3_handler	s3_create_upload, s3_put_part, s3_complete_upload, s3_abort_upload;
s3_handler	s3_list_parts, s3_list_uploads;
void		upload_free(void *);
void		upload_begun(void *, time_t);	/* as if it had been begun then */

#endif
