#include "daemon/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/atomic-file.h"
#include "daemon/log.h"
#include "daemon/workers.h"

#define STATE_FILE_MAX (4u << 20)	/* bytes; 10,000 metadata files take 0.7 MiB */
#define STATE_DEPTH_MAX 8
#define UNLOGGED_MAX 1000		/* lines; older ones are dropped while no commit can be made */

struct isv_state *
isv_state_new(const char *name)
{
	struct isv_state *s = xcalloc(1, sizeof(*s));

	s->name = xstrdup(name);
	return s;
}

static void
free_strings(char **strings, size_t n)
{
	while (n > 0)
		free(strings[--n]);
	free(strings);
}

static void
drop_knowledge(struct isv_state *s)
{
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		free(s->resources[i].name);
		free(s->resources[i].detail);
	}
	for (i = 0; i < s->n_base; i++)
		free(s->base[i].name);
	free(s->base);
	free_strings(s->images, s->n_images);
	free(s->synced_id);
	free(s->fqdn);
	free(s->url);
	free(s->error);
	free(s->access_bucket);
	free(s->pause.by);
	free(s->pause.reason);
}

void
isv_state_free(struct isv_state *s)
{
	if (s == NULL)
		return;
	drop_knowledge(s);
	free_strings(s->unlogged, s->n_unlogged);
	free(s->name);
	free(s);
}

void
isv_state_forget(struct isv_state *s)
{
	drop_knowledge(s);
	*s = (struct isv_state){ .name = s->name, .unlogged = s->unlogged,
	    .n_unlogged = s->n_unlogged };
}

/* The place of `file` in base, or where it would stand. */
static size_t
base_index(const struct isv_state *s, const char *file, bool *found)
{
	size_t low = 0, high = s->n_base, middle;
	int order;

	*found = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(s->base[middle].name, file);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct blob_id
isv_state_base(const struct isv_state *s, const char *file)
{
	bool found;
	size_t i = base_index(s, file, &found);

	return found ? s->base[i].content : (struct blob_id){ "" };
}

void
isv_state_set_base(struct isv_state *s, const char *file, const struct blob_id *content)
{
	bool found, wanted = !blob_id_none(content);
	size_t i = base_index(s, file, &found);

	if (found && wanted) {
		s->base[i].content = *content;
	} else if (found) {
		free(s->base[i].name);
		memmove(&s->base[i], &s->base[i + 1], (--s->n_base - i) * sizeof(*s->base));
	} else if (wanted) {
		s->base = xreallocarray(s->base, s->n_base + 1, sizeof(*s->base));
		memmove(&s->base[i + 1], &s->base[i], (s->n_base++ - i) * sizeof(*s->base));
		s->base[i] = (struct base_file){ xstrdup(file), *content };
	}
}

void
isv_state_drop_unlogged(struct isv_state *s, size_t n)
{
	size_t i;

	if (n > s->n_unlogged)
		n = s->n_unlogged;
	for (i = 0; i < n; i++)
		free(s->unlogged[i]);
	s->n_unlogged -= n;
	memmove(s->unlogged, s->unlogged + n, s->n_unlogged * sizeof(*s->unlogged));
}

void
isv_state_add_unlogged(struct isv_state *s, const char *line)
{
	if (s->n_unlogged == UNLOGGED_MAX)
		isv_state_drop_unlogged(s, 1);
	s->unlogged = xreallocarray(s->unlogged, s->n_unlogged + 1, sizeof(*s->unlogged));
	s->unlogged[s->n_unlogged++] = xstrdup(line);
}

/* To and from JSON. Enumerations are stored as the names that people see. */

static json_t *
strings_to_json(char *const *strings, size_t n)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(array, json_text(strings[i]));
	return array;
}

static void
set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_text(value));
}

/* {"bucket": ["missing", "isv1.bucket", "why", true]}: state, name, detail, conflict; what has
 * nothing to say is left off. Ten thousand of these are read at start. */
static json_t *
resources_to_json(const struct isv_state *s)
{
	json_t *object = json_object(), *item;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		const struct resource *r = &s->resources[i];

		if (r->name == NULL)
			continue;
		item = json_array();
		json_array_append_new(item, json_text(resource_state_name(r->state)));
		json_array_append_new(item, json_text(r->name));
		if (r->detail != NULL || r->conflict)
			json_array_append_new(item, json_text(r->detail));
		if (r->conflict)
			json_array_append_new(item, json_true());
		json_object_set_new(object, resource_kind_name(r->kind), item);
	}
	return object;
}

static json_t *
pause_to_json(const struct pause *pause)
{
	json_t *object = json_object();

	set_text(object, "by", pause->by);
	set_text(object, "reason", pause->reason);
	json_object_set_new(object, "since", json_integer(pause->since));
	json_object_set_new(object, "until", json_integer(pause->until));
	return object;
}

json_t *
isv_state_to_json(const struct isv_state *s)
{
	json_t *object = json_object(), *base = json_object();
	size_t i;

	set_text(object, "synced_id", s->synced_id);
	json_object_set_new(object, "resources", resources_to_json(s));
	for (i = 0; i < s->n_base; i++)
		set_text(base, s->base[i].name, s->base[i].content.hex);
	json_object_set_new(object, "base", base);
	json_object_set_new(object, "images", strings_to_json(s->images, s->n_images));
	set_text(object, "fqdn", s->fqdn);
	set_text(object, "url", s->url);
	if (s->error != NULL) {
		set_text(object, "error", s->error);
		set_text(object, "error_kind", error_kind_name(s->error_kind));
	}
	json_object_set_new(object, "last_sync", json_integer(s->last_sync));
	json_object_set_new(object, "health_failures", json_integer(s->health_failures));
	json_object_set_new(object, "no_list", json_boolean(s->health_memory.no_list));
	json_object_set_new(object, "v2_list", json_boolean(s->health_memory.v2));
	if (s->access_bucket != NULL) {
		set_text(object, "access", access_method_name(s->access));
		set_text(object, "access_bucket", s->access_bucket);
	}
	if (s->pause.on)
		json_object_set_new(object, "pause", pause_to_json(&s->pause));
	if (s->n_unlogged > 0)
		json_object_set_new(object, "unlogged",
		    strings_to_json(s->unlogged, s->n_unlogged));
	return object;
}

static size_t
strings_from_json(const json_t *array, char ***out)
{
	size_t i, n = 0;
	json_t *item;

	*out = xcalloc(json_array_size(array), sizeof(**out));
	json_array_foreach(array, i, item)
		if (json_is_string(item))
			(*out)[n++] = xstrdup(json_string_value(item));
	return n;
}

static enum resource_state
state_from_name(const char *name)
{
	int state;

	for (state = STATE_UNKNOWN; name != NULL && state < STATE_FAILED; state++)
		if (strcmp(resource_state_name((enum resource_state)state), name) == 0)
			break;
	return (enum resource_state)state;
}

static void
resources_from_json(struct isv_state *s, const json_t *object)
{
	const char *name;
	json_t *item;
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++) {
		item = json_object_get(object, resource_kind_name((enum resource_kind)i));
		name = json_string_value(json_array_get(item, 1));
		if (name == NULL)
			continue;
		s->resources[i] = (struct resource){ .kind = (enum resource_kind)i,
		    .state = state_from_name(json_string_value(json_array_get(item, 0))),
		    .name = xstrdup(name),
		    .detail = xstrdup(json_string_value(json_array_get(item, 2))),
		    .conflict = json_is_true(json_array_get(item, 3)) };
	}
}

static int
base_from_json(struct isv_state *s, json_t *base, struct error *err)
{
	const char *name, *hex;
	struct blob_id id;
	json_t *value;

	json_object_foreach(base, name, value) {
		hex = json_string_value(value);
		if (hex == NULL || strlen(hex) != sizeof(id.hex) - 1)
			return error_set(err, ERROR_INPUT, "base of '%s' is not a blob id", name);
		memcpy(id.hex, hex, sizeof(id.hex));
		isv_state_set_base(s, name, &id);
	}
	return 0;
}

static enum error_kind
error_kind_from_name(const char *name)
{
	int kind;

	for (kind = ERROR_INPUT; kind < ERROR_INTERNAL; kind++)
		if (strcmp(error_kind_name((enum error_kind)kind), name) == 0)
			break;
	return (enum error_kind)kind;
}

static void
pause_from_json(struct pause *pause, const json_t *object)
{
	if (!json_is_object(object))
		return;
	pause->on = true;
	pause->by = xstrdup(json_string_or(object, "by", "?"));
	pause->reason = xstrdup(json_string_or(object, "reason", ""));
	pause->since = (time_t)json_int_or(object, "since", 0);
	pause->until = (time_t)json_int_or(object, "until", 0);
}

struct isv_state *
isv_state_from_json(const char *name, const json_t *object, struct error *err)
{
	struct isv_state *s;

	if (!json_is_object(object)) {
		error_set(err, ERROR_INPUT, "not an object");
		return NULL;
	}
	s = isv_state_new(name);
	s->synced_id = xstrdup(json_string_or(object, "synced_id", NULL));
	resources_from_json(s, json_object_get(object, "resources"));
	s->n_images = strings_from_json(json_object_get(object, "images"), &s->images);
	s->fqdn = xstrdup(json_string_or(object, "fqdn", NULL));
	s->url = xstrdup(json_string_or(object, "url", NULL));
	s->error = xstrdup(json_string_or(object, "error", NULL));
	if (s->error != NULL)
		s->error_kind = error_kind_from_name(json_string_or(object, "error_kind", ""));
	s->last_sync = (time_t)json_int_or(object, "last_sync", 0);
	s->health_failures = (unsigned int)json_int_or(object, "health_failures", 0);
	s->access = access_method_of(json_string_or(object, "access", ""));
	s->access_bucket = xstrdup(json_string_or(object, "access_bucket", NULL));
	s->health_memory.no_list = json_bool_or(object, "no_list", false);
	s->health_memory.v2 = json_bool_or(object, "v2_list", false);
	pause_from_json(&s->pause, json_object_get(object, "pause"));
	s->n_unlogged = strings_from_json(json_object_get(object, "unlogged"), &s->unlogged);
	if (base_from_json(s, json_object_get(object, "base"), err) == -1) {
		isv_state_free(s);
		return NULL;
	}
	return s;
}

/* The store. */

struct state_store {
	int		 lock_fd;
	int		 dir_fd;		/* of isvs/ */
	struct workers	*writer;		/* one thread: writes stay in order */
};

struct write_job {
	struct job	 job;
	int		 dir_fd;
	char		*file;
	char		*text;			/* NULL: remove the file */
	struct error	 error;
	bool		 failed;
	void		(*done)(void *, const struct error *);
	void		*arg;
};

static void
write_run(struct job *job, void *tools)
{
	struct write_job *w = (struct write_job *)job;

	(void)tools;
	if (w->text != NULL)
		w->failed = atomic_file_write(w->dir_fd, w->file, w->text, strlen(w->text), 0600,
		    &w->error) == -1;
	else if (unlinkat(w->dir_fd, w->file, 0) == 0)
		fsync(w->dir_fd);
}

static void
write_done(struct job *job)
{
	struct write_job *w = (struct write_job *)job;

	if (!job->ran)
		write_run(job, NULL);
	if (w->failed && w->done == NULL)
		log_error(NULL, "cannot save the state: %s", w->error.text);
	if (w->done != NULL)
		w->done(w->arg, w->failed ? &w->error : NULL);
	free(w->file);
	free(w->text);
	free(w);
}

static void
submit_write(struct state_store *store, const char *name, char *text,
    void (*done)(void *, const struct error *), void *arg)
{
	struct write_job *w = xcalloc(1, sizeof(*w));

	w->job.run = write_run;
	w->job.done = write_done;
	w->job.timeout_ms = 60000;
	w->job.name = "saving the state";
	w->dir_fd = store->dir_fd;
	w->file = xasprintf("%s.json", name);
	w->text = text;
	w->done = done;
	w->arg = arg;
	workers_submit(store->writer, &w->job);
}

void
state_store_write(struct state_store *store, const struct isv_state *s,
    void (*done)(void *, const struct error *), void *arg)
{
	cleanup(json_unref) json_t *object = isv_state_to_json(s);
	char *text = json_dumps(object, JSON_COMPACT);

	if (text == NULL)
		abort();
	submit_write(store, s->name, text, done, arg);
}

void
state_store_remove(struct state_store *store, const char *name)
{
	submit_write(store, name, NULL, NULL, NULL);
}

const struct job *
state_store_overdue(const struct state_store *store, int64_t *by_ms)
{
	return workers_overdue(store->writer, by_ms);
}

/* Makes a directory and those above it. */
static int
make_dirs(const char *path, struct error *err)
{
	cleanup(free_p) char *copy = xstrdup(path);
	char *slash = copy;

	while (slash != NULL) {
		if ((slash = strchr(slash + 1, '/')) != NULL)
			*slash = '\0';
		if (mkdir(copy, 0700) == -1 && errno != EEXIST)
			return error_errno(err, "cannot make directory '%s'", copy);
		if (slash != NULL)
			*slash = '/';
	}
	return 0;
}

static int
lock_dir(const char *state_dir, struct error *err)
{
	cleanup(free_p) char *path = xasprintf("%s/lock", state_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		return error_errno(err, "cannot open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		close(fd);
		if (errno != EWOULDBLOCK)
			return error_errno(err, "cannot lock '%s'", path);
		return error_set(err, ERROR_CONFLICT, "another raasd works on '%s'; stop it, or "
		    "give this one a state_dir of its own", state_dir);
	}
	return fd;
}

struct state_store *
state_store_open(struct event_base *base, const char *state_dir, struct error *err)
{
	cleanup(free_p) char *isvs = xasprintf("%s/isvs", state_dir);
	cleanup(close_p) int lock_fd = -1;
	struct state_store *store;
	int dir_fd;

	if (make_dirs(isvs, err) == -1 || (lock_fd = lock_dir(state_dir, err)) == -1)
		return NULL;
	if ((dir_fd = open(isvs, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		error_errno(err, "cannot open '%s'", isvs);
		return NULL;
	}
	store = xcalloc(1, sizeof(*store));
	store->lock_fd = lock_fd;
	lock_fd = -1;
	store->dir_fd = dir_fd;
	store->writer = workers_new(base, &(struct workers_options){ .name = "state",
	    .threads = 1, .stack_size = 256 * 1024 });
	return store;
}

void
state_store_close(struct state_store *store)
{
	if (store == NULL)
		return;
	workers_free(store->writer);
	close(store->dir_fd);
	close(store->lock_fd);
	free(store);
}

static struct isv_state *
load_one(struct state_store *store, const char *name, const char *file, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(json_unref) json_t *object = NULL;

	if (atomic_file_read(store->dir_fd, file, STATE_FILE_MAX, &text, err) == -1 ||
	    (object = json_read(buf_str(&text), text.len, STATE_DEPTH_MAX, err)) == NULL)
		return NULL;
	return isv_state_from_json(name, object, err);
}

static void
put_aside(struct state_store *store, const char *file, const struct error *err)
{
	cleanup(free_p) char *bad = xasprintf("%s.bad", file);

	log_warning(NULL, "state file '%s' is unusable and kept as '%s', the next sync makes a new "
	    "one: %s", file, bad, err->text);
	renameat(store->dir_fd, file, store->dir_fd, bad);
}

int
state_store_load(struct state_store *store, void (*fn)(void *, struct isv_state *), void *arg,
    struct error *err)
{
	int fd = openat(store->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return error_errno(err, "cannot read the state directory");
	while ((entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		cleanup(free_p) char *name = NULL;
		struct isv_state *s;

		if (entry->d_name[0] == '.' || len < 6 ||
		    strcmp(entry->d_name + len - 5, ".json") != 0)
			continue;
		name = xstrndup(entry->d_name, len - 5);
		if ((s = load_one(store, name, entry->d_name, err)) != NULL)
			fn(arg, s);
		else
			put_aside(store, entry->d_name, err);
	}
	closedir(dir);
	return 0;
}
