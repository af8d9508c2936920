#include "daemon/origin.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/manifest.h"
#include "tests/unit/http-server.h"
#include "tests/unit/test.h"

struct setup {
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	struct deadline		 deadline;
	char			 methods[64];	/* of the requests, in order */
};

static void
answer(void *arg, const struct server_request *r, struct server_connection *c)
{
	struct setup *s = arg;
	const char *url = http_server_url(s->server);

	if (strlen(s->methods) < 60)
		strcat(s->methods, strcmp(r->method, "HEAD") == 0 ? "H" : "G");
	if (strcmp(r->target, "/there") == 0)
		server_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	else if (strcmp(r->target, "/moved") == 0)
		server_send(c, "HTTP/1.1 307 x\r\nLocation: %s/signed?x=y\r\nContent-Length: 0"
		    "\r\n\r\n", url);
	else if (strcmp(r->target, "/signed?x=y") == 0 && strcmp(r->method, "HEAD") == 0)
		server_send(c, "HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n");
	else if (strcmp(r->target, "/signed?x=y") == 0)
		server_send(c, "HTTP/1.1 206 x\r\nContent-Range: bytes 0-0/1000\r\n"
		    "Content-Length: 1\r\n\r\nx");
	else if (strcmp(r->target, "/deaf") == 0)
		server_send(c, "HTTP/1.1 302 x\r\nLocation: /whole\r\nContent-Length: 0\r\n\r\n");
	else if (strcmp(r->target, "/whole") == 0)	/* no ranges here, and it never ends */
		server_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxx");
	else if (strcmp(r->target, "/loop") == 0)
		server_send(c, "HTTP/1.1 302 x\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
	else
		server_send(c, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n");
}

static int
ask(struct setup *s, const char *path, uint64_t size, struct error *err)
{
	cleanup(free_p) char *url = xasprintf("%s%s", http_server_url(s->server), path);

	s->methods[0] = '\0';
	*err = (struct error)ERROR_INIT;
	return origin_check(s->http, url, size, &s->deadline, err);
}

TEST(masked_layers_are_asked_for)
{
	struct http_options options = { .connect_timeout_ms = 20000, .timeout_ms = 20000 };
	struct setup s = { .deadline = deadline_in(60000, NULL) };
	struct error err;

	s.server = http_server_start(answer, &s, false);
	s.shared = http_shared_new(&options, &err);
	s.http = http_new(s.shared);
	CHECK_INT(ask(&s, "/there", 1000, &err), 0);
	CHECK_INT(ask(&s, "/there", SIZE_UNKNOWN, &err), 0);
	CHECK_INT(ask(&s, "/there", 999, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(strstr(err.text, "1000 bytes there, not 999") != NULL);
	CHECK_INT(ask(&s, "/moved", 1000, &err), 0);
	CHECK_STR(s.methods, "HG");
	CHECK_INT(ask(&s, "/moved", 1001, &err), -1);
	CHECK_INT(ask(&s, "/deaf", 1000, &err), 0);
	CHECK_INT(ask(&s, "/gone", 1000, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	CHECK(strstr(err.text, "/gone: HTTP status 404") != NULL);
	CHECK_INT(ask(&s, "/loop", 1000, &err), -1);
	http_free(s.http);
	http_shared_free(s.shared);
	http_server_stop(s.server);
}

int
main(void)
{
	return RUN(CASE(masked_layers_are_asked_for));
}
