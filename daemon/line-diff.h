/* line-diff.h - the lines in which two texts differ. Pure but for libgit2's own memory. */
#ifndef DAEMON_LINE_DIFF_H
#define DAEMON_LINE_DIFF_H

#include <jansson.h>
#include <stddef.h>

/* The lines of a unified diff from `a` to `b`, at most max_lines, as a new array of strings. JSON
 * that stands on one line is laid out first, so that its difference can be read. */
json_t	*line_diff(const char *a, size_t a_len, const char *b, size_t b_len, size_t max_lines);

#endif
