#include "daemon/troubles.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/deadline.h"
#include "daemon/log.h"
#include "daemon/registry.h"

/* So long a trouble is held back: others of the same cause follow, or it is repaired by then. */
#define HOLD_MS 2000
#define NAMES_MAX 5		/* of ISVs in one line */

struct group {
	struct incident	*incident;
	struct incident	 own;		/* unless the daemon has one for this cause */
	bool		 account_down;	/* it is the account's, however many fail */
	size_t		 n;		/* ISVs in trouble */
};

struct troubles {
	struct group	 groups[N_CAUSES];
	struct event	*timer;
	void		(*flush)(void *);
	void		*arg;
};

static const struct {
	const char	*name;
	enum event_id	 event;		/* of one ISV */
} causes[N_CAUSES] = {
	[CAUSE_OPENSHIFT] = { "openshift", EVENT_ISV_FAILED },
	[CAUSE_S3] = { "s3", EVENT_ISV_FAILED },
	[CAUSE_APP_REPOS] = { "app repos", EVENT_ISV_FAILED },
	[CAUSE_REGISTRIES] = { "registries", EVENT_ISV_FAILED },
	[CAUSE_DRIFT] = { "drift", EVENT_ISV_FAILED },
	[CAUSE_CONFLICT] = { "conflicts", EVENT_CONFLICT },
	[CAUSE_OTHER] = { "syncs", EVENT_ISV_FAILED },
};

static const enum cause cause_of_kind[N_RESOURCE_KINDS] = {
	[RESOURCE_DOMAIN] = CAUSE_OPENSHIFT, [RESOURCE_APP] = CAUSE_OPENSHIFT,
	[RESOURCE_BUCKET] = CAUSE_S3, [RESOURCE_ACCESS] = CAUSE_S3, [RESOURCE_LAYERS] = CAUSE_S3,
	[RESOURCE_REDHAT_METADATA] = CAUSE_APP_REPOS, [RESOURCE_METADATA] = CAUSE_APP_REPOS,
	[RESOURCE_HEALTH] = CAUSE_REGISTRIES,
};

/* N_CAUSES: the resource is in order, or nothing is known. What could not be looked at counts while
 * the ISV has an error, for it is what that is about; Red Hat's metadata being away is none. */
static enum cause
cause_of(const struct isv_state *s, size_t i)
{
	const struct resource *r = &s->resources[i];

	if (r->name == NULL)
		return N_CAUSES;
	if (r->conflict)
		return CAUSE_CONFLICT;
	if (r->state == STATE_FAILED || (r->state == STATE_UNKNOWN && s->error != NULL &&
	    r->detail != NULL && i != RESOURCE_REDHAT_METADATA))
		return cause_of_kind[i];
	return r->state == STATE_DRIFT || r->state == STATE_MISSING ? CAUSE_DRIFT : N_CAUSES;
}

/* The resource for whose sake the ISV is in trouble, of that cause; NULL: there is none. */
static const struct resource *
culprit(const struct isv_state *s, enum cause cause)
{
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++)
		if (cause_of(s, i) == cause)
			return &s->resources[i];
	return NULL;
}

/* An error that no resource stands for. */
static bool
other_trouble(const struct isv_state *s)
{
	size_t i;

	for (i = 0; i < N_RESOURCE_KINDS; i++)
		if (cause_of(s, i) != N_CAUSES)
			return false;
	return s->error != NULL;
}

static bool
in_trouble(const struct registry *r, enum cause cause)
{
	/* What was just deployed needs a moment, and is looked at again. */
	if (cause == CAUSE_REGISTRIES && r->recheck)
		return false;
	return cause == CAUSE_OTHER ? other_trouble(r->state) : culprit(r->state, cause) != NULL;
}

static char *
describe(const struct isv_state *s, enum cause cause)
{
	const struct resource *r = culprit(s, cause);

	if (r == NULL || r->state == STATE_UNKNOWN)
		return xstrdup(s->error != NULL ? s->error : "not in order");
	return xasprintf("%s: %s%s%s", resource_kind_name(r->kind),
	    r->conflict ? "conflict" : resource_state_name(r->state), r->detail != NULL ? ": " : "",
	    r->detail != NULL ? r->detail : "");
}

/* An incident tells of it, so that single ISVs are no news. */
static bool
is_incident(const struct group *g)
{
	return g->incident->text != NULL;
}

static bool
is_over(const struct group *g)
{
	return is_incident(g) && !g->account_down && g->n <= TROUBLES_ALONE;
}

static void
say_failed(const struct registry *r, enum cause cause)
{
	struct log_about about = { .isv = r->state->name, .resource = causes[cause].name,
	    .job = "sync", .message_id = event_table[causes[cause].event].id };
	cleanup(free_p) char *text = describe(r->state, cause);

	log_warning(&about, "%s", text);
}

static void
say_recovered(const struct registry *r, enum cause cause)
{
	struct log_about about = { .isv = r->state->name, .resource = causes[cause].name,
	    .job = "sync", .message_id = event_table[EVENT_ISV_RECOVERED].id };

	log_info(&about, "%s: in order again", causes[cause].name);
}

static void
arm(struct troubles *t)
{
	const struct timeval hold = { HOLD_MS / 1000, 0 };

	if (!evtimer_pending(t->timer, NULL))
		evtimer_add(t->timer, &hold);
}

/* Few are left, or none: those are named when all are looked at anyway. */
static void
leave(struct troubles *t, struct registry *r, enum cause cause)
{
	struct group *g = &t->groups[cause];

	if (r->troubles[cause] == TROUBLE_TOLD)
		say_recovered(r, cause);
	r->troubles[cause] = TROUBLE_NONE;
	g->n--;
	if (is_over(g))
		arm(t);
}

void
troubles_note(struct troubles *t, struct registry *r, int64_t started_ms, bool deep)
{
	enum cause cause;

	for (cause = 0; cause < N_CAUSES; cause++) {
		struct group *g = &t->groups[cause];
		bool is = in_trouble(r, cause);
		bool explained = is_incident(g) || started_ms <= g->incident->ended_ms;

		if (!is && r->troubles[cause] != TROUBLE_NONE) {
			leave(t, r, cause);
		} else if (is && r->troubles[cause] == TROUBLE_NONE) {
			r->troubles[cause] = explained ? TROUBLE_SILENT : TROUBLE_NEW;
			g->n++;
			arm(t);
		} else if (is && r->troubles[cause] == TROUBLE_SILENT && !explained && deep) {
			/* The incident is over, and did not explain this one. */
			r->troubles[cause] = TROUBLE_NEW;
			arm(t);
		}
	}
}

void
troubles_forget(struct troubles *t, struct registry *r)
{
	enum cause cause;

	for (cause = 0; cause < N_CAUSES; cause++) {
		if (r->troubles[cause] == TROUBLE_TOLD)
			r->troubles[cause] = TROUBLE_SILENT;
		if (r->troubles[cause] != TROUBLE_NONE)
			leave(t, r, cause);
	}
}

/* Saying. */

static void
add_name(struct buf *names, size_t n, const char *name)
{
	if (n < NAMES_MAX)
		buf_printf(names, "%s'%s'", n > 0 ? ", " : "", name);
	else if (n == NAMES_MAX)
		buf_add_str(names, " …");
}

/* The text is of the newest; the ISVs are a few of those that are new. */
static void
begin_crowd(struct group *g, enum cause cause, struct registry *const *all, size_t n)
{
	cleanup(buf_done) struct buf names = BUF_INIT;
	cleanup(free_p) char *what = NULL, *text = NULL;
	size_t i, n_new = 0;

	for (i = 0; i < n; i++) {
		if (all[i]->troubles[cause] != TROUBLE_NEW)
			continue;
		if (what == NULL)
			what = describe(all[i]->state, cause);
		add_name(&names, n_new++, all[i]->state->name);
	}
	text = xasprintf("%zu ISVs (%s): %s", g->n, buf_str(&names), what != NULL ? what : "");
	incident_set_isvs(g->incident, text, g->n);
}

static void
end_crowd(struct group *g, enum cause cause, struct registry *const *all, size_t n)
{
	cleanup(buf_done) struct buf rest = BUF_INIT;
	size_t i, n_rest = 0;

	for (i = 0; i < n && g->n > 0; i++) {
		if (all[i]->troubles[cause] != TROUBLE_SILENT && all[i]->troubles[cause] != TROUBLE_NEW)
			continue;
		if (n_rest == 0)
			buf_add_str(&rest, ", but not: ");
		add_name(&rest, n_rest++, all[i]->state->name);
		/* Now it is one of few, and its end will be said. */
		all[i]->troubles[cause] = TROUBLE_TOLD;
	}
	incident_end(g->incident, buf_str(&rest));
}

/* Those who fail for what no incident has explained. */
static size_t
unexplained(enum cause cause, struct registry *const *all, size_t n, bool *news)
{
	size_t i, count = 0;

	for (i = 0, *news = false; i < n; i++) {
		*news |= all[i]->troubles[cause] == TROUBLE_NEW;
		count += all[i]->troubles[cause] == TROUBLE_NEW ||
		    all[i]->troubles[cause] == TROUBLE_TOLD;
	}
	return count;
}

static void
flush_group(struct group *g, enum cause cause, struct registry *const *all, size_t n)
{
	bool silent, news;
	size_t i;

	if (is_over(g)) {
		end_crowd(g, cause, all, n);
		return;
	}
	if (!is_incident(g) && unexplained(cause, all, n, &news) > TROUBLES_ALONE && news)
		begin_crowd(g, cause, all, n);
	if (is_incident(g) && g->n > g->incident->isvs)
		g->incident->isvs = g->n;
	silent = is_incident(g);
	for (i = 0; i < n; i++) {
		if (all[i]->troubles[cause] != TROUBLE_NEW)
			continue;
		if (!silent)
			say_failed(all[i], cause);
		all[i]->troubles[cause] = silent ? TROUBLE_SILENT : TROUBLE_TOLD;
	}
}

void
troubles_flush(struct troubles *t, struct registry *const *all, size_t n)
{
	enum cause cause;

	for (cause = 0; cause < N_CAUSES; cause++)
		if (t->groups[cause].n > 0 || is_incident(&t->groups[cause]))
			flush_group(&t->groups[cause], cause, all, n);
}

bool
troubles_account(struct troubles *t, enum cause cause, const char *text, size_t isvs)
{
	struct group *g = &t->groups[cause];
	bool back = g->account_down && text == NULL;

	if (text != NULL)
		incident_set_isvs(g->incident, text, isvs);
	else if (back)
		incident_end(g->incident, "");
	g->account_down = text != NULL;
	return back;
}

struct incident *
troubles_incident(struct troubles *t, enum cause cause)
{
	return t->groups[cause].incident;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct troubles *t = arg;

	(void)fd;
	(void)what;
	t->flush(t->arg);
}

struct troubles *
troubles_new(struct event_base *base, struct incident *openshift, struct incident *s3,
    void (*flush)(void *), void *arg)
{
	struct troubles *t = xcalloc(1, sizeof(*t));
	enum cause cause;

	t->flush = flush;
	t->arg = arg;
	t->timer = evtimer_new(base, on_timer, t);
	for (cause = 0; cause < N_CAUSES; cause++) {
		t->groups[cause].own.what = causes[cause].name;
		t->groups[cause].incident = &t->groups[cause].own;
	}
	t->groups[CAUSE_OPENSHIFT].incident = openshift;
	t->groups[CAUSE_S3].incident = s3;
	return t;
}

void
troubles_free(struct troubles *t)
{
	enum cause cause;

	if (t == NULL)
		return;
	for (cause = 0; cause < N_CAUSES; cause++)
		incident_done(&t->groups[cause].own);
	event_free(t->timer);
	free(t);
}
