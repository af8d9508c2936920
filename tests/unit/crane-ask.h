/* crane-ask.h - asks a service made of metadata texts, without a socket. */
#ifndef TESTS_UNIT_CRANE_ASK_H
#define TESTS_UNIT_CRANE_ASK_H

#include "crane/service.h"

struct live *crane_live(const char *const *files);	/* texts, NULL at the end; all good */

/* The whole answer as "STATUS\nheaders\n\nbody", CRs left out; "status N" when the request is
 * refused. `target` is what follows the method; headers are "Name: value\r\n" …, or "". The
 * caller's to free. */
char	*crane_ask(const struct service *, const char *method, const char *target,
	    const char *headers);

#endif
