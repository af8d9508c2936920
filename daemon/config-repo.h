/* config-repo.h - the daemon's own bare copy of the config repo, following one branch.
 *
 * Config thread only (other threads read through config-view.h). A commit is local and durable
 * when config_repo_commit() returns; a push may come later, and a pull or a push puts own
 * commits that the remote has not got on top of whatever it has by then. Never forces. At every
 * moment the process may be killed: the next open goes on from there.
 * Beside the references of config-branch.h there is refs/kept/, for own commits that had to be put aside. */
#ifndef DAEMON_CONFIG_REPO_H
#define DAEMON_CONFIG_REPO_H

#include "common/cleanup.h"
#include "daemon/commit-signature.h"
#include "daemon/config-branch.h"
#include "daemon/config-edit.h"
#include "daemon/config-view.h"

struct config_repo;

/* All lent, and copied where they must last, but for `http`. */
struct config_repo_options {
	const char		*path;
	const char		*url;
	const char		*ssh_command;
	struct http_shared	*http;
	const char		*branch;
	struct repo_author	 author;
	enum signature_kind	 require_signed;
	const char		*allowed_signers;	/* see signature_rules; the author's key is
							 * as good as these */
	bool			 read_only;	/* never commits, never pushes */
};

/* Needs no network. Nobody else may have it open for writing. Another URL than the copy was made
 * for starts afresh; own commits that were never pushed are kept aside, see config_repo_notes(). */
struct config_repo *config_repo_open(const struct config_repo_options *, struct error *err);
void	 config_repo_free(struct config_repo *);
CLEANUP_FUNC(struct config_repo, config_repo_free);

struct config_branch_state config_repo_state(const struct config_repo *);
const struct repo_notes *config_repo_notes(const struct config_repo *);	/* what open had to do */
/* Lent to the same thread, until config_repo_tidy(). */
const struct config_view *config_repo_view(const struct config_repo *);

/* The text of raas.cfg at the tip. ERROR_MISSING says how to get one. */
int	 config_repo_raas_cfg(const struct config_repo *, struct buf *out, struct error *err);

/* ERROR_MISSING: the remote has no such branch; ERROR_UNTRUSTED: what it has is not signed as it
 * has to be. The copy stays as it was. `accept`, a commit's whole id, or NULL: what is followed
 * from here on without a look at its signature, if that is the remote's tip. */
int	 config_repo_pull(struct config_repo *, const char *accept, struct config_news *,
	    const struct deadline *, struct error *err);
/* *made false: all of it was so already. ERROR_INPUT: a path that is not ours to write. What
 * cannot be written in the tree as it is comes in `dropped`, see config_edit_apply(). */
int	 config_repo_commit(struct config_repo *, const struct config_change *, size_t n,
	    const char *message, bool *made, struct repo_notes *dropped, struct error *err);
/* Nothing to push is fine. A hook's refusal comes with its own text; pushing again is no use. */
int	 config_repo_push(struct config_repo *, struct config_news *, const struct deadline *,
	    struct error *err);

/* Packs what commits and fetches left behind, when that is much; else returns at once. Call it
 * when nothing else waits: at 10,000 ISVs it may take half a minute. */
int	 config_repo_tidy(struct config_repo *, const struct deadline *, struct error *err);

#endif
