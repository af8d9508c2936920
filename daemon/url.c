#include "daemon/url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"

char *
url_hide_password(const char *text)
{
	cleanup(buf_done) struct buf out = BUF_INIT;
	const char *authority, *colon, *at;
	size_t n;

	while ((authority = strstr(text, "://")) != NULL) {
		authority += 3;
		/* A password may hold '@' itself: the last one ends it. */
		n = strcspn(authority, "/?# \n");
		at = memrchr(authority, '@', n);
		colon = at != NULL ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
		if (colon != NULL) {
			buf_add(&out, text, (size_t)(colon + 1 - text));
			buf_add_str(&out, "***");
			text = at;
		} else {
			buf_add(&out, text, (size_t)(authority - text));
			text = authority;
		}
	}
	buf_add_str(&out, text);
	return buf_take(&out);
}

char *
url_resolve(const char *base, const char *location)
{
	CURLU *u = curl_url();
	char *text = NULL, *copy;

	if (u == NULL)
		abort();
	if (curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, location, 0) == CURLUE_OK)
		curl_url_get(u, CURLUPART_URL, &text, 0);
	copy = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

static char *
url_part(CURLU *u, CURLUPart part, unsigned int flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, part, &text, flags) != CURLUE_OK)
		return NULL;
	copy = xstrdup(text);
	curl_free(text);
	return copy;
}

char *
url_place(const char *url, struct error *err)
{
	cleanup(free_p) char *host = NULL, *port = NULL, *path = NULL;
	CURLU *u = curl_url();

	if (u == NULL)
		abort();
	if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
		host = url_part(u, CURLUPART_HOST, 0);
		port = url_part(u, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
		path = url_part(u, CURLUPART_PATH, 0);
	}
	curl_url_cleanup(u);
	if (host == NULL || path == NULL) {
		error_set(err, ERROR_INPUT, "not a URL");
		return NULL;
	}
	return xasprintf("%s%s%s%s", host, port != NULL ? ":" : "", port != NULL ? port : "", path);
}
