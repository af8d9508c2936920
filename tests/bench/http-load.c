/* http-load: asks an HTTP server as fast as it answers, for tests/bench/crane.
 *
 *	http-load PORT CONNECTIONS SECONDS METHOD REPOSITORIES PATH ACCEPT
 *
 * PATH has one %d, a random repository's number. One request at a time on each connection, which
 * is kept. Prints "requests/s p50_us p99_us". (wrk and ab both wait for the body of a HEAD.) */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"

#define SLOTS 200000	/* of the histogram, 5 us each: up to a second */
#define SLOT_US 5
#define PREPARED 4096

struct client {
	int	 fd;
	int64_t	 asked_at;
	size_t	 have;
	char	 answer[8192];
};

static char *requests[PREPARED];
static uint64_t histogram[SLOTS];
static uint64_t n_answers;
static bool is_head;

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void
fail(const char *why)
{
	fprintf(stderr, "http-load: %s\n", why);
	exit(1);
}

static void
prepare(const char *method, int repositories, const char *path, const char *accept)
{
	char *target;
	int i;

	srandom(1);
	for (i = 0; i < PREPARED; i++) {
		target = xasprintf(path, (int)(random() % repositories));
		requests[i] = xasprintf("%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: %s\r\n\r\n",
		    method, target, accept);
		free(target);
	}
}

static void
ask(struct client *c)
{
	static unsigned int at;
	const char *request = requests[at++ % PREPARED];

	c->have = 0;
	c->asked_at = now_us();
	if (send(c->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		fail("cannot send");
}

/* Whether the answer is there, head and body. */
static bool
is_whole(const struct client *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n");
	const char *length = strcasestr(c->answer, "\r\nContent-Length:");

	if (end == NULL)
		return false;
	if (length == NULL || length > end)
		fail("an answer without a length");
	if (c->answer[9] != '2' && c->answer[9] != '3')
		fail(c->answer);
	return is_head || c->have >= (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
}

static void
take(struct client *c)
{
	ssize_t n = recv(c->fd, c->answer + c->have, sizeof(c->answer) - 1 - c->have, MSG_DONTWAIT);
	int64_t slot;

	if (n <= 0)
		fail("the server hung up");
	c->have += (size_t)n;
	c->answer[c->have] = '\0';
	if (!is_whole(c))
		return;
	slot = (now_us() - c->asked_at) / SLOT_US;
	histogram[slot < SLOTS ? slot : SLOTS - 1]++;
	n_answers++;
	ask(c);
}

static uint64_t
percentile(double part)
{
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < SLOTS - 1 && (double)(seen += histogram[i]) < part * (double)n_answers; i++)
		;
	return (uint64_t)i * SLOT_US;
}

static void
dial(struct client *c, int epoll, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || connect(c->fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) == -1)
		fail("cannot connect");
	ask(c);
}

int
main(int argc, char **argv)
{
	struct epoll_event events[64];
	struct client *clients;
	int64_t begin, end;
	int epoll, i, n, count;

	if (argc != 8)
		fail("usage: PORT CONNECTIONS SECONDS METHOD REPOSITORIES PATH ACCEPT");
	count = atoi(argv[2]);
	is_head = strcmp(argv[4], "HEAD") == 0;
	prepare(argv[4], atoi(argv[5]), argv[6], argv[7]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	clients = xcalloc((size_t)count, sizeof(*clients));
	begin = now_us();
	for (i = 0; i < count; i++)
		dial(&clients[i], epoll, (uint16_t)atoi(argv[1]));
	end = begin + atoi(argv[3]) * INT64_C(1000000);
	while (now_us() < end) {
		n = epoll_wait(epoll, events, 64, 1000);
		for (i = 0; i < n; i++)
			take(events[i].data.ptr);
	}
	printf("%.0f %ju %ju\n", (double)n_answers * 1e6 / (double)(now_us() - begin),
	    (uintmax_t)percentile(0.5), (uintmax_t)percentile(0.99));
	free(clients);
	return 0;
}
