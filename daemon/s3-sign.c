#include "daemon/s3-sign.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/digest.h"

#define DATE_LEN 8	/* of the time's beginning, yyyymmdd */

/* A name and its value somewhere in a text, not terminated. */
struct pair {
	const char	*name;
	size_t		 name_len;
	const char	*value;
	size_t		 value_len;
	size_t		 order;		/* keeps the sorting stable */
};

struct pairs {
	struct pair	*list;
	size_t		 n;
};

static void
pairs_done(struct pairs *pairs)
{
	free(pairs->list);
}

static void
pairs_add(struct pairs *pairs, const char *name, size_t name_len, const char *value,
    size_t value_len)
{
	pairs->list = xreallocarray(pairs->list, pairs->n + 1, sizeof(*pairs->list));
	pairs->list[pairs->n] = (struct pair){ name, name_len, value, value_len, pairs->n };
	pairs->n++;
}

static int
compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* By name, then by value. The names are compared alone: sorting "a=1" and "a-b=1" whole would
 * have '=' take part in the order. */
static int
compare_parameters(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int order = compare(a->name, a->name_len, b->name, b->name_len);

	return order != 0 ? order : compare(a->value, a->value_len, b->value, b->value_len);
}

static int
compare_headers(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	size_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = strncasecmp(a->name, b->name, shorter);

	if (order == 0)
		order = (a->name_len > b->name_len) - (a->name_len < b->name_len);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static void
add_canonical_query(struct buf *out, const char *query)
{
	cleanup(pairs_done) struct pairs pairs = { NULL, 0 };
	const char *p, *end, *equals;
	size_t i;

	for (p = query; *p != '\0'; p = *end != '\0' ? end + 1 : end) {
		end = strchrnul(p, '&');
		if (end == p)
			continue;
		equals = memchr(p, '=', (size_t)(end - p));
		if (equals == NULL)
			pairs_add(&pairs, p, (size_t)(end - p), end, 0);
		else
			pairs_add(&pairs, p, (size_t)(equals - p), equals + 1,
			    (size_t)(end - equals - 1));
	}
	if (pairs.n > 0)
		qsort(pairs.list, pairs.n, sizeof(*pairs.list), compare_parameters);
	for (i = 0; i < pairs.n; i++) {
		if (i > 0)
			buf_add_str(out, "&");
		buf_add(out, pairs.list[i].name, pairs.list[i].name_len);
		buf_add_str(out, "=");
		buf_add(out, pairs.list[i].value, pairs.list[i].value_len);
	}
}

static void
headers_sorted(const char *const *headers, struct pairs *pairs)
{
	const char *colon;

	for (; *headers != NULL; headers++) {
		if ((colon = strchr(*headers, ':')) != NULL)
			pairs_add(pairs, *headers, (size_t)(colon - *headers), colon + 1,
			    strlen(colon + 1));
	}
	if (pairs->n > 0)
		qsort(pairs->list, pairs->n, sizeof(*pairs->list), compare_headers);
}

static bool
same_name(const struct pairs *pairs, size_t i, size_t j)
{
	const struct pair *a = &pairs->list[i], *b = &pairs->list[j];

	return a->name_len == b->name_len && strncasecmp(a->name, b->name, a->name_len) == 0;
}

static void
add_lower(struct buf *out, const char *s, size_t len)
{
	size_t i;
	char c;

	for (i = 0; i < len; i++) {
		c = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + ('a' - 'A')) : s[i];
		buf_add(out, &c, 1);
	}
}

/* Without blanks around it, and runs of blanks inside as one. */
static void
add_trimmed(struct buf *out, const char *s, size_t len)
{
	bool blank = false, begun = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == ' ' || s[i] == '\t') {
			blank = begun;
			continue;
		}
		if (blank)
			buf_add_str(out, " ");
		buf_add(out, &s[i], 1);
		blank = false;
		begun = true;
	}
}

/* "name:value\n" in order of names; the values of a name that comes twice are joined. */
static void
add_canonical_headers(struct buf *out, const struct pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		if (i > 0 && same_name(pairs, i - 1, i)) {
			buf_add_str(out, ",");
		} else {
			buf_add_str(out, i > 0 ? "\n" : "");
			add_lower(out, pairs->list[i].name, pairs->list[i].name_len);
			buf_add_str(out, ":");
		}
		add_trimmed(out, pairs->list[i].value, pairs->list[i].value_len);
	}
	buf_add_str(out, "\n");
}

static void
add_signed_names(struct buf *out, const struct pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		if (i > 0 && same_name(pairs, i - 1, i))
			continue;
		buf_add_str(out, i > 0 ? ";" : "");
		add_lower(out, pairs->list[i].name, pairs->list[i].name_len);
	}
}

/* The key for one day, region and service; the secret itself signs nothing. */
static void
derive_key(const struct s3_signing *s, const char *when, unsigned char key[SHA256_SIZE])
{
	cleanup(free_p) char *secret = xasprintf("AWS4%s", s->secret_key);

	digest_hmac_sha256(secret, strlen(secret), when, DATE_LEN, key);
	digest_hmac_sha256(key, SHA256_SIZE, s->region, strlen(s->region), key);
	digest_hmac_sha256(key, SHA256_SIZE, s->service, strlen(s->service), key);
	digest_hmac_sha256(key, SHA256_SIZE, "aws4_request", strlen("aws4_request"), key);
	explicit_bzero(secret, strlen(secret));
}

static void
sign(const struct s3_signing *s, const struct pairs *headers, const char *query,
    char signature[SHA256_HEX_SIZE])
{
	cleanup(buf_done) struct buf canonical = BUF_INIT;
	cleanup(free_p) char *to_sign = NULL;
	unsigned char key[SHA256_SIZE], raw[SHA256_SIZE];
	char when[S3_TIME_SIZE], hash[SHA256_HEX_SIZE];

	buf_printf(&canonical, "%s\n%s\n", s->method, s->path);
	add_canonical_query(&canonical, query);
	buf_add_str(&canonical, "\n");
	add_canonical_headers(&canonical, headers);
	buf_add_str(&canonical, "\n");
	add_signed_names(&canonical, headers);
	buf_printf(&canonical, "\n%s", s->payload_hash);

	digest_sha256_hex(canonical.data, canonical.len, hash);
	s3_sign_time(s->at, when);
	to_sign = xasprintf("AWS4-HMAC-SHA256\n%s\n%.*s/%s/%s/aws4_request\n%s", when, DATE_LEN,
	    when, s->region, s->service, hash);
	derive_key(s, when, key);
	digest_hmac_sha256(key, sizeof(key), to_sign, strlen(to_sign), raw);
	digest_hex(raw, sizeof(raw), signature);
	explicit_bzero(key, sizeof(key));
}

char *
s3_sign_request(const struct s3_signing *s)
{
	cleanup(pairs_done) struct pairs headers = { NULL, 0 };
	cleanup(buf_done) struct buf names = BUF_INIT;
	char signature[SHA256_HEX_SIZE], when[S3_TIME_SIZE];

	headers_sorted(s->headers, &headers);
	sign(s, &headers, s->query, signature);
	add_signed_names(&names, &headers);
	s3_sign_time(s->at, when);
	return xasprintf("AWS4-HMAC-SHA256 Credential=%s/%.*s/%s/%s/aws4_request, "
	    "SignedHeaders=%s, Signature=%s", s->access_key, DATE_LEN, when, s->region, s->service,
	    buf_str(&names), signature);
}

char *
s3_sign_url(const struct s3_signing *s, unsigned int seconds)
{
	cleanup(pairs_done) struct pairs headers = { NULL, 0 };
	cleanup(buf_done) struct buf query = BUF_INIT, names = BUF_INIT;
	char signature[SHA256_HEX_SIZE], when[S3_TIME_SIZE];

	headers_sorted(s->headers, &headers);
	add_signed_names(&names, &headers);
	s3_sign_time(s->at, when);
	buf_printf(&query, "%s%sX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=", s->query,
	    s->query[0] != '\0' ? "&" : "");
	s3_encode(&query, s->access_key, false);
	buf_printf(&query, "%%2F%.*s%%2F%s%%2F%s%%2Faws4_request&X-Amz-Date=%s&X-Amz-Expires=%u"
	    "&X-Amz-SignedHeaders=", DATE_LEN, when, s->region, s->service, when, seconds);
	s3_encode(&query, buf_str(&names), false);
	if (s->session_token != NULL) {
		buf_add_str(&query, "&X-Amz-Security-Token=");
		s3_encode(&query, s->session_token, false);
	}
	sign(s, &headers, buf_str(&query), signature);
	buf_printf(&query, "&X-Amz-Signature=%s", signature);
	return buf_take(&query);
}

void
s3_sign_time(time_t at, char out[S3_TIME_SIZE])
{
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(out, S3_TIME_SIZE, "%Y%m%dT%H%M%SZ", &tm);
}

void
s3_encode(struct buf *out, const char *s, bool keep_slash)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~";

	for (; *s != '\0'; s++) {
		if (strchr(unreserved, *s) != NULL || (keep_slash && *s == '/'))
			buf_add(out, s, 1);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}
