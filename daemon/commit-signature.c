#include "daemon/commit-signature.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "daemon/git.h"
#include "daemon/process.h"

#define RUN_MS 20000			/* of one program */
#define SIGNATURE_MAX (64u << 10)	/* bytes */
#define PRINTED_MAX (16u << 10)
#define PRINCIPALS_MAX 16		/* names that one key goes by, tried in turn */
#define SSH_BEGINS "-----BEGIN SSH SIGNATURE-----"
#define PGP_BEGINS "-----BEGIN PGP SIGNATURE-----"

struct verifier {
	const struct signature_rules	*rules;
	struct buf			 own;	/* as a line of allowed signers; empty: none */
};

/* What a program did. */
struct outcome {
	int		 status;
	struct buf	 out;
	struct buf	 errors;
};

#define OUTCOME_INIT { 0, BUF_LIMIT(PRINTED_MAX), BUF_LIMIT(PRINTED_MAX) }

static void
outcome_done(struct outcome *o)
{
	buf_done(&o->out);
	buf_done(&o->errors);
}

static bool
succeeded(const struct outcome *o)
{
	return WIFEXITED(o->status) && WEXITSTATUS(o->status) == 0;
}

static int
run(const struct process_run *what, struct outcome *o, const struct deadline *outer,
    struct error *err)
{
	struct deadline deadline = deadline_within(outer, RUN_MS);

	return process_run(what, &o->status, &o->out, &o->errors, &deadline, err);
}

/* Its first line, which is the one that tells. */
static const char *
complaint(struct outcome *o)
{
	if (o->errors.len == 0)
		return "it gave no reason";
	o->errors.data[strcspn(o->errors.data, "\r\n")] = '\0';
	return o->errors.data;
}

static int
check_readable(const char *file, const char *what, struct error *err)
{
	if (access(file, R_OK) == 0)
		return 0;
	return error_set(err, ERROR_INPUT, "%s %s: %s", what, file, strerror(errno));
}

/* An empty passphrase: a key that has one is refused, and not asked for. */
static int
read_own_key(struct verifier *v, const struct deadline *deadline, struct error *err)
{
	const char *key = v->rules->own_key;
	const char *argv[] = { "ssh-keygen", "-y", "-P", "", "-f", key, NULL };
	cleanup(outcome_done) struct outcome o = OUTCOME_INIT;

	if (check_readable(key, "git.signing_key", err) == -1 ||
	    run(&(struct process_run){ .argv = argv }, &o, deadline, err) == -1)
		return -1;
	if (!succeeded(&o))
		return error_set(err, ERROR_INPUT, "git.signing_key %s: %s (an SSH key without a "
		    "passphrase is needed)", key, complaint(&o));
	buf_printf(&v->own, "raasd %s", buf_str(&o.out));
	return 0;
}

struct verifier *
verifier_new(const struct signature_rules *rules, const struct deadline *deadline,
    struct error *err)
{
	cleanup(verifier_free_p) struct verifier *v = xcalloc(1, sizeof(*v));

	v->rules = rules;
	if (check_readable(rules->allowed, "git.allowed_signers", err) == -1 ||
	    (rules->own_key != NULL && read_own_key(v, deadline, err) == -1))
		return NULL;
	return steal(v);
}

void
verifier_free(struct verifier *v)
{
	if (v == NULL)
		return;
	buf_done(&v->own);
	free(v);
}

/* What is to be judged. */
struct signed_commit {
	struct process_bytes	 text;
	struct process_bytes	 signature;
};

/* Who a file of allowed signers says that the key belongs to, a name a line. 1: somebody; 0: it
 * does not name the key. */
static int
find_principals(const struct signed_commit *c, const char *allowed, struct outcome *o,
    const struct deadline *deadline, struct error *err)
{
	const char *argv[] = { "ssh-keygen", "-Y", "find-principals", "-f", allowed, "-s",
	    PROCESS_FILE_0, NULL };
	struct process_run what = { .argv = argv, .files = { c->signature }, .n_files = 1 };

	if (run(&what, o, deadline, err) == -1)
		return -1;
	return succeeded(o) && o->out.len > 0;
}

/* `allowed` NULL: the own key alone. 1: signed by that principal; 0: it is not. */
static int
verify_as(const struct verifier *v, const struct signed_commit *c, const char *allowed,
    const char *principal, const struct deadline *deadline, struct error *err)
{
	const char *argv[] = { "ssh-keygen", "-Y", "verify", "-n", "git", "-f",
	    allowed != NULL ? allowed : PROCESS_FILE_1, "-I", principal, "-s", PROCESS_FILE_0, NULL };
	struct process_run what = { .argv = argv, .input = c->text,
	    .files = { c->signature, { v->own.data, v->own.len } }, .n_files = 2 };
	cleanup(outcome_done) struct outcome o = OUTCOME_INIT;

	if (run(&what, &o, deadline, err) == -1)
		return -1;
	return succeeded(&o);
}

/* As git does it: a key may go by many names, of which each may have its own limits. */
static int
verify_ssh(const struct verifier *v, const struct signed_commit *c,
    const struct deadline *deadline, struct error *err)
{
	cleanup(outcome_done) struct outcome found = OUTCOME_INIT;
	char *name, *rest = NULL;
	int status, tries;

	status = find_principals(c, v->rules->allowed, &found, deadline, err);
	if (status == 0)
		return error_set(err, ERROR_UNTRUSTED, "is signed with a key that %s does not name "
		    "(%s)", v->rules->allowed, complaint(&found));
	if (status == -1)
		return -1;
	name = strtok_r(found.out.data, "\r\n", &rest);
	for (tries = 0; name != NULL && tries < PRINCIPALS_MAX; tries++) {
		if ((status = verify_as(v, c, v->rules->allowed, name, deadline, err)) != 0)
			return status == 1 ? 0 : -1;
		name = strtok_r(NULL, "\r\n", &rest);
	}
	return error_set(err, ERROR_UNTRUSTED, "has a signature that is not good for its content, "
	    "or whose key %s does not allow to sign for git today", v->rules->allowed);
}

/* The lines of doc/DETAILS of GnuPG that tell of a signature, by their keywords. */
static bool
has_keyword(const struct buf *status, const char *keyword)
{
	cleanup(free_p) char *line = xasprintf("[GNUPG:] %s ", keyword);
	const char *at = buf_str(status);

	for (; at != NULL; at = strchr(at, '\n'), at = at != NULL ? at + 1 : NULL)
		if (strncmp(at, line, strlen(line)) == 0)
			return true;
	return false;
}

/* gpgv ends well for an expired key's signature too: only GOODSIG is good, and nothing beside it. */
static int
verify_gpg(const struct verifier *v, const struct signed_commit *c,
    const struct deadline *deadline, struct error *err)
{
	static const char *const faults[] = { "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG" };
	const char *argv[] = { "gpgv", "--status-fd", "1", "--keyring", v->rules->allowed,
	    PROCESS_FILE_0, "-", NULL };
	struct process_run what = { .argv = argv, .input = c->text, .files = { c->signature },
	    .n_files = 1 };
	cleanup(outcome_done) struct outcome o = OUTCOME_INIT;
	bool good;
	size_t i;

	if (run(&what, &o, deadline, err) == -1)
		return -1;
	good = succeeded(&o) && has_keyword(&o.out, "GOODSIG") && has_keyword(&o.out, "VALIDSIG");
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		good = good && !has_keyword(&o.out, faults[i]);
	if (good)
		return 0;
	if (has_keyword(&o.out, "NO_PUBKEY"))
		return error_set(err, ERROR_UNTRUSTED, "is signed with a key that is not in %s",
		    v->rules->allowed);
	return error_set(err, ERROR_UNTRUSTED, "has a signature that gpgv does not take: %s",
	    complaint(&o));
}

static bool
begins_with(const struct process_bytes *bytes, const char *words)
{
	return bytes->len >= strlen(words) && memcmp(bytes->data, words, strlen(words)) == 0;
}

static int
verify(const struct verifier *v, const struct signed_commit *c, const struct deadline *deadline,
    struct error *err)
{
	bool ssh = begins_with(&c->signature, SSH_BEGINS);
	int status;

	if (c->signature.len > SIGNATURE_MAX)
		return error_set(err, ERROR_UNTRUSTED, "has a signature of more than %u bytes",
		    SIGNATURE_MAX);
	if (ssh && v->own.len > 0 &&
	    (status = verify_as(v, c, NULL, "raasd", deadline, err)) != 0)
		return status == 1 ? 0 : -1;
	if (ssh && v->rules->kind == SIGNATURE_SSH)
		return verify_ssh(v, c, deadline, err);
	if (begins_with(&c->signature, PGP_BEGINS) && v->rules->kind == SIGNATURE_GPG)
		return verify_gpg(v, c, deadline, err);
	return error_set(err, ERROR_UNTRUSTED, "is signed, but not by %s",
	    v->rules->kind == SIGNATURE_SSH ? "SSH" : "GPG");
}

static int
extract_and_verify(const struct verifier *v, git_repository *git, git_oid id,
    const struct deadline *deadline, struct error *err)
{
	cleanup(git_buf_dispose) git_buf signature = GIT_BUF_INIT, text = GIT_BUF_INIT;
	int status = git_commit_extract_signature(&signature, &text, git, &id, NULL);

	if (status == GIT_ENOTFOUND)
		return error_set(err, ERROR_UNTRUSTED, "is not signed");
	if (status != 0)
		return git_fail(err, ERROR_SYSTEM, "cannot be read");
	return verify(v, &(struct signed_commit){ { text.ptr, text.size },
	    { signature.ptr, signature.size } }, deadline, err);
}

int
verifier_check(struct verifier *v, git_repository *git, const git_oid *id,
    const struct deadline *deadline, struct error *err)
{
	cleanup(git_commit_free_p) git_commit *commit = NULL;
	struct error why;

	if (git_commit_lookup(&commit, git, id) != 0)
		return git_fail(err, ERROR_SYSTEM, "commit %.12s", git_oid_tostr_s(id));
	if (extract_and_verify(v, git, *id, deadline, err) == 0)
		return 0;
	if (err->kind != ERROR_UNTRUSTED)
		return error_prefix(err, "the signature of commit %.12s", git_oid_tostr_s(id));
	why = *err;
	return error_set(err, ERROR_UNTRUSTED, "commit %.12s of %.60s %s", git_oid_tostr_s(id),
	    git_commit_author(commit)->name, why.text);
}

int
commit_signature_make(const char *key, const char *text, size_t len, struct buf *out,
    const struct deadline *deadline, struct error *err)
{
	const char *argv[] = { "ssh-keygen", "-Y", "sign", "-n", "git", "-f", key, NULL };
	struct process_run what = { .argv = argv, .input = { text, len } };
	cleanup(outcome_done) struct outcome o = OUTCOME_INIT;

	if (check_readable(key, "git.signing_key", err) == -1 ||
	    run(&what, &o, deadline, err) == -1)
		return -1;
	if (!succeeded(&o) || !begins_with(&(struct process_bytes){ o.out.data, o.out.len },
	    SSH_BEGINS))
		return error_set(err, ERROR_INPUT, "git.signing_key %s: %s", key, complaint(&o));
	buf_add(out, o.out.data, o.out.len);
	return 0;
}
