/* counters.h - what happened since raasd started, counted for the metrics.
 *
 * A plain value of the daemon's; loop thread only. */
#ifndef DAEMON_COUNTERS_H
#define DAEMON_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/plan.h"

enum run_kind { RUN_LIGHT, RUN_DEEP, RUN_TASK, N_RUN_KINDS };

enum run_result { RUN_OK, RUN_FAILED, RUN_CANCELLED, N_RUN_RESULTS };

struct counters {
	uint64_t	pulls[2], pushes[2], sweeps[2];		/* [failed] */
	uint64_t	runs[N_RUN_KINDS][N_RUN_RESULTS];
	uint64_t	run_ms[N_RUN_KINDS];
	uint64_t	changes[N_RESOURCE_KINDS];		/* steps that a sync has done */
};

#endif
