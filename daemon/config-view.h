/* config-view.h - reading the config repo at a commit.
 *
 * A view belongs to the thread that opened it; a job opens its own beside the config thread's
 * writer, and needs no lock because objects never change. It reads only: no reference is
 * looked at, the caller says at which commit. */
#ifndef DAEMON_CONFIG_VIEW_H
#define DAEMON_CONFIG_VIEW_H

#include "common/cleanup.h"
#include "daemon/repo.h"

struct config_view;

/* What differs between two commits, own logs left out. */
struct config_changes {
	bool	  raas_cfg;
	bool	  redhat;		/* redhat/metadata */
	char	**isvs;			/* top-level folders other than redhat, sorted */
	size_t	  n_isvs;
};

/* ERROR_MISSING: no repository at `path` yet. */
struct config_view *config_view_open(const char *path, struct error *err);
void	 config_view_free(struct config_view *);
CLEANUP_FUNC(struct config_view, config_view_free);

int	 config_view_read(const struct config_view *, const git_oid *commit, const char *path,
	    size_t limit, struct buf *out, struct error *err);	/* as repo_read() */
int	 config_view_read_blob(const struct config_view *, const git_oid *blob, struct buf *out,
	    struct error *err);	/* a metadata file */
/* `<isv>/metadata/`*.json; "redhat" is fine too. */
int	 config_view_metadata(const struct config_view *, const git_oid *commit, const char *isv,
	    struct repo_files *out, struct error *err);
/* `<isv>/logs/`*.log, by day. */
int	 config_view_logs(const struct config_view *, const git_oid *commit, const char *isv,
	    struct repo_files *out, struct error *err);
/* For every folder that has one: its name and the id of its `metadata` tree. redhat included. */
int	 config_view_metadata_trees(const struct config_view *, const git_oid *commit,
	    struct repo_files *out, struct error *err);
/* `from` NULL: everything is new. Compares ids, so its cost is that of the folders that differ. */
int	 config_view_changes(const struct config_view *, const git_oid *from, const git_oid *to,
	    struct config_changes *out, struct error *err);
void	 config_changes_done(struct config_changes *);
/* As repo_history_has(), for `<isv>/metadata/<name>`. */
int	 config_view_history_has(const struct config_view *, const git_oid *tip, const char *isv,
	    const char *name, const git_oid *blob, bool *found, const struct deadline *,
	    struct error *err);
/* As repo_history_each(), for `<isv>/metadata/`*.json. */
int	 config_view_history_each(const struct config_view *, const git_oid *tip, const char *isv,
	    int (*fn)(void *arg, const struct repo_file *, struct error *), void *arg,
	    const struct deadline *, struct error *err);

#endif
