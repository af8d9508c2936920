#include "daemon/git-ssh.h"

#include "daemon/git-url.h"
#include "tests/unit/test.h"

#define STATUS(n) ((n) << 8)

/* "KIND: TEXT" for what ssh printed and left. */
static const char *
explained(const char *url_text, const char *printed, int wait_status)
{
	static char out[1024];
	struct error err = ERROR_INIT;
	struct git_url url;

	if (git_url_parse(url_text, &url, &err) == -1)
		return "not a URL";
	git_ssh_explain(&url, printed, wait_status, &err);
	git_url_done(&url);
	snprintf(out, sizeof out, "%s: %s", error_kind_name(err.kind), err.text);
	return out;
}

TEST(kinds)
{
	CHECK_STR(explained("h:p", "git@h: Permission denied (publickey).\r\n", STATUS(255)),
	    "credentials: git@h: Permission denied (publickey). The server must know raasd's key, "
	    "and raasd be able to read it");
	CHECK_STR(explained("h:p", "ERROR: Repository not found.\n", STATUS(1)),
	    "missing: ERROR: Repository not found.");
	CHECK_STR(explained("h:p",
	    "fatal: '/p' does not appear to be a git repository\n", STATUS(128)),
	    "missing: fatal: '/p' does not appear to be a git repository");
	CHECK_STR(explained("h:p", "ssh: connect to host h port 22: Connection refused\r\n",
	    STATUS(255)), "remote: ssh: connect to host h port 22: Connection refused");
	CHECK_STR(explained("h:p", "sh: 1: git-upload-pack: not found\n", STATUS(127)),
	    "remote: sh: 1: git-upload-pack: not found");
	CHECK_STR(explained("h:p", "Can't open user config file /x: No such file or directory\r\n",
	    STATUS(255)), "input: Can't open user config file /x: No such file or directory");
}

TEST(host_keys)
{
	CHECK_STR(explained("git@h.example:p", "Host key verification failed.\r\n", STATUS(255)),
	    "input: the host key of 'h.example' is not known; compare its fingerprint with the "
	    "server's own and run: ssh-keyscan -p 22 h.example >> ~/.ssh/known_hosts");
	CHECK(strstr(explained("ssh://[::1]:2222/p", "No ED25519 host key is known\r\n"
	    "Host key verification failed.\r\n", STATUS(255)),
	    "ssh-keyscan -p 2222 ::1 >> ~/.ssh/known_hosts") != NULL);
	CHECK_STR(explained("h:p", "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\n"
	    "Offending RSA key in /r/known_hosts:3\r\nHost key verification failed.\r\n",
	    STATUS(255)), "input: the host key of 'h' has CHANGED; if nobody stands between, "
	    "ssh-keygen -R 'h' takes the old one out (Offending RSA key in /r/known_hosts:3)");
	CHECK(strstr(explained("ssh://h:2222/p", "REMOTE HOST IDENTIFICATION HAS CHANGED!\r\n"
	    "Host key verification failed.\r\n", STATUS(255)), "-R '[h]:2222'") != NULL);
	CHECK_STR(explained("h:p", "REVOKED HOST KEY DETECTED\r\nHost key verification failed.\r\n",
	    STATUS(255)), "input: the host key of 'h' is revoked");
}

TEST(nothing_was_said)
{
	CHECK_STR(explained("h:p", "", STATUS(3)), "remote: ssh ended with status 3 and said nothing");
	CHECK_STR(explained("h:p", "\r\n\n", 11), "remote: ssh was ended by signal 11");
}

TEST(the_last_of_many_lines)
{
	char printed[4096] = "";
	const char *got;
	int i;

	for (i = 0; i < 100; i++)
		sprintf(printed + strlen(printed), "debug1: line %d\r\n", i);
	strcat(printed, "Connection closed by 192.0.2.1 port 22\n");
	got = explained("h:p", printed, STATUS(255));
	CHECK(strncmp(got, "remote: debug1: line ", 21) == 0);
	CHECK(strstr(got, "line 99 Connection closed by 192.0.2.1 port 22") != NULL);
	CHECK(strlen(got) < 320);
}

int
main(void)
{
	return RUN(CASE(kinds), CASE(host_keys), CASE(nothing_was_said),
	    CASE(the_last_of_many_lines));
}
