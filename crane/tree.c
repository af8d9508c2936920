#include "crane/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/cleanup.h"

static void
closedir_p(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

static void
names_done(char **names, size_t n)
{
	while (n > 0)
		free(names[--n]);
	free(names);
}

void
tree_done(struct tree *t)
{
	names_done(t->files, t->n_files);
	names_done(t->folders, t->n_folders);
	*t = (struct tree)TREE_INIT;
}

static int
add_name(char ***names, size_t *n, const char *name, struct error *err)
{
	if (*n == TREE_FILES_MAX)
		return error_set(err, ERROR_INPUT, "more than %u files or folders", TREE_FILES_MAX);
	if ((*n & (*n - 1)) == 0)	/* full: the sizes are powers of two */
		*names = xreallocarray(*names, *n == 0 ? 1 : *n * 2, sizeof(**names));
	(*names)[(*n)++] = xstrdup(name);
	return 0;
}

static bool
is_json(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static int read_folder(int at, const char *name, unsigned int depth, struct tree *, struct error *);

static int
read_entry(int fd, const char *folder, const char *name, unsigned int depth, struct tree *t,
    struct error *err)
{
	cleanup(free_p) char *path = xasprintf("%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
	struct stat st;

	if (name[0] == '.')
		return 0;
	/* What cannot be looked at and has a file's name is refused when it is read. */
	if (fstatat(fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return read_folder(fd, path, depth, t, err);
	return is_json(name) ? add_name(&t->files, &t->n_files, path, err) : 0;
}

static int
read_folder(int at, const char *path, unsigned int depth, struct tree *t, struct error *err)
{
	const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	cleanup(closedir_p) DIR *d = NULL;
	struct dirent *entry;
	int fd;

	if (depth == TREE_DEPTH_MAX)
		return error_set(err, ERROR_INPUT, "'%s': folders nested deeper than %u", path,
		    TREE_DEPTH_MAX);
	fd = openat(at, path[0] != '\0' ? base : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		error_errno(err, "cannot open folder '%s'", path[0] != '\0' ? path : ".");
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (add_name(&t->folders, &t->n_folders, path, err) == -1)
		return -1;
	for (errno = 0; (entry = readdir(d)) != NULL; errno = 0)
		if (read_entry(dirfd(d), path, entry->d_name, depth + 1, t, err) == -1)
			return -1;
	return errno == 0 ? 0 : error_errno(err, "cannot read folder '%s'", path);
}

static int
order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
tree_read(int dir, struct tree *out, struct error *err)
{
	cleanup(tree_done) struct tree t = TREE_INIT;

	if (read_folder(dir, "", 0, &t, err) == -1)
		return -1;
	if (t.n_files > 0)
		qsort(t.files, t.n_files, sizeof(*t.files), order);
	*out = t;
	t = (struct tree)TREE_INIT;
	return 0;
}
