#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/sandbox/s3.h"
#include "tests/sandbox/xml.h"

#define PART_MIN (5u << 20)	/* bytes, of all parts but the last */
#define PARTS_MAX 10000

struct part {
	struct content	*content;
	unsigned char	 md5[16];
	char		 etag[33];
};

struct upload {
	char		*key;
	json_t		*headers;
	bool		 is_public;
	time_t		 begun;
	struct part	**parts;		/* by number; NULL: not there */
	int		 n_parts;		/* the highest number, and 1 */
};

static void
part_free(struct part *p)
{
	if (p == NULL)
		return;
	content_unref(p->content);
	free(p);
}

void
upload_free(void *value)
{
	struct upload *u = value;
	int i;

	for (i = 0; i < u->n_parts; i++)
		part_free(u->parts[i]);
	free(u->parts);
	free(u->key);
	json_decref(u->headers);
	free(u);
}

void
upload_begun(void *value, time_t begun)
{
	((struct upload *)value)->begun = begun;
}

static void
set_part(struct upload *u, int number, struct part *p)
{
	if (number >= u->n_parts) {
		u->parts = xreallocarray(u->parts, (size_t)number + 1, sizeof(*u->parts));
		while (u->n_parts <= number)
			u->parts[u->n_parts++] = NULL;
	}
	part_free(u->parts[number]);
	u->parts[number] = p;
}

/* The upload that the call names; NULL: answered. */
static struct upload *
find_upload(struct s3_call *c)
{
	struct upload *u;

	if (!s3_permit(c, "s3:PutObject"))
		return NULL;
	u = table_get(&c->bucket->uploads, s3_param(c, "uploadId", ""));
	if (u != NULL && strcmp(u->key, c->key) == 0)
		return u;
	s3_error(c, 404, "NoSuchUpload", "The specified upload does not exist. The upload ID may "
	    "be invalid, or the upload may have been aborted or completed.", NULL);
	return NULL;
}

void
s3_create_upload(struct s3_call *c)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;
	struct upload *u;
	char id[32];
	bool is_public;

	if (!s3_check_key(c) || !s3_permit(c, "s3:PutObject") || !s3_wanted_acl(c, &is_public))
		return;
	u = xcalloc(1, sizeof(*u));
	u->key = xstrdup(c->key);
	u->headers = s3_kept_headers(c->request);
	u->is_public = is_public;
	u->begun = time(NULL);
	snprintf(id, sizeof(id), "upload%08llu", (unsigned long long)++c->s3->next_id);
	table_put(&c->bucket->uploads, id, u);
	xml_element(&xml, "Bucket", c->bucket->name);
	xml_element(&xml, "Key", c->key);
	xml_element(&xml, "UploadId", id);
	s3_xml(c, 200, "InitiateMultipartUploadResult", &xml);
}

static struct part *
part_new(const struct request *r, struct error *err)
{
	struct part *p = xcalloc(1, sizeof(*p));
	size_t i;

	if ((p->content = content_new(r->body, r->body_len, err)) == NULL) {
		free(p);
		return NULL;
	}
	EVP_Digest(r->body, r->body_len, p->md5, NULL, EVP_md5(), NULL);
	for (i = 0; i < sizeof(p->md5); i++)
		sprintf(p->etag + 2 * i, "%02x", p->md5[i]);
	return p;
}

void
s3_put_part(struct s3_call *c)
{
	int number = atoi(s3_param(c, "partNumber", "0"));
	cleanup(free_p) char *quoted = NULL;
	struct upload *u = find_upload(c);
	struct error err;
	struct part *p;

	if (u == NULL)
		return;
	if (number < 1 || number > PARTS_MAX) {
		s3_error(c, 400, "InvalidArgument", "Part number must be an integer between 1 and "
		    "10000, inclusive", NULL);
		return;
	}
	if (request_header(c->request, "x-amz-copy-source") != NULL) {
		s3_error(c, 501, "NotImplemented", "The sandbox copies no parts", NULL);
		return;
	}
	if ((p = part_new(c->request, &err)) == NULL) {
		s3_error(c, 500, "InternalError", err.text, NULL);
		return;
	}
	set_part(u, number, p);
	quoted = xasprintf("\"%s\"", p->etag);
	reply_header(c->answer, "ETag", quoted);
	c->answer->status = 200;
}

/* Reads the numbers of the parts that make the object, in their order. False: answered. */
static bool
read_parts(struct s3_call *c, const struct upload *u, int numbers[PARTS_MAX], int *n)
{
	struct xml_part rest = { c->request->body, c->request->body_len }, one;

	for (*n = 0; xml_find(rest, "Part", &one, &rest); (*n)++) {
		cleanup(free_p) char *number = xml_text_of(one, "PartNumber");
		cleanup(free_p) char *etag = xml_text_of(one, "ETag");
		int i = number != NULL ? atoi(number) : 0;

		if (etag == NULL || i < 1 || i >= u->n_parts || u->parts[i] == NULL ||
		    !s3_etag_is(etag, u->parts[i]->etag))
			return s3_error(c, 400, "InvalidPart", "One or more of the specified parts "
			    "could not be found. The part may not have been uploaded, or the "
			    "specified entity tag may not match the part's entity tag.", NULL);
		if (*n > 0 && i <= numbers[*n - 1])
			return s3_error(c, 400, "InvalidPartOrder", "The list of parts was not in "
			    "ascending order.", NULL);
		numbers[*n] = i;
	}
	return *n > 0 || s3_error(c, 400, "MalformedXML", "The XML you provided was not "
	    "well-formed or did not validate against our published schema", NULL);
}

static bool
check_sizes(struct s3_call *c, const struct upload *u, const int *numbers, int n)
{
	int i;

	for (i = 0; i < n - 1; i++) {
		if (content_size(u->parts[numbers[i]]->content) < PART_MIN)
			return s3_error(c, 400, "EntityTooSmall", "Your proposed upload is smaller "
			    "than the minimum allowed size", NULL);
	}
	return true;
}

/* Moves the parts' contents into one; the ETag is the MD5 of their MD5s, and their number. */
static struct content *
join_parts(struct upload *u, const int *numbers, int n, char etag[S3_ETAG_SIZE])
{
	struct content *whole = NULL;
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();
	unsigned char digest[16];
	int i;

	EVP_DigestInit_ex(md5, EVP_md5(), NULL);
	for (i = 0; i < n; i++) {
		struct part *p = u->parts[numbers[i]];

		EVP_DigestUpdate(md5, p->md5, sizeof(p->md5));
		if (whole == NULL)
			whole = p->content;
		else
			content_append(whole, p->content);
		p->content = NULL;
	}
	EVP_DigestFinal_ex(md5, digest, NULL);
	EVP_MD_CTX_free(md5);
	for (i = 0; i < 16; i++)
		sprintf(etag + 2 * i, "%02x", digest[i]);
	snprintf(etag + 32, S3_ETAG_SIZE - 32, "-%d", n);
	return whole;
}

void
s3_complete_upload(struct s3_call *c)
{
	struct upload *u = find_upload(c);
	cleanup(free_p) int *numbers = xcalloc(PARTS_MAX, sizeof(*numbers));
	cleanup(buf_done) struct buf xml = BUF_INIT;
	cleanup(free_p) char *quoted = NULL;
	char etag[S3_ETAG_SIZE];
	struct content *whole;
	int n;

	if (u == NULL || !read_parts(c, u, numbers, &n) || !check_sizes(c, u, numbers, n) ||
	    !s3_check_conditions(c, table_get(&c->bucket->objects, c->key)))
		return;
	whole = join_parts(u, numbers, n, etag);
	bucket_put(c->bucket, c->key, whole, etag, json_incref(u->headers), u->is_public);
	upload_free(table_remove(&c->bucket->uploads, s3_param(c, "uploadId", "")));
	quoted = xasprintf("\"%s\"", etag);
	xml_element(&xml, "Bucket", c->bucket->name);
	xml_element(&xml, "Key", c->key);
	xml_element(&xml, "ETag", quoted);
	s3_xml(c, 200, "CompleteMultipartUploadResult", &xml);
}

void
s3_abort_upload(struct s3_call *c)
{
	if (find_upload(c) == NULL)
		return;
	upload_free(table_remove(&c->bucket->uploads, s3_param(c, "uploadId", "")));
	c->answer->status = 204;
}

void
s3_list_parts(struct s3_call *c)
{
	const struct upload *u = find_upload(c);
	cleanup(buf_done) struct buf xml = BUF_INIT;
	int i;

	if (u == NULL)
		return;
	xml_element(&xml, "Bucket", c->bucket->name);
	xml_element(&xml, "Key", c->key);
	xml_element(&xml, "UploadId", s3_param(c, "uploadId", ""));
	xml_element(&xml, "IsTruncated", "false");
	for (i = 1; i < u->n_parts; i++) {
		if (u->parts[i] == NULL)
			continue;
		buf_add_str(&xml, "<Part>");
		xml_number(&xml, "PartNumber", i);
		xml_element(&xml, "ETag", u->parts[i]->etag);
		xml_number(&xml, "Size", (long long)content_size(u->parts[i]->content));
		buf_add_str(&xml, "</Part>");
	}
	s3_xml(c, 200, "ListPartsResult", &xml);
}

void
s3_list_uploads(struct s3_call *c)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;
	const struct upload *u;
	size_t i;

	if (!s3_permit(c, "s3:ListBucketMultipartUploads"))
		return;
	xml_element(&xml, "Bucket", c->bucket->name);
	xml_element(&xml, "IsTruncated", "false");
	for (i = 0; i < c->bucket->uploads.n; i++) {
		u = c->bucket->uploads.rows[i].value;
		buf_add_str(&xml, "<Upload>");
		xml_element(&xml, "Key", u->key);
		xml_element(&xml, "UploadId", c->bucket->uploads.rows[i].name);
		s3_xml_time(&xml, "Initiated", u->begun);
		buf_add_str(&xml, "</Upload>");
	}
	s3_xml(c, 200, "ListMultipartUploadsResult", &xml);
}
