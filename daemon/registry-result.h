/* registry-result.h - what a run found becomes what is remembered, and is told once.
 *
 * Loop thread only; registry.c's alone. Those that take say whether anything changed that is
 * worth saving; they log what people want to know. */
#ifndef DAEMON_REGISTRY_RESULT_H
#define DAEMON_REGISTRY_RESULT_H

#include "daemon/registry.h"

/* All of the result; images are moved out of it. */
bool	 registry_take_result(struct registry *, struct reconcile_result *);
/* Parts of it, for a run that was stopped: what it had done is done. */
bool	 registry_take_steps(struct registry *, const struct reconcile_result *);
bool	 registry_take_base(struct registry *, const struct reconcile_result *);
/* kind ERROR_NONE: there is none any more. */
bool	 registry_take_error(struct registry *, const struct error *err);

/* No error, and nothing failed or in conflict. */
bool	 result_everything_ok(const struct reconcile_result *);
/* Nothing that was looked at stayed unknown, Red Hat's metadata apart. */
bool	 result_saw_all(const struct reconcile_result *);

#endif
