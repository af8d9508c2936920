#include "daemon/http.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/unit/http-server.h"
#include "tests/unit/test.h"

static sem_t resolver_may_go_on;

/* libcurl resolves by this function, ours comes before libc's: one name has a dead DNS server. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (node != NULL && strcmp(node, "dead-dns.test") == 0) {
		sem_wait(&resolver_may_go_on);
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, out);
}

static void
echo(const struct server_request *r, struct server_connection *c)
{
	cleanup(free_p) char *body = xasprintf("%s %s type=%s auth=%s length=%s body=%s", r->method,
	    r->target, server_header(r, "content-type"), server_header(r, "authorization"),
	    server_header(r, "content-length"), r->body_len < 100 ? r->body : "(long)");

	server_answer(c, "200 OK", "X-Seen: A\r\nx-seen: b\r\n", body);
}

static void
huge(struct server_connection *c)
{
	char piece[1024];

	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	server_send(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	while (server_alive(c))
		server_send(c, "3ff\r\n%s\r\n", piece);
}

static void
headers_without_end(struct server_connection *c)
{
	server_send(c, "HTTP/1.1 200 OK\r\n");
	while (server_alive(c))
		server_send(c, "X-More: 0123456789012345678901234567890123456789\r\n");
}

/* Each path is a way to behave. */
static void
behave(void *arg, const struct server_request *r, struct server_connection *c)
{
	cleanup(free_p) char *path = xstrndup(r->target, strcspn(r->target, "?"));

	(void)arg;
	if (strcmp(path, "/reset") == 0) {
		server_reset(c);
	} else if (strcmp(path, "/truncated") == 0) {
		server_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
		server_close(c);
	} else if (strcmp(path, "/truncated-chunk") == 0) {
		server_send(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
		server_close(c);
	} else if (strcmp(path, "/hang") == 0) {
		server_wait_gone(c);
	} else if (strcmp(path, "/slow-headers") == 0) {
		server_send(c, "HTTP/1.1 200 OK\r\nX-");
		server_wait_gone(c);
	} else if (strcmp(path, "/huge") == 0) {
		huge(c);
	} else if (strcmp(path, "/huge-headers") == 0) {
		headers_without_end(c);
	} else if (strcmp(path, "/redirect") == 0) {
		server_answer(c, "302 Found", "Location: /elsewhere\r\n", "moved");
	} else if (strcmp(path, "/garbage") == 0) {
		server_send(c, "SSH-2.0-OpenSSH_9.2\r\n");
		server_close(c);
	} else if (strcmp(path, "/error") == 0) {
		server_answer(c, "503 Busy", "", "come back later");
	} else if (strcmp(path, "/expect") == 0) {
		server_answer(c, "200 OK", "", server_header(r, "expect"));
	} else if (strcmp(path, "/close-after") == 0) {
		server_answer(c, "200 OK", "", "ok");
		server_close(c);
	} else {
		echo(r, c);
	}
}

/* What most tests need, gone at the end of the scope. */
struct setup {
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	struct http_response	 response;
	struct error		 err;
};

static struct setup
setup_with(bool tls, bool trusted)
{
	struct setup s = { .response = HTTP_RESPONSE_INIT, .err = ERROR_INIT };
	struct http_options options = { .connect_timeout_ms = 20000, .timeout_ms = 20000 };

	s.server = http_server_start(behave, NULL, tls);
	if (tls && trusted)
		options.ca_file = http_server_ca_file(s.server);
	if ((s.shared = http_shared_new(&options, &s.err)) == NULL)
		abort();
	s.http = http_new(s.shared);
	return s;
}

static void
setup_done(struct setup *s)
{
	http_response_done(&s->response);
	http_free(s->http);
	http_shared_free(s->shared);
	http_server_stop(s->server);
}

static int
get(struct setup *s, const char *path, const struct deadline *deadline)
{
	cleanup(free_p) char *url = xasprintf("%s%s", http_server_url(s->server), path);
	struct http_request request = { .url = url };

	s->err = (struct error)ERROR_INIT;
	return http_do(s->http, &request, &s->response, deadline, &s->err);
}

TEST(answers_come_whole_and_connections_stay)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	struct deadline d = deadline_in(20000, NULL);
	char value[8];
	int i;

	for (i = 0; i < 3; i++)
		CHECK_INT(get(&s, "/a//b/../%2e?x=%20", &d), 0);
	CHECK_INT(s.response.status, 200);
	CHECK_STR(buf_str(&s.response.body), "GET /a//b/../%2e?x=%20 type= auth= length= body=");
	CHECK(http_header(&s.response, "x-seen", value, sizeof(value)));
	CHECK_STR(value, "A");
	CHECK(!http_header(&s.response, "x-see", value, sizeof(value)));
	CHECK(http_header(&s.response, "content-length", value, 2));
	CHECK_STR(value, "4");
	CHECK_INT(get(&s, "/error", &d), 0);
	CHECK_INT(s.response.status, 503);
	CHECK_STR(buf_str(&s.response.body), "come back later");
	CHECK_INT(http_server_connections(s.server), 1);
	CHECK_INT(get(&s, "/close-after", &d), 0);
	CHECK_INT(get(&s, "/a", &d), 0);
	CHECK_INT(http_server_connections(s.server), 2);
}

static int
send_body(struct setup *s, struct http_request request, const char *path)
{
	cleanup(free_p) char *url = xasprintf("%s%s", http_server_url(s->server), path);
	struct deadline d = deadline_in(20000, NULL);

	request.url = url;
	s->err = (struct error)ERROR_INIT;
	return http_do(s->http, &request, &s->response, &d, &s->err);
}

TEST(bodies_are_sent)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	static const char *const headers[] = { "Content-Type: text/x", NULL };

	CHECK_INT(send_body(&s, (struct http_request){ .method = "POST", .body = "abc",
	    .body_size = 3, .headers = headers }, "/p"), 0);
	CHECK_STR(buf_str(&s.response.body), "POST /p type=text/x auth= length=3 body=abc");
	CHECK_INT(send_body(&s, (struct http_request){ .method = "POST", .body = "abc",
	    .body_size = 3 }, "/p"), 0);
	CHECK_STR(buf_str(&s.response.body), "POST /p type= auth= length=3 body=abc");
	CHECK_INT(send_body(&s, (struct http_request){ .method = "PUT" }, "/p"), 0);
	CHECK_STR(buf_str(&s.response.body), "PUT /p type= auth= length=0 body=");
	CHECK_INT(send_body(&s, (struct http_request){ .method = "POST" }, "/p"), 0);
	CHECK_STR(buf_str(&s.response.body), "POST /p type= auth= length=0 body=");
	CHECK_INT(send_body(&s, (struct http_request){ .method = "DELETE" }, "/p"), 0);
	CHECK_STR(buf_str(&s.response.body), "DELETE /p type= auth= length= body=");
	CHECK_INT(send_body(&s, (struct http_request){ .method = "HEAD" }, "/p"), 0);
	CHECK_STR(buf_str(&s.response.body), "");
	CHECK_INT(s.response.status, 200);
	CHECK_INT(http_server_connections(s.server), 1);
}

TEST(a_file_is_sent_from_where_it_lies)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	cleanup(close_p) int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char value[8];

	CHECK_INT(write(fd, "xxabcyy", 7), 7);
	CHECK_INT(send_body(&s, (struct http_request){ .method = "PUT", .body_from_fd = true,
	    .body_fd = fd, .body_offset = 2, .body_size = 3 }, "/f"), 0);
	CHECK_STR(buf_str(&s.response.body), "PUT /f type= auth= length=3 body=abc");
	CHECK_INT(lseek(fd, 0, SEEK_CUR), 7);

	/* Big enough for an interim answer, whose headers must not stay. */
	CHECK_INT(ftruncate(fd, 5 << 20), 0);
	CHECK_INT(send_body(&s, (struct http_request){ .method = "PUT", .body_from_fd = true,
	    .body_fd = fd, .body_size = 5 << 20 }, "/f"), 0);
	CHECK_STR(buf_str(&s.response.body), "PUT /f type= auth= length=5242880 body=(long)");
	CHECK(!http_header(&s.response, "x-interim", value, sizeof(value)));
	CHECK_INT(send_body(&s, (struct http_request){ .method = "PUT", .body_from_fd = true,
	    .body_fd = fd, .body_size = 5 << 20 }, "/expect"), 0);
	CHECK_STR(buf_str(&s.response.body), "100-continue");
	CHECK_INT(send_body(&s, (struct http_request){ .method = "PUT", .body_from_fd = true,
	    .body_fd = fd, .body_size = 1000 }, "/expect"), 0);
	CHECK_STR(buf_str(&s.response.body), "");

	CHECK_INT(send_body(&s, (struct http_request){ .method = "PUT", .body_from_fd = true,
	    .body_fd = fd, .body_offset = 5 << 20, .body_size = 1 }, "/f"), -1);
	CHECK_INT(s.err.kind, ERROR_INPUT);
	CHECK(strstr(s.err.text, "the file to send ends early, at byte 5242880") != NULL);
}

TEST(credentials_are_sent_and_never_shown)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	static const char *const bad[] = { "X-A: b\r\nX-C: d", NULL };

	CHECK_INT(send_body(&s, (struct http_request){ .username = "u", .password = "p" }, "/"), 0);
	CHECK_STR(buf_str(&s.response.body), "GET / type= auth=Basic dTpw length= body=");
	CHECK_INT(send_body(&s, (struct http_request){ .bearer = "t0ken" }, "/"), 0);
	CHECK_STR(buf_str(&s.response.body), "GET / type= auth=Bearer t0ken length= body=");
	CHECK_INT(send_body(&s, (struct http_request){ .bearer = "s3cret\r\nX-C: d" }, "/"), -1);
	CHECK_INT(s.err.kind, ERROR_INPUT);
	CHECK(strstr(s.err.text, "s3cret") == NULL);
	CHECK_INT(send_body(&s, (struct http_request){ .headers = bad }, "/"), -1);
	CHECK_INT(s.err.kind, ERROR_INPUT);
	CHECK_INT(send_body(&s, (struct http_request){ .bearer = "s3cret" },
	    "/reset?token=s3cret"), -1);
	CHECK(strstr(s.err.text, "s3cret") == NULL);
	CHECK(strstr(s.err.text, "/reset: ") != NULL);
}

TEST(broken_answers_are_errors)
{
	static const char *const paths[] = { "/reset", "/truncated", "/truncated-chunk", "/garbage",
		"/huge-headers" };
	cleanup(setup_done) struct setup s = setup_with(false, false);
	struct deadline d = deadline_in(20000, NULL);
	cleanup(free_p) char *start = NULL;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CHECK_INT(get(&s, paths[i], &d), -1);
		CHECK_INT(s.err.kind, ERROR_REMOTE);
		free(start);
		start = xasprintf("GET %s%s: ", http_server_url(s.server), paths[i]);
		CHECK(strncmp(s.err.text, start, strlen(start)) == 0);
	}
	CHECK(strstr(s.err.text, "headers are larger than 65536 bytes") != NULL);
	CHECK_INT(get(&s, "/still-usable", &d), 0);
}

TEST(a_body_has_a_limit)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);

	CHECK_INT(send_body(&s, (struct http_request){ .body_max = 100000 }, "/huge"), -1);
	CHECK_INT(s.err.kind, ERROR_REMOTE);
	CHECK(strstr(s.err.text, "the answer is larger than 100000 bytes") != NULL);
	CHECK(s.response.body.len <= 100000);
}

TEST(redirects_are_the_callers_to_follow)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	struct deadline d = deadline_in(20000, NULL);
	char value[32];

	CHECK_INT(get(&s, "/redirect", &d), 0);
	CHECK_INT(s.response.status, 302);
	CHECK(http_header(&s.response, "location", value, sizeof(value)));
	CHECK_STR(value, "/elsewhere");
	CHECK_INT(http_server_requests(s.server), 1);
}

TEST(a_deadline_ends_what_hangs)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	struct deadline d = deadline_in(150, NULL), later;

	CHECK_INT(get(&s, "/hang", &d), -1);
	CHECK_INT(s.err.kind, ERROR_REMOTE);
	CHECK(strstr(s.err.text, "/hang: no answer in time") != NULL);
	d = deadline_in(150, NULL);
	CHECK_INT(get(&s, "/slow-headers", &d), -1);
	CHECK(strstr(s.err.text, "no answer in time") != NULL);
	CHECK_INT(get(&s, "/a", &d), -1);
	CHECK_INT(http_server_requests(s.server), 2);

	/* A request's own time is shorter than the deadline. */
	later = deadline_in(3600000, NULL);
	CHECK_INT(send_body(&s, (struct http_request){ .timeout_ms = 150 }, "/hang"), -1);
	CHECK(deadline_left_ms(&later) > 3500000);
}

static atomic_bool cancelled;

static void *
cancel_once_asked(void *arg)
{
	struct http_server *server = arg;

	while (http_server_requests(server) == 0)
		usleep(1000);
	atomic_store(&cancelled, true);
	return NULL;
}

TEST(a_cancel_ends_what_hangs)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	struct deadline d = deadline_in(3600000, &cancelled);
	pthread_t thread;

	pthread_create(&thread, NULL, cancel_once_asked, s.server);
	CHECK_INT(get(&s, "/hang", &d), -1);
	pthread_join(thread, NULL);
	CHECK_INT(s.err.kind, ERROR_CANCELLED);
}

TEST(a_dead_name_server_ends_with_the_deadline)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	struct http_request request = { .url = "http://dead-dns.test/" };
	struct deadline d = deadline_in(100, NULL);

	/* Were the resolver's thread waited for, this would never return. */
	CHECK_INT(http_do(s.http, &request, &s.response, &d, &s.err), -1);
	CHECK_STR(s.err.text, "GET http://dead-dns.test/: no answer in time");
	sem_post(&resolver_may_go_on);
}

static int
sink_add(void *arg, const void *data, size_t len, struct error *err)
{
	struct buf *seen = arg;

	if (len == 0 || !buf_add(seen, data, len))
		return error_set(err, ERROR_SYSTEM, "disk full");
	return 0;
}

TEST(a_sink_takes_good_answers_only)
{
	cleanup(setup_done) struct setup s = setup_with(false, false);
	cleanup(buf_done) struct buf seen = BUF_LIMIT(1000);
	struct http_request request = { .sink = sink_add, .sink_arg = &seen };

	CHECK_INT(send_body(&s, request, "/s"), 0);
	CHECK_STR(buf_str(&seen), "GET /s type= auth= length= body=");
	CHECK_INT(s.response.body.len, 0);
	buf_clear(&seen);
	CHECK_INT(send_body(&s, request, "/error"), 0);
	CHECK_STR(buf_str(&seen), "");
	CHECK_STR(buf_str(&s.response.body), "come back later");
	CHECK_INT(send_body(&s, request, "/huge"), -1);
	CHECK_INT(s.err.kind, ERROR_SYSTEM);
	CHECK(strstr(s.err.text, "/huge: disk full") != NULL);
}

TEST(tls_trusts_the_given_authority_only)
{
	cleanup(setup_done) struct setup trusting = setup_with(true, true);
	cleanup(setup_done) struct setup doubting = setup_with(true, false);
	struct deadline d = deadline_in(20000, NULL);

	CHECK_INT(get(&trusting, "/a", &d), 0);
	CHECK_INT(get(&trusting, "/b", &d), 0);
	CHECK_INT(trusting.response.status, 200);
	CHECK_INT(http_server_connections(trusting.server), 1);
	CHECK_INT(get(&doubting, "/a", &d), -1);
	CHECK_INT(doubting.err.kind, ERROR_REMOTE);
	CHECK(strstr(doubting.err.text, "http.ca_file") != NULL);
	CHECK_INT(http_server_requests(doubting.server), 0);
}

TEST(a_bad_ca_file_is_named)
{
	struct http_options options = { .ca_file = "/dev/null", .timeout_ms = 1 };
	struct error err = ERROR_INIT;

	CHECK(http_shared_new(&options, &err) == NULL);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK(strstr(err.text, "'/dev/null'") != NULL);
}

TEST(urls_that_are_none)
{
	static const char *const bad[] = { "", "ftp://127.0.0.1/", "file:///etc/passwd",
		"http://", "http://a b/", "http://127.0.0.1:99999/", "http://127.0.0.1/a\nb" };
	cleanup(setup_done) struct setup s = setup_with(false, false);
	struct deadline d = deadline_in(20000, NULL);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_request request = { .url = bad[i] };

		s.err.kind = ERROR_NONE;
		CHECK_INT(http_do(s.http, &request, &s.response, &d, &s.err), -1);
		CHECK_INT(s.err.kind, ERROR_INPUT);
	}
}

TEST(shown_urls_hold_no_secret)
{
	static const char *const rows[][2] = {
		{ "https://u:p@host:1/a?sig=x#f", "https://host:1/a" },
		{ "https://host", "https://host" },
		{ "https://h/a@b", "https://h/a@b" },
		{ "https://u:p@w@h/", "https://h/" },
		{ "u:p@h/x", "h/x" },
		{ "", "" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *shown = http_url_shown(rows[i][0]);

		CHECK_STR(shown, rows[i][1]);
	}
}

TEST(backoff_grows_to_a_ceiling)
{
	unsigned int n;
	int64_t most, ms;

	for (n = 1; n < 40; n++) {
		most = n < 6 ? 250 << (n - 1) : 8000;
		ms = http_backoff_ms(n);
		CHECK(ms >= most / 2 && ms <= most);
	}
}

int
main(void)
{
	unsetenv("http_proxy");
	sem_init(&resolver_may_go_on, 0, 0);
	return RUN(CASE(answers_come_whole_and_connections_stay), CASE(bodies_are_sent),
	    CASE(a_file_is_sent_from_where_it_lies), CASE(credentials_are_sent_and_never_shown),
	    CASE(broken_answers_are_errors), CASE(a_body_has_a_limit),
	    CASE(redirects_are_the_callers_to_follow), CASE(a_deadline_ends_what_hangs),
	    CASE(a_cancel_ends_what_hangs), CASE(a_dead_name_server_ends_with_the_deadline),
	    CASE(a_sink_takes_good_answers_only), CASE(tls_trusts_the_given_authority_only),
	    CASE(a_bad_ca_file_is_named), CASE(urls_that_are_none),
	    CASE(shown_urls_hold_no_secret), CASE(backoff_grows_to_a_ceiling));
}
