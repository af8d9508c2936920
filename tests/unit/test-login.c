#include "daemon/login.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/atomic-file.h"
#include "tests/unit/test.h"

/* "USER:PASSWORD" in base64: a:host, b:namespace, c:name, d:other, e::x:y */
#define A "{\"auth\":\"YTpob3N0\"}"
#define B "{\"auth\":\"YjpuYW1lc3BhY2U=\"}"
#define C "{\"auth\":\"YzpuYW1l\"}"
#define D "{\"auth\":\"ZDpvdGhlcg==\"}"
#define E "{\"auth\":\"ZTo6eDp5\"}"

static const char many[] = "{\"auths\":{\"r.example.com\":" A ",\"r.example.com/acme\":" B
    ",\"r.example.com/acme/app\":" C ",\"r.example.com:5000\":" D ",\"other/acme/app\":" E "}}";

static int
find(const char *text, const char *place, struct login *out, struct error *err)
{
	*err = (struct error)ERROR_INIT;
	return login_find(text, strlen(text), place, out, err);
}

#define CHECK_LOGIN(file, where, user, secret) do {			\
	struct error err_;						\
	cleanup(login_done) struct login l_ = LOGIN_INIT;		\
	if (find(file, where, &l_, &err_) == -1)			\
		printf("# %s\n", err_.text);				\
	CHECK_INT(err_.kind, ERROR_NONE);				\
	CHECK_STR(l_.username, user);					\
	CHECK_STR(l_.password, secret);					\
} while (0)

#define CHECK_NONE(file, where) do {					\
	struct error err_;						\
	cleanup(login_done) struct login l_ = LOGIN_INIT;		\
	CHECK_INT(find(file, where, &l_, &err_), 0);			\
	CHECK(l_.username == NULL && l_.password == NULL);		\
} while (0)

#define CHECK_REFUSED(file, where, want) do {				\
	struct error err_;						\
	cleanup(login_done) struct login l_ = LOGIN_INIT;		\
	CHECK_INT(find(file, where, &l_, &err_), -1);			\
	CHECK_INT(err_.kind, ERROR_INPUT);				\
	if (strstr(err_.text, want) == NULL)				\
		printf("# %s\n", err_.text);				\
	CHECK(strstr(err_.text, want) != NULL);				\
	CHECK(strstr(err_.text, "YTpo") == NULL);			\
	CHECK(l_.username == NULL);					\
} while (0)

TEST(the_longest_key_counts)
{
	CHECK_LOGIN(many, "r.example.com/acme/app", "c", "name");
	CHECK_LOGIN(many, "r.example.com/acme/other", "b", "namespace");
	CHECK_LOGIN(many, "r.example.com/acme/app/deeper", "c", "name");
	CHECK_LOGIN(many, "R.Example.com/acmeister/app", "a", "host");
	CHECK_LOGIN(many, "r.example.com", "a", "host");
	CHECK_LOGIN(many, "r.example.com:5000/acme/app", "d", "other");
	CHECK_LOGIN(many, "other/acme/app", "e", ":x:y");
}

TEST(what_has_no_key_has_no_login)
{
	CHECK_NONE(many, "other/acme");
	CHECK_NONE(many, "other");
	CHECK_NONE(many, "example.com/acme/app");
	CHECK_NONE(many, "r.example.com:50/acme");
	CHECK_NONE(many, "other/ACME/app");
	CHECK_NONE("{}", "r.example.com/acme");
	CHECK_NONE("{\"auths\":null,\"credsStore\":\"pass\"}", "r.example.com/acme");
	CHECK_NONE("{\"auths\":[" A "]}", "r.example.com/acme");
}

TEST(as_docker_writes_it)
{
	static const char docker[] = "{\"HttpHeaders\":{\"User-Agent\":\"x\"},\"auths\":{"
	    "\"https://index.docker.io/v1/\":" A ",\"http://h:80/v2/\":" B "}}";

	CHECK_LOGIN(docker, "docker.io/library/x", "a", "host");
	CHECK_LOGIN(docker, "registry-1.docker.io/library/x", "a", "host");
	CHECK_LOGIN(docker, "h:80/some/app", "b", "namespace");
	CHECK_LOGIN("{\"auths\":{\"https://index.docker.io/v1/\":" A ",\"docker.io\":" D "}}",
	    "index.docker.io/a/b", "d", "other");
	/* "a:b\0\0" */
	CHECK_LOGIN("{\"auths\":{\"h\":{\"auth\":\"YTpiAAA=\"}}}", "h", "a", "b");
}

TEST(what_cannot_be_used_is_said)
{
	CHECK_REFUSED("{\"credHelpers\":{\"h/acme\":\"ecr-login\"},\"auths\":{\"h\":" A "}}",
	    "h/acme/app", "'h/acme' is kept by a helper (credHelpers)");
	CHECK_LOGIN("{\"credHelpers\":{\"h/acme\":\"ecr-login\"},\"auths\":{\"h/acme/app\":" A "}}",
	    "h/acme/app", "a", "host");
	CHECK_REFUSED("{\"auths\":{\"h\":{}},\"credsStore\":\"pass\"}", "h/a", "(credsStore)");
	CHECK_REFUSED("{\"auths\":{\"h\":{}}}", "h/a", "has no 'auth'");
	CHECK_REFUSED("{\"auths\":{\"h\":7}}", "h/a", "has no 'auth'");
	CHECK_REFUSED("{\"auths\":{\"h\":{\"auth\":\"YTpob3N0\",\"identitytoken\":\"t\"}}}", "h/a",
	    "identity token");
}

TEST(bad_files_are_not_quoted)
{
	static const char *const bad[] = { "YTpo", "YTpob3N", "!!!!", "YWFh", "OmFh", "YTpiAGI=",
	    "====", "Y===" };
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"auths\":{\"h\":{\"auth\":\"%s\"}}}", bad[i]);
		if (i > 0)
			CHECK_REFUSED(text, "h/a", "is not 'auth'");
	}
	CHECK_REFUSED("{\"auths\":{\"h\":{\"auth\":\"YTpob3N0\"", "h", "not valid JSON");
	CHECK_REFUSED("[]", "h", "not an object");
	CHECK_REFUSED("", "h", "not valid JSON");
	CHECK_REFUSED("[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]", "h", "nested");
}

TEST(from_a_file_or_a_credential)
{
	char dir[] = "/tmp/test-login-XXXXXX", path[64];
	cleanup(login_done) struct login login = LOGIN_INIT;
	struct error err = ERROR_INIT;
	int fd;

	CHECK(mkdtemp(dir) != NULL);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(atomic_file_write(fd, "auth.json", many, strlen(many), 0600, &err), 0);
	snprintf(path, sizeof(path), "%s/auth.json", dir);
	CHECK_INT(login_read(path, NULL, "r.example.com/x", &login, &err), 0);
	CHECK_STR(login.username, "a");
	CHECK_INT(login_read("credential:auth.json", dir, "other/acme/app", &login, &err), 0);
	CHECK_STR(login.username, "e");
	CHECK_INT(login_read("credential:auth.json", NULL, "h", &login, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK(unlinkat(fd, "auth.json", 0) == 0 && rmdir(dir) == 0);
	close(fd);
	CHECK_INT(login_read(path, NULL, "h", &login, &err), -1);
	CHECK(strstr(err.text, "publish.auth_file '/tmp/") != NULL);
}

int
main(void)
{
	return RUN(CASE(the_longest_key_counts), CASE(what_has_no_key_has_no_login),
	    CASE(as_docker_writes_it), CASE(what_cannot_be_used_is_said),
	    CASE(bad_files_are_not_quoted), CASE(from_a_file_or_a_credential));
}
