/* repo-pack.h - keeps a repository that lives for years small, and quick to look into.
 *
 * Each commit leaves loose objects and each fetch a pack. The thread that writes to the
 * repository calls this; readers in other threads go on, for libgit2 looks again for an object
 * that it misses. Objects that no reference reaches stay: a job may still read them. */
#ifndef DAEMON_REPO_PACK_H
#define DAEMON_REPO_PACK_H

#include "daemon/git.h"

/* Puts loose objects and small packs into one pack when there are many of them; *packed says
 * whether. After that the caller opens the repository anew, as this handle holds on to removed
 * files. Nothing is removed before its successor is on disk. */
int	 repo_pack(git_repository *, bool *packed, const struct deadline *, struct error *err);

#endif
