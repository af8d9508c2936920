#include "daemon/origin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/manifest.h"

#define REDIRECTS_MAX 5
#define TRIES 3

/* One byte is asked for; a server that sends all of it is stopped. */
static int
stop_reading(void *arg, const void *data, size_t len, struct error *err)
{
	bool *answered = arg;

	(void)data;
	(void)len;
	*answered = true;
	return error_set(err, ERROR_CANCELLED, "enough");
}

/* A signed URL is good for one method, so where a redirect leads is asked by GET. */
static int
ask(struct http *http, const char *url, bool head, struct http_response *response,
    const struct deadline *d, struct error *err)
{
	static const char *const first_byte[] = { "Range: bytes=0-0", NULL };
	struct http_request request = { .url = url, .method = head ? "HEAD" : NULL };
	bool answered = false;

	if (!head) {
		request.headers = first_byte;
		request.sink = stop_reading;
		request.sink_arg = &answered;
	}
	http_response_done(response);
	*response = (struct http_response)HTTP_RESPONSE_INIT;
	if (http_do(http, &request, response, d, err) == 0)
		return 0;
	return answered && response->status / 100 == 2 ? 0 : -1;
}

static int
check_size(const struct http_response *response, uint64_t size, struct error *err)
{
	char text[64], *slash;
	unsigned long long length;

	if (size == SIZE_UNKNOWN)
		return 0;
	if (response->status == 206) {
		if (!http_header(response, "content-range", text, sizeof(text)) ||
		    (slash = strchr(text, '/')) == NULL || slash[1] == '*')
			return 0;
		length = strtoull(slash + 1, NULL, 10);
	} else {
		if (!http_header(response, "content-length", text, sizeof(text)))
			return 0;
		length = strtoull(text, NULL, 10);
	}
	if (length == size)
		return 0;
	return error_set(err, ERROR_MISSING, "it has %llu bytes there, not %ju", length,
	    (uintmax_t)size);
}

/* *url: the next one, the caller's to free. */
static int
follow(const char *from, const struct http_response *response, char **url, struct error *err)
{
	char location[4096];
	CURLU *u = curl_url();
	char *next = NULL;
	bool ok;

	ok = u != NULL && http_header(response, "location", location, sizeof(location)) &&
	    curl_url_set(u, CURLUPART_URL, from, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, location, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_URL, &next, 0) == CURLUE_OK;
	curl_url_cleanup(u);
	if (!ok)
		return error_set(err, ERROR_REMOTE, "a redirect to nowhere");
	free(*url);
	*url = xstrdup(next);
	curl_free(next);
	return 0;
}

static int
check_once(struct http *http, const char *first, uint64_t size, const struct deadline *d,
    struct error *err)
{
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *url = xstrdup(first);
	cleanup(free_p) char *shown = NULL;
	int hops;

	for (hops = 0; hops <= REDIRECTS_MAX; hops++) {
		if (ask(http, url, hops == 0, &response, d, err) == -1)
			return -1;
		if (response.status / 100 != 3)
			break;
		if (follow(url, &response, &url, err) == -1)
			return -1;
	}
	shown = http_url_shown(url);
	if (response.status / 100 == 2)
		return check_size(&response, size, err) == -1 ? error_prefix(err, "%s", shown) : 0;
	return error_set(err, response.status / 100 == 5 || response.status == 429 ? ERROR_REMOTE
	    : ERROR_MISSING, "%s: HTTP status %ld", shown, response.status);
}

int
origin_check(struct http *http, const char *url, uint64_t size, const struct deadline *d,
    struct error *err)
{
	unsigned int try;

	for (try = 1;; try++) {
		struct error why = ERROR_INIT;

		if (check_once(http, url, size, d, &why) == 0)
			return 0;
		if (why.kind != ERROR_REMOTE || try == TRIES ||
		    deadline_sleep(d, http_backoff_ms(try), &why) == -1) {
			*err = why;
			return -1;
		}
	}
}
