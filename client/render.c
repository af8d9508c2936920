#include "client/render.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "common/rfc3339.h"

#define COLOR_END "\033[0m"
#define COLUMN_GAP 2
#define COLUMN_MIN 8		/* a column is not cut shorter than that */

void
render_init(struct render *r, bool no_color)
{
	const char *env = getenv("NO_COLOR"), *term = getenv("TERM");
	bool tty = isatty(STDOUT_FILENO) == 1;
	bool dumb = term == NULL || strcmp(term, "dumb") == 0;
	struct winsize size;

	*r = (struct render){ .out = stdout, .tty = tty, .now = (int64_t)time(NULL) };
	r->progress = tty && !dumb;
	r->color = r->progress && !no_color && (env == NULL || env[0] == '\0');
	if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		r->width = size.ws_col;
}

/* Characters, which is columns for the scripts that names and messages are written in. */
static size_t
text_columns(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* The bytes of the first n characters. */
static size_t
text_prefix(const char *s, size_t n)
{
	size_t i = 0;

	while (s[i] != '\0' && n > 0) {
		do
			i++;
		while (((unsigned char)s[i] & 0xc0) == 0x80);
		n--;
	}
	return i;
}

/* Prints at most `width` columns (0: all), the cut shown by dots. */
static void
put(struct render *r, const char *color, const char *text, size_t width)
{
	bool cut = width != 0 && text_columns(text) > width;
	size_t bytes = cut ? text_prefix(text, width > 3 ? width - 3 : width) : strlen(text);

	if (r->color && color != NULL)
		fputs(color, r->out);
	fwrite(text, 1, bytes, r->out);
	if (cut && width > 3)
		fputs("...", r->out);
	if (r->color && color != NULL)
		fputs(COLOR_END, r->out);
}

static char *
clean_text(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) == -1)
		return xstrdup("");
	text_clean(text);
	return text;
}

void
render_line(struct render *r, const char *color, const char *fmt, ...)
{
	cleanup(free_p) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = clean_text(fmt, ap);
	va_end(ap);
	render_progress_end(r);
	put(r, color, text, 0);
	fputc('\n', r->out);
}

static void
put_progress(struct render *r, const char *fmt, va_list ap)
{
	cleanup(free_p) char *text = clean_text(fmt, ap);

	if (r->n_lines++ > 0)
		fputc('\n', r->out);
	put(r, NULL, text, r->width > 1 ? r->width - 1 : 0);
	fflush(r->out);
}

void
render_progress(struct render *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->progress)
		return;
	render_progress_end(r);
	va_start(ap, fmt);
	put_progress(r, fmt, ap);
	va_end(ap);
}

void
render_progress_add(struct render *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->progress)
		return;
	va_start(ap, fmt);
	put_progress(r, fmt, ap);
	va_end(ap);
}

void
render_progress_end(struct render *r)
{
	if (r->n_lines > 0)
		fputs("\r\033[K", r->out);
	while (r->n_lines > 1) {
		fputs("\033[A\033[K", r->out);
		r->n_lines--;
	}
	r->n_lines = 0;
}

void
size_format(int64_t bytes, char *out, size_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024 && i < sizeof(units) / sizeof(units[0]) - 1) {
		value /= 1024;
		i++;
	}
	snprintf(out, size, i == 0 ? "%.0f %s" : "%.1f %s", value, units[i]);
}

const char *
phase_color(const char *phase)
{
	static const struct {
		const char	*phase;
		const char	*color;
	} colors[] = {
		{ "ok", "\033[32m" }, { "syncing", "\033[36m" }, { "pending", "\033[36m" },
		{ "paused", "\033[34m" }, { "drift", "\033[33m" }, { "missing", "\033[33m" },
		{ "orphaned", "\033[33m" }, { "warning", "\033[33m" }, { "failed", "\033[31m" },
		{ "conflict", "\033[31m" }, { "invalid", "\033[31m" }, { "error", "\033[31m" },
	};
	size_t i;

	for (i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		if (strcmp(colors[i].phase, phase) == 0)
			return colors[i].color;
	}
	return NULL;
}

void
age_format(const char *when, int64_t now, char *out, size_t size)
{
	int64_t then, age;

	if (when == NULL || !rfc3339_parse(when, &then)) {
		snprintf(out, size, "-");
		return;
	}
	if ((age = now - then) <= 0)
		snprintf(out, size, "now");
	else if (age < 120)
		snprintf(out, size, "%llds", (long long)age);
	else if (age < 7200)
		snprintf(out, size, "%lldm", (long long)age / 60);
	else if (age < 172800)
		snprintf(out, size, "%lldh", (long long)age / 3600);
	else
		snprintf(out, size, "%lldd", (long long)age / 86400);
}

void
table_init(struct table *t, unsigned int n_columns, unsigned int shrinks)
{
	*t = (struct table){ .n_columns = n_columns, .shrinks = shrinks };
}

size_t
table_row(struct table *t)
{
	size_t bytes = t->n_columns * sizeof(*t->cells);

	if (t->n_rows == t->size) {
		t->size = t->size * 2 + 16;
		t->cells = xreallocarray(t->cells, t->size, bytes);
	}
	memset(t->cells + t->n_rows * t->n_columns, 0, bytes);
	return t->n_rows++;
}

void
table_set(struct table *t, size_t row, unsigned int column, const char *color, const char *fmt, ...)
{
	struct cell *cell = &t->cells[row * t->n_columns + column];
	va_list ap;

	free(cell->text);
	va_start(ap, fmt);
	cell->text = clean_text(fmt, ap);
	va_end(ap);
	cell->color = color;
}

static const char *
cell_text(const struct cell *cell)
{
	return cell->text != NULL ? cell->text : "";
}

/* The widest column that may be cut gives a column away, until all fit or none may. */
static void
shrink(const struct table *t, size_t *widths, size_t available)
{
	size_t total = 0;
	unsigned int i, widest;

	for (i = 0; i < t->n_columns; i++)
		total += widths[i] + (i > 0 ? COLUMN_GAP : 0);
	for (; total > available; total--) {
		widest = t->n_columns;
		for (i = 0; i < t->n_columns; i++) {
			if ((t->shrinks & 1u << i) != 0 && widths[i] > COLUMN_MIN &&
			    (widest == t->n_columns || widths[i] > widths[widest]))
				widest = i;
		}
		if (widest == t->n_columns)
			return;
		widths[widest]--;
	}
}

static void
print_row(const struct table *t, size_t row, const size_t *widths, struct render *r)
{
	const struct cell *cells = &t->cells[row * t->n_columns];
	unsigned int i, last = 0;
	size_t used;

	for (i = 0; i < t->n_columns; i++) {
		if (cell_text(&cells[i])[0] != '\0')
			last = i;
	}
	for (i = 0; i <= last; i++) {
		put(r, cells[i].color, cell_text(&cells[i]), widths[i]);
		used = text_columns(cell_text(&cells[i]));
		if (i < last)
			fprintf(r->out, "%*s",
			    (int)(widths[i] + COLUMN_GAP - (used < widths[i] ? used : widths[i])), "");
	}
	fputc('\n', r->out);
}

void
table_print(const struct table *t, struct render *r, const char *indent)
{
	size_t widths[TABLE_COLUMNS] = { 0 }, row, n;
	unsigned int i;

	for (row = 0; row < t->n_rows; row++) {
		for (i = 0; i < t->n_columns; i++) {
			n = text_columns(cell_text(&t->cells[row * t->n_columns + i]));
			if (n > widths[i])
				widths[i] = n;
		}
	}
	if (r->width > strlen(indent))
		shrink(t, widths, r->width - strlen(indent));
	render_progress_end(r);
	for (row = 0; row < t->n_rows; row++) {
		fputs(indent, r->out);
		print_row(t, row, widths, r);
	}
}

void
table_done(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n_rows * t->n_columns; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){ 0 };
}
