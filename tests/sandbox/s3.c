#include "tests/sandbox/s3.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/rfc3339.h"
#include "tests/sandbox/xml.h"

/* The first row that fits is used. `parameter` NULL: none of those that name a resource. */
static const struct route {
	const char	*method;
	enum { SERVICE, BUCKET, OBJECT } on;
	const char	*parameter;
	s3_handler	*handler;
} routes[] = {
	{ "GET", SERVICE, NULL, s3_list_buckets },

	{ "GET", BUCKET, "location", s3_get_location },
	{ "GET", BUCKET, "versioning", s3_get_versioning },
	{ "GET", BUCKET, "policy", s3_get_policy },
	{ "PUT", BUCKET, "policy", s3_put_policy },
	{ "DELETE", BUCKET, "policy", s3_delete_policy },
	{ "GET", BUCKET, "policyStatus", s3_get_policy_status },
	{ "GET", BUCKET, "acl", s3_get_acl },
	{ "PUT", BUCKET, "acl", s3_put_acl },
	{ "GET", BUCKET, "ownershipControls", s3_get_ownership },
	{ "PUT", BUCKET, "ownershipControls", s3_put_ownership },
	{ "DELETE", BUCKET, "ownershipControls", s3_delete_ownership },
	{ "GET", BUCKET, "publicAccessBlock", s3_get_block },
	{ "PUT", BUCKET, "publicAccessBlock", s3_put_block },
	{ "DELETE", BUCKET, "publicAccessBlock", s3_delete_block },
	{ "GET", BUCKET, "uploads", s3_list_uploads },
	{ "POST", BUCKET, "delete", s3_delete_objects },
	{ "PUT", BUCKET, NULL, s3_create_bucket },
	{ "HEAD", BUCKET, NULL, s3_head_bucket },
	{ "DELETE", BUCKET, NULL, s3_delete_bucket },
	{ "GET", BUCKET, NULL, s3_list_objects },

	{ "GET", OBJECT, "acl", s3_get_acl },
	{ "PUT", OBJECT, "acl", s3_put_acl },
	{ "POST", OBJECT, "uploads", s3_create_upload },
	{ "PUT", OBJECT, "uploadId", s3_put_part },
	{ "POST", OBJECT, "uploadId", s3_complete_upload },
	{ "DELETE", OBJECT, "uploadId", s3_abort_upload },
	{ "GET", OBJECT, "uploadId", s3_list_parts },
	{ "GET", OBJECT, NULL, s3_get_object },
	{ "HEAD", OBJECT, NULL, s3_get_object },
	{ "PUT", OBJECT, NULL, s3_put_object },
	{ "DELETE", OBJECT, NULL, s3_delete_object },
};

/* -- the store -- */

struct s3 *
s3_new(const char *region, bool modern)
{
	struct s3 *s3 = xcalloc(1, sizeof(*s3));

	s3->region = xstrdup(region);
	s3->modern = modern;
	s3->max_buckets = 1000000;
	return s3;
}

static void
key_free(void *value)
{
	struct s3_key *key = value;

	free(key->access);
	free(key->secret);
	free(key->token);
	free(key);
}

static void
object_free(void *value)
{
	struct object *object = value;

	content_unref(object->content);
	json_decref(object->headers);
	free(object);
}

static void
bucket_free(void *value)
{
	struct bucket *b = value;

	table_done(&b->objects, object_free);
	table_done(&b->uploads, upload_free);
	free(b->name);
	free(b->owner);
	free(b->region);
	free(b->policy);
	free(b->ownership);
	free(b);
}

void
s3_clear(struct s3 *s3)
{
	table_done(&s3->buckets, bucket_free);
}

void
s3_free(struct s3 *s3)
{
	if (s3 == NULL)
		return;
	s3_clear(s3);
	table_done(&s3->keys, key_free);
	free(s3->region);
	free(s3);
}

struct s3_key *
s3_add_key(struct s3 *s3, const char *access, const char *secret, const char *token)
{
	struct s3_key *key = xcalloc(1, sizeof(*key)), *old;

	key->access = xstrdup(access);
	key->secret = xstrdup(secret);
	key->token = xstrdup(token);
	if ((old = table_put(&s3->keys, access, key)) != NULL)
		key_free(old);
	return key;
}

struct bucket *
s3_add_bucket(struct s3 *s3, const char *name, const char *owner, const char *region)
{
	struct bucket *b = xcalloc(1, sizeof(*b)), *old;

	b->name = xstrdup(name);
	b->owner = xstrdup(owner);
	b->region = xstrdup(region != NULL ? region : s3->region);
	b->created = s3_now(s3);
	if (s3->modern) {
		b->ownership = xstrdup("BucketOwnerEnforced");
		b->block = (struct access_block){ true, true, true, true, true };
	}
	if ((old = table_put(&s3->buckets, name, b)) != NULL)
		bucket_free(old);
	return b;
}

void
s3_remove_bucket(struct s3 *s3, struct bucket *b)
{
	table_remove(&s3->buckets, b->name);
	bucket_free(b);
}

void
md5_hex(const void *data, size_t len, char out[33])
{
	unsigned char digest[16];
	size_t i;

	EVP_Digest(data, len, digest, NULL, EVP_md5(), NULL);
	for (i = 0; i < sizeof(digest); i++)
		sprintf(out + 2 * i, "%02x", digest[i]);
}

struct object *
bucket_put(struct bucket *b, const char *key, struct content *content, const char *etag,
    json_t *headers, bool is_public)
{
	struct object *object = xcalloc(1, sizeof(*object)), *old;

	object->content = content;
	snprintf(object->etag, sizeof(object->etag), "%s", etag);
	object->headers = headers;
	object->is_public = is_public;
	object->modified = time(NULL);
	if ((old = table_put(&b->objects, key, object)) != NULL)
		object_free(old);
	return object;
}

int
bucket_put_bytes(struct bucket *b, const char *key, const void *data, size_t len,
    json_t *headers, bool is_public, struct error *err)
{
	struct content *content = content_new(data, len, err);
	char etag[33];

	if (content == NULL) {
		json_decref(headers);
		return -1;
	}
	md5_hex(data, len, etag);
	bucket_put(b, key, content, etag, headers, is_public);
	return 0;
}

bool
bucket_remove(struct bucket *b, const char *key)
{
	struct object *object = table_remove(&b->objects, key);

	if (object != NULL)
		object_free(object);
	return object != NULL;
}

/* -- what the answers are made of -- */

bool
s3_error(struct s3_call *c, int status, const char *code, const char *message, const char *extra)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;

	reply_clear(c->answer);
	buf_add_str(&xml, XML_HEAD "<Error>");
	xml_element(&xml, "Code", code);
	xml_element(&xml, "Message", message);
	if (c->bucket_name != NULL)
		xml_element(&xml, "BucketName", c->bucket_name);
	xml_element(&xml, "Resource", c->request->path);
	if (extra != NULL)
		buf_add_str(&xml, extra);
	buf_add_str(&xml, "<RequestId>5A2E000000000000</RequestId></Error>");
	reply_text(c->answer, status, "application/xml", buf_str(&xml));
	return false;
}

void
s3_xml(struct s3_call *c, int status, const char *root, const struct buf *content)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;

	buf_printf(&xml, XML_HEAD "<%s" S3_XMLNS ">%s</%s>", root, buf_str(content), root);
	reply_text(c->answer, status, "application/xml", buf_str(&xml));
}

bool
s3_has(const struct s3_call *c, const char *parameter)
{
	return query_value(&c->request->query, parameter) != NULL;
}

const char *
s3_param(const struct s3_call *c, const char *name, const char *otherwise)
{
	const char *value = query_value(&c->request->query, name);

	return value != NULL ? value : otherwise;
}

time_t
s3_now(const struct s3 *s3)
{
	return time(NULL) + s3->clock_offset_s;
}

void
s3_xml_time(struct buf *xml, const char *tag, time_t t)
{
	char text[RFC3339_SIZE + 4];

	rfc3339_format(t, text);
	memcpy(text + RFC3339_SIZE - 2, ".000Z", 6);
	xml_element(xml, tag, text);
}

bool
s3_etag_is(const char *condition, const char *etag)
{
	size_t len = strlen(etag);

	if (strcmp(condition, "*") == 0)
		return true;
	if (condition[0] == '"')
		condition++;
	return strncmp(condition, etag, len) == 0 && (condition[len] == '\0' ||
	    strcmp(condition + len, "\"") == 0);
}

/* -- the call -- */

/* The bucket in a host such as bucket.localhost or bucket.s3.localhost; NULL: none. */
static char *
bucket_of_host(const char *host)
{
	static const char *const suffixes[] = { ".s3.localhost", ".localhost" };
	size_t len = strlen(host), suffix, i;

	if (strcmp(host, "s3.localhost") == 0)
		return NULL;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		suffix = strlen(suffixes[i]);
		if (len > suffix && strcmp(host + len - suffix, suffixes[i]) == 0)
			return xstrndup(host, len - suffix);
	}
	return NULL;
}

static void
find_names(struct s3_call *c)
{
	const char *path = c->request->path + 1;
	size_t len;

	if ((c->bucket_name = bucket_of_host(c->request->host)) == NULL) {
		len = strcspn(path, "/");
		if (len == 0)
			return;
		c->bucket_name = percent_decode(path, len, false);
		path += len + (path[len] == '/');
	}
	if (*path != '\0')
		c->key = percent_decode(path, strlen(path), false);
	c->bucket = table_get(&c->s3->buckets, c->bucket_name);
}

/* A signature for another region than the bucket's: the endpoint's own clients are told where
 * to go, the others that they are wrong. */
static bool
check_region(struct s3_call *c)
{
	const char *right = c->bucket != NULL ? c->bucket->region : c->s3->region;
	const char *host = request_header(c->request, "Host");
	cleanup(buf_done) struct buf extra = BUF_INIT;
	bool creates = c->bucket == NULL && c->key == NULL && request_is(c->request, "PUT");

	if (c->bucket != NULL)
		reply_header(c->answer, "x-amz-bucket-region", right);
	if (c->anonymous || strcmp(c->region, right) == 0 || creates)
		return true;
	if (strcmp(c->region, c->s3->region) == 0) {
		xml_element(&extra, "Bucket", c->bucket_name);
		xml_element(&extra, "Endpoint", host != NULL ? host : "");
		s3_error(c, 301, "PermanentRedirect", "The bucket you are attempting to access must "
		    "be addressed using the specified endpoint. Please send all future requests to "
		    "this endpoint.", buf_str(&extra));
	} else {
		xml_element(&extra, "Region", right);
		s3_error(c, 400, "AuthorizationHeaderMalformed", "The authorization header is "
		    "malformed; the region is wrong", buf_str(&extra));
	}
	if (c->bucket != NULL)
		reply_header(c->answer, "x-amz-bucket-region", right);
	return false;
}

/* A parameter that names a part of a bucket or object which no row has is not served. */
static bool
names_other_part(const struct s3_call *c)
{
	static const char *const parts[] = { "tagging", "cors", "lifecycle", "encryption",
	    "website", "logging", "notification", "replication", "object-lock", "retention",
	    "legal-hold", "torrent", "restore", "versions", "requestPayment", "accelerate",
	    "policy", "acl", "location", "uploads", "uploadId", "delete", "policyStatus",
	    "ownershipControls", "publicAccessBlock", "versioning" };
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (s3_has(c, parts[i]))
			return true;
	}
	return false;
}

static const struct route *
find_route(const struct s3_call *c)
{
	int on = c->bucket_name == NULL ? SERVICE : c->key == NULL ? BUCKET : OBJECT;
	const struct route *r;

	for (r = routes; r < routes + sizeof(routes) / sizeof(routes[0]); r++) {
		if ((int)r->on == on && request_is(c->request, r->method) &&
		    (r->parameter != NULL ? s3_has(c, r->parameter) : !names_other_part(c)))
			return r;
	}
	return NULL;
}

static void
dispatch(struct s3_call *c)
{
	const struct route *route;

	if (!s3_authenticate(c) || !check_region(c) || !s3_check_body(c))
		return;
	if ((route = find_route(c)) == NULL)
		s3_error(c, 501, "NotImplemented", "A header or query you provided implies "
		    "functionality that is not implemented", NULL);
	else if (c->bucket_name != NULL && c->bucket == NULL && route->handler != s3_create_bucket)
		s3_error(c, 404, "NoSuchBucket", "The specified bucket does not exist", NULL);
	else
		route->handler(c);
}

static void
add_date(struct s3_call *c)
{
	time_t now = s3_now(c->s3);
	char text[64];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	reply_header(c->answer, "Date", text);
}

void
s3_answer(void *s3, const struct request *r, struct reply *a)
{
	struct s3_call c = { .s3 = s3, .request = r, .answer = a };

	find_names(&c);
	dispatch(&c);
	reply_header(a, "x-amz-request-id", "5A2E000000000000");
	add_date(&c);
	free(c.bucket_name);
	free(c.key);
}
