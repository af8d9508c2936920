/* v1.h - the first docker registry API, as Crane answers it. See service.h for who calls. */
#ifndef CRANE_V1_H
#define CRANE_V1_H

#include "crane/service.h"

/* `path` is what follows "/v1". */
void	 v1_answer(const struct service *, const struct request *, const char *path, struct answer *);

#endif
