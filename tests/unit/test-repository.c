#include "daemon/repository.h"

#include "tests/unit/test.h"

#define MD5 "r/a@md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

TEST(references)
{
	static const struct {
		const char	*text, *host, *name, *tag, *digest;
	} good[] = {
		{ "r.example.com/app", "r.example.com", "app", "latest", NULL },
		{ "r.example.com:5000/acme/app:1.0", "r.example.com:5000", "acme/app", "1.0", NULL },
		{ "r/a@sha256:" HEX, "r", "a", NULL, "sha256:" HEX },
		{ "r/a:t@sha256:" HEX, "r", "a", "t", "sha256:" HEX },
		{ "[::1]:5000/a:t", "[::1]:5000", "a", "t", NULL },
		{ "docker.io/alpine", "registry-1.docker.io", "library/alpine", "latest", NULL },
		{ "docker.io/acme/app", "registry-1.docker.io", "acme/app", "latest", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct repository_reference r;
		struct error err = ERROR_INIT;

		CHECK_INT(repository_reference_parse(good[i].text, &r, &err), 0);
		CHECK_STR(r.host, good[i].host);
		CHECK_STR(r.name, good[i].name);
		CHECK_STR(r.tag != NULL ? r.tag : "", good[i].tag != NULL ? good[i].tag : "");
		CHECK_STR(r.digest != NULL ? r.digest : "",
		    good[i].digest != NULL ? good[i].digest : "");
		repository_reference_done(&r);
	}
}

TEST(what_is_no_reference)
{
	static const char *const bad[] = {
		"", "app", "/app", "r/", "r//a", "r/a/", "r/A", "r/a:", "r/a:-x", "r/a:x y",
		"r/../a", "u@r/a", "r?x/a", "r/a@sha256:x", MD5, "r/a@", "r/a#b",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct repository_reference r;
		struct error err = ERROR_INIT;

		if (repository_reference_parse(bad[i], &r, &err) == 0)
			printf("# '%s' was taken\n", bad[i]);
		CHECK_INT(err.kind, ERROR_INPUT);
	}
}

int
main(void)
{
	return RUN(CASE(references), CASE(what_is_no_reference));
}
