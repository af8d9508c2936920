/* redhat-metadata.h - Red Hat's metadata files, the mask: images that are referenced, never
 * uploaded, and served from Red Hat's own place.
 *
 * A mask is immutable and reference-counted: any thread may hold one. It is got by one job at a
 * time, from the source that raas.cfg names, and the last good one is kept on disk: a source
 * that is away, or answers with an error page, takes nothing from anybody. */
#ifndef DAEMON_REDHAT_METADATA_H
#define DAEMON_REDHAT_METADATA_H

#include <git2.h>
#include <stdatomic.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/config.h"
#include "daemon/crane-metadata.h"
#include "daemon/deadline.h"
#include "daemon/http.h"

#define MASK_FILES_MAX 10000u
#define MASK_FILE_MAX CRANE_METADATA_MAX	/* bytes */
#define MASK_TOTAL_MAX (64u << 20)

struct mask_file {
	char		*name;		/* [A-Za-z0-9._-]+.json */
	char		*data;
	size_t		 len;
	git_oid		 oid;		/* of the bytes, as git's blob */
	char		*validator;	/* request header that asks whether it changed; NULL: none */
};

struct mask {
	struct mask_file	*files;		/* sorted by name */
	size_t			 n_files;
	struct crane_ids	 masked;	/* v1 image ids and blob digests */
	char			*source;	/* where it came from, fit to be shown */
	char			*commit;	/* of a git source, hex; NULL: another source */
	atomic_uint		 refs;
};

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
 * changed, the result is another reference to it. NULL with err when the source is away or any
 * of its files is not valid; what was kept stays. */
struct mask *mask_get(const struct mask_source *, struct mask *last, const struct deadline *,
    struct error *err);
/* The last good copy. NULL with err: ERROR_MISSING when there is none yet. */
struct mask *mask_load(const char *keep_dir, struct error *err);

struct mask *mask_ref(struct mask *);
void	 mask_unref(struct mask *);		/* NULL is fine */
const struct mask_file *mask_find(const struct mask *, const char *name);	/* NULL: none */
CLEANUP_FUNC(struct mask, mask_unref);

#endif
