#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/s3.h"
#include "tests/sandbox/xml.h"

#define KEY_MAX 1024		/* bytes */
#define DELETE_MAX 1000		/* keys in one request */

bool
s3_check_key(struct s3_call *c)
{
	cleanup(json_unref) json_t *text = json_string(c->key);

	if (text == NULL)
		return s3_error(c, 400, "InvalidURI", "Couldn't parse the specified URI.", NULL);
	if (strlen(c->key) > KEY_MAX)
		return s3_error(c, 400, "KeyTooLongError", "Your key is too long", NULL);
	return true;
}

json_t *
s3_kept_headers(const struct request *r)
{
	static const char *const kept[] = { "Content-Type", "Content-Encoding", "Content-Language",
	    "Content-Disposition", "Cache-Control", "Expires" };
	json_t *headers = json_object();
	struct evkeyval *header;
	const char *value;
	size_t i;

	json_object_set_new(headers, "Content-Type", json_string("binary/octet-stream"));
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if ((value = request_header(r, kept[i])) != NULL)
			json_object_set_new(headers, kept[i], json_text(value));
	}
	TAILQ_FOREACH(header, r->headers, next) {
		if (strncasecmp(header->key, "x-amz-meta-", 11) == 0)
			json_object_set_new(headers, header->key, json_text(header->value));
	}
	return headers;
}

static void
put_etag(struct s3_call *c, const struct object *object)
{
	cleanup(free_p) char *quoted = xasprintf("\"%s\"", object->etag);

	reply_header(c->answer, "ETag", quoted);
}

/* -- put and copy -- */

bool
s3_check_conditions(struct s3_call *c, const struct object *existing)
{
	const char *none = request_header(c->request, "If-None-Match");
	const char *match = request_header(c->request, "If-Match");

	if (match != NULL && existing == NULL)
		return s3_error(c, 404, "NoSuchKey", "The specified key does not exist.", NULL);
	if ((none != NULL && existing != NULL && s3_etag_is(none, existing->etag)) ||
	    (match != NULL && !s3_etag_is(match, existing->etag)))
		return s3_error(c, 412, "PreconditionFailed", "At least one of the pre-conditions "
		    "you specified did not hold", NULL);
	return true;
}

/* "/bucket/key", encoded, perhaps without the first slash. NULL: answered. */
static const struct object *
copy_source(struct s3_call *c, const char *header)
{
	cleanup(free_p) char *path = percent_decode(header, strcspn(header, "?"), false);
	const char *name = path + (path[0] == '/');
	char *slash = strchr(path + 1, '/');
	struct s3_call from = *c;
	const struct object *object;

	if (slash == NULL) {
		s3_error(c, 400, "InvalidArgument", "Copy Source must mention the source bucket "
		    "and key: sourcebucket/sourcekey", NULL);
		return NULL;
	}
	*slash = '\0';
	if ((from.bucket = table_get(&c->s3->buckets, name)) == NULL) {
		s3_error(c, 404, "NoSuchBucket", "The specified bucket does not exist", NULL);
		return NULL;
	}
	if (!s3_may(&from, "s3:GetObject", slash + 1)) {
		s3_error(c, 403, "AccessDenied", "Access Denied", NULL);
		return NULL;
	}
	if ((object = table_get(&from.bucket->objects, slash + 1)) == NULL)
		s3_error(c, 404, "NoSuchKey", "The specified key does not exist.", NULL);
	return object;
}

static bool
check_copy_conditions(struct s3_call *c, const struct object *source)
{
	const char *match = request_header(c->request, "x-amz-copy-source-if-match");

	if (match == NULL || s3_etag_is(match, source->etag))
		return true;
	return s3_error(c, 412, "PreconditionFailed", "At least one of the pre-conditions you "
	    "specified did not hold", NULL);
}

static void
copy_object(struct s3_call *c, const char *header, bool is_public)
{
	const struct object *source = copy_source(c, header);
	const char *directive = request_header(c->request, "x-amz-metadata-directive");
	bool replace = directive != NULL && strcmp(directive, "REPLACE") == 0;
	cleanup(buf_done) struct buf xml = BUF_INIT;
	cleanup(free_p) char *quoted = NULL;
	char etag[S3_ETAG_SIZE];
	struct object *object;

	if (source == NULL || !check_copy_conditions(c, source))
		return;
	if (!replace && source == table_get(&c->bucket->objects, c->key)) {
		s3_error(c, 400, "InvalidRequest", "This copy request is illegal because it is "
		    "trying to copy an object to itself without changing the object's metadata.",
		    NULL);
		return;
	}
	memcpy(etag, source->etag, sizeof(etag));
	object = bucket_put(c->bucket, c->key, content_ref(source->content), etag, replace ?
	    s3_kept_headers(c->request) : json_incref(source->headers), is_public);
	quoted = xasprintf("\"%s\"", object->etag);
	xml_element(&xml, "ETag", quoted);
	s3_xml_time(&xml, "LastModified", object->modified);
	s3_xml(c, 200, "CopyObjectResult", &xml);
}

void
s3_put_object(struct s3_call *c)
{
	const char *source = request_header(c->request, "x-amz-copy-source");
	struct error err;
	bool is_public;

	if (!s3_check_key(c) || !s3_permit(c, "s3:PutObject") || !s3_wanted_acl(c, &is_public) ||
	    !s3_check_conditions(c, table_get(&c->bucket->objects, c->key)))
		return;
	if (source != NULL) {
		copy_object(c, source, is_public);
		return;
	}
	if (bucket_put_bytes(c->bucket, c->key, c->request->body, c->request->body_len,
	    s3_kept_headers(c->request), is_public, &err) == -1) {
		s3_error(c, 500, "InternalError", err.text, NULL);
		return;
	}
	put_etag(c, table_get(&c->bucket->objects, c->key));
	c->answer->status = 200;
}

/* -- get and head -- */

/* "bytes=a-b", "bytes=a-" or "bytes=-n". False: no single range, so the whole is sent. */
static bool
read_range(const char *header, uint64_t size, uint64_t *first, uint64_t *len)
{
	uint64_t from, to;
	int used = 0;

	if (sscanf(header, "bytes=%" SCNu64 "-%" SCNu64 "%n", &from, &to, &used) == 2 &&
	    header[used] == '\0') {
		if (to < from)
			return false;
		*first = from;
		*len = (to < size ? to + 1 : size) - (from < size ? from : size);
		return true;
	}
	used = 0;
	if (sscanf(header, "bytes=%" SCNu64 "-%n", &from, &used) == 1 && used > 0 &&
	    header[used] == '\0') {
		*first = from;
		*len = from < size ? size - from : 0;
		return true;
	}
	used = 0;
	if (sscanf(header, "bytes=-%" SCNu64 "%n", &to, &used) == 1 && used > 0 &&
	    header[used] == '\0') {
		*len = to < size ? to : size;
		*first = size - *len;
		return true;
	}
	return false;
}

/* An object that is not there is told only to those who might list the bucket. */
static const struct object *
readable_object(struct s3_call *c)
{
	const struct object *object = table_get(&c->bucket->objects, c->key);

	if (object != NULL)
		return s3_permit(c, "s3:GetObject") ? object : NULL;
	if (s3_may(c, "s3:ListBucket", NULL))
		s3_error(c, 404, "NoSuchKey", "The specified key does not exist.", NULL);
	else
		s3_error(c, 403, "AccessDenied", "Access Denied", NULL);
	return NULL;
}

static bool
check_read_conditions(struct s3_call *c, const struct object *object)
{
	const char *none = request_header(c->request, "If-None-Match");
	const char *match = request_header(c->request, "If-Match");

	if (match != NULL && !s3_etag_is(match, object->etag))
		return s3_error(c, 412, "PreconditionFailed", "At least one of the pre-conditions "
		    "you specified did not hold", NULL);
	if (none != NULL && s3_etag_is(none, object->etag)) {
		put_etag(c, object);
		c->answer->status = 304;
		return false;
	}
	return true;
}

static void
put_object_headers(struct s3_call *c, const struct object *object)
{
	const char *name;
	json_t *value;
	char modified[64];
	struct tm tm;

	json_object_foreach(object->headers, name, value)
		reply_header(c->answer, name, json_string_value(value));
	gmtime_r(&object->modified, &tm);
	strftime(modified, sizeof(modified), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	reply_header(c->answer, "Last-Modified", modified);
	reply_header(c->answer, "Accept-Ranges", "bytes");
	put_etag(c, object);
}

/* The response-* parameters of a signed request replace what the object has. */
static void
put_overrides(struct s3_call *c)
{
	const struct query *q = &c->request->query;
	size_t i;

	for (i = 0; i < q->n && !c->anonymous; i++) {
		if (strncmp(q->pairs[i].name, "response-", 9) == 0)
			reply_header(c->answer, q->pairs[i].name + 9, q->pairs[i].value);
	}
}

static void
send_bytes(struct s3_call *c, const struct object *object, uint64_t first, uint64_t len)
{
	char length[24];
	struct error err;

	if (request_is(c->request, "HEAD")) {
		snprintf(length, sizeof(length), "%" PRIu64, len);
		reply_header(c->answer, "Content-Length", length);
	} else if (content_read(object->content, first, len, c->answer->body, &err) == -1) {
		s3_error(c, 500, "InternalError", err.text, NULL);
	}
}

void
s3_get_object(struct s3_call *c)
{
	const char *range = request_header(c->request, "Range");
	const struct object *object;
	uint64_t size, first = 0, len;
	char shown[80];
	bool partial;

	if ((object = readable_object(c)) == NULL || !check_read_conditions(c, object))
		return;
	size = len = content_size(object->content);
	partial = range != NULL && read_range(range, size, &first, &len);
	if (partial && len == 0) {
		s3_error(c, 416, "InvalidRange", "The requested range is not satisfiable", NULL);
		return;
	}
	put_object_headers(c, object);
	put_overrides(c);
	if (partial) {
		snprintf(shown, sizeof(shown), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
		    first + len - 1, size);
		reply_header(c->answer, "Content-Range", shown);
	}
	c->answer->status = partial ? 206 : 200;
	send_bytes(c, object, first, len);
}

/* -- delete -- */

void
s3_delete_object(struct s3_call *c)
{
	if (!s3_permit(c, "s3:DeleteObject"))
		return;
	bucket_remove(c->bucket, c->key);
	c->answer->status = 204;
}

/* The body must be sealed: AWS refuses it otherwise. */
static bool
check_sealed(struct s3_call *c)
{
	struct evkeyval *header;

	TAILQ_FOREACH(header, c->request->headers, next) {
		if (strcasecmp(header->key, "Content-MD5") == 0 ||
		    strncasecmp(header->key, "x-amz-checksum-", 15) == 0)
			return true;
	}
	return s3_error(c, 400, "InvalidRequest", "Missing required header for this request: "
	    "Content-MD5", NULL);
}

void
s3_delete_objects(struct s3_call *c)
{
	struct xml_part rest = { c->request->body, c->request->body_len }, one;
	cleanup(buf_done) struct buf xml = BUF_INIT;
	cleanup(free_p) char *quiet = xml_text_of(rest, "Quiet");
	int n = 0;

	if (!check_sealed(c) || !s3_permit(c, "s3:DeleteObject"))
		return;
	while (xml_find(rest, "Object", &one, &rest)) {
		cleanup(free_p) char *key = xml_text_of(one, "Key");

		if (key == NULL || ++n > DELETE_MAX) {
			s3_error(c, 400, "MalformedXML", "The XML you provided was not well-formed "
			    "or did not validate against our published schema", NULL);
			return;
		}
		bucket_remove(c->bucket, key);
		if (quiet == NULL || strcmp(quiet, "true") != 0) {
			buf_add_str(&xml, "<Deleted>");
			xml_element(&xml, "Key", key);
			buf_add_str(&xml, "</Deleted>");
		}
	}
	s3_xml(c, 200, "DeleteResult", &xml);
}
