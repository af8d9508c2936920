/* health.h - the light check of one registry: does Crane answer, and does it serve its images.
 *
 * In a job. One request a check, once it is known how this registry may be asked. */
#ifndef DAEMON_HEALTH_H
#define DAEMON_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/http.h"

enum health_state {
	HEALTH_OK,
	HEALTH_LACKS,		/* answers, but some of the names are not served */
	HEALTH_DOWN,
};

/* What the next check of the same registry begins with; all false the first time. */
struct health_memory {
	bool	no_list;	/* /crane/repositories may not be asked: only ping it */
	bool	v2;		/* the images are in Crane's list of v2 */
};

struct health {
	enum health_state	state;
	struct health_memory	memory;
	char			detail[256];	/* what is lacking, or why it is down; "" when OK */
};

/* base_url: "http[s]://host[:port]", no slash at its end. names: the images as clients pull
 * them. Returns -1 only when it was cancelled or the URL is not valid: a registry that is down,
 * or too slow, is a result. */
int	 health_check(struct http *, const char *base_url, const char *const *names, size_t n_names,
	    const struct health_memory *, struct health *out, const struct deadline *,
	    struct error *err);

#endif
