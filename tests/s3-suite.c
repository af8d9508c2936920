/* s3-suite: the S3 client against a real server, which S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY
 * and S3_REGION (us-east-1) name. Prints TAP. Makes buckets of its own and leaves them. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/digest.h"
#include "daemon/s3.h"
#include "tests/unit/test.h"

#define PART_SIZE (5u << 20)

static struct s3_options options;
static struct http_shared *shared;
static struct http *http;
static struct s3 *s3;
static struct deadline deadline;
static struct error err;
static char bucket[64];		/* where most stories play */

/* Keys that go wrong when encoded twice, not at all, or "cleaned". */
static const char *const odd_keys[] = {
	" leading and trailing ", "a b", "a+b", "a%20b", "100%", "%", "a//b", "a/../b", "./a", "..",
	"/slash", "slash/", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xb3", "a&b=c?d#e", "a'b\"c<d>", "a;b,c:d@e",
	"~tilde_-.", "$!*()[]{}|\\^`", "blobs/sha256:0123", "k=v/%2F/%252F",
};
#define N_ODD_KEYS (sizeof(odd_keys) / sizeof(odd_keys[0]))

static int
put_text(const char *in, const char *key, const char *text)
{
	struct s3_put put = { .bucket = in, .key = key, .content_type = "text/plain", .body = text,
		.size = strlen(text) };

	return s3_object_put(s3, &put, NULL, &deadline, &err);
}

static int
add_bytes(void *arg, const void *data, size_t len, struct error *e)
{
	return buf_add(arg, data, len) ? 0 : error_set(e, ERROR_INTERNAL, "more than expected");
}

static int
get_text(const char *in, const char *key, uint64_t first, uint64_t length, struct buf *out)
{
	buf_clear(out);
	return s3_object_get(s3, in, key, first, length, add_bytes, out, NULL, &deadline, &err);
}

static int
head(const char *key, enum s3_object_state *state, struct s3_object *info)
{
	return s3_object_head(s3, bucket, key, state, info, &deadline, &err);
}

static bool
readable_by_all(const char *in, const char *key)
{
	enum s3_object_state state = S3_OBJECT_MISSING;

	return s3_object_head_anonymous(s3, in, key, &state, NULL, &deadline, &err) == 0 &&
	    state == S3_OBJECT_FOUND;
}

static void
new_bucket(char name[64], const char *what)
{
	snprintf(name, 64, "suite-%s.%08x%08x", what, arc4random(), arc4random());
	if (s3_bucket_create(s3, name, &deadline, &err) == -1)
		printf("# %s\n", err.text);
}

struct find_bucket {
	const char	*name;
	unsigned int	 seen;
};

static int
find_bucket(void *arg, const struct s3_bucket *b, struct error *e)
{
	struct find_bucket *find = arg;

	(void)e;
	find->seen += strcmp(b->name, find->name) == 0 && b->created > 1600000000;
	return 0;
}

TEST(a_bucket_is_made_found_and_listed)
{
	struct find_bucket find = { bucket, 0 };
	enum s3_bucket_state state = S3_BUCKET_MINE;
	char region[S3_REGION_SIZE];

	CHECK_INT(s3_bucket_head(s3, bucket, &state, region, &deadline, &err), 0);
	CHECK_INT(state, S3_BUCKET_MISSING);
	CHECK_INT(s3_bucket_create(s3, bucket, &deadline, &err), 0);
	CHECK_INT(s3_bucket_create(s3, bucket, &deadline, &err), 0);
	CHECK_INT(s3_bucket_head(s3, bucket, &state, region, &deadline, &err), 0);
	CHECK_INT(state, S3_BUCKET_MINE);
	CHECK_INT(s3_bucket_list(s3, find_bucket, &find, &deadline, &err), 0);
	CHECK_INT(find.seen, 1);
	CHECK_INT(s3_bucket_location(s3, bucket, region, &deadline, &err), 0);
	CHECK(region[0] != '\0');
	CHECK_INT(s3_bucket_create(s3, "UPPER_case", &deadline, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
}

TEST(a_missing_bucket_is_named)
{
	cleanup(free_p) char *wanted = xasprintf("bucket '%s.none': object 'k': NoSuchBucket", bucket);
	cleanup(free_p) char *none = xasprintf("%s.none", bucket);

	CHECK_INT(put_text(none, "k", "x"), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(strncmp(err.text, wanted, strlen(wanted)) == 0);
}

TEST(an_object_comes_back)
{
	cleanup(buf_done) struct buf body = BUF_INIT;
	enum s3_object_state state = S3_OBJECT_MISSING;
	struct s3_object info;

	CHECK_INT(put_text(bucket, "object", "0123456789"), 0);
	CHECK_INT(head("object", &state, &info), 0);
	CHECK_INT(state, S3_OBJECT_FOUND);
	CHECK_INT(info.size, 10);
	CHECK_STR(info.content_type, "text/plain");
	CHECK_STR(info.etag, "781e5e245d69b566979b86e28d23f2c7");
	CHECK(info.mtime > 1600000000);
	CHECK_INT(get_text(bucket, "object", 0, 0, &body), 0);
	CHECK_STR(buf_str(&body), "0123456789");
	CHECK_INT(get_text(bucket, "object", 2, 3, &body), 0);
	CHECK_STR(buf_str(&body), "234");
	CHECK_INT(get_text(bucket, "object", 8, 0, &body), 0);
	CHECK_STR(buf_str(&body), "89");
	CHECK_INT(s3_object_delete(s3, bucket, "object", &deadline, &err), 0);
	CHECK_INT(s3_object_delete(s3, bucket, "object", &deadline, &err), 0);
	CHECK_INT(head("object", &state, &info), 0);
	CHECK_INT(state, S3_OBJECT_MISSING);
	CHECK_INT(get_text(bucket, "object", 0, 0, &body), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(strstr(err.text, "object 'object': NoSuchKey") != NULL);
}

TEST(an_object_of_no_bytes)
{
	cleanup(buf_done) struct buf body = BUF_INIT;
	enum s3_object_state state = S3_OBJECT_MISSING;
	struct s3_object info = { .size = 1 };

	CHECK_INT(put_text(bucket, "empty", ""), 0);
	CHECK_INT(head("empty", &state, &info), 0);
	CHECK_INT(state, S3_OBJECT_FOUND);
	CHECK_INT(info.size, 0);
	CHECK_INT(get_text(bucket, "empty", 0, 0, &body), 0);
	CHECK_INT(body.len, 0);
}

struct find_keys {
	bool		seen[N_ODD_KEYS];
	unsigned int	others;
};

static int
find_key(void *arg, const char *key, const struct s3_object *object, struct error *e)
{
	struct find_keys *find = arg;
	size_t i;

	(void)object, (void)e;
	for (i = 0; i < N_ODD_KEYS; i++) {
		if (strncmp(key, "odd/", 4) == 0 && strcmp(key + 4, odd_keys[i]) == 0) {
			find->seen[i] = true;
			return 0;
		}
	}
	printf("# unexpected key '%s'\n", key);
	find->others++;
	return 0;
}

TEST(odd_keys_stay_as_they_are)
{
	cleanup(buf_done) struct buf body = BUF_INIT;
	struct find_keys find = { .others = 0 };
	size_t i;

	for (i = 0; i < N_ODD_KEYS; i++) {
		cleanup(free_p) char *key = xasprintf("odd/%s", odd_keys[i]);

		CHECK_INT(put_text(bucket, key, key), 0);
	}
	for (i = 0; i < N_ODD_KEYS; i++) {
		cleanup(free_p) char *key = xasprintf("odd/%s", odd_keys[i]);

		CHECK_INT(get_text(bucket, key, 0, 0, &body), 0);
		CHECK_STR(buf_str(&body), key);
	}
	CHECK_INT(s3_object_list(s3, bucket, "odd/", 3, find_key, &find, &deadline, &err), 0);
	for (i = 0; i < N_ODD_KEYS; i++) {
		if (!find.seen[i])
			printf("# not listed: '%s'\n", odd_keys[i]);
		CHECK(find.seen[i]);
	}
	CHECK_INT(find.others, 0);
}

static int
add_key(void *arg, const char *key, const struct s3_object *object, struct error *e)
{
	(void)e;
	buf_printf(arg, "%s:%ju ", key, (uintmax_t)object->size);
	return 0;
}

static int
stop_at_once(void *arg, const char *key, const struct s3_object *object, struct error *e)
{
	(void)arg, (void)key, (void)object;
	return error_set(e, ERROR_INPUT, "enough");
}

TEST(a_listing_comes_in_pages)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	unsigned int page;
	char key[32];
	int i;

	for (i = 0; i < 7; i++) {
		snprintf(key, sizeof(key), "page/%d", i);
		CHECK_INT(put_text(bucket, key, "xyz"), 0);
	}
	for (page = 0; page < 9; page += 2) {
		buf_clear(&seen);
		CHECK_INT(s3_object_list(s3, bucket, "page/", page, add_key, &seen, &deadline, &err),
		    0);
		CHECK_STR(buf_str(&seen), "page/0:3 page/1:3 page/2:3 page/3:3 page/4:3 page/5:3 "
		    "page/6:3 ");
	}
	buf_clear(&seen);
	CHECK_INT(s3_object_list(s3, bucket, "nothing/", 0, add_key, &seen, &deadline, &err), 0);
	CHECK_STR(buf_str(&seen), "");
	CHECK_INT(s3_object_list(s3, bucket, "page/", 0, stop_at_once, NULL, &deadline, &err), -1);
	CHECK(strstr(err.text, "enough") != NULL);
}

TEST(what_is_there_can_be_left_alone)
{
	cleanup(buf_done) struct buf body = BUF_INIT;
	struct s3_put put = { .bucket = bucket, .key = "once", .body = "first", .size = 5,
		.if_absent = true };
	bool existed = true;

	CHECK_INT(s3_object_put(s3, &put, &existed, &deadline, &err), 0);
	CHECK(!existed);
	put.body = "again";
	CHECK_INT(s3_object_put(s3, &put, &existed, &deadline, &err), 0);
	CHECK(existed);
	CHECK_INT(get_text(bucket, "once", 0, 0, &body), 0);
	CHECK_STR(buf_str(&body), "first");
}

TEST(the_server_checks_the_digest)
{
	char digest[SHA256_HEX_SIZE];
	struct s3_put put = { .bucket = bucket, .key = "digest", .body = "abc", .size = 3,
		.sha256 = digest };
	enum s3_object_state state = S3_OBJECT_FOUND;

	digest_sha256_hex("abd", 3, digest);
	CHECK_INT(s3_object_put(s3, &put, NULL, &deadline, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_INT(head("digest", &state, NULL), 0);
	CHECK_INT(state, S3_OBJECT_MISSING);
	digest_sha256_hex("abc", 3, digest);
	CHECK_INT(s3_object_put(s3, &put, NULL, &deadline, &err), 0);
}

TEST(the_server_copies)
{
	cleanup(buf_done) struct buf body = BUF_INIT;
	enum s3_object_state state = S3_OBJECT_MISSING;
	struct s3_object info;

	CHECK_INT(put_text(bucket, "from/a+b %", "copied"), 0);
	CHECK_INT(s3_object_copy(s3, bucket, "from/a+b %", bucket, "to/\xc3\xbc", S3_ACL_DEFAULT,
	    &deadline, &err), 0);
	CHECK_INT(get_text(bucket, "to/\xc3\xbc", 0, 0, &body), 0);
	CHECK_STR(buf_str(&body), "copied");
	CHECK_INT(head("to/\xc3\xbc", &state, &info), 0);
	CHECK_STR(info.content_type, "text/plain");
	CHECK_INT(s3_object_copy(s3, bucket, "from/none", bucket, "x", S3_ACL_DEFAULT, &deadline,
	    &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
}

/* A file of two parts and 100 bytes, no two blocks of it alike. */
static int
big_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	uint32_t block[1024];
	off_t at;
	uint32_t i;

	for (at = 0; at < 2 * PART_SIZE + 100; at += (off_t)sizeof(block)) {
		for (i = 0; i < 1024; i++)
			block[i] = (uint32_t)at * 2654435761u + i;
		if (pwrite(fd, block, sizeof(block), at) != (ssize_t)sizeof(block))
			abort();
	}
	return fd;
}

static int
hash_of_key(const char *key, char out[SHA256_HEX_SIZE])
{
	cleanup(buf_done) struct buf body = BUF_INIT;

	if (get_text(bucket, key, 0, 0, &body) == -1)
		return -1;
	digest_sha256_hex(body.data, body.len, out);
	return 0;
}

TEST(a_file_is_stored_from_where_it_lies)
{
	cleanup(close_p) int fd = big_file();
	struct s3_put put = { .bucket = bucket, .key = "file", .from_fd = true, .fd = fd,
		.offset = 4000, .size = PART_SIZE };
	char want[SHA256_HEX_SIZE], got[SHA256_HEX_SIZE] = "";

	CHECK_INT(digest_sha256_fd(fd, 4000, PART_SIZE, want, &deadline, &err), 0);
	CHECK_INT(s3_object_put(s3, &put, NULL, &deadline, &err), 0);
	CHECK_INT(hash_of_key("file", got), 0);
	CHECK_STR(got, want);
}

static int
put_part(int fd, const char *key, const char *id, unsigned int number, struct s3_part *part)
{
	struct s3_put put = { .bucket = bucket, .key = key, .from_fd = true, .fd = fd,
		.offset = (off_t)(number - 1) * PART_SIZE, .size = number < 3 ? PART_SIZE : 100 };

	return s3_upload_part(s3, &put, id, number, part, &deadline, &err);
}

static int
count_part(void *arg, const struct s3_part *part, struct error *e)
{
	(void)e;
	buf_printf(arg, "%u:%ju ", part->number, (uintmax_t)part->size);
	return 0;
}

static int
count_upload(void *arg, const char *key, const char *id, time_t begun, struct error *e)
{
	(void)e;
	buf_printf(arg, "%s %s %s;", key, id, begun > 1600000000 ? "then" : "never");
	return 0;
}

TEST(an_upload_in_three_parts)
{
	static const char key[] = "parts/a b+c";
	cleanup(close_p) int fd = big_file();
	cleanup(free_p) char *id = NULL;
	cleanup(free_p) char *listed = NULL;
	cleanup(buf_done) struct buf seen = BUF_INIT;
	char want[SHA256_HEX_SIZE], got[SHA256_HEX_SIZE] = "";
	enum s3_object_state state = S3_OBJECT_MISSING;
	struct s3_part parts[3];
	struct s3_object info;

	CHECK_INT(s3_upload_create(s3, bucket, key, "application/x-layer", S3_ACL_DEFAULT, &id,
	    &deadline, &err), 0);
	CHECK_INT(put_part(fd, key, id, 2, &parts[1]), 0);
	CHECK_INT(put_part(fd, key, id, 1, &parts[0]), 0);
	CHECK_INT(put_part(fd, key, id, 1, &parts[0]), 0);
	CHECK_INT(put_part(fd, key, id, 3, &parts[2]), 0);
	CHECK_INT(s3_part_list(s3, bucket, key, id, count_part, &seen, &deadline, &err), 0);
	CHECK_STR(buf_str(&seen), "1:5242880 2:5242880 3:100 ");

	buf_clear(&seen);
	CHECK_INT(s3_upload_list(s3, bucket, "parts/", count_upload, &seen, &deadline, &err), 0);
	listed = xasprintf("%s %s then;", key, id);
	CHECK_STR(buf_str(&seen), listed);

	CHECK_INT(s3_upload_complete(s3, bucket, key, id, parts, 3, &deadline, &err), 0);
	CHECK_INT(head(key, &state, &info), 0);
	CHECK_INT(info.size, 2 * PART_SIZE + 100);
	CHECK_STR(info.content_type, "application/x-layer");
	CHECK_INT(digest_sha256_fd(fd, 0, info.size, want, &deadline, &err), 0);
	CHECK_INT(hash_of_key(key, got), 0);
	CHECK_STR(got, want);
}

TEST(an_upload_is_given_up)
{
	cleanup(close_p) int fd = big_file();
	cleanup(free_p) char *id = NULL;
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct s3_part part;

	CHECK_INT(s3_upload_create(s3, bucket, "given-up", NULL, S3_ACL_DEFAULT, &id, &deadline,
	    &err), 0);
	CHECK_INT(put_part(fd, "given-up", id, 1, &part), 0);
	CHECK_INT(s3_upload_abort(s3, bucket, "given-up", id, &deadline, &err), 0);
	CHECK_INT(s3_upload_abort(s3, bucket, "given-up", id, &deadline, &err), 0);
	CHECK_INT(s3_upload_list(s3, bucket, "given-up", count_upload, &seen, &deadline, &err), 0);
	CHECK_STR(buf_str(&seen), "");
	/* AWS says NoSuchUpload; Ceph answers 500, again and again. */
	CHECK_INT(s3_upload_complete(s3, bucket, "given-up", id, &part, 1, &deadline, &err), -1);
	CHECK(err.kind == ERROR_MISSING || err.kind == ERROR_REMOTE);
}

TEST(a_policy_lets_everybody_read)
{
	cleanup(buf_done) struct buf policy = BUF_INIT;
	cleanup(free_p) char *text = NULL;
	bool found = true, is_public = true;
	char name[64];

	new_bucket(name, "policy");
	CHECK_INT(put_text(name, "canary", "x"), 0);
	CHECK(!readable_by_all(name, "canary"));
	CHECK_INT(s3_policy_get(s3, name, &policy, &found, &deadline, &err), 0);
	CHECK(!found);
	CHECK_INT(s3_policy_is_public(s3, name, &is_public, &deadline, &err), 0);
	CHECK(!is_public);

	text = xasprintf("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
	    "\"Principal\":{\"AWS\":[\"*\"]},\"Action\":[\"s3:GetObject\"],"
	    "\"Resource\":[\"arn:aws:s3:::%s/*\"]}]}", name);
	CHECK_INT(s3_policy_put(s3, name, text, &deadline, &err), 0);
	CHECK(readable_by_all(name, "canary"));
	CHECK_INT(s3_policy_get(s3, name, &policy, &found, &deadline, &err), 0);
	CHECK(found && strstr(buf_str(&policy), "s3:GetObject") != NULL);
	CHECK_INT(s3_policy_is_public(s3, name, &is_public, &deadline, &err), 0);
	CHECK(is_public);

	CHECK_INT(s3_policy_put(s3, name, "{\"not\":\"a policy", &deadline, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_INT(s3_policy_delete(s3, name, &deadline, &err), 0);
	CHECK_INT(s3_policy_delete(s3, name, &deadline, &err), 0);
	CHECK(!readable_by_all(name, "canary"));
}

TEST(an_acl_lets_everybody_read)
{
	struct s3_put put = { .bucket = bucket, .key = "acl", .body = "x", .size = 1,
		.acl = S3_ACL_PUBLIC_READ };
	struct s3_acl acl = { false, true };

	CHECK_INT(s3_object_put(s3, &put, NULL, &deadline, &err), 0);
	CHECK(readable_by_all(bucket, "acl"));
	CHECK_INT(s3_acl_get(s3, bucket, "acl", &acl, &deadline, &err), 0);
	CHECK(acl.public_read && !acl.public_write);
	CHECK_INT(s3_acl_put(s3, bucket, "acl", S3_ACL_PRIVATE, &deadline, &err), 0);
	CHECK(!readable_by_all(bucket, "acl"));
	CHECK_INT(s3_acl_get(s3, bucket, "acl", &acl, &deadline, &err), 0);
	CHECK(!acl.public_read);
	CHECK_INT(s3_object_copy(s3, bucket, "acl", bucket, "acl-copy", S3_ACL_PUBLIC_READ, &deadline,
	    &err), 0);
	CHECK(readable_by_all(bucket, "acl-copy"));
}

TEST(a_buckets_acl_opens_the_listing_only)
{
	enum s3_object_state state = S3_OBJECT_FOUND;
	struct s3_acl acl = { true, true };
	char name[64];

	new_bucket(name, "acl");
	CHECK_INT(put_text(name, "k", "x"), 0);
	CHECK_INT(s3_acl_get(s3, name, NULL, &acl, &deadline, &err), 0);
	CHECK(!acl.public_read && !acl.public_write);
	CHECK_INT(s3_object_head_anonymous(s3, name, "none", &state, NULL, &deadline, &err), 0);
	CHECK_INT(state, S3_OBJECT_FORBIDDEN);
	CHECK_INT(s3_acl_put(s3, name, NULL, S3_ACL_PUBLIC_READ, &deadline, &err), 0);
	CHECK_INT(s3_acl_get(s3, name, NULL, &acl, &deadline, &err), 0);
	CHECK(acl.public_read && !acl.public_write);
	CHECK(!readable_by_all(name, "k"));
}

TEST(settings_that_were_never_set)
{
	struct s3_public_block block = { true, true, true, true };
	enum s3_ownership ownership;
	char name[64];

	new_bucket(name, "block");
	CHECK_INT(s3_ownership_get(s3, name, &ownership, &deadline, &err), 0);
	CHECK_INT(s3_public_block_get(s3, name, &block, &deadline, &err), 0);
	CHECK(!block.block_acls && !block.ignore_acls && !block.block_policy &&
	    !block.restrict_buckets);
	block.block_policy = block.block_acls = true;
	CHECK_INT(s3_public_block_put(s3, name, &block, &deadline, &err), 0);
	block = (struct s3_public_block){ .ignore_acls = true };
	CHECK_INT(s3_public_block_get(s3, name, &block, &deadline, &err), 0);
	CHECK(block.block_acls && !block.ignore_acls && block.block_policy);
}

/* The whole answer of a request without credentials, "" for any but a 200. */
static void
fetch(const char *url, struct http_response *response)
{
	struct http_request request = { .url = url };

	if (http_do(http, &request, response, &deadline, &err) == -1 || response->status != 200)
		buf_clear(&response->body);
}

TEST(a_presigned_url_needs_no_credentials)
{
	static const char key[] = "presigned/a b+c";
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	time_t now = time(NULL);
	cleanup(free_p) char *url = s3_presign(s3, "GET", bucket, key, 60, now, &err);
	cleanup(free_p) char *old = s3_presign(s3, "GET", bucket, key, 60, now - 3600, &err);
	cleanup(free_p) char *open_url = s3_public_url(&options, bucket, key);

	CHECK_INT(put_text(bucket, key, "signed"), 0);
	fetch(url, &response);
	CHECK_STR(buf_str(&response.body), "signed");
	fetch(open_url, &response);
	CHECK_STR(buf_str(&response.body), "");
	CHECK_INT(response.status, 403);
	fetch(old, &response);
	CHECK_STR(buf_str(&response.body), "");
	CHECK_INT(response.status, 403);
	CHECK_INT(s3_acl_put(s3, bucket, key, S3_ACL_PUBLIC_READ, &deadline, &err), 0);
	fetch(open_url, &response);
	CHECK_STR(buf_str(&response.body), "signed");
}

static int
list_with(const char *access_key, const char *secret_key, struct error *e)
{
	struct s3_options other = options;
	struct find_bucket find = { bucket, 0 };
	struct s3 *client;
	int result;

	other.access_key = access_key;
	other.secret_key = secret_key;
	if ((client = s3_new(&other, http, e)) == NULL)
		return -1;
	result = s3_bucket_list(client, find_bucket, &find, &deadline, e);
	s3_free(client);
	return result;
}

TEST(wrong_credentials_are_said_to_be)
{
	struct error e = ERROR_INIT;

	CHECK_INT(list_with(options.access_key, options.secret_key, &e), 0);
	CHECK_INT(list_with(options.access_key, "n0t-the-secret", &e), -1);
	CHECK_INT(e.kind, ERROR_CREDENTIALS);
	CHECK_STR(e.text, "S3: SignatureDoesNotMatch: the secret key is not the access key's: "
	    "check aws_secret_access_key");
	CHECK_INT(list_with("NOBODY", "n0t-the-secret", &e), -1);
	CHECK_INT(e.kind, ERROR_CREDENTIALS);
	CHECK(strstr(e.text, "InvalidAccessKeyId") != NULL);
	CHECK(strstr(e.text, "check aws_access_key") != NULL);
}

TEST(refused_without_rights)
{
	struct s3_options other = options;
	enum s3_object_state state = S3_OBJECT_FOUND;
	struct error e = ERROR_INIT;
	struct s3 *nobody;
	int result;

	CHECK_INT(put_text(bucket, "private", "x"), 0);
	other.access_key = other.secret_key = NULL;
	nobody = s3_new(&other, http, &e);
	result = s3_object_head_anonymous(nobody, bucket, "private", &state, NULL, &deadline, &e);
	s3_free(nobody);
	CHECK_INT(result, 0);
	CHECK_INT(state, S3_OBJECT_FORBIDDEN);
}

static bool
set_up(void)
{
	struct http_options http_options = { .connect_timeout_ms = 10000, .timeout_ms = 60000 };

	options.endpoint = getenv("S3_ENDPOINT");
	options.access_key = getenv("S3_ACCESS_KEY");
	options.secret_key = getenv("S3_SECRET_KEY");
	options.region = getenv("S3_REGION");
	if (options.endpoint == NULL || options.access_key == NULL || options.secret_key == NULL) {
		fputs("s3-suite: S3_ENDPOINT, S3_ACCESS_KEY or S3_SECRET_KEY is not set\n", stderr);
		return false;
	}
	deadline = deadline_in(300000, NULL);
	snprintf(bucket, sizeof(bucket), "suite.%08x%08x", arc4random(), arc4random());
	if ((shared = http_shared_new(&http_options, &err)) != NULL) {
		http = http_new(shared);
		s3 = s3_new(&options, http, &err);
	}
	if (s3 == NULL)
		fprintf(stderr, "s3-suite: %s\n", err.text);
	return s3 != NULL;
}

int
main(void)
{
	int status = 2;

	if (set_up()) {
		status = RUN(CASE(a_bucket_is_made_found_and_listed), CASE(a_missing_bucket_is_named),
		    CASE(an_object_comes_back), CASE(an_object_of_no_bytes),
		    CASE(odd_keys_stay_as_they_are), CASE(a_listing_comes_in_pages),
		    CASE(what_is_there_can_be_left_alone), CASE(the_server_checks_the_digest),
		    CASE(the_server_copies), CASE(a_file_is_stored_from_where_it_lies),
		    CASE(an_upload_in_three_parts), CASE(an_upload_is_given_up),
		    CASE(a_policy_lets_everybody_read), CASE(an_acl_lets_everybody_read),
		    CASE(a_buckets_acl_opens_the_listing_only), CASE(settings_that_were_never_set),
		    CASE(a_presigned_url_needs_no_credentials),
		    CASE(wrong_credentials_are_said_to_be), CASE(refused_without_rights));
	}
	s3_free(s3);
	http_free(http);
	http_shared_free(shared);
	return status;
}
