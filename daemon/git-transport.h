/* git-transport.h - what git.c agrees with its transports, git-ssh.c and git-http.c; no others
 * include it. A transport belongs to the one operation, and thread, that made it. */
#ifndef DAEMON_GIT_TRANSPORT_H
#define DAEMON_GIT_TRANSPORT_H

#include <git2.h>
#include <git2/sys/transport.h>
#include <stdbool.h>

#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/git.h"

/* The `param` of a subtransport; lent by git.c for the operation. libgit2 carries an error as
 * text without a kind, and may put its own in front: what a transport knows better it leaves
 * here, and returns -1 from the callback. */
struct git_transport_param {
	const struct git_remote_at	*at;
	const struct deadline		*deadline;
	struct error			 error;
	bool				 has_error;	/* the first one counts */
};

int	 git_ssh_subtransport(git_smart_subtransport **out, git_transport *owner, void *param);
int	 git_http_subtransport(git_smart_subtransport **out, git_transport *owner, void *param);

#endif
