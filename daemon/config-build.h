/* config-build.h - from the sections that were read to a configuration: what config_parse() and
 * config_to_json() have in common, and nobody else needs.
 *
 * Any thread; nothing is kept. */
#ifndef DAEMON_CONFIG_BUILD_H
#define DAEMON_CONFIG_BUILD_H

#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/raas-cfg.h"

/* As config_parse(). The problems move from `raw` into the configuration. `elsewhere`: the file
 * is only checked, and a credential that cannot be had is nothing against it. */
struct config *config_build(struct raas_cfg *raw, const struct config *last_good,
    const char *credentials_dir, bool elsewhere);

#endif
