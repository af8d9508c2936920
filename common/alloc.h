/* alloc.h - memory that is always there: running out ends the process, see abort(3).
 *
 * State on disk is consistent at every moment, so a restart is the honest answer to an
 * exhausted host. What comes from outside is limited before it gets here. Any thread. */
#ifndef COMMON_ALLOC_H
#define COMMON_ALLOC_H

#include <stddef.h>

void	*xcalloc(size_t n, size_t size);
void	*xreallocarray(void *, size_t n, size_t size);
char	*xstrdup(const char *);		/* NULL gives NULL */
char	*xstrndup(const char *, size_t);
void	*xmemdup(const void *, size_t);
char	*xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
