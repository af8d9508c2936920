/* isv.h - what the names of an ISV, and of what belongs to it, may be.
 *
 * Pure functions: 0, or -1 with err (ERROR_INPUT) saying the rule, not the name. These names
 * become paths, URLs and commands: nothing here lets a '/', "..", blank or control character
 * through where it is not said. Any thread. */
#ifndef DAEMON_ISV_H
#define DAEMON_ISV_H

#include "common/error.h"

int	 isv_check_name(const char *, struct error *err);
int	 isv_check_domain(const char *, struct error *err);
int	 isv_check_app(const char *, struct error *err);
int	 isv_check_bucket(const char *, struct error *err);
int	 isv_check_image(const char *, struct error *err);	/* [NAMESPACE/]NAME */
int	 isv_check_fqdn(const char *, struct error *err);	/* [http[s]://]HOST[:PORT] */
int	 isv_check_gear_size(const char *, struct error *err);

#endif
