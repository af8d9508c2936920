/* app-repo.h - the git repo of an OpenShift app, through a cached bare clone.
 *
 * Job threads, one handle per job; no two jobs have the same app at once. The cache holds
 * nothing that cannot be fetched again, so one that is broken, or was made for an app that has
 * since been recreated, is thrown away. Only crane/data/ is read and written. */
#ifndef DAEMON_APP_REPO_H
#define DAEMON_APP_REPO_H

#include "common/cleanup.h"
#include "daemon/repo.h"

struct app_repo;

struct app_repo_head {
	bool		 empty;			/* no such branch: the repo has no commit yet */
	git_oid		 commit;		/* unset when empty */
	bool		 fetched;		/* false: the cache had it already */
};

enum app_repo_result {
	APP_REPO_DONE,
	APP_REPO_BEHIND,	/* somebody else pushed since observe: observe again */
	APP_REPO_REFUSED,	/* a hook or a right said no; err has the text */
};

struct app_repo_change {
	const char	*name;			/* under crane/data/ */
	const void	*data;			/* NULL: remove it */
	size_t		 len;
};

/* Opens or makes the cache at `path`; needs no network. `at` is copied but for its `http`. */
struct app_repo *app_repo_open(const char *path, const struct git_remote_at *at,
	    struct error *err);
void	 app_repo_free(struct app_repo *);
CLEANUP_FUNC(struct app_repo, app_repo_free);

/* Asks the remote for the branch's head and fetches it if the cache lacks it. */
int	 app_repo_observe(struct app_repo *, const char *branch, struct app_repo_head *out,
	    const struct deadline *, struct error *err);

/* crane/data/ at the head that was observed last. */
int	 app_repo_files(struct app_repo *, struct repo_files *out, struct error *err);
int	 app_repo_read_blob(struct app_repo *, const git_oid *blob, struct buf *out,
	    struct error *err);
int	 app_repo_history_has(struct app_repo *, const char *name, const git_oid *blob, bool *found,
	    const struct deadline *, struct error *err);

/* One commit on the observed head, pushed; each name is in it once. When all of it was so already, nothing is pushed and
 * the result is APP_REPO_DONE. -1: it is not known what happened; observing again tells. */
int	 app_repo_push(struct app_repo *, const struct app_repo_change *, size_t n,
	    const char *message, const struct repo_author *, enum app_repo_result *result,
	    const struct deadline *, struct error *err);

#endif
