/* metrics.h - raasd's numbers as text for Prometheus: OpenMetrics, or the format before it.
 *
 * Pure, and any thread: 10,000 ISVs are some megabytes of text, which is not made on the loop.
 * Labels are bounded: an ISV's name, and words of raasd's own. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include <stdbool.h>

#include "common/buf.h"
#include "daemon/overview.h"

struct metrics_isv {
	char		*name;
	enum phase	 phase;
	time_t		 last_sync;	/* 0: never */
	unsigned int	 failures;
	size_t		 images;
};

struct metrics {
	struct overview		 overview;
	char			*environment;
	struct metrics_isv	*isvs;
	size_t			 n_isvs;
};

struct metrics *metrics_take(struct daemon *);		/* loop thread */
void	 metrics_free(struct metrics *);		/* NULL is fine */

/* openmetrics false: version 0.0.4 of Prometheus's text format, as textfiles need it. */
void	 metrics_write(const struct metrics *, bool openmetrics, struct buf *out);

#endif
