/* config-branch.h - the branch that the config repo follows: how its references move.
 *
 * Config thread only. refs/heads/B is the tip, own commits included; refs/remotes/origin/B the
 * upstream commit that it stands on; refs/fetched/B what the last fetch or push saw. Each moves
 * by itself, in an order from which the next start tells where a kill came in between.
 * Where signatures are required, refs/incoming/B is what a fetch saw and refs/verified/B the last
 * of them that may be followed; only that becomes refs/fetched/B. */
#ifndef DAEMON_CONFIG_BRANCH_H
#define DAEMON_CONFIG_BRANCH_H

#include "daemon/repo.h"

struct config_branch_state {
	bool		 has_tip;		/* false: nothing was ever fetched, or not verified */
	git_oid		 tip;			/* own unpushed commits included */
	git_oid		 upstream;
	size_t		 unpushed;		/* own commits that upstream has not got */
};

/* What was learned of the remote since news were last told; a push or pull that fails keeps them
 * for the next. config_view_changes(from, to) is what others did. */
struct config_news {
	bool			 changed;
	bool			 first;		/* there was no copy before; `from` is unset */
	bool			 forced;	/* upstream was rewritten, and that was accepted */
	git_oid			 from;
	git_oid			 to;
	size_t			 replayed;	/* own commits put on top of it */
	struct repo_notes	 dropped;	/* own changes that gave way to theirs, by path */
};

struct config_branch {
	git_repository		*git;		/* lent; to be set before anything is done */
	char			*name;
	char			*local;
	char			*upstream;
	char			*fetched;
	char			*incoming;
	char			*verified;
	bool			 verifies;	/* signatures are required */
	char			*author_name;
	char			*author_email;
	char			*signing_key;
	struct repo_author	 author;
	struct config_branch_state state;
};

void	 config_branch_init(struct config_branch *, const char *name, const struct repo_author *,
	    bool verifies);
void	 config_branch_done(struct config_branch *);
void	 config_news_done(struct config_news *);

/* Makes the tip stand on what was fetched last, own commits on top of it, and reads the state.
 * What that did is added to the news. */
int	 config_branch_catch_up(struct config_branch *, struct config_news *, struct error *err);
/* One own commit more. */
int	 config_branch_advance(struct config_branch *, const git_oid *tree, const char *message,
	    struct error *err);
/* 1: `commit` is `base` or a descendant of it; 0: it is not; -1 with err. */
int	 config_branch_stands_on(const struct config_branch *, const git_oid *commit,
	    const git_oid *base, struct error *err);

#endif
