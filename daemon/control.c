#include "daemon/control.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/alloc.h"
#include "common/frame.h"
#include "common/json.h"
#include "common/message.h"
#include "daemon/control-service.h"
#include "daemon/control-socket.h"
#include "daemon/log.h"

#define PIPELINE_MAX 64			/* calls that may wait behind the one in work */
#define OUTPUT_HIGH (64u << 10)		/* bytes unread by the client: no further call is begun */
#define OUTPUT_LOW (16u << 10)		/* … until so few are left */
#define OUTPUT_MAX (16u << 20)		/* … and to this nothing is added */
#define PLACES_KEPT 16			/* one place in so many is kept for who may act */
#define ACCEPT_PAUSE_MS 500
#define PIECE_SIZE 16384		/* bytes of one read */
#define IDLE_TIMEOUT_MS 300000
#define SLOW_TIMEOUT_MS 30000

enum client_state {
	CLIENT_OPEN,
	CLIENT_LAST_WORDS,	/* hung up as soon as the output is sent */
	CLIENT_LOST,		/* hung up at the loop's next turn */
};

struct client {
	LIST_ENTRY(client)	 entry;
	struct control		*control;
	struct bufferevent	*bev;
	struct control_peer	 peer;
	struct event		*input;	/* the socket is read here, for the descriptors that come along */
	struct frame		 frame;
	uint64_t		 begun;	/* messages that were taken out of the frame */
	int			 file;	/* that came with a message which waits; -1: none */
	uint64_t		 file_of;	/* the number of that message, from 0 */
	struct control_call	*call;	/* in work, not answered; NULL: none; not a reference */
	struct event		*turn;	/* active: go on from the loop, in nobody's stack */
	struct event		*slow;	/* pending while the output stands above its mark */
	enum client_state	 state;
	bool			 full;	/* the output passed its high mark, and not yet its low one */
	bool			 beginning;	/* begin_calls() is on the stack */
};

struct control {
	struct event_base	*base;
	struct control_socket	 socket;
	struct evconnlistener	*listener;
	struct event		*accept_again;
	LIST_HEAD(, client)	 clients;
	unsigned int		 n_clients;
	unsigned int		 clients_max;
	struct control_admins	 admins;
	struct timeval		 idle_timeout;
	struct timeval		 slow_timeout;
	bool			 ending;	/* what is still begun is told so */
	char			*version;
	control_handler		*handler;
	void			*arg;
};

struct control_call {
	unsigned int		 refs;
	struct client		*client;	/* NULL: answered, or the client has gone */
	const struct method	*method;	/* NULL: of the standard interface */
	struct message_call	 message;
	struct control_peer	 peer;
	char			*who;		/* NULL: not asked for yet */
	int			 file;		/* that came with the call; -1: none */
	bool			 answered;
	void			(*room)(void *, struct control_call *);
	void			(*gone)(void *, struct control_call *);
	void			*watch_arg;
};

static void
take_turn(struct client *c)
{
	event_active(c->turn, EV_TIMEOUT, 0);
}

/* Not at once: the caller may be deep in a handler that still uses the client. */
static void
lose(struct client *c)
{
	c->state = CLIENT_LOST;
	take_turn(c);
}

/* Reads, with a limit to the silence of a client that waits for nothing. */
static void
listen_to(struct client *c)
{
	if (c->call == NULL) {
		event_add(c->input, &c->control->idle_timeout);
	} else {
		event_remove_timer(c->input);
		event_add(c->input, NULL);
	}
}

/* --- output --- */

/* Takes text. */
static void
send_text(struct client *c, char *text)
{
	struct evbuffer *output = bufferevent_get_output(c->bev);

	if (c->state != CLIENT_LOST) {
		if (evbuffer_get_length(output) > OUTPUT_MAX)
			lose(c);
		else
			evbuffer_add(output, text, strlen(text) + 1);
	}
	free(text);
	if (!c->full && evbuffer_get_length(output) > OUTPUT_HIGH) {
		c->full = true;
		event_del(c->input);
		event_add(c->slow, &c->control->slow_timeout);
	}
}

/* Tells why and hangs up. The client gets no other answer in between: it has no call in work. */
static void
last_words(struct client *c, const char *error, json_t *parameters)
{
	send_text(c, message_error(error, parameters));
	if (c->state == CLIENT_LOST)
		return;
	c->state = CLIENT_LAST_WORDS;
	event_del(c->input);
	event_add(c->slow, &c->control->slow_timeout);
}

/* --- calls --- */

static struct control_call *
call_new(struct client *c, struct message_call *message)
{
	struct control_call *call = xcalloc(1, sizeof(*call));

	call->refs = 1;
	call->client = c;
	call->message = *message;
	call->peer = c->peer;
	call->file = -1;
	*message = (struct message_call){ 0 };
	return call;
}

static void
close_file(int *file)
{
	if (*file != -1)
		close(*file);
	*file = -1;
}

/* The call is over for its client, answered or not. */
static void
call_detach(struct control_call *call)
{
	if (call->client != NULL)
		call->client->call = NULL;
	call->client = NULL;
}

struct control_call *
control_call_ref(struct control_call *call)
{
	call->refs++;
	return call;
}

void
control_call_unref(struct control_call *call)
{
	if (call == NULL || --call->refs > 0)
		return;
	if (!call->answered) {
		call->refs++;
		control_fail(call, ERROR_FAILED, json_pack("{s:s, s:s}", "kind", "internal",
		    "text", "the call was dropped without an answer: this is a bug in raasd"));
		call->refs--;
	}
	message_call_done(&call->message);
	close_file(&call->file);
	free(call->who);
	free(call);
}

const struct method *
control_call_method(const struct control_call *call)
{
	return call->method;
}

const json_t *
control_call_parameters(const struct control_call *call)
{
	return call->message.parameters;
}

const struct control_peer *
control_call_peer(const struct control_call *call)
{
	return &call->peer;
}

const char *
control_call_who(struct control_call *call)
{
	if (call->who == NULL)
		call->who = control_peer_name(call->peer.uid);
	return call->who;
}

bool
control_call_more(const struct control_call *call)
{
	return call->message.more && !call->message.oneway;
}

int
control_call_take_file(struct control_call *call)
{
	int file = call->file;

	call->file = -1;
	return file;
}

bool
control_call_gone(const struct control_call *call)
{
	return !call->answered && (call->client == NULL || call->client->state == CLIENT_LOST);
}

bool
control_call_room(const struct control_call *call)
{
	return call->client == NULL || !call->client->full;
}

void
control_call_watch(struct control_call *call, void (*room)(void *, struct control_call *),
    void (*gone)(void *, struct control_call *), void *arg)
{
	call->room = room;
	call->gone = gone;
	call->watch_arg = arg;
}

/* Takes text. */
static void
answer(struct control_call *call, char *text)
{
	struct client *c = call->client;

	assert(!call->answered);
	call->answered = true;
	call_detach(call);
	if (c == NULL || call->message.oneway)
		free(text);
	else
		send_text(c, text);
	if (c != NULL && !c->beginning)
		take_turn(c);
}

void
control_reply(struct control_call *call, json_t *parameters)
{
	answer(call, message_reply(parameters, false));
}

void
control_fail(struct control_call *call, const char *error, json_t *parameters)
{
	answer(call, message_error(error, parameters));
}

void
control_fail_error(struct control_call *call, const struct error *err)
{
	json_t *parameters = json_object();

	if (err->kind == ERROR_CANCELLED) {
		control_fail(call, ERROR_STOPPED, parameters);
		return;
	}
	json_object_set_new(parameters, "kind", json_string(error_kind_name(err->kind)));
	json_object_set_new(parameters, "text", json_text(err->text));
	control_fail(call, ERROR_FAILED, parameters);
}

bool
control_event(struct control_call *call, json_t *parameters)
{
	assert(!call->answered);
	if (control_call_gone(call) || !control_call_more(call)) {
		json_decref(parameters);
		return !control_call_gone(call);
	}
	send_text(call->client, message_reply(parameters, true));
	return !control_call_gone(call);
}

static json_t *
ending_text(void)
{
	return json_pack("{s:s}", "text", "raasd is stopping, try again when it is back");
}

/* --- dispatch --- */

static void
fail_naming(struct control_call *call, const char *error, const char *key, const char *name)
{
	control_fail(call, error, json_pack("{s:o}", key, json_text(name)));
}

/* A parameter that names a file comes with its descriptor. One that nobody asked for is closed. */
static bool
file_came(struct control_call *call, const char **name)
{
	*name = method_file(call->method, call->message.parameters);
	if (*name == NULL)
		close_file(&call->file);
	return *name == NULL || call->file != -1;
}

static void
dispatch_own(struct control *control, struct control_call *call)
{
	const struct message_call *m = &call->message;
	const char *wrong = NULL;

	if ((call->method = method_by_name(m->method)) == NULL) {
		cleanup(free_p) char *name = xasprintf("%s.%s", m->interface, m->method);

		fail_naming(call, VARLINK_NO_METHOD, "method", name);
	} else if (call->method->acts && !call->peer.may_act) {
		control_fail(call, VARLINK_DENIED, NULL);
	} else if (method_check(call->method, m->parameters, &wrong, NULL) == -1) {
		fail_naming(call, VARLINK_BAD_PARAMETER, "parameter", wrong);
	} else if (!file_came(call, &wrong)) {
		fail_naming(call, VARLINK_BAD_PARAMETER, "parameter", wrong);
	} else {
		control->handler(control->arg, call);
	}
}

static void
dispatch(struct control *control, struct control_call *call)
{
	const struct message_call *m = &call->message;

	if (control->ending)
		control_fail(call, ERROR_BUSY, ending_text());
	else if (m->upgrade)
		fail_naming(call, VARLINK_NOT_IMPLEMENTED, "method", m->method);
	else if (strcmp(m->interface, VARLINK_SERVICE) == 0)
		control_service(call, m->method, control->version);
	else if (strcmp(m->interface, INTERFACE_NAME) == 0)
		dispatch_own(control, call);
	else
		fail_naming(call, VARLINK_NO_INTERFACE, "interface", m->interface);
}

/* --- input --- */

static void
begin_call(struct client *c, const char *data, size_t len)
{
	struct message_call message;
	struct control_call *call;
	struct error err;

	if (message_call_read(data, len, &message, &err) == -1) {
		last_words(c, ERROR_FAILED, json_pack("{s:s, s:o}", "kind", "input", "text",
		    json_text(err.text)));
		return;
	}
	call = c->call = call_new(c, &message);
	if (c->begun++ == c->file_of) {
		call->file = c->file;
		c->file = -1;
	}
	dispatch(c->control, call);
	control_call_unref(call);
}

/* Begins what waits, until a call is in work or the client has to read first. A client whose
 * call is in work is not idle. */
static void
begin_calls(struct client *c)
{
	const char *data;
	size_t len;

	c->beginning = true;
	while (c->state == CLIENT_OPEN && c->call == NULL && !c->full &&
	    frame_next(&c->frame, &data, &len))
		begin_call(c, data, len);
	c->beginning = false;
	if (c->state == CLIENT_OPEN && !c->full)
		listen_to(c);
}

/* With a call in work, an error would be taken for its answer: then only hanging up is left. */
static void
refuse_input(struct client *c, const char *text)
{
	if (c->call != NULL || c->frame.complete > 0)
		lose(c);
	else
		last_words(c, ERROR_FAILED, json_pack("{s:s, s:s}", "kind", "input", "text", text));
}

/* recv(2) that also takes the one descriptor that may come along; *many: there were others. */
static ssize_t
receive(struct client *c, char *piece, size_t size, int *file, bool *many)
{
	union {
		struct cmsghdr	head;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { piece, size };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
	    .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *head;
	ssize_t n = recvmsg(bufferevent_getfd(c->bev), &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*file = -1;
	*many = n != -1 && (m.msg_flags & MSG_CTRUNC) != 0;
	head = n != -1 ? CMSG_FIRSTHDR(&m) : NULL;
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(file, CMSG_DATA(head), sizeof(*file));
	return n;
}

/* A read ends where bytes with a descriptor end (unix(7)), so it belongs to the message in which
 * the piece ends. One that waits for its message is all that a client may have. */
static bool
keep_file(struct client *c, int file, bool many, bool message_ends)
{
	if (file == -1 && !many)
		return true;
	if (many || c->file != -1) {
		close_file(&file);
		return false;
	}
	c->file = file;
	c->file_of = c->begun + c->frame.complete - message_ends;
	return true;
}

/* A client that has said all and shuts down its side still gets the answers that are ready. */
static void
end_of_input(struct client *c)
{
	if (c->state == CLIENT_OPEN && c->call == NULL &&
	    evbuffer_get_length(bufferevent_get_output(c->bev)) > 0) {
		c->state = CLIENT_LAST_WORDS;
		event_del(c->input);
		event_add(c->slow, &c->control->slow_timeout);
	} else {
		lose(c);
	}
}

/* What comes is moved on at once, so that the end of the input is noticed while a call is in
 * work, and the limits hold for what waits. */
static void
take_input(struct client *c)
{
	char piece[PIECE_SIZE];
	bool many;
	int file;
	ssize_t n;

	n = receive(c, piece, sizeof(piece), &file, &many);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_of_input(c);
		return;
	}
	if (!frame_add(&c->frame, piece, (size_t)n)) {
		close_file(&file);
		refuse_input(c, "the message is longer than 1 MiB");
	} else if (!keep_file(c, file, many, piece[n - 1] == '\0')) {
		refuse_input(c, "more than one descriptor came");
	} else {
		begin_calls(c);
		if (c->frame.complete > PIPELINE_MAX)
			lose(c);
	}
}

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	if (c->state != CLIENT_OPEN)
		return;
	if ((what & EV_READ) == 0)
		lose(c);
	else
		take_input(c);
}

/* Nobody waits for the answer of the call in work any more. */
static void
abandon_call(struct client *c)
{
	struct control_call *call = c->call;

	if (call == NULL)
		return;
	control_call_ref(call);
	call_detach(call);
	if (call->gone != NULL)
		call->gone(call->watch_arg, call);
	control_call_unref(call);
}

static void
client_free(struct client *c)
{
	LIST_REMOVE(c, entry);
	c->control->n_clients--;
	abandon_call(c);
	event_free(c->input);
	event_free(c->turn);
	event_free(c->slow);
	bufferevent_free(c->bev);
	frame_done(&c->frame);
	close_file(&c->file);
	free(c);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CLIENT_OPEN)
		begin_calls(c);
	if (c->state == CLIENT_LOST)
		client_free(c);
}

static void
on_slow(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	log_warning(NULL, "control: hung up on process %ld, which does not read its answers",
	    (long)c->peer.pid);
	lose(c);
}

/* Called whenever no more than OUTPUT_LOW bytes are left. */
static void
on_written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	if (c->state == CLIENT_LAST_WORDS) {
		if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
			lose(c);
		return;
	}
	if (!c->full || c->state != CLIENT_OPEN)
		return;
	c->full = false;
	event_del(c->slow);
	listen_to(c);
	if (c->call != NULL && c->call->room != NULL)
		c->call->room(c->call->watch_arg, c->call);
	take_turn(c);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	lose(arg);
}

/* --- connections --- */

static struct client *
client_new(struct control *control, int fd, const struct control_peer *peer)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->control = control;
	c->peer = *peer;
	c->frame = (struct frame)FRAME_INIT(FRAME_CALL_MAX);
	c->bev = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->file = -1;
	c->input = event_new(control->base, fd, EV_READ | EV_PERSIST, on_read, c);
	c->turn = event_new(control->base, -1, 0, on_turn, c);
	c->slow = evtimer_new(control->base, on_slow, c);
	if (c->bev == NULL || c->input == NULL || c->turn == NULL || c->slow == NULL)
		abort();	/* out of memory */
	LIST_INSERT_HEAD(&control->clients, c, entry);
	control->n_clients++;
	bufferevent_setcb(c->bev, NULL, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_WRITE, OUTPUT_LOW, 0);
	bufferevent_enable(c->bev, EV_WRITE);
	listen_to(c);
	return c;
}

/* A few places are kept, so that whoever may only read cannot lock out an operator. */
static bool
has_place(const struct control *control, const struct control_peer *peer)
{
	unsigned int kept = peer->may_act ? 0 : control->clients_max / PLACES_KEPT;

	return control->n_clients < control->clients_max - kept;
}

/* The socket's buffer is empty, so a short text goes out without waiting. */
static void
turn_away(int fd)
{
	cleanup(free_p) char *text = message_error(ERROR_BUSY, json_pack("{s:s}", "text",
	    "too many clients are connected"));

	if (send(fd, text, strlen(text) + 1, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug(NULL, "control: turned a client away without a word");
	close(fd);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
    void *arg)
{
	struct control *control = arg;
	struct control_peer peer;
	struct error err;

	(void)listener;
	(void)addr;
	(void)len;
	if (control_peer_read(&peer, fd, &control->admins, &err) == -1) {
		log_warning(NULL, "control: %s", err.text);
		close(fd);
	} else if (!has_place(control, &peer)) {
		turn_away(fd);
	} else {
		client_new(control, fd, &peer);
	}
}

/* Out of descriptors: the client still waits in the backlog, and asking at once would spin. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct control *control = arg;
	const struct timeval pause = { 0, ACCEPT_PAUSE_MS * 1000 };

	log_warning(NULL, "control: cannot accept a client: %s", strerror(errno));
	evconnlistener_disable(listener);
	event_add(control->accept_again, &pause);
}

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(control->listener);
}

static struct timeval
to_timeval(int64_t ms, int64_t otherwise_ms)
{
	if (ms == 0)
		ms = otherwise_ms;
	return (struct timeval){ ms / 1000, ms % 1000 * 1000 };
}

struct control *
control_new(struct event_base *base, const struct control_options *options,
    control_handler *handler, void *arg, struct error *err)
{
	struct control *control = xcalloc(1, sizeof(*control));

	*control = (struct control){
		.base = base, .socket.fd = -1, .handler = handler, .arg = arg,
		.version = xstrdup(options->version),
		.clients_max = options->clients_max != 0 ? options->clients_max
		    : CONTROL_CLIENTS_MAX,
		.idle_timeout = to_timeval(options->idle_timeout_ms, IDLE_TIMEOUT_MS),
		.slow_timeout = to_timeval(options->slow_timeout_ms, SLOW_TIMEOUT_MS),
	};
	LIST_INIT(&control->clients);
	if (control_admins_read(&control->admins, options->admin_group, err) == -1 ||
	    (options->listen_fd != -1
	    ? control_socket_adopt(&control->socket, options->listen_fd, err)
	    : control_socket_open(&control->socket, options->path, err)) == -1) {
		control_free(control);
		return NULL;
	}
	control->accept_again = evtimer_new(base, on_accept_again, control);
	control->listener = evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_EXEC, 0,
	    control->socket.fd);
	if (control->accept_again == NULL || control->listener == NULL)
		abort();	/* out of memory */
	evconnlistener_set_error_cb(control->listener, on_accept_error);
	return control;
}

/* What is ready and fits into the socket's buffer; nobody waits for the rest. */
static void
send_ready(struct client *c)
{
	struct evbuffer *output = bufferevent_get_output(c->bev);

	bufferevent_disable(c->bev, EV_WRITE);
	evbuffer_unfreeze(output, 1);
	evbuffer_write(output, bufferevent_getfd(c->bev));
}

/* The client is told, and whoever works on the call that it is gone. */
static void
break_off(struct client *c)
{
	if (c->call != NULL && !c->call->message.oneway)
		send_text(c, message_error(ERROR_BUSY, ending_text()));
	abandon_call(c);
}

void
control_stop(struct control *control)
{
	struct client *c;

	evconnlistener_disable(control->listener);
	event_del(control->accept_again);
	LIST_FOREACH(c, &control->clients, entry)
		if (c->state == CLIENT_OPEN && !c->full)
			take_input(c);
	control->ending = true;
	LIST_FOREACH(c, &control->clients, entry)
		break_off(c);
}

/* Every call that was accepted is answered; so is one that a client is about to make, which finds
 * this answer when it can no longer send. */
static void
say_ending(struct client *c)
{
	break_off(c);
	if (c->state == CLIENT_OPEN && !c->full)
		take_input(c);
	if (c->state == CLIENT_OPEN)
		begin_calls(c);
	if (c->state == CLIENT_OPEN && c->begun == 0)
		send_text(c, message_error(ERROR_BUSY, ending_text()));
}

void
control_free(struct control *control)
{
	struct client *c;

	if (control == NULL)
		return;
	control->ending = true;
	if (control->listener != NULL)
		evconnlistener_free(control->listener);
	if (control->accept_again != NULL)
		event_free(control->accept_again);
	while ((c = LIST_FIRST(&control->clients)) != NULL) {
		say_ending(c);
		send_ready(c);
		client_free(c);
	}
	control_socket_close(&control->socket);
	free(control->version);
	free(control);
}
