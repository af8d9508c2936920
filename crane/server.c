#include "crane/server.h"

#include <errno.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"

#define BACKLOG 1024
#define DRAIN_S 5	/* for clients to take their answers at the end */

struct worker {
	pthread_t		 thread;
	bool			 started;
	int			 pipe[2];	/* read by the worker, written by the main thread */
	int			 fd;		/* listening; -1 once the listener has it */
	struct event_base	*base;
	struct evconnlistener	*listener;
	struct event		*news;
	struct event		*tick;
	struct connections	*connections;
	int			 ticks_left;	/* while it ends */
};

struct server {
	struct worker	*workers;
	unsigned int	 n;
	char		 address[NI_MAXHOST + NI_MAXSERV + 4];
};

struct address {
	struct sockaddr_storage	 at;
	socklen_t		 len;
};

/* Host and port of "[::1]:5000", "127.0.0.1:5000", ":5000". */
static int
split_address(const char *text, char **host, char **port, struct error *err)
{
	const char *colon = strrchr(text, ':'), *end = colon;

	if (colon == NULL || colon[1] == '\0')
		return error_set(err, ERROR_INPUT, "'%s' is not ADDR:PORT", text);
	if (text[0] == '[') {
		if (colon[-1] != ']')
			return error_set(err, ERROR_INPUT, "'%s' is not [ADDR]:PORT", text);
		text++;
		end--;
	}
	*host = xstrndup(text, (size_t)(end - text));
	*port = xstrdup(colon + 1);
	return 0;
}

static int
resolve(const char *text, struct address *out, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
	cleanup(free_p) char *host = NULL, *port = NULL;
	int status;

	if (split_address(text, &host, &port, err) == -1)
		return -1;
	status = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
	if (status != 0)
		return error_set(err, ERROR_INPUT, "cannot listen on '%s': %s", text,
		    gai_strerror(status));
	memcpy(&out->at, found->ai_addr, found->ai_addrlen);
	out->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

/* Port 0 becomes the port that the kernel chose, for the workers that follow. */
static int
listen_on(struct address *a, struct error *err)
{
	cleanup(close_p) int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	int on = 1;

	if (fd == -1)
		return error_errno(err, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&a->at, a->len) == -1 || listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a->at, &a->len) == -1)
		return error_errno(err, "cannot listen");
	on = fd;
	fd = -1;
	return on;
}

static void
describe(const struct address *a, char *out, size_t size)
{
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

	getnameinfo((const struct sockaddr *)&a->at, a->len, host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, size, a->at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
    void *arg)
{
	struct worker *w = arg;

	(void)listener;
	(void)from;
	(void)len;
	connections_accept(w->connections, fd);
}

/* Out of descriptors, or the like: the next tick tries again. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	evconnlistener_disable(listener);
}

static void
begin_end(struct worker *w)
{
	event_del(w->news);
	evconnlistener_free(w->listener);
	w->listener = NULL;
	w->ticks_left = DRAIN_S;
	if (connections_drain(w->connections))
		event_base_loopbreak(w->base);
}

/* A pointer is written whole: it is shorter than PIPE_BUF, pipe(7). */
static void
on_news(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct live *live;
	ssize_t n;

	(void)what;
	while ((n = read(fd, &live, sizeof(live))) == sizeof(live))
		connections_serve(w->connections, live);
	if (n == 0)
		begin_end(w);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	connections_sweep(w->connections);
	if (w->listener != NULL)
		evconnlistener_enable(w->listener);
	else if (connections_drain(w->connections) || --w->ticks_left == 0)
		event_base_loopbreak(w->base);
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	on_news(w->pipe[0], EV_READ, w);	/* what is live comes before any client */
	event_base_dispatch(w->base);
	return NULL;
}

static int
worker_init(struct worker *w, const struct server_options *o, struct address *at,
    struct error *err)
{
	struct connection_limits limits = o->limits;
	struct timeval second = { 1, 0 };

	limits.clients /= o->workers;
	limits.pending_max /= o->workers;
	w->pipe[0] = w->pipe[1] = -1;
	if ((w->fd = listen_on(at, err)) == -1)
		return error_prefix(err, "%s", o->listen);
	if (pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		return error_errno(err, "pipe");
	w->base = event_base_new();
	if (w->base == NULL)
		return error_set(err, ERROR_SYSTEM, "cannot make an event loop");
	w->connections = connections_new(w->base, &limits, o->endpoint);
	w->listener = evconnlistener_new(w->base, on_accept, w, LEV_OPT_CLOSE_ON_FREE |
	    LEV_OPT_CLOSE_ON_EXEC, 0, w->fd);
	if (w->listener != NULL)
		w->fd = -1;
	w->news = event_new(w->base, w->pipe[0], EV_READ | EV_PERSIST, on_news, w);
	w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	if (w->listener == NULL || w->news == NULL || w->tick == NULL ||
	    event_add(w->news, NULL) == -1 || event_add(w->tick, &second) == -1)
		return error_set(err, ERROR_SYSTEM, "cannot listen");
	evconnlistener_set_error_cb(w->listener, on_accept_error);
	return 0;
}

static void
worker_done(struct worker *w)
{
	struct live *live;

	if (w->pipe[1] != -1)
		close(w->pipe[1]);
	if (w->started)
		pthread_join(w->thread, NULL);
	if (w->pipe[0] != -1) {
		while (read(w->pipe[0], &live, sizeof(live)) == sizeof(live))
			live_unref(live);
		close(w->pipe[0]);
	}
	if (w->listener != NULL)
		evconnlistener_free(w->listener);
	if (w->news != NULL)
		event_free(w->news);
	if (w->tick != NULL)
		event_free(w->tick);
	if (w->connections != NULL)
		connections_free(w->connections);
	if (w->base != NULL) {
		/* A bufferevent is released by the loop, in its next turn. */
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		event_base_free(w->base);
	}
	if (w->fd != -1)
		close(w->fd);
}

void
server_free(struct server *s)
{
	unsigned int i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {	/* all of them at once, then one after the other */
		if (s->workers[i].pipe[1] != -1)
			close(s->workers[i].pipe[1]);
		s->workers[i].pipe[1] = -1;
	}
	for (i = 0; i < s->n; i++)
		worker_done(&s->workers[i]);
	free(s->workers);
	free(s);
}

struct server *
server_new(const struct server_options *o, struct error *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	struct address at;

	s->workers = xcalloc(o->workers, sizeof(*s->workers));
	if (resolve(o->listen, &at, err) == -1) {
		server_free(s);
		return NULL;
	}
	while (s->n < o->workers) {
		if (worker_init(&s->workers[s->n++], o, &at, err) == -1) {
			server_free(s);
			return NULL;
		}
	}
	describe(&at, s->address, sizeof(s->address));
	return s;
}

const char *
server_address(const struct server *s)
{
	return s->address;
}

/* Signals are for the main thread. */
static void
start(struct worker *w)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	w->started = pthread_create(&w->thread, NULL, work, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!w->started) {
		fputs("raas-crane: cannot start a thread\n", stderr);
		abort();
	}
}

void
server_publish(struct server *s, struct live *live)
{
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		struct live *reference = live_ref(live);

		/* A worker that is 8,000 readings behind will see the next one. */
		if (write(s->workers[i].pipe[1], &reference, sizeof(reference)) == -1)
			live_unref(reference);
		else if (!s->workers[i].started)
			start(&s->workers[i]);
	}
}
