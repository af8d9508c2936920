#include "daemon/s3.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/unit/http-server.h"
#include "tests/unit/test.h"

#define SECRET "wJalrXUtnFEMI"
#define TOKEN "session-t0ken"

/* What the server answers, one row a request; the last row is for all that follow. */
struct row {
	const char	*status;	/* NULL: reset the connection */
	const char	*headers;
	const char	*body;
	bool		 cut;		/* ends before the body does */
};

struct setup {
	const struct row	*rows;
	size_t			 n_rows;
	struct server_request	 seen[16];
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	struct s3		*s3;
	struct deadline		 deadline;
	struct error		 err;
};

static void
answer(void *arg, const struct server_request *r, struct server_connection *c)
{
	struct setup *s = arg;
	const struct row *row = &s->rows[r->number < s->n_rows ? r->number - 1 : s->n_rows - 1];
	bool bare = strcmp(r->method, "HEAD") == 0;

	if (r->number <= sizeof(s->seen) / sizeof(s->seen[0]))
		s->seen[r->number - 1] = *r;
	if (row->status == NULL) {
		server_reset(c);
		return;
	}
	server_send(c, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", row->status,
	    bare ? 0 : strlen(row->body) + (row->cut ? 10 : 0), row->headers,
	    bare ? "" : row->body);
	if (row->cut)
		server_close(c);
}

static struct setup *
setup_new(const struct row *rows, size_t n_rows)
{
	struct setup *s = xcalloc(1, sizeof(*s));
	struct http_options http = { .connect_timeout_ms = 20000, .timeout_ms = 20000 };
	struct s3_options options = { .region = "us-east-1", .access_key = "AKIDTEST",
		.secret_key = SECRET, .session_token = TOKEN };

	s->rows = rows;
	s->n_rows = n_rows;
	s->server = http_server_start(answer, s, false);
	options.endpoint = http_server_url(s->server);
	if ((s->shared = http_shared_new(&http, &s->err)) == NULL)
		abort();
	s->http = http_new(s->shared);
	if ((s->s3 = s3_new(&options, s->http, &s->err)) == NULL)
		abort();
	s->deadline = deadline_in(60000, NULL);
	return s;
}

static void
setup_free(struct setup *s)
{
	s3_free(s->s3);
	http_free(s->http);
	http_shared_free(s->shared);
	http_server_stop(s->server);
	free(s);
}

CLEANUP_FUNC(struct setup, setup_free);

#define SETUP(...) setup_new((const struct row[]){ __VA_ARGS__ },	\
	sizeof((const struct row[]){ __VA_ARGS__ }) / sizeof(struct row))
#define FAULT(code, message) "<Error><Code>" code "</Code><Message>" message "</Message>"	\
	"<StringToSign>" SECRET "</StringToSign></Error>"

static int
put(struct setup *s)
{
	struct s3_put p = { .bucket = "b", .key = "k", .body = "abc", .size = 3 };

	return s3_object_put(s->s3, &p, NULL, &s->deadline, &s->err);
}

TEST(what_passes_is_tried_again)
{
	cleanup(setup_free_p) struct setup *s = SETUP({ .status = NULL },
	    { "503 Slow Down", "", FAULT("SlowDown", "x"), false },
	    { "400 Bad Request", "", FAULT("RequestTimeout", "x"), false },
	    { "200 OK", "", "", false });

	CHECK_INT(put(s), 0);
	CHECK_INT(http_server_requests(s->server), 4);
	CHECK_STR(server_header(&s->seen[3], "content-length"), "3");
}

TEST(trying_has_an_end)
{
	cleanup(setup_free_p) struct setup *s = SETUP({ "500 Oops", "", "<html>oops</html>", false });

	CHECK_INT(put(s), -1);
	CHECK_INT(s->err.kind, ERROR_REMOTE);
	CHECK_STR(s->err.text, "bucket 'b': object 'k': HTTP status 500");
	CHECK_INT(http_server_requests(s->server), 5);
}

static atomic_bool cancelled;

TEST(a_cancel_ends_the_trying)
{
	cleanup(setup_free_p) struct setup *s = SETUP({ "500 Oops", "", "", false });

	atomic_store(&cancelled, true);
	s->deadline = deadline_in(60000, &cancelled);
	CHECK_INT(put(s), -1);
	CHECK_INT(s->err.kind, ERROR_CANCELLED);
	CHECK_INT(http_server_requests(s->server), 0);
}

/* Code, kind and what is told of it. */
struct refusal {
	const char	*code;
	enum error_kind	 kind;
	const char	*text;
};

TEST(refusals_have_a_kind_and_a_cure)
{
	static const struct refusal rows[] = {
		{ "AccessDenied", ERROR_CREDENTIALS, "AccessDenied: no" },
		{ "InvalidAccessKeyId", ERROR_CREDENTIALS,
		    "InvalidAccessKeyId: no (check aws_access_key)" },
		{ "SignatureDoesNotMatch", ERROR_CREDENTIALS, "SignatureDoesNotMatch: the secret "
		    "key is not the access key's: check aws_secret_access_key" },
		{ "TooManyBuckets", ERROR_QUOTA,
		    "TooManyBuckets: no (the account may have no more buckets)" },
		{ "BucketAlreadyExists", ERROR_CONFLICT, "BucketAlreadyExists: no (another account "
		    "has a bucket of this name: choose another s3_bucket)" },
		{ "NoSuchBucket", ERROR_MISSING, "NoSuchBucket: no" },
		{ "SomethingNew", ERROR_CREDENTIALS, "SomethingNew: no" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *body = xasprintf("<Error><Code>%s</Code><Message>no</Message>"
		    "<StringToSign>" SECRET "</StringToSign></Error>", rows[i].code);
		cleanup(free_p) char *text = xasprintf("bucket 'b': object 'k': %s", rows[i].text);
		const struct row row = { "403 No", "", body, false };
		cleanup(setup_free_p) struct setup *s = setup_new(&row, 1);

		CHECK_INT(put(s), -1);
		CHECK_INT(s->err.kind, rows[i].kind);
		CHECK_STR(s->err.text, text);
		CHECK_INT(http_server_requests(s->server), 1);
	}
}

TEST(an_echo_of_what_was_sent_is_not_shown)
{
	cleanup(setup_free_p) struct setup *s = SETUP({ "400 No", "",
	    FAULT("InvalidToken", "bad token " TOKEN), false });

	CHECK_INT(put(s), -1);
	CHECK_STR(s->err.text,
	    "bucket 'b': object 'k': InvalidToken: give a new session token");
}

TEST(another_region_is_followed_and_remembered)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "301 Moved", "x-amz-bucket-region: eu-west-1\r\n", FAULT("PermanentRedirect", ""), false },
	    { "200 OK", "", "", false });

	CHECK_INT(put(s), 0);
	CHECK_INT(put(s), 0);
	CHECK_INT(http_server_requests(s->server), 3);
	CHECK(strstr(server_header(&s->seen[0], "authorization"), "/us-east-1/s3/") != NULL);
	CHECK(strstr(server_header(&s->seen[1], "authorization"), "/eu-west-1/s3/") != NULL);
	CHECK(strstr(server_header(&s->seen[2], "authorization"), "/eu-west-1/s3/") != NULL);
}

TEST(a_region_in_the_refusal_counts_too)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "400 No", "", "<Error><Code>AuthorizationHeaderMalformed</Code><Message>x</Message>"
	    "<Region>eu-central-1</Region></Error>", false },
	    { "200 OK", "", "", false });

	CHECK_INT(put(s), 0);
	CHECK(strstr(server_header(&s->seen[1], "authorization"), "/eu-central-1/s3/") != NULL);
}

TEST(redirects_do_not_go_round)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "301 Moved", "x-amz-bucket-region: eu-west-1\r\n", "", false },
	    { "301 Moved", "x-amz-bucket-region: eu-west-2\r\n", FAULT("PermanentRedirect", "no"), false });

	CHECK_INT(put(s), -1);
	CHECK_INT(s->err.kind, ERROR_INPUT);
	CHECK_INT(http_server_requests(s->server), 2);
}

TEST(a_region_that_is_none_is_not_followed)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "301 Moved", "x-amz-bucket-region: evil.example/\r\n", "", false });

	CHECK_INT(put(s), -1);
	CHECK_INT(http_server_requests(s->server), 1);
}

TEST(a_temporary_redirect_names_a_host)
{
	cleanup(setup_free_p) struct setup *there = SETUP({ "200 OK", "", "", false });
	cleanup(free_p) char *location = xasprintf("Location: %s/b/k\r\n",
	    http_server_url(there->server));
	const struct row row = { "307 Moved", location, FAULT("TemporaryRedirect", "x"), false };
	cleanup(setup_free_p) struct setup *s = setup_new(&row, 1);

	CHECK_INT(put(s), 0);
	CHECK_INT(http_server_requests(there->server), 1);
	CHECK_STR(server_header(&there->seen[0], "host"), http_server_url(there->server) + 7);
	CHECK_STR(there->seen[0].target, "/b/k");
}

TEST(a_wrong_clock_is_corrected_once)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "403 No", "Date: Fri, 24 May 2013 00:00:00 GMT\r\n", FAULT("RequestTimeTooSkewed", "x"),
	    false }, { "200 OK", "", "", false });

	CHECK_INT(put(s), 0);
	CHECK(strncmp(server_header(&s->seen[1], "x-amz-date"), "20130524T00", 11) == 0);
	CHECK_INT(put(s), 0);
	CHECK(strncmp(server_header(&s->seen[2], "x-amz-date"), "20130524T00", 11) == 0);
}

TEST(a_clock_that_cannot_be_corrected)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "403 No", "Date: Fri, 24 May 2013 00:00:00 GMT\r\n", FAULT("RequestTimeTooSkewed", "x"),
	    false });

	CHECK_INT(put(s), -1);
	CHECK_STR(s->err.text,
	    "bucket 'b': object 'k': RequestTimeTooSkewed: x (set this host's clock)");
	CHECK_INT(http_server_requests(s->server), 2);
}

TEST(a_head_shows_the_clock_too)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "403 No", "Date: Fri, 24 May 2013 00:00:00 GMT\r\n", "", false },
	    { "200 OK", "", "", false });
	enum s3_object_state state = S3_OBJECT_MISSING;

	CHECK_INT(s3_object_head(s->s3, "b", "k", &state, NULL, &s->deadline, &s->err), 0);
	CHECK_INT(state, S3_OBJECT_FOUND);
}

TEST(completion_may_fail_in_a_good_answer)
{
	static const struct s3_part part = { .number = 1, .etag = "e" };
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "200 OK", "", "   \n" FAULT("InternalError", "x"), false },
	    { "200 OK", "", "<CompleteMultipartUploadResult><ETag>", true },
	    { "200 OK", "", "<CompleteMultipartUploadResult><ETag>", false },
	    { "200 OK", "", FAULT("InvalidPart", "no such part"), false });

	CHECK_INT(s3_upload_complete(s->s3, "b", "k", "id", &part, 1, &s->deadline, &s->err), -1);
	CHECK_STR(s->err.text, "bucket 'b': object 'k': InvalidPart: no such part");
	CHECK_INT(http_server_requests(s->server), 4);
	CHECK(strstr(s->seen[0].target, "/b/k?uploadId=id") != NULL);
}

static int
sink_add(void *arg, const void *data, size_t len, struct error *err)
{
	if (!buf_add(arg, data, len))
		return error_set(err, ERROR_SYSTEM, "disk full");
	return 0;
}

static int
get(struct setup *s, struct buf *seen)
{
	return s3_object_get(s->s3, "b", "k", 0, 0, sink_add, seen, NULL, &s->deadline, &s->err);
}

TEST(a_broken_stream_is_taken_up_again)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "200 OK", "ETag: \"e1\"\r\n", "hello", true },
	    { "503 Busy", "", "", false },
	    { "206 Partial", "ETag: \"e1\"\r\n", " world", false });

	CHECK_INT(get(s, &seen), 0);
	CHECK_STR(buf_str(&seen), "hello world");
	CHECK_STR(server_header(&s->seen[0], "range"), "");
	CHECK_STR(server_header(&s->seen[2], "range"), "bytes=5-");
	CHECK_STR(server_header(&s->seen[2], "if-match"), "\"e1\"");
}

TEST(a_stream_of_another_object_is_not_taken_up)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "200 OK", "ETag: \"e1\"\r\n", "hello", true },
	    { "412 No", "", FAULT("PreconditionFailed", "x"), false });

	CHECK_INT(get(s, &seen), -1);
	CHECK_STR(s->err.text, "bucket 'b': object 'k': it was changed while it was read");
	CHECK_STR(buf_str(&seen), "hello");
}

TEST(a_range_that_is_ignored_is_an_error)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "200 OK", "ETag: \"e1\"\r\n", "hello", true },
	    { "200 OK", "ETag: \"e1\"\r\n", "hello world", false });

	CHECK_INT(get(s, &seen), -1);
	CHECK(strstr(s->err.text, "the server ignores the range asked for") != NULL);
	CHECK_STR(buf_str(&seen), "hello");
}

TEST(a_sink_that_fails_is_not_tried_again)
{
	cleanup(buf_done) struct buf seen = BUF_LIMIT(3);
	cleanup(setup_free_p) struct setup *s = SETUP({ "200 OK", "", "hello", false });

	CHECK_INT(get(s, &seen), -1);
	CHECK_INT(s->err.kind, ERROR_SYSTEM);
	CHECK_INT(http_server_requests(s->server), 1);
}

static int
add_object(void *arg, const char *key, const struct s3_object *object, struct error *err)
{
	(void)err;
	buf_printf(arg, "%s %ju %s %jd;", key, (uintmax_t)object->size, object->etag,
	    (intmax_t)object->mtime);
	return 0;
}

TEST(a_listing_has_pages)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "200 OK", "", "<ListBucketResult><Contents><Key>a%20b%2Bc+d</Key><Size>3</Size>"
	    "<ETag>&quot;e&quot;</ETag><LastModified>2013-05-24T00:00:00.000Z</LastModified>"
	    "</Contents><Contents><Key>nul%00</Key></Contents><EncodingType>url</EncodingType>"
	    "<NextContinuationToken>t/1=</NextContinuationToken></ListBucketResult>", false },
	    { "200 OK", "", "<ListBucketResult><Contents><Key>a%20b+</Key></Contents>"
	    "</ListBucketResult>", false });

	CHECK_INT(s3_object_list(s->s3, "b", "p/", 2, add_object, &seen, &s->deadline, &s->err), 0);
	CHECK_STR(buf_str(&seen), "a b+c d 3 e 1369353600;a%20b+ 0  0;");
	CHECK_STR(s->seen[0].target, "/b?list-type=2&encoding-type=url&max-keys=2&prefix=p%2F");
	CHECK_STR(s->seen[1].target,
	    "/b?list-type=2&encoding-type=url&continuation-token=t%2F1%3D&max-keys=2&prefix=p%2F");
}

static int
add_bucket(void *arg, const struct s3_bucket *bucket, struct error *err)
{
	(void)err;
	buf_printf(arg, "%s %s %jd;", bucket->name, bucket->region, (intmax_t)bucket->created);
	return 0;
}

TEST(all_buckets_have_pages)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "200 OK", "", "<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name>"
	    "<BucketRegion>eu-west-1</BucketRegion><CreationDate>2013-05-24T00:00:00.000Z"
	    "</CreationDate></Bucket></Buckets><ContinuationToken>t</ContinuationToken>"
	    "</ListAllMyBucketsResult>", false },
	    { "200 OK", "", "<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket>"
	    "</Buckets></ListAllMyBucketsResult>", false });

	CHECK_INT(s3_bucket_list(s->s3, add_bucket, &seen, &s->deadline, &s->err), 0);
	CHECK_STR(buf_str(&seen), "a eu-west-1 1369353600;b  0;");
	CHECK_STR(s->seen[1].target, "/?max-buckets=10000&continuation-token=t");
}

TEST(a_bucket_may_be_elsewhere)
{
	static const struct { struct row row; enum s3_bucket_state state; } rows[] = {
		{ { "200 OK", "", "", false }, S3_BUCKET_MINE },
		{ { "200 OK", "x-amz-bucket-region: us-east-1\r\n", "", false }, S3_BUCKET_MINE },
		{ { "200 OK", "x-amz-bucket-region: eu-west-1\r\n", "", false }, S3_BUCKET_ELSEWHERE },
		{ { "301 Moved", "x-amz-bucket-region: eu-west-1\r\n", "", false },
		    S3_BUCKET_ELSEWHERE },
		{ { "403 No", "", "", false }, S3_BUCKET_FORBIDDEN },
		{ { "404 No", "", "", false }, S3_BUCKET_MISSING },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(setup_free_p) struct setup *s = setup_new(&rows[i].row, 1);
		enum s3_bucket_state state;
		char region[S3_REGION_SIZE];

		CHECK_INT(s3_bucket_head(s->s3, "b", &state, region, &s->deadline, &s->err), 0);
		CHECK_INT(state, rows[i].state);
		if (state == S3_BUCKET_ELSEWHERE)
			CHECK_STR(region, "eu-west-1");
	}
}

TEST(a_bucket_that_is_ours_is_created)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "409 Conflict", "", FAULT("BucketAlreadyOwnedByYou", "x"), false });

	CHECK_INT(s3_bucket_create(s->s3, "b", &s->deadline, &s->err), 0);
	CHECK_STR(server_header(&s->seen[0], "content-length"), "0");
}

TEST(access_as_aws_tells_it)
{
	cleanup(setup_free_p) struct setup *s = SETUP(
	    { "200 OK", "", "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced"
	    "</ObjectOwnership></Rule></OwnershipControls>", false },
	    { "404 No", "", FAULT("OwnershipControlsNotFoundError", "x"), false },
	    { "200 OK", "", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
	    "<RestrictPublicBuckets>TRUE</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
	    false },
	    { "404 No", "", FAULT("NoSuchPublicAccessBlockConfiguration", "x"), false },
	    { "403 No", "", FAULT("AccessDenied", "x"), false });
	enum s3_ownership ownership = S3_OWNERSHIP_WRITER;
	struct s3_public_block block = { false, true, false, false };

	CHECK_INT(s3_ownership_get(s->s3, "b", &ownership, &s->deadline, &s->err), 0);
	CHECK_INT(ownership, S3_OWNERSHIP_ENFORCED);
	CHECK_INT(s3_ownership_get(s->s3, "b", &ownership, &s->deadline, &s->err), 0);
	CHECK_INT(ownership, S3_OWNERSHIP_UNKNOWN);
	CHECK_INT(s3_public_block_get(s->s3, "b", &block, &s->deadline, &s->err), 0);
	CHECK(block.block_acls && !block.ignore_acls && !block.block_policy &&
	    block.restrict_buckets);
	CHECK_INT(s3_public_block_get(s->s3, "b", &block, &s->deadline, &s->err), 0);
	CHECK(!block.block_acls && !block.restrict_buckets);
	CHECK_INT(s3_public_block_get(s->s3, "b", &block, &s->deadline, &s->err), -1);
	CHECK_INT(s->err.kind, ERROR_CREDENTIALS);
}

TEST(names_that_would_mean_something_else)
{
	cleanup(setup_free_p) struct setup *s = SETUP({ "200 OK", "", "", false });

	CHECK_INT(s3_object_delete(s->s3, "b", "", &s->deadline, &s->err), -1);
	CHECK_INT(s->err.kind, ERROR_INPUT);
	CHECK_INT(s3_object_delete(s->s3, "", "k", &s->deadline, &s->err), -1);
	CHECK_INT(s3_object_delete(s->s3, "..", "k", &s->deadline, &s->err), -1);
	CHECK_INT(s3_object_delete(s->s3, "b/x", "k", &s->deadline, &s->err), -1);
	CHECK_INT(http_server_requests(s->server), 0);
}

/* No request is sent: what matters is the URL. */
static char *
presigned(struct s3_options options, const char *bucket)
{
	struct error err = ERROR_INIT;
	struct s3 *s3 = s3_new(&options, NULL, &err);
	char *url = s3_presign(s3, "GET", bucket, "a b", 60, 1369353600, &err);

	s3_free(s3);
	if (url != NULL)
		url[strcspn(url, "?")] = '\0';
	return url;
}

TEST(hosts_of_buckets)
{
	static const struct { struct s3_options options; const char *bucket, *url; } rows[] = {
		{ { .region = "us-east-1" }, "isv1", "https://isv1.s3.us-east-1.amazonaws.com/a%20b" },
		{ { .region = "eu-west-1" }, "isv1.bucket",
		    "https://s3.eu-west-1.amazonaws.com/isv1.bucket/a%20b" },
		{ { .region = "cn-north-1" }, "isv1",
		    "https://isv1.s3.cn-north-1.amazonaws.com.cn/a%20b" },
		{ { .endpoint = "https://s3.amazonaws.com:443/", .region = "eu-west-1" }, "isv1",
		    "https://isv1.s3.eu-west-1.amazonaws.com/a%20b" },
		{ { .region = "eu-west-1", .style = S3_STYLE_PATH }, "isv1",
		    "https://s3.eu-west-1.amazonaws.com/isv1/a%20b" },
		{ { .endpoint = "http://h:81" }, "isv1", "http://h:81/isv1/a%20b" },
		{ { .endpoint = "http://h:80", .style = S3_STYLE_HOST }, "isv1",
		    "http://isv1.h/a%20b" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct s3_options options = rows[i].options;
		cleanup(free_p) char *url = NULL;

		options.access_key = options.secret_key = "x";
		url = presigned(options, rows[i].bucket);
		CHECK_STR(url, rows[i].url);
	}
}

TEST(public_urls)
{
	static const struct { struct s3_options options; const char *url; } rows[] = {
		{ { .region = NULL }, "https://s3.amazonaws.com/isv1.bucket/a%20b/c" },
		{ { .region = "eu-west-1" }, "https://s3.eu-west-1.amazonaws.com/isv1.bucket/a%20b/c" },
		{ { .endpoint = "http://h:81/" }, "http://h:81/isv1.bucket/a%20b/c" },
		{ { .endpoint = "https://h", .style = S3_STYLE_HOST }, "https://isv1.bucket.h/a%20b/c" },
	};
	cleanup(free_p) char *base = s3_public_url(&rows[0].options, "b", NULL);
	size_t i;

	CHECK_STR(base, "https://s3.amazonaws.com/b");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *url = s3_public_url(&rows[i].options, "isv1.bucket", "a b/c");

		CHECK_STR(url, rows[i].url);
	}
}

TEST(options_that_are_wrong)
{
	static const struct s3_options rows[] = {
		{ .endpoint = "h:81" }, { .endpoint = "ftp://h" }, { .endpoint = "http://h/path" },
		{ .endpoint = "http://u:s3cret@h" }, { .endpoint = "https://" },
		{ .region = "" }, { .region = "eu west" }, { .region = "x/../y" },
	};
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct error)ERROR_INIT;
		CHECK(s3_new(&rows[i], NULL, &err) == NULL);
		CHECK_INT(err.kind, ERROR_INPUT);
		CHECK(strstr(err.text, "s3cret") == NULL);
	}
}

TEST(without_credentials_nothing_is_signed)
{
	const struct s3_options options = { .region = NULL };
	struct error err = ERROR_INIT;
	struct deadline d = deadline_in(1000, NULL);
	struct s3 *s3 = s3_new(&options, NULL, &err);
	int result = s3_object_delete(s3, "b", "k", &d, &err);
	char *url = s3_presign(s3, "GET", "b", "k", 1, 0, NULL);

	s3_free(s3);
	CHECK_INT(result, -1);
	CHECK_INT(err.kind, ERROR_CREDENTIALS);
	CHECK(url == NULL);
}

int
main(void)
{
	unsetenv("http_proxy");
	return RUN(CASE(what_passes_is_tried_again), CASE(trying_has_an_end),
	    CASE(a_cancel_ends_the_trying), CASE(refusals_have_a_kind_and_a_cure),
	    CASE(an_echo_of_what_was_sent_is_not_shown),
	    CASE(another_region_is_followed_and_remembered),
	    CASE(a_region_in_the_refusal_counts_too), CASE(redirects_do_not_go_round),
	    CASE(a_region_that_is_none_is_not_followed), CASE(a_temporary_redirect_names_a_host),
	    CASE(a_wrong_clock_is_corrected_once), CASE(a_clock_that_cannot_be_corrected),
	    CASE(a_head_shows_the_clock_too), CASE(completion_may_fail_in_a_good_answer),
	    CASE(a_broken_stream_is_taken_up_again),
	    CASE(a_stream_of_another_object_is_not_taken_up),
	    CASE(a_range_that_is_ignored_is_an_error), CASE(a_sink_that_fails_is_not_tried_again),
	    CASE(a_listing_has_pages), CASE(all_buckets_have_pages),
	    CASE(a_bucket_may_be_elsewhere), CASE(a_bucket_that_is_ours_is_created),
	    CASE(access_as_aws_tells_it), CASE(names_that_would_mean_something_else),
	    CASE(hosts_of_buckets), CASE(public_urls), CASE(options_that_are_wrong),
	    CASE(without_credentials_nothing_is_signed));
}
