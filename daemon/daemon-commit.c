#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/daemon.h"
#include "daemon/log.h"

/* Committing and pushing. */

static void
on_tidied(void *arg, const struct keeper_answer *a)
{
	(void)arg;
	if (a->error != NULL && a->error->kind != ERROR_CANCELLED)
		log_warning(NULL, "config repo: cannot pack: %s", a->error->text);
}

static void
finish_push_waiters(struct daemon *d, const struct error *err)
{
	struct push_waiter *w;

	while ((w = LIST_FIRST(&d->push_waiters)) != NULL) {
		LIST_REMOVE(w, entry);
		w->done(w, err);
	}
}

static void
on_pushed(void *arg, const struct keeper_answer *a)
{
	struct daemon *d = arg;
	bool refused;

	d->pushing = false;
	d->counters.pushes[a->error != NULL]++;
	if (d->stopping) {
		finish_push_waiters(d, a->error);
		return;
	}
	/* One that had nothing to push has asked nobody: only a pull ends what was refused. */
	refused = a->error != NULL && daemon_note_signatures(d, a->error);
	incident_set(&d->commits, a->error != NULL && !refused ? a->error->text : NULL);
	if (a->news != NULL && a->error == NULL)
		daemon_note_news(d, a->news);
	daemon_take_answer(d, a);
	finish_push_waiters(d, a->error);
	if (a->error == NULL) {
		d->push_failures = 0;
		d->last_push = time(NULL);
		keeper_tidy(d->keeper, on_tidied, d);
		return;
	}
	daemon_set_timer(d->push_timer, daemon_retry_ms(++d->push_failures));
}

/* A push that is under way, for all the loop knows, is behind every commit that the loop knows
 * of: the config thread does one after the other. */
void
daemon_push(struct daemon *d, struct push_waiter *waiter)
{
	LIST_INSERT_HEAD(&d->push_waiters, waiter, entry);
	daemon_on_push(-1, 0, d);
}

void
daemon_push_soon(struct daemon *d)
{
	if (d->push_failures == 0)
		daemon_set_timer(d->push_timer, 0);
}

void
daemon_on_push(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (d->pushing || d->stopping)
		return;
	d->pushing = true;
	keeper_push(d->keeper, on_pushed, d);
}

/* What one commit carries of each ISV, so that it can be ticked off afterwards. */
struct commit_part {
	char		*name;
	size_t		 n_lines;
	bool		 backups;
};

struct commit {
	struct daemon		*daemon;
	struct commit_part	*parts;
	size_t			 n_parts;
	struct config_change	*changes;
	size_t			 n_changes;
	char			**owned;	/* strings that the changes point into */
	size_t			 n_owned;
};

static char *
commit_own(struct commit *c, char *s)
{
	c->owned = xreallocarray(c->owned, c->n_owned + 1, sizeof(*c->owned));
	return c->owned[c->n_owned++] = s;
}

static void
commit_add(struct commit *c, enum config_change_kind kind, char *path, const void *data, size_t len)
{
	c->changes = xreallocarray(c->changes, c->n_changes + 1, sizeof(*c->changes));
	c->changes[c->n_changes++] = (struct config_change){ kind, commit_own(c, path), data, len };
}

/* Log lines go to the file of the day on which they were written: their first ten bytes. */
static void
commit_add_lines(struct commit *c, const struct isv_state *s)
{
	size_t i, start;

	for (i = 0; i < s->n_unlogged; i = start) {
		struct buf text = BUF_INIT;
		size_t len;

		for (start = i; start < s->n_unlogged &&
		    strncmp(s->unlogged[start], s->unlogged[i], 10) == 0; start++)
			buf_printf(&text, "%s\n", s->unlogged[start]);
		len = text.len;
		commit_add(c, CONFIG_APPEND, xasprintf("%s/logs/%.10s.log", s->name,
		    s->unlogged[i]), commit_own(c, buf_take(&text)), len);
	}
}

static void
commit_add_registry(struct commit *c, struct registry *r)
{
	struct commit_part part = { .n_lines = r->state->n_unlogged,
	    .backups = r->backups != NULL };
	size_t i;

	if (part.n_lines == 0 && !part.backups)
		return;
	part.name = xstrdup(r->state->name);
	c->parts = xreallocarray(c->parts, c->n_parts + 1, sizeof(*c->parts));
	c->parts[c->n_parts++] = part;
	for (i = 0; i < r->n_backups; i++)
		commit_add(c, r->backups[i].remove ? CONFIG_REMOVE : CONFIG_PUT,
		    xasprintf("%s/metadata/%s", r->state->name, r->backups[i].name),
		    r->backups[i].bytes.data, r->backups[i].bytes.len);
	commit_add_lines(c, r->state);
}

static void
commit_free(struct commit *c)
{
	size_t i;

	for (i = 0; i < c->n_parts; i++)
		free(c->parts[i].name);
	for (i = 0; i < c->n_owned; i++)
		free(c->owned[i]);
	free(c->parts);
	free(c->owned);
	free(c->changes);
	free(c);
}

/* Our own commit changed what is wanted of the ISV only in name: its run has made both sides
 * equal, so that run counts for the new tree too. */
static void
carry_over(struct daemon *d, struct registry *r)
{
	bool current = r->run_id != NULL && r->wanted_id != NULL &&
	    strcmp(r->run_id, r->wanted_id) == 0;

	if (r->isv == NULL)
		return;
	registry_set_wanted(r, d->config, daemon_tree_of(d, r->state->name),
	    d->mask_id);
	if (current) {
		free(r->run_id);
		r->run_id = xstrdup(r->wanted_id);
	}
}

static void
tick_off(struct daemon *d, const struct commit_part *part, const struct error *err)
{
	struct registry *r = daemon_registry(d, part->name);

	if (r == NULL)
		return;
	if (err == NULL)
		isv_state_drop_unlogged(r->state, part->n_lines);
	if (part->backups && r->backups != NULL)
		registry_backups_done(r, err);
	else if (err == NULL)
		registry_save(r, NULL, NULL);
}

/* What was logged while the commit was being made waits for another. */
static void
flush_rest(struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->n_registries && !d->flush_now; i++) {
		if (d->registries[i]->state->n_unlogged > 0) {
			daemon_flush(d, false);
			return;
		}
	}
	if (d->flush_now)
		daemon_flush(d, true);
}

static int64_t
commit_retry_ms(const struct daemon *d)
{
	int64_t retry_ms = daemon_retry_ms(1);

	return d->settings->commit_interval_ms > retry_ms ? d->settings->commit_interval_ms
	    : retry_ms;
}

static void
on_committed(void *arg, const struct keeper_answer *a)
{
	struct commit *c = arg;
	struct daemon *d = c->daemon;
	struct registry *r;
	size_t i;

	d->committing = false;
	if (a->news != NULL)
		daemon_note_news(d, a->news);
	if (a->error == NULL && a->snapshot != NULL && a->snapshot->config != NULL) {
		daemon_set_repo(d, &a->repo);
		repo_files_done(&d->trees);
		d->trees = a->snapshot->trees;
		a->snapshot->trees = (struct repo_files){ NULL, 0, { NULL, 0 } };
		for (i = 0; i < c->n_parts; i++)
			if (c->parts[i].backups &&
			    (r = daemon_registry(d, c->parts[i].name)) != NULL)
				carry_over(d, r);
	}
	if (a->error != NULL)
		incident_set(&d->commits, a->error->text);
	for (i = 0; i < c->n_parts; i++)
		tick_off(d, &c->parts[i], a->error);
	commit_free(c);
	if (a->error == NULL && a->repo.unpushed > 0 && !d->stopping)
		daemon_push_soon(d);
	if (d->stopping)
		return;
	if (a->error != NULL) {
		daemon_set_timer(d->commit_timer, commit_retry_ms(d));
	} else {
		flush_rest(d);
		daemon_forget_unmade(d);
	}
}

static void
commit_now(struct daemon *d)
{
	struct commit *c;
	cleanup(free_p) char *message = NULL;
	size_t i;

	evtimer_del(d->commit_timer);
	d->flush_now = false;
	if (!d->repo.has_tip || !d->settings->commit)
		return;
	c = xcalloc(1, sizeof(*c));
	c->daemon = d;
	for (i = 0; i < d->n_registries; i++)
		commit_add_registry(c, d->registries[i]);
	if (c->n_parts == 0) {
		commit_free(c);
		return;
	}
	d->committing = true;
	message = c->n_parts == 1 ? xasprintf("%s: log and metadata\n", c->parts[0].name)
	    : xasprintf("log and metadata of %zu ISVs\n", c->n_parts);
	keeper_commit(d->keeper, c->changes, c->n_changes, message, on_committed, c);
}

void
daemon_on_commit(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	/* What came while a commit was being made goes into the next. */
	if (d->committing)
		d->flush_now = true;
	else if (!d->stopping)
		commit_now(d);
}

void
daemon_flush(struct daemon *d, bool now)
{
	if (now) {
		d->flush_now = true;
		if (!d->committing)
			daemon_set_timer(d->commit_timer, 0);
		return;
	}
	if (!evtimer_pending(d->commit_timer, NULL))
		daemon_set_timer(d->commit_timer, d->settings->commit_interval_ms);
}

/* "isv1/metadata/app.json: …" gave way: what is in force is theirs, and what the app has of it
 * was never agreed on, so the next sync must look at both without a base. */
void
daemon_forget_bases(struct daemon *d, const struct repo_notes *dropped)
{
	size_t i;

	for (i = 0; i < dropped->n; i++) {
		cleanup(free_p) char *path = xstrdup(dropped->texts[i]);
		char *colon = strchr(path, ':'), *slash = strstr(path, "/metadata/");
		struct registry *r;

		if (colon == NULL || slash == NULL || slash > colon)
			continue;
		*colon = *slash = '\0';
		if ((r = daemon_registry(d, path)) == NULL)
			continue;
		isv_state_set_base(r->state, slash + strlen("/metadata/"), &(struct blob_id){ "" });
		registry_save(r, NULL, NULL);
	}
}
