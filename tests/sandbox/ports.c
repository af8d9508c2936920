#include "tests/sandbox/ports.h"

#include <ctype.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/alloc.h"

#define HEADERS_MAX (256u << 10)	/* bytes of a request's headers */
#define IDLE_S 3600			/* tests decide how long a connection lasts, not we */
#define BACKLOG 4096
#define TLS_HANDSHAKE 0x16		/* how a connection begins: RFC 8446 section 5.1 */
#define FACES_MAX 8

struct listener {
	struct ports	*ports;
	struct evhttp	*http;
	const char	*name;
	face_answer	*answer;
	void		*face;
};

/* A request whose answer is not sent at once. */
struct waiting {
	struct ports		*ports;
	struct evhttp_request	*ev;
	struct reply		 answer;
	struct fault		 fault;
	struct event		*timer;		/* NULL: for ever */
	LIST_ENTRY(waiting)	 entry;
};

struct ports {
	struct event_base	*base;
	struct faults		*faults;
	struct record		*record;
	struct listener		 listeners[FACES_MAX];
	size_t			 n_listeners;
	LIST_HEAD(, waiting)	 waiting;
};

struct ports *
ports_new(struct event_base *base, struct faults *faults, struct record *record)
{
	struct ports *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->faults = faults;
	s->record = record;
	LIST_INIT(&s->waiting);
	return s;
}

static const char *
method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET: return "GET";
	case EVHTTP_REQ_POST: return "POST";
	case EVHTTP_REQ_HEAD: return "HEAD";
	case EVHTTP_REQ_PUT: return "PUT";
	case EVHTTP_REQ_DELETE: return "DELETE";
	case EVHTTP_REQ_PATCH: return "PATCH";
	case EVHTTP_REQ_OPTIONS: return "OPTIONS";
	default: return "OTHER";
	}
}

static char *
host_of(const char *header)
{
	char *host = xstrndup(header != NULL ? header : "", 255), *p;

	for (p = host; *p != '\0' && *p != ':'; p++)
		*p = (char)tolower((unsigned char)*p);
	*p = '\0';
	return host;
}

static void
request_init(struct request *r, struct evhttp_request *ev)
{
	const char *uri = evhttp_request_get_uri(ev);
	struct evbuffer *body = evhttp_request_get_input_buffer(ev);
	size_t path_len;

	r->method = method_name(evhttp_request_get_command(ev));
	r->headers = evhttp_request_get_input_headers(ev);
	if (strncmp(uri, "http://", 7) == 0)	/* absolute form: RFC 9112 section 3.2.2 */
		uri += 7 + strcspn(uri + 7, "/");
	path_len = strcspn(uri, "?");
	r->path = path_len != 0 ? xstrndup(uri, path_len) : xstrdup("/");
	r->query_text = uri[path_len] == '?' ? uri + path_len + 1 : "";
	query_parse(r->query_text, &r->query);
	r->host = host_of(request_header(r, "Host"));
	r->body_len = evbuffer_get_length(body);
	r->body = r->body_len == 0 ? "" : (const char *)evbuffer_pullup(body, -1);
}

static void
request_done(struct request *r)
{
	free(r->path);
	free(r->host);
	query_done(&r->query);
}

static const char *
reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 204: return "No Content";
	case 206: return "Partial Content";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 409: return "Conflict";
	case 412: return "Precondition Failed";
	case 422: return "Unprocessable Entity";
	case 500: return "Internal Server Error";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	default: return "Status";
	}
}

/* Moves the headers, and says how long the body is, which evhttp would not for a HEAD. */
static void
put_headers(struct evhttp_request *ev, struct reply *a)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(ev);
	struct evkeyval *header;
	char length[24];

	TAILQ_FOREACH(header, &a->headers, next)
		evhttp_add_header(out, header->key, header->value);
	if (a->status == 204 || a->status == 304 || evhttp_find_header(out, "Content-Length") != NULL)
		return;
	snprintf(length, sizeof(length), "%zu", evbuffer_get_length(a->body));
	evhttp_add_header(out, "Content-Length", length);
}

static void
send_whole(struct evhttp_request *ev, struct reply *a)
{
	put_headers(ev, a);
	if (evhttp_request_get_command(ev) == EVHTTP_REQ_HEAD || a->status == 204)
		evbuffer_drain(a->body, evbuffer_get_length(a->body));
	evhttp_send_reply(ev, a->status, reason(a->status), a->body);
}

static void
close_when_written(struct bufferevent *unused, void *connection)
{
	(void)unused;
	evhttp_connection_free(connection);
}

static void
close_on_event(struct bufferevent *bev, short what, void *connection)
{
	(void)what;
	close_when_written(bev, connection);
}

/* All headers, with the whole body's length, and only the first bytes of the body. */
static void
send_part(struct evhttp_request *ev, struct reply *a, size_t bytes)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(ev);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

	put_headers(ev, a);
	evhttp_send_reply_start(ev, a->status, reason(a->status));
	evbuffer_remove_buffer(a->body, bufferevent_get_output(bev), bytes);
	bufferevent_setcb(bev, NULL, close_when_written, close_on_event, connection);
}

/* Disconnecting resets the connection, see connect(2); evhttp would end it in order first. */
static void
send_reset(struct evhttp_request *ev)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(ev);
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	connect(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)), &nobody,
	    sizeof(nobody));
	evhttp_connection_free(connection);
}

static void
deliver(struct evhttp_request *ev, struct reply *a, const struct fault *fault)
{
	if (fault->reset)
		send_reset(ev);
	else if (fault->truncate_at >= 0)
		send_part(ev, a, (size_t)fault->truncate_at);
	else
		send_whole(ev, a);
}

static void
waiting_free(struct waiting *w)
{
	LIST_REMOVE(w, entry);
	if (w->timer != NULL)
		event_free(w->timer);
	reply_done(&w->answer);
	fault_done(&w->fault);
	free(w);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct waiting *w = arg;

	(void)fd;
	(void)what;
	deliver(w->ev, &w->answer, &w->fault);
	waiting_free(w);
}

/* Nothing is read from the connection meanwhile: evhttp would take a client's reset for a new
 * event of a request that is still ours. */
static void
wait_before(struct ports *s, struct evhttp_request *ev, struct reply *a, struct fault *fault)
{
	struct waiting *w = xcalloc(1, sizeof(*w));
	struct timeval delay = { .tv_sec = fault->delay_ms / 1000,
	    .tv_usec = fault->delay_ms % 1000 * 1000 };

	bufferevent_disable(evhttp_connection_get_bufferevent(evhttp_request_get_connection(ev)),
	    EV_READ);
	w->ports = s;
	w->ev = ev;
	reply_init(&w->answer);
	w->answer.status = a->status;
	TAILQ_CONCAT(&w->answer.headers, &a->headers, next);
	evbuffer_add_buffer(w->answer.body, a->body);
	w->fault = *fault;
	fault->order = NULL;
	LIST_INSERT_HEAD(&s->waiting, w, entry);
	if (!fault->hang) {
		w->timer = evtimer_new(s->base, on_timer, w);
		evtimer_add(w->timer, &delay);
	}
}

static const char *
fault_note(const struct fault *fault)
{
	if (fault->hang)
		return "hang";
	if (fault->reset)
		return "reset";
	if (fault->truncate_at >= 0)
		return "truncated";
	if (fault->status != 0)
		return "status";
	return fault->delay_ms > 0 ? "delay" : NULL;
}

static void
answer_request(struct listener *l, const struct request *r, struct reply *a, struct fault *fault)
{
	bool is_spoiled = l->name != NULL && faults_take(l->ports->faults, l->name, r, fault);
	bool is_lost = is_spoiled && !fault->after &&
	    (fault->status != 0 || fault->hang || fault->reset);

	if (!is_lost)
		l->answer(l->face, r, a);
	if (is_spoiled && fault->status != 0)
		fault_answer(fault, a);
	if (a->status == 0)
		a->status = 500;
	if (l->name != NULL)
		record_add(l->ports->record, l->name, r, a->status, fault_note(fault));
}

static void
on_request(struct evhttp_request *ev, void *arg)
{
	struct listener *l = arg;
	struct fault fault = { .truncate_at = -1 };
	struct request r;
	struct reply a;

	request_init(&r, ev);
	reply_init(&a);
	answer_request(l, &r, &a, &fault);
	if (fault.hang || fault.delay_ms > 0)
		wait_before(l->ports, ev, &a, &fault);
	else
		deliver(ev, &a, &fault);
	fault_done(&fault);
	reply_done(&a);
	request_done(&r);
}

static struct bufferevent *
tls_bufferevent(struct event_base *base, void *tls)
{
	return bufferevent_openssl_socket_new(base, -1, SSL_new(tls), BUFFEREVENT_SSL_ACCEPTING,
	    BEV_OPT_CLOSE_ON_FREE);
}

/* evhttp would wait for the end of a line, which a client that tries TLS first does not send. */
static void
on_first_bytes(struct evbuffer *input, const struct evbuffer_cb_info *info, void *bev)
{
	unsigned char first;

	(void)info;
	if (evbuffer_copyout(input, &first, 1) == 1 && first == TLS_HANDSHAKE)
		shutdown(bufferevent_getfd(bev), SHUT_RDWR);
	evbuffer_remove_cb(input, on_first_bytes, bev);
}

static struct bufferevent *
plain_bufferevent(struct event_base *base, void *unused)
{
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	(void)unused;
	evbuffer_add_cb(bufferevent_get_input(bev), on_first_bytes, bev);
	return bev;
}

static struct evhttp *
http_new(struct event_base *base, SSL_CTX *tls)
{
	struct evhttp *http = evhttp_new(base);

	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
	    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_PATCH | EVHTTP_REQ_OPTIONS);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, PORTS_BODY_MAX);
	evhttp_set_timeout(http, IDLE_S);
	evhttp_set_default_content_type(http, NULL);
	evhttp_set_bevcb(http, tls != NULL ? tls_bufferevent : plain_bufferevent, tls);
	return http;
}

int
ports_listen(struct ports *s, int *port, const char *name, SSL_CTX *tls, face_answer *answer,
    void *face, struct error *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	struct evconnlistener *socket;
	struct listener *l = &s->listeners[s->n_listeners];

	socket = evconnlistener_new_bind(s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE |
	    LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG, (struct sockaddr *)&at, sizeof(at));
	if (socket == NULL)
		return error_errno(err, "127.0.0.1:%d", *port);
	getsockname(evconnlistener_get_fd(socket), (struct sockaddr *)&at, &len);
	*port = ntohs(at.sin_port);
	*l = (struct listener){ s, http_new(s->base, tls), name, answer, face };
	evhttp_bind_listener(l->http, socket);
	evhttp_set_gencb(l->http, on_request, l);
	s->n_listeners++;
	return 0;
}

void
ports_drop_waiting(struct ports *s)
{
	struct waiting *w;

	while ((w = LIST_FIRST(&s->waiting)) != NULL) {
		send_reset(w->ev);
		waiting_free(w);
	}
}

void
ports_free(struct ports *s)
{
	size_t i;

	if (s == NULL)
		return;
	ports_drop_waiting(s);
	for (i = 0; i < s->n_listeners; i++)
		evhttp_free(s->listeners[i].http);
	free(s);
}
