/* test-git.h - the git program as the other writer, for tests of what uses libgit2.
 *
 * Everything lies in one directory, which git_box_make() makes and git_box_remove() removes. */
#ifndef TESTS_UNIT_TEST_GIT_H
#define TESTS_UNIT_TEST_GIT_H

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/git.h"
#include "tests/unit/test.h"

static char *git_box;

static inline void
git_box_make(void)
{
	const char *tmp = getenv("TMPDIR");

	git_box = xasprintf("%s/git-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(git_box) == NULL || chdir(git_box) == -1) {
		perror(git_box);
		exit(1);
	}
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("HOME", git_box, 1);
	setenv("GIT_AUTHOR_NAME", "other", 1);
	setenv("GIT_AUTHOR_EMAIL", "other@example.com", 1);
	setenv("GIT_COMMITTER_NAME", "other", 1);
	setenv("GIT_COMMITTER_EMAIL", "other@example.com", 1);
	unsetenv("GIT_DIR");
	/* git's deflate buffers, taken and given back per object, cost more than all else:
	 * fast-import of 20,000 files takes 8 s without this and 0.8 s with it. */
	setenv("MALLOC_TRIM_THRESHOLD_", "16777216", 1);
	setenv("MALLOC_TOP_PAD_", "1048576", 1);
}

static inline void
git_box_remove(void)
{
	cleanup(free_p) char *command = xasprintf("rm -rf '%s'", git_box);

	if (chdir("/") == -1 || system(command) != 0)
		perror(git_box);
	free(git_box);
}

/* Runs a shell command in the box; true when it succeeded. */
static inline bool __attribute__((format(printf, 1, 2)))
sh(const char *fmt, ...)
{
	cleanup(free_p) char *text = NULL, *command = NULL;
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	command = xasprintf("set -e; exec >>sh.log 2>&1; %s", text);
	fflush(NULL);
	ok = system(command) == 0;
	if (!ok)
		printf("# failed: %.2000s\n", text);
	return ok;
}

/* What a shell command prints, in a buffer that the next call but seven reuses. */
static inline const char * __attribute__((format(printf, 1, 2)))
output(const char *fmt, ...)
{
	static char texts[8][65536];
	static unsigned int next;
	cleanup(free_p) char *command = NULL;
	char *text = texts[next++ % 8];
	size_t n = 0;
	va_list ap;
	FILE *pipe;

	va_start(ap, fmt);
	if (vasprintf(&command, fmt, ap) == -1)
		abort();
	va_end(ap);
	fflush(NULL);
	pipe = popen(command, "r");
	if (pipe != NULL) {
		n = fread(text, 1, sizeof(texts[0]) - 1, pipe);
		pclose(pipe);
	}
	text[n] = '\0';
	return text;
}

#endif
