/* git.h - libgit2 with deadlines: fetch and push over ssh, http(s) and a local path.
 *
 * One git_repository belongs to one thread. libgit2's own ssh and http are never used: they
 * cannot be timed out or cancelled; git-ssh.c runs the OpenSSH program, git-http.c libcurl.
 * libgit2's message is copied into `err` in the thread that got it. */
#ifndef DAEMON_GIT_H
#define DAEMON_GIT_H

#include <git2.h>
#include <stdbool.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/http.h"

/* Where a remote is and what reaching it takes; all lent. */
struct git_remote_at {
	const char		*url;		/* ssh://, user@host:path, http(s)://, file:// or a path */
	const char		*ssh_command;	/* "ssh", or with options; split at blanks, no shell */
	struct http_shared	*http;		/* for http(s) */
};

enum git_push_result {
	GIT_PUSH_DONE,
	GIT_PUSH_BEHIND,	/* not a fast-forward, or somebody was quicker: fetch and try again */
	GIT_PUSH_REFUSED,	/* a hook or a right said no: trying again is no use; err has its text */
};

CLEANUP_FUNC(git_repository, git_repository_free);
CLEANUP_FUNC(git_commit, git_commit_free);
CLEANUP_FUNC(git_tree, git_tree_free);
CLEANUP_FUNC(git_blob, git_blob_free);
CLEANUP_FUNC(git_tree_entry, git_tree_entry_free);

/* Once per process, before any thread: libgit2's own set-up, objects and refs are fsynced,
 * the user's and the system's git configuration is not read. */
void	 git_setup(void);
void	 git_teardown(void);

/* Opens the bare repository at `path`, or makes it there. */
int	 git_open_bare(const char *path, git_repository **out, struct error *err);

/* The object id that `ref` ("refs/heads/master") has at the remote; *found false: no such ref. */
int	 git_remote_ref(git_repository *, const struct git_remote_at *, const char *ref, git_oid *oid,
	    bool *found, const struct deadline *, struct error *err);
/* refspec "+refs/heads/x:refs/remotes/origin/x"; no tags. ERROR_MISSING when the remote lacks it. */
int	 git_fetch(git_repository *, const struct git_remote_at *, const char *refspec,
	    const struct deadline *, struct error *err);
/* 0 with *result; -1 when it is not known what happened (lost answer, deadline, no login). For
 * GIT_PUSH_REFUSED, err is set too, though 0 is returned. `on`, unless NULL: what the remote's ref
 * has to be at; where it is not, be it behind, it is as if it were ahead. */
int	 git_push_to(git_repository *, const struct git_remote_at *, const char *refspec,
	    const git_oid *on, enum git_push_result *result, const struct deadline *,
	    struct error *err);

/* Sets err from libgit2's last message of this thread: "WHAT: message". Returns -1. */
int	 git_fail(struct error *err, enum error_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

#endif
