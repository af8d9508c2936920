#include "daemon/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "daemon/url.h"

#define REDIRECTS_MAX 5u
#define TRIES_MAX 4u		/* in a row that brought nothing new */
#define LOCATION_MAX 8192u
#define WAIT_MAX_S 60

/* One request, as the sink sees it. */
struct arrival {
	struct spool			*spool;
	const struct http_response	*response;
	bool				 begun;
};

bool
fetch_url_allowed(const char *url, bool plain_http)
{
	return strncasecmp(url, "https://", 8) == 0 ||
	    (plain_http && strncasecmp(url, "http://", 7) == 0);
}

/* "https://host:443" in lower case; NULL when that is no URL. */
static char *
url_origin(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL, *p;

	if (u == NULL)
		abort();
	if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
		origin = xasprintf("%s://%s:%s", scheme, host, port);
	for (p = origin; p != NULL && *p != '\0'; p++)
		*p |= *p >= 'A' && *p <= 'Z' ? 0x20 : 0;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return origin;
}

static bool
same_origin(const char *a, const char *b)
{
	cleanup(free_p) char *x = url_origin(a);
	cleanup(free_p) char *y = url_origin(b);

	return x != NULL && y != NULL && strcmp(x, y) == 0;
}

/* A server need not know of ranges: then it begins again. */
static int
arrival_begin(struct arrival *a, struct error *err)
{
	char range[128], want[64];

	a->begun = true;
	if (a->response->status != 206)
		return spool_size(a->spool) > 0 ? spool_restart(a->spool, err) : 0;
	snprintf(want, sizeof(want), "bytes %ju-", (uintmax_t)spool_size(a->spool));
	if (http_header(a->response, "content-range", range, sizeof(range)) &&
	    strncmp(range, want, strlen(want)) == 0)
		return 0;
	return error_set(err, ERROR_REMOTE, "another range came than was asked for");
}

static int
arrive(void *arg, const void *data, size_t len, struct error *err)
{
	struct arrival *a = arg;

	if (!a->begun && arrival_begin(a, err) == -1)
		return -1;
	return spool_add(a->spool, data, len, err);
}

/* One request to one URL. */
static int
ask(struct http *http, const struct fetch_request *f, const char *url,
    struct http_response *response, const struct deadline *d, struct error *err)
{
	struct arrival arrival = { f->spool, response, false };
	bool trusted = same_origin(url, f->url);
	const char *headers[3] = { NULL, NULL, NULL };
	struct http_request request = { .url = url, .headers = headers, .body_max = f->body_max };
	char range[64];
	size_t n = 0;

	if (f->accept != NULL)
		headers[n++] = f->accept;
	if (f->spool != NULL && spool_size(f->spool) > 0) {
		snprintf(range, sizeof(range), "Range: bytes=%ju-",
		    (uintmax_t)spool_size(f->spool));
		headers[n] = range;
	}
	if (trusted) {
		request.username = f->username;
		request.password = f->password;
		request.bearer = f->bearer;
	}
	if (f->spool != NULL) {
		request.sink = arrive;
		request.sink_arg = &arrival;
	}
	return http_do(http, &request, response, d, err);
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows redirects. *again: it may go better another time. */
static int
attempt(struct http *http, const struct fetch_request *f, struct http_response *response,
    bool *again, const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *url = xstrdup(f->url);
	cleanup(free_p) char *shown = http_url_shown(f->url);
	char location[LOCATION_MAX];
	unsigned int n;
	char *next;

	*again = false;
	for (n = 0; n <= REDIRECTS_MAX; n++) {
		if (!fetch_url_allowed(url, f->plain_http))
			return error_set(err, ERROR_INPUT, "%s leads to a URL that is not https",
			    shown);
		if (ask(http, f, url, response, d, err) == -1) {
			*again = err->kind == ERROR_REMOTE;
			return -1;
		}
		/* Nobody else than the first is logged in to: who is sent here by a redirect could
		 * name any place for that. */
		if (response->status == 401 && !same_origin(url, f->url))
			return error_set(err, ERROR_CREDENTIALS, "%s: redirected to another server, "
			    "which asks for a login: that is not sent there", shown);
		if (!is_redirect(response->status))
			return 0;
		if (!http_header(response, "location", location, sizeof(location)) ||
		    (next = url_resolve(url, location)) == NULL)
			return error_set(err, ERROR_REMOTE, "%s: redirected to nowhere", shown);
		free(url);
		url = next;
	}
	return error_set(err, ERROR_REMOTE, "%s: redirected more than %u times", shown,
	    REDIRECTS_MAX);
}

static int64_t
wait_ms(const struct http_response *response, unsigned int tries)
{
	char text[32];
	long seconds;

	if (!http_header(response, "retry-after", text, sizeof(text)))
		return http_backoff_ms(tries);
	seconds = strtol(text, NULL, 10);
	return seconds < 1 ? http_backoff_ms(tries)
	    : 1000 * (seconds < WAIT_MAX_S ? seconds : WAIT_MAX_S);
}

/* The status as an error, or 0 when it is for the caller to judge. */
static int
status_judge(const struct fetch_request *f, long status, bool *again, struct error *err)
{
	cleanup(free_p) char *shown = http_url_shown(f->url);

	if (status != 429 && status / 100 != 5)
		return 0;
	*again = true;
	return error_set(err, ERROR_REMOTE, "%s: HTTP status %ld", shown, status);
}

int
fetch_get(struct http *http, const struct fetch_request *f, struct http_response *response,
    const struct deadline *d, struct error *err)
{
	uint64_t best = f->spool != NULL ? spool_size(f->spool) : 0;
	struct error failed;
	unsigned int tries = 0;
	bool again;

	for (;;) {
		failed = (struct error)ERROR_INIT;
		if (attempt(http, f, response, &again, d, &failed) == 0 &&
		    status_judge(f, response->status, &again, &failed) == 0)
			return 0;
		if (f->spool != NULL && spool_size(f->spool) > best) {
			best = spool_size(f->spool);
			tries = 0;
		}
		if (!again || ++tries == TRIES_MAX || deadline_check(d, NULL) == -1 ||
		    deadline_sleep(d, wait_ms(response, tries), NULL) == -1)
			return error_set(err, failed.kind, "%s", failed.text);
	}
}
