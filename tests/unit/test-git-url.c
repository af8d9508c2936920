#include "daemon/git-url.h"

#include "common/alloc.h"
#include "tests/unit/test.h"

/* "KIND USER HOST PORT PATH", or "-: ERROR"; '-' for what is not there. */
static const char *
parsed(const char *text)
{
	static char out[1024];
	struct error err = ERROR_INIT;
	struct git_url url;

	if (git_url_parse(text, &url, &err) == -1) {
		snprintf(out, sizeof out, "-: %s", err.kind == ERROR_INPUT ? err.text : "kind");
		return out;
	}
	snprintf(out, sizeof out, "%s %s %s %u %s",
	    url.kind == GIT_URL_SSH ? "ssh" : url.kind == GIT_URL_HTTP ? "http" : "local",
	    url.user != NULL ? url.user : "-", url.host != NULL ? url.host : "-", url.port,
	    url.path != NULL ? url.path : "-");
	git_url_done(&url);
	return out;
}

static bool
refused(const char *text, const char *part)
{
	const char *got = parsed(text);

	if (strncmp(got, "-: ", 3) == 0 && strstr(got, part) != NULL)
		return true;
	printf("# %s: %s\n", text, got);
	return false;
}

static const char *
shown(const char *url)
{
	static char out[256];
	char *text = git_url_shown(url);

	snprintf(out, sizeof out, "%s", text);
	free(text);
	return out;
}

TEST(ssh_urls)
{
	CHECK_STR(parsed("ssh://h/p"), "ssh - h 0 /p");
	CHECK_STR(parsed("SSH://git@h.example:2222/a/b.git"), "ssh git h.example 2222 /a/b.git");
	CHECK_STR(parsed("ssh://a@b@h/p"), "ssh a@b h 0 /p");
	CHECK_STR(parsed("ssh://git@[::1]:22/p"), "ssh git ::1 22 /p");
	CHECK_STR(parsed("ssh://[fe80::1%eth0]/p"), "ssh - fe80::1%eth0 0 /p");
	CHECK_STR(parsed("ssh://h:/p"), "ssh - h 0 /p");
	CHECK_STR(parsed("ssh://57d0a@registry-acme.example.com/~/git/registry.git/"),
	    "ssh 57d0a registry-acme.example.com 0 ~/git/registry.git/");
	CHECK_STR(parsed("ssh://h/~bob/x"), "ssh - h 0 ~bob/x");
	CHECK_STR(parsed("ssh://h/a~/x"), "ssh - h 0 /a~/x");
	CHECK_STR(parsed("ssh://h/with%20space/it%27s%21"), "ssh - h 0 /with space/it's!");
	CHECK_STR(parsed("ssh://h/a@b:c"), "ssh - h 0 /a@b:c");
}

TEST(scp_like)
{
	CHECK_STR(parsed("git@host:path/x.git"), "ssh git host 0 path/x.git");
	CHECK_STR(parsed("host:/abs"), "ssh - host 0 /abs");
	CHECK_STR(parsed("host:~bob/x"), "ssh - host 0 ~bob/x");
	CHECK_STR(parsed("host:/~bob/x"), "ssh - host 0 ~bob/x");
	CHECK_STR(parsed("a@b@host:p"), "ssh a@b host 0 p");
	CHECK_STR(parsed("git@[::1]:p"), "ssh git ::1 0 p");
	CHECK_STR(parsed("host:100%25"), "ssh - host 0 100%25");
	CHECK_STR(parsed("host:22/p"), "ssh - host 0 22/p");
}

TEST(paths_and_the_others)
{
	CHECK_STR(parsed("/srv/a:b"), "local - - 0 /srv/a:b");
	CHECK_STR(parsed("/srv/a://b"), "local - - 0 /srv/a://b");
	CHECK_STR(parsed("./a:b"), "local - - 0 ./a:b");
	CHECK_STR(parsed("a/b"), "local - - 0 a/b");
	CHECK_STR(parsed("file:///srv/a%20b"), "local - - 0 /srv/a b");
	CHECK_STR(parsed("file://localhost/srv"), "local - - 0 /srv");
	CHECK_STR(parsed("https://u:p@h:8443/x?y"), "http - - 0 -");
	CHECK_STR(parsed("http://[::1]/x"), "http - - 0 -");
}

TEST(nothing_becomes_an_option_or_a_command)
{
	CHECK(refused("ssh://-oProxyCommand=x/p", "host name"));
	CHECK(refused("ssh://%2doProxyCommand=x/p", "host name"));
	CHECK(refused("-oProxyCommand=x:p", "host name"));
	CHECK(refused("ssh://[-o::x]/p", "host name"));
	CHECK(refused("ssh://-l@h/p", "user name"));
	CHECK(refused("ssh://%2dl@h/p", "user name"));
	CHECK(refused("ssh://a%20b@h/p", "user name"));
	CHECK(refused("$(id)@h:p", "user name"));
	CHECK(refused("ssh://h;id/p", "host name"));
	CHECK(refused("h`id`:p", "host name"));
	CHECK(refused("h:-x", "begins with '-'"));
	CHECK(refused("--upload-pack=x", "begins with '-'"));
	CHECK(refused("ssh://h/a%0ab", "control character"));
	CHECK(refused("ssh://h/a%00b", "hexadecimal"));
}

TEST(not_a_url)
{
	CHECK(refused("", "no path"));
	CHECK(refused("ssh://h", "no path"));
	CHECK(refused("ssh:///p", "host name ''"));
	CHECK(refused("ssh://@h/p", "user name ''"));
	CHECK(refused(":p", "host name ''"));
	CHECK(refused("h:", "no path"));
	CHECK(refused("ssh://h:0/p", "port"));
	CHECK(refused("ssh://h:65536/p", "port"));
	CHECK(refused("ssh://h:99999999999999/p", "port"));
	CHECK(refused("ssh://h:2x/p", "port"));
	CHECK(refused("ssh://[::1]2/p", "port"));
	CHECK(refused("ssh://[::1/p", "no ']'"));
	CHECK(refused("git@[host:22]:p", "ssh://HOST:PORT/PATH"));
	CHECK(refused("git@[::1]", "no ':'"));
	CHECK(refused("ssh://h/%4", "hexadecimal"));
	CHECK(refused("ssh://h/%zz", "hexadecimal"));
	CHECK(refused("git://h/p", "a git URL is"));
	CHECK(refused("https:///x", "no host"));
	CHECK(refused("https://u@/x", "no host"));
	CHECK(refused("file://h/x", "path's '/'"));
}

TEST(passwords_are_refused_for_ssh)
{
	CHECK(refused("ssh://u:secret@h/p", "no password"));
	CHECK(refused("u:secret@h:p", "without a password"));
	CHECK(strstr(parsed("ssh://u:secret@h/p"), "secret") == NULL);
	CHECK(strstr(parsed("u:secret@h:p"), "secret") == NULL);
	CHECK(strstr(parsed("ssh://u:sec/secret@h/p"), "secret") == NULL);
}

TEST(shown_without_passwords)
{
	CHECK_STR(shown("https://u:secret@h:1/p/x@y?token=t#f"), "https://h:1/p/x@y");
	CHECK_STR(shown("https://token@h/p"), "https://h/p");
	CHECK_STR(shown("https://u:se/cret@h/p"), "https://h/p");
	CHECK_STR(shown("https://h:8443/p@q"), "https://h:8443/p@q");
	CHECK_STR(shown("https://[::1]:8443/p@q"), "https://[::1]:8443/p@q");
	CHECK_STR(shown("ssh://git@h/p"), "ssh://git@h/p");
	CHECK_STR(shown("ssh://u:secret@h/p"), "ssh://u@h/p");
	CHECK_STR(shown("u:secret@h:p"), "u@h:p");
	CHECK_STR(shown("git@h:p"), "git@h:p");
	CHECK_STR(shown("git@[::1]:p"), "git@[::1]:p");
	CHECK_STR(shown("/srv/a:b@c"), "/srv/a:b@c");
	CHECK_STR(shown("svn://u:secret@h/p"), "svn://u@h/p");
	CHECK_STR(shown(""), "");
}

int
main(void)
{
	return RUN(CASE(ssh_urls), CASE(scp_like), CASE(paths_and_the_others),
	    CASE(nothing_becomes_an_option_or_a_command), CASE(not_a_url),
	    CASE(passwords_are_refused_for_ssh), CASE(shown_without_passwords));
}
