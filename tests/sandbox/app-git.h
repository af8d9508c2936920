/* app-git.h - the apps' bare git repositories: made cheaply, read when they change.
 *
 * An app's repository borrows the objects of the source that it was cloned from
 * (objects/info/alternates) and is linked together from few files: where there are ten
 * thousand, making directories is what takes the time. */
#ifndef TESTS_SANDBOX_APP_GIT_H
#define TESTS_SANDBOX_APP_GIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "common/error.h"

#define GIT_ID_SIZE 41

/* The state of the files that hold a branch; equal marks: the branch did not move. */
struct git_mark {
	ino_t		loose_inode, packed_inode;
	struct timespec	loose_time, packed_time;
};

struct git_source;	/* copies of the repositories that apps are made from */

/* Below `dir`. `map` (lent): an object of URL to path, asked before a URL is cloned from the
 * network. */
struct git_source *git_source_new(const char *dir, json_t *map);
void	 git_source_free(struct git_source *);

/* Makes the bare repository `path` of `url` (NULL: of a small Crane) with the branch master,
 * which is the source's, or `commit` (a whole id, or NULL) of it. Sets id to what it is. */
int	 app_git_create(struct git_source *, const char *path, const char *url, const char *commit,
	    char id[GIT_ID_SIZE], struct error *err);
void	 app_git_remove(const char *path);

/* Commits on the source's master for apps that are made of them later; all the objects go
 * into one pack when the batch ends. git_batch_add() takes no reference to `files`. */
struct git_batch;

struct git_batch *git_batch_new(struct git_source *, const char *url, struct error *err);
int	 git_batch_add(struct git_batch *, const json_t *files, char id[GIT_ID_SIZE],
	    struct error *err);
int	 git_batch_end(struct git_batch *, struct error *err);	/* frees it; NULL is fine */

struct git_mark app_git_mark(const char *path, const char *branch);
bool	 git_mark_is(const struct git_mark *, const struct git_mark *);
/* The commit of a branch, tag or (part of an) id; false: none. */
bool	 app_git_resolve(const char *path, const char *ref, char id[GIT_ID_SIZE]);
/* Writes what that commit has below `folder` into the directory `dir`, which is made. */
int	 app_git_export(const char *path, const char *id, const char *folder, const char *dir,
	    struct error *err);
/* Commits files (object: path to text, null removes) on a branch, as a user's push would. */
int	 app_git_commit(const char *path, const char *branch, const json_t *files,
	    const char *message, struct error *err);

#endif
