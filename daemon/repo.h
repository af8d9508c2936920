/* repo.h - what the config repo and the app repos share: files of a commit are read, and commits
 * are made, in a bare repository, without an index or a work tree.
 *
 * Any thread, each with its own git_repository (see git.h). Objects never change, so a reader
 * needs no lock beside a writer. What a repository holds comes from outside: sizes and counts
 * are limited, and names that are not plain never reach a caller. */
#ifndef DAEMON_REPO_H
#define DAEMON_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "daemon/deadline.h"
#include "daemon/git.h"

#define METADATA_MAX_BYTES (16u << 20)
#define METADATA_MAX_FILES 10000u

/* Sentences for a person, in the order in which they were found. */
struct repo_notes {
	char	**texts;
	size_t	  n;
};

struct repo_file {
	char		*name;
	git_oid		 oid;
	uint64_t	 size;
};

struct repo_files {
	struct repo_file	*files;		/* sorted by name, strcmp(3) */
	size_t			 n;
	struct repo_notes	 ignored;	/* "NAME: why"; the first hundred */
};

enum repo_entry {
	REPO_ABSENT,
	REPO_FILE,
	REPO_BLOCKED,	/* a folder, a link or a submodule stands there, or a file above it */
};

/* Who makes commits. */
struct repo_author {
	const char	*name;
	const char	*email;
	const char	*signing_key;	/* file of an SSH key without a passphrase; NULL: not signed */
};

void	 repo_notes_add(struct repo_notes *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	 repo_notes_done(struct repo_notes *);
void	 repo_files_done(struct repo_files *);
const struct repo_file *repo_files_find(const struct repo_files *, const char *name);

/* `name` is [A-Za-z0-9._-]+ and then `suffix`, with no dot in front. */
bool	 repo_name_is_plain(const char *name, const char *suffix);

int	 repo_tree(git_repository *, const git_oid *commit, git_tree **out, struct error *err);
/* The file at `path`, added to `out`. ERROR_MISSING: no such file; ERROR_INPUT: not a regular
 * file, or longer than `limit` bytes. */
int	 repo_read(git_repository *, const git_oid *commit, const char *path, size_t limit,
	    struct buf *out, struct error *err);
int	 repo_read_blob(git_repository *, const git_oid *blob, size_t limit, struct buf *out,
	    struct error *err);
/* Looks for a file that can be written; `root` NULL is an empty tree. */
int	 repo_find(git_tree *root, const char *path, enum repo_entry *, git_oid *oid,
	    struct error *err);
/* The files in the folder `dir` whose names are plain and end in `suffix`; no such folder is an
 * empty list. */
int	 repo_list(git_repository *, const git_oid *commit, const char *dir, const char *suffix,
	    struct repo_files *out, struct error *err);
/* Whether `path` ever was the blob `oid` in the newest 10,000 commits from `tip` on. */
int	 repo_history_has(git_repository *, const git_oid *tip, const char *path,
	    const git_oid *oid, bool *found, const struct deadline *, struct error *err);
/* Calls fn for the files of `dir` as repo_list() finds them, in each of the newest 10,000 commits in
 * which the folder is not as in the one looked at before. */
int	 repo_history_each(git_repository *, const git_oid *tip, const char *dir, const char *suffix,
	    int (*fn)(void *arg, const struct repo_file *, struct error *), void *arg,
	    const struct deadline *, struct error *err);

/* The id that these bytes have, or would have, as a file in git. */
git_oid	 repo_oid_of_bytes(const void *, size_t);

/* `base` NULL: an empty tree. No update: the base's own id. */
int	 repo_make_tree(git_repository *, git_tree *base, const git_tree_update *, size_t n,
	    git_oid *out, struct error *err);
/* `parent` NULL: a first commit. `like` NULL, or a commit whose author is kept. */
int	 repo_commit(git_repository *, const git_oid *tree, const git_oid *parent,
	    const struct repo_author *, const git_commit *like, const char *message, git_oid *out,
	    struct error *err);

/* Removes the locks and half-written files that a killed process left in the repository at `path`.
 * Only for the one that writes there. No such folder is fine. */
int	 repo_sweep(const char *path, struct error *err);

int	 repo_ref(git_repository *, const char *name, git_oid *oid, bool *found, struct error *err);
int	 repo_set_ref(git_repository *, const char *name, const git_oid *, struct error *err);
/* No such reference is fine. */
int	 repo_delete_ref(git_repository *, const char *name, struct error *err);

/* What the repository was made for, kept in its own configuration; "" when nothing is recorded. */
char	*repo_recorded_url(git_repository *);
int	 repo_record_url(git_repository *, const char *url, struct error *err);
/* The URL as it may be shown and stored: without a password, and for http(s) without any login. */
char	*repo_public_url(const char *url);

#endif
