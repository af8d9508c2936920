#include "daemon/metrics-server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "crane/request.h"
#include "daemon/log.h"
#include "daemon/loopback.h"

#define CLIENTS_MAX 16
#define BACKLOG 16
#define RETRY_S 10			/* while the address is taken */
#define CLIENT_S 30			/* from its first byte to its last */
#define TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics_server {
	struct event_base	*base;
	struct exporter		*exporter;
	const char		*address;
	struct incident		*incident;
	struct evconnlistener	*listener;	/* NULL: it cannot be had */
	struct event		*retry;
	LIST_HEAD(, visitor)	 visitors;
	unsigned int		 n;
};

struct visitor {
	LIST_ENTRY(visitor)	 entry;
	struct metrics_server	*server;	/* NULL: gone; the exporter's answer is for nobody */
	struct bufferevent	*bev;
	struct event		*over;
	bool			 waits;		/* for the exporter */
	bool			 answered;
	bool			 head_only;
};

/* ---- one client ---- */

static void
end(struct visitor *v)
{
	if (v->server == NULL)
		return;
	LIST_REMOVE(v, entry);
	v->server->n--;
	v->server = NULL;
	event_free(v->over);
	bufferevent_free(v->bev);
	if (!v->waits)
		free(v);
}

static void
answer(struct visitor *v, const char *status, const char *type, const char *body, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(v->bev);

	v->answered = true;
	evbuffer_add_printf(out, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nConnection: close\r\n\r\n", status, type, len);
	if (!v->head_only)
		evbuffer_add(out, body, len);
}

static void
refuse(struct visitor *v, const char *status)
{
	cleanup(free_p) char *body = xasprintf("%s\nThe metrics are at /metrics.\n", status);

	answer(v, status, "text/plain", body, strlen(body));
}

static void
on_text(void *arg, struct buf *text)
{
	struct visitor *v = arg;

	v->waits = false;
	if (v->server == NULL)
		free(v);
	else if (text == NULL)
		refuse(v, "503 Service Unavailable");
	else
		answer(v, "200 OK", TYPE, buf_str(text), text->len);
}

static void
ask(struct visitor *v, const struct request *r)
{
	v->head_only = r->method == REQUEST_HEAD;
	if (strcmp(r->path, "/metrics") != 0) {
		refuse(v, "404 Not Found");
	} else if (r->method != REQUEST_GET && r->method != REQUEST_HEAD) {
		refuse(v, "405 Method Not Allowed");
	} else {
		v->waits = true;
		exporter_ask(v->server->exporter, on_text, v);
	}
}

/* What comes behind the first request is for nobody. */
static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct visitor *v = arg;
	struct evbuffer_ptr head_end;
	char head[REQUEST_HEAD_MAX + 1];
	struct request r;
	size_t len;

	if (v->waits || v->answered) {
		evbuffer_drain(input, evbuffer_get_length(input));
		return;
	}
	head_end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
	len = head_end.pos == -1 ? 0 : (size_t)head_end.pos + 4;
	if (len > REQUEST_HEAD_MAX || (len == 0 && evbuffer_get_length(input) >= REQUEST_HEAD_MAX)) {
		refuse(v, "431 Request Header Fields Too Large");
		return;
	}
	if (len == 0)
		return;
	evbuffer_remove(input, head, len);
	if (request_parse(head, len, &r) != 0)
		refuse(v, "400 Bad Request");
	else
		ask(v, &r);
}

/* All of the answer is with the kernel. Bytes that were not read would reset the connection and
 * take it away: our side is closed, and the client closes, or its time is over. */
static void
on_written(struct bufferevent *bev, void *arg)
{
	struct visitor *v = arg;

	if (v->answered && shutdown(bufferevent_getfd(bev), SHUT_WR) == -1)
		end(v);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	end(arg);
}

static void
on_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
    void *arg)
{
	struct metrics_server *s = arg;
	struct timeval limit = { CLIENT_S, 0 };
	struct visitor *v;

	(void)listener;
	(void)from;
	(void)len;
	if (s->n >= CLIENTS_MAX) {
		evutil_closesocket(fd);
		return;
	}
	v = xcalloc(1, sizeof(*v));
	v->server = s;
	v->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	v->over = evtimer_new(s->base, on_over, v);
	LIST_INSERT_HEAD(&s->visitors, v, entry);
	s->n++;
	bufferevent_setwatermark(v->bev, EV_READ, 0, REQUEST_HEAD_MAX);
	bufferevent_setcb(v->bev, on_read, on_written, on_event, v);
	bufferevent_enable(v->bev, EV_READ | EV_WRITE);
	evtimer_add(v->over, &limit);
}

/* ---- the address ---- */

/* Out of descriptors, or the like. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct metrics_server *s = arg;
	struct timeval later = { RETRY_S, 0 };

	evconnlistener_disable(listener);
	evtimer_add(s->retry, &later);
}

static void
try_to_listen(struct metrics_server *s)
{
	struct timeval later = { RETRY_S, 0 };
	cleanup(free_p) char *why = NULL;
	struct loopback at;

	if (!loopback_parse(s->address, &at))
		return;		/* the settings would not have it */
	s->listener = evconnlistener_new_bind(s->base, on_accept, s, LEV_OPT_CLOSE_ON_FREE |
	    LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG, (struct sockaddr *)&at.at,
	    at.len);
	if (s->listener == NULL) {
		why = xasprintf("cannot listen on %s: %s; name another address, or end what has it",
		    s->address, strerror(errno));
		evtimer_add(s->retry, &later);
	} else {
		evconnlistener_set_error_cb(s->listener, on_accept_error);
		log_info(NULL, "metrics are at http://%s/metrics", s->address);
	}
	incident_set(s->incident, why);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct metrics_server *s = arg;

	(void)fd;
	(void)what;
	if (s->listener != NULL)
		evconnlistener_enable(s->listener);
	else
		try_to_listen(s);
}

struct metrics_server *
metrics_server_new(struct event_base *base, struct exporter *exporter, const char *address,
    struct incident *incident)
{
	struct metrics_server *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->exporter = exporter;
	s->address = address;
	s->incident = incident;
	LIST_INIT(&s->visitors);
	s->retry = evtimer_new(base, on_retry, s);
	try_to_listen(s);
	return s;
}

void
metrics_server_free(struct metrics_server *s)
{
	if (s == NULL)
		return;
	while (!LIST_EMPTY(&s->visitors))
		end(LIST_FIRST(&s->visitors));
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	event_free(s->retry);
	free(s);
}
