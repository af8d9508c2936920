/* problems.h - what is wrong with a configuration file: a list with a limit.
 *
 * A plain value. A text never holds a value or a raw line of the file: either may be a secret. */
#ifndef DAEMON_PROBLEMS_H
#define DAEMON_PROBLEMS_H

#include <stdarg.h>
#include <stddef.h>

#include "daemon/config.h"

#define PROBLEMS_MAX 50000	/* then one more, that says so, and nothing further */

struct problems {
	struct config_problem	*list;
	size_t			 n;
	size_t			 size;		/* allocated */
};

#define PROBLEMS_INIT { NULL, 0, 0 }

/* `line` 0: of no one line; `section` NULL: of the whole file. */
void	 problems_add(struct problems *, unsigned int line, const char *section,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void	 problems_vadd(struct problems *, unsigned int line, const char *section,
	    const char *fmt, va_list);
void	 problems_sort(struct problems *);	/* by line */
void	 problems_done(struct problems *);

#endif
