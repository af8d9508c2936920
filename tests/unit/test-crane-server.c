/* tests connection.c and server.c: a server on loopback with small limits, and clients that do
 * not behave. */
#include "crane/server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "tests/unit/crane-ask.h"
#include "tests/unit/test.h"

#define HOST "HTTP/1.1\r\nHost: a\r\n"

static const char *const files[] = {
	"{\"version\":2,\"repository\":\"r\",\"repo-registry-id\":\"a\",\"url\":\"https://b/\"}", NULL,
};

static struct server *server;
static struct live *live;
static struct sockaddr_in address;

static void
begin(struct connection_limits limits)
{
	struct server_options options = { .listen = "127.0.0.1:0", .workers = 1, .limits = limits };
	struct error err = ERROR_INIT;

	server = server_new(&options, &err);
	if (server == NULL) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	live = crane_live(files);
	server_publish(server, live);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)atoi(strrchr(server_address(server), ':') + 1));
}

static void
end(void)
{
	server_free(server);
	live_unref(live);
}

static int
dial(void)
{
	struct timeval limit = { 60, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void
say(int fd, const char *text)
{
	size_t len = strlen(text);

	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		abort();
}

/* All that comes until the server hangs up; it may reset. The caller's to free. */
static char *
rest(int fd)
{
	struct buf out = BUF_INIT;
	char piece[65536];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		buf_add(&out, piece, (size_t)n);
	close(fd);
	return buf_take(&out);
}

static unsigned int
count(const char *text, const char *part)
{
	unsigned int n = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		n++;
	return n;
}

static const struct connection_limits usual = CONNECTION_LIMITS;

TEST(requests_in_one_piece_are_answered_in_order)
{
	cleanup(free_p) char *answer = NULL;
	int fd;

	begin(usual);
	fd = dial();
	say(fd, "GET /v1/_ping " HOST "\r\n");
	/* A body that looks like a request is none. */
	say(fd, "POST /v1/users " HOST "Content-Length: 5\r\n\r\nGET /HEAD /v2/ " HOST "\r\n"
	    "GET /v2/a/blobs/sha256:x " HOST "Connection: close\r\n\r\nGET /v1/_ping " HOST "\r\n");
	answer = rest(fd);
	CHECK_INT(count(answer, "HTTP/1.1 "), 4);
	CHECK_INT(count(answer, "HTTP/1.1 201 Created\r\n"), 1);
	CHECK(strstr(answer, "\r\n\r\ntrueHTTP/1.1 201") != NULL);
	CHECK(strstr(answer, "Content-Length: 2\r\nContent-Type: application/json\r\n"
	    "Docker-Distribution-API-Version: registry/2.0\r\n\r\nHTTP/1.1 302") != NULL);
	CHECK(strstr(answer, "Connection: close\r\n\r\n") != NULL);
	end();
}

TEST(byte_by_byte)
{
	static const char request[] = "GET /v2/ HTTP/1.0\r\n\r\n";
	cleanup(free_p) char *answer = NULL;
	size_t i;
	int fd;

	begin(usual);
	fd = dial();
	for (i = 0; i < sizeof(request) - 1; i++)
		say(fd, (char[]){ request[i], '\0' });
	answer = rest(fd);
	CHECK(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0);
	CHECK_STR(strstr(answer, "\r\n\r\n"), "\r\n\r\n{}");
	end();
}

TEST(a_client_that_closed_its_side_gets_its_answer)
{
	cleanup(free_p) char *answer = NULL;
	int fd;

	begin(usual);
	fd = dial();
	say(fd, "GET /v1/_ping " HOST "\r\n");
	shutdown(fd, SHUT_WR);
	answer = rest(fd);
	CHECK(strstr(answer, "\r\n\r\ntrue") != NULL);
	end();
}

TEST(what_is_no_request)
{
	static const struct {
		const char	*text;
		const char	*answer;
	} rows[] = {
		{ "\x16\x03\x01\x02\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
		{ "\x16\x03\x01\x02", "HTTP/1.1 400 Bad Request\r\n" },
		{ "GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
		{ "GET / " HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		    "HTTP/1.1 501 Not Implemented\r\n" },
		{ "POST /v1/users " HOST "Content-Length: 1000000\r\n\r\n",
		    "HTTP/1.1 413 Content Too Large\r\n" },
	};
	size_t i;

	begin(usual);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup(free_p) char *answer = NULL;
		int fd = dial();

		say(fd, rows[i].text);
		answer = rest(fd);
		CHECK(strncmp(answer, rows[i].answer, strlen(rows[i].answer)) == 0);
		CHECK_INT(count(answer, "HTTP/1.1 "), 1);
	}
	end();
}

TEST(a_head_without_end)
{
	cleanup(free_p) char *answer = NULL;
	char piece[1025];
	unsigned int i;
	int fd;

	memset(piece, 'a', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	begin(usual);
	fd = dial();
	say(fd, "GET / HTTP/1.1\r\nX: ");
	for (i = 0; i < 16; i++)
		say(fd, piece);
	answer = rest(fd);
	CHECK(strncmp(answer, "HTTP/1.1 431 ", 13) == 0);
	end();
}

TEST(slow_clients_are_hung_up_on)
{
	struct connection_limits hasty = usual;
	cleanup(free_p) char *slow = NULL, *idle = NULL, *body = NULL;
	int fd, idler, talker;

	hasty.idle_s = hasty.request_s = 1;
	begin(hasty);
	fd = dial();
	idler = dial();
	talker = dial();
	say(fd, "GET /v2/ HTTP/1.1\r\nX: ");
	say(idler, "GET /v1/_ping " HOST "\r\n");
	say(talker, "POST /v1/users " HOST "Content-Length: 9\r\n\r\nabc");
	slow = rest(fd);
	CHECK_STR(slow, "");
	idle = rest(idler);
	CHECK(strstr(idle, "\r\n\r\ntrue") != NULL);
	body = rest(talker);
	CHECK_INT(count(body, "HTTP/1.1 201"), 1);
	end();
}

/* Bytes that trickle in buy no time. */
TEST(a_trickle_is_hung_up_on)
{
	struct connection_limits hasty = usual;
	unsigned int i;
	int fd;

	hasty.request_s = 1;
	begin(hasty);
	fd = dial();
	say(fd, "POST /v1/users " HOST "Content-Length: 60000\r\n\r\n");
	for (i = 0; i < 600; i++) {
		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(100000);
	}
	close(fd);
	CHECK(i < 600);
	end();
}

TEST(one_too_many_takes_the_place_of_an_idle_one)
{
	struct connection_limits few = usual;
	cleanup(free_p) char *first = NULL, *fourth = NULL;
	int fds[4];
	char c;

	few.clients = 3;
	begin(few);
	for (int i = 0; i < 3; i++) {
		fds[i] = dial();
		say(fds[i], "GET /v1/_ping " HOST "\r\n");
		CHECK_INT(recv(fds[i], &c, 1, 0), 1);	/* it is idle now */
	}
	fds[3] = dial();
	say(fds[3], "GET /v1/_ping " HOST "Connection: close\r\n\r\n");
	fourth = rest(fds[3]);
	CHECK(strstr(fourth, "\r\n\r\ntrue") != NULL);
	shutdown(fds[0], SHUT_WR);
	shutdown(fds[1], SHUT_WR);
	shutdown(fds[2], SHUT_WR);
	first = rest(fds[0]);
	CHECK(strstr(first, "\r\n\r\ntrue") != NULL);
	close(fds[1]);
	close(fds[2]);
	end();
}

/* Answers that nobody reads do not pile up: requests stay unread, and when all clients together
 * leave too much, the others are put off. */
TEST(a_client_that_never_reads_is_not_read)
{
	static const char request[] = "GET /crane/repositories/v2 " HOST "\r\n";
	struct connection_limits tight = usual;
	struct timeval soon = { 1, 0 };
	cleanup(free_p) char *other = NULL;
	bool stuck = false;
	unsigned int i;
	int fd, second;

	tight.pending_max = 0;
	begin(tight);
	fd = dial();
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	for (i = 0; i < 1000000 && !stuck; i++)
		stuck = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) <= 0;
	CHECK(stuck);
	second = dial();
	say(second, "GET /v2/ " HOST "Connection: close\r\n\r\n");
	other = rest(second);
	CHECK(strncmp(other, "HTTP/1.1 503 Service Unavailable\r\n", 34) == 0);
	close(fd);
	end();
}

TEST(news_reach_who_stays_connected)
{
	static const char *const other[] = {
		"{\"version\":2,\"repository\":\"r\",\"repo-registry-id\":\"b\",\"url\":\"https://c/\"}",
		NULL };
	struct live *next = crane_live(other);
	cleanup(free_p) char *answer = NULL;
	char c;
	int fd;

	begin(usual);
	fd = dial();
	say(fd, "GET /v1/_ping " HOST "\r\n");
	CHECK_INT(recv(fd, &c, 1, 0), 1);
	server_publish(server, next);
	live_unref(next);
	do {	/* the worker takes it from its pipe in its own time */
		cleanup(free_p) char *seen = NULL;
		int asking = dial();

		say(asking, "GET /v2/b/tags/list " HOST "Connection: close\r\n\r\n");
		seen = rest(asking);
		if (strstr(seen, "302") != NULL)
			break;
	} while (true);
	say(fd, "GET /v2/b/tags/list " HOST "Connection: close\r\n\r\n");
	answer = rest(fd);
	CHECK(strstr(answer, "Location: https://c/tags/list\r\n") != NULL);
	end();
}

TEST(addresses)
{
	static const char *const bad[] = { "", "5000", "127.0.0.1", "127.0.0.1:", "[::1:5000",
	    "127.0.0.1:x", "not.an.address.invalid:1" };
	struct server_options options = { .workers = 1, .limits = usual };
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct error)ERROR_INIT;
		options.listen = bad[i];
		CHECK(server_new(&options, &err) == NULL);
		CHECK(err.text[0] != '\0');
	}
	options.listen = ":0";
	server = server_new(&options, &err);
	CHECK(server != NULL);
	CHECK(strcmp(server_address(server), ":0") != 0);
	server_free(server);
}

int
main(void)
{
	return RUN(CASE(requests_in_one_piece_are_answered_in_order), CASE(byte_by_byte),
	    CASE(a_client_that_closed_its_side_gets_its_answer), CASE(what_is_no_request),
	    CASE(a_head_without_end), CASE(slow_clients_are_hung_up_on), CASE(a_trickle_is_hung_up_on),
	    CASE(one_too_many_takes_the_place_of_an_idle_one),
	    CASE(a_client_that_never_reads_is_not_read), CASE(news_reach_who_stays_connected),
	    CASE(addresses));
}
