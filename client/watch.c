#include "client/watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define HOME "\033[H"
#define LINE_END "\033[K\n"
#define REST_AWAY "\033[J"
#define ROWS_DEFAULT 24

static size_t
terminal_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2 ? size.ws_row
	    : ROWS_DEFAULT;
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* Over what stands there, line by line, so that nothing flickers. */
static void
draw(const char *text)
{
	size_t rows = terminal_rows() - 1, n = count_lines(text), i;
	const char *end;

	fputs(HOME, stdout);
	for (i = 0; (end = strchr(text, '\n')) != NULL; i++, text = end + 1) {
		if (n > rows && i + 1 == rows) {
			printf("%zu lines more" LINE_END, n - i);
			break;
		}
		printf("%.*s" LINE_END, (int)(end - text), text);
	}
	fputs(REST_AWAY, stdout);
	fflush(stdout);
}

void
watch(void (*look)(void *arg, FILE *out), void *arg)
{
	const struct timespec pause = { WATCH_S, 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	fputs(HOME REST_AWAY, stdout);
	while (!ferror(stdout) && (out = open_memstream(&text, &len)) != NULL) {
		look(arg, out);
		fclose(out);
		draw(text);
		free(text);
		nanosleep(&pause, NULL);
	}
	exit(EXIT_FAILURE);	/* nobody sees it any more */
}
