#include "crane/location.h"

#include "common/cleanup.h"
#include "common/error.h"
#include "crane/presign.h"
#include "tests/unit/test.h"

#define KEY "{\"access_key\":\"AKIAIOSFODNN7EXAMPLE\"," \
	"\"secret_key\":\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\",\"region\":\"us-east-1\"," \
	"\"endpoint\":\"https://s3.example.com:8443\""

TEST(joins)
{
	static const struct {
		const char	*base;
		const char	*rest;
		const char	*url;
	} rows[] = {
		{ "https://b.example.com/app/", "blobs/sha256:ab", "https://b.example.com/app/blobs/sha256:ab" },
		{ "https://b.example.com/app", "tags/list", "https://b.example.com/app/tags/list" },
		{ "https://[::1]:9/a%20b", "x", "https://[::1]:9/a%20b/x" },
		{ "http://a/\r\nX: y\"", "é?#%\r\n", "http://a/%0D%0AX:%20y%22/%C3%A9%3F%23%25%0D%0A" },
		{ "", "x", "/x" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *url = location_join(rows[i].base, rows[i].rest);

		CHECK_STR(url, rows[i].url);
	}
}

TEST(splits)
{
	struct location at;

	CHECK(location_split("https://a.example.com:1/b?c", &at));
	CHECK_INT(at.scheme_len, 5);
	CHECK_INT(at.host_len, 15);
	CHECK_STR(at.path, "/b?c");
	CHECK(location_split("http://a", &at));
	CHECK_STR(at.path, "");
	CHECK(!location_split("a/b", &at));
	CHECK(!location_split("://a", &at));
	CHECK(!location_split("http:///b", &at));
	CHECK(!location_split("http://user@a/b", &at));
}

TEST(canonical_paths)
{
	static const char *const rows[][2] = {
		{ "", "/" }, { "/a%3ab:c", "/a%3Ab%3Ac" }, { "/a b%2", "/a%20b%252" },
		{ "/%c3%a9/~x", "/%C3%A9/~x" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *path = location_canonical_path(rows[i][0]);

		CHECK_STR(path, rows[i][1]);
	}
}

/* The key and the time are those of the S3 API reference's examples; the signature is that of
 * another implementation of its steps, in Python. */
TEST(signs_what_is_in_the_bucket)
{
	static const char text[] = KEY ",\"bucket\":\"images\"}";
	cleanup(presign_free_p) struct presign *p = presign_parse(text, sizeof(text) - 1, NULL);
	cleanup(free_p) char *url = NULL, *head = NULL;

	CHECK(p != NULL);
	url = presign_url(p, "GET", "https://s3.example.com:8443/images/app/blobs/sha256:ab",
	    1369353600);
	CHECK(url != NULL);
	CHECK(strncmp(url, "https://s3.example.com:8443/images/app/blobs/sha256%3Aab?"
	    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
	    "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=900&"
	    "X-Amz-SignedHeaders=host&X-Amz-Signature=", 200) == 0);
	CHECK_STR(strstr(url, "&X-Amz-Signature="), "&X-Amz-Signature="
	    "a79f9da042d8717466bde7a17fb83e0d11895fb2a6b8138ff0fcbe637d285939");
	head = presign_url(p, "HEAD", "https://s3.example.com:8443/images/app/blobs/sha256:ab",
	    1369353600);
	CHECK(head != NULL && strcmp(head, url) != 0);
	CHECK(strstr(url, "wJalr") == NULL);
}

TEST(signs_nothing_else)
{
	static const struct {
		const char	*url;
		bool		 is_signed;
	} rows[] = {
		{ "https://S3.example.com:8443/images/x", true },
		{ "https://images.s3.example.com:8443/x", true },
		{ "https://other.s3.example.com:8443/images/x", false },
		{ "https://images.x.s3.example.com:8443/x", false },
		{ "https://evils3.example.com:8443/images/x", false },
		{ "https://s3.example.com:8443/images2/x", false },
		{ "https://s3.example.com:8443/images", false },
		{ "https://s3.example.com/images/x", false },
		{ "http://s3.example.com:8443/images/x", false },
		{ "https://registry.example.com/v2/a/blobs/x", false },
		{ "https://s3.example.com:8443/images/x?acl", false },
		{ "https://s3.example.com:8443@evil.example.com/images/x", false },
	};
	static const char text[] = KEY ",\"bucket\":\"images\",\"session_token\":\"tok/en\"}";
	cleanup(presign_free_p) struct presign *p = presign_parse(text, sizeof(text) - 1, NULL);
	size_t i;

	CHECK(p != NULL);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *url = presign_url(p, "GET", rows[i].url, 0);

		if ((url != NULL) != rows[i].is_signed)
			printf("# %s\n", rows[i].url);
		CHECK_INT(url != NULL, rows[i].is_signed);
		CHECK(url == NULL || strstr(url, "&X-Amz-Security-Token=tok%2Fen&") != NULL);
	}
}

TEST(keys_that_are_none)
{
	static const struct {
		const char	*text;
		const char	*why;
	} rows[] = {
		{ "{}", "key 'access_key' is missing" },
		{ "{\"access_key\":\"a\",\"secret_key\":\"\"}", "key 'secret_key' is empty" },
		{ "{\"access_key\":\"a\",\"secret_key\":\"b\",\"region\":\"c\",\"endpoint\":\"d\"}",
		    "key 'endpoint' is not a URL like https://s3.example.com" },
		{ "{\"access_key\":\"a\",\"secret_key\":\"b\",\"region\":\"c\","
		    "\"endpoint\":\"https://d/e\"}",
		    "key 'endpoint' is not a URL like https://s3.example.com" },
	};
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct error)ERROR_INIT;
		CHECK(presign_parse(rows[i].text, strlen(rows[i].text), &err) == NULL);
		CHECK_STR(err.text, rows[i].why);
	}
	CHECK(presign_read("/nonexistent/key", &err) == NULL);
	CHECK(strstr(err.text, "No such file") != NULL);
}

int
main(void)
{
	return RUN(CASE(joins), CASE(splits), CASE(canonical_paths),
	    CASE(signs_what_is_in_the_bucket), CASE(signs_nothing_else),
	    CASE(keys_that_are_none));
}
