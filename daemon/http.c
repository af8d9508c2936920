#include "daemon/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define HEADERS_MAX (64u << 10)		/* bytes of one answer's headers */
#define CONNECTIONS_MAX 8		/* kept open for the next request, per handle */
#define CANCEL_NOTICED_MS 100

/* Below the first size libcurl's own buffer does as well, see CURLOPT_UPLOAD_BUFFERSIZE(3). */
#define BIG_UPLOAD (1u << 20)
#define UPLOAD_BUFFER_BIG (2l << 20)
#define UPLOAD_BUFFER_USUAL (64l << 10)

struct http_shared {
	int64_t		 connect_timeout_ms;
	int64_t		 timeout_ms;
	X509_STORE	*roots;
};

/* The multi handle holds one easy handle: driving it ourselves lets a cancel be noticed at once,
 * where curl_easy_perform(3) asks its progress callback once a second. */
struct http {
	const struct http_shared	*shared;
	CURLM				*multi;
	CURL				*easy;
};

/* One http_do(), as its callbacks see it. */
struct transfer {
	const struct http_request	*request;
	struct http_response		*response;
	struct curl_slist		*headers;
	uint64_t			 sent;		/* bytes of the body, may be rewound */
	uint64_t			 moved;		/* bytes in both directions */
	struct error			 stopped;	/* why a callback ended it */
	char				 curl_text[CURL_ERROR_SIZE];
};

/* One store for all connections: libcurl's CAINFO and CAPATH parse every root certificate of
 * the system for each new connection, some 30 ms of CPU a time. */
static X509_STORE *
roots_load(const char *ca_file, struct error *err)
{
	X509_STORE *roots = X509_STORE_new();
	int ok;

	if (roots == NULL)
		abort();
	if (ca_file != NULL)
		ok = X509_STORE_load_file(roots, ca_file);
	else
		ok = X509_STORE_set_default_paths(roots);
	if (!ok) {
		X509_STORE_free(roots);
		error_set(err, ERROR_INPUT, "http.ca_file '%s': not a readable file of "
		    "certificates (PEM)", ca_file != NULL ? ca_file : "(system)");
		return NULL;
	}
	/* As libcurl does: an intermediate certificate in the file is trusted as it stands. */
	X509_STORE_set_flags(roots, X509_V_FLAG_PARTIAL_CHAIN);
	return roots;
}

struct http_shared *
http_shared_new(const struct http_options *options, struct error *err)
{
	struct http_shared *shared;
	X509_STORE *roots;

	/* Debian's libcurl resolves by getaddrinfo(3) in a thread, which a request leaves behind
	 * at its deadline. A dead name server must not keep many of those for long. */
	setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	if ((roots = roots_load(options->ca_file, err)) == NULL) {
		curl_global_cleanup();
		return NULL;
	}
	shared = xcalloc(1, sizeof(*shared));
	shared->connect_timeout_ms = options->connect_timeout_ms;
	shared->timeout_ms = options->timeout_ms;
	shared->roots = roots;
	return shared;
}

void
http_shared_free(struct http_shared *shared)
{
	if (shared == NULL)
		return;
	X509_STORE_free(shared->roots);
	free(shared);
	curl_global_cleanup();
}

struct http *
http_new(struct http_shared *shared)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->shared = shared;
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (h->multi == NULL || h->easy == NULL)
		abort();
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
	return h;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	free(h);
}

static CURLcode
use_shared_roots(CURL *easy, void *ssl_ctx, void *arg)
{
	(void)easy;
	SSL_CTX_set1_cert_store(ssl_ctx, arg);
	return CURLE_OK;
}

/* Appends "name: value\n", the name in lower case; false when it does not fit. */
static bool
header_add(struct buf *headers, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len, at = headers->len, i;

	if (colon == NULL)
		return true;
	name_len = (size_t)(colon - line);
	while (len > name_len + 1 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	do
		colon++;
	while (colon < line + len && (*colon == ' ' || *colon == '\t'));
	if (!buf_add(headers, line, name_len) || !buf_add_str(headers, ": ") ||
	    !buf_add(headers, colon, (size_t)(line + len - colon)) || !buf_add_str(headers, "\n"))
		return false;
	for (i = at; i < at + name_len; i++)
		if (headers->data[i] >= 'A' && headers->data[i] <= 'Z')
			headers->data[i] += 'a' - 'A';
	return true;
}

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct http_response *response = t->response;
	size_t len = size * n;
	const char *space;

	t->moved += len;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* An interim answer (100) may have come before this one. */
		buf_clear(&response->headers);
		space = memchr(line, ' ', len);
		response->status = space != NULL ? strtol(space, NULL, 10) : 0;
		return len;
	}
	if (header_add(&response->headers, line, len))
		return len;
	error_set(&t->stopped, ERROR_REMOTE, "the answer's headers are larger than %u bytes",
	    HEADERS_MAX);
	return 0;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	const struct http_request *request = t->request;
	struct http_response *response = t->response;
	size_t len = size * n;

	t->moved += len;
	if (request->sink != NULL && response->status / 100 == 2)
		return request->sink(request->sink_arg, data, len, &t->stopped) == 0 ? len : 0;
	if (buf_add(&response->body, data, len))
		return len;
	error_set(&t->stopped, ERROR_REMOTE, "the answer is larger than %zu bytes",
	    response->body.limit);
	return 0;
}

/* How many bytes of the file came, 0 with the reason set when none did. */
static size_t
read_file(struct transfer *t, char *out, size_t want)
{
	const struct http_request *request = t->request;
	ssize_t n;

	do
		n = pread(request->body_fd, out, want, request->body_offset + (off_t)t->sent);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		error_errno(&t->stopped, "cannot read the file to send");
	else if (n == 0)
		error_set(&t->stopped, ERROR_INPUT, "the file to send ends early, at byte %ju",
		    (uintmax_t)request->body_offset + (uintmax_t)t->sent);
	return n > 0 ? (size_t)n : 0;
}

static size_t
on_send(char *out, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t want = size * n;

	if (want > t->request->body_size - t->sent)
		want = (size_t)(t->request->body_size - t->sent);
	if (want == 0)
		return 0;
	if (!t->request->body_from_fd)
		memcpy(out, (const char *)t->request->body + t->sent, want);
	else if ((want = read_file(t, out, want)) == 0)
		return CURL_READFUNC_ABORT;
	t->sent += want;
	t->moved += want;
	return want;
}

/* A kept connection may turn out to be dead: libcurl begins again on a fresh one. */
static int
on_rewind(void *arg, curl_off_t offset, int origin)
{
	struct transfer *t = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->request->body_size)
		return CURL_SEEKFUNC_FAIL;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static bool
is_big_upload(const struct http_request *request)
{
	return request->body_from_fd && request->body_size >= BIG_UPLOAD;
}

static int
header_set(struct transfer *t, const char *header, struct error *err)
{
	struct curl_slist *list;

	if (strpbrk(header, "\r\n") != NULL)
		return error_set(err, ERROR_INPUT, "a header holds a line break");
	if ((list = curl_slist_append(t->headers, header)) == NULL)
		abort();
	t->headers = list;
	return 0;
}

static int
headers_set(struct transfer *t, struct error *err)
{
	const struct http_request *request = t->request;
	cleanup(free_p) char *bearer = NULL;
	const char *const *h;

	for (h = request->headers; h != NULL && *h != NULL; h++) {
		if (header_set(t, *h, err) == -1)
			return -1;
	}
	if (request->bearer != NULL) {
		bearer = xasprintf("Authorization: Bearer %s", request->bearer);
		if (header_set(t, bearer, err) == -1)
			return -1;
	}
	/* libcurl asks before any PUT whether it may send, and waits a second for servers that
	 * do not answer: only worth it where a refusal spares a big body. */
	return is_big_upload(request) ? 0 : header_set(t, "Expect:", err);
}

static void
method_set(CURL *easy, const struct http_request *request)
{
	const char *method = request->method != NULL ? request->method : "GET";
	bool sends = request->body_size > 0 || strcmp(method, "PUT") == 0 ||
	    strcmp(method, "POST") == 0;

	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
	if (!sends)
		return;
	/* Not CURLOPT_POST: it adds a Content-Type of its own, which nobody signed. */
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
	if (is_big_upload(request))
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BIG);
}

static void
callbacks_set(CURL *easy, struct transfer *t)
{
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_READDATA, t);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_text);
}

void
http_shared_apply(const struct http_shared *shared, void *easy)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)shared->connect_timeout_ms);
	/* Leave a resolver that hangs to its own thread instead of waiting for it. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);

	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, use_shared_roots);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, shared->roots);
}

static void
options_set(struct http *h, struct transfer *t)
{
	const struct http_request *request = t->request;
	CURL *easy = h->easy;

	curl_easy_reset(easy);
	http_shared_apply(h->shared, easy);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "raasd/" RAAS_VERSION);
	if (request->username != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, request->username);
		curl_easy_setopt(easy, CURLOPT_PASSWORD,
		    request->password != NULL ? request->password : "");
	}
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	method_set(easy, request);
	callbacks_set(easy, t);
}

/* A request that streams (a file out, a sink in) may take as long as the caller's deadline
 * allows while bytes move; others have their time and no more. */
static int
drive(struct http *h, struct transfer *t, const struct deadline *outer, struct error *err)
{
	const struct http_request *request = t->request;
	int64_t timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : h->shared->timeout_ms;
	bool streams = request->timeout_ms == 0 && (request->body_from_fd || request->sink != NULL);
	struct deadline d = deadline_within(outer, timeout_ms);
	uint64_t moved = 0;
	int64_t wait_ms;
	int running = 1;

	for (;;) {
		if (deadline_check(&d, err) == -1)
			return -1;
		if (curl_multi_perform(h->multi, &running) != CURLM_OK)
			return error_set(err, ERROR_INTERNAL, "curl_multi_perform failed");
		if (running == 0)
			return 0;
		if (streams && t->moved != moved) {
			moved = t->moved;
			d = deadline_within(outer, timeout_ms);
		}
		wait_ms = deadline_left_ms(&d);
		if (d.cancelled != NULL && wait_ms > CANCEL_NOTICED_MS)
			wait_ms = CANCEL_NOTICED_MS;
		curl_multi_poll(h->multi, NULL, 0, (int)(wait_ms < 1000 ? wait_ms : 1000), NULL);
	}
}

int
http_curl_error(int code, const char *text, struct error *err)
{
	if (text[0] == '\0')
		text = curl_easy_strerror((CURLcode)code);
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_URL_MALFORMAT:
		return error_set(err, ERROR_INPUT, "not a valid URL");
	case CURLE_UNSUPPORTED_PROTOCOL:
		return error_set(err, ERROR_REMOTE, "the server does not speak HTTP/1");
	case CURLE_COULDNT_RESOLVE_PROXY:
		/* libcurl's own text may show the proxy's password. */
		return error_set(err, ERROR_REMOTE, "the proxy's name cannot be resolved");
	case CURLE_PEER_FAILED_VERIFICATION:
		return error_set(err, ERROR_REMOTE, "%s (a private authority goes into http.ca_file)",
		    text);
	default:
		return error_set(err, ERROR_REMOTE, "%s", text);
	}
}

static enum http_trouble
trouble_of(CURL *easy, CURLcode code)
{
	curl_off_t resolved_us = 0;

	switch (code) {
	case CURLE_OK:
		return HTTP_TROUBLE_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_TROUBLE_NAME;
	case CURLE_OPERATION_TIMEDOUT:
		curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
		return resolved_us == 0 ? HTTP_TROUBLE_NAME : HTTP_TROUBLE_OTHER;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_USE_SSL_FAILED:
		return HTTP_TROUBLE_TLS;
	default:
		return HTTP_TROUBLE_OTHER;
	}
}

static int
outcome(struct http *h, const struct transfer *t, struct error *err)
{
	int left;
	CURLMsg *message = curl_multi_info_read(h->multi, &left);
	CURLcode code = message != NULL ? message->data.result : CURLE_FAILED_INIT;

	t->response->trouble = trouble_of(h->easy, code);
	if (code != CURLE_OK && t->stopped.kind != ERROR_NONE)
		return error_set(err, t->stopped.kind, "%s", t->stopped.text);
	return http_curl_error((int)code, t->curl_text, err);
}

static int
perform(struct http *h, struct transfer *t, const struct deadline *deadline, struct error *err)
{
	int result;

	options_set(h, t);
	if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return error_set(err, ERROR_INTERNAL, "curl_multi_add_handle failed");
	if ((result = drive(h, t, deadline, err)) == 0)
		result = outcome(h, t, err);
	curl_multi_remove_handle(h->multi, h->easy);
	/* Gives a big buffer back, see setopt.c: the next size frees the last. */
	curl_easy_setopt(h->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_USUAL);
	return result;
}

int
http_do(struct http *h, const struct http_request *request, struct http_response *response,
    const struct deadline *deadline, struct error *err)
{
	struct transfer t = { .request = request, .response = response };
	struct error inner = ERROR_INIT;
	int result;

	buf_clear(&response->body);
	buf_clear(&response->headers);
	response->status = 0;
	response->trouble = HTTP_TROUBLE_OTHER;
	response->body.limit = request->body_max != 0 ? request->body_max : HTTP_BODY_MAX;
	response->headers.limit = HEADERS_MAX;

	if (strncasecmp(request->url, "http://", 7) != 0 &&
	    strncasecmp(request->url, "https://", 8) != 0)
		result = error_set(&inner, ERROR_INPUT, "not an http or https URL");
	else if ((result = headers_set(&t, &inner)) == 0)
		result = perform(h, &t, deadline, &inner);
	curl_slist_free_all(t.headers);
	if (result == -1) {
		cleanup(free_p) char *shown = http_url_shown(request->url);

		error_set(err, inner.kind, "%s %s: %s",
		    request->method != NULL ? request->method : "GET", shown, inner.text);
	}
	return result;
}

bool
http_header(const struct http_response *response, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), value_len;
	const char *line, *end;

	for (line = buf_str(&response->headers); *line != '\0'; line = end + 1) {
		end = strchrnul(line, '\n');
		if (strncmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0) {
			line += len + 2;
			value_len = (size_t)(end - line);
			if (value_len >= size)
				value_len = size - 1;
			memcpy(out, line, value_len);
			out[value_len] = '\0';
			return true;
		}
		if (*end == '\0')
			break;
	}
	return false;
}

void
http_response_done(struct http_response *response)
{
	buf_done(&response->body);
	buf_done(&response->headers);
}

/* RFC 7617, section 2. */
static char *
basic_of(const char *username, const char *password)
{
	cleanup(free_p) char *login = xasprintf("%s:%s", username, password);
	size_t len = strlen(login);
	char *encoded = xcalloc(1, 4 * ((len + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)login, (int)len);
	explicit_bzero(login, len);
	return encoded;
}

void
http_hide_login(const struct http_request *request, struct error *err)
{
	char *basic;

	error_hide(err, request->bearer);
	error_hide(err, request->password);
	if (request->username == NULL || request->password == NULL)
		return;
	basic = basic_of(request->username, request->password);
	error_hide(err, basic);
	explicit_bzero(basic, strlen(basic));
	free(basic);
}

void
http_hide_url_login(const char *url, struct error *err)
{
	struct http_request request = { .url = url };
	char *user = NULL, *password = NULL, *encoded = NULL;
	CURLU *parts = curl_url();

	if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
		curl_url_get(parts, CURLUPART_USER, &user, CURLU_URLDECODE);
		curl_url_get(parts, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
		curl_url_get(parts, CURLUPART_PASSWORD, &encoded, 0);
	}
	request.username = user;
	request.password = password;
	error_hide(err, encoded);
	http_hide_login(&request, err);
	curl_free(user);
	curl_free(password);
	curl_free(encoded);
	curl_url_cleanup(parts);
}

char *
http_url_shown(const char *url)
{
	size_t len = strcspn(url, "?#");
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end != NULL && scheme_end < url + len ? scheme_end + 3 : url;
	size_t authority = strcspn(host, "/?#\\");
	const char *at = memrchr(host, '@', authority);
	const char *rest = at != NULL ? at + 1 : host;

	return xasprintf("%.*s%.*s", (int)(host - url), url, (int)(url + len - rest), rest);
}

int64_t
http_backoff_ms(unsigned int n)
{
	uint32_t ceiling = n > 5 ? 8000 : 250u << (n > 0 ? n - 1 : 0);

	return ceiling / 2 + arc4random_uniform(ceiling / 2 + 1);
}
