#include "daemon/config-edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/cfg-section.h"

#define FILE_MAX_BYTES (64u << 20)
#define ISV_MAX 64
#define RAAS_CFG "raas.cfg"

CLEANUP_FUNC(git_diff, git_diff_free);

/* A run of lines, sorted by their text so that a file can be held against them. */
struct line {
	const char	*text;
	size_t		 len;
	size_t		 at;		/* its place in the order of appending */
	bool		 present;	/* in the file already */
};

struct lines {
	struct line	*lines;
	size_t		 n;
};

static void
lines_done(struct lines *lines)
{
	free(lines->lines);
}

static int
compare_text(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static int
compare_text_then_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = compare_text(a, b);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

static int
compare_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* The next line of what *text and *len hold, moving them on; false at the end. */
static bool
next_line(const char **text, size_t *len, struct line *line)
{
	const char *end;
	size_t taken;

	if (*len == 0)
		return false;
	end = memchr(*text, '\n', *len);
	line->text = *text;
	line->len = end != NULL ? (size_t)(end - *text) : *len;
	taken = line->len + (end != NULL);
	*text += taken;
	*len -= taken;
	return true;
}

/* The lines that are not empty, each once, sorted by text. */
static void
lines_split(struct lines *lines, const char *text, size_t len)
{
	struct line line = { 0 };
	size_t size = 0, i, n = 0;

	while (next_line(&text, &len, &line)) {
		if (line.len == 0)
			continue;
		if (lines->n == size) {
			size = size == 0 ? 16 : size * 2;
			lines->lines = xreallocarray(lines->lines, size, sizeof(line));
		}
		line.at = lines->n;
		lines->lines[lines->n++] = line;
	}
	if (lines->n == 0)
		return;
	qsort(lines->lines, lines->n, sizeof(line), compare_text_then_place);
	for (i = 1; i < lines->n; i++) {
		if (compare_text(&lines->lines[n], &lines->lines[i]) != 0)
			lines->lines[++n] = lines->lines[i];
	}
	lines->n = n + 1;
}

static void
lines_mark_present(struct lines *lines, const char *text, size_t len)
{
	struct line line = { 0 }, *same;

	while (lines->n != 0 && next_line(&text, &len, &line)) {
		same = bsearch(&line, lines->lines, lines->n, sizeof(line), compare_text);
		if (same != NULL)
			same->present = true;
	}
}

/* Puts those lines of `text` at the end of `file` that stand neither there nor in `known`.
 * False when the file would become too long. */
static bool
append_lines(struct buf *file, const struct buf *known, const char *text, size_t len)
{
	cleanup(lines_done) struct lines lines = { 0 };
	size_t i;

	lines_split(&lines, text, len);
	lines_mark_present(&lines, buf_str(file), file->len);
	if (known != NULL)
		lines_mark_present(&lines, buf_str(known), known->len);
	if (lines.n != 0)
		qsort(lines.lines, lines.n, sizeof(*lines.lines), compare_place);
	for (i = 0; i < lines.n; i++) {
		const struct line *line = &lines.lines[i];

		if (line->present)
			continue;
		if (file->len != 0 && file->data[file->len - 1] != '\n' && !buf_add(file, "\n", 1))
			return false;
		if (!buf_add(file, line->text, line->len) || !buf_add(file, "\n", 1))
			return false;
	}
	return true;
}

static bool
is_log(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".log") == 0;
}

/* <isv>/metadata/NAME.json or <isv>/logs/NAME.log: nothing else is raasd's to write, so that
 * no name from outside can reach another file. */
static bool
path_is_ours(const char *path)
{
	const char *slash = strchr(path, '/');
	size_t isv_len = slash != NULL ? (size_t)(slash - path) : 0, i;

	if (strcmp(path, RAAS_CFG) == 0)
		return true;
	if (isv_len == 0 || isv_len > ISV_MAX || strncmp(path, "redhat/", 7) == 0)
		return false;
	for (i = 0; i < isv_len; i++) {
		if (!isalnum((unsigned char)path[i]))
			return false;
	}
	if (strncmp(slash, "/metadata/", 10) == 0)
		return repo_name_is_plain(slash + 10, ".json");
	return strncmp(slash, "/logs/", 6) == 0 && repo_name_is_plain(slash + 6, ".log");
}

int
config_edit_check(const struct config_change *changes, size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!path_is_ours(changes[i].path))
			return error_set(err, ERROR_INPUT,
			    "'%.200s' is not a path that raasd writes in the config repo",
			    changes[i].path);
		if (changes[i].kind != CONFIG_REMOVE && changes[i].len > FILE_MAX_BYTES)
			return error_set(err, ERROR_INPUT, "%s: longer than %u bytes",
			    changes[i].path, FILE_MAX_BYTES);
	}
	return 0;
}

/* A file while changes are applied to it. */
struct file {
	bool		 exists;
	git_oid		 oid;		/* of its content in the base */
	struct buf	 content;	/* valid once loaded */
	bool		 loaded;
	bool		 changed;
};

static void
file_done(struct file *file)
{
	buf_done(&file->content);
}

static int
file_load(git_repository *git, struct file *file, struct error *err)
{
	if (file->loaded || !file->exists)
		return 0;
	if (repo_read_blob(git, &file->oid, FILE_MAX_BYTES, &file->content, err) == -1)
		return -1;
	file->loaded = true;
	return 0;
}

static int
file_append(git_repository *git, struct file *file, const struct config_change *change,
    struct error *err)
{
	size_t len;

	if (file_load(git, file, err) == -1)
		return -1;
	len = file->content.len;
	file->content.limit = FILE_MAX_BYTES;
	if (!append_lines(&file->content, NULL, change->data, change->len))
		return error_set(err, ERROR_INPUT, "longer than %u bytes", FILE_MAX_BYTES);
	if (file->content.len != len)
		file->exists = file->loaded = file->changed = true;
	return 0;
}

static int
file_change_section(git_repository *git, struct file *file, const struct config_change *change,
    struct error *err)
{
	cleanup(free_p) char *name = NULL;

	if (file_load(git, file, err) == -1)
		return -1;
	file->content.limit = 0;
	if (change->kind == CONFIG_ADD_SECTION) {
		if (cfg_section_add(&file->content, change->data, change->len, err) == -1)
			return -1;
	} else {
		name = xstrndup(change->data, change->len);
		if (cfg_section_remove(&file->content, name, err) == -1)
			return -1;
	}
	file->exists = file->loaded = file->changed = true;
	return 0;
}

static int
file_change(git_repository *git, struct file *file, const struct config_change *change,
    struct error *err)
{
	if (change->kind == CONFIG_APPEND)
		return file_append(git, file, change, err);
	if (change->kind == CONFIG_ADD_SECTION || change->kind == CONFIG_REMOVE_SECTION)
		return file_change_section(git, file, change, err);
	buf_clear(&file->content);
	file->content.limit = 0;
	file->changed = true;
	file->exists = file->loaded = change->kind == CONFIG_PUT;
	if (file->exists)
		buf_add(&file->content, change->data, change->len);
	return 0;
}

/* What is to become of the tree; the paths are lent by the changes. */
struct updates {
	git_tree_update	*updates;
	size_t		 n;
};

static void
updates_done(struct updates *updates)
{
	free(updates->updates);
}

/* Writes what the changes left of a file, unless it is what the base has. */
static int
file_store(git_repository *git, const struct file *file, const struct file *before,
    const char *path, struct updates *updates, struct error *err)
{
	git_tree_update update = { .path = path, .filemode = GIT_FILEMODE_BLOB };

	if (!file->changed || (!file->exists && !before->exists))
		return 0;
	if (!file->exists) {
		update.action = GIT_TREE_UPDATE_REMOVE;
	} else {
		update.action = GIT_TREE_UPDATE_UPSERT;
		update.id = repo_oid_of_bytes(buf_str(&file->content), file->content.len);
		if (before->exists && git_oid_equal(&update.id, &before->oid))
			return 0;
		if (git_blob_create_from_buffer(&update.id, git, buf_str(&file->content),
		    file->content.len) != 0)
			return git_fail(err, ERROR_SYSTEM, "storing %s", path);
	}
	updates->updates[updates->n++] = update;
	return 0;
}

/* All changes of one path, in their order. What this file alone cannot take is dropped. */
static int
apply_to_file(git_repository *git, git_tree *base, const struct config_change *const *changes,
    size_t n, struct updates *updates, struct repo_notes *dropped, struct error *err)
{
	cleanup(file_done) struct file file = { 0 };
	const char *path = changes[0]->path;
	struct file before;
	enum repo_entry entry;
	size_t i;

	if (repo_find(base, path, &entry, &file.oid, err) == -1)
		return -1;
	if (entry == REPO_BLOCKED) {
		repo_notes_add(dropped, "%s: not a regular file there", path);
		return 0;
	}
	file.exists = entry == REPO_FILE;
	before = file;
	for (i = 0; i < n; i++) {
		struct error why = ERROR_INIT;

		if (file_change(git, &file, changes[i], &why) == 0)
			continue;
		if (why.kind != ERROR_INPUT) {
			*err = why;
			return error_prefix(err, "%s", path);
		}
		repo_notes_add(dropped, "%s: %s", path, why.text);
		return 0;
	}
	return file_store(git, &file, &before, path, updates, err);
}

/* Changes sorted by path, those of one path in their order. */
static int
compare_changes(const void *a, const void *b)
{
	const struct config_change *const *x = a, *const *y = b;
	int order = strcmp((*x)->path, (*y)->path);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

int
config_edit_apply(git_repository *git, git_tree *base, const struct config_change *changes,
    size_t n, git_oid *tree, struct repo_notes *dropped, struct error *err)
{
	cleanup(free_p) const struct config_change **sorted = xcalloc(n, sizeof(*sorted));
	cleanup(updates_done) struct updates updates = { xcalloc(n, sizeof(git_tree_update)), 0 };
	size_t i, end;

	for (i = 0; i < n; i++)
		sorted[i] = &changes[i];
	qsort(sorted, n, sizeof(*sorted), compare_changes);
	for (i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++) {
			if (strcmp(sorted[end]->path, sorted[i]->path) != 0)
				break;
		}
		if (apply_to_file(git, base, sorted + i, end - i, &updates, dropped, err) == -1)
			return -1;
	}
	return repo_make_tree(git, base, updates.updates, updates.n, tree, err);
}

/* The changes that a replay found, with the bytes that they lend. */
struct replayed {
	struct config_change	*changes;
	size_t			 n;
};

static void
replayed_done(struct replayed *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free((char *)r->changes[i].path);
		free((void *)r->changes[i].data);
	}
	free(r->changes);
}

static void
replayed_add(struct replayed *r, enum config_change_kind kind, const char *path, struct buf *data)
{
	struct config_change change = { .kind = kind, .path = xstrdup(path) };

	change.len = data->len;
	change.data = buf_take(data);
	r->changes = xreallocarray(r->changes, r->n + 1, sizeof(change));
	r->changes[r->n++] = change;
}

/* Lines that the commit brought, those of the file it grew from left out. */
static int
replay_log(git_repository *git, const git_diff_delta *delta, struct replayed *out,
    struct error *err)
{
	cleanup(buf_done) struct buf old = BUF_INIT, new = BUF_INIT, added = BUF_INIT;

	if (delta->status == GIT_DELTA_MODIFIED &&
	    repo_read_blob(git, &delta->old_file.id, FILE_MAX_BYTES, &old, err) == -1)
		return -1;
	if (repo_read_blob(git, &delta->new_file.id, FILE_MAX_BYTES, &new, err) == -1)
		return -1;
	append_lines(&added, &old, buf_str(&new), new.len);
	replayed_add(out, CONFIG_APPEND, delta->new_file.path, &added);
	return 0;
}

/* The blob at `path`, or all zeros. */
static int
blob_at(git_tree *tree, const char *path, git_oid *oid, struct error *err)
{
	cleanup(git_tree_entry_free_p) git_tree_entry *entry = NULL;
	int status = git_tree_entry_bypath(&entry, tree, path);

	if (status != 0 && status != GIT_ENOTFOUND)
		return git_fail(err, ERROR_SYSTEM, "%s", path);
	*oid = status == 0 ? *git_tree_entry_id(entry) : (git_oid){ { 0 } };
	return 0;
}

/* raas.cfg was changed by others, too: the sections that were put in or taken out here go with
 * what they made of the rest. *done false: that cannot be; the reason is in `why`. */
static int
replay_sections(git_repository *git, git_tree *tree, const git_diff_delta *delta,
    struct replayed *out, bool *done, struct error *why, struct error *err)
{
	cleanup(buf_done) struct buf before = BUF_INIT, after = BUF_INIT, onto = BUF_INIT;
	git_oid now;

	if (blob_at(tree, RAAS_CFG, &now, err) == -1)
		return -1;
	if (repo_read_blob(git, &delta->old_file.id, FILE_MAX_BYTES, &before, err) == -1 ||
	    repo_read_blob(git, &delta->new_file.id, FILE_MAX_BYTES, &after, err) == -1 ||
	    repo_read_blob(git, &now, FILE_MAX_BYTES, &onto, err) == -1)
		return -1;
	*done = cfg_section_replay(&before, &after, &onto, why) == 0;
	if (*done)
		replayed_add(out, CONFIG_PUT, RAAS_CFG, &onto);
	return 0;
}

static bool
has_sections(const git_diff_delta *delta, const git_oid *theirs)
{
	return delta->status == GIT_DELTA_MODIFIED && !git_oid_is_zero(theirs) &&
	    strcmp(delta->new_file.path, RAAS_CFG) == 0;
}

static int
replay_file(git_repository *git, const struct config_replay *replay, const git_diff_delta *delta,
    struct replayed *out, struct repo_notes *dropped, struct error *err)
{
	cleanup(buf_done) struct buf data = BUF_INIT;
	struct error why = ERROR_INIT;
	bool done = false;
	bool removed = delta->status == GIT_DELTA_DELETED;
	const char *path = removed ? delta->old_file.path : delta->new_file.path;
	git_oid ours = removed ? (git_oid){ { 0 } } : delta->new_file.id;
	git_oid was, theirs;

	if (blob_at(replay->old_upstream, path, &was, err) == -1 ||
	    blob_at(replay->new_upstream, path, &theirs, err) == -1)
		return -1;
	if (!git_oid_equal(&was, &theirs) && !git_oid_equal(&ours, &theirs)) {
		if (has_sections(delta, &theirs) &&
		    replay_sections(git, replay->onto, delta, out, &done, &why, err) == -1)
			return -1;
		if (!done)
			repo_notes_add(dropped, "%s: changed by another too, theirs is kept%s%s", path,
			    why.text[0] != '\0' ? ": " : "", why.text);
		return 0;
	}
	if (!removed && repo_read_blob(git, &ours, FILE_MAX_BYTES, &data, err) == -1)
		return -1;
	replayed_add(out, removed ? CONFIG_REMOVE : CONFIG_PUT, path, &data);
	return 0;
}

int
config_edit_replay(git_repository *git, const struct config_replay *replay, git_oid *tree,
    struct repo_notes *dropped, struct error *err)
{
	cleanup(git_diff_free_p) git_diff *diff = NULL;
	cleanup(replayed_done) struct replayed found = { 0 };
	size_t i;
	int status;

	if (git_diff_tree_to_tree(&diff, git, replay->before, replay->after, NULL) != 0)
		return git_fail(err, ERROR_SYSTEM, "reading an own commit");
	for (i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *delta = git_diff_get_delta(diff, i);

		if (delta->status != GIT_DELTA_DELETED && is_log(delta->new_file.path))
			status = replay_log(git, delta, &found, err);
		else
			status = replay_file(git, replay, delta, &found, dropped, err);
		if (status == -1)
			return error_prefix(err, "%s", delta->new_file.path);
	}
	return config_edit_apply(git, replay->onto, found.changes, found.n, tree, dropped, err);
}
