/* config-trust.h - whether what was fetched from the config repo may be followed.
 *
 * Config thread only. It holds no reference and moves none: what it says is acted on by
 * config-repo.c. Every commit that is new must be signed, not only the newest: a signature on a
 * commit says nothing of how its parents came to be. */
#ifndef DAEMON_CONFIG_TRUST_H
#define DAEMON_CONFIG_TRUST_H

#include <git2.h>

#include "common/error.h"
#include "daemon/commit-signature.h"
#include "daemon/deadline.h"

#define TRUST_COMMITS_MAX 2000	/* looked at for one fetch */

struct trust_question {
	git_oid		 tip;		/* what was fetched */
	const git_oid	*verified;	/* followed so far; NULL: nothing was yet, and the tip alone
					 * has to be signed */
	const git_oid	*own;		/* the local tip, known as well; NULL: none */
};

/* ERROR_UNTRUSTED, which names the commit and the reason: no. Another kind: it could not be told. */
int	 config_trust_check(git_repository *, const struct trust_question *,
	    const struct signature_rules *, const struct deadline *, struct error *err);

#endif
