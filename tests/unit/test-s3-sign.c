#include "daemon/s3-sign.h"

#include "common/cleanup.h"
#include "daemon/digest.h"
#include "tests/unit/test.h"

#define FORM_HASH "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"

/* A row of AWS's Signature Version 4 test suite: 2015-08-30T12:36:00Z, us-east-1, "service". */
struct vector {
	const char	*name;
	const char	*method;
	const char	*path;
	const char	*query;
	const char	*headers[8];	/* after Host; before X-Amz-Date */
	const char	*payload_hash;
	const char	*signature;
};

static const struct vector vectors[] = {
	{ "get-vanilla", "GET", "/", "", { NULL }, SHA256_HEX_EMPTY,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", { NULL },
	    SHA256_HEX_EMPTY, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-empty-query-key", "GET", "/", "Param1=value1", { NULL }, SHA256_HEX_EMPTY,
	    "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
	{ "get-vanilla-query-unreserved", "GET", "/",
	    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
	    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", { NULL },
	    SHA256_HEX_EMPTY, "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
	{ "get-vanilla-utf8-query", "GET", "/", "%E1%88%B4=bar", { NULL }, SHA256_HEX_EMPTY,
	    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-utf8", "GET", "/%E1%88%B4", "", { NULL }, SHA256_HEX_EMPTY,
	    "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-unreserved", "GET",
	    "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", { NULL },
	    SHA256_HEX_EMPTY, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-header-key-duplicate", "GET", "/", "",
	    { "My-Header1:value2", "My-Header1:value2", "My-Header1:value1" }, SHA256_HEX_EMPTY,
	    "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
	{ "get-header-value-trim", "GET", "/", "",
	    { "My-Header1: value1", "My-Header2: \"a   b   c\"" }, SHA256_HEX_EMPTY,
	    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "post-vanilla", "POST", "/", "", { NULL }, SHA256_HEX_EMPTY,
	    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-header-key-sort", "POST", "/", "", { "My-Header1:value1" }, SHA256_HEX_EMPTY,
	    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
	{ "post-x-www-form-urlencoded", "POST", "/", "",
	    { "Content-Type:application/x-www-form-urlencoded" }, FORM_HASH,
	    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
};

static char *
sign_vector(const struct vector *v)
{
	const char *headers[12] = { "Host:example.amazonaws.com" };
	size_t n = 1, i;
	struct s3_signing s = {
		.access_key = "AKIDEXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		.region = "us-east-1", .service = "service", .at = 1440938160, .method = v->method,
		.path = v->path, .query = v->query, .headers = headers,
		.payload_hash = v->payload_hash,
	};

	for (i = 0; v->headers[i] != NULL; i++)
		headers[n++] = v->headers[i];
	headers[n++] = "X-Amz-Date:20150830T123600Z";
	return s3_sign_request(&s);
}

TEST(vectors_of_the_test_suite)
{
	const struct vector *v;

	for (v = vectors; v < vectors + sizeof(vectors) / sizeof(vectors[0]); v++) {
		cleanup(free_p) char *value = sign_vector(v);

		if (strcmp(strstr(value, "Signature=") + 10, v->signature) != 0)
			printf("# %s\n", v->name);
		CHECK_STR(strstr(value, "Signature=") + 10, v->signature);
	}
}

/* The examples of the S3 API reference, "Signature Calculations for the Authorization Header". */
static struct s3_signing
s3_example(const char *method, const char *path, const char *query, const char *const *headers)
{
	return (struct s3_signing){
		.access_key = "AKIAIOSFODNN7EXAMPLE",
		.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", .region = "us-east-1",
		.service = "s3", .at = 1369353600, .method = method, .path = path, .query = query,
		.headers = headers, .payload_hash = SHA256_HEX_EMPTY,
	};
}

#define EXAMPLE_HOST "Host: examplebucket.s3.amazonaws.com"
#define EXAMPLE_DATE "x-amz-date: 20130524T000000Z"
#define EXAMPLE_EMPTY "x-amz-content-sha256: " SHA256_HEX_EMPTY

TEST(s3_get_with_a_range)
{
	static const char *const headers[] = { EXAMPLE_HOST, "Range: bytes=0-9", EXAMPLE_EMPTY,
		EXAMPLE_DATE, NULL };
	struct s3_signing s = s3_example("GET", "/test.txt", "", headers);
	cleanup(free_p) char *value = s3_sign_request(&s);

	CHECK_STR(value, "AWS4-HMAC-SHA256 "
	    "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
	    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
	    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(s3_put)
{
	static const char hash[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	static const char *const headers[] = { EXAMPLE_HOST, "Date: Fri, 24 May 2013 00:00:00 GMT",
		EXAMPLE_DATE, "x-amz-storage-class: REDUCED_REDUNDANCY",
		"x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
		NULL };
	struct s3_signing s = s3_example("PUT", "/test%24file.text", "", headers);
	cleanup(free_p) char *value = NULL;

	s.payload_hash = hash;
	value = s3_sign_request(&s);
	CHECK_STR(strstr(value, "Signature="),
	    "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(s3_query_without_and_with_values)
{
	static const char *const headers[] = { EXAMPLE_HOST, EXAMPLE_EMPTY, EXAMPLE_DATE, NULL };
	struct s3_signing s = s3_example("GET", "/", "lifecycle", headers);
	cleanup(free_p) char *lifecycle = s3_sign_request(&s);
	cleanup(free_p) char *list = NULL;

	CHECK_STR(strstr(lifecycle, "Signature="),
	    "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	s.query = "prefix=J&max-keys=2";
	list = s3_sign_request(&s);
	CHECK_STR(strstr(list, "Signature="),
	    "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(s3_presigned_url)
{
	static const char *const headers[] = { EXAMPLE_HOST, NULL };
	struct s3_signing s = s3_example("GET", "/test.txt", "", headers);
	cleanup(free_p) char *query = NULL;

	s.payload_hash = S3_UNSIGNED_PAYLOAD;
	query = s3_sign_url(&s, 86400);
	CHECK_STR(query, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE"
	    "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
	    "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
	    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

/* '-' sorts before '=', so that whole pairs in order are not names in order. */
TEST(names_that_begin_alike)
{
	static const char *const one[] = { EXAMPLE_HOST, "x-amz-meta: 1", "x-amz-meta-a: 2", NULL };
	static const char *const two[] = { "X-Amz-Meta-A: 2", EXAMPLE_HOST, "X-Amz-Meta: 1", NULL };
	struct s3_signing s = s3_example("GET", "/", "a=1&a-b=2&a=0", one);
	cleanup(free_p) char *first = s3_sign_request(&s);
	cleanup(free_p) char *second = NULL;
	cleanup(free_p) char *other = NULL;

	s.headers = two;
	s.query = "a=0&a=1&a-b=2";
	second = s3_sign_request(&s);
	CHECK_STR(second, first);
	CHECK(strstr(first, "SignedHeaders=host;x-amz-meta;x-amz-meta-a,") != NULL);
	s.query = "a=0&a=2&a-b=1";
	other = s3_sign_request(&s);
	CHECK(strcmp(other, first) != 0);
}

TEST(encoding)
{
	cleanup(buf_done) struct buf b = BUF_INIT;

	s3_encode(&b, "a b+/%~.\xc3\xbc", true);
	CHECK_STR(buf_str(&b), "a%20b%2B/%25~.%C3%BC");
	buf_clear(&b);
	s3_encode(&b, "a/=&", false);
	CHECK_STR(buf_str(&b), "a%2F%3D%26");
}

int
main(void)
{
	return RUN(CASE(vectors_of_the_test_suite), CASE(s3_get_with_a_range), CASE(s3_put),
	    CASE(s3_query_without_and_with_values), CASE(s3_presigned_url),
	    CASE(names_that_begin_alike), CASE(encoding));
}
