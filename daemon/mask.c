#include "daemon/mask.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/atomic-file.h"
#include "daemon/repo.h"

#define INDEX "index.json"
#define INDEX_MAX (16u << 20)	/* bytes */
#define INDEX_DEPTH_MAX 8

struct mask *
mask_new(const char *source)
{
	struct mask *mask = xcalloc(1, sizeof(*mask));

	mask->source = xstrdup(source);
	atomic_init(&mask->refs, 1);
	return mask;
}

struct mask *
mask_ref(struct mask *mask)
{
	atomic_fetch_add_explicit(&mask->refs, 1, memory_order_relaxed);
	return mask;
}

void
mask_unref(struct mask *mask)
{
	size_t i;

	if (mask == NULL || atomic_fetch_sub_explicit(&mask->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (i = 0; i < mask->n_files; i++) {
		free(mask->files[i].name);
		free(mask->files[i].data);
		free(mask->files[i].validator);
	}
	free(mask->files);
	crane_ids_done(&mask->masked);
	free(mask->source);
	free(mask->commit);
	free(mask);
}

static void
mask_ids(struct mask *mask, const struct crane_metadata *m)
{
	size_t i;

	for (i = 0; i < m->images.n; i++)
		crane_ids_add(&mask->masked, m->images.ids[i]);
	for (i = 0; i < m->n_blobs; i++)
		crane_ids_add(&mask->masked, m->blobs[i].digest);
}

int
mask_add(struct mask *mask, const char *name, const void *data, size_t len, const char *validator,
    struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;

	if (!repo_name_is_plain(name, ".json"))
		return error_set(err, ERROR_INPUT, "not the name of a metadata file");
	if (mask->n_files == MASK_FILES_MAX)
		return error_set(err, ERROR_INPUT, "more than %u files", MASK_FILES_MAX);
	if (len > MASK_TOTAL_MAX - mask->total)
		return error_set(err, ERROR_INPUT, "more than %u bytes in all", MASK_TOTAL_MAX);
	if ((m = crane_metadata_parse(data, len, err)) == NULL)
		return -1;
	mask_ids(mask, m);
	if (mask->n_files == mask->size) {
		mask->size = mask->size == 0 ? 8 : mask->size * 2;
		mask->files = xreallocarray(mask->files, mask->size, sizeof(*mask->files));
	}
	mask->files[mask->n_files++] = (struct mask_file){
		.name = xstrdup(name), .data = xmemdup(data, len), .len = len,
		.oid = repo_oid_of_bytes(data, len), .validator = xstrdup(validator),
	};
	mask->total += len;
	return 0;
}

static int
file_order(const void *a, const void *b)
{
	return strcmp(((const struct mask_file *)a)->name, ((const struct mask_file *)b)->name);
}

void
mask_seal(struct mask *mask)
{
	if (mask->n_files > 0)
		qsort(mask->files, mask->n_files, sizeof(*mask->files), file_order);
	crane_ids_sort(&mask->masked);
}

const struct mask_file *
mask_find(const struct mask *mask, const char *name)
{
	struct mask_file wanted = { .name = (char *)name };

	if (mask->n_files == 0)
		return NULL;
	return bsearch(&wanted, mask->files, mask->n_files, sizeof(wanted), file_order);
}

bool
mask_same(const struct mask *a, const struct mask *b)
{
	size_t i;

	if (a->n_files != b->n_files)
		return false;
	for (i = 0; i < a->n_files; i++)
		if (strcmp(a->files[i].name, b->files[i].name) != 0 ||
		    !git_oid_equal(&a->files[i].oid, &b->files[i].oid))
			return false;
	return true;
}

/* On disk: a file OID for each content, and index.json that names them. */

struct kept_name {
	char	hex[GIT_OID_HEXSZ + 1];
};

static struct kept_name
kept_name(const struct mask_file *file)
{
	struct kept_name name;

	git_oid_tostr(name.hex, sizeof(name.hex), &file->oid);
	return name;
}

static char *
index_text(const struct mask *mask)
{
	cleanup(json_unref) json_t *index = json_object();
	json_t *files = json_array(), *item;
	size_t i;

	json_object_set_new(index, "source", json_text(mask->source));
	json_object_set_new(index, "commit", json_text(mask->commit));
	json_object_set_new(index, "files", files);
	for (i = 0; i < mask->n_files; i++) {
		item = json_object();
		json_object_set_new(item, "name", json_text(mask->files[i].name));
		json_object_set_new(item, "oid", json_text(kept_name(&mask->files[i]).hex));
		json_object_set_new(item, "validator", json_text(mask->files[i].validator));
		json_array_append_new(files, item);
	}
	return json_dumps(index, JSON_INDENT(1));
}

/* A file of that name was whole when it got it; a damaged one is found when it is loaded. */
static bool
is_kept(int dir, const struct mask_file *file)
{
	struct stat st;

	return fstatat(dir, kept_name(file).hex, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && (size_t)st.st_size == file->len;
}

static bool
is_needed(const struct mask *mask, const char *name)
{
	size_t i;

	if (strcmp(name, INDEX) == 0 || name[0] == '.')
		return true;
	for (i = 0; i < mask->n_files; i++)
		if (strcmp(kept_name(&mask->files[i]).hex, name) == 0)
			return true;
	return false;
}

/* Removes what no index names any more, and what a crash left behind. That it does not succeed
 * harms nobody. */
static void
sweep(int dir, const struct mask *mask)
{
	int fd = dup(dir);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (d == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	rewinddir(d);
	while ((entry = readdir(d)) != NULL)
		if (!is_needed(mask, entry->d_name))
			unlinkat(dir, entry->d_name, 0);
	closedir(d);
}

int
mask_keep(const struct mask *mask, const char *keep_dir, struct error *err)
{
	cleanup(close_p) int dir = -1;
	cleanup(free_p) char *index = index_text(mask);
	size_t i;

	if (mkdir(keep_dir, 0755) == -1 && errno != EEXIST)
		return error_errno(err, "cannot make '%s'", keep_dir);
	if ((dir = open(keep_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return error_errno(err, "cannot open '%s'", keep_dir);
	for (i = 0; i < mask->n_files; i++) {
		const struct mask_file *file = &mask->files[i];

		if (!is_kept(dir, file) && atomic_file_write(dir, kept_name(file).hex, file->data,
		    file->len, 0644, err) == -1)
			return error_prefix(err, "%s", keep_dir);
	}
	if (atomic_file_write(dir, INDEX, index, strlen(index), 0644, err) == -1)
		return error_prefix(err, "%s", keep_dir);
	sweep(dir, mask);
	return 0;
}

static int
load_file(struct mask *mask, int dir, const json_t *item, struct error *err)
{
	cleanup(buf_done) struct buf bytes = BUF_INIT;
	const char *name, *oid;

	if ((name = json_get_string(item, "name", err)) == NULL ||
	    (oid = json_get_string(item, "oid", err)) == NULL)
		return error_prefix(err, INDEX);
	if (strlen(oid) != GIT_OID_HEXSZ || strspn(oid, "0123456789abcdef") != GIT_OID_HEXSZ)
		return error_set(err, ERROR_INPUT, INDEX ": '%s' is not an id", oid);
	if (atomic_file_read(dir, oid, MASK_FILE_MAX, &bytes, err) == -1 ||
	    mask_add(mask, name, buf_str(&bytes), bytes.len,
	    json_string_or(item, "validator", NULL), err) == -1)
		return error_prefix(err, "%s", name);
	if (strcmp(kept_name(&mask->files[mask->n_files - 1]).hex, oid) != 0)
		return error_set(err, ERROR_INPUT, "%s: the kept copy '%s' is damaged", name,
		    oid);
	return 0;
}

static struct mask *
load(int dir, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(json_unref) json_t *index = NULL;
	cleanup(mask_unref_p) struct mask *mask = NULL;
	const char *source, *commit;
	json_t *files, *item;
	size_t i;

	if (atomic_file_read(dir, INDEX, INDEX_MAX, &text, err) == -1)
		return NULL;
	if ((index = json_read(buf_str(&text), text.len, INDEX_DEPTH_MAX, err)) == NULL ||
	    (source = json_get_string(index, "source", err)) == NULL ||
	    (files = json_get_array(index, "files", err)) == NULL) {
		error_prefix(err, INDEX);
		return NULL;
	}
	mask = mask_new(source);
	if ((commit = json_string_or(index, "commit", NULL)) != NULL)
		mask->commit = xstrdup(commit);
	json_array_foreach(files, i, item)
		if (load_file(mask, dir, item, err) == -1)
			return NULL;
	mask_seal(mask);
	return steal(mask);
}

struct mask *
mask_load(const char *keep_dir, struct error *err)
{
	cleanup(close_p) int dir = open(keep_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mask *mask = NULL;

	if (dir != -1)
		mask = load(dir, err);
	else if (errno == ENOENT)
		error_set(err, ERROR_MISSING, "nothing kept yet");
	else
		error_errno(err, "cannot open it");
	if (mask == NULL)
		error_prefix(err, "%s", keep_dir);
	return mask;
}
