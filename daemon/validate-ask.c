#include "daemon/validate-ask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/digest.h"
#include "daemon/url.h"

#define REDIRECTS_MAX 5u
#define LOCATION_MAX 8192u
#define TRIES_MAX 3u
#define ASK_TIMEOUT_MS 30000	/* of a request that has no sink */

int
pull_fault(struct pull *p, enum validate_fault fault, const char *fmt, ...)
{
	struct validate_report *report = p->report;
	cleanup(free_p) char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1)
		abort();
	report->fault = fault;
	snprintf(report->text, sizeof(report->text), "%s%s%s",
	    p->about != NULL ? p->about : "", p->about != NULL ? ": " : "", text);
	text_clean(report->text);
	return -1;
}

void
pull_note(struct pull *p, enum validate_part part, uint64_t size, const char *fmt, ...)
{
	cleanup(free_p) char *text = NULL;
	va_list ap;
	int n;

	p->report->manifests += part == VALIDATE_MANIFEST;
	p->report->blobs += part == VALIDATE_BLOB;
	p->report->v1_images += part == VALIDATE_V1_IMAGE;
	if (size != CRANE_SIZE_UNKNOWN)
		p->report->bytes += size;
	if (p->options->step == NULL)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1)
		abort();
	p->options->step(p->options->step_arg, &(struct validate_step){ part, text, size });
}

void
pull_count_begin(void *arg)
{
	struct pull_count *count = arg;

	count->n = 0;
	if (count->digest != NULL) {
		digest_stream_free(count->digest);
		count->digest = digest_stream_new();
	}
}

int
pull_count_add(void *arg, const void *data, size_t len, struct error *err)
{
	struct pull_count *count = arg;

	count->n += len;
	if (count->n > count->limit)
		return error_set(err, ERROR_INPUT, "more than its %ju bytes",
		    (uintmax_t)count->limit);
	if (count->digest != NULL)
		digest_stream_add(count->digest, data, len);
	return 0;
}

uint64_t
reply_length(const struct reply *reply)
{
	char text[32], *end;
	unsigned long long n;

	if (!http_header(&reply->http, "content-length", text, sizeof(text)) ||
	    text[0] < '0' || text[0] > '9')
		return CRANE_SIZE_UNKNOWN;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? n : CRANE_SIZE_UNKNOWN;
}

void
reply_done(struct reply *reply)
{
	http_response_done(&reply->http);
	free(reply->where);
}

/* ---- one request ---- */

/* What no answer at all means; -1 unless it is worth another try. */
static int
judge_silence(struct pull *p, const struct question *q, const struct reply *reply,
    const struct error *err)
{
	if (deadline_check(p->deadline, &p->stopped) == -1)
		return -1;
	if (err->kind == ERROR_INPUT && q->sink != NULL)
		return pull_fault(p, VALIDATE_SIZE, "%s", err->text);
	if (err->kind == ERROR_INPUT && reply->redirected)
		return pull_fault(p, VALIDATE_CRANE, "redirects to %s", err->text);
	if (err->kind != ERROR_REMOTE) {
		p->stopped = *err;
		return -1;
	}
	switch (reply->http.trouble) {
	case HTTP_TROUBLE_NAME:
		return pull_fault(p, VALIDATE_DNS, "%s", err->text);
	case HTTP_TROUBLE_TLS:
		return pull_fault(p, VALIDATE_TLS, "%s", err->text);
	default:
		return pull_fault(p, reply->redirected ? VALIDATE_ACCESS : VALIDATE_CRANE, "%s",
		    err->text);
	}
}

/* The redirector's own word is about its metadata; one from where it leads, about the object. */
static int
judge_status(struct pull *p, const struct question *q, const struct reply *reply)
{
	const char *method = q->method != NULL ? q->method : "GET";
	long status = reply->http.status;

	if (status == 200)
		return 0;
	if (!reply->redirected)
		return pull_fault(p, status == 404 ? VALIDATE_METADATA : VALIDATE_CRANE,
		    "%s %s: HTTP status %ld%s", method, reply->where, status,
		    status == 404 ? ", it is not served" : "");
	if (status == 404 || status == 410)
		return pull_fault(p, VALIDATE_MISSING, "%s %s: HTTP status %ld", method,
		    reply->where, status);
	return pull_fault(p, VALIDATE_ACCESS, "%s %s: HTTP status %ld%s", method, reply->where,
	    status, status == 403 ? ", it is private or not there" : "");
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Replaces *url by where the answer leads. */
static int
follow(struct pull *p, struct reply *reply, char **url)
{
	char location[LOCATION_MAX];
	cleanup(free_p) char *shown = NULL;
	char *next;

	if (!http_header(&reply->http, "location", location, sizeof(location)) ||
	    (next = url_resolve(*url, location)) == NULL)
		return pull_fault(p, VALIDATE_CRANE, "%s: redirects to nowhere", reply->where);
	free(*url);
	*url = next;
	shown = http_url_shown(next);
	if (strncasecmp(p->base, "https://", 8) == 0 && strncasecmp(next, "https://", 8) != 0)
		return pull_fault(p, VALIDATE_CRANE, "%s: redirects to %s, which is not https",
		    reply->where, shown);
	reply->redirected = true;
	return 0;
}

/* One try: the request and what it redirects to. No answer at all: -1 with err. */
static int
try(struct pull *p, const struct question *q, struct reply *reply, struct error *err)
{
	cleanup(free_p) char *url = xasprintf("%s%s", p->base, q->path);
	struct http_request request = { .method = q->method, .headers = q->headers,
	    .body_max = q->body_max, .sink = q->sink, .sink_arg = q->sink_arg,
	    .timeout_ms = q->sink != NULL ? 0 : ASK_TIMEOUT_MS };
	unsigned int n;

	reply->redirected = false;
	for (n = 0; n <= REDIRECTS_MAX; n++) {
		free(reply->where);
		reply->where = http_url_shown(url);
		request.url = url;
		if (q->begin != NULL)
			q->begin(q->sink_arg);
		if (http_do(p->http, &request, &reply->http, p->deadline, err) == -1)
			return -1;
		if (!is_redirect(reply->http.status))
			return 0;
		if (follow(p, reply, &url) == -1)
			return -1;
	}
	return pull_fault(p, VALIDATE_CRANE, "%s%s: redirects more than %u times", p->base, q->path,
	    REDIRECTS_MAX);
}

/* What may be different the next moment, and which clients try again, too. */
static bool
may_pass(const struct reply *reply, int result, const struct error *err)
{
	if (result == -1)
		return err->kind == ERROR_REMOTE && reply->http.trouble == HTTP_TROUBLE_OTHER;
	return reply->http.status == 429 || reply->http.status / 100 == 5;
}

int
pull_ask(struct pull *p, const struct question *q, struct reply *reply)
{
	struct error err;
	unsigned int n;
	int result;

	for (n = 1;; n++) {
		err = (struct error)ERROR_INIT;
		result = try(p, q, reply, &err);
		if (p->report->fault != VALIDATE_WELL)
			return -1;
		if (n == TRIES_MAX || !may_pass(reply, result, &err))
			break;
		if (deadline_sleep(p->deadline, http_backoff_ms(n), &p->stopped) == -1)
			return -1;
	}
	return result == -1 ? judge_silence(p, q, reply, &err) : judge_status(p, q, reply);
}
