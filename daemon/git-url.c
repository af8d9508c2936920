#include "daemon/git-url.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"

/* Names that ssh hands to a shell in ProxyCommand and `Match exec`, so narrower than RFC 3986. */
#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define USER_CHARS HOST_CHARS "@+=,~%"
#define V6_CHARS HOST_CHARS ":%"

static bool
has_scheme(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* What follows "SCHEME://"; NULL: there is none. */
static const char *
after_scheme(const char *url)
{
	const char *colon = url + strspn(url, HOST_CHARS "+");

	return colon != url && strncmp(colon, "://", 3) == 0 ? colon + 3 : NULL;
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	return c != '\0' && (at = strchr(digits, c)) != NULL ? (int)(at - digits) : -1;
}

/* A copy of `len` bytes with %XX undone; NULL for %00 and for what is not hexadecimal. */
static char *
percent_decode(const char *text, size_t len)
{
	char *out = xcalloc(len + 1, 1), *to = out;
	size_t i;

	for (i = 0; i < len; i++) {
		int high, low;

		if (text[i] != '%') {
			*to++ = text[i];
			continue;
		}
		high = i + 1 < len ? hex_digit(text[i + 1]) : -1;
		low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
		if (high == -1 || low == -1 || high + low == 0) {
			free(out);
			return NULL;
		}
		*to++ = (char)(high << 4 | low);
		i += 2;
	}
	return out;
}

static int
decode(const char *text, size_t len, char **out, struct error *err)
{
	if ((*out = percent_decode(text, len)) == NULL)
		return error_set(err, ERROR_INPUT,
		    "in a URL two hexadecimal digits, not 00, follow each '%%'");
	return 0;
}

static bool
consists_of(const char *text, const char *allowed)
{
	return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

static int
check_user(const char *user, struct error *err)
{
	if (strchr(user, ':') != NULL)
		return error_set(err, ERROR_INPUT, "ssh takes no password in a URL; use a key");
	if (*user == '-' || !consists_of(user, USER_CHARS))
		return error_set(err, ERROR_INPUT, "user name '%s' cannot be given to ssh", user);
	return 0;
}

static int
check_host(const char *host, bool v6, struct error *err)
{
	if (*host == '-' || !consists_of(host, v6 ? V6_CHARS : HOST_CHARS))
		return error_set(err, ERROR_INPUT, "host name '%s' cannot be given to ssh", host);
	return 0;
}

static int
check_path(const char *path, struct error *err)
{
	const unsigned char *p;

	if (*path == '\0')
		return error_set(err, ERROR_INPUT, "the URL has no path");
	if (*path == '-')
		return error_set(err, ERROR_INPUT, "path '%s' begins with '-'", path);
	for (p = (const unsigned char *)path; *p != '\0'; p++)
		if (*p < ' ' || *p == 0x7f)
			return error_set(err, ERROR_INPUT, "path '%s' has a control character",
			    path);
	return 0;
}

/* What follows the host in an authority: nothing, or ":PORT". */
static int
read_port(const char *text, size_t len, unsigned int *port, struct error *err)
{
	unsigned int n = 0;
	size_t i;

	if (len <= 1 && (len == 0 || *text == ':'))
		return 0;
	for (i = 1; i < len && text[i] >= '0' && text[i] <= '9' && n <= 65535; i++)
		n = n * 10 + (unsigned int)(text[i] - '0');
	if (*text != ':' || i < len || n == 0 || n > 65535)
		return error_set(err, ERROR_INPUT, "the URL's port is not a number from 1 to 65535");
	*port = n;
	return 0;
}

/* HOST or [V6]; *used is how far it goes. A v6 address is told from HOST:PORT by its colons. */
static int
read_host(const char *text, size_t len, struct git_url *url, size_t *used, struct error *err)
{
	const char *end;
	bool v6 = len > 0 && *text == '[';

	end = memchr(text, v6 ? ']' : ':', len);
	if (v6 && end == NULL)
		return error_set(err, ERROR_INPUT, "the URL's '[' has no ']'");
	if (end == NULL)
		end = text + len;
	url->host = xstrndup(text + v6, (size_t)(end - text) - v6);
	*used = (size_t)(end - text) + v6;
	if (v6 && (strchr(url->host, ':') == NULL ||
	    strchr(url->host, ':') == strrchr(url->host, ':')))
		return error_set(err, ERROR_INPUT,
		    "'[%s]' is no IPv6 address; for a port write ssh://HOST:PORT/PATH", url->host);
	return check_host(url->host, v6, err);
}

static const char *
last_at(const char *text, size_t len)
{
	return memrchr(text, '@', len);
}

/* The other end's home: "/~/x" and "/~user/x" stand for "~/x" and "~user/x". */
static void
unroot_home(char *path)
{
	if (path[0] == '/' && path[1] == '~')
		memmove(path, path + 1, strlen(path));
}

static int
parse_ssh(const char *rest, struct git_url *url, struct error *err)
{
	size_t len = strcspn(rest, "/"), used;
	const char *path = rest + len, *at = last_at(rest, len);

	if (at != NULL) {
		if (decode(rest, (size_t)(at - rest), &url->user, err) == -1 ||
		    check_user(url->user, err) == -1)
			return -1;
		len -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	if (read_host(rest, len, url, &used, err) == -1 ||
	    read_port(rest + used, len - used, &url->port, err) == -1 ||
	    decode(path, strlen(path), &url->path, err) == -1)
		return -1;
	unroot_home(url->path);
	return check_path(url->path, err);
}

/* [USER@]HOST:PATH; nothing is percent-encoded there. */
static int
parse_scp(const char *text, struct git_url *url, struct error *err)
{
	size_t len = strcspn(text, "/"), used;
	const char *colon = memchr(text, ':', len), *at = last_at(text, len);

	if (at != NULL && at > colon && memchr(text, '[', len) == NULL)
		return error_set(err, ERROR_INPUT,
		    "'@' follows ':'; write ssh://USER@HOST/PATH, without a password");
	if (at != NULL) {
		url->user = xstrndup(text, (size_t)(at - text));
		if (check_user(url->user, err) == -1)
			return -1;
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	if (read_host(text, len, url, &used, err) == -1)
		return -1;
	if (text[used] != ':')
		return error_set(err, ERROR_INPUT, "no ':' between host and path");
	url->path = xstrdup(text + used + 1);
	unroot_home(url->path);
	return check_path(url->path, err);
}

static int
parse_file(const char *rest, struct git_url *url, struct error *err)
{
	if (has_scheme(rest, "localhost/"))
		rest += strlen("localhost");
	if (*rest != '/')
		return error_set(err, ERROR_INPUT, "a file:// URL goes on with the path's '/'");
	if (decode(rest, strlen(rest), &url->path, err) == -1)
		return -1;
	return check_path(url->path, err);
}

static int
parse_http(const char *rest, struct error *err)
{
	size_t len = strcspn(rest, "/?#");
	const char *at = last_at(rest, len);

	if (len == 0 || (at != NULL && at + 1 == rest + len))
		return error_set(err, ERROR_INPUT, "the URL names no host");
	return 0;
}

/* git's rule: a colon before the first slash. */
static bool
is_scp_like(const char *text)
{
	return text[strcspn(text, ":/")] == ':';
}

static int
parse(const char *text, struct git_url *url, struct error *err)
{
	const char *rest = after_scheme(text);

	if (rest == NULL) {
		if (is_scp_like(text)) {
			url->kind = GIT_URL_SSH;
			return parse_scp(text, url, err);
		}
		url->kind = GIT_URL_LOCAL;
		url->path = xstrdup(text);
		return check_path(text, err);
	}
	if (has_scheme(text, "ssh://")) {
		url->kind = GIT_URL_SSH;
		return parse_ssh(rest, url, err);
	}
	if (has_scheme(text, "https://") || has_scheme(text, "http://")) {
		url->kind = GIT_URL_HTTP;
		return parse_http(rest, err);
	}
	if (has_scheme(text, "file://")) {
		url->kind = GIT_URL_LOCAL;
		return parse_file(rest, url, err);
	}
	return error_set(err, ERROR_INPUT,
	    "a git URL is ssh://, https://, http://, file://, USER@HOST:PATH or a path");
}

int
git_url_parse(const char *text, struct git_url *out, struct error *err)
{
	struct git_url url = { 0 };

	if (parse(text, &url, err) == -1) {
		git_url_done(&url);
		return -1;
	}
	*out = url;
	return 0;
}

void
git_url_done(struct git_url *url)
{
	free(url->user);
	free(url->host);
	free(url->path);
	*url = (struct git_url){ 0 };
}

/* How far user and password go, their '@' included. A password with a bare '/' in it makes no
 * valid URL, but is still not to be shown: the port is then no number. */
static size_t
userinfo_len(const char *rest)
{
	size_t len = strcspn(rest, "/?#");
	const char *at = last_at(rest, len), *colon;

	if (at == NULL && *rest != '[' && (colon = memchr(rest, ':', len)) != NULL &&
	    strspn(colon + 1, "0123456789") != (size_t)(rest + len - colon - 1))
		at = strrchr(rest, '@');
	return at != NULL ? (size_t)(at + 1 - rest) : 0;
}

char *
git_url_shown(const char *url)
{
	const char *scheme = after_scheme(url), *rest = scheme != NULL ? scheme : url;
	bool http = has_scheme(url, "http://") || has_scheme(url, "https://");
	size_t userinfo, user;

	if (scheme != NULL) {
		userinfo = userinfo_len(rest);
	} else if (is_scp_like(url)) {
		const char *at = last_at(url, strcspn(url, "/"));

		userinfo = at != NULL ? (size_t)(at + 1 - url) : 0;
	} else {
		return xstrdup(url);
	}
	user = http || userinfo == 0 ? 0 : strcspn(rest, ":@");
	return xasprintf("%.*s%.*s%s%.*s", (int)(rest - url), url, (int)user, rest,
	    user != 0 ? "@" : "",
	    (int)(http ? strcspn(rest + userinfo, "?#") : strlen(rest + userinfo)),
	    rest + userinfo);
}
