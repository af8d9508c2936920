#include "daemon/config-trust.h"

#include "common/cleanup.h"
#include "daemon/git.h"

CLEANUP_FUNC(git_revwalk, git_revwalk_free);

/* Back to an older commit, or over to another: both take away what was followed before. */
static int
check_forward(git_repository *git, const struct trust_question *q, struct error *err)
{
	char tip[GIT_OID_HEXSZ + 1];
	int forward;

	if (q->verified == NULL || git_oid_equal(&q->tip, q->verified))
		return 0;
	forward = git_graph_descendant_of(git, &q->tip, q->verified);
	if (forward < 0)
		return git_fail(err, ERROR_SYSTEM, "comparing commits");
	if (forward == 1)
		return 0;
	return error_set(err, ERROR_UNTRUSTED, "it was taken back or rewritten: commit %.12s does "
	    "not stand on %.12s, which was followed until now",
	    git_oid_tostr(tip, sizeof(tip), &q->tip), git_oid_tostr_s(q->verified));
}

/* Oldest first, so that the first one told of is where it began. */
static int
check_each(git_repository *git, const struct trust_question *q, struct verifier *verifier,
    const struct deadline *deadline, struct error *err)
{
	cleanup(git_revwalk_free_p) git_revwalk *walk = NULL;
	unsigned int n = 0;
	git_oid id;
	int status;

	if (git_revwalk_new(&walk, git) != 0 ||
	    git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE) != 0 ||
	    git_revwalk_push(walk, &q->tip) != 0 || git_revwalk_hide(walk, q->verified) != 0 ||
	    (q->own != NULL && git_revwalk_hide(walk, q->own) != 0))
		return git_fail(err, ERROR_SYSTEM, "listing what is new");
	while ((status = git_revwalk_next(&id, walk)) == 0) {
		if (n++ == TRUST_COMMITS_MAX)
			return error_set(err, ERROR_UNTRUSTED, "more than %u new commits are not "
			    "looked through", TRUST_COMMITS_MAX);
		if (verifier_check(verifier, git, &id, deadline, err) == -1)
			return -1;
	}
	return status == GIT_ITEROVER ? 0 : git_fail(err, ERROR_SYSTEM, "listing what is new");
}

int
config_trust_check(git_repository *git, const struct trust_question *q,
    const struct signature_rules *rules, const struct deadline *deadline, struct error *err)
{
	cleanup(verifier_free_p) struct verifier *verifier = NULL;

	if (q->verified != NULL && git_oid_equal(&q->tip, q->verified))
		return 0;
	if (check_forward(git, q, err) == -1 ||
	    (verifier = verifier_new(rules, deadline, err)) == NULL)
		return -1;
	if (q->verified == NULL)
		return verifier_check(verifier, git, &q->tip, deadline, err);
	return check_each(git, q, verifier, deadline, err);
}
