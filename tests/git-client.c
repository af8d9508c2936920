/* git-client - daemon/git.h on a command line, for the system tests.
 *
 *	git-client [-j THREADS] [-t MILLISECONDS] [-S] ref REPO URL REF
 *	git-client … fetch|push REPO URL REFSPEC
 *
 * Prints a line a thread: "ok", "ok OID", "ok absent", "done", "behind", "refused: TEXT" or
 * "KIND: TEXT". With -j each thread has a repository of its own, REPO.N. SIGUSR1 cancels. With
 * -S a line "stack KIB" tells how much of its stack the first thread used. $SSH_COMMAND is the
 * ssh_command, $CA_FILE the http.ca_file. */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/git.h"

#ifdef __SANITIZE_THREAD__
#define STACK_BYTES ((size_t)2 << 20)	/* it takes most of a megabyte for itself */
#else
#define STACK_BYTES ((size_t)512 << 10)	/* a job thread's */
#endif
#define PAINT 0xa5

static atomic_bool cancelled;

struct task {
	pthread_t		 thread;
	unsigned char		*stack;
	const char		*verb;
	char			*repo;
	struct git_remote_at	 at;
	const char		*what;
	struct deadline		 deadline;
	char			 answer[1024];
	bool			 failed;
};

static void
on_cancel(int sig)
{
	(void)sig;
	atomic_store(&cancelled, true);
}

static int
do_ref(struct task *t, git_repository *git, struct error *error)
{
	git_oid oid;
	bool found;

	if (git_remote_ref(git, &t->at, t->what, &oid, &found, &t->deadline, error) == -1)
		return -1;
	snprintf(t->answer, sizeof t->answer, "ok %s", found ? git_oid_tostr_s(&oid) : "absent");
	return 0;
}

static int
do_fetch(struct task *t, git_repository *git, struct error *error)
{
	if (git_fetch(git, &t->at, t->what, &t->deadline, error) == -1)
		return -1;
	snprintf(t->answer, sizeof t->answer, "ok");
	return 0;
}

static int
do_push(struct task *t, git_repository *git, struct error *error)
{
	static const char *const names[] = { "done", "behind", "refused" };
	enum git_push_result result;

	if (git_push_to(git, &t->at, t->what, NULL, &result, &t->deadline, error) == -1)
		return -1;
	snprintf(t->answer, sizeof t->answer, "%s%s%s", names[result],
	    result == GIT_PUSH_REFUSED ? ": " : "",
	    result == GIT_PUSH_REFUSED ? error->text : "");
	return 0;
}

static void *
run(void *arg)
{
	cleanup(git_repository_free_p) git_repository *git = NULL;
	struct error error = ERROR_INIT;
	struct task *t = arg;
	int status = git_open_bare(t->repo, &git, &error);

	if (status == 0)
		status = t->verb[0] == 'r' ? do_ref(t, git, &error) :
		    t->verb[0] == 'f' ? do_fetch(t, git, &error) : do_push(t, git, &error);
	if (status == -1)
		snprintf(t->answer, sizeof t->answer, "%s: %s", error_kind_name(error.kind),
		    error.text);
	t->failed = status == -1;
	return NULL;
}

static void
start(struct task *t)
{
	pthread_attr_t attr;

	t->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (t->stack == MAP_FAILED)
		err(1, "mmap");
	memset(t->stack, PAINT, STACK_BYTES);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, t->stack, STACK_BYTES);
	if (pthread_create(&t->thread, &attr, run, t) != 0)
		errx(1, "pthread_create");
	pthread_attr_destroy(&attr);
}

static size_t
stack_used(const struct task *t)
{
	size_t i = 0;

	while (i < STACK_BYTES && t->stack[i] == PAINT)
		i++;
	return STACK_BYTES - i;
}

static void
usage(void)
{
	fprintf(stderr, "usage: git-client [-j THREADS] [-t MILLISECONDS] [-S] "
	    "ref|fetch|push REPO URL REF\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	int c, i, n = 1, failures = 0;
	bool show_stack = false;
	long timeout_ms = 60000;
	struct http_options http_options = { 10000, 60000, getenv("CA_FILE") };
	struct error error = ERROR_INIT;
	struct http_shared *http;
	struct task *tasks;

	while ((c = getopt(argc, argv, "j:t:S")) != -1) {
		if (c == 'j')
			n = atoi(optarg);
		else if (c == 't')
			timeout_ms = atol(optarg);
		else if (c == 'S')
			show_stack = true;
		else
			usage();
	}
	argv += optind;
	if (argc - optind != 4 || n < 1 || strstr("ref fetch push", argv[0]) == NULL)
		usage();

	signal(SIGUSR1, on_cancel);
	signal(SIGPIPE, SIG_IGN);	/* as raasd does: OpenSSL writes without MSG_NOSIGNAL */
	git_setup();
	if ((http = http_shared_new(&http_options, &error)) == NULL)
		errx(1, "%s", error.text);
	tasks = xcalloc((size_t)n, sizeof *tasks);
	for (i = 0; i < n; i++) {
		tasks[i] = (struct task){
			.verb = argv[0],
			.repo = n == 1 ? xstrdup(argv[1]) : xasprintf("%s.%d", argv[1], i),
			.at = { argv[2], getenv("SSH_COMMAND"), http },
			.what = argv[3],
			.deadline = deadline_in(timeout_ms, &cancelled),
		};
		start(&tasks[i]);
	}
	for (i = 0; i < n; i++) {
		pthread_join(tasks[i].thread, NULL);
		puts(tasks[i].answer);
		failures += tasks[i].failed;
	}
	if (show_stack)
		printf("stack %zu\n", stack_used(&tasks[0]) >> 10);
	for (i = 0; i < n; i++) {
		munmap(tasks[i].stack, STACK_BYTES);
		free(tasks[i].repo);
	}
	free(tasks);
	http_shared_free(http);
	git_teardown();
	return failures != 0;
}
