/* git-ssh.h - git's protocol through the OpenSSH program: the user's keys, agent, known_hosts
 * and ssh_config are ssh's business. Used by git.c alone; runs in the operation's thread.
 *
 * A push to a local path runs `git receive-pack` the same way. libgit2's local transport sets the
 * branch whatever it has become since it was looked at, so that of two pushes at once one is
 * lost, though both are told that all is well; and it runs no hooks.
 *
 * The process belongs to the transport: it is ended, with all that it started, at the deadline,
 * at a cancel and when the transport is freed. It is waited for by its pid: nobody else in the
 * daemon may wait for any child, or ignore SIGCHLD. */
#ifndef DAEMON_GIT_SSH_H
#define DAEMON_GIT_SSH_H

#include "daemon/git-transport.h"	/* git_ssh_subtransport() */

struct git_url;

/* What the end of ssh means, from what it printed; the kind, and a text that names the cure. */
void	 git_ssh_explain(const struct git_url *, const char *printed, int wait_status,
	    struct error *err);

#endif
