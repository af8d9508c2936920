/* commit-signature.h - signatures on commits: told good from bad, and made.
 *
 * OpenSSH's ssh-keygen (-Y, PROTOCOL.sshsig) and GnuPG's gpgv do it; here is only what is asked
 * of them. Any thread, one verifier a thread; blocking, with a deadline. */
#ifndef DAEMON_COMMIT_SIGNATURE_H
#define DAEMON_COMMIT_SIGNATURE_H

#include <git2.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"

enum signature_kind {
	SIGNATURE_NONE,		/* none is required */
	SIGNATURE_SSH,
	SIGNATURE_GPG,
};

/* Who may have signed. All lent. */
struct signature_rules {
	enum signature_kind	 kind;
	const char		*allowed;	/* SSH: ssh-keygen(1), ALLOWED SIGNERS; GPG: a keyring */
	const char		*own_key;	/* file of an SSH key, whose signature is good as well;
						 * NULL: none */
};

struct verifier;

/* Reads the own key's public half. `rules` is lent for the verifier's life; its kind is not NONE. */
struct verifier *verifier_new(const struct signature_rules *, const struct deadline *,
	    struct error *err);
void	 verifier_free(struct verifier *);	/* NULL is fine */
CLEANUP_FUNC(struct verifier, verifier_free);

/* 0: signed by one who may, whose key is valid today. ERROR_UNTRUSTED: it is not, "commit 0123…
 * of NAME is not signed". Another kind: it could not be told. */
int	 verifier_check(struct verifier *, git_repository *, const git_oid *commit,
	    const struct deadline *, struct error *err);

/* The signature that git's header "gpgsig" holds, by the SSH key in the file, for the text of a
 * commit. */
int	 commit_signature_make(const char *key, const char *text, size_t len, struct buf *out,
	    const struct deadline *, struct error *err);

#endif
