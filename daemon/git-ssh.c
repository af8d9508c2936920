#include "daemon/git-ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "daemon/git-url.h"
#include "daemon/process.h"

#define POLL_MS 100			/* a cancel is noticed within this */
#define GOODBYE_MS 2000			/* for ssh to end by itself, when all is said */
#define CONNECT_MAX_S 30
#define PRINTED_MAX_BYTES 8192		/* of what ssh prints, the last of it is kept */
#define READS_AT_ONCE 32
#define REFS_MAX_BYTES ((size_t)16 << 20)	/* of the list of refs, which libgit2 keeps */

struct ssh {
	git_smart_subtransport		 subtransport;	/* first: libgit2 knows us by it */
	git_smart_subtransport_stream	 stream;
	struct git_transport_param	*param;
	struct git_url			 url;
	bool				 open;		/* the process is there */
	pid_t				 pid;		/* and leads a session of its own */
	int				 pidfd;
	int				 sock;		/* its stdin and stdout */
	int				 errors;	/* its stderr, until that ends: -1 */
	struct buf			 printed;	/* there */
	size_t				 refs_bytes;	/* read while refs were listed */
	bool				 listing;
};

/* What to run. */

struct argv {
	char	*data[64];	/* NULL after the last */
	size_t	 n;
};

static void
argv_done(struct argv *argv)
{
	while (argv->n > 0)
		free(argv->data[--argv->n]);
}

/* Takes the word; false: there is no room, nor a need for so many. */
static bool
argv_add(struct argv *argv, char *word)
{
	if (argv->n + 1 >= sizeof argv->data / sizeof *argv->data) {
		free(word);
		return false;
	}
	argv->data[argv->n++] = word;
	return true;
}

static bool
argv_split(struct argv *argv, const char *text)
{
	size_t len;

	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		len = strcspn(text, " \t");
		if (!argv_add(argv, xstrndup(text, len)))
			return false;
		text += len;
	}
	return true;
}

/* The path as one word of the shell at the other end; '!' because csh expands it in quotes. */
static char *
shell_quote(const char *path)
{
	struct buf out = BUF_INIT;

	buf_add_str(&out, "'");
	for (; *path != '\0'; path++) {
		if (*path == '\'' || *path == '!')
			buf_printf(&out, "'\\%c'", *path);
		else
			buf_add(&out, path, 1);
	}
	buf_add_str(&out, "'");
	return buf_take(&out);
}

/* git's own server and no ssh, see git-ssh.h. */
static int
local_argv(const struct ssh *ssh, const char *service, struct argv *argv)
{
	argv_add(argv, xstrdup("git"));
	argv_add(argv, xstrdup(service + strlen("git-")));
	argv_add(argv, xstrdup("--"));
	argv_add(argv, xstrdup(ssh->url.path));
	return 0;
}

/* The options come after those of the settings: of two, ssh takes the first. */
static int
ssh_argv(const struct ssh *ssh, const char *service, struct argv *argv, struct error *err)
{
	const char *command = ssh->param->at->ssh_command;
	int64_t seconds = (deadline_left_ms(ssh->param->deadline) + 999) / 1000;
	cleanup(free_p) char *path = shell_quote(ssh->url.path);

	if (seconds > CONNECT_MAX_S)
		seconds = CONNECT_MAX_S;
	if (!argv_split(argv, command != NULL ? command : "ssh"))
		return error_set(err, ERROR_INPUT, "ssh_command: too many words");
	if (argv->n == 0)
		return error_set(err, ERROR_INPUT, "ssh_command: it is empty");
	argv_add(argv, xstrdup("-oBatchMode=yes"));
	argv_add(argv, xasprintf("-oConnectTimeout=%d", (int)seconds));
	if (ssh->url.port != 0)
		argv_add(argv, xasprintf("-p%u", ssh->url.port));
	argv_add(argv, xstrdup("--"));
	argv_add(argv, xasprintf("%s%s%s", ssh->url.user != NULL ? ssh->url.user : "",
	    ssh->url.user != NULL ? "@" : "", ssh->url.host));
	if (!argv_add(argv, xasprintf("%s %s", service, path)))
		return error_set(err, ERROR_INPUT, "ssh_command: too many words");
	return 0;
}

/* The process. */

static int
ssh_start(struct ssh *ssh, const char *service, struct error *err)
{
	cleanup(argv_done) struct argv argv = { 0 };
	cleanup(close_p) int sock_theirs = -1, sock_ours = -1, err_theirs = -1, err_ours = -1;
	int pair[2], status;

	status = ssh->url.kind == GIT_URL_LOCAL ? local_argv(ssh, service, &argv) :
	    ssh_argv(ssh, service, &argv, err);
	if (status == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return error_errno(err, "socketpair");
	sock_ours = pair[0];
	sock_theirs = pair[1];
	if (pipe2(pair, O_CLOEXEC) == -1)
		return error_errno(err, "pipe");
	err_ours = pair[0];
	err_theirs = pair[1];
	fcntl(err_ours, F_SETFL, O_NONBLOCK);
	if (process_start(argv.data, (int[]){ sock_theirs, sock_theirs, err_theirs }, 3, &ssh->pid,
	    err) == -1)
		return -1;
	if ((ssh->pidfd = pidfd_open(ssh->pid, 0)) == -1) {
		error_errno(err, "pidfd_open");
		process_reap(ssh->pid);
		return -1;
	}
	ssh->sock = sock_ours;
	ssh->errors = err_ours;
	sock_ours = err_ours = -1;
	ssh->open = true;
	return 0;
}

/* Takes what ssh printed, so that it never waits for us to read it; not all that comes when it
 * prints without end, for the deadline is looked at elsewhere. */
static void
read_printed(struct ssh *ssh)
{
	char bytes[2048];
	ssize_t n;
	int i;

	for (i = 0; i < READS_AT_ONCE && ssh->errors != -1; i++) {
		if ((n = read(ssh->errors, bytes, sizeof bytes)) == -1)
			return;
		if (n == 0) {
			close(ssh->errors);
			ssh->errors = -1;
			return;
		}
		buf_add(&ssh->printed, bytes, (size_t)n);
		if (ssh->printed.len > PRINTED_MAX_BYTES)
			buf_drain(&ssh->printed, ssh->printed.len - PRINTED_MAX_BYTES);
	}
}

/* Waits for ssh to be ready for `events` or gone. 1: ready; 0: it is gone and nothing is left
 * to read; -1 with err: the deadline. Somebody else may hold the socket open, so that its end
 * alone says too little. */
static int
ssh_poll(struct ssh *ssh, short events, const struct deadline *deadline, struct error *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ events != 0 ? ssh->sock : -1, events, 0 },
			{ ssh->errors, POLLIN, 0 },
			{ ssh->pidfd, POLLIN, 0 },
		};
		int64_t left = deadline_left_ms(deadline);

		if (deadline_check(deadline, err) == -1)
			return -1;
		if (poll(fds, 3, (int)(left < POLL_MS ? left : POLL_MS)) == -1) {
			if (errno != EINTR)
				return error_errno(err, "poll");
			continue;
		}
		if (fds[1].revents != 0)
			read_printed(ssh);
		if (events != 0 && fds[0].revents != 0)
			return 1;
		if (fds[2].revents != 0)
			return 0;
	}
}

/* Ends the process; what it left as its status. */
static int
ssh_end(struct ssh *ssh)
{
	int status;

	if (!ssh->open)
		return 0;
	status = process_reap(ssh->pid);
	read_printed(ssh);
	close(ssh->sock);
	close(ssh->pidfd);
	if (ssh->errors != -1)
		close(ssh->errors);
	ssh->errors = -1;
	ssh->open = false;
	return status;
}

/* All is said: lets it end by itself for a while, since what it carried may still be under way. */
static int
ssh_goodbye(struct ssh *ssh)
{
	struct deadline deadline = deadline_within(ssh->param->deadline, GOODBYE_MS);

	if (ssh->open) {
		shutdown(ssh->sock, SHUT_WR);
		(void)ssh_poll(ssh, 0, &deadline, NULL);
	}
	return ssh_end(ssh);
}

/* What its end means. */

static void
explain_host_key(const struct git_url *url, const char *printed, struct error *err)
{
	unsigned int port = url->port != 0 ? url->port : 22;
	const char *offending = strstr(printed, "Offending ");
	cleanup(free_p) char *entry = port == 22 ? xstrdup(url->host) :
	    xasprintf("[%s]:%u", url->host, port);

	if (strstr(printed, "REVOKED HOST KEY") != NULL) {
		error_set(err, ERROR_INPUT, "the host key of '%s' is revoked", url->host);
	} else if (strstr(printed, "HOST IDENTIFICATION HAS CHANGED") != NULL) {
		error_set(err, ERROR_INPUT, "the host key of '%s' has CHANGED; if nobody stands "
		    "between, ssh-keygen -R '%s' takes the old one out%s%.*s%s", url->host,
		    entry, offending != NULL ? " (" : "",
		    offending != NULL ? (int)strcspn(offending, "\r\n") : 0,
		    offending != NULL ? offending : "", offending != NULL ? ")" : "");
	} else {
		error_set(err, ERROR_INPUT, "the host key of '%s' is not known; compare its "
		    "fingerprint with the server's own and run: "
		    "ssh-keyscan -p %u %s >> ~/.ssh/known_hosts", url->host, port, url->host);
	}
}

static enum error_kind
kind_of(const char *printed)
{
	static const struct {
		enum error_kind	 kind;
		const char	*words;
	} rows[] = {
		{ ERROR_CREDENTIALS, "Permission denied" },
		{ ERROR_CREDENTIALS, "Too many authentication failures" },
		{ ERROR_CREDENTIALS, "ERROR: Permission to" },
		{ ERROR_CREDENTIALS, "You do not have permission" },
		{ ERROR_INPUT, "Bad configuration option" },
		{ ERROR_INPUT, "detected dubious ownership" },
		{ ERROR_INPUT, "Can't open user config file" },
		{ ERROR_MISSING, "does not appear to be a git repository" },
		{ ERROR_MISSING, "repository not found" },
		{ ERROR_MISSING, "repository does not exist" },
		{ ERROR_MISSING, "could not be found" },
		{ ERROR_MISSING, "cannot find repository" },
		{ ERROR_MISSING, "no such repository" },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcasestr(printed, rows[i].words) != NULL)
			return rows[i].kind;
	return ERROR_REMOTE;
}

/* The last lines, as many as an error can hold beside the URL. */
static const char *
last_lines(const char *printed)
{
	size_t len = strlen(printed);
	const char *newline;

	if (len <= 300)
		return printed;
	printed += len - 300;
	newline = strchr(printed, '\n');
	return newline != NULL && newline[1] != '\0' ? newline + 1 : printed;
}

void
git_ssh_explain(const struct git_url *url, const char *printed, int wait_status,
    struct error *err)
{
	const char *program = url->kind == GIT_URL_LOCAL ? "git" : "ssh";
	cleanup(buf_done) struct buf lines = BUF_INIT;
	const char *p;

	if (strstr(printed, "Host key verification failed") != NULL) {
		explain_host_key(url, printed, err);
		return;
	}
	for (p = last_lines(printed); *p != '\0'; p++)
		if (*p != '\r')
			buf_add(&lines, p, 1);
	while (lines.len > 0 && lines.data[lines.len - 1] == '\n')
		lines.data[--lines.len] = '\0';
	if (strstr(buf_str(&lines), "Permission denied (publickey") != NULL)
		buf_add_str(&lines, " The server must know raasd's key, and raasd be able to read it");
	if (lines.len > 0)
		error_set(err, kind_of(printed), "%s", buf_str(&lines));
	else if (WIFSIGNALED(wait_status))
		error_set(err, ERROR_REMOTE, "%s was ended by signal %d", program,
		    WTERMSIG(wait_status));
	else
		error_set(err, ERROR_REMOTE, "%s ended with status %d and said nothing", program,
		    WEXITSTATUS(wait_status));
}

/* Leaves the error for git.c and returns what libgit2 takes for one. */
static int
give_up(struct ssh *ssh, const struct error *err)
{
	if (!ssh->param->has_error)
		ssh->param->error = *err;
	ssh->param->has_error = true;
	git_error_set_str(GIT_ERROR_SSH, err->text);
	ssh_end(ssh);
	return -1;
}

/* ssh ended while we still had something to read or write. */
static int
give_up_ended(struct ssh *ssh)
{
	struct error err = ERROR_INIT;
	int status = ssh_goodbye(ssh);

	git_ssh_explain(&ssh->url, buf_str(&ssh->printed), status, &err);
	return give_up(ssh, &err);
}

/* The stream and the subtransport, as libgit2 wants them. */

static struct ssh *
ssh_of(git_smart_subtransport_stream *stream)
{
	return (struct ssh *)stream->subtransport;
}

static int
stream_read(git_smart_subtransport_stream *stream, char *data, size_t size, size_t *got)
{
	struct ssh *ssh = ssh_of(stream);
	struct error err = ERROR_INIT;
	ssize_t n = 0;
	int ready;

	*got = 0;
	if (!ssh->open)		/* given up before; libgit2 still tries to take its leave */
		return -1;
	do {
		if ((ready = ssh_poll(ssh, POLLIN, ssh->param->deadline, &err)) == -1)
			return give_up(ssh, &err);
		if (ready == 1)
			n = recv(ssh->sock, data, size, MSG_DONTWAIT);
	} while (n == -1 && (errno == EAGAIN || errno == EINTR));
	if (n <= 0)
		return give_up_ended(ssh);
	if (ssh->listing && (ssh->refs_bytes += (size_t)n) > REFS_MAX_BYTES) {
		error_set(&err, ERROR_REMOTE, "the list of refs is longer than %zu MiB",
		    REFS_MAX_BYTES >> 20);
		return give_up(ssh, &err);
	}
	*got = (size_t)n;
	return 0;
}

static int
stream_write(git_smart_subtransport_stream *stream, const char *data, size_t len)
{
	struct ssh *ssh = ssh_of(stream);
	struct error err = ERROR_INIT;
	ssize_t n;

	if (!ssh->open)
		return -1;
	while (len > 0) {
		int ready = ssh_poll(ssh, POLLOUT, ssh->param->deadline, &err);

		if (ready == -1)
			return give_up(ssh, &err);
		n = ready == 0 ? 0 : send(ssh->sock, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return give_up_ended(ssh);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The process lives on: libgit2 frees the stream between listing and transfer. */
static void
stream_free(git_smart_subtransport_stream *stream)
{
	(void)stream;
}

static int
ssh_action(git_smart_subtransport_stream **out, git_smart_subtransport *subtransport,
    const char *url, git_smart_service_t service)
{
	struct ssh *ssh = (struct ssh *)subtransport;
	struct error err = ERROR_INIT;
	bool receive = service == GIT_SERVICE_RECEIVEPACK_LS || service == GIT_SERVICE_RECEIVEPACK;

	(void)url;
	*out = NULL;
	ssh->listing = service == GIT_SERVICE_UPLOADPACK_LS ||
	    service == GIT_SERVICE_RECEIVEPACK_LS;
	if (!ssh->open &&
	    ssh_start(ssh, receive ? "git-receive-pack" : "git-upload-pack", &err) == -1)
		return give_up(ssh, &err);
	*out = &ssh->stream;
	return 0;
}

static int
ssh_close(git_smart_subtransport *subtransport)
{
	ssh_goodbye((struct ssh *)subtransport);
	return 0;
}

static void
ssh_free(git_smart_subtransport *subtransport)
{
	struct ssh *ssh = (struct ssh *)subtransport;

	ssh_goodbye(ssh);
	git_url_done(&ssh->url);
	buf_done(&ssh->printed);
	free(ssh);
}

int
git_ssh_subtransport(git_smart_subtransport **out, git_transport *owner, void *arg)
{
	struct git_transport_param *param = arg;
	struct ssh *ssh = xcalloc(1, sizeof *ssh);

	(void)owner;
	ssh->param = param;
	ssh->errors = -1;
	ssh->subtransport = (git_smart_subtransport){ ssh_action, ssh_close, ssh_free };
	ssh->stream = (git_smart_subtransport_stream){ &ssh->subtransport, stream_read,
	    stream_write, stream_free };
	if (git_url_parse(param->at->url, &ssh->url, &param->error) == -1) {
		param->has_error = true;
		git_error_set_str(GIT_ERROR_SSH, param->error.text);
		free(ssh);
		return -1;
	}
	*out = &ssh->subtransport;
	return 0;
}
