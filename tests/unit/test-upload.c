#include "daemon/upload.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/digest.h"
#include "daemon/manifest.h"
#include "tests/unit/http-server.h"
#include "tests/unit/test.h"

#define MIB (1024 * 1024)
#define PART ((size_t)5 * MIB)
#define SIZE (2 * PART + 1000)		/* three parts */
#define KEY "app/blobs/x"

/* A bucket with at most one object and one upload, which is all that a test needs. */
struct bucket {
	pthread_mutex_t		 lock;
	struct http_server	*server;
	bool			 object_there;
	size_t			 object_size;
	char			 etag[64], type[64];
	const char		*parts;		/* XML of the parts that an earlier attempt left; NULL: no upload */
	const char		*neighbour;	/* key from which may be copied; NULL: none */
	unsigned int		 fail_at;	/* request number that gets a 403; 0: none */
	char			 log[4096];	/* "METHOD target\n" … */
};

static void
note(struct bucket *b, const struct server_request *r)
{
	size_t used = strlen(b->log);

	snprintf(b->log + used, sizeof(b->log) - used, "%s %s%s\n", r->method, r->target,
	    strcmp(server_header(r, "x-amz-copy-source"), "") != 0 ? " copy" : "");
}

static void
answer_list(struct bucket *b, struct server_connection *c, bool parts)
{
	cleanup(free_p) char *body = NULL;

	if (parts)
		body = xasprintf("<ListPartsResult><IsTruncated>false</IsTruncated>%s"
		    "</ListPartsResult>", b->parts);
	else
		body = xasprintf("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>%s"
		    "</ListMultipartUploadsResult>", b->parts == NULL ? "" : "<Upload><Key>" KEY
		    "</Key><UploadId>old</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated>"
		    "</Upload><Upload><Key>" KEY "y</Key><UploadId>not</UploadId>"
		    "<Initiated>2026-01-02T00:00:00.000Z</Initiated></Upload>");
	server_answer(c, "200 OK", "", body);
}

static void
answer_head(struct bucket *b, const struct server_request *r, struct server_connection *c)
{
	if (b->neighbour != NULL && strstr(r->target, b->neighbour) != NULL)
		server_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
	else if (b->object_there)
		server_send(c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nETag: \"%s\"\r\n"
		    "Content-Type: %s\r\n\r\n", b->object_size, b->etag, b->type);
	else
		server_send(c, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n");
}

static void
answer(void *arg, const struct server_request *r, struct server_connection *c)
{
	struct bucket *b = arg;

	pthread_mutex_lock(&b->lock);
	note(b, r);
	if (r->number == b->fail_at)
		server_answer(c, "403 x", "", "<Error><Code>AccessDenied</Code></Error>");
	else if (strcmp(r->method, "HEAD") == 0)
		answer_head(b, r, c);
	else if (strcmp(r->method, "GET") == 0)
		answer_list(b, c, strstr(r->target, "uploadId=") != NULL);
	else if (strcmp(r->method, "POST") == 0 && strstr(r->target, "uploadId=") != NULL)
		server_answer(c, "200 OK", "", "<CompleteMultipartUploadResult><ETag>x</ETag>"
		    "</CompleteMultipartUploadResult>");
	else if (strcmp(r->method, "POST") == 0)
		server_answer(c, "200 OK", "", "<InitiateMultipartUploadResult><UploadId>new"
		    "</UploadId></InitiateMultipartUploadResult>");
	else if (strcmp(server_header(r, "x-amz-copy-source"), "") != 0)
		server_answer(c, "200 OK", "", "<CopyObjectResult><ETag>x</ETag></CopyObjectResult>");
	else
		server_answer(c, "200 OK", "ETag: \"x\"\r\n", "");
	pthread_mutex_unlock(&b->lock);
}

struct setup {
	struct bucket		 bucket;
	struct http_shared	*shared;
	struct http		*http;
	struct s3		*s3;
	struct crew		*crew;
	struct upload_place	 place;
	struct extent		 file;
	char			 digest[DIGEST_SIZE];
	struct deadline		 deadline;
	struct error		 err;
	struct upload_large	*large[2];
	atomic_uint_fast64_t	 progress;
	atomic_uint		 done;
};

struct tools {
	struct http	*http;
	struct s3	*s3;
};

static struct s3 *
client_new(struct setup *s, struct http *http)
{
	return s3_new(&(struct s3_options){ .endpoint = http_server_url(s->bucket.server),
	    .access_key = "A", .secret_key = "S" }, http, &s->err);
}

static void *
tools_new(void *arg, struct error *err)
{
	struct setup *s = arg;
	struct tools *t = xcalloc(1, sizeof(*t));

	(void)err;
	t->http = http_new(s->shared);
	t->s3 = client_new(s, t->http);
	return t;
}

static void
tools_free(void *arg)
{
	struct tools *t = arg;

	s3_free(t->s3);
	http_free(t->http);
	free(t);
}

static struct s3 *
s3_of(void *tools)
{
	return ((struct tools *)tools)->s3;
}

static void
add_progress(void *arg, uint64_t bytes)
{
	atomic_fetch_add(&((struct setup *)arg)->progress, bytes);
}

/* Three parts, each of one letter. */
static void
write_file(struct setup *s)
{
	const char *tmp = getenv("TMPDIR");
	char *part = xcalloc(1, PART);
	int fd = open(tmp != NULL ? tmp : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	size_t i;

	for (i = 0; i < 3; i++) {
		memset(part, 'a' + (int)i, PART);
		if (write(fd, part, i < 2 ? PART : SIZE - 2 * PART) == -1)
			abort();
	}
	free(part);
	s->file = (struct extent){ fd, true, 0, SIZE };
	strcpy(s->digest, DIGEST_PREFIX);
	if (digest_sha256_fd(fd, 0, SIZE, s->digest + strlen(DIGEST_PREFIX), &s->deadline,
	    &s->err) == -1)
		abort();
}

static struct setup *
setup_new(void)
{
	struct http_options options = { .connect_timeout_ms = 20000, .timeout_ms = 20000 };
	struct setup *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->bucket.lock, NULL);
	s->deadline = deadline_in(60000, NULL);
	s->bucket.server = http_server_start(answer, &s->bucket, false);
	s->shared = http_shared_new(&options, &s->err);
	s->http = http_new(s->shared);
	s->s3 = client_new(s, s->http);
	s->place = (struct upload_place){ .bucket = "b", .part_size = PART };
	s->crew = crew_new(&(struct crew_options){ .threads = 3, .stack_size = 512 * 1024,
	    .tools_new = tools_new, .tools_free = tools_free, .arg = s }, &s->err);
	write_file(s);
	return s;
}

static void
setup_free(struct setup *s)
{
	crew_free(s->crew);
	s3_free(s->s3);
	http_free(s->http);
	http_shared_free(s->shared);
	http_server_stop(s->bucket.server);
	extent_done(&s->file);
	pthread_mutex_destroy(&s->bucket.lock);
	free(s);
}
CLEANUP_FUNC(struct setup, setup_free);

static void
note_done(void *arg)
{
	atomic_fetch_add(&((struct setup *)arg)->done, 1);
}

static int
begin_large(void *arg, void *tools, size_t i, struct error *err)
{
	struct setup *s = arg;
	struct extent lent = s->file;

	lent.owned = false;
	s->large[i] = upload_large_begin(s->crew, tools, &s->place, &(struct upload_large_order){
	    .key = i == 0 ? KEY : KEY "y", .digest = s->digest, .s3_of = s3_of,
	    .progress = add_progress, .done = note_done, .arg = s }, &lent, &s->deadline, err);
	return s->large[i] != NULL ? 0 : -1;
}

static int
send_large(struct setup *s, size_t n)
{
	int status = crew_run(s->crew, n, begin_large, s, &s->err);
	size_t i;

	for (i = 0; i < n; i++)
		upload_large_free(s->large[i]);
	return status;
}

static size_t
count(const struct setup *s, const char *what)
{
	const char *at;
	size_t n = 0;

	for (at = s->bucket.log; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

TEST(what_is_there_is_seen)
{
	cleanup(setup_free_p) struct setup *s = setup_new();
	uint64_t size = 7;
	bool there;

	CHECK_INT(upload_look(s->s3, &s->place, KEY, &size, &there, &s->deadline, &s->err), 0);
	CHECK(!there);
	s->bucket.object_there = true;
	s->bucket.object_size = 7;
	CHECK_INT(upload_look(s->s3, &s->place, KEY, &size, &there, &s->deadline, &s->err), 0);
	CHECK(there);
	size = 8;
	CHECK_INT(upload_look(s->s3, &s->place, KEY, &size, &there, &s->deadline, &s->err), 0);
	CHECK(!there);
	size = SIZE_UNKNOWN;
	CHECK_INT(upload_look(s->s3, &s->place, KEY, &size, &there, &s->deadline, &s->err), 0);
	CHECK(there && size == 7);
}

TEST(a_neighbours_blob_is_copied)
{
	cleanup(setup_free_p) struct setup *s = setup_new();
	bool done;

	CHECK_INT(upload_copy(s->s3, &s->place, "other/blobs/x", KEY, 3, &done, &s->deadline,
	    &s->err), 0);
	CHECK(!done);
	s->bucket.neighbour = "other/blobs/x";
	CHECK_INT(upload_copy(s->s3, &s->place, "other/blobs/x", KEY, 4, &done, &s->deadline,
	    &s->err), 0);
	CHECK(!done);	/* of another size */
	CHECK_INT(upload_copy(s->s3, &s->place, "other/blobs/x", KEY, 3, &done, &s->deadline,
	    &s->err), 0);
	CHECK(done);
	CHECK_INT(count(s, " copy\n"), 1);
}

TEST(texts_that_are_so_already_are_not_sent)
{
	cleanup(setup_free_p) struct setup *s = setup_new();
	bool sent;

	CHECK_INT(upload_text(s->s3, &s->place, "t", "a/b", "hello", 5, &sent, &s->deadline,
	    &s->err), 0);
	CHECK(sent);
	s->bucket.object_there = true;
	s->bucket.object_size = 5;
	digest_md5_hex("hello", 5, s->bucket.etag);
	strcpy(s->bucket.type, "a/b");
	CHECK_INT(upload_text(s->s3, &s->place, "t", "a/b", "hello", 5, &sent, &s->deadline,
	    &s->err), 0);
	CHECK(!sent);
	CHECK_INT(upload_text(s->s3, &s->place, "t", "a/b", "hullo", 5, &sent, &s->deadline,
	    &s->err), 0);
	CHECK(sent);
	CHECK_INT(upload_text(s->s3, &s->place, "t", "a/c", "hello", 5, &sent, &s->deadline,
	    &s->err), 0);
	CHECK(sent);	/* a type that differs breaks pulls */
}

TEST(a_large_blob_goes_up_in_parts)
{
	cleanup(setup_free_p) struct setup *s = setup_new();

	CHECK_INT(send_large(s, 1), 0);
	CHECK_INT(count(s, "PUT "), 3);
	CHECK_INT(count(s, "uploadId=new"), 4);
	CHECK_INT(atomic_load(&s->progress), SIZE);
	CHECK_INT(atomic_load(&s->done), 1);
}

TEST(two_large_blobs_go_up_together)
{
	cleanup(setup_free_p) struct setup *s = setup_new();

	CHECK_INT(send_large(s, 2), 0);
	CHECK_INT(count(s, "PUT "), 6);
	CHECK_INT(count(s, "POST /b/" KEY "?uploadId=new"), 1);
	CHECK_INT(count(s, "POST /b/" KEY "y?uploadId=new"), 1);
	CHECK_INT(atomic_load(&s->progress), 2 * SIZE);
	CHECK_INT(atomic_load(&s->done), 2);
}

/* The first part is right, the second holds other bytes, the third has another size. */
TEST(an_upload_that_was_broken_off_goes_on)
{
	cleanup(setup_free_p) struct setup *s = setup_new();
	char md5[MD5_HEX_SIZE];
	cleanup(free_p) char *parts = NULL;

	CHECK_INT(digest_md5_fd(s->file.fd, 0, PART, md5, &s->deadline, &s->err), 0);
	parts = xasprintf("<Part><PartNumber>1</PartNumber><ETag>\"%s\"</ETag><Size>%zu</Size></Part>"
	    "<Part><PartNumber>2</PartNumber><ETag>\"%s\"</ETag><Size>%zu</Size></Part>"
	    "<Part><PartNumber>3</PartNumber><ETag>\"%s\"</ETag><Size>%zu</Size></Part>"
	    "<Part><PartNumber>9</PartNumber><ETag>\"%s\"</ETag><Size>%zu</Size></Part>",
	    md5, PART, md5, PART, md5, PART, md5, PART);
	s->bucket.parts = parts;
	CHECK_INT(send_large(s, 1), 0);
	CHECK_INT(count(s, "PUT "), 2);
	CHECK_INT(count(s, "partNumber=1&"), 0);
	CHECK_INT(count(s, "POST /b/" KEY "?uploads"), 0);
	CHECK_INT(count(s, "POST /b/" KEY "?uploadId=old"), 1);
	CHECK_INT(atomic_load(&s->progress), SIZE);
}

TEST(bytes_that_are_not_the_digests_are_not_sent)
{
	cleanup(setup_free_p) struct setup *s = setup_new();

	if (pwrite(s->file.fd, "x", 1, (off_t)PART + 17) != 1)
		abort();
	CHECK_INT(send_large(s, 1), -1);
	CHECK_INT(s->err.kind, ERROR_INPUT);
	CHECK(strstr(s->err.text, s->digest) != NULL);
	CHECK_INT(count(s, "PUT "), 0);
	CHECK_INT(count(s, "POST "), 0);
}

TEST(each_request_may_fail)
{
	unsigned int i;

	for (i = 1; i <= 6; i++) {
		cleanup(setup_free_p) struct setup *s = setup_new();

		s->bucket.fail_at = i;
		CHECK_INT(send_large(s, 1), -1);
		CHECK_INT(s->err.kind, ERROR_CREDENTIALS);
		CHECK_INT(atomic_load(&s->done), 0);
	}
}

int
main(void)
{
	return RUN(CASE(what_is_there_is_seen), CASE(a_neighbours_blob_is_copied),
	    CASE(texts_that_are_so_already_are_not_sent), CASE(a_large_blob_goes_up_in_parts),
	    CASE(two_large_blobs_go_up_together),
	    CASE(an_upload_that_was_broken_off_goes_on),
	    CASE(bytes_that_are_not_the_digests_are_not_sent), CASE(each_request_may_fail));
}
