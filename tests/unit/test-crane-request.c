#include "crane/request.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "crane/accept.h"
#include "tests/unit/test.h"

static char head[2 * REQUEST_HEAD_MAX];
static struct request r;

static int
parse(const char *text)
{
	snprintf(head, sizeof(head), "%s", text);
	return request_parse(head, strlen(head), &r);
}

TEST(reads_a_request)
{
	CHECK_INT(parse("GET /v2/a%2fb/%41?n=1&last=x HTTP/1.1\r\nHost: r.example.com:5000\r\n"
	    "accept:  a/b ;q=1\t\r\nX: \r\n\r\n"), 0);
	CHECK_INT(r.method, REQUEST_GET);
	CHECK_STR(r.path, "/v2/a/b/A");
	CHECK_STR(r.query, "n=1&last=x");
	CHECK_STR(r.host, "r.example.com:5000");
	CHECK_INT(r.n_headers, 3);
	CHECK_STR(r.headers[1].name, "accept");
	CHECK_STR(r.headers[1].value, "a/b ;q=1");
	CHECK_STR(r.headers[2].value, "");
	CHECK(r.keep_alive);
	CHECK_INT(parse("HEAD http://proxy.example.com/v2/?x HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	CHECK_INT(r.method, REQUEST_HEAD);
	CHECK_STR(r.path, "/v2/");
	CHECK_INT(parse("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	CHECK_INT(r.method, REQUEST_OTHER);
}

TEST(decodes_once)
{
	CHECK_INT(parse("GET /%2541/%2e%2E/%C3%A4 HTTP/1.0\r\n\r\n"), 0);
	CHECK_STR(r.path, "/%41/../\xc3\xa4");
}

TEST(connections)
{
	CHECK_INT(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	CHECK(!r.keep_alive);
	CHECK_INT(parse("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n"), 0);
	CHECK(r.keep_alive);
	CHECK_INT(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"), 0);
	CHECK(!r.keep_alive);
	CHECK_INT(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\nExpect: 100-continue"
	    "\r\n\r\n"), 0);
	CHECK_INT(r.body_size, 65536);
	CHECK(r.expects);
}

TEST(refuses)
{
	static const struct {
		const char	*text;
		int		 status;
	} rows[] = {
		{ "\r\n\r\n", 400 },
		{ "GET\r\n\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 505 },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
		{ "GET / HTTPS/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "G\tT / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /%0d%0aX:y HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /% HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n\r\n", 400 },				/* no Host */
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 501 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text) != rows[i].status)
			printf("# row %zu: %d, not %d\n", i, parse(rows[i].text), rows[i].status);
		CHECK_INT(parse(rows[i].text), rows[i].status);
	}
	memcpy(head, "GET / HTTP/1.0\r\nA: b\0c\r\n\r\n", 26);
	CHECK_INT(request_parse(head, 26, &r), 400);
}

TEST(limits)
{
	size_t i, len;

	len = (size_t)snprintf(head, sizeof(head), "GET /");
	memset(head + len, 'a', REQUEST_LINE_MAX);
	snprintf(head + len + REQUEST_LINE_MAX, 64, " HTTP/1.0\r\n\r\n");
	CHECK_INT(request_parse(head, strlen(head), &r), 414);
	len = (size_t)snprintf(head, sizeof(head), "GET / HTTP/1.0\r\n");
	for (i = 0; i < REQUEST_HEADERS_MAX; i++)
		len += (size_t)snprintf(head + len, sizeof(head) - len, "A: %zu\r\n", i);
	snprintf(head + len, sizeof(head) - len, "\r\n");
	CHECK_INT(request_parse(head, len + 2, &r), 0);
	len = (size_t)snprintf(head, sizeof(head), "GET / HTTP/1.0\r\n");
	for (i = 0; i <= REQUEST_HEADERS_MAX; i++)
		len += (size_t)snprintf(head + len, sizeof(head) - len, "A: %zu\r\n", i);
	snprintf(head + len, sizeof(head) - len, "\r\n");
	CHECK_INT(request_parse(head, len + 2, &r), 431);
}

TEST(parameters)
{
	cleanup(free_p) char *text = NULL;
	char value[REQUEST_VALUE_MAX], many[REQUEST_VALUE_MAX + 1];

	CHECK_INT(parse("GET /?nn=0&n=1%20+a&n=2&q=%0a&p=%4&e=&f HTTP/1.0\r\n\r\n"), 0);
	CHECK_INT(request_parameter(&r, "n", value), REQUEST_PRESENT);
	CHECK_STR(value, "1  a");
	CHECK_INT(request_parameter(&r, "e", value), REQUEST_PRESENT);
	CHECK_STR(value, "");
	CHECK_INT(request_parameter(&r, "q", value), REQUEST_BAD);
	CHECK_INT(request_parameter(&r, "p", value), REQUEST_BAD);
	CHECK_INT(request_parameter(&r, "f", value), REQUEST_ABSENT);
	CHECK_INT(request_parameter(&r, "z", value), REQUEST_ABSENT);
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	text = xasprintf("GET /?n=%s HTTP/1.0\r\n\r\n", many);
	CHECK_INT(parse(text), 0);
	CHECK_INT(request_parameter(&r, "n", value), REQUEST_BAD);
}

TEST(accept_reads_every_line)
{
	CHECK_INT(parse("GET / HTTP/1.0\r\nAccept: a/one\r\nX: y\r\naccept: b/two;q=0.5, B/THREE,\r\n"
	    "ACCEPT: ,c/*\r\n\r\n"), 0);
	CHECK(accept_names(&r, "a/one"));
	CHECK(accept_names(&r, "b/two"));
	CHECK(accept_names(&r, "b/three"));
	CHECK(!accept_names(&r, "b/t"));
	CHECK(!accept_names(&r, "q=0.5"));
	CHECK(!accept_names(&r, "c/four"));
	CHECK(accept_takes(&r, "c/four"));
	CHECK(!accept_takes(&r, "d/four"));
	CHECK(!accept_is(&r, "a/one"));
	CHECK_INT(parse("GET / HTTP/1.0\r\nAccept: */*\r\n\r\n"), 0);
	CHECK(accept_takes(&r, "d/four") && !accept_names(&r, "d/four"));
	CHECK_INT(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	CHECK(!accept_takes(&r, "d/four"));
}

TEST(accept_is_all_of_it)
{
	CHECK_INT(parse("GET / HTTP/1.0\r\nAccept: application/json\r\n\r\n"), 0);
	CHECK(accept_is(&r, "application/json"));
	CHECK_INT(parse("GET / HTTP/1.0\r\nAccept: application/json, */*\r\n\r\n"), 0);
	CHECK(!accept_is(&r, "application/json"));
	CHECK_INT(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	CHECK(!accept_is(&r, "application/json"));
}

int
main(void)
{
	return RUN(CASE(reads_a_request), CASE(decodes_once), CASE(connections), CASE(refuses),
	    CASE(limits), CASE(parameters), CASE(accept_reads_every_line),
	    CASE(accept_is_all_of_it));
}
