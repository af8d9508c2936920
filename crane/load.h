/* load.h - a directory of metadata files into a store.
 *
 * Blocks on the disk; the thread that watches the directory calls it. Never fails: what could not
 * be used is in the list of refusals, the directory itself included. */
#ifndef CRANE_LOAD_H
#define CRANE_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "crane/store.h"

#define REFUSALS_MAX 100u	/* that are named; the others are counted */

struct refusal {
	char	*file;		/* below the directory; "": the directory */
	char	*reason;
};

struct refusals {
	struct refusal	*list;
	size_t		 n;	/* in the list */
	size_t		 total;
};

#define REFUSALS_INIT { NULL, 0, 0 }

/* The store of what is good, sealed. Refusals are added to the list. */
struct store *load_directory(const char *dir, int64_t now, struct refusals *);
void	 refusals_add(struct refusals *, const char *file, const char *reason);
void	 refusals_done(struct refusals *);

#endif
