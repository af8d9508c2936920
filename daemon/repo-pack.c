#include "daemon/repo-pack.h"

#include <dirent.h>
#include <git2/sys/odb_backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"

#define MANY_PACKS 30
#define MANY_IN_17 27			/* one of 256 folders of loose objects stands for all */
#define SMALL_PACK (16 << 20)		/* bytes */
#define MOST_OBJECTS 300000

CLEANUP_FUNC(git_odb, git_odb_free);

static void
dir_close(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
}

/* What goes into the new pack, and which files it replaces. */
struct gathering {
	char		 *objects;	/* …/objects */
	git_packbuilder	 *builder;
	char		**packs;	/* paths without .pack or .idx */
	size_t		  n_packs;
	git_oid		 *loose;
	size_t		  n_loose;
	bool		  from_loose;
};

static void
gathering_done(struct gathering *g)
{
	size_t i;

	for (i = 0; i < g->n_packs; i++)
		free(g->packs[i]);
	free(g->packs);
	free(g->loose);
	free(g->objects);
	git_packbuilder_free(g->builder);
}

static int
count_loose(const struct gathering *g)
{
	cleanup(free_p) char *path = xasprintf("%s/17", g->objects);
	cleanup(dir_close) DIR *dir = opendir(path);
	const struct dirent *entry;
	int n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	return n;
}

/* The packs that are small. One with a .keep beside it is somebody's to keep. */
static void
list_packs(struct gathering *g)
{
	cleanup(free_p) char *folder = xasprintf("%s/pack", g->objects);
	cleanup(dir_close) DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		cleanup(free_p) char *path = xasprintf("%s/%s", folder, entry->d_name);
		cleanup(free_p) char *stem = NULL;
		cleanup(free_p) char *keep = NULL;

		if (len <= 5 || strcmp(entry->d_name + len - 5, ".pack") != 0)
			continue;
		stem = xstrndup(path, strlen(path) - 5);
		keep = xasprintf("%s.keep", stem);
		if (stat(path, &st) == -1 || st.st_size > SMALL_PACK || access(keep, F_OK) == 0)
			continue;
		g->packs = xreallocarray(g->packs, g->n_packs + 1, sizeof(*g->packs));
		g->packs[g->n_packs++] = steal(stem);
	}
}

static int
take_object(const git_oid *oid, void *arg)
{
	struct gathering *g = arg;

	if (g->from_loose) {
		if (g->n_loose % 1024 == 0)
			g->loose = xreallocarray(g->loose, g->n_loose + 1024, sizeof(*g->loose));
		g->loose[g->n_loose++] = *oid;
	}
	return git_packbuilder_insert(g->builder, oid, NULL);
}

/* Calls take_object() for what one backend holds; takes the backend. */
static int
take_backend(struct gathering *g, git_odb_backend *backend)
{
	cleanup(git_odb_free_p) git_odb *odb = NULL;

	if (git_odb_new(&odb) != 0 || git_odb_add_backend(odb, backend, 1) != 0) {
		backend->free(backend);
		return -1;
	}
	return git_odb_foreach(odb, take_object, g);
}

static int
take_loose(struct gathering *g)
{
	git_odb_backend *backend;
	int status;

	if (git_odb_backend_loose(&backend, g->objects, -1, 0, 0, 0) != 0)
		return -1;
	g->from_loose = true;
	status = take_backend(g, backend);
	g->from_loose = false;
	return status;
}

/* Packs beyond the limit stay as they are, for another time. */
static int
take_packs(struct gathering *g)
{
	size_t i;

	for (i = 0; i < g->n_packs; i++) {
		cleanup(free_p) char *index = xasprintf("%s.idx", g->packs[i]);
		git_odb_backend *backend;

		if (git_packbuilder_object_count(g->builder) > MOST_OBJECTS)
			break;
		if (git_odb_backend_one_pack(&backend, index) != 0 || take_backend(g, backend) != 0)
			return -1;
	}
	while (g->n_packs > i)
		free(g->packs[--g->n_packs]);
	return 0;
}

static void
remove_replaced(struct gathering *g)
{
	const char *name = git_packbuilder_name(g->builder);
	char hex[GIT_OID_HEXSZ + 1];
	size_t i;

	for (i = 0; i < g->n_loose; i++) {
		cleanup(free_p) char *path = NULL;

		git_oid_tostr(hex, sizeof(hex), &g->loose[i]);
		path = xasprintf("%s/%.2s/%s", g->objects, hex, hex + 2);
		unlink(path);
	}
	for (i = 0; i < g->n_packs; i++) {
		cleanup(free_p) char *pack = xasprintf("%s.pack", g->packs[i]);
		cleanup(free_p) char *index = xasprintf("%s.idx", g->packs[i]);

		if (name != NULL && strstr(pack, name) != NULL)
			continue;	/* the same objects as before make the same pack */
		unlink(index);		/* first: a pack without an index is not looked at */
		unlink(pack);
	}
}

static int
stop_when_over(int stage, uint32_t current, uint32_t total, void *arg)
{
	(void)stage;
	(void)current;
	(void)total;
	return deadline_left_ms(arg) == 0 ? GIT_EUSER : 0;
}

static int
write_pack(git_repository *git, struct gathering *g, const struct deadline *deadline,
    struct error *err)
{
	if (git_packbuilder_new(&g->builder, git) != 0 ||
	    git_packbuilder_set_callbacks(g->builder, stop_when_over, (void *)deadline) != 0)
		return git_fail(err, ERROR_SYSTEM, "packing %s", g->objects);
	git_packbuilder_set_threads(g->builder, 1);
	if (take_loose(g) == 0 && take_packs(g) == 0 &&
	    git_packbuilder_write(g->builder, NULL, 0, NULL, NULL) == 0)
		return 0;
	if (deadline_check(deadline, err) == -1)
		return error_prefix(err, "packing %s", g->objects);
	return git_fail(err, ERROR_SYSTEM, "packing %s", g->objects);
}

int
repo_pack(git_repository *git, bool *packed, const struct deadline *deadline, struct error *err)
{
	cleanup(gathering_done) struct gathering g = { 0 };

	g.objects = xasprintf("%sobjects", git_repository_path(git));
	list_packs(&g);
	*packed = false;
	if (g.n_packs <= MANY_PACKS && count_loose(&g) <= MANY_IN_17)
		return 0;
	if (write_pack(git, &g, deadline, err) == -1)
		return -1;
	remove_replaced(&g);
	*packed = true;
	return 0;
}
