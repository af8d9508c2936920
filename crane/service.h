/* service.h - answers to requests: what stands behind each path.
 *
 * Pure but for the clock, which is an argument: a request and what is live go in, an answer comes
 * out. Any thread, with its own answer. */
#ifndef CRANE_SERVICE_H
#define CRANE_SERVICE_H

#include <time.h>

#include "crane/answer.h"
#include "crane/live.h"
#include "crane/presign.h"
#include "crane/request.h"

struct service {
	const struct live	*live;
	const char		*endpoint;	/* of X-Docker-Endpoints; NULL: the request's Host */
	const struct presign	*presign;	/* NULL: redirects are not signed */
	time_t			 now;
};

void	 service_answer(const struct service *, const struct request *, struct answer *);

/* For v1.c and v2.c: 302 to base + rest, signed if that is in our private bucket. */
void	 service_redirect(const struct service *, const struct request *, const char *base,
	    const char *rest, struct answer *);

#endif
