/* check.h - `raasd --check`: are the settings, or a raas.cfg, as they should be.
 *
 * Prints what is found on stdout and reaches no network. Main thread. Returns the exit status:
 * 0 good, warnings or not; 1 errors. */
#ifndef DAEMON_CHECK_H
#define DAEMON_CHECK_H

#include <stdbool.h>

int	 check_settings(const char *file, bool json);	/* NULL: the default one */
int	 check_raas_cfg(const char *file, bool json);

#endif
