#include "daemon/s3-call.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/digest.h"
#include "daemon/s3-sign.h"
#include "daemon/s3-xml.h"

#define TRIES_MAX 5
#define REGIONS_MAX 1024	/* buckets whose region is remembered */
#define ROOT_SIZE 16		/* of the outermost element's name, as far as it is looked at */
#define KEY_MAX 1024		/* bytes, the S3 API's own limit */
#define SKEW_NOTICED_S 300	/* S3 refuses from 15 minutes on */
#define HEADERS_MAX (S3_CALL_HEADERS + 8)

struct bucket_region {
	char	*bucket;
	char	 region[S3_REGION_SIZE];
};

struct s3 {
	struct http		*http;
	char			*scheme;	/* "https" */
	char			*host;		/* with the port; NULL: AWS's for the region */
	char			*region;
	char			*access_key;	/* NULL: none */
	char			*secret_key;
	char			*session_token;
	enum s3_style		 style;
	time_t			 skew_s;	/* the server's clock minus ours */
	struct bucket_region	*regions;
	size_t			 n_regions;
	size_t			 next_region;	/* to be forgotten, once the table is full */
};

/* What one s3_call_do() has learned and done so far. */
struct progress {
	const struct s3_call	*call;
	struct s3_reply		*reply;
	const char		*sha256;
	char			*origin;	/* where a temporary redirect pointed; NULL */
	char			 etag[S3_ETAG_SIZE + 2];	/* of the stream's object, quoted */
	uint64_t		 delivered;	/* bytes that the sink has */
	bool			 ranged;	/* this attempt asks for a part of the object */
	bool			 sink_failed;
	bool			 redirected;
	bool			 clock_set;
};

static bool
region_valid(const char *region)
{
	size_t len = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len < S3_REGION_SIZE && region[len] == '\0';
}

/* ---- where a request goes ---- */

static bool
is_aws(const char *host, const char *region)
{
	cleanup(free_p) char *regional = xasprintf("s3.%s.amazonaws.com", region);
	cleanup(free_p) char *chinese = xasprintf("s3.%s.amazonaws.com.cn", region);

	return strcmp(host, "s3.amazonaws.com") == 0 || strcmp(host, regional) == 0 ||
	    strcmp(host, chinese) == 0;
}

/* Splits "https://host:port/" into scheme and host; a default port goes, for it would not be
 * part of what AWS signs. *host NULL: AWS. */
static int
endpoint_parse(const char *endpoint, const char *region, char **scheme, char **host,
    struct error *err)
{
	bool tls = endpoint == NULL || strncmp(endpoint, "https://", 8) == 0;
	const char *rest = endpoint == NULL ? "s3.amazonaws.com" : endpoint + (tls ? 8 : 7);
	cleanup(free_p) char *name = NULL;
	size_t len, port_len;

	if (endpoint != NULL && !tls && strncmp(endpoint, "http://", 7) != 0)
		return error_set(err, ERROR_INPUT, "S3 endpoint '%s': begins neither with https:// "
		    "nor with http://", endpoint);
	len = strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    ".-_:[]");
	if (len == 0 || len > 255 || (rest[len] != '\0' && strcmp(rest + len, "/") != 0)) {
		cleanup(free_p) char *shown = http_url_shown(endpoint);

		return error_set(err, ERROR_INPUT, "S3 endpoint '%s': not of the form "
		    "https://host[:port]", shown);
	}
	port_len = tls ? strlen(":443") : strlen(":80");
	if (len > port_len && memcmp(rest + len - port_len, tls ? ":443" : ":80", port_len) == 0)
		len -= port_len;
	name = xstrndup(rest, len);
	*scheme = xstrdup(tls ? "https" : "http");
	*host = is_aws(name, region) ? NULL : steal(name);
	return 0;
}

static char *
aws_host(const char *region)
{
	return xasprintf("s3.%s.amazonaws.com%s", region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

struct s3 *
s3_new(const struct s3_options *options, struct http *http, struct error *err)
{
	const char *region = options->region != NULL ? options->region : "us-east-1";
	char *scheme, *host;
	struct s3 *s3;

	if (!region_valid(region)) {
		error_set(err, ERROR_INPUT, "S3 region '%s': not the name of one", region);
		return NULL;
	}
	if (endpoint_parse(options->endpoint, region, &scheme, &host, err) == -1)
		return NULL;
	s3 = xcalloc(1, sizeof(*s3));
	s3->http = http;
	s3->scheme = scheme;
	s3->host = host;
	s3->region = xstrdup(region);
	s3->access_key = xstrdup(options->access_key);
	s3->secret_key = xstrdup(options->secret_key);
	s3->session_token = xstrdup(options->session_token);
	s3->style = options->style;
	return s3;
}

static void
secret_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void
s3_free(struct s3 *s3)
{
	size_t i;

	if (s3 == NULL)
		return;
	for (i = 0; i < s3->n_regions; i++)
		free(s3->regions[i].bucket);
	free(s3->regions);
	free(s3->scheme);
	free(s3->host);
	free(s3->region);
	free(s3->access_key);
	secret_free(s3->secret_key);
	secret_free(s3->session_token);
	free(s3);
}

const char *
s3_region(const struct s3 *s3)
{
	return s3->region;
}

bool
s3_can_sign(const struct s3 *s3)
{
	return s3->access_key != NULL && s3->secret_key != NULL;
}

static struct bucket_region *
bucket_region_find(const struct s3 *s3, const char *bucket)
{
	size_t i;

	for (i = 0; i < s3->n_regions; i++) {
		if (strcmp(s3->regions[i].bucket, bucket) == 0)
			return &s3->regions[i];
	}
	return NULL;
}

static const char *
bucket_region(const struct s3 *s3, const char *bucket)
{
	const struct bucket_region *known = bucket != NULL ? bucket_region_find(s3, bucket) : NULL;

	return known != NULL ? known->region : s3->region;
}

static void
bucket_region_remember(struct s3 *s3, const char *bucket, const char *region)
{
	struct bucket_region *entry = bucket_region_find(s3, bucket);

	if (entry == NULL) {
		if (s3->n_regions < REGIONS_MAX) {
			s3->regions = xreallocarray(s3->regions, s3->n_regions + 1,
			    sizeof(*s3->regions));
			entry = &s3->regions[s3->n_regions++];
		} else {
			entry = &s3->regions[s3->next_region++ % REGIONS_MAX];
			free(entry->bucket);
		}
		entry->bucket = xstrdup(bucket);
	}
	snprintf(entry->region, sizeof(entry->region), "%s", region);
}

/* A certificate for *.s3.amazonaws.com covers one label: a bucket with dots has no host. */
static bool
uses_own_host(enum s3_style style, bool aws, const char *bucket)
{
	if (bucket == NULL || style == S3_STYLE_PATH)
		return false;
	if (style == S3_STYLE_HOST)
		return true;
	return aws && strlen(bucket) >= 3 && strlen(bucket) <= 63 &&
	    bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static char *
call_host(const struct s3 *s3, const struct s3_call *call)
{
	cleanup(free_p) char *base = s3->host != NULL ? xstrdup(s3->host)
	    : aws_host(bucket_region(s3, call->bucket));

	if (uses_own_host(s3->style, s3->host == NULL, call->bucket))
		return xasprintf("%s.%s", call->bucket, base);
	return steal(base);
}

static char *
call_path(const struct s3 *s3, const struct s3_call *call)
{
	cleanup(buf_done) struct buf path = BUF_INIT;

	buf_add_str(&path, "/");
	if (call->bucket != NULL && !uses_own_host(s3->style, s3->host == NULL, call->bucket)) {
		s3_encode(&path, call->bucket, false);
		buf_add_str(&path, call->key != NULL ? "/" : "");
	}
	if (call->key != NULL)
		s3_encode(&path, call->key, true);
	return buf_take(&path);
}

char *
s3_public_url(const struct s3_options *options, const char *bucket, const char *key)
{
	const char *region = options->region != NULL ? options->region : "us-east-1";
	cleanup(free_p) char *scheme = NULL;
	cleanup(free_p) char *host = NULL;
	cleanup(buf_done) struct buf url = BUF_INIT;

	if (endpoint_parse(options->endpoint, region, &scheme, &host, NULL) == -1)
		return xstrdup("");
	/* The name that the original tools write into metadata stays as it was. */
	if (host == NULL)
		host = strcmp(region, "us-east-1") == 0 ? xstrdup("s3.amazonaws.com")
		    : aws_host(region);
	if (options->style == S3_STYLE_HOST)
		buf_printf(&url, "%s://%s.%s", scheme, bucket, host);
	else
		buf_printf(&url, "%s://%s/%s", scheme, host, bucket);
	if (key != NULL) {
		buf_add_str(&url, "/");
		s3_encode(&url, key, true);
	}
	return buf_take(&url);
}

/* ---- one attempt ---- */

/* The headers of one attempt; what is made here is freed with it, the call's are lent. */
struct headers {
	const char	*list[HEADERS_MAX + 1];
	char		*made[HEADERS_MAX];
	size_t		 n;
	size_t		 n_made;
};

static void
headers_done(struct headers *h)
{
	while (h->n_made > 0)
		free(h->made[--h->n_made]);
}

static void
headers_make(struct headers *h, char *header)
{
	h->list[h->n++] = h->made[h->n_made++] = header;
}

static void
headers_add_range(struct headers *h, struct progress *p)
{
	const struct s3_call *call = p->call;
	uint64_t from = call->first + p->delivered;

	p->ranged = call->sink != NULL && (from > 0 || call->length > 0);
	if (!p->ranged)
		return;
	if (call->length == 0)
		headers_make(h, xasprintf("Range: bytes=%ju-", (uintmax_t)from));
	else
		headers_make(h, xasprintf("Range: bytes=%ju-%ju", (uintmax_t)from,
		    (uintmax_t)(call->first + call->length - 1)));
	if (p->delivered > 0)
		headers_make(h, xasprintf("If-Match: %s", p->etag));
}

static void
headers_collect(struct headers *h, const struct s3 *s3, struct progress *p, const char *host,
    time_t at)
{
	char when[S3_TIME_SIZE];
	size_t i;

	headers_make(h, xasprintf("Host: %s", host));
	for (i = 0; i < S3_CALL_HEADERS && p->call->headers[i] != NULL; i++)
		h->list[h->n++] = p->call->headers[i];
	headers_add_range(h, p);
	if (p->call->anonymous)
		return;
	s3_sign_time(at, when);
	headers_make(h, xasprintf("x-amz-date: %s", when));
	headers_make(h, xasprintf("x-amz-content-sha256: %s", p->sha256));
	if (s3->session_token != NULL)
		headers_make(h, xasprintf("x-amz-security-token: %s", s3->session_token));
}

static struct s3_signing
signing_of(const struct s3 *s3, const struct s3_call *call, const char *path, time_t at)
{
	return (struct s3_signing){
		.access_key = s3->access_key, .secret_key = s3->secret_key,
		.session_token = s3->session_token,
		.region = bucket_region(s3, call->bucket), .service = "s3", .at = at,
		.method = call->method, .path = path,
		.query = call->query != NULL ? call->query : "",
	};
}

/* The sink of http_do: counts, so that a stream that broke can be taken up again. */
static int
on_data(void *arg, const void *data, size_t len, struct error *err)
{
	struct progress *p = arg;
	const struct s3_call *call = p->call;

	if (p->delivered == 0 &&
	    !http_header(&p->reply->http, "etag", p->etag, sizeof(p->etag)))
		p->etag[0] = '\0';
	if (p->ranged && p->reply->http.status != 206) {
		p->sink_failed = true;
		return error_set(err, ERROR_REMOTE, "the server ignores the range asked for");
	}
	if (call->sink(call->sink_arg, data, len, err) == -1) {
		p->sink_failed = true;
		return -1;
	}
	p->delivered += len;
	return 0;
}

static int
attempt(struct s3 *s3, struct progress *p, const struct deadline *deadline, struct error *err)
{
	const struct s3_call *call = p->call;
	cleanup(headers_done) struct headers headers = { .n = 0 };
	cleanup(free_p) char *host = p->origin != NULL ? xstrdup(p->origin) : call_host(s3, call);
	cleanup(free_p) char *path = call_path(s3, call);
	cleanup(free_p) char *url = xasprintf("%s://%s%s%s%s", s3->scheme, host, path,
	    call->query != NULL ? "?" : "", call->query != NULL ? call->query : "");
	time_t at = time(NULL) + s3->skew_s;
	struct s3_signing signing = signing_of(s3, call, path, at);
	struct http_request request = {
		.method = call->method, .url = url, .headers = headers.list,
		.body = call->body, .body_from_fd = call->from_fd, .body_fd = call->fd,
		.body_offset = call->offset, .body_size = call->size,
		.body_max = call->body_max, .timeout_ms = call->timeout_ms,
		.sink = call->sink != NULL ? on_data : NULL, .sink_arg = p,
	};

	headers_collect(&headers, s3, p, host, at);
	if (!call->anonymous) {
		cleanup(free_p) char *value = NULL;

		signing.headers = headers.list;
		signing.payload_hash = p->sha256;
		value = s3_sign_request(&signing);
		headers_make(&headers, xasprintf("Authorization: %s", value));
	}
	return http_do(s3->http, &request, &p->reply->http, deadline, err);
}

char *
s3_presigned(const struct s3 *s3, const struct s3_call *call, unsigned int seconds, time_t at)
{
	cleanup(free_p) char *host = call_host(s3, call);
	cleanup(free_p) char *path = call_path(s3, call);
	cleanup(free_p) char *header = xasprintf("Host: %s", host);
	cleanup(free_p) char *query = NULL;
	const char *const headers[] = { header, NULL };
	struct s3_signing signing = signing_of(s3, call, path, at);

	signing.headers = headers;
	signing.payload_hash = S3_UNSIGNED_PAYLOAD;
	query = s3_sign_url(&signing, seconds);
	return xasprintf("%s://%s%s?%s", s3->scheme, host, path, query);
}

/* ---- what an answer means ---- */

struct meaning {
	const char	*code;
	enum error_kind	 kind;
	const char	*cure;		/* NULL: none is known */
};

static const struct meaning meanings[] = {
	{ "AccessControlListNotSupported", ERROR_INPUT,
	    "the bucket's ownership setting turns ACLs off: s3_access = policy does not need them" },
	{ "AccessDenied", ERROR_CREDENTIALS, NULL },
	{ "AccountProblem", ERROR_CREDENTIALS, NULL },
	{ "AllAccessDisabled", ERROR_CREDENTIALS, NULL },
	{ "AuthorizationHeaderMalformed", ERROR_INPUT, "check region and endpoint" },
	{ "BadDigest", ERROR_INPUT, "the content is not what its digest says" },
	{ "BucketAlreadyExists", ERROR_CONFLICT,
	    "another account has a bucket of this name: choose another s3_bucket" },
	{ "BucketAlreadyOwnedByYou", ERROR_CONFLICT, NULL },
	{ "BucketNotEmpty", ERROR_CONFLICT, NULL },
	{ "ConditionalRequestConflict", ERROR_CONFLICT, NULL },
	{ "EntityTooLarge", ERROR_INPUT, NULL },
	{ "EntityTooSmall", ERROR_INPUT, NULL },
	{ "ExpiredToken", ERROR_CREDENTIALS, "give a new session token" },
	{ "IllegalLocationConstraintException", ERROR_INPUT, "check region and endpoint" },
	{ "InternalError", ERROR_REMOTE, NULL },
	{ "InvalidAccessKeyId", ERROR_CREDENTIALS, "check aws_access_key" },
	{ "InvalidArgument", ERROR_INPUT, NULL },
	{ "InvalidBucketName", ERROR_INPUT, "check s3_bucket" },
	{ "InvalidLocationConstraint", ERROR_INPUT, "check region" },
	{ "InvalidPart", ERROR_CONFLICT, NULL },
	{ "InvalidSecurity", ERROR_CREDENTIALS, NULL },
	{ "InvalidToken", ERROR_CREDENTIALS, "give a new session token" },
	{ "KeyTooLongError", ERROR_INPUT, NULL },
	{ "MalformedACLError", ERROR_INPUT, NULL },
	{ "MalformedPolicy", ERROR_INPUT, NULL },
	{ "MethodNotAllowed", ERROR_INPUT, NULL },
	{ "NoSuchBucket", ERROR_MISSING, NULL },
	{ "NoSuchKey", ERROR_MISSING, NULL },
	{ "NoSuchUpload", ERROR_MISSING, NULL },
	{ "NotImplemented", ERROR_INPUT, NULL },
	{ "NotSignedUp", ERROR_CREDENTIALS, NULL },
	{ "OperationAborted", ERROR_CONFLICT, NULL },
	{ "PermanentRedirect", ERROR_INPUT, "check region and endpoint" },
	{ "PreconditionFailed", ERROR_CONFLICT, NULL },
	{ "QuotaExceeded", ERROR_QUOTA, NULL },
	{ "RequestTimeTooSkewed", ERROR_SYSTEM, "set this host's clock" },
	{ "RequestTimeout", ERROR_REMOTE, NULL },
	{ "ServiceUnavailable", ERROR_REMOTE, NULL },
	{ "SignatureDoesNotMatch", ERROR_CREDENTIALS,
	    "the secret key is not the access key's: check aws_secret_access_key" },
	{ "SlowDown", ERROR_REMOTE, NULL },
	{ "TemporaryRedirect", ERROR_REMOTE, NULL },
	{ "TooManyBuckets", ERROR_QUOTA, "the account may have no more buckets" },
	{ "XAmzContentSHA256Mismatch", ERROR_INPUT, "the content is not what its digest says" },
};

static const struct meaning *
meaning_of(const char *code)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strcmp(meanings[i].code, code) == 0)
			return &meanings[i];
	}
	return NULL;
}

static enum error_kind
kind_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return ERROR_CREDENTIALS;
	case 404:
		return ERROR_MISSING;
	case 409:
	case 412:
		return ERROR_CONFLICT;
	default:
		return ERROR_REMOTE;
	}
}

/* The region goes into host names and signatures: only what can be one is kept. */
static int
on_fault(void *arg, const char *path, const char *text, struct error *err)
{
	struct s3_fault *fault = arg;

	(void)err;
	if (strcmp(path, "Error/Code") == 0)
		snprintf(fault->code, sizeof(fault->code), "%s", text);
	else if (strcmp(path, "Error/Message") == 0)
		snprintf(fault->message, sizeof(fault->message), "%s", text);
	else if (strcmp(path, "Error/Region") == 0 && region_valid(text))
		snprintf(fault->region, sizeof(fault->region), "%s", text);
	return 0;
}

/* A server may put into its message what we sent; none of that is to be shown. */
static bool
message_fit(const struct s3 *s3, const struct s3_fault *fault)
{
	if (strcmp(fault->code, "SignatureDoesNotMatch") == 0)
		return false;
	if (s3->access_key != NULL && strstr(fault->message, s3->access_key) != NULL)
		return false;
	return s3->session_token == NULL || strstr(fault->message, s3->session_token) == NULL;
}

static void
fault_read(const struct s3 *s3, struct s3_reply *reply)
{
	struct s3_fault *fault = &reply->fault;
	struct error ignored;
	char region[S3_REGION_SIZE + 1];

	*fault = (struct s3_fault){ .code = "" };
	s3_xml_read(buf_str(&reply->http.body), reply->http.body.len, on_fault, fault, &ignored);
	if (!message_fit(s3, fault))
		fault->message[0] = '\0';
	if (http_header(&reply->http, "x-amz-bucket-region", region, sizeof(region)) &&
	    region_valid(region))
		memcpy(fault->region, region, strlen(region) + 1);
}

/* Keeps the name of the outermost element, which ends last. */
static int
on_element(void *arg, const char *path, const char *text, struct error *err)
{
	(void)text, (void)err;
	snprintf(arg, ROOT_SIZE, "%s", path);
	return 0;
}

bool
s3_reply_good(const struct s3_reply *reply)
{
	return reply->http.status / 100 == 2 && reply->fault.code[0] == '\0';
}

bool
s3_reply_is(const struct s3_reply *reply, const char *code)
{
	return strcmp(reply->fault.code, code) == 0;
}

void
s3_reply_done(struct s3_reply *reply)
{
	http_response_done(&reply->http);
}

int
s3_call_prefix(const struct s3_call *call, struct error *err)
{
	if (call->key != NULL)
		error_prefix(err, "object '%s'", call->key);
	return call->bucket != NULL ? error_prefix(err, "bucket '%s'", call->bucket)
	    : error_prefix(err, "S3");
}

static int
refusal(const struct s3_reply *reply, struct error *err)
{
	const struct s3_fault *fault = &reply->fault;
	const struct meaning *meaning = meaning_of(fault->code);
	enum error_kind kind = meaning != NULL ? meaning->kind : kind_of_status(reply->http.status);
	const char *cure = meaning != NULL ? meaning->cure : NULL;

	if (fault->code[0] == '\0')
		return error_set(err, kind, "HTTP status %ld", reply->http.status);
	if (fault->message[0] == '\0')
		return error_set(err, kind, "%s%s%s", fault->code, cure != NULL ? ": " : "",
		    cure != NULL ? cure : "");
	return error_set(err, kind, "%s: %s%s%s%s", fault->code, fault->message,
	    cure != NULL ? " (" : "", cure != NULL ? cure : "", cure != NULL ? ")" : "");
}

int
s3_call_refused(const struct s3_call *call, const struct s3_reply *reply, struct error *err)
{
	refusal(reply, err);
	return s3_call_prefix(call, err);
}

/* ---- going on after an answer ---- */

/* Another region, as a redirect or as a refusal of the signature's scope names it. */
static bool
follow_region(struct s3 *s3, struct progress *p)
{
	const char *bucket = p->call->bucket, *region = p->reply->fault.region;

	if (bucket == NULL || region[0] == '\0' || strcmp(region, bucket_region(s3, bucket)) == 0)
		return false;
	bucket_region_remember(s3, bucket, region);
	return true;
}

/* Another host, as S3 names while a new bucket's DNS is not everywhere yet: for this request
 * only, and never from TLS to a plain connection. */
static bool
follow_location(const struct s3 *s3, struct progress *p)
{
	cleanup(free_p) char *scheme = NULL;
	cleanup(free_p) char *host = NULL;
	cleanup(free_p) char *origin = NULL;
	char location[2048];

	if (!http_header(&p->reply->http, "location", location, sizeof(location)) ||
	    strncmp(location, "http", 4) != 0 || strstr(location, "://") == NULL)
		return false;
	origin = xstrndup(location, (size_t)(strstr(location, "://") - location) + 3 +
	    strcspn(strstr(location, "://") + 3, "/?#"));
	if (endpoint_parse(origin, "", &scheme, &host, NULL) == -1 || host == NULL ||
	    strcmp(scheme, s3->scheme) != 0)
		return false;
	p->origin = steal(host);
	return true;
}

static bool
redirected(struct s3 *s3, struct progress *p)
{
	long status = p->reply->http.status;
	bool moved = status == 301 || status == 307 || status == 308;

	if (p->redirected || (!moved && status != 400))
		return false;
	p->redirected = follow_region(s3, p) || (status == 307 && follow_location(s3, p));
	return p->redirected;
}

/* A HEAD is refused without a code, so that any refusal with a clock far off counts. */
static bool
clock_corrected(struct s3 *s3, struct progress *p)
{
	char date[64];
	time_t server, ours = time(NULL) + s3->skew_s;
	bool bare = p->reply->fault.code[0] == '\0';

	if (p->clock_set || p->reply->http.status != 403 ||
	    !(bare || s3_reply_is(p->reply, "RequestTimeTooSkewed")) ||
	    !http_header(&p->reply->http, "date", date, sizeof(date)) ||
	    (server = curl_getdate(date, NULL)) == -1)
		return false;
	if (bare && llabs((long long)server - (long long)ours) < SKEW_NOTICED_S)
		return false;
	s3->skew_s = server - time(NULL);
	return p->clock_set = true;
}

static bool
passes_by_itself(const struct s3_reply *reply)
{
	static const char *const codes[] = { "SlowDown", "RequestTimeout", "InternalError",
		"ServiceUnavailable", "OperationAborted", "ConditionalRequestConflict" };
	long status = reply->http.status;
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (s3_reply_is(reply, codes[i]))
			return true;
	}
	return status == 408 || status == 429 || (status >= 500 && status != 501);
}

/* A 200 that announces its failure in the body, as CompleteMultipartUpload and CopyObject may,
 * or whose body is cut: both are told from a good one here. -1: there is no whole answer. */
static int
answer_read(const struct s3 *s3, struct progress *p, struct error *err)
{
	const struct buf *body = &p->reply->http.body;
	char root[ROOT_SIZE] = "";

	p->reply->fault = (struct s3_fault){ .code = "" };
	if (p->reply->http.status / 100 == 2 && !p->call->wants_xml)
		return 0;
	if (p->reply->http.status / 100 == 2 &&
	    s3_xml_read(buf_str(body), body->len, on_element, root, err) == -1)
		return -1;
	/* A proxy's page may be well-formed, and would pass for an empty list. */
	if (strcasecmp(root, "html") == 0)
		return error_set(err, ERROR_REMOTE, "a web page instead of S3's answer");
	fault_read(s3, p->reply);
	return 0;
}

static int
resumable(const struct progress *p, struct error *err)
{
	if (p->sink_failed || err->kind != ERROR_REMOTE)
		return -1;
	/* A weak or missing ETag cannot promise that the rest belongs to the beginning. */
	return p->delivered > 0 && p->etag[0] != '"' ? -1 : 0;
}

enum next { NEXT_DONE, NEXT_FAILED, NEXT_NOW, NEXT_LATER };

static enum next
step(struct s3 *s3, struct progress *p, const struct deadline *deadline, struct error *err)
{
	if (attempt(s3, p, deadline, err) == -1)
		return resumable(p, err) == 0 ? NEXT_LATER : NEXT_FAILED;
	if (answer_read(s3, p, err) == -1)
		return NEXT_LATER;
	if (s3_reply_good(p->reply))
		return NEXT_DONE;
	if (redirected(s3, p) || clock_corrected(s3, p))
		return NEXT_NOW;
	if (!passes_by_itself(p->reply))
		return NEXT_DONE;
	refusal(p->reply, err);
	return NEXT_LATER;
}

static int
repeat(struct s3 *s3, struct progress *p, const struct deadline *deadline, struct error *err)
{
	unsigned int try = 1;
	struct error waiting;

	for (;;) {
		p->reply->fault = (struct s3_fault){ .code = "" };
		switch (step(s3, p, deadline, err)) {
		case NEXT_DONE:
			return 0;
		case NEXT_FAILED:
			return -1;
		case NEXT_NOW:
			continue;
		case NEXT_LATER:
			break;
		}
		if (try == TRIES_MAX)
			return -1;
		if (deadline_sleep(deadline, http_backoff_ms(try++), &waiting) == -1) {
			/* Why it did not work says more than that the time is over. */
			if (waiting.kind == ERROR_CANCELLED)
				*err = waiting;
			return -1;
		}
	}
}

static int
call_check(const struct s3_call *call, struct error *err)
{
	const char *bucket = call->bucket, *key = call->key;

	if (bucket != NULL && (bucket[0] == '\0' || strlen(bucket) > 255 || bucket[0] == '.' ||
	    bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789._-"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0'))
		return error_set(err, ERROR_INPUT, "not a bucket's name");
	/* An empty key would turn a request for an object into one for its bucket. */
	if (key != NULL && (key[0] == '\0' || strlen(key) > KEY_MAX))
		return error_set(err, ERROR_INPUT, "not an object's key");
	return 0;
}

static int
payload_hash(const struct s3_call *call, char out[SHA256_HEX_SIZE], const struct deadline *deadline,
    struct error *err)
{
	if (call->from_fd)
		return digest_sha256_fd(call->fd, call->offset, call->size, out, deadline, err);
	digest_sha256_hex(call->body != NULL ? call->body : "", (size_t)call->size, out);
	return 0;
}

int
s3_call_do(struct s3 *s3, const struct s3_call *call, struct s3_reply *reply,
    const struct deadline *deadline, struct error *err)
{
	struct progress p = { .call = call, .reply = reply, .sha256 = call->sha256 };
	char computed[SHA256_HEX_SIZE];
	struct error inner = ERROR_INIT;
	int result = call_check(call, &inner);

	if (result == 0 && !call->anonymous && !s3_can_sign(s3))
		result = error_set(&inner, ERROR_CREDENTIALS, "no aws_access_key and "
		    "aws_secret_access_key are set");
	if (result == 0 && !call->anonymous && call->sha256 == NULL) {
		result = payload_hash(call, computed, deadline, &inner);
		p.sha256 = computed;
	}
	if (result == 0)
		result = repeat(s3, &p, deadline, &inner);
	free(p.origin);
	if (result == 0)
		return 0;
	error_set(err, inner.kind, "%s", inner.text);
	return s3_call_prefix(call, err);
}

int
s3_call_must(struct s3 *s3, const struct s3_call *call, struct s3_reply *reply,
    const struct deadline *deadline, struct error *err)
{
	if (s3_call_do(s3, call, reply, deadline, err) == -1)
		return -1;
	return s3_reply_good(reply) ? 0 : s3_call_refused(call, reply, err);
}
