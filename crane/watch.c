#include "crane/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

#include "common/alloc.h"
#include "crane/tree.h"

#define QUIET_MS 100		/* without a change, before fn is called */
#define QUIET_MAX_MS 2000	/* after the first change, however many follow */
#define LOOK_S 60

#define NAMES_CHANGE (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | \
	IN_MOVE_SELF | IN_ONLYDIR)
#define FILES_CHANGE (NAMES_CHANGE | IN_CLOSE_WRITE | IN_ATTRIB)

/* A directory along the path, and the name in it that leads on. */
struct above {
	int	 wd;
	char	*name;
};

struct watch {
	struct event_base	*base;
	char			*dir;		/* absolute, not resolved */
	void			(*fn)(void *);
	void			*arg;
	int			 fd;
	struct event		*readable;
	struct event		*quiet;
	struct event		*look;
	struct above		*above;
	size_t			 n_above;
	bool			 blind;		/* inotify does not see all of it */
	bool			 changed;
	int64_t			 first_ms;	/* of the changes that are waited for */
	struct stat		 seen;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void
disarm(struct watch *w)
{
	if (w->readable != NULL)
		event_free(w->readable);
	w->readable = NULL;
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
	while (w->n_above > 0)
		free(w->above[--w->n_above].name);
	free(w->above);
	w->above = NULL;
}

/* A folder that is not there is none: the one above tells when it comes. */
static int
add(struct watch *w, const char *path, uint32_t mask)
{
	int wd = inotify_add_watch(w->fd, path, mask);

	if (wd == -1 && errno != ENOENT && errno != ENOTDIR)
		w->blind = true;
	return wd;
}

static void
watch_above(struct watch *w)
{
	cleanup(free_p) char *parent = xstrdup(w->dir);
	const char *name;
	size_t at, len;
	int wd;

	for (at = 0; w->dir[at] == '/'; at += 1 + len) {
		name = w->dir + at + 1;
		len = strcspn(name, "/");
		memcpy(parent, w->dir, at + 1);
		parent[at + 1] = '\0';		/* with its slash: a link's target is meant */
		if (len == 0 || (wd = add(w, parent, NAMES_CHANGE)) == -1)
			continue;
		w->above = xreallocarray(w->above, w->n_above + 1, sizeof(*w->above));
		w->above[w->n_above++] = (struct above){ wd, xstrndup(name, len) };
	}
}

static void
watch_folders(struct watch *w)
{
	cleanup(close_p) int dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(tree_done) struct tree tree = TREE_INIT;
	size_t i;

	/* What cannot be listed is refused when it is read, and looked at again in a minute. */
	if (dir == -1 || tree_read(dir, &tree, NULL) == -1) {
		w->blind = true;
		return;
	}
	for (i = 0; i < tree.n_folders; i++) {
		cleanup(free_p) char *path = xasprintf("%s/%s", w->dir, tree.folders[i]);

		add(w, path, FILES_CHANGE);
	}
}

static bool
matters(const struct watch *w, const struct inotify_event *event)
{
	size_t i;

	if (event->mask & IN_IGNORED)
		return false;
	for (i = 0; i < w->n_above; i++)
		if (w->above[i].wd == event->wd)
			return event->len == 0 || strcmp(event->name, w->above[i].name) == 0;
	return true;
}

static void
wait_for_quiet(struct watch *w)
{
	int64_t left = QUIET_MS;
	struct timeval delay;

	if (!w->changed) {
		w->changed = true;
		w->first_ms = now_ms();
	}
	if (w->first_ms + QUIET_MAX_MS - now_ms() < left)
		left = w->first_ms + QUIET_MAX_MS - now_ms();
	delay = (struct timeval){ 0, left > 0 ? left * 1000 : 0 };
	event_add(w->quiet, &delay);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char data[8192];
	const struct inotify_event *event;
	struct watch *w = arg;
	bool any = false;
	ssize_t n, at;

	(void)what;
	while ((n = read(fd, data, sizeof(data))) > 0) {
		for (at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(data + at);
			any = any || matters(w, event);
		}
	}
	if (any)
		wait_for_quiet(w);
}

static void
arm(struct watch *w)
{
	disarm(w);
	w->blind = false;
	if (stat(w->dir, &w->seen) == -1)
		w->seen = (struct stat){ 0 };
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd == -1) {
		w->blind = true;
		return;
	}
	watch_above(w);
	watch_folders(w);
	w->readable = event_new(w->base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	if (w->readable == NULL || event_add(w->readable, NULL) == -1)
		w->blind = true;
}

static void
on_quiet(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	w->changed = false;
	arm(w);		/* before it is read: what changes meanwhile is noticed */
	w->fn(w->arg);
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	struct stat now;

	(void)fd;
	(void)what;
	if (stat(w->dir, &now) == -1)
		now = (struct stat){ 0 };
	if (w->blind || !same(&now, &w->seen))
		wait_for_quiet(w);
}

static char *
absolute(const char *dir, struct error *err)
{
	char here[PATH_MAX];

	if (dir[0] == '/')
		return xstrdup(dir);
	if (getcwd(here, sizeof(here)) == NULL) {
		error_errno(err, "cannot tell the current directory");
		return NULL;
	}
	return xasprintf("%s/%s", here, dir);
}

struct watch *
watch_new(struct event_base *base, const char *dir, void (*fn)(void *), void *arg,
    struct error *err)
{
	cleanup(watch_free_p) struct watch *w = xcalloc(1, sizeof(*w));
	struct timeval minute = { LOOK_S, 0 };

	w->fd = -1;
	w->base = base;
	w->fn = fn;
	w->arg = arg;
	if ((w->dir = absolute(dir, err)) == NULL)
		return NULL;
	w->quiet = event_new(base, -1, 0, on_quiet, w);
	w->look = event_new(base, -1, EV_PERSIST, on_look, w);
	if (w->quiet == NULL || w->look == NULL || event_add(w->look, &minute) == -1) {
		error_set(err, ERROR_SYSTEM, "cannot make a timer");
		return NULL;
	}
	arm(w);
	return steal(w);
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	disarm(w);
	if (w->quiet != NULL)
		event_free(w->quiet);
	if (w->look != NULL)
		event_free(w->look);
	free(w->dir);
	free(w);
}
