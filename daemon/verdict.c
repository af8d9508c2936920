#include "daemon/verdict.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/limits.h"

/* The text is one line, of which pagers show the beginning. */
#define TEXT_MAX 1000

/* What is judged, under the name of the parameter that has its limits; methods.c's help tells
 * these defaults. */
enum measure { PULL, PUSH, SYNC, FAILED, INCIDENT, STUCK };

static const struct {
	const char	*param;
	const char	*perfdata;
	const char	*unit;
	const char	*fallback;
} measures[] = {
	[PULL] = { "pull", "pull_age", "s", "10m,1h" },
	[PUSH] = { "push", "unpushed_age", "s", "15m,2h" },
	[SYNC] = { "sync", "sync_age", "s", "3h,1d" },
	[FAILED] = { "failed", "isvs_failed", "", "1,5" },
	[INCIDENT] = { "incident", "incident_age", "s", "1m,15m" },
	[STUCK] = { "stuck", "stuck", "s", "1s,1m" },
};

const char *
verdict_level_name(enum verdict_level level)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	return names[level];
}

bool
verdict_counts(enum phase phase)
{
	return phase == PHASE_FAILED || phase == PHASE_CONFLICT || phase == PHASE_INVALID;
}

static void
complain(struct verdict *v, enum verdict_level level, const char *text)
{
	if (level > v->level)
		v->level = level;
	buf_printf(&v->text, "%s%s", v->text.len > 0 ? "; " : "", text);
}

static void
add_perfdata(struct verdict *v, const char *name, int64_t value, const char *unit)
{
	buf_printf(&v->perfdata, "%s%s=%lld%s", v->perfdata.len > 0 ? " " : "", name,
	    (long long)value, unit);
}

/* True: it is at its limit, and the level has been raised. */
static enum verdict_level
measure(struct verdict *v, enum measure m, const json_t *params, int64_t value)
{
	struct limits l = { 0, 0 };

	if (!limits_parse(json_string_or(params, measures[m].param, measures[m].fallback), &l))
		limits_parse(measures[m].fallback, &l);
	add_perfdata(v, measures[m].perfdata, value, measures[m].unit);
	buf_printf(&v->perfdata, ";%lld;%lld;0", (long long)l.warning, (long long)l.critical);
	return value >= l.critical ? VERDICT_CRITICAL : value >= l.warning ? VERDICT_WARNING
	    : VERDICT_OK;
}

static void
judge(struct verdict *v, enum measure m, const json_t *params, int64_t value, const char *text)
{
	enum verdict_level level = measure(v, m, params, value);

	if (level != VERDICT_OK)
		complain(v, level, text);
}

static void
judge_failed(struct verdict *v, const struct overview *o, const json_t *params, const char *names)
{
	size_t failed = 0, i;
	cleanup(free_p) char *text = NULL;

	for (i = 0; i < N_PHASES; i++)
		failed += verdict_counts((enum phase)i) ? o->phases[i] : 0;
	text = xasprintf("%zu of %zu ISVs failed%s%s%s", failed, o->isvs, names[0] != '\0' ? " (" : "",
	    names, names[0] != '\0' ? ")" : "");
	judge(v, FAILED, params, (int64_t)failed, text);
	buf_printf(&v->perfdata, ";%zu", o->isvs);
	for (i = 0; i < N_PHASES; i++)
		add_perfdata(v, phase_name((enum phase)i), (int64_t)o->phases[i], "");
}

/* The oldest speaks for all, but each is named. */
static void
judge_incidents(struct verdict *v, const struct overview *o, const json_t *params)
{
	cleanup(buf_done) struct buf names = BUF_INIT;
	cleanup(free_p) char *text = NULL;
	int64_t oldest = -1;
	size_t i;

	for (i = 0; i < o->n_incidents; i++) {
		const struct overview_incident *incident = &o->incidents[i];

		if (incident->since == 0)
			continue;
		buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", incident->what);
		if (overview_age_s(o, incident->since) > oldest)
			oldest = overview_age_s(o, incident->since);
	}
	text = xasprintf("trouble with %s for %lld s", buf_str(&names), (long long)oldest);
	if (oldest < 0)
		measure(v, INCIDENT, params, 0);
	else
		judge(v, INCIDENT, params, oldest, text);
}

static void
judge_stuck(struct verdict *v, const struct overview *o, const json_t *params)
{
	char text[160] = "";

	if (o->is_stuck)
		stuck_format(&o->stuck, text, sizeof(text));
	judge(v, STUCK, params, o->is_stuck ? o->stuck.over_s : 0, text);
}

void
verdict_judge(struct verdict *v, const struct overview *o, const json_t *params, const char *names)
{
	int64_t pull_s = overview_pull_age_s(o), push_s = overview_unpushed_age_s(o);
	int64_t sync_s = overview_sync_age_s(o);
	cleanup(free_p) char *pull = xasprintf(o->last_pull != 0 ? "last pull %lld s ago"
	    : "the config repo was not fetched since raasd started, %lld s ago", (long long)pull_s);
	cleanup(free_p) char *push = xasprintf("%zu commits wait for being pushed for %lld s",
	    o->unpushed, (long long)push_s);
	cleanup(free_p) char *sync = xasprintf("an ISV was not in order for %lld s",
	    (long long)sync_s);

	judge_stuck(v, o, params);
	judge_failed(v, o, params, names);
	judge_incidents(v, o, params);
	judge(v, PULL, params, pull_s, pull);
	judge(v, PUSH, params, push_s, push);
	judge(v, SYNC, params, sync_s, sync);
	add_perfdata(v, "unpushed", (int64_t)o->unpushed, "");
}

void
verdict_judge_isv(struct verdict *v, const char *name, enum phase phase, int64_t sync_age_s,
    const char *error, const json_t *params)
{
	bool warns = phase == PHASE_DRIFT || phase == PHASE_ORPHANED;
	bool waits = phase == PHASE_PAUSED || phase == PHASE_ORPHANED || phase == PHASE_INVALID;
	cleanup(free_p) char *text = xasprintf("%s is %s%s%s", name, phase_name(phase),
	    error != NULL ? ": " : "", error != NULL ? error : "");
	cleanup(free_p) char *sync = xasprintf("%s was not in order for %lld s", name,
	    (long long)sync_age_s);

	if (verdict_counts(phase) || warns)
		complain(v, warns ? VERDICT_WARNING : VERDICT_CRITICAL, text);
	if (waits)
		measure(v, SYNC, params, 0);
	else
		judge(v, SYNC, params, sync_age_s, sync);
}

void
verdict_done(struct verdict *v)
{
	buf_done(&v->text);
	buf_done(&v->perfdata);
}

/* What stands behind '|' is for programs; the text must not have one. */
char *
verdict_line(const struct verdict *v, const char *all_well)
{
	cleanup(free_p) char *text = xasprintf("%.*s", TEXT_MAX,
	    v->text.len > 0 ? buf_str(&v->text) : all_well);
	char *at;

	text_clean(text);
	for (at = text; *at != '\0'; at++)
		if (*at == '|')
			*at = '/';
	return xasprintf("RAAS %s - %s | %s", verdict_level_name(v->level), text,
	    buf_str(&v->perfdata));
}
