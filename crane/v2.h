/* v2.h - the registry API of docker and OCI: Crane's answers, and those that it lacks.
 *
 * Where a file has our object `raas`, what it names is all that there is: tags, manifests and
 * blobs are answered from it. Without it the arrays are Crane's only, and everything else is
 * redirected as Crane does, unseen. See service.h for who calls. */
#ifndef CRANE_V2_H
#define CRANE_V2_H

#include "crane/service.h"

/* `path` is what follows "/v2". */
void	 v2_answer(const struct service *, const struct request *, const char *path, struct answer *);

#endif
