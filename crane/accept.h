/* accept.h - which media types a client takes, from all of its Accept lines.
 *
 * Clients send one line a type, in any order. Parameters are not looked at, as Crane does not.
 * Pure; any thread. */
#ifndef CRANE_ACCEPT_H
#define CRANE_ACCEPT_H

#include <stdbool.h>

#include "crane/request.h"

/* It is named. */
bool	 accept_names(const struct request *, const char *type);
/* It is named, or a range that holds it is. */
bool	 accept_takes(const struct request *, const char *type);
/* All that is accepted is this: one line, one type, no parameter. */
bool	 accept_is(const struct request *, const char *type);

#endif
