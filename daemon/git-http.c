/* The https transport: https://git-scm.com/docs/http-protocol, smart protocol, version 0.
 *
 * A stream is one request. libgit2 writes the request's body and then pulls the answer; libcurl
 * is driven while it does so, and at no other time. */
#include <curl/curl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/git-transport.h"

#define CANCEL_NOTICED_MS 100
#define REDIRECTS_MAX 5L
/* A body up to this size is sent as one with its length, which every server takes; what is
 * longer goes out in chunks while libgit2 makes it. */
#define BODY_WHOLE_MAX ((size_t)1 << 20)
#define ANSWER_AHEAD_MAX ((size_t)256 << 10)	/* received and not yet asked for */
#define REFUSAL_MAX 200				/* of a refusal's own text */

/* The connection to one repository; libgit2 frees it. */
struct git_http {
	git_smart_subtransport		 parent;
	struct git_transport_param	*param;
	CURLM				*multi;
	CURL				*easy;
	CURLU				*base;		/* without user and password; NULL: a bad URL */
	char				*username;	/* NULL: none */
	char				*password;
};

enum request_state {
	REQUEST_GATHERED,	/* not begun: the body may still grow */
	REQUEST_RUNNING,
	REQUEST_ENDED,		/* with an answer or not, see `code` */
};

struct request {
	git_smart_subtransport_stream	 parent;
	struct git_http			*http;
	const char			*service;	/* "git-upload-pack" */
	bool				 lists;		/* GET of the references, else a POST */
	enum request_state		 state;
	struct curl_slist		*headers;
	char				*type;		/* the answer's Content-Type that is due */
	struct buf			 body;
	size_t				 sent;		/* bytes of body that libcurl has taken */
	bool				 chunked;
	bool				 body_ended;
	bool				 send_paused;
	struct buf			 answer;
	size_t				 taken;		/* bytes of answer that libgit2 has taken */
	bool				 receive_paused;
	bool				 answered;	/* the answer's head was looked at … */
	bool				 refused;	/* … and it is not what was asked for */
	struct buf			 refusal;
	CURLcode			 code;
	char				 curl_text[CURL_ERROR_SIZE];
};

/* Leaves the reason for git.c; the first one counts. */
static int
fail(struct git_http *h, enum error_kind kind, const char *fmt, ...)
{
	struct git_transport_param *param = h->param;
	va_list ap;

	if (param->has_error)
		return -1;
	va_start(ap, fmt);
	error_vset(&param->error, kind, fmt, ap);
	va_end(ap);
	param->has_error = true;
	git_error_set_str(GIT_ERROR_HTTP, param->error.text);
	return -1;
}

static int
base_set(struct git_http *h, const char *text)
{
	cleanup(free_p) char *trimmed = xstrdup(text);
	size_t len = strlen(trimmed);
	char *query = NULL;
	CURLU *url;

	while (len > 0 && trimmed[len - 1] == '/')
		trimmed[--len] = '\0';
	if ((url = curl_url()) == NULL)
		abort();
	if (curl_url_set(url, CURLUPART_URL, trimmed, CURLU_PATH_AS_IS) != CURLUE_OK) {
		curl_url_cleanup(url);
		return -1;
	}
	if (curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
		curl_free(query);
		curl_url_cleanup(url);
		return -1;
	}
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	curl_url_cleanup(h->base);
	h->base = url;
	return 0;
}

/* A part of the URL decoded, the caller's to free; NULL: it has none. */
static char *
base_part(const struct git_http *h, CURLUPart part, unsigned int flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(h->base, part, &text, flags) != CURLUE_OK)
		return NULL;
	copy = xstrdup(text);
	curl_free(text);
	return copy;
}

static void
forget_login(struct git_http *h)
{
	if (h->password != NULL)
		explicit_bzero(h->password, strlen(h->password));
	free(h->username);
	free(h->password);
	h->username = h->password = NULL;
}

static int
base_open(struct git_http *h)
{
	if (h->base != NULL)
		return 0;
	if (base_set(h, h->param->at->url) == -1)
		return fail(h, ERROR_INPUT, "not a URL of a git repository");
	h->username = base_part(h, CURLUPART_USER, CURLU_URLDECODE);
	h->password = base_part(h, CURLUPART_PASSWORD, CURLU_URLDECODE);
	curl_url_set(h->base, CURLUPART_USER, NULL, 0);
	curl_url_set(h->base, CURLUPART_PASSWORD, NULL, 0);
	return 0;
}

/* "https://host:443": who the login is for. */
static char *
base_origin(const struct git_http *h)
{
	cleanup(free_p) char *scheme = base_part(h, CURLUPART_SCHEME, 0);
	cleanup(free_p) char *host = base_part(h, CURLUPART_HOST, 0);
	cleanup(free_p) char *port = base_part(h, CURLUPART_PORT, CURLU_DEFAULT_PORT);

	return xasprintf("%s://%s:%s", scheme, host, port);
}

/* The repository has moved: what follows goes there, the login only if that is the same server. */
static int
base_follow(struct git_http *h, const char *tail)
{
	cleanup(free_p) char *before = base_origin(h), *after = NULL, *moved = NULL;
	size_t len, tail_len = strlen(tail);
	const char *effective = NULL;

	curl_easy_getinfo(h->easy, CURLINFO_EFFECTIVE_URL, &effective);
	len = effective != NULL ? strlen(effective) : 0;
	if (len <= tail_len || strcmp(effective + len - tail_len, tail) != 0)
		return fail(h, ERROR_REMOTE, "redirected to what is no git repository");
	moved = xstrndup(effective, len - tail_len);
	if (base_set(h, moved) == -1)
		return fail(h, ERROR_REMOTE, "redirected to what is no git repository");
	curl_url_set(h->base, CURLUPART_USER, NULL, 0);
	curl_url_set(h->base, CURLUPART_PASSWORD, NULL, 0);
	after = base_origin(h);
	if (strcasecmp(before, after) != 0)
		forget_login(h);
	return 0;
}

/* "/info/refs?service=git-upload-pack" or "/git-upload-pack". */
static char *
request_tail(const struct request *r)
{
	return xasprintf(r->lists ? "/info/refs?service=%s" : "/%s", r->service);
}

/* Is this git's own answer, or a page of something else? */
static int
look_at_head(struct request *r)
{
	CURL *easy = r->http->easy;
	const char *type = NULL;
	long status = 0, redirects = 0;
	size_t len = strlen(r->type);

	r->answered = true;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	r->refused = status != 200 || type == NULL || strncasecmp(type, r->type, len) != 0 ||
	    strchr("; \t", type[len]) == NULL;
	curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
	if (!r->refused && redirects > 0) {
		cleanup(free_p) char *tail = request_tail(r);

		return base_follow(r->http, tail);
	}
	return 0;
}

static size_t
on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size_t len = size * n;

	if (!r->answered && look_at_head(r) == -1)
		return 0;
	if (r->refused) {
		size_t room = REFUSAL_MAX - r->refusal.len;

		buf_add(&r->refusal, data, len < room ? len : room);
		return len < room ? len : 0;
	}
	if (r->answer.len - r->taken >= ANSWER_AHEAD_MAX) {
		r->receive_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_add(&r->answer, data, len);
	return len;
}

static size_t
on_body(char *out, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size_t len = size * n;

	if (len > r->body.len - r->sent)
		len = r->body.len - r->sent;
	if (len == 0 && !r->body_ended) {
		r->send_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	if (len > 0)
		memcpy(out, r->body.data + r->sent, len);
	r->sent += len;
	return len;
}

/* A kept connection may turn out to be dead: libcurl begins again on a fresh one. */
static int
on_rewind(void *arg, curl_off_t offset, int origin)
{
	struct request *r = arg;

	if (r->chunked || origin != SEEK_SET || offset < 0 || (size_t)offset > r->body.len)
		return CURL_SEEKFUNC_FAIL;
	r->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void
header_add(struct request *r, const char *line)
{
	struct curl_slist *list = curl_slist_append(r->headers, line);

	if (list == NULL)
		abort();
	r->headers = list;
}

static void
post_set(struct request *r)
{
	cleanup(free_p) char *type = xasprintf("Content-Type: application/x-%s-request", r->service);
	cleanup(free_p) char *accept = xasprintf("Accept: %s", r->type);
	CURL *easy = r->http->easy;

	header_add(r, type);
	header_add(r, accept);
	header_add(r, "Expect:");
	if (r->chunked)
		header_add(r, "Transfer-Encoding: chunked");
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
	    r->chunked ? (curl_off_t)-1 : (curl_off_t)r->body.len);
	/* What goes out in chunks cannot be sent again when a kept connection proves dead. */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, r->chunked ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_READDATA, r);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, r);
}

/* As git does, only the first request of all may be redirected: a push must not be. */
static void
get_set(struct git_http *h)
{
	cleanup(free_p) char *scheme = base_part(h, CURLUPART_SCHEME, 0);
	bool secure = strcmp(scheme, "https") == 0;

	curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(h->easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
}

static void
login_set(struct git_http *h)
{
	/* ~/.netrc keeps a password out of the URL, and so out of every file that has the URL. */
	curl_easy_setopt(h->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	if (h->username == NULL && h->password == NULL)
		return;
	curl_easy_setopt(h->easy, CURLOPT_USERNAME, h->username != NULL ? h->username : "");
	curl_easy_setopt(h->easy, CURLOPT_PASSWORD, h->password != NULL ? h->password : "");
}

static int
request_begin(struct request *r)
{
	struct git_http *h = r->http;
	cleanup(free_p) char *base = base_part(h, CURLUPART_URL, 0);
	cleanup(free_p) char *tail = request_tail(r);
	cleanup(free_p) char *url = xasprintf("%s%s", base, tail);

	curl_easy_reset(h->easy);
	http_shared_apply(h->param->at->http, h->easy);
	curl_easy_setopt(h->easy, CURLOPT_URL, url);
	curl_easy_setopt(h->easy, CURLOPT_PATH_AS_IS, 1L);
	/* Some servers tell git from a browser by this. */
	curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "git/2.0 (raasd " RAAS_VERSION ")");
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, r->curl_text);
	login_set(h);
	header_add(r, "Pragma: no-cache");
	if (r->lists)
		get_set(h);
	else
		post_set(r);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, r->headers);
	if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return fail(h, ERROR_INTERNAL, "curl_multi_add_handle failed");
	r->state = REQUEST_RUNNING;
	return 0;
}

static bool
has_answer(const struct request *r)
{
	return r->taken < r->answer.len;
}

static bool
has_sent(const struct request *r)
{
	return r->sent == r->body.len;
}

/* Lets libcurl go on where a callback stopped it and there is no reason any more. */
static void
resume(struct request *r)
{
	bool receive = r->receive_paused && !has_answer(r);
	bool send = r->send_paused && (!has_sent(r) || r->body_ended);

	if (!receive && !send)
		return;
	r->receive_paused = r->receive_paused && !receive;
	r->send_paused = r->send_paused && !send;
	curl_easy_pause(r->http->easy, (r->receive_paused ? CURLPAUSE_RECV : 0) |
	    (r->send_paused ? CURLPAUSE_SEND : 0));
}

static int
drive_once(struct request *r)
{
	struct git_http *h = r->http;
	CURLMsg *message;
	int running = 0, left;

	resume(r);
	if (curl_multi_perform(h->multi, &running) != CURLM_OK)
		return fail(h, ERROR_INTERNAL, "curl_multi_perform failed");
	if (running > 0)
		return 0;
	message = curl_multi_info_read(h->multi, &left);
	r->code = message != NULL ? message->data.result : CURLE_FAILED_INIT;
	r->state = REQUEST_ENDED;
	return 0;
}

/* Until there is enough or the request has ended. */
static int
drive(struct request *r, bool (*enough)(const struct request *))
{
	const struct deadline *deadline = r->http->param->deadline;
	struct error late = ERROR_INIT;
	int64_t wait_ms;

	while (r->state == REQUEST_RUNNING && !enough(r)) {
		if (deadline_check(deadline, &late) == -1)
			return fail(r->http, late.kind, "%s", late.text);
		if (drive_once(r) == -1)
			return -1;
		if (r->state != REQUEST_RUNNING || enough(r))
			return 0;
		wait_ms = deadline_left_ms(deadline);
		if (wait_ms > CANCEL_NOTICED_MS)
			wait_ms = CANCEL_NOTICED_MS;
		curl_multi_poll(r->http->multi, NULL, 0, (int)wait_ms, NULL);
	}
	return 0;
}

/* A server that says why, in words and not in a page, is quoted. */
static int
fail_status(struct request *r, enum error_kind kind, const char *what, long status)
{
	const char *type = NULL, *text = buf_str(&r->refusal);
	int len = (int)strcspn(text, "\r\n");
	bool quote;

	curl_easy_getinfo(r->http->easy, CURLINFO_CONTENT_TYPE, &type);
	quote = len > 0 && type != NULL && strncasecmp(type, "text/plain", 10) == 0;
	return fail(r->http, kind, "%s (HTTP status %ld)%s%.*s", what, status, quote ? ": " : "",
	    quote ? len : 0, text);
}

static int
fail_refused(struct request *r)
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(r->http->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(r->http->easy, CURLINFO_CONTENT_TYPE, &type);
	if (status == 200)
		return fail(r->http, ERROR_REMOTE, "the answer is '%.80s', not git's protocol: is "
		    "this the URL of a repository?", type != NULL ? type : "of no type");
	switch (status) {
	case 401:
		/* Not its own words: they might repeat what was sent. */
		return fail(r->http, ERROR_CREDENTIALS, "login refused (HTTP status 401)");
	case 403:
		return fail_status(r, ERROR_CREDENTIALS, "not permitted", status);
	case 404:
	case 410:
		return fail_status(r, ERROR_MISSING, "there is no such repository", status);
	case 407:
		return fail(r->http, ERROR_CREDENTIALS, "the proxy wants a login (HTTP status 407)");
	case 413:
		return fail_status(r, ERROR_QUOTA, "more than the server takes at once", status);
	default:
		return fail_status(r, ERROR_REMOTE, "not served", status);
	}
}

/* 0 when it ended with a whole answer of the right kind. */
static int
request_outcome(struct request *r)
{
	struct error err = ERROR_INIT;
	long redirects = 0;

	if (r->http->param->has_error)
		return -1;
	curl_easy_getinfo(r->http->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	if (r->code == CURLE_UNSUPPORTED_PROTOCOL && redirects > 0)
		return fail(r->http, ERROR_REMOTE, "redirected away from https, which is not followed");
	if (r->code == CURLE_OK && !r->answered && look_at_head(r) == -1)
		return -1;
	/* First, for a refusal was not read to its end. */
	if (r->refused)
		return fail_refused(r);
	if (http_curl_error((int)r->code, r->curl_text, &err) == -1)
		return fail(r->http, err.kind, "%s", err.text);
	return 0;
}

static int
stream_read(git_smart_subtransport_stream *stream, char *out, size_t size, size_t *n)
{
	struct request *r = (struct request *)stream;

	*n = 0;
	r->body_ended = true;
	if (r->state == REQUEST_GATHERED && request_begin(r) == -1)
		return -1;
	if (drive(r, has_answer) == -1)
		return -1;
	if (!has_answer(r))
		return request_outcome(r);
	if (size > r->answer.len - r->taken)
		size = r->answer.len - r->taken;
	memcpy(out, r->answer.data + r->taken, size);
	r->taken += size;
	if (!has_answer(r)) {
		buf_clear(&r->answer);
		r->taken = 0;
	}
	*n = size;
	return 0;
}

static int
stream_write(git_smart_subtransport_stream *stream, const char *data, size_t len)
{
	struct request *r = (struct request *)stream;

	buf_add(&r->body, data, len);
	if (r->state == REQUEST_GATHERED) {
		if (r->body.len <= BODY_WHOLE_MAX)
			return 0;
		r->chunked = true;
		if (request_begin(r) == -1)
			return -1;
	}
	if (drive(r, has_sent) == -1)
		return -1;
	if (r->state == REQUEST_ENDED) {
		if (request_outcome(r) == -1)
			return -1;
		return fail(r->http, ERROR_REMOTE, "the answer came before the end of the request");
	}
	buf_clear(&r->body);
	r->sent = 0;
	return 0;
}

static void
stream_free(git_smart_subtransport_stream *stream)
{
	struct request *r = (struct request *)stream;

	if (r->state != REQUEST_GATHERED)
		curl_multi_remove_handle(r->http->multi, r->http->easy);
	curl_slist_free_all(r->headers);
	free(r->type);
	buf_done(&r->body);
	buf_done(&r->answer);
	buf_done(&r->refusal);
	free(r);
}

static int
http_action(git_smart_subtransport_stream **out, git_smart_subtransport *transport,
    const char *url, git_smart_service_t service)
{
	struct git_http *h = (struct git_http *)transport;
	struct request *r;

	(void)url;
	if (base_open(h) == -1)
		return -1;
	r = xcalloc(1, sizeof(*r));
	r->parent.subtransport = transport;
	r->parent.read = stream_read;
	r->parent.write = stream_write;
	r->parent.free = stream_free;
	r->http = h;
	r->lists = service == GIT_SERVICE_UPLOADPACK_LS || service == GIT_SERVICE_RECEIVEPACK_LS;
	r->service = service == GIT_SERVICE_UPLOADPACK_LS || service == GIT_SERVICE_UPLOADPACK ?
	    "git-upload-pack" : "git-receive-pack";
	r->type = xasprintf("application/x-%s-%s", r->service,
	    r->lists ? "advertisement" : "result");
	*out = &r->parent;
	return 0;
}

/* Nothing to do: libgit2 has freed the stream, and free comes. */
static int
http_close(git_smart_subtransport *transport)
{
	(void)transport;
	return 0;
}

static void
http_free_transport(git_smart_subtransport *transport)
{
	struct git_http *h = (struct git_http *)transport;

	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	curl_url_cleanup(h->base);
	forget_login(h);
	free(h);
}

/* Never fails: libgit2 1.5 would then free a subtransport that is not there. */
int
git_http_subtransport(git_smart_subtransport **out, git_transport *owner, void *param)
{
	struct git_http *h = xcalloc(1, sizeof(*h));

	(void)owner;
	h->parent.action = http_action;
	h->parent.close = http_close;
	h->parent.free = http_free_transport;
	h->param = param;
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (h->multi == NULL || h->easy == NULL)
		abort();
	*out = &h->parent;
	return 0;
}
