/* process.h - running a program of the host: ssh, git, ssh-keygen, gpgv.
 *
 * Any thread; no state. Each program leads a session of its own: it has no terminal to ask at,
 * and one group to end all of it by. Its signals are as after a login, and of raasd's descriptors
 * it has those that it is given. Nobody may ignore SIGCHLD or wait for any child at all. */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/error.h"
#include "daemon/deadline.h"

/* Starts argv[0], which is looked for in PATH; fds[i], lent, is its descriptor i, the first
 * three at least. The caller reaps it. ERROR_INPUT: there is no such program. */
int	 process_start(char *const *argv, const int *fds, size_t n_fds, pid_t *pid,
	    struct error *err);
/* Ends what is left of it, by force, and returns its status as of waitpid(2). */
int	 process_reap(pid_t);

/* What a program is given to read. */
struct process_bytes {
	const void	*data;
	size_t		 len;
};

/* The i-th of the files of process_run(), as the program finds it. */
#define PROCESS_FILE_0 "/proc/self/fd/3"
#define PROCESS_FILE_1 "/proc/self/fd/4"
#define PROCESS_FILES_MAX 2

struct process_run {
	const char *const	*argv;		/* NULL behind the last */
	struct process_bytes	 input;		/* its standard input */
	struct process_bytes	 files[PROCESS_FILES_MAX];
	size_t			 n_files;
};

/* Runs it to its end. *status: as of waitpid(2). What it prints is added to `out` and `errors`,
 * which have limits; the rest is dropped. At the deadline it is killed. */
int	 process_run(const struct process_run *, int *status, struct buf *out, struct buf *errors,
	    const struct deadline *, struct error *err);

#endif
