/* render.h - text on a terminal or in a pipe: colours, ages, tables.
 *
 * Whatever raasd sends is shown without its control characters: a name or a message must not be
 * able to move the cursor of whoever looks at it. */
#ifndef CLIENT_RENDER_H
#define CLIENT_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct render {
	FILE		*out;
	bool		 tty;		/* somebody looks at it */
	bool		 color;
	bool		 progress;	/* a line at the bottom may be rewritten */
	unsigned int	 width;		/* columns; 0: any */
	int64_t		 now;		/* seconds since 1970 */
	unsigned int	 n_lines;	/* progress lines that stand there */
};

#define TABLE_COLUMNS 8

struct cell {
	char		*text;
	const char	*color;		/* an escape sequence; NULL: none */
};

struct table {
	unsigned int	 n_columns;
	unsigned int	 shrinks;	/* bit n: column n may be cut to make the table fit */
	struct cell	*cells;		/* row by row */
	size_t		 n_rows;
	size_t		 size;		/* rows allocated */
};

/* For standard output as it is: terminal or not, its width, $NO_COLOR. */
void	 render_init(struct render *, bool no_color);

void	 render_line(struct render *, const char *color, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	 render_progress(struct render *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One more line of progress below. */
void	 render_progress_add(struct render *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	 render_progress_end(struct render *);
/* "0 bytes", "12.3 MiB" */
void	 size_format(int64_t bytes, char *out, size_t size);

const char *phase_color(const char *phase);	/* also of a resource's state and an event's level */
/* "12s", "5m", "3h", "2d"; "-" when `time` is no time; "now" when it is not past. */
void	 age_format(const char *time, int64_t now, char *out, size_t size);

void	 table_init(struct table *, unsigned int n_columns, unsigned int shrinks);
size_t	 table_row(struct table *);	/* adds an empty row; its number */
void	 table_set(struct table *, size_t row, unsigned int column, const char *color,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void	 table_print(const struct table *, struct render *, const char *indent);
void	 table_done(struct table *);

#endif
