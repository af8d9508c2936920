/* origin.h - is a masked layer still where clients will be sent for it? In a job. */
#ifndef DAEMON_ORIGIN_H
#define DAEMON_ORIGIN_H

#include <stdint.h>

#include "daemon/deadline.h"
#include "daemon/http.h"

/* Asks as a client that was redirected would: without a login, and on through redirects. `size`
 * may be SIZE_UNKNOWN. ERROR_MISSING: it is not there, or of another size. */
int	 origin_check(struct http *, const char *url, uint64_t size, const struct deadline *,
	    struct error *err);

#endif
