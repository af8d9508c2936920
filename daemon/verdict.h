/* verdict.h - what `raasctl check` says, by the conventions of monitoring plugins
 * (https://www.monitoring-plugins.org/doc/guidelines.html).
 *
 * Judges an overview by limits; pure. Loop thread only, as it points nowhere else. */
#ifndef DAEMON_VERDICT_H
#define DAEMON_VERDICT_H

#include <jansson.h>

#include "common/buf.h"
#include "daemon/overview.h"

enum verdict_level { VERDICT_OK, VERDICT_WARNING, VERDICT_CRITICAL, VERDICT_UNKNOWN };

struct verdict {
	enum verdict_level	 level;
	struct buf		 text;		/* what is wrong; "" while all is well */
	struct buf		 perfdata;
};

#define VERDICT_INIT { VERDICT_OK, BUF_INIT, BUF_INIT }

/* Of all; `params` are those of the call, for its limits. `names`: of ISVs that failed, or "". */
void	 verdict_judge(struct verdict *, const struct overview *, const json_t *params,
	    const char *names);
/* Of one ISV: its phase, how long its last good sync is ago, and its error (may be NULL). */
void	 verdict_judge_isv(struct verdict *, const char *name, enum phase, int64_t sync_age_s,
	    const char *error, const json_t *params);
void	 verdict_done(struct verdict *);

bool	 verdict_counts(enum phase);	/* as failed */
const char *verdict_level_name(enum verdict_level);	/* "CRITICAL" */
/* "RAAS CRITICAL - TEXT | PERFDATA" */
char	*verdict_line(const struct verdict *, const char *all_well);

#endif
