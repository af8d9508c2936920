#include "crane/location.h"

#include <ctype.h>
#include <string.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/s3-sign.h"

/* RFC 3986 section 2.3; the locale is C's. */
static bool
is_unreserved(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static void
add_encoded(struct buf *out, const char *s, const char *as_it_is)
{
	size_t plain;

	while (*s != '\0') {
		plain = 0;
		while (s[plain] != '\0' && (is_unreserved(s[plain]) ||
		    strchr(as_it_is, s[plain]) != NULL))
			plain++;
		buf_add(out, s, plain);
		s += plain;
		if (*s != '\0')
			buf_printf(out, "%%%02X", (unsigned char)*s++);
	}
}

char *
location_join(const char *base, const char *rest)
{
	struct buf out = BUF_INIT;

	add_encoded(&out, base, ":/?#[]@!$&'()*+,;=%");
	if (out.len == 0 || out.data[out.len - 1] != '/')
		buf_add_str(&out, "/");
	add_encoded(&out, rest, ":/");
	return buf_take(&out);
}

bool
location_split(const char *url, struct location *out)
{
	const char *scheme_end = strstr(url, "://");

	if (scheme_end == NULL || scheme_end == url)
		return false;
	out->scheme_len = (size_t)(scheme_end - url);
	out->host = scheme_end + 3;
	out->host_len = strcspn(out->host, "/?#");
	out->path = out->host + out->host_len;
	return out->host_len > 0 && memchr(out->host, '@', out->host_len) == NULL;
}

static int
digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

char *
location_canonical_path(const char *path)
{
	cleanup(buf_done) struct buf decoded = BUF_INIT;
	struct buf out = BUF_INIT;
	char c;

	for (; *path != '\0'; path++) {
		c = *path;
		if (c == '%' && isxdigit((unsigned char)path[1]) &&
		    isxdigit((unsigned char)path[2])) {
			c = (char)(digit(path[1]) << 4 | digit(path[2]));
			path += 2;
		}
		buf_add(&decoded, &c, 1);
	}
	if (decoded.len == 0 || decoded.data[0] != '/')
		buf_add_str(&out, "/");
	s3_encode(&out, buf_str(&decoded), true);
	return buf_take(&out);
}
