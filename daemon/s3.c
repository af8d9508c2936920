#include "daemon/s3.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/digest.h"
#include "daemon/s3-call.h"
#include "daemon/s3-sign.h"
#include "daemon/s3-xml.h"

#define XMLNS "http://s3.amazonaws.com/doc/2006-03-01/"
#define EVERYBODY "http://acs.amazonaws.com/groups/global/AllUsers"

#define LIST_BODY_MAX (32u << 20)	/* 10,000 buckets or 1,000 objects with long keys */
#define SLOW_ANSWER_MS (10 * 60 * 1000)	/* the server puts gigabytes together before it answers */
#define PARTS_MAX 10000

/* ---- pieces that several calls need ---- */

/* 0 for a text that is not an ISO 8601 time in UTC. */
static time_t
time_parse(const char *text)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	return rest != NULL && (*rest == '.' || *rest == 'Z') ? timegm(&tm) : 0;
}

static void
etag_copy(char out[S3_ETAG_SIZE], const char *text)
{
	size_t len;

	text += strspn(text, "\"");
	len = strcspn(text, "\"");
	snprintf(out, S3_ETAG_SIZE, "%.*s", (int)(len < S3_ETAG_SIZE ? len : S3_ETAG_SIZE - 1), text);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What encoding-type=url did to a key, '+' for a blank included. False: a NUL came out of it, and
 * such a key is none of ours. */
static bool
key_decode(const char *text, char *out)
{
	int high, low;

	for (; *text != '\0'; text++) {
		*out = *text == '+' ? ' ' : *text;
		if (*text == '%' && (high = hex_value(text[1])) != -1 &&
		    (low = hex_value(text[2])) != -1) {
			*out = (char)(high << 4 | low);
			text += 2;
		}
		if (*out++ == '\0')
			return false;
	}
	*out = '\0';
	return true;
}

static void
add_parameter(struct buf *query, const char *name, const char *value)
{
	buf_printf(query, "%s%s=", query->len > 0 ? "&" : "", name);
	s3_encode(query, value, false);
}

static const char *
acl_header(enum s3_canned_acl acl)
{
	switch (acl) {
	case S3_ACL_PRIVATE:
		return "x-amz-acl: private";
	case S3_ACL_PUBLIC_READ:
		return "x-amz-acl: public-read";
	case S3_ACL_DEFAULT:
		break;
	}
	return NULL;
}

static void
call_header(struct s3_call *call, const char *header)
{
	size_t n = 0;

	if (header == NULL)
		return;
	while (call->headers[n] != NULL)
		n++;
	call->headers[n] = header;
}

/* A call with a text as its body, which AWS wants a Content-MD5 of for a policy, an ACL and
 * their likes. */
static int
send_text(struct s3 *s3, struct s3_call *call, const char *text, struct s3_reply *reply,
    const struct deadline *d, struct error *err)
{
	char md5[MD5_BASE64_SIZE];
	cleanup(free_p) char *header = NULL;

	digest_md5_base64(text, strlen(text), md5);
	header = xasprintf("Content-MD5: %s", md5);
	call_header(call, header);
	call->body = text;
	call->size = strlen(text);
	return s3_call_do(s3, call, reply, d, err);
}

static int
must_be_good(const struct s3_call *call, const struct s3_reply *reply, struct error *err)
{
	return s3_reply_good(reply) ? 0 : s3_call_refused(call, reply, err);
}

static int
read_xml(const struct s3_call *call, const struct s3_reply *reply, s3_xml_fn *fn, void *arg,
    struct error *err)
{
	if (s3_xml_read(buf_str(&reply->http.body), reply->http.body.len, fn, arg, err) == -1)
		return s3_call_prefix(call, err);
	return 0;
}

/* ---- buckets ---- */

int
s3_bucket_create(struct s3 *s3, const char *bucket, const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "PUT", .bucket = bucket };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(free_p) char *body = NULL;

	/* The first region is the one that must not be named. */
	if (strcmp(s3_region(s3), "us-east-1") != 0)
		body = xasprintf("<CreateBucketConfiguration xmlns=\"" XMLNS "\">"
		    "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
		    s3_region(s3));
	call.body = body;
	call.size = body != NULL ? strlen(body) : 0;
	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	if (s3_reply_is(&reply, "BucketAlreadyOwnedByYou"))
		return 0;
	return must_be_good(&call, &reply, err);
}

int
s3_bucket_delete(struct s3 *s3, const char *bucket, bool *empty, const struct deadline *d,
    struct error *err)
{
	struct s3_call call = { .method = "DELETE", .bucket = bucket };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	*empty = !s3_reply_is(&reply, "BucketNotEmpty");
	if (!*empty || s3_reply_is(&reply, "NoSuchBucket"))
		return 0;
	return must_be_good(&call, &reply, err);
}

int
s3_bucket_head(struct s3 *s3, const char *bucket, enum s3_bucket_state *state,
    char region[S3_REGION_SIZE], const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "HEAD", .bucket = bucket };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	char seen[S3_REGION_SIZE] = "";
	bool elsewhere;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	http_header(&reply.http, "x-amz-bucket-region", seen, sizeof(seen));
	elsewhere = seen[0] != '\0' && strcmp(seen, s3_region(s3)) != 0;
	if (s3_reply_good(&reply))
		*state = elsewhere ? S3_BUCKET_ELSEWHERE : S3_BUCKET_MINE;
	else if (reply.http.status == 404)
		*state = S3_BUCKET_MISSING;
	else if (reply.http.status == 403)
		*state = S3_BUCKET_FORBIDDEN;
	else if (reply.http.status == 301 || (reply.http.status == 400 && elsewhere))
		*state = S3_BUCKET_ELSEWHERE;
	else
		return s3_call_refused(&call, &reply, err);
	memcpy(region, seen, sizeof(seen));
	return 0;
}

int
s3_bucket_doubt(struct s3 *s3, const char *bucket, const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "GET", .bucket = bucket, .query = "location" };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	if (s3_reply_good(&reply) || reply.fault.code[0] == '\0' ||
	    s3_reply_is(&reply, "AccessDenied") || s3_reply_is(&reply, "AllAccessDisabled"))
		return 0;
	return s3_call_refused(&call, &reply, err);
}

/* One page of a listing, as its XML is walked through. */
struct bucket_page {
	s3_bucket_fn	*fn;
	void		*arg;
	char		 name[256];
	char		 region[S3_REGION_SIZE];
	time_t		 created;
	char		*token;		/* of the next page; NULL: this is the last */
};

static int
on_bucket(void *arg, const char *path, const char *text, struct error *err)
{
	struct bucket_page *page = arg;
	struct s3_bucket bucket;

	if (strcmp(path, "ListAllMyBucketsResult/Buckets/Bucket/Name") == 0) {
		snprintf(page->name, sizeof(page->name), "%s", text);
	} else if (strcmp(path, "ListAllMyBucketsResult/Buckets/Bucket/BucketRegion") == 0) {
		snprintf(page->region, sizeof(page->region), "%s", text);
	} else if (strcmp(path, "ListAllMyBucketsResult/Buckets/Bucket/CreationDate") == 0) {
		page->created = time_parse(text);
	} else if (strcmp(path, "ListAllMyBucketsResult/ContinuationToken") == 0) {
		free(page->token);
		page->token = text[0] != '\0' ? xstrdup(text) : NULL;
	} else if (strcmp(path, "ListAllMyBucketsResult/Buckets/Bucket") == 0) {
		bucket = (struct s3_bucket){ page->name, page->region, page->created };
		if (page->fn(page->arg, &bucket, err) == -1)
			return -1;
		page->name[0] = page->region[0] = '\0';
		page->created = 0;
	}
	return 0;
}

/* Only a request with max-buckets is paged, and only paged can one see more than 10,000. */
int
s3_bucket_list(struct s3 *s3, s3_bucket_fn *fn, void *arg, const struct deadline *d,
    struct error *err)
{
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(free_p) char *token = NULL;

	do {
		cleanup(buf_done) struct buf query = BUF_INIT;
		struct bucket_page page = { .fn = fn, .arg = arg };
		struct s3_call call = { .method = "GET", .wants_xml = true,
			.body_max = LIST_BODY_MAX };
		int result;

		add_parameter(&query, "max-buckets", "10000");
		if (token != NULL)
			add_parameter(&query, "continuation-token", token);
		call.query = buf_str(&query);
		if (s3_call_must(s3, &call, &reply, d, err) == -1)
			return -1;
		result = read_xml(&call, &reply, on_bucket, &page, err);
		free(token);
		token = page.token;
		if (result == -1)
			return -1;
	} while (token != NULL);
	return 0;
}

static int
on_location(void *arg, const char *path, const char *text, struct error *err)
{
	char *region = arg;

	(void)err;
	if (strcmp(path, "LocationConstraint") == 0 ||
	    strcmp(path, "CreateBucketConfiguration/LocationConstraint") == 0)
		snprintf(region, S3_REGION_SIZE, "%s", text);
	return 0;
}

int
s3_bucket_location(struct s3 *s3, const char *bucket, char region[S3_REGION_SIZE],
    const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "GET", .bucket = bucket, .query = "location",
		.wants_xml = true };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	char found[S3_REGION_SIZE] = "";

	if (s3_call_must(s3, &call, &reply, d, err) == -1 ||
	    read_xml(&call, &reply, on_location, found, err) == -1)
		return -1;
	/* The two oldest regions' names here are not their names elsewhere. */
	if (found[0] == '\0')
		strcpy(found, "us-east-1");
	else if (strcmp(found, "EU") == 0)
		strcpy(found, "eu-west-1");
	memcpy(region, found, sizeof(found));
	return 0;
}

/* ---- who may read ---- */

int
s3_policy_get(struct s3 *s3, const char *bucket, struct buf *policy, bool *found,
    const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "GET", .bucket = bucket, .query = "policy" };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	*found = !s3_reply_is(&reply, "NoSuchBucketPolicy");
	if (*found && must_be_good(&call, &reply, err) == -1)
		return -1;
	buf_clear(policy);
	if (*found && !buf_add(policy, reply.http.body.data, reply.http.body.len))
		return error_set(err, ERROR_REMOTE, "bucket '%s': its policy is too large", bucket);
	return 0;
}

int
s3_policy_put(struct s3 *s3, const char *bucket, const char *policy, const struct deadline *d,
    struct error *err)
{
	struct s3_call call = { .method = "PUT", .bucket = bucket, .query = "policy" };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (send_text(s3, &call, policy, &reply, d, err) == -1)
		return -1;
	return must_be_good(&call, &reply, err);
}

int
s3_policy_delete(struct s3 *s3, const char *bucket, const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "DELETE", .bucket = bucket, .query = "policy" };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	return s3_reply_is(&reply, "NoSuchBucketPolicy") ? 0 : must_be_good(&call, &reply, err);
}

/* A bucket's setting that may never have been set, or that the server does not know of: then
 * nothing is read and `arg` stays as it is. Some servers answer an unknown setting with the
 * bucket's listing, whose paths simply match nothing. */
static int
setting_get(struct s3 *s3, const char *bucket, const char *name, s3_xml_fn *fn, void *arg,
    const struct deadline *d, struct error *err)
{
	static const char *const absent[] = { "OwnershipControlsNotFoundError",
		"NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy", "NotImplemented",
		"MethodNotAllowed" };
	struct s3_call call = { .method = "GET", .bucket = bucket, .query = name };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	size_t i;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		if (s3_reply_is(&reply, absent[i]))
			return 0;
	}
	if (must_be_good(&call, &reply, err) == -1)
		return -1;
	return read_xml(&call, &reply, fn, arg, err);
}

static bool
is_true(const char *text)
{
	return strcasecmp(text, "true") == 0;
}

static int
on_policy_status(void *arg, const char *path, const char *text, struct error *err)
{
	(void)err;
	if (strcmp(path, "PolicyStatus/IsPublic") == 0)
		*(bool *)arg = is_true(text);
	return 0;
}

int
s3_policy_is_public(struct s3 *s3, const char *bucket, bool *is_public, const struct deadline *d,
    struct error *err)
{
	bool found = false;

	if (setting_get(s3, bucket, "policyStatus", on_policy_status, &found, d, err) == -1)
		return -1;
	*is_public = found;
	return 0;
}

static int
on_ownership(void *arg, const char *path, const char *text, struct error *err)
{
	enum s3_ownership *ownership = arg;

	(void)err;
	if (strcmp(path, "OwnershipControls/Rule/ObjectOwnership") != 0)
		return 0;
	if (strcmp(text, "BucketOwnerEnforced") == 0)
		*ownership = S3_OWNERSHIP_ENFORCED;
	else if (strcmp(text, "BucketOwnerPreferred") == 0)
		*ownership = S3_OWNERSHIP_PREFERRED;
	else if (strcmp(text, "ObjectWriter") == 0)
		*ownership = S3_OWNERSHIP_WRITER;
	return 0;
}

int
s3_ownership_get(struct s3 *s3, const char *bucket, enum s3_ownership *ownership,
    const struct deadline *d, struct error *err)
{
	enum s3_ownership found = S3_OWNERSHIP_UNKNOWN;

	if (setting_get(s3, bucket, "ownershipControls", on_ownership, &found, d, err) == -1)
		return -1;
	*ownership = found;
	return 0;
}

static int
on_public_block(void *arg, const char *path, const char *text, struct error *err)
{
	struct s3_public_block *block = arg;
	const char *name = strrchr(path, '/');

	/* The root's name is PublicAccessBlockConfiguration, but Ceph has one of its own. */
	(void)err;
	if (name == NULL)
		return 0;
	if (strcmp(name, "/BlockPublicAcls") == 0)
		block->block_acls = is_true(text);
	else if (strcmp(name, "/IgnorePublicAcls") == 0)
		block->ignore_acls = is_true(text);
	else if (strcmp(name, "/BlockPublicPolicy") == 0)
		block->block_policy = is_true(text);
	else if (strcmp(name, "/RestrictPublicBuckets") == 0)
		block->restrict_buckets = is_true(text);
	return 0;
}

int
s3_public_block_get(struct s3 *s3, const char *bucket, struct s3_public_block *block,
    const struct deadline *d, struct error *err)
{
	struct s3_public_block found = { .block_acls = false };

	if (setting_get(s3, bucket, "publicAccessBlock", on_public_block, &found, d, err) == -1)
		return -1;
	*block = found;
	return 0;
}

int
s3_public_block_put(struct s3 *s3, const char *bucket, const struct s3_public_block *block,
    const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "PUT", .bucket = bucket, .query = "publicAccessBlock" };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(free_p) char *body = xasprintf("<PublicAccessBlockConfiguration xmlns=\"" XMLNS "\">"
	    "<BlockPublicAcls>%s</BlockPublicAcls><IgnorePublicAcls>%s</IgnorePublicAcls>"
	    "<BlockPublicPolicy>%s</BlockPublicPolicy>"
	    "<RestrictPublicBuckets>%s</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
	    block->block_acls ? "true" : "false", block->ignore_acls ? "true" : "false",
	    block->block_policy ? "true" : "false", block->restrict_buckets ? "true" : "false");

	if (send_text(s3, &call, body, &reply, d, err) == -1)
		return -1;
	return must_be_good(&call, &reply, err);
}

struct acl_read {
	struct s3_acl	*acl;
	bool		 everybody;	/* the grant being read is to everybody */
};

#define GRANT "AccessControlPolicy/AccessControlList/Grant"

static int
on_grant(void *arg, const char *path, const char *text, struct error *err)
{
	struct acl_read *read = arg;
	bool full;

	(void)err;
	if (strcmp(path, GRANT "/Grantee/URI") == 0) {
		read->everybody = strcmp(text, EVERYBODY) == 0;
	} else if (strcmp(path, GRANT "/Permission") == 0 && read->everybody) {
		full = strcmp(text, "FULL_CONTROL") == 0;
		read->acl->public_read |= full || strcmp(text, "READ") == 0;
		read->acl->public_write |= full || strcmp(text, "WRITE") == 0;
	} else if (strcmp(path, GRANT) == 0) {
		read->everybody = false;
	}
	return 0;
}

int
s3_acl_get(struct s3 *s3, const char *bucket, const char *key, struct s3_acl *acl,
    const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "GET", .bucket = bucket, .key = key, .query = "acl",
		.wants_xml = true };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	struct s3_acl found = { .public_read = false };
	struct acl_read read = { &found, false };

	if (s3_call_must(s3, &call, &reply, d, err) == -1 ||
	    read_xml(&call, &reply, on_grant, &read, err) == -1)
		return -1;
	*acl = found;
	return 0;
}

int
s3_acl_put(struct s3 *s3, const char *bucket, const char *key, enum s3_canned_acl acl,
    const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "PUT", .bucket = bucket, .key = key, .query = "acl" };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	call_header(&call, acl_header(acl));
	return s3_call_must(s3, &call, &reply, d, err);
}

/* ---- objects ---- */

struct object_page {
	s3_object_fn		*fn;
	void			*arg;
	bool			 encoded;	/* keys are, with encoding-type=url */
	char			*token;		/* of the next page; NULL: this is the last */
	char			*key;		/* of the object being read, NULL: none to report */
	struct s3_object	 object;
};

static void
object_page_done(struct object_page *page)
{
	free(page->token);
	free(page->key);
}

/* What goes for the whole page is read first: it may come after the objects. */
static int
on_page(void *arg, const char *path, const char *text, struct error *err)
{
	struct object_page *page = arg;

	(void)err;
	if (strcmp(path, "ListBucketResult/EncodingType") == 0) {
		page->encoded = strcmp(text, "url") == 0;
	} else if (strcmp(path, "ListBucketResult/NextContinuationToken") == 0) {
		free(page->token);
		page->token = text[0] != '\0' ? xstrdup(text) : NULL;
	}
	return 0;
}

static void
object_key(struct object_page *page, const char *text)
{
	free(page->key);
	page->key = xstrdup(text);
	if (page->encoded && !key_decode(text, page->key)) {
		free(page->key);
		page->key = NULL;
	}
}

static int
on_object(void *arg, const char *path, const char *text, struct error *err)
{
	struct object_page *page = arg;
	struct s3_object *object = &page->object;
	int result = 0;

	if (strcmp(path, "ListBucketResult/Contents/Key") == 0) {
		object_key(page, text);
	} else if (strcmp(path, "ListBucketResult/Contents/Size") == 0) {
		object->size = strtoull(text, NULL, 10);
	} else if (strcmp(path, "ListBucketResult/Contents/ETag") == 0) {
		etag_copy(object->etag, text);
	} else if (strcmp(path, "ListBucketResult/Contents/LastModified") == 0) {
		object->mtime = time_parse(text);
	} else if (strcmp(path, "ListBucketResult/Contents") == 0) {
		if (page->key != NULL)
			result = page->fn(page->arg, page->key, object, err);
		*object = (struct s3_object){ .size = 0 };
		free(steal(page->key));
	}
	return result;
}

static void
object_list_query(struct buf *query, const char *prefix, unsigned int page, const char *token)
{
	buf_add_str(query, "list-type=2&encoding-type=url");
	if (token != NULL)
		add_parameter(query, "continuation-token", token);
	if (page > 0)
		buf_printf(query, "&max-keys=%u", page);
	if (prefix != NULL && prefix[0] != '\0')
		add_parameter(query, "prefix", prefix);
}

int
s3_object_list(struct s3 *s3, const char *bucket, const char *prefix, unsigned int page_size,
    s3_object_fn *fn, void *arg, const struct deadline *d, struct error *err)
{
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(free_p) char *token = NULL;

	do {
		cleanup(buf_done) struct buf query = BUF_INIT;
		cleanup(object_page_done) struct object_page page = { .fn = fn, .arg = arg };
		struct s3_call call = { .method = "GET", .bucket = bucket, .wants_xml = true,
			.body_max = LIST_BODY_MAX };

		object_list_query(&query, prefix, page_size, token);
		call.query = buf_str(&query);
		if (s3_call_must(s3, &call, &reply, d, err) == -1 ||
		    read_xml(&call, &reply, on_page, &page, err) == -1 ||
		    read_xml(&call, &reply, on_object, &page, err) == -1)
			return -1;
		free(token);
		token = steal(page.token);
	} while (token != NULL);
	return 0;
}

static void
call_body(struct s3_call *call, const struct s3_put *put)
{
	call->body = put->body;
	call->from_fd = put->from_fd;
	call->fd = put->fd;
	call->offset = put->offset;
	call->size = put->size;
	call->sha256 = put->sha256;
}

int
s3_object_put(struct s3 *s3, const struct s3_put *put, bool *existed, const struct deadline *d,
    struct error *err)
{
	struct s3_call call = { .method = "PUT", .bucket = put->bucket, .key = put->key };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(free_p) char *type = xasprintf("Content-Type: %s",
	    put->content_type != NULL ? put->content_type : "application/octet-stream");
	bool taken;

	call_body(&call, put);
	call_header(&call, type);
	call_header(&call, acl_header(put->acl));
	call_header(&call, put->if_absent ? "If-None-Match: *" : NULL);
	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	taken = put->if_absent && reply.http.status == 412;
	if (!taken && must_be_good(&call, &reply, err) == -1)
		return -1;
	if (existed != NULL)
		*existed = taken;
	return 0;
}

static void
object_from_headers(const struct http_response *response, struct s3_object *object)
{
	char text[S3_ETAG_SIZE];
	time_t mtime;

	*object = (struct s3_object){ .size = 0 };
	if (http_header(response, "content-length", text, sizeof(text)))
		object->size = strtoull(text, NULL, 10);
	if (http_header(response, "content-range", text, sizeof(text)) && strchr(text, '/') != NULL)
		object->size = strtoull(strchr(text, '/') + 1, NULL, 10);
	if (http_header(response, "etag", text, sizeof(text)))
		etag_copy(object->etag, text);
	if (http_header(response, "last-modified", text, sizeof(text)) &&
	    (mtime = curl_getdate(text, NULL)) != -1)
		object->mtime = mtime;
	http_header(response, "content-type", object->content_type, sizeof(object->content_type));
}

int
s3_object_get(struct s3 *s3, const char *bucket, const char *key, uint64_t first, uint64_t length,
    int (*sink)(void *, const void *, size_t, struct error *), void *arg, struct s3_object *info,
    const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "GET", .bucket = bucket, .key = key, .sink = sink,
		.sink_arg = arg, .first = first, .length = length };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	if (reply.http.status == 412) {
		error_set(err, ERROR_REMOTE, "it was changed while it was read");
		return s3_call_prefix(&call, err);
	}
	if (must_be_good(&call, &reply, err) == -1)
		return -1;
	if (info != NULL)
		object_from_headers(&reply.http, info);
	return 0;
}

static int
object_head(struct s3 *s3, const struct s3_call *call, enum s3_object_state *state,
    struct s3_object *info, const struct deadline *d, struct error *err)
{
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, call, &reply, d, err) == -1)
		return -1;
	if (s3_reply_good(&reply)) {
		*state = S3_OBJECT_FOUND;
		if (info != NULL)
			object_from_headers(&reply.http, info);
	} else if (reply.http.status == 404) {
		*state = S3_OBJECT_MISSING;
	} else if (reply.http.status == 403 || reply.http.status == 401) {
		*state = S3_OBJECT_FORBIDDEN;
	} else {
		return s3_call_refused(call, &reply, err);
	}
	return 0;
}

int
s3_object_head(struct s3 *s3, const char *bucket, const char *key, enum s3_object_state *state,
    struct s3_object *info, const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "HEAD", .bucket = bucket, .key = key };

	return object_head(s3, &call, state, info, d, err);
}

int
s3_object_head_anonymous(struct s3 *s3, const char *bucket, const char *key,
    enum s3_object_state *state, struct s3_object *info, const struct deadline *d,
    struct error *err)
{
	struct s3_call call = { .method = "HEAD", .bucket = bucket, .key = key, .anonymous = true };

	return object_head(s3, &call, state, info, d, err);
}

int
s3_object_copy(struct s3 *s3, const char *from_bucket, const char *from_key, const char *bucket,
    const char *key, enum s3_canned_acl acl, const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "PUT", .bucket = bucket, .key = key, .wants_xml = true,
		.timeout_ms = SLOW_ANSWER_MS };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(buf_done) struct buf source = BUF_INIT;

	buf_add_str(&source, "x-amz-copy-source: /");
	s3_encode(&source, from_bucket, false);
	buf_add_str(&source, "/");
	s3_encode(&source, from_key, true);
	call_header(&call, buf_str(&source));
	call_header(&call, acl_header(acl));
	return s3_call_must(s3, &call, &reply, d, err);
}

int
s3_object_delete(struct s3 *s3, const char *bucket, const char *key, const struct deadline *d,
    struct error *err)
{
	struct s3_call call = { .method = "DELETE", .bucket = bucket, .key = key };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	return s3_reply_is(&reply, "NoSuchKey") ? 0 : must_be_good(&call, &reply, err);
}

/* ---- multipart uploads ---- */

static int
on_upload_id(void *arg, const char *path, const char *text, struct error *err)
{
	char **upload_id = arg;

	(void)err;
	if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0 && text[0] != '\0') {
		free(*upload_id);
		*upload_id = xstrdup(text);
	}
	return 0;
}

int
s3_upload_create(struct s3 *s3, const char *bucket, const char *key, const char *content_type,
    enum s3_canned_acl acl, char **upload_id, const struct deadline *d, struct error *err)
{
	struct s3_call call = { .method = "POST", .bucket = bucket, .key = key, .query = "uploads",
		.wants_xml = true };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(free_p) char *type = xasprintf("Content-Type: %s",
	    content_type != NULL ? content_type : "application/octet-stream");
	cleanup(free_p) char *id = NULL;

	call_header(&call, type);
	call_header(&call, acl_header(acl));
	if (s3_call_must(s3, &call, &reply, d, err) == -1 ||
	    read_xml(&call, &reply, on_upload_id, &id, err) == -1)
		return -1;
	if (id == NULL) {
		error_set(err, ERROR_REMOTE, "the server began an upload without an id");
		return s3_call_prefix(&call, err);
	}
	*upload_id = steal(id);
	return 0;
}

static char *
upload_query(const char *upload_id, unsigned int part)
{
	cleanup(buf_done) struct buf query = BUF_INIT;

	if (part > 0)
		buf_printf(&query, "partNumber=%u", part);
	add_parameter(&query, "uploadId", upload_id);
	return buf_take(&query);
}

int
s3_upload_part(struct s3 *s3, const struct s3_put *put, const char *upload_id, unsigned int number,
    struct s3_part *part, const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *query = upload_query(upload_id, number);
	struct s3_call call = { .method = "PUT", .bucket = put->bucket, .key = put->key,
		.query = query };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	char etag[S3_ETAG_SIZE];

	call_body(&call, put);
	if (s3_call_must(s3, &call, &reply, d, err) == -1)
		return -1;
	if (!http_header(&reply.http, "etag", etag, sizeof(etag))) {
		error_set(err, ERROR_REMOTE, "part %u was taken without an ETag", number);
		return s3_call_prefix(&call, err);
	}
	part->number = number;
	part->size = put->size;
	etag_copy(part->etag, etag);
	return 0;
}

int
s3_upload_complete(struct s3 *s3, const char *bucket, const char *key, const char *upload_id,
    const struct s3_part *parts, size_t n, const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *query = upload_query(upload_id, 0);
	struct s3_call call = { .method = "POST", .bucket = bucket, .key = key, .query = query,
		.wants_xml = true, .timeout_ms = SLOW_ANSWER_MS };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(buf_done) struct buf body = BUF_INIT;
	size_t i;

	buf_add_str(&body, "<CompleteMultipartUpload xmlns=\"" XMLNS "\">");
	for (i = 0; i < n; i++) {
		buf_printf(&body, "<Part><PartNumber>%u</PartNumber><ETag>\"", parts[i].number);
		s3_xml_escape(&body, parts[i].etag);
		buf_add_str(&body, "\"</ETag></Part>");
	}
	buf_add_str(&body, "</CompleteMultipartUpload>");
	call.body = body.data;
	call.size = body.len;
	return s3_call_must(s3, &call, &reply, d, err);
}

int
s3_upload_abort(struct s3 *s3, const char *bucket, const char *key, const char *upload_id,
    const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *query = upload_query(upload_id, 0);
	struct s3_call call = { .method = "DELETE", .bucket = bucket, .key = key, .query = query };
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;

	if (s3_call_do(s3, &call, &reply, d, err) == -1)
		return -1;
	return s3_reply_is(&reply, "NoSuchUpload") ? 0 : must_be_good(&call, &reply, err);
}

struct upload_page {
	s3_upload_fn	*fn;
	void		*arg;
	char		*key;
	char		*upload_id;
	time_t		 begun;
	bool		 more;
	char		*next_key;
	char		*next_id;
};

static void
upload_page_done(struct upload_page *page)
{
	free(page->key);
	free(page->upload_id);
	free(page->next_key);
	free(page->next_id);
}

static void
replace(char **out, const char *text)
{
	free(*out);
	*out = xstrdup(text);
}

static int
on_upload(void *arg, const char *path, const char *text, struct error *err)
{
	struct upload_page *page = arg;

	if (strcmp(path, "ListMultipartUploadsResult/Upload/Key") == 0)
		replace(&page->key, text);
	else if (strcmp(path, "ListMultipartUploadsResult/Upload/UploadId") == 0)
		replace(&page->upload_id, text);
	else if (strcmp(path, "ListMultipartUploadsResult/Upload/Initiated") == 0)
		page->begun = time_parse(text);
	else if (strcmp(path, "ListMultipartUploadsResult/NextKeyMarker") == 0)
		replace(&page->next_key, text);
	else if (strcmp(path, "ListMultipartUploadsResult/NextUploadIdMarker") == 0)
		replace(&page->next_id, text);
	else if (strcmp(path, "ListMultipartUploadsResult/IsTruncated") == 0)
		page->more = is_true(text);
	else if (strcmp(path, "ListMultipartUploadsResult/Upload") == 0 && page->key != NULL &&
	    page->upload_id != NULL)
		return page->fn(page->arg, page->key, page->upload_id, page->begun, err);
	return 0;
}

static void
upload_list_query(struct buf *query, const char *prefix, const char *key, const char *upload_id)
{
	buf_add_str(query, "uploads");
	if (key != NULL)
		add_parameter(query, "key-marker", key);
	if (key != NULL && upload_id != NULL)
		add_parameter(query, "upload-id-marker", upload_id);
	if (prefix != NULL && prefix[0] != '\0')
		add_parameter(query, "prefix", prefix);
}

int
s3_upload_list(struct s3 *s3, const char *bucket, const char *prefix, s3_upload_fn *fn, void *arg,
    const struct deadline *d, struct error *err)
{
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	cleanup(free_p) char *key = NULL;
	cleanup(free_p) char *upload_id = NULL;

	for (;;) {
		cleanup(buf_done) struct buf query = BUF_INIT;
		cleanup(upload_page_done) struct upload_page page = { .fn = fn, .arg = arg };
		struct s3_call call = { .method = "GET", .bucket = bucket, .wants_xml = true,
			.body_max = LIST_BODY_MAX };

		upload_list_query(&query, prefix, key, upload_id);
		call.query = buf_str(&query);
		if (s3_call_must(s3, &call, &reply, d, err) == -1 ||
		    read_xml(&call, &reply, on_upload, &page, err) == -1)
			return -1;
		if (!page.more || page.next_key == NULL)
			return 0;
		free(key);
		free(upload_id);
		key = steal(page.next_key);
		upload_id = steal(page.next_id);
	}
}

struct part_page {
	s3_part_fn	*fn;
	void		*arg;
	struct s3_part	 part;
	bool		 more;
	unsigned int	 next;
};

static int
on_part(void *arg, const char *path, const char *text, struct error *err)
{
	struct part_page *page = arg;
	struct s3_part part = page->part;

	if (strcmp(path, "ListPartsResult/Part/PartNumber") == 0)
		page->part.number = (unsigned int)strtoul(text, NULL, 10);
	else if (strcmp(path, "ListPartsResult/Part/Size") == 0)
		page->part.size = strtoull(text, NULL, 10);
	else if (strcmp(path, "ListPartsResult/Part/ETag") == 0)
		etag_copy(page->part.etag, text);
	else if (strcmp(path, "ListPartsResult/IsTruncated") == 0)
		page->more = is_true(text);
	else if (strcmp(path, "ListPartsResult/NextPartNumberMarker") == 0)
		page->next = (unsigned int)strtoul(text, NULL, 10);
	else if (strcmp(path, "ListPartsResult/Part") == 0) {
		page->part = (struct s3_part){ .number = 0 };
		return page->fn(page->arg, &part, err);
	}
	return 0;
}

int
s3_part_list(struct s3 *s3, const char *bucket, const char *key, const char *upload_id,
    s3_part_fn *fn, void *arg, const struct deadline *d, struct error *err)
{
	cleanup(s3_reply_done) struct s3_reply reply = S3_REPLY_INIT;
	unsigned int marker = 0;

	for (;;) {
		cleanup(buf_done) struct buf query = BUF_INIT;
		struct part_page page = { .fn = fn, .arg = arg };
		struct s3_call call = { .method = "GET", .bucket = bucket, .key = key,
			.wants_xml = true };

		if (marker > 0)
			buf_printf(&query, "part-number-marker=%u", marker);
		add_parameter(&query, "uploadId", upload_id);
		call.query = buf_str(&query);
		if (s3_call_must(s3, &call, &reply, d, err) == -1 ||
		    read_xml(&call, &reply, on_part, &page, err) == -1)
			return -1;
		/* A marker that does not move on would go round for ever. */
		if (!page.more || page.next <= marker || page.next >= PARTS_MAX)
			return 0;
		marker = page.next;
	}
}

/* ---- URLs ---- */

char *
s3_presign(struct s3 *s3, const char *method, const char *bucket, const char *key,
    unsigned int seconds, time_t at, struct error *err)
{
	struct s3_call call = { .method = method, .bucket = bucket, .key = key };

	if (!s3_can_sign(s3)) {
		error_set(err, ERROR_CREDENTIALS, "no aws_access_key and aws_secret_access_key "
		    "are set");
		return NULL;
	}
	return s3_presigned(s3, &call, seconds, at);
}
