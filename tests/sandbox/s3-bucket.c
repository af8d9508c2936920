#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/sandbox/s3.h"
#include "tests/sandbox/xml.h"

#define KEYS_MAX 1000	/* of one page */

static void
add_owner(struct buf *xml)
{
	buf_add_str(xml, "<Owner>");
	xml_element(xml, "ID", S3_OWNER);
	xml_element(xml, "DisplayName", S3_OWNER);
	buf_add_str(xml, "</Owner>");
}

/* A page's size as asked for, at most `most`. */
static long
page_size(const struct s3_call *c, const char *parameter, long most)
{
	long n = atol(s3_param(c, parameter, "-1"));

	return n < 0 || n > most ? most : n;
}

void
s3_list_buckets(struct s3_call *c)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;
	long left = page_size(c, "max-buckets", 1000000);
	const struct bucket *b;
	size_t i;

	if (c->anonymous) {
		s3_error(c, 403, "AccessDenied", "Access Denied", NULL);
		return;
	}
	add_owner(&xml);
	buf_add_str(&xml, "<Buckets>");
	i = table_seek(&c->s3->buckets, s3_param(c, "continuation-token", ""));
	for (; i < c->s3->buckets.n && left > 0; i++) {
		b = c->s3->buckets.rows[i].value;
		if (strcmp(b->owner, S3_OWNER) != 0)
			continue;
		buf_add_str(&xml, "<Bucket>");
		xml_element(&xml, "Name", b->name);
		s3_xml_time(&xml, "CreationDate", b->created);
		xml_element(&xml, "BucketRegion", b->region);
		buf_add_str(&xml, "</Bucket>");
		left--;
	}
	buf_add_str(&xml, "</Buckets>");
	if (i < c->s3->buckets.n)
		xml_element(&xml, "ContinuationToken", c->s3->buckets.rows[i].name);
	s3_xml(c, 200, "ListAllMyBucketsResult", &xml);
}

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 3 && len <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") ==
	    len && isalnum((unsigned char)name[0]) && isalnum((unsigned char)name[len - 1]) &&
	    strstr(name, "..") == NULL;
}

static bool
check_new_bucket(struct s3_call *c, const char *region)
{
	if (c->anonymous)
		return s3_error(c, 403, "AccessDenied", "Access Denied", NULL);
	if (!is_name(c->bucket_name))
		return s3_error(c, 400, "InvalidBucketName", "The specified bucket is not valid.",
		    NULL);
	if (c->bucket != NULL && strcmp(c->bucket->owner, S3_OWNER) == 0)
		return s3_error(c, 409, "BucketAlreadyOwnedByYou", "Your previous request to create "
		    "the named bucket succeeded and you already own it.", NULL);
	if (c->bucket != NULL)
		return s3_error(c, 409, "BucketAlreadyExists", "The requested bucket name is not "
		    "available. The bucket namespace is shared by all users of the system. Please "
		    "select a different name and try again.", NULL);
	if ((int)c->s3->buckets.n >= c->s3->max_buckets)
		return s3_error(c, 400, "TooManyBuckets", "You have attempted to create more "
		    "buckets than allowed", NULL);
	if (strcmp(c->region, c->s3->region) != 0 && strcmp(c->region, region) != 0)
		return s3_error(c, 400, "IllegalLocationConstraintException", "The location "
		    "constraint is incompatible for the region specific endpoint this request was "
		    "sent to.", NULL);
	return true;
}

void
s3_create_bucket(struct s3_call *c)
{
	struct xml_part body = { c->request->body, c->request->body_len };
	cleanup(free_p) char *constraint = xml_text_of(body, "LocationConstraint");
	const char *region = constraint != NULL && constraint[0] != '\0' ? constraint :
	    c->s3->region;
	cleanup(free_p) char *location = xasprintf("/%s", c->bucket_name);
	const char *ownership = request_header(c->request, "x-amz-object-ownership");
	bool is_public;
	struct bucket *b;

	if (!check_new_bucket(c, region) || !s3_wanted_acl(c, &is_public))
		return;
	b = s3_add_bucket(c->s3, c->bucket_name, S3_OWNER, region);
	b->is_public = is_public;
	if (ownership != NULL) {
		free(b->ownership);
		b->ownership = xstrdup(ownership);
	}
	reply_header(c->answer, "Location", location);
	c->answer->status = 200;
}

void
s3_head_bucket(struct s3_call *c)
{
	if (!s3_permit(c, "s3:ListBucket"))
		return;
	reply_header(c->answer, "x-amz-bucket-region", c->bucket->region);
	c->answer->status = 200;
}

void
s3_delete_bucket(struct s3_call *c)
{
	if (!s3_permit(c, "s3:DeleteBucket"))
		return;
	if (c->bucket->objects.n > 0) {
		s3_error(c, 409, "BucketNotEmpty", "The bucket you tried to delete is not empty",
		    NULL);
		return;
	}
	s3_remove_bucket(c->s3, c->bucket);
	c->answer->status = 204;
}

/* The first region has no name, for it was there before there were regions. */
void
s3_get_location(struct s3_call *c)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;

	if (!s3_permit(c, "s3:GetBucketLocation"))
		return;
	if (strcmp(c->bucket->region, "us-east-1") != 0)
		buf_add_str(&xml, c->bucket->region);
	s3_xml(c, 200, "LocationConstraint", &xml);
}

void
s3_get_versioning(struct s3_call *c)
{
	struct buf none = BUF_INIT;

	if (s3_permit(c, "s3:GetBucketVersioning"))
		s3_xml(c, 200, "VersioningConfiguration", &none);
}

/* -- listing -- */

struct listing {
	const char	*prefix;
	const char	*delimiter;
	long		 max;
	bool		 encode;	/* names as URLs have them */
	struct buf	 contents;
	struct buf	 prefixes;
	long		 n;
	char		*next;		/* where the next page begins; NULL: there is none */
};

static void
listing_done(struct listing *l)
{
	buf_done(&l->contents);
	buf_done(&l->prefixes);
	free(l->next);
}

static void
add_name(const struct listing *l, struct buf *xml, const char *tag, const char *name)
{
	cleanup(free_p) char *encoded = l->encode ? percent_encode(name, true) : NULL;

	xml_element(xml, tag, encoded != NULL ? encoded : name);
}

static void
add_object(struct listing *l, const char *key, const struct object *object)
{
	cleanup(free_p) char *etag = xasprintf("\"%s\"", object->etag);

	buf_add_str(&l->contents, "<Contents>");
	add_name(l, &l->contents, "Key", key);
	s3_xml_time(&l->contents, "LastModified", object->modified);
	xml_element(&l->contents, "ETag", etag);
	xml_number(&l->contents, "Size", (long long)content_size(object->content));
	xml_element(&l->contents, "StorageClass", "STANDARD");
	buf_add_str(&l->contents, "</Contents>");
}

/* The key's part up to the delimiter behind the prefix; NULL: it is not below one. */
static char *
common_prefix(const struct listing *l, const char *key)
{
	const char *rest = key + strlen(l->prefix), *at;

	if (l->delimiter[0] == '\0' || (at = strstr(rest, l->delimiter)) == NULL)
		return NULL;
	return xstrndup(key, (size_t)(at - key) + strlen(l->delimiter));
}

/* Fills the page from the first key that is not before `from`. Keys are UTF-8, in which no
 * byte is 0xff: a prefix with that byte behind it comes after all that begin with the prefix,
 * and \1 behind a key makes the name that comes next. */
static void
fill(struct listing *l, const struct table *objects, const char *from)
{
	size_t i = table_seek(objects, strcmp(from, l->prefix) > 0 ? from : l->prefix);
	cleanup(free_p) char *resume = NULL;
	const char *key;

	while (i < objects->n) {
		key = objects->rows[i].name;
		if (strncmp(key, l->prefix, strlen(l->prefix)) != 0)
			return;
		if (l->n == l->max) {
			l->next = steal(resume);
			return;
		}
		cleanup(free_p) char *prefix = common_prefix(l, key);
		free(resume);
		if (prefix != NULL) {
			buf_add_str(&l->prefixes, "<CommonPrefixes>");
			add_name(l, &l->prefixes, "Prefix", prefix);
			buf_add_str(&l->prefixes, "</CommonPrefixes>");
			resume = xasprintf("%s\xff", prefix);
			i = table_seek(objects, resume);
		} else {
			add_object(l, key, objects->rows[i].value);
			resume = xasprintf("%s\1", key);
			i++;
		}
		l->n++;
	}
}

/* Where a version 2 listing begins: at the token's place, or after a key. */
static char *
start_of(const struct s3_call *c)
{
	const char *token = s3_param(c, "continuation-token", NULL);
	bool v2 = strcmp(s3_param(c, "list-type", "1"), "2") == 0;
	const char *after = s3_param(c, v2 ? "start-after" : "marker", "");

	if (v2 && token != NULL)
		return percent_decode(token, strlen(token), false);
	if (after[0] == '\0')
		return xstrdup("");
	/* A marker may be a common prefix, whose keys were all listed as that prefix. */
	if (!v2 && s3_has(c, "delimiter") && strstr(after, s3_param(c, "delimiter", "")) != NULL &&
	    table_get(&c->bucket->objects, after) == NULL)
		return xasprintf("%s\xff", after);
	return xasprintf("%s\1", after);
}

/* A version 1 listing with a delimiter names the last thing listed; a trailing \1 or \xff is
 * ours. */
static void
add_next(const struct listing *l, struct buf *xml, bool v2)
{
	cleanup(free_p) char *token = NULL;

	if (l->next == NULL)
		return;
	if (v2) {
		token = percent_encode(l->next, true);
		xml_element(xml, "NextContinuationToken", token);
	} else {
		token = xstrndup(l->next, strlen(l->next) - 1);
		add_name(l, xml, "NextMarker", token);
	}
}

void
s3_list_objects(struct s3_call *c)
{
	cleanup(listing_done) struct listing l = { .prefix = s3_param(c, "prefix", ""),
	    .delimiter = s3_param(c, "delimiter", ""), .max = page_size(c, "max-keys", KEYS_MAX),
	    .encode = strcmp(s3_param(c, "encoding-type", ""), "url") == 0 };
	bool v2 = strcmp(s3_param(c, "list-type", "1"), "2") == 0;
	cleanup(buf_done) struct buf xml = BUF_INIT;
	cleanup(free_p) char *from = NULL;

	if (!s3_permit(c, "s3:ListBucket"))
		return;
	from = start_of(c);
	if (l.max > 0)
		fill(&l, &c->bucket->objects, from);
	xml_element(&xml, "Name", c->bucket->name);
	add_name(&l, &xml, "Prefix", l.prefix);
	if (l.delimiter[0] != '\0')
		add_name(&l, &xml, "Delimiter", l.delimiter);
	if (l.encode)
		xml_element(&xml, "EncodingType", "url");
	if (v2)
		xml_number(&xml, "KeyCount", l.n);
	else
		add_name(&l, &xml, "Marker", s3_param(c, "marker", ""));
	xml_number(&xml, "MaxKeys", l.max);
	xml_element(&xml, "IsTruncated", l.next != NULL ? "true" : "false");
	add_next(&l, &xml, v2);
	buf_add_str(&xml, buf_str(&l.contents));
	buf_add_str(&xml, buf_str(&l.prefixes));
	s3_xml(c, 200, "ListBucketResult", &xml);
}
