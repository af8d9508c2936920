/* yaml.h - a small, safe part of YAML: mappings of plain values, walked with line and column.
 *
 * Lists, anchors, aliases, tags and further documents are refused, so nothing can grow beyond
 * what was typed. Pure function. Any thread. */
#ifndef DAEMON_YAML_H
#define DAEMON_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define YAML_MAX (1u << 20)	/* bytes of a text */

struct yaml_value {
	const char	*key;		/* "git.timeout": the names on the way, joined by dots */
	const char	*text;		/* NULL: empty, null or ~ */
	unsigned int	 line;		/* of the key, from 1 */
	unsigned int	 column;
};

/* Sets err with "LINE:COLUMN: " in front; returns -1. */
int	 yaml_error(struct error *err, unsigned int line, unsigned int column, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* Calls fn for each value, in the text's order, until it returns -1; the values are lent for
 * the call. -1 with err (ERROR_INPUT, "LINE:COLUMN: …"), which holds nothing of a value. */
int	 yaml_each(const char *text, size_t len,
	    int (*fn)(void *arg, const struct yaml_value *, struct error *err), void *arg,
	    struct error *err);

#endif
