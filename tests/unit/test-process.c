#include "daemon/process.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/unit/test.h"

struct ran {
	int		 result;
	int		 status;
	struct buf	 out;
	struct buf	 errors;
	struct error	 err;
};

static void
ran_done(struct ran *r)
{
	buf_done(&r->out);
	buf_done(&r->errors);
}

/* A script, with two files to read and an input. */
static struct ran
shell(const char *script, int64_t ms, const atomic_bool *flag)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct ran r = { .out = BUF_LIMIT(1000), .errors = BUF_LIMIT(1000), .err = ERROR_INIT };
	struct deadline deadline = deadline_in(ms, flag);

	r.result = process_run(&(struct process_run){ .argv = argv, .input = { "input", 5 },
	    .files = { { "one", 3 }, { NULL, 0 } }, .n_files = 2 }, &r.status, &r.out, &r.errors,
	    &deadline, &r.err);
	return r;
}

TEST(what_it_reads_and_prints)
{
	cleanup(ran_done) struct ran r = shell("cat; cat " PROCESS_FILE_0 " " PROCESS_FILE_1
	    "; echo bad >&2; exit 3", 20000, NULL);

	CHECK_INT(r.result, 0);
	CHECK_STR(buf_str(&r.out), "inputone");
	CHECK_STR(buf_str(&r.errors), "bad\n");
	CHECK(WIFEXITED(r.status));
	CHECK_INT(WEXITSTATUS(r.status), 3);
}

TEST(nothing_else_is_open_in_it)
{
	cleanup(ran_done) struct ran r = shell("for f in /proc/$$/fd/*; do "
	    "if [ -e $f ]; then echo ${f##*/}; fi; done", 20000, NULL);

	CHECK_STR(buf_str(&r.out), "0\n1\n2\n3\n4\n");
}

TEST(it_may_print_without_end)
{
	cleanup(ran_done) struct ran r = shell("head -c 10000000 /dev/zero | tr '\\0' x; "
	    "head -c 10000000 /dev/zero | tr '\\0' y >&2", 60000, NULL);

	CHECK_INT(r.result, 0);
	CHECK_INT(r.out.len, 1000);
	CHECK_INT(r.errors.len, 1000);
}

TEST(it_ends_at_its_deadline)
{
	cleanup(ran_done) struct ran r = shell("sleep 1000", 100, NULL);

	CHECK_INT(r.result, -1);
	CHECK_INT(r.err.kind, ERROR_REMOTE);
	CHECK_STR(r.err.text, "running 'sh': no answer in time");
}

static atomic_bool cancelled;
static const char *pid_file;

/* When the script has begun. */
static void *
cancel(void *arg)
{
	(void)arg;
	while (access(pid_file, F_OK) == -1)
		usleep(10000);
	atomic_store(&cancelled, true);
	return NULL;
}

static pid_t
pid_in(const char *path)
{
	FILE *f = fopen(path, "r");
	int pid = -1;

	if (f == NULL || fscanf(f, "%d", &pid) != 1)
		pid = -1;
	if (f != NULL)
		fclose(f);
	return pid;
}

/* One that was killed may wait for long until init takes note of it. */
static bool
is_running(pid_t pid)
{
	cleanup(free_p) char *path = xasprintf("/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	char state = 'Z';

	if (f != NULL && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	if (f != NULL)
		fclose(f);
	return state != 'Z';
}

TEST(all_of_it_is_killed_by_a_cancel)
{
	const char *tmp = getenv("TMPDIR");
	cleanup(free_p) char *path = xasprintf("%s/process-%d", tmp != NULL ? tmp : "/tmp",
	    (int)getpid());
	cleanup(free_p) char *script = xasprintf("sleep 1000 & echo $! >%s.new; mv %s.new %s; wait",
	    path, path, path);
	pthread_t thread;
	int tries;
	pid_t pid;

	pid_file = path;
	CHECK_INT(pthread_create(&thread, NULL, cancel, NULL), 0);
	{
		cleanup(ran_done) struct ran r = shell(script, 600000, &cancelled);

		pthread_join(thread, NULL);
		CHECK_INT(r.result, -1);
		CHECK_INT(r.err.kind, ERROR_CANCELLED);
	}
	pid = pid_in(path);
	unlink(path);
	CHECK(pid > 0);
	for (tries = 0; tries < 1000 && is_running(pid); tries++)
		usleep(10000);
	CHECK(!is_running(pid));
}

/* What it leaves running in the background, with its output open, is not waited for. */
TEST(what_it_leaves_behind_holds_nobody_up)
{
	cleanup(ran_done) struct ran r = shell("echo done; sleep 1000 &", 60000, NULL);

	CHECK_INT(r.result, 0);
	CHECK_STR(buf_str(&r.out), "done\n");
}

TEST(a_program_that_is_not_there)
{
	const char *argv[] = { "no-such-program", NULL };
	struct buf out = BUF_LIMIT(10), errors = BUF_LIMIT(10);
	struct deadline deadline = deadline_in(1000, NULL);
	struct error err = ERROR_INIT;
	int status;

	CHECK_INT(process_run(&(struct process_run){ .argv = argv }, &status, &out, &errors,
	    &deadline, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_STR(err.text, "running 'no-such-program': No such file or directory");
}

int
main(void)
{
	return RUN(CASE(what_it_reads_and_prints), CASE(nothing_else_is_open_in_it),
	    CASE(it_may_print_without_end), CASE(it_ends_at_its_deadline),
	    CASE(all_of_it_is_killed_by_a_cancel), CASE(what_it_leaves_behind_holds_nobody_up),
	    CASE(a_program_that_is_not_there));
}
