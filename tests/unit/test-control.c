#include "daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/frame.h"
#include "common/json.h"
#include "daemon/control-socket.h"
#include "daemon/deadline.h"
#include "daemon/log.h"
#include "tests/unit/test.h"

#define PATIENCE_MS 20000	/* a test that waits longer has failed */
#define NOBODY 65534

#define CALL(method, parameters) "{\"method\":\"io.raas.control." method "\",\"parameters\":" parameters "}"
#define PING CALL("Ping", "{}")

/* A server whose handler answers Ping and holds everything else for the test to answer. */
struct server {
	struct event_base	*base;
	struct control		*control;
	char			 dir[64];
	char			 path[96];
	struct control_call	*held[8];
	size_t			 n_held;
	unsigned int		 n_rooms;
	unsigned int		 n_gone;
};

struct client {
	int		 fd;
	struct frame	 frame;
	bool		 closed;	/* by the server */
};

static void
count_room(void *arg, struct control_call *call)
{
	(void)call;
	((struct server *)arg)->n_rooms++;
}

static void
count_gone(void *arg, struct control_call *call)
{
	if (control_call_gone(call))
		((struct server *)arg)->n_gone++;
}

static void
handle(void *arg, struct control_call *call)
{
	struct server *s = arg;
	const char *name = control_call_method(call)->name;

	if (strcmp(name, "Ping") == 0) {
		control_reply(call, NULL);
	} else if (strcmp(name, "Version") == 0) {
		control_reply(call, json_pack("{s:s}", "version", "1"));
	} else if (strcmp(name, "Cancel") != 0 &&	/* which is dropped */
	    s->n_held < sizeof(s->held) / sizeof(s->held[0])) {
		control_call_watch(call, count_room, count_gone, s);
		s->held[s->n_held++] = control_call_ref(call);
	}
}

static void
server_init(struct server *s, struct control_options options, struct error *err)
{
	const char *tmp = getenv("TMPDIR");

	*s = (struct server){ .n_held = 0 };
	snprintf(s->dir, sizeof(s->dir), "%s/control.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(s->dir) == NULL || chmod(s->dir, 0755) == -1)
		abort();
	snprintf(s->path, sizeof(s->path), "%s/run/raasd.sock", s->dir);
	s->base = event_base_new();
	options.path = s->path;
	options.listen_fd = -1;
	options.version = "1";
	s->control = control_new(s->base, &options, handle, s, err);
}

static void
server_done(struct server *s)
{
	char run[80];

	snprintf(run, sizeof(run), "%s/run", s->dir);
	control_free(s->control);
	while (s->n_held > 0)
		control_call_unref(s->held[--s->n_held]);
	event_base_free(s->base);
	unlink(s->path);
	rmdir(run);
	rmdir(s->dir);
}

static struct client
client_connect(const struct server *s)
{
	struct client c = { -1, FRAME_INIT(FRAME_REPLY_MAX), false };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", s->path);
	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c.fd == -1 || connect(c.fd, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		c.closed = true;
	return c;
}

static void
client_done(struct client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	frame_done(&c->frame);
}

/* Sends all of it, running the server meanwhile; false when the server hangs up first. */
static bool
client_send(struct server *s, struct client *c, const char *data, size_t len)
{
	int64_t end = clock_monotonic_ms() + PATIENCE_MS;
	ssize_t n;

	while (len > 0 && clock_monotonic_ms() < end) {
		n = send(c->fd, data, len, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	}
	return len == 0;
}

static bool
client_call(struct server *s, struct client *c, const char *text)
{
	return client_send(s, c, text, strlen(text) + 1);
}

/* The next reply, a new reference; NULL when the server hung up, or there is none in time. */
static json_t *
client_reply(struct server *s, struct client *c)
{
	int64_t end = clock_monotonic_ms() + PATIENCE_MS;
	struct error err;
	char piece[65536];
	const char *data;
	size_t len;
	ssize_t n;

	while (clock_monotonic_ms() < end) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };

		if (frame_next(&c->frame, &data, &len))
			return json_read(data, len, 64, &err);
		event_base_loop(s->base, EVLOOP_NONBLOCK);
		if (poll(&p, 1, 1) <= 0)
			continue;
		n = recv(c->fd, piece, sizeof(piece), 0);
		if (n > 0) {
			frame_add(&c->frame, piece, (size_t)n);
		} else if (n == 0 || errno != EAGAIN) {
			c->closed = true;
			return NULL;
		}
	}
	return NULL;
}

/* Is the next reply this error ("" for none)? */
static bool
replies(struct server *s, struct client *c, const char *error)
{
	cleanup(json_unref) json_t *reply = client_reply(s, c);

	return reply != NULL && strcmp(json_string_or(reply, "error", ""), error) == 0;
}

static bool
hangs_up(struct server *s, struct client *c)
{
	cleanup(json_unref) json_t *reply = client_reply(s, c);

	return reply == NULL && c->closed;
}

/* Runs the server until *counter has reached n. */
static bool
reaches(struct server *s, const size_t *counter, size_t n)
{
	int64_t end = clock_monotonic_ms() + PATIENCE_MS;

	while (*counter < n && clock_monotonic_ms() < end)
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	return *counter >= n;
}

static bool
serves(struct server *s)
{
	cleanup(client_done) struct client c = client_connect(s);

	return client_call(s, &c, PING) && replies(s, &c, "");
}

static void
answer_held(struct server *s, size_t i, json_t *parameters)
{
	control_reply(s->held[i], parameters);
	control_call_unref(s->held[i]);
	memmove(&s->held[i], &s->held[i + 1], (s->n_held - i - 1) * sizeof(s->held[0]));
	s->n_held--;
}

#define SERVER(name, ...)							\
	cleanup(server_done) struct server name;				\
	struct error err = ERROR_INIT;						\
	server_init(&name, (struct control_options){ __VA_ARGS__ }, &err);	\
	CHECK_STR(err.text, "");						\
	CHECK(name.control != NULL)

TEST(answers_what_every_service_answers)
{
	static const struct {
		const char	*call;
		const char	*error;
		const char	*key;	/* of the parameters, holding… */
		const char	*value;
	} cases[] = {
		{ PING, "", NULL, NULL },
		{ "{\"method\":\"org.varlink.service.GetInfo\"}", "", "version", "1" },
		{ "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		    "{\"interface\":\"io.raas.control\"}}", "", "description", NULL },
		{ "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		    "{\"interface\":\"org.varlink.service\"}}", "", "description", NULL },
		{ "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		    "{\"interface\":\"a.b\"}}", VARLINK_NO_INTERFACE, "interface", "a.b" },
		{ "{\"method\":\"org.varlink.service.GetInterfaceDescription\"}",
		    VARLINK_BAD_PARAMETER, "parameter", "interface" },
		{ "{\"method\":\"org.varlink.service.Nothing\"}", VARLINK_NO_METHOD, "method",
		    "org.varlink.service.Nothing" },
		{ CALL("Nothing", "{}"), VARLINK_NO_METHOD, "method", "io.raas.control.Nothing" },
		{ "{\"method\":\"io.systemd.Nothing\"}", VARLINK_NO_INTERFACE, "interface",
		    "io.systemd" },
		{ CALL("Diff", "{}"), VARLINK_BAD_PARAMETER, "parameter", "isv" },
		{ CALL("Diff", "{\"isv\":\"a\",\"x\":1}"), VARLINK_BAD_PARAMETER, "parameter", "x" },
		{ "{\"method\":\"io.raas.control.Ping\",\"upgrade\":true}", VARLINK_NOT_IMPLEMENTED,
		    "method", "Ping" },
		{ CALL("Cancel", "{\"isv\":\"a\"}"), ERROR_FAILED, "kind", "internal" },
		{ CALL("Version", "{}"), "", "version", "1" },
		{ PING, "", NULL, NULL },
	};
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(json_unref) json_t *reply = NULL;
		const json_t *parameters;

		CHECK(client_call(&s, &c, cases[i].call));
		CHECK((reply = client_reply(&s, &c)) != NULL);
		CHECK_STR(json_string_or(reply, "error", ""), cases[i].error);
		parameters = json_object_get(reply, "parameters");
		CHECK(json_is_object(parameters));
		if (cases[i].value != NULL)
			CHECK_STR(json_string_or(parameters, cases[i].key, ""), cases[i].value);
		else if (cases[i].key != NULL)
			CHECK(strstr(json_string_or(parameters, cases[i].key, ""), "interface ") != NULL);
	}
}

TEST(oneway_calls_have_no_answer)
{
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);

	CHECK(client_call(&s, &c, "{\"method\":\"io.raas.control.Nothing\",\"oneway\":true}"));
	CHECK(client_call(&s, &c, PING));
	CHECK(replies(&s, &c, ""));
}

TEST(calls_of_a_client_are_answered_in_order)
{
	static const char calls[] = CALL("Diff", "{\"isv\":\"a\"}") "\0" CALL("Diff", "{\"isv\":\"b\"}")
	    "\0" CALL("Nothing", "{}");
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);

	CHECK(client_send(&s, &c, calls, sizeof(calls)));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK(serves(&s));
	CHECK_INT(s.n_held, 1);		/* b waits for a */
	CHECK_STR(json_string_or(control_call_parameters(s.held[0]), "isv", ""), "a");
	answer_held(&s, 0, NULL);
	CHECK_INT(s.n_held, 0);		/* not begun in the stack of who answered */
	CHECK(replies(&s, &c, ""));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK_STR(json_string_or(control_call_parameters(s.held[0]), "isv", ""), "b");
	answer_held(&s, 0, NULL);
	CHECK(replies(&s, &c, ""));
	CHECK(replies(&s, &c, VARLINK_NO_METHOD));
}

TEST(too_many_calls_in_line_are_cut_off)
{
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);
	int i;

	CHECK(client_call(&s, &c, CALL("Diff", "{\"isv\":\"a\"}")));
	for (i = 0; i < 64; i++)
		CHECK(client_call(&s, &c, PING));
	CHECK(serves(&s));
	CHECK_INT(s.n_gone, 0);
	client_call(&s, &c, PING);
	CHECK(hangs_up(&s, &c));
	CHECK_INT(s.n_gone, 1);
	CHECK(serves(&s));
}

TEST(client_hangs_up_on_a_stream)
{
	static const char follow[] = "{\"method\":\"io.raas.control.Log\",\"more\":true,"
	    "\"parameters\":{\"isv\":\"a\",\"follow\":true}}";
	SERVER(s, 0);
	struct client c = client_connect(&s);

	CHECK(client_call(&s, &c, follow));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK(control_event(s.held[0], json_pack("{s:[s]}", "lines", "x")));
	CHECK(replies(&s, &c, ""));
	CHECK_INT(s.n_gone, 0);
	client_done(&c);
	while (s.n_gone == 0 && event_base_loop(s.base, EVLOOP_ONCE) == 0)
		continue;
	CHECK(control_call_gone(s.held[0]));
	CHECK(!control_event(s.held[0], NULL));
	answer_held(&s, 0, json_object());	/* into the void */
	CHECK_INT(s.n_gone, 1);
	CHECK(serves(&s));
}

TEST(client_shuts_down_its_side_and_reads)
{
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);

	CHECK_INT(send(c.fd, PING, sizeof(PING), 0), sizeof(PING));
	shutdown(c.fd, SHUT_WR);
	CHECK(replies(&s, &c, ""));
	CHECK(hangs_up(&s, &c));
}

TEST(server_ends_with_calls_in_work)
{
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);

	CHECK(client_call(&s, &c, CALL("Diff", "{\"isv\":\"a\"}")));
	CHECK(client_call(&s, &c, CALL("Diff", "{\"isv\":\"b\"}")));
	CHECK(reaches(&s, &s.n_held, 1));
	answer_held(&s, 0, NULL);
	CHECK(reaches(&s, &s.n_held, 1));
	answer_held(&s, 0, NULL);
	control_free(steal(s.control));
	CHECK(access(s.path, F_OK) == -1);
	CHECK(replies(&s, &c, ""));	/* the last answer was sent on the way out */
	CHECK(replies(&s, &c, ""));
	CHECK(hangs_up(&s, &c));
}

TEST(server_ends_and_says_so)
{
	SERVER(s, 0);
	cleanup(client_done) struct client in_work = client_connect(&s);
	cleanup(client_done) struct client silent = client_connect(&s);
	cleanup(client_done) struct client late = client_connect(&s);

	CHECK(client_call(&s, &in_work, CALL("Diff", "{\"isv\":\"a\"}")));
	CHECK(client_call(&s, &in_work, CALL("Diff", "{\"isv\":\"b\"}")));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK(client_call(&s, &late, PING));
	CHECK(replies(&s, &late, ""));
	CHECK_INT(send(late.fd, PING, sizeof(PING), 0), sizeof(PING));
	control_stop(s.control);
	CHECK(replies(&s, &late, ""));	/* what can still be answered is */
	CHECK_INT(s.n_gone, 1);
	CHECK_INT(send(late.fd, PING, sizeof(PING), 0), sizeof(PING));
	control_free(steal(s.control));
	CHECK(replies(&s, &in_work, ERROR_BUSY));
	CHECK(replies(&s, &in_work, ERROR_BUSY));
	CHECK(hangs_up(&s, &in_work));
	CHECK(replies(&s, &late, ERROR_BUSY));
	CHECK(hangs_up(&s, &late));
	CHECK(replies(&s, &silent, ERROR_BUSY));
	CHECK(hangs_up(&s, &silent));
	CHECK_INT(s.n_gone, 1);
}

/* Sends events until the client has to read. */
static bool
fill(struct server *s)
{
	cleanup(free_p) char *text = xcalloc(1, 8192);
	int i;

	memset(text, 'x', 8191);
	for (i = 0; i < 10000 && control_call_room(s->held[0]); i++) {
		if (!control_event(s->held[0], json_pack("{s:[s]}", "lines", text)))
			return false;
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	}
	return !control_call_room(s->held[0]);
}

TEST(sender_waits_for_a_slow_reader)
{
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);
	size_t n = 0;

	CHECK(client_call(&s, &c, "{\"method\":\"io.raas.control.Log\",\"more\":true,"
	    "\"parameters\":{\"isv\":\"a\"}}"));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK(fill(&s));
	CHECK_INT(s.n_rooms, 0);
	for (; s.n_rooms == 0; n++)
		CHECK(replies(&s, &c, ""));
	CHECK(n > 1);
	CHECK(control_call_room(s.held[0]));
	CHECK(fill(&s));
	answer_held(&s, 0, NULL);
	CHECK(client_call(&s, &c, CALL("Nothing", "{}")));
	while (replies(&s, &c, ""))
		continue;
	CHECK(!c.closed);		/* it was the last call's error that ended this */
}

TEST(who_never_reads_is_cut_off)
{
	SERVER(s, .slow_timeout_ms = 50);
	cleanup(client_done) struct client c = client_connect(&s);

	CHECK(client_call(&s, &c, "{\"method\":\"io.raas.control.Log\",\"more\":true,"
	    "\"parameters\":{\"isv\":\"a\"}}"));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK(fill(&s));
	while (s.n_gone == 0 && event_base_loop(s.base, EVLOOP_ONCE) == 0)
		continue;
	CHECK(!control_event(s.held[0], NULL));
	CHECK(serves(&s));
}

TEST(who_only_asks_and_never_reads_is_cut_off)
{
	SERVER(s, .slow_timeout_ms = 50);
	cleanup(client_done) struct client c = client_connect(&s);
	int64_t end = clock_monotonic_ms() + PATIENCE_MS;

	while (client_call(&s, &c, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
	    "\"parameters\":{\"interface\":\"io.raas.control\"}}"))
		CHECK(clock_monotonic_ms() < end);
	CHECK(serves(&s));
}

TEST(sender_that_does_not_wait_is_stopped)
{
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);
	cleanup(free_p) char *text = xcalloc(1, 1 << 20);
	int i;

	memset(text, 'x', (1 << 20) - 1);
	CHECK(client_call(&s, &c, "{\"method\":\"io.raas.control.Log\",\"more\":true,"
	    "\"parameters\":{\"isv\":\"a\"}}"));
	CHECK(reaches(&s, &s.n_held, 1));
	for (i = 0; i < 64; i++) {
		if (!control_event(s.held[0], json_pack("{s:[s]}", "lines", text)))
			break;
	}
	CHECK(i > 8 && i < 32);
	CHECK_INT(s.n_gone, 0);		/* never told from inside control_event() */
	while (s.n_gone == 0 && event_base_loop(s.base, EVLOOP_ONCE) == 0)
		continue;
	CHECK(serves(&s));
}

TEST(bad_messages_get_an_error_and_the_door)
{
	static const char *const cases[] = {
		"hello", "", "[]", "{}", "{\"method\":1}", "{\"method\":\"a\"}",
		"{\"method\":\"a.\\u0000\"}", "{\"method\":\"a.b\",\"method\":\"a.b\"}",
		"{\"method\":\"a.b\",\"more\":7}", "{\"method\":\"a.b\",\"parameters\":[]}",
		"{\"method\":\"\xff.b\"}", "{\"method\":\"a.b\"", "{\"method\":\".b\"}",
		"{\"method\":\"a.\"}", "{\"method\":\"a b.c\"}",
	};
	cleanup(free_p) char *deep = xcalloc(1, 20002);
	SERVER(s, 0);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(client_done) struct client c = client_connect(&s);

		CHECK(client_call(&s, &c, cases[i]));
		CHECK(replies(&s, &c, ERROR_FAILED));
		CHECK(hangs_up(&s, &c));
	}
	memset(deep, '[', 10000);
	memset(deep + 10000, ']', 10000);
	cleanup(client_done) struct client deepest = client_connect(&s);
	cleanup(client_done) struct client nuls = client_connect(&s);
	CHECK(client_send(&s, &deepest, deep, 20001));
	CHECK(replies(&s, &deepest, ERROR_FAILED));
	CHECK(client_send(&s, &nuls, "\0\0\0\0", 4));
	CHECK(replies(&s, &nuls, ERROR_FAILED));
	CHECK(hangs_up(&s, &nuls));
	CHECK(serves(&s));
}

TEST(message_of_two_mib_is_refused)
{
	cleanup(free_p) char *big = xcalloc(1, 2 << 20);
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);

	memset(big, 'x', 2 << 20);
	CHECK(!client_send(&s, &c, big, 2 << 20));
	CHECK(replies(&s, &c, ERROR_FAILED));
	CHECK(hangs_up(&s, &c));
	CHECK(serves(&s));
}

TEST(message_of_nearly_one_mib_is_taken)
{
	size_t len = (1 << 20) - sizeof(PING);
	cleanup(free_p) char *big = xcalloc(1, len + sizeof(PING));
	SERVER(s, 0);
	cleanup(client_done) struct client c = client_connect(&s);

	memset(big, ' ', len);
	memcpy(big + len, PING, sizeof(PING));
	CHECK(client_send(&s, &c, big, len + sizeof(PING)));
	CHECK(replies(&s, &c, ""));
}

TEST(two_thousand_clients)
{
	enum { WANTED = 2000, MAX = 200 };
	cleanup(free_p) struct client *clients = xcalloc(WANTED, sizeof(*clients));
	struct rlimit limit;
	size_t i, n_served = 0, n_busy = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	SERVER(s, .clients_max = MAX);
	for (i = 0; i < WANTED; i++) {
		clients[i] = client_connect(&s);
		CHECK(!clients[i].closed);
		event_base_loop(s.base, EVLOOP_NONBLOCK);
	}
	for (i = 0; i < WANTED; i++) {
		cleanup(json_unref) json_t *reply = NULL;

		client_call(&s, &clients[i], PING);
		CHECK((reply = client_reply(&s, &clients[i])) != NULL);
		if (json_object_get(reply, "error") == NULL)
			n_served++;
		else if (strcmp(json_string_or(reply, "error", ""), ERROR_BUSY) == 0)
			n_busy++;
	}
	CHECK_INT(n_served, MAX);
	CHECK_INT(n_busy, WANTED - MAX);
	for (i = 0; i < WANTED; i++)
		client_done(&clients[i]);
	CHECK(serves(&s));
}

/* ---- descriptors ---- */

#define PUBLISH CALL("Publish", "{\"isv\":\"a\",\"image\":\"b\",\"file\":\"f\"}")

/* Sends it with n descriptors of the file beside it. */
static bool
send_with_files(struct client *c, const char *data, size_t len, int file, size_t n)
{
	union {
		struct cmsghdr	head;
		char		space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { (char *)data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	    .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	size_t i;

	memset(&control, 0, sizeof(control));
	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n * sizeof(int)),
	    .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	for (i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &file, sizeof(int));
	return sendmsg(c->fd, &m, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A pipe, whose reading end is passed: it has been closed everywhere when nobody can write. */
struct probe {
	int	reader, writer;
};

static struct probe
probe_new(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		abort();
	return (struct probe){ ends[0], ends[1] };
}

static bool
is_closed(struct server *s, struct probe *p)
{
	int64_t end = clock_monotonic_ms() + PATIENCE_MS;

	close(p->reader);
	while (clock_monotonic_ms() < end) {
		if (write(p->writer, "", 1) == -1 && errno == EPIPE) {
			close(p->writer);
			return true;
		}
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	}
	return false;
}

TEST(a_descriptor_reaches_its_call)
{
	SERVER(s, .idle_timeout_ms = 0);
	cleanup(client_done) struct client c = client_connect(&s);
	struct probe p = probe_new();
	int file;

	CHECK(send_with_files(&c, PUBLISH, sizeof(PUBLISH), p.reader, 1));
	CHECK(reaches(&s, &s.n_held, 1));
	file = control_call_take_file(s.held[0]);
	CHECK(file != -1 && file != p.reader);
	CHECK_INT(fcntl(file, F_GETFD), FD_CLOEXEC);
	CHECK_INT(control_call_take_file(s.held[0]), -1);
	close(file);
	answer_held(&s, 0, NULL);
	CHECK(is_closed(&s, &p));
}

TEST(a_descriptor_belongs_to_the_message_that_it_came_with)
{
	SERVER(s, .idle_timeout_ms = 0);
	cleanup(client_done) struct client c = client_connect(&s);
	static const char half[] = PUBLISH;
	struct probe p = probe_new();

	/* Behind another call, and in two pieces, of which the first has it. */
	CHECK(send(c.fd, PING, sizeof(PING), MSG_NOSIGNAL) == sizeof(PING));
	CHECK(send_with_files(&c, half, 20, p.reader, 1));
	CHECK(replies(&s, &c, ""));
	CHECK(client_send(&s, &c, half + 20, sizeof(half) - 20));
	CHECK(reaches(&s, &s.n_held, 1));
	answer_held(&s, 0, NULL);	/* nobody took it: the call closes it */
	CHECK(is_closed(&s, &p));
}

TEST(a_descriptor_for_nobody_is_closed)
{
	SERVER(s, .idle_timeout_ms = 0);
	cleanup(client_done) struct client c = client_connect(&s);
	cleanup(client_done) struct client leaver = client_connect(&s);
	struct probe other = probe_new(), lone = probe_new();

	CHECK(send_with_files(&c, PING, sizeof(PING), other.reader, 1));
	CHECK(replies(&s, &c, ""));
	CHECK(is_closed(&s, &other));
	/* With no whole message, by a client who leaves. */
	CHECK(send_with_files(&leaver, "{", 1, lone.reader, 1));
	event_base_loop(s.base, EVLOOP_NONBLOCK);
	client_done(&leaver);
	CHECK(is_closed(&s, &lone));
	CHECK(serves(&s));
}

TEST(a_call_without_its_descriptor_is_refused)
{
	SERVER(s, .idle_timeout_ms = 0);
	cleanup(client_done) struct client c = client_connect(&s);

	CHECK(client_call(&s, &c, PUBLISH));
	CHECK(replies(&s, &c, VARLINK_BAD_PARAMETER));
	CHECK_INT(s.n_held, 0);
}

TEST(too_many_descriptors_are_refused)
{
	SERVER(s, .idle_timeout_ms = 0);
	cleanup(client_done) struct client many = client_connect(&s);
	cleanup(client_done) struct client twice = client_connect(&s);
	struct probe p = probe_new(), q = probe_new();

	CHECK(send_with_files(&many, PUBLISH, sizeof(PUBLISH), p.reader, 3));
	CHECK(hangs_up(&s, &many));
	CHECK(is_closed(&s, &p));
	CHECK(send_with_files(&twice, "{", 1, q.reader, 1));
	event_base_loop(s.base, EVLOOP_NONBLOCK);
	CHECK(send_with_files(&twice, " ", 1, q.reader, 1));
	CHECK(replies(&s, &twice, ERROR_FAILED));
	CHECK(hangs_up(&s, &twice));
	CHECK(is_closed(&s, &q));
	CHECK_INT(s.n_held, 0);
	CHECK(serves(&s));
}

TEST(idle_clients_leave_but_not_who_waits)
{
	SERVER(s, .idle_timeout_ms = 50);
	cleanup(client_done) struct client waiter = client_connect(&s);
	cleanup(client_done) struct client idle = client_connect(&s);

	CHECK(client_call(&s, &waiter, CALL("Diff", "{\"isv\":\"a\"}")));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK(client_call(&s, &idle, PING));
	CHECK(replies(&s, &idle, ""));
	CHECK(hangs_up(&s, &idle));
	CHECK_INT(s.n_gone, 0);
	answer_held(&s, 0, NULL);
	CHECK(replies(&s, &waiter, ""));
	CHECK(hangs_up(&s, &waiter));
}

/* Connects as another user; the kernel notes who it was at that moment. */
static struct client
client_connect_as(const struct server *s, uid_t uid, gid_t gid, gid_t group)
{
	struct client c;

	if (setgroups(1, &group) == -1 || setegid(gid) == -1 || seteuid(uid) == -1)
		abort();
	c = client_connect(s);
	if (seteuid(0) == -1 || setegid(0) == -1 || setgroups(0, NULL) == -1)
		abort();
	return c;
}

static bool
may_act(struct server *s, struct client *c)
{
	static const char pull[] = CALL("Pull", "{}");
	bool denied;

	if (!client_call(s, c, PING) || !replies(s, c, "") || !client_call(s, c, pull))
		return false;
	if (s->n_held > 0) {
		answer_held(s, 0, NULL);
		return replies(s, c, "");
	}
	denied = replies(s, c, VARLINK_DENIED);
	if (!denied)
		printf("# neither taken nor denied\n");
	return !denied;
}

TEST(who_may_act)
{
	SERVER(s, .admin_group = "adm");
	cleanup(client_done) struct client own = client_connect(&s);
	struct group *adm = getgrnam("adm");

	CHECK(adm != NULL);
	CHECK(client_call(&s, &own, CALL("Diff", "{\"isv\":\"a\"}")));
	CHECK(reaches(&s, &s.n_held, 1));
	CHECK_INT(control_call_peer(s.held[0])->uid, geteuid());
	CHECK_INT(control_call_peer(s.held[0])->pid, getpid());
	CHECK(strlen(control_call_who(s.held[0])) > 0);
	answer_held(&s, 0, NULL);
	CHECK(replies(&s, &own, ""));
	CHECK(may_act(&s, &own));
	if (geteuid() != 0)	/* only root can be somebody else */
		return;
	CHECK_INT(chmod(s.path, 0666), 0);
	cleanup(client_done) struct client nobody = client_connect_as(&s, NOBODY, NOBODY, NOBODY);
	cleanup(client_done) struct client member = client_connect_as(&s, NOBODY, NOBODY,
	    adm->gr_gid);
	cleanup(client_done) struct client primary = client_connect_as(&s, NOBODY, adm->gr_gid,
	    NOBODY);
	CHECK(!may_act(&s, &nobody));
	CHECK(may_act(&s, &member));
	CHECK(may_act(&s, &primary));
}

TEST(places_are_kept_for_who_may_act)
{
	struct client readers[32];
	SERVER(s, .clients_max = 32);
	size_t i, n_busy = 0;

	if (geteuid() != 0)
		return;
	for (i = 0; i < 32; i++) {
		readers[i] = client_connect_as(&s, NOBODY, NOBODY, NOBODY);
		event_base_loop(s.base, EVLOOP_NONBLOCK);
	}
	CHECK(serves(&s));
	for (i = 0; i < 32; i++) {
		client_call(&s, &readers[i], PING);
		n_busy += replies(&s, &readers[i], ERROR_BUSY);
		client_done(&readers[i]);
	}
	CHECK_INT(n_busy, 2);
}

TEST(unknown_group_is_an_error)
{
	struct error err = ERROR_INIT;
	struct server s;

	server_init(&s, (struct control_options){ .admin_group = "no-such-group" }, &err);
	CHECK(s.control == NULL);
	CHECK_STR(err.text, "admin_group 'no-such-group': there is no such group");
	server_done(&s);
}

TEST(stale_sockets_are_replaced_and_live_ones_not)
{
	struct control_socket first, second, third;
	struct stat st;
	SERVER(s, 0);
	char path[96];
	int file;

	snprintf(path, sizeof(path), "%s/x.sock", s.dir);
	CHECK_INT(control_socket_open(&first, path, &err), 0);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0666);
	CHECK_INT(control_socket_open(&second, path, &err), -1);
	CHECK(strstr(err.text, "another raasd listens there") != NULL);

	close(first.fd);	/* as if it had been killed: the file stays */
	first.fd = -1;
	CHECK_INT(control_socket_open(&second, path, &err), 0);
	control_socket_close(&first);	/* whose file was replaced: leaves the new one alone */
	CHECK_INT(access(path, F_OK), 0);
	control_socket_close(&second);
	CHECK_INT(access(path, F_OK), -1);

	file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK_INT(control_socket_open(&third, path, &err), -1);
	CHECK(strstr(err.text, "something else stands there") != NULL);
	CHECK_INT(access(path, F_OK), 0);
	close(file);
	unlink(path);
}

TEST(paths_that_cannot_be)
{
	struct control_socket socket;
	struct error err = ERROR_INIT;
	char path[200];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	CHECK_INT(control_socket_open(&socket, path, &err), -1);
	CHECK(strstr(err.text, "a path has 1 to 107 bytes") != NULL);
	CHECK_INT(control_socket_open(&socket, "", &err), -1);
	CHECK_INT(control_socket_open(&socket, "/proc/none/x/raasd.sock", &err), -1);
	CHECK(strstr(err.text, "cannot make directory '/proc/none/x'") != NULL);
}

TEST(takes_a_socket_that_listens_already)
{
	struct control_options options = { .version = "1" };
	struct control_socket ready;
	SERVER(s, 0);
	struct control *control;
	int pair[2];

	control_free(steal(s.control));
	CHECK_INT(control_socket_open(&ready, s.path, &err), 0);
	options.listen_fd = ready.fd;
	control = control_new(s.base, &options, handle, &s, &err);
	CHECK(control != NULL);
	CHECK(serves(&s));
	control_free(control);
	CHECK_INT(access(s.path, F_OK), 0);	/* whoever made it removes it */
	ready.fd = -1;
	control_socket_close(&ready);

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	options.listen_fd = pair[0];
	CHECK(control_new(s.base, &options, handle, &s, &err) == NULL);
	CHECK(strstr(err.text, "not a listening socket") != NULL);
	close(pair[1]);
}

static void
set_passed(int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%d", n);
	setenv("LISTEN_FDS", text, 1);
}

/* In a process of its own, since descriptor 3 may be in use here. */
TEST(finds_the_socket_that_systemd_passed)
{
	struct control_socket ready;
	struct error err = ERROR_INIT;
	char path[] = "/tmp/test-passed-XXXXXX";
	int fd = 0, status, pair[2];
	pid_t child;

	CHECK_INT(control_socket_passed(&fd, &err), 0);
	CHECK_INT(fd, -1);	/* none */
	CHECK(mkdtemp(path) != NULL);
	if ((child = fork()) == 0) {
		cleanup(free_p) char *name = xasprintf("%s/s", path);

		status = 0;
		if (control_socket_open(&ready, name, &err) == -1 || dup2(ready.fd, 3) == -1)
			_exit(1);
		set_passed(1);
		if (control_socket_passed(&fd, &err) == -1 || fd != 3 || getenv("LISTEN_FDS") != NULL)
			status |= 2;
		dup2(3, 4);
		set_passed(2);
		if (control_socket_passed(&fd, &err) == 0 ||
		    strstr(err.text, "passed 2 sockets") == NULL)
			status |= 4;
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 || dup2(pair[0], 3) == -1)
			status |= 8;
		set_passed(1);
		if (control_socket_passed(&fd, &err) == 0 || strstr(err.text, "ListenStream") == NULL)
			status |= 16;
		unlink(name);
		_exit(status);
	}
	CHECK(waitpid(child, &status, 0) == child);
	rmdir(path);
	CHECK_INT(status, 0);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	log_setup(LOG_LEVEL_ERROR, LOG_TARGET_STDERR);
	return RUN(CASE(answers_what_every_service_answers), CASE(oneway_calls_have_no_answer),
	    CASE(calls_of_a_client_are_answered_in_order), CASE(too_many_calls_in_line_are_cut_off),
	    CASE(client_hangs_up_on_a_stream), CASE(client_shuts_down_its_side_and_reads),
	    CASE(server_ends_with_calls_in_work), CASE(server_ends_and_says_so),
	    CASE(sender_waits_for_a_slow_reader),
	    CASE(who_never_reads_is_cut_off), CASE(who_only_asks_and_never_reads_is_cut_off),
	    CASE(sender_that_does_not_wait_is_stopped), CASE(bad_messages_get_an_error_and_the_door),
	    CASE(message_of_two_mib_is_refused), CASE(message_of_nearly_one_mib_is_taken),
	    CASE(two_thousand_clients), CASE(idle_clients_leave_but_not_who_waits),
	    CASE(a_descriptor_reaches_its_call),
	    CASE(a_descriptor_belongs_to_the_message_that_it_came_with),
	    CASE(a_descriptor_for_nobody_is_closed),
	    CASE(a_call_without_its_descriptor_is_refused),
	    CASE(too_many_descriptors_are_refused),
	    CASE(who_may_act), CASE(places_are_kept_for_who_may_act), CASE(unknown_group_is_an_error),
	    CASE(stale_sockets_are_replaced_and_live_ones_not), CASE(paths_that_cannot_be),
	    CASE(takes_a_socket_that_listens_already), CASE(finds_the_socket_that_systemd_passed));
}
