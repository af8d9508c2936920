#include "daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

#define POLL_MS 100	/* a cancel is noticed within this */

extern char **environ;

int
process_start(char *const *argv, const int *fds, size_t n_fds, pid_t *pid, struct error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	size_t i;
	int status;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	for (i = 0; i < n_fds; i++)
		posix_spawn_file_actions_adddup2(&actions, fds[i], (int)i);
	/* libcurl's sockets are not close-on-exec: a ControlPersist master would keep other
	 * threads' connections open for as long as it lives. */
	posix_spawn_file_actions_addclosefrom_np(&actions, (int)n_fds);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	status = posix_spawnp(pid, argv[0], &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (status == 0)
		return 0;
	return error_set(err, status == ENOENT || status == EACCES ? ERROR_INPUT : ERROR_SYSTEM,
	    "running '%s': %s", argv[0], strerror(status));
}

/* Its id, and so its group's, is not used anew before it is waited for; a ControlPersist master
 * has left the group, and stays. */
int
process_reap(pid_t pid)
{
	int status = 0;

	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return status;
}

/* What runs, or is about to. */
struct running {
	int		 theirs[STDERR_FILENO + 1 + PROCESS_FILES_MAX];	/* as it will number them */
	size_t		 n_theirs;
	int		 ours[2];	/* of its stdout and stderr; -1: closed by it */
	struct buf	*into[2];
};

static void
close_theirs(struct running *r)
{
	while (r->n_theirs > 0)
		close(r->theirs[--r->n_theirs]);
}

static void
running_done(struct running *r)
{
	size_t i;

	close_theirs(r);
	for (i = 0; i < 2; i++)
		if (r->ours[i] != -1)
			close(r->ours[i]);
}

/* Its number is above those that the program will know them by: giving one of these to a file
 * never takes it from another. `fd` is lent. */
static int
keep_theirs(struct running *r, int fd, struct error *err)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1 + PROCESS_FILES_MAX);

	if (high == -1)
		return error_errno(err, "fcntl");
	r->theirs[r->n_theirs++] = high;
	return 0;
}

/* A file in memory, read from its beginning. */
static int
add_file(struct running *r, const struct process_bytes *bytes, struct error *err)
{
	cleanup(close_p) int fd = memfd_create("input", MFD_CLOEXEC);
	size_t done = 0;
	ssize_t n;

	if (fd == -1)
		return error_errno(err, "memfd_create");
	for (; done < bytes->len; done += (size_t)n)
		if ((n = write(fd, (const char *)bytes->data + done, bytes->len - done)) == -1)
			return error_errno(err, "writing what it is to read");
	if (lseek(fd, 0, SEEK_SET) == -1)
		return error_errno(err, "lseek");
	return keep_theirs(r, fd, err);
}

static int
add_pipe(struct running *r, size_t i, struct buf *into, struct error *err)
{
	cleanup(close_p) int end = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return error_errno(err, "pipe");
	end = ends[1];
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	r->ours[i] = ends[0];
	r->into[i] = into;
	return keep_theirs(r, end, err);
}

static int
prepare(struct running *r, const struct process_run *run, struct buf *out, struct buf *errors,
    struct error *err)
{
	size_t i;

	if (add_file(r, &run->input, err) == -1 || add_pipe(r, 0, out, err) == -1 ||
	    add_pipe(r, 1, errors, err) == -1)
		return -1;
	for (i = 0; i < run->n_files; i++)
		if (add_file(r, &run->files[i], err) == -1)
			return -1;
	return 0;
}

/* Takes what is there; what is beyond the limit is read and dropped, so that the program never
 * waits for us. */
static void
take_printed(struct running *r, size_t i)
{
	struct buf *into = r->into[i];
	char bytes[4096];
	ssize_t n = read(r->ours[i], bytes, sizeof(bytes));
	size_t room = into->limit - into->len;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(r->ours[i]);
		r->ours[i] = -1;
		return;
	}
	buf_add(into, bytes, (size_t)n < room ? (size_t)n : room);
}

/* Until it has ended and all that it printed is read. A child of its own may hold the pipes open
 * for longer, and is not waited for. */
static int
wait_for_end(struct running *r, int pidfd, const struct deadline *deadline, struct error *err)
{
	bool ended = false;
	int n;

	for (;;) {
		struct pollfd fds[] = {
			{ r->ours[0], POLLIN, 0 }, { r->ours[1], POLLIN, 0 },
			{ ended ? -1 : pidfd, POLLIN, 0 },
		};

		if (deadline_check(deadline, err) == -1)
			return -1;
		n = poll(fds, 3, ended ? 0 : POLL_MS);
		if (n == -1 && errno != EINTR)
			return error_errno(err, "poll");
		if (n == 0 && ended)
			return 0;
		if (n <= 0)
			continue;
		if (fds[0].revents != 0)
			take_printed(r, 0);
		if (fds[1].revents != 0)
			take_printed(r, 1);
		ended |= fds[2].revents != 0;
	}
}

static int
run_prepared(struct running *r, char *const *argv, int *status, const struct deadline *deadline,
    struct error *err)
{
	cleanup(close_p) int pidfd = -1;
	int result, ended;
	pid_t pid;

	if (process_start(argv, r->theirs, r->n_theirs, &pid, err) == -1)
		return -1;
	close_theirs(r);
	pidfd = pidfd_open(pid, 0);
	result = pidfd == -1 ? error_errno(err, "pidfd_open")
	    : wait_for_end(r, pidfd, deadline, err);
	ended = process_reap(pid);
	if (result == -1)
		return error_prefix(err, "running '%s'", argv[0]);
	*status = ended;
	return 0;
}

int
process_run(const struct process_run *run, int *status, struct buf *out, struct buf *errors,
    const struct deadline *deadline, struct error *err)
{
	struct running r = { .ours = { -1, -1 } };
	int result = -1;

	if (prepare(&r, run, out, errors, err) == -1)
		error_prefix(err, "running '%s'", run->argv[0]);
	else
		result = run_prepared(&r, (char *const *)run->argv, status, deadline, err);
	running_done(&r);
	return result;
}
