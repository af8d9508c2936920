#include "client/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define CONNECT_TIMEOUT_S 5
#define ANSWER_TIMEOUT_S 30

static void
set_timeout(int fd, int option, time_t seconds)
{
	const struct timeval timeout = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof(timeout));
}

static int
cannot_reach(const char *path, struct error *err)
{
	if (errno == EACCES || errno == EPERM)
		return error_set(err, ERROR_CREDENTIALS, "may not open raasd's socket '%s': %s; "
		    "ask for the right to use it, or try as root", path, strerror(errno));
	return error_set(err, ERROR_REMOTE, "cannot reach raasd at '%s': %s; is it running? See "
	    "'systemctl status raasd', or name its socket with --socket", path,
	    errno == EAGAIN ? "it is busy and does not accept" : strerror(errno));
}

int
call_open(struct call *c, const char *path, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return cannot_reach(path, err);
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	c->path = path;
	if ((c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return cannot_reach(path, err);
	/* Bounds connect(2) too, while the backlog is full, see socket(7). */
	set_timeout(c->fd, SO_SNDTIMEO, CONNECT_TIMEOUT_S);
	if (connect(c->fd, (const struct sockaddr *)&addr, sizeof(addr)) == -1)
		return cannot_reach(path, err);
	return 0;
}

static int
lost(const struct call *c, const char *why, struct error *err)
{
	return error_set(err, ERROR_REMOTE, "raasd at '%s' %s; 'systemctl status raasd' or its journal"
	    " tells why", c->path, why);
}

/* send(2), with a descriptor beside the first byte unless it is -1. */
static ssize_t
send_with_file(int fd, const char *data, size_t len, int file)
{
	union {
		struct cmsghdr	head;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { (char *)data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (file != -1) {
		memset(&control, 0, sizeof(control));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.space);
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
		    .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), &file, sizeof(file));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

int
call_send(struct call *c, const char *method, json_t *parameters, bool more, bool waits,
    int file, struct error *err)
{
	cleanup(free_p) char *text = message_call(method, parameters, more);
	size_t left = strlen(text) + 1;
	const char *at = text;
	ssize_t n;

	set_timeout(c->fd, SO_RCVTIMEO, waits ? 0 : ANSWER_TIMEOUT_S);
	while (left > 0) {
		n = send_with_file(c->fd, at, left, at == text ? file : -1);
		if (n == -1 && errno == EINTR)
			continue;
		/* It may have hung up with a word why, which call_next() reads. */
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n == -1)
			return lost(c, "does not take the call", err);
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

int
call_next(struct call *c, struct message_reply *reply, struct error *err)
{
	char piece[65536];
	const char *data;
	size_t len;
	ssize_t n;

	while (!frame_next(&c->frame, &data, &len)) {
		n = recv(c->fd, piece, sizeof(piece), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return lost(c, "does not answer", err);
		if (n <= 0)
			return lost(c, "closed the connection before it answered", err);
		if (!frame_add(&c->frame, piece, (size_t)n))
			return error_set(err, ERROR_INPUT, "the answer from '%s' is too long", c->path);
	}
	if (message_reply_read(data, len, reply, err) == -1)
		return error_prefix(err, "what answers at '%s' is no raasd", c->path);
	return 0;
}

void
call_done(struct call *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	frame_done(&c->frame);
}
