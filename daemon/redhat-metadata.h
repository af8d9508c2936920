/* redhat-metadata.h - gets Red Hat's metadata files, the mask, from where raas.cfg says.
 *
 * The mask: images that are referenced, never uploaded, and served from Red Hat's own place. It
 * is got by one job at a time. The last good one is kept on disk (mask.h): a source that is
 * away, or answers with an error page, takes nothing from anybody. */
#ifndef DAEMON_REDHAT_METADATA_H
#define DAEMON_REDHAT_METADATA_H

#include <stddef.h>

#include "common/error.h"
#include "daemon/config.h"
#include "daemon/deadline.h"
#include "daemon/http.h"
#include "daemon/mask.h"

/* A metadata file of the config repo, where the source is the config repo itself. */
struct mask_input {
	const char	*name;
	const void	*data;
	size_t		 len;
};

/* Where to look, and with what; all lent. */
struct mask_source {
	const struct redhat_config	*redhat;
	const struct mask_input		*config_files;	/* redhat/metadata/ of the config repo */
	size_t				 n_config_files;
	struct http			*http;
	struct http_shared		*http_shared;	/* for git over http(s) */
	const char			*ssh_command;
	const char			*git_dir;	/* path of the cached bare repository */
	const char			*keep_dir;	/* path of the last good copy's directory */
};

/* Gets the mask anew and keeps it. `last` (may be NULL) is what was got before: when nothing
 * changed, the result is another reference to it. NULL with err when the source is away, any of
 * its files is not valid, or it cannot be kept; what was kept before stays. */
struct mask *mask_get(const struct mask_source *, struct mask *last, const struct deadline *,
    struct error *err);

#endif
