/* config-edit.h - changes to the config repo's files, as functions from one tree to the next.
 *
 * Config thread only. Nothing here moves a reference: a tree is made, and whoever asked commits
 * it. That a change is a function is what lets an own commit be applied again, on another's. */
#ifndef DAEMON_CONFIG_EDIT_H
#define DAEMON_CONFIG_EDIT_H

#include "daemon/repo.h"

enum config_change_kind {
	CONFIG_PUT,		/* the file holds exactly these bytes */
	CONFIG_REMOVE,		/* the file is gone; it may have been so before */
	CONFIG_APPEND,		/* these lines stand in the file, each once */
	CONFIG_ADD_SECTION,	/* raas.cfg has the section that these lines are */
	CONFIG_REMOVE_SECTION,	/* raas.cfg has no section of this name */
};

/* All lent. Paths: raas.cfg, <isv>/metadata/NAME.json, <isv>/logs/NAME.log. */
struct config_change {
	enum config_change_kind	 kind;
	const char		*path;
	const void		*data;		/* unused by CONFIG_REMOVE */
	size_t			 len;
};

/* ERROR_INPUT for any path but those above. */
int	 config_edit_check(const struct config_change *, size_t n, struct error *err);

/* Changes to one path are applied in their order. `base` may be NULL: an empty tree. When all of
 * it was so already, *tree is base's own id. A path that cannot be written, because a folder or
 * a link stands there or a log is full, is left as it is and said in `dropped`. */
int	 config_edit_apply(git_repository *, git_tree *base, const struct config_change *, size_t n,
	    git_oid *tree, struct repo_notes *dropped, struct error *err);

/* What an own commit did, `before` to `after`, done again on `onto`. Logs keep the lines of both
 * sides, raas.cfg the sections that either put in. For another file ours goes in, unless it
 * changed differently from `old_upstream` to `new_upstream`: then theirs stays, and the path is
 * said in `dropped`. So it is with a section of raas.cfg that both put in. */
struct config_replay {
	git_tree	*before;
	git_tree	*after;
	git_tree	*old_upstream;
	git_tree	*new_upstream;
	git_tree	*onto;
};

int	 config_edit_replay(git_repository *, const struct config_replay *, git_oid *tree,
	    struct repo_notes *dropped, struct error *err);

#endif
