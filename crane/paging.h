/* paging.h - which part of a sorted list of names a client asked for, `?n=` and `last=`.
 *
 * Pure; any thread. As the OCI distribution specification has it, but for the limit: a longer
 * list comes in parts of at most PAGING_MAX, each with a Link to the next one. */
#ifndef CRANE_PAGING_H
#define CRANE_PAGING_H

#include <stdbool.h>
#include <stddef.h>

#include "crane/answer.h"
#include "crane/request.h"

#define PAGING_MAX 1000u

struct paging {
	size_t	 n;
	char	 last[REQUEST_VALUE_MAX];	/* "": from the beginning */
};

/* The i-th name of a list; static or of the list. */
typedef const char *paging_name(const void *list, size_t i);

/* False when n is not a number, or last cannot be a name. */
bool	 paging_read(const struct request *, struct paging *);
/* An array of the names that are on this page, and in the answer's headers the Link to the next
 * one, if any. `path` is encoded. */
json_t	*paging_cut(const struct paging *, const void *list, size_t n, paging_name *,
	    const char *path, struct answer *);

#endif
