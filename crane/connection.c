#include "crane/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "common/alloc.h"
#include "crane/service.h"

#define PIPELINE_MAX (256u << 10)	/* bytes of answers, above which no request is read */
#define LINGER_S 2			/* until a client has read why it is hung up on */

enum state {
	IDLE,			/* between requests */
	REQUEST,		/* some of a request has come */
	ANSWER,			/* some of an answer has not gone */
	LINGER,			/* our side is closed */
};

struct connection {
	LIST_ENTRY(connection)	 entry;
	struct connections	*all;
	struct bufferevent	*bev;
	enum state		 state;
	int64_t			 expires_at;	/* seconds, on the monotonic clock */
	uint64_t		 skip;		/* bytes of a body that nobody wants */
	uint64_t		 answers;
	bool			 last;		/* hung up on after the answers */
};

struct connections {
	LIST_HEAD(, connection)	 list;
	struct event_base	*base;
	struct connection_limits limits;
	SSL_CTX			*tls;		/* of what is live; NULL: none */
	struct service		 service;
	struct live		*live;
	unsigned int		 n;
	int64_t			 pending;	/* bytes in all output buffers */
	bool			 draining;
	struct answer		 answer;
	struct buf		 head;		/* of the answer */
	time_t			 date_at;
	char			 date[sizeof("Thu, 01 Jan 1970 00:00:00 GMT")];
	char			 request[REQUEST_HEAD_MAX + 1];
};

static int64_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

struct connections *
connections_new(struct event_base *base, const struct connection_limits *limits,
    const char *endpoint)
{
	struct connections *all = xcalloc(1, sizeof(*all));

	LIST_INIT(&all->list);
	all->base = base;
	all->limits = *limits;
	all->service.endpoint = endpoint;
	return all;
}

/* Of what was added to the output, or taken from it by the network. */
static void
count_pending(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *c = arg;

	(void)output;
	c->all->pending += (int64_t)info->n_added - (int64_t)info->n_deleted;
}

static void
close_connection(struct connection *c)
{
	struct connections *all = c->all;

	all->pending -= (int64_t)evbuffer_get_length(bufferevent_get_output(c->bev));
	LIST_REMOVE(c, entry);
	all->n--;
	evbuffer_remove_cb(bufferevent_get_output(c->bev), count_pending, c);
	bufferevent_free(c->bev);
	free(c);
}

void
connections_free(struct connections *all)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&all->list); c != NULL; c = next) {
		next = LIST_NEXT(c, entry);
		close_connection(c);
	}
	live_unref(all->live);
	answer_done(&all->answer);
	buf_done(&all->head);
	free(all);
}

void
connections_serve(struct connections *all, struct live *live)
{
	live_unref(all->live);
	all->live = live;
	all->tls = keys_tls(live_keys(live));
	all->service.live = live;
	all->service.presign = keys_presign(live_keys(live));
}

static void
set_state(struct connection *c, enum state state)
{
	const struct connection_limits *l = &c->all->limits;

	c->state = state;
	c->expires_at = seconds() + (state == IDLE ? l->idle_s : state == REQUEST ? l->request_s :
	    state == ANSWER ? l->answer_s : LINGER_S);
}

/* Closing with bytes unread would reset the connection and take our last answer with it. */
static void
hang_up(struct connection *c)
{
	SSL *ssl = c->all->tls != NULL ? bufferevent_openssl_get_ssl(c->bev) : NULL;

	if (ssl != NULL)
		SSL_shutdown(ssl);
	if (shutdown(bufferevent_getfd(c->bev), SHUT_WR) == -1) {
		close_connection(c);
		return;
	}
	evbuffer_drain(bufferevent_get_input(c->bev),
	    evbuffer_get_length(bufferevent_get_input(c->bev)));
	set_state(c, LINGER);
}

/* The locale is C's: the program sets none. */
static const char *
date_now(struct connections *all)
{
	struct tm tm;

	if (all->service.now != all->date_at) {
		gmtime_r(&all->service.now, &tm);
		strftime(all->date, sizeof(all->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		all->date_at = all->service.now;
	}
	return all->date;
}

/* Straight to the socket while nothing waits to go before it: most answers fit, and the loop has
 * no turn to make for them. */
static void
send_bytes(struct connection *c, const char *data, size_t len)
{
	struct evbuffer *output = bufferevent_get_output(c->bev);
	ssize_t n = 0;

	if (c->all->tls == NULL && evbuffer_get_length(output) == 0) {
		n = send(bufferevent_getfd(c->bev), data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1)
			n = 0;	/* what is wrong, the loop will meet again */
	}
	if ((size_t)n < len)
		evbuffer_add(output, data + n, len - (size_t)n);
}

static void
send_answer(struct connection *c, const struct answer *a, bool with_body)
{
	struct connections *all = c->all;
	const struct buf *body = a->shared != NULL ? a->shared : &a->body;

	c->answers++;
	buf_clear(&all->head);
	buf_printf(&all->head, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: %ju\r\n", a->status,
	    answer_reason(a->status), date_now(all),
	    a->has_length ? (uintmax_t)a->length : (uintmax_t)body->len);
	buf_add(&all->head, buf_str(&a->headers), a->headers.len);
	buf_add_str(&all->head, c->last ? "Connection: close\r\n\r\n" : "\r\n");
	if (with_body && body->len <= 4096)
		buf_add(&all->head, buf_str(body), body->len);
	send_bytes(c, all->head.data, all->head.len);
	if (with_body && body->len > 4096)
		send_bytes(c, body->data, body->len);
}

static void
refuse(struct connection *c, int status)
{
	c->last = true;
	answer_status(&c->all->answer, status);
	send_answer(c, &c->all->answer, true);
}

static void
answer_request(struct connection *c, const struct request *r)
{
	struct connections *all = c->all;

	c->last = !r->keep_alive || r->expects || all->draining;
	c->skip = r->body_size;
	if (all->pending > all->limits.pending_max)
		answer_status(&all->answer, 503);
	else
		service_answer(&all->service, r, &all->answer);
	send_answer(c, &all->answer, r->method != REQUEST_HEAD);
}

/* Bytes up to and with the empty line; 0: it has not come yet. */
static size_t
head_length(struct evbuffer *input)
{
	struct evbuffer_ptr end, begin;

	evbuffer_ptr_set(input, &begin, 0, EVBUFFER_PTR_SET);
	end = evbuffer_search(input, "\r\n\r\n", 4, &begin);
	return end.pos == -1 ? 0 : (size_t)end.pos + 4;
}

/* Such a client of TLS would wait for us as we for it: its hello holds no empty line. */
static bool
is_no_request(struct evbuffer *input)
{
	unsigned char first;

	return evbuffer_copyout(input, &first, 1) == 1 && (first < 0x20 || first >= 0x7f);
}

/* Takes one request, or a part of what is before it, out of the input. False: there is no more to
 * do until more comes. */
static bool
step(struct connection *c)
{
	struct evbuffer *input = bufferevent_get_input(c->bev);
	size_t have = evbuffer_get_length(input), len;
	struct request r;
	int status;

	if (c->skip > 0 && have > 0) {
		len = have < c->skip ? have : (size_t)c->skip;
		evbuffer_drain(input, len);
		c->skip -= len;
		return true;
	}
	c->all->service.now = time(NULL);
	if (have == 0 || c->last ||
	    evbuffer_get_length(bufferevent_get_output(c->bev)) > PIPELINE_MAX)
		return false;
	len = head_length(input);
	if (len > REQUEST_HEAD_MAX || (len == 0 && have >= REQUEST_HEAD_MAX)) {
		refuse(c, 431);
		return false;
	}
	if (len == 0 && is_no_request(input))
		refuse(c, 400);
	if (len == 0)
		return false;
	evbuffer_remove(input, c->all->request, len);
	status = request_parse(c->all->request, len, &r);
	if (status != 0)
		refuse(c, status);
	else
		answer_request(c, &r);
	return true;
}

static void
proceed(struct connection *c)
{
	uint64_t before = c->answers;
	bool answered;

	while (step(c))
		;
	answered = c->answers != before;
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) > 0) {
		if (answered || c->state != ANSWER)
			set_state(c, ANSWER);
	} else if (c->last) {
		hang_up(c);
	} else if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0 || c->skip > 0) {
		if (answered || c->state != REQUEST)	/* time is for all of it, not for each piece */
			set_state(c, REQUEST);
	} else {
		set_state(c, IDLE);
	}
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *input = bufferevent_get_input(bev);

	if (c->state == LINGER || c->last)
		evbuffer_drain(input, evbuffer_get_length(input));
	else
		proceed(c);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	if (((struct connection *)arg)->state == ANSWER)
		proceed(arg);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct connection *c = arg;

	if (what & BEV_EVENT_CONNECTED)	/* TLS is agreed on */
		return;
	/* A client that closed its side may still read. */
	if ((what & BEV_EVENT_EOF) && c->state == ANSWER &&
	    evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		c->last = true;
	else
		close_connection(c);
}

/* The one that has been idle longest makes room. */
static bool
make_room(struct connections *all)
{
	struct connection *c, *oldest = NULL;

	LIST_FOREACH(c, &all->list, entry)
		if ((c->state == IDLE || c->state == LINGER) &&
		    (oldest == NULL || c->expires_at < oldest->expires_at))
			oldest = c;
	if (oldest != NULL)
		close_connection(oldest);
	return oldest != NULL;
}

static struct bufferevent *
new_bufferevent(struct connections *all, int fd)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (all->tls == NULL)
		return bufferevent_socket_new(all->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if ((ssl = SSL_new(all->tls)) == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(all->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
	    BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

void
connections_accept(struct connections *all, int fd)
{
	struct bufferevent *bev = NULL;
	struct connection *c;
	int on = 1;

	if (!all->draining && (all->n < all->limits.clients || make_room(all)))
		bev = new_bufferevent(all, fd);
	if (bev == NULL) {
		evutil_closesocket(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = xcalloc(1, sizeof(*c));
	c->all = all;
	c->bev = bev;
	LIST_INSERT_HEAD(&all->list, c, entry);
	all->n++;
	set_state(c, REQUEST);
	evbuffer_add_cb(bufferevent_get_output(bev), count_pending, c);
	bufferevent_setwatermark(bev, EV_READ, 0, 2 * REQUEST_HEAD_MAX);
	bufferevent_setcb(bev, on_read, on_written, on_event, c);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void
connections_sweep(struct connections *all)
{
	int64_t now = seconds();
	struct connection *c, *next;

	for (c = LIST_FIRST(&all->list); c != NULL; c = next) {
		next = LIST_NEXT(c, entry);
		if (c->expires_at < now)
			close_connection(c);
	}
}

bool
connections_drain(struct connections *all)
{
	struct connection *c, *next;

	all->draining = true;
	for (c = LIST_FIRST(&all->list); c != NULL; c = next) {
		next = LIST_NEXT(c, entry);
		if (c->state != ANSWER)
			close_connection(c);
		else
			c->last = true;
	}
	return LIST_EMPTY(&all->list);
}
