#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/sandbox/s3.h"
#include "tests/sandbox/xml.h"

/* AWS Signature Version 4 as the documentation of S3 has it: "Authenticating Requests". */

#define ALGORITHM "AWS4-HMAC-SHA256"
#define UNSIGNED "UNSIGNED-PAYLOAD"
#define SKEW_MAX_S 900
#define EXPIRES_MAX_S 604800
#define DATE_LEN 16		/* 20260131T101112Z */

/* What a request says about its signature, from its header or its query. */
struct claim {
	char		*access;	/* the access key */
	char		*date;		/* the scope's: 20260131 */
	char		*region;
	char		*headers;	/* signed headers' names, with ';' */
	char		*signature;
	const char	*time;		/* 20260131T101112Z */
	const char	*payload;	/* its hash, as claimed */
	const char	*token;
	bool		 presigned;
};

static void
claim_done(struct claim *k)
{
	free(k->access);
	free(k->date);
	free(k->region);
	free(k->headers);
	free(k->signature);
}

static void
hex(const unsigned char *bytes, size_t n, char *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void
sha256_hex(const void *data, size_t len, char out[65])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256(data, len, digest);
	hex(digest, sizeof(digest), out);
}

static bool
malformed(struct s3_call *c, const struct claim *k, const char *why)
{
	if (k->presigned)
		return s3_error(c, 400, "AuthorizationQueryParametersError", why, NULL);
	return s3_error(c, 400, "AuthorizationHeaderMalformed", why, NULL);
}

/* -- reading the claim -- */

/* "KEY/20260131/REGION/s3/aws4_request" */
static bool
read_credential(struct claim *k, const char *text, size_t len)
{
	cleanup(free_p) char *copy = xstrndup(text, len);
	char *parts[5], *save = NULL, *part;
	size_t n = 0;

	for (part = strtok_r(copy, "/", &save); part != NULL; part = strtok_r(NULL, "/", &save)) {
		if (n == 5)
			return false;
		parts[n++] = part;
	}
	if (n != 5 || strcmp(parts[3], "s3") != 0 || strcmp(parts[4], "aws4_request") != 0 ||
	    strlen(parts[1]) != 8)
		return false;
	k->access = xstrdup(parts[0]);
	k->date = xstrdup(parts[1]);
	k->region = xstrdup(parts[2]);
	return true;
}

static bool
read_part(struct claim *k, const char *part, size_t len)
{
	if (len > 11 && strncmp(part, "Credential=", 11) == 0 && k->access == NULL)
		return read_credential(k, part + 11, len - 11);
	if (len > 14 && strncmp(part, "SignedHeaders=", 14) == 0 && k->headers == NULL)
		k->headers = xstrndup(part + 14, len - 14);
	else if (len > 10 && strncmp(part, "Signature=", 10) == 0 && k->signature == NULL)
		k->signature = xstrndup(part + 10, len - 10);
	else
		return false;
	return true;
}

static bool
read_header(struct s3_call *c, const char *text, struct claim *k)
{
	size_t len;

	if (strncmp(text, ALGORITHM, strlen(ALGORITHM)) != 0)
		return s3_error(c, 400, "InvalidRequest", "The authorization mechanism you have "
		    "provided is not supported. Please use " ALGORITHM ".", NULL);
	for (text += strlen(ALGORITHM); *text != '\0'; text += len) {
		text += strspn(text, ", ");
		len = strcspn(text, ", ");
		if (len > 0 && !read_part(k, text, len))
			return malformed(c, k, "The authorization header is malformed");
	}
	k->time = request_header(c->request, "x-amz-date");
	k->payload = request_header(c->request, "x-amz-content-sha256");
	k->token = request_header(c->request, "x-amz-security-token");
	if (k->access == NULL || k->headers == NULL || k->signature == NULL)
		return malformed(c, k, "The authorization header is incomplete");
	if (k->payload == NULL)
		return s3_error(c, 400, "InvalidRequest", "Missing required header for this "
		    "request: x-amz-content-sha256", NULL);
	return true;
}

static bool
read_query(struct s3_call *c, struct claim *k)
{
	const char *credential = s3_param(c, "X-Amz-Credential", "");
	const char *payload = request_header(c->request, "x-amz-content-sha256");

	k->presigned = true;
	k->time = s3_param(c, "X-Amz-Date", NULL);
	k->token = s3_param(c, "X-Amz-Security-Token", NULL);
	k->headers = xstrdup(s3_param(c, "X-Amz-SignedHeaders", NULL));
	k->signature = xstrdup(s3_param(c, "X-Amz-Signature", NULL));
	k->payload = payload != NULL ? payload : UNSIGNED;
	if (strcmp(s3_param(c, "X-Amz-Algorithm", ""), ALGORITHM) != 0 ||
	    !read_credential(k, credential, strlen(credential)) || k->headers == NULL ||
	    k->signature == NULL || s3_param(c, "X-Amz-Expires", NULL) == NULL)
		return malformed(c, k, "Query-string authentication version 4 requires the "
		    "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
		    "X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
	return true;
}

/* -- is it in time -- */

static bool
read_time(const char *text, time_t *out)
{
	struct tm tm = { 0 };
	const char *end;

	if (text == NULL || strlen(text) != DATE_LEN)
		return false;
	end = strptime(text, "%Y%m%dT%H%M%SZ", &tm);
	*out = timegm(&tm);
	return end != NULL && *end == '\0';
}

static bool
check_expiry(struct s3_call *c, const struct claim *k, time_t signed_at)
{
	long expires = atol(s3_param(c, "X-Amz-Expires", "0"));

	if (expires < 1 || expires > EXPIRES_MAX_S)
		return malformed(c, k, "X-Amz-Expires must be between 1 and 604800 seconds");
	if (s3_now(c->s3) > signed_at + expires)
		return s3_error(c, 403, "AccessDenied", "Request has expired", NULL);
	if (signed_at > s3_now(c->s3) + SKEW_MAX_S)
		return s3_error(c, 403, "AccessDenied", "Request is not valid yet", NULL);
	return true;
}

static bool
check_time(struct s3_call *c, const struct claim *k)
{
	cleanup(buf_done) struct buf extra = BUF_INIT;
	time_t signed_at, now = s3_now(c->s3);

	if (!read_time(k->time, &signed_at))
		return s3_error(c, 403, "AccessDenied", "AWS authentication requires a valid Date "
		    "or x-amz-date header", NULL);
	if (strncmp(k->time, k->date, 8) != 0)
		return malformed(c, k, "The date of the credential's scope is not the request's");
	if (k->presigned)
		return check_expiry(c, k, signed_at);
	if (signed_at <= now + SKEW_MAX_S && signed_at >= now - SKEW_MAX_S)
		return true;
	xml_element(&extra, "RequestTime", k->time);
	s3_xml_time(&extra, "ServerTime", now);
	xml_number(&extra, "MaxAllowedSkewMilliseconds", SKEW_MAX_S * 1000);
	return s3_error(c, 403, "RequestTimeTooSkewed", "The difference between the request time "
	    "and the current time is too large.", buf_str(&extra));
}

/* -- are the headers signed that must be -- */

static bool
is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list != '\0'; list += strcspn(list, ";"), list += *list == ';') {
		if (strncasecmp(list, name, len) == 0 && (list[len] == ';' || list[len] == '\0'))
			return true;
	}
	return false;
}

/* In lower case, in order, each once. */
static bool
is_sorted_list(const char *list)
{
	const char *next;
	size_t len, next_len;
	int order;

	for (; *list != '\0'; list = next) {
		len = strcspn(list, ";");
		if (len == 0 || strcspn(list, "ABCDEFGHIJKLMNOPQRSTUVWXYZ \t") < len)
			return false;
		next = list + len + (list[len] == ';');
		next_len = strcspn(next, ";");
		order = memcmp(list, next, len < next_len ? len : next_len);
		if (*next != '\0' && (order > 0 || (order == 0 && len >= next_len)))
			return false;
	}
	return true;
}

static bool
check_headers(struct s3_call *c, const struct claim *k)
{
	struct evkeyval *header;
	cleanup(buf_done) struct buf extra = BUF_INIT;

	if (!is_sorted_list(k->headers))
		return malformed(c, k, "SignedHeaders must be sorted and in lower case");
	if (!is_listed(k->headers, "host"))
		return s3_error(c, 403, "AccessDenied", "The host header must be signed", NULL);
	TAILQ_FOREACH(header, c->request->headers, next) {
		if (strncasecmp(header->key, "x-amz-", 6) != 0 || is_listed(k->headers, header->key))
			continue;
		xml_element(&extra, "HeadersNotSigned", header->key);
		return s3_error(c, 403, "AccessDenied", "There were headers present in the request "
		    "which were not signed", buf_str(&extra));
	}
	return true;
}

static bool
check_payload(struct s3_call *c, const struct claim *k)
{
	cleanup(buf_done) struct buf extra = BUF_INIT;
	char sum[65];

	if (strcmp(k->payload, UNSIGNED) == 0)
		return true;
	if (strncmp(k->payload, "STREAMING-", 10) == 0)
		return s3_error(c, 501, "NotImplemented", "The sandbox takes no chunk signatures",
		    NULL);
	sha256_hex(c->request->body, c->request->body_len, sum);
	if (strcmp(sum, k->payload) == 0)
		return true;
	xml_element(&extra, "ClientComputedContentSHA256", k->payload);
	xml_element(&extra, "S3ComputedContentSHA256", sum);
	return s3_error(c, 400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' "
	    "header does not match what was computed.", buf_str(&extra));
}

/* -- the canonical request -- */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted by encoded name, then value: '=' would sort among the names' bytes, so the two are
 * joined by \1, which sorts before all that can stand in a name. */
static void
add_query(struct buf *out, const struct query *q)
{
	char **pairs = xcalloc(q->n, sizeof(*pairs));
	size_t n = 0, i;

	for (i = 0; i < q->n; i++) {
		cleanup(free_p) char *name = percent_encode(q->pairs[i].name, false);
		cleanup(free_p) char *value = percent_encode(q->pairs[i].value, false);

		if (strcmp(name, "X-Amz-Signature") != 0)
			pairs[n++] = xasprintf("%s\1%s", name, value);
	}
	qsort(pairs, n, sizeof(*pairs), compare_strings);
	for (i = 0; i < n; i++) {
		*strchr(pairs[i], '\1') = '=';
		buf_printf(out, "%s%s", i > 0 ? "&" : "", pairs[i]);
		free(pairs[i]);
	}
	free(pairs);
	buf_add_str(out, "\n");
}

/* Trimmed, runs of blanks as one. */
static void
add_trimmed(struct buf *out, const char *value)
{
	bool blank = false, begun = false;

	for (; *value != '\0'; value++) {
		if (*value == ' ' || *value == '\t') {
			blank = true;
			continue;
		}
		if (blank && begun)
			buf_add_str(out, " ");
		buf_add(out, value, 1);
		blank = false;
		begun = true;
	}
}

static void
add_header(struct buf *out, const struct request *r, const char *name)
{
	struct evkeyval *header;
	bool first = true;

	buf_printf(out, "%s:", name);
	TAILQ_FOREACH(header, r->headers, next) {
		if (strcasecmp(header->key, name) != 0)
			continue;
		if (!first)
			buf_add_str(out, ",");
		add_trimmed(out, header->value);
		first = false;
	}
	buf_add_str(out, "\n");
}

static void
canonical_request(struct buf *out, const struct s3_call *c, const struct claim *k)
{
	const struct request *r = c->request;
	cleanup(free_p) char *decoded = percent_decode(r->path, strlen(r->path), false);
	cleanup(free_p) char *path = percent_encode(decoded, true);
	const char *name;
	size_t len;

	buf_printf(out, "%s\n%s\n", r->method, path);
	add_query(out, &r->query);
	for (name = k->headers; *name != '\0'; name += len + (name[len] == ';')) {
		len = strcspn(name, ";");
		cleanup(free_p) char *one = xstrndup(name, len);
		add_header(out, r, one);
	}
	buf_printf(out, "\n%s\n%s", k->headers, k->payload);
}

/* -- the signature -- */

static void
hmac(const void *key, size_t key_len, const char *text, unsigned char out[32])
{
	unsigned int len = 32;

	HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), out, &len);
}

/* The key for a day and a region, remembered because the next request has the same. */
static const unsigned char *
signing_key(struct s3_key *key, const struct claim *k)
{
	cleanup(free_p) char *first = xasprintf("AWS4%s", key->secret);
	cleanup(free_p) char *scope = xasprintf("%s/%s", k->date, k->region);

	if (strcmp(scope, key->scope) == 0)
		return key->signing;
	hmac(first, strlen(first), k->date, key->signing);
	hmac(key->signing, 32, k->region, key->signing);
	hmac(key->signing, 32, "s3", key->signing);
	hmac(key->signing, 32, "aws4_request", key->signing);
	snprintf(key->scope, sizeof(key->scope), "%.63s", scope);
	return key->signing;
}

static bool
check_signature(struct s3_call *c, const struct claim *k, struct s3_key *key)
{
	cleanup(buf_done) struct buf request = BUF_INIT, to_sign = BUF_INIT, extra = BUF_INIT;
	unsigned char mac[32];
	char sum[65], right[65];

	canonical_request(&request, c, k);
	sha256_hex(request.data, request.len, sum);
	buf_printf(&to_sign, ALGORITHM "\n%s\n%s/%s/s3/aws4_request\n%s", k->time, k->date,
	    k->region, sum);
	hmac(signing_key(key, k), 32, buf_str(&to_sign), mac);
	hex(mac, sizeof(mac), right);
	if (strcmp(right, k->signature) == 0)
		return true;
	xml_element(&extra, "AWSAccessKeyId", k->access);
	xml_element(&extra, "StringToSign", buf_str(&to_sign));
	xml_element(&extra, "CanonicalRequest", buf_str(&request));
	return s3_error(c, 403, "SignatureDoesNotMatch", "The request signature we calculated does "
	    "not match the signature you provided. Check your key and signing method.",
	    buf_str(&extra));
}

static bool
check_token(struct s3_call *c, const struct claim *k, const struct s3_key *key)
{
	if (key->token == NULL && k->token == NULL)
		return true;
	if (key->token != NULL && k->token == NULL)
		return s3_error(c, 403, "InvalidAccessKeyId", "The AWS Access Key Id you provided "
		    "does not exist in our records.", NULL);
	if (key->token != NULL && strcmp(key->token, k->token) == 0)
		return true;
	return s3_error(c, 400, "InvalidToken", "The provided token is malformed or otherwise "
	    "invalid.", NULL);
}

static bool
check_claim(struct s3_call *c, const struct claim *k)
{
	struct s3_key *key = table_get(&c->s3->keys, k->access);

	if (key == NULL)
		return s3_error(c, 403, "InvalidAccessKeyId", "The AWS Access Key Id you provided "
		    "does not exist in our records.", NULL);
	snprintf(c->region, sizeof(c->region), "%s", k->region);
	return check_token(c, k, key) && check_time(c, k) && check_headers(c, k) &&
	    check_signature(c, k, key) && check_payload(c, k);
}

bool
s3_authenticate(struct s3_call *c)
{
	const char *header = request_header(c->request, "Authorization");
	cleanup(claim_done) struct claim k = { 0 };

	if (header != NULL)
		return read_header(c, header, &k) && check_claim(c, &k);
	if (s3_has(c, "X-Amz-Signature") || s3_has(c, "X-Amz-Algorithm"))
		return read_query(c, &k) && check_claim(c, &k);
	c->anonymous = true;
	return true;
}

bool
s3_check_body(struct s3_call *c)
{
	const char *wanted = request_header(c->request, "Content-MD5");
	unsigned char digest[16], text[32];

	if (wanted == NULL)
		return true;
	if (strlen(wanted) != 24)
		return s3_error(c, 400, "InvalidDigest", "The Content-MD5 you specified is not "
		    "valid.", NULL);
	EVP_Digest(c->request->body, c->request->body_len, digest, NULL, EVP_md5(), NULL);
	EVP_EncodeBlock(text, digest, sizeof(digest));
	if (strcmp((char *)text, wanted) == 0)
		return true;
	return s3_error(c, 400, "BadDigest", "The Content-MD5 you specified did not match what we "
	    "received.", NULL);
}
