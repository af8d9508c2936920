/* tree.h - the metadata files below a directory, as Crane looks for them.
 *
 * Every *.json at any depth, links followed; a name that begins with a dot is left out, as a
 * ConfigMap's volume keeps its generations there. Any thread; blocks on the disk. */
#ifndef CRANE_TREE_H
#define CRANE_TREE_H

#include <stddef.h>

#include "common/error.h"

#define TREE_FILES_MAX 100000u
#define TREE_DEPTH_MAX 8u

/* Both relative to the directory; the directory itself is "". */
struct tree {
	char	**files;	/* sorted (strcmp) */
	size_t	  n_files;
	char	**folders;
	size_t	  n_folders;
};

#define TREE_INIT { NULL, 0, NULL, 0 }

/* `dir` is a descriptor of the directory, so that who reads the files reads the same one. */
int	 tree_read(int dir, struct tree *out, struct error *err);
void	 tree_done(struct tree *);

#endif
