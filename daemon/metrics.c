#include "daemon/metrics.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "daemon/daemon.h"

/* The text while it is made. */
struct text {
	struct buf	*out;
	bool		 openmetrics;
};

enum family_type { GAUGE, COUNTER, INFO };

/* A family's name is without its samples' _total or _info in OpenMetrics, and with it before. */
static void
family(struct text *t, enum family_type type, const char *name, const char *help)
{
	static const char *const types[] = { "gauge", "counter", "info" };
	static const char *const suffixes[] = { "", "_total", "_info" };
	const char *suffix = t->openmetrics ? "" : suffixes[type];
	const char *word = !t->openmetrics && type == INFO ? "gauge" : types[type];

	buf_printf(t->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, word);
}

static void
sample(struct text *t, const char *name, int64_t value)
{
	buf_printf(t->out, "%s %lld\n", name, (long long)value);
}

static void
labelled(struct text *t, const char *name, const char *label, const char *word, uint64_t value)
{
	buf_printf(t->out, "%s{%s=\"%s\"} %llu\n", name, label, word, (unsigned long long)value);
}

/* A label's value, of which the formats want three characters escaped. */
static void
add_escaped(struct buf *out, const char *s)
{
	size_t plain;

	while (*s != '\0') {
		plain = strcspn(s, "\\\"\n");
		buf_add(out, s, plain);
		s += plain;
		if (*s != '\0')
			buf_add_str(out, *s == '\n' ? "\\n" : *s == '"' ? "\\\"" : "\\\\");
		s += *s != '\0';
	}
}

static void
open_isv(struct text *t, const char *name, const struct metrics_isv *isv)
{
	buf_printf(t->out, "%s{isv=\"", name);
	add_escaped(t->out, isv->name);
	buf_add_str(t->out, "\"");
}

static void
write_daemon(struct text *t, const struct metrics *m)
{
	const struct overview *o = &m->overview;

	family(t, INFO, "raas_build", "What runs, and which environment it serves.");
	buf_add_str(t->out, "raas_build_info{version=\"" RAAS_VERSION "\",environment=\"");
	add_escaped(t->out, m->environment);
	buf_add_str(t->out, "\"} 1\n");
	family(t, GAUGE, "raas_pull_last_success_timestamp_seconds",
	    "When the config repo was last fetched; raasd's start before the first time.");
	sample(t, "raas_pull_last_success_timestamp_seconds", o->now - overview_pull_age_s(o));
	family(t, GAUGE, "raas_push_last_success_timestamp_seconds",
	    "When commits were last pushed; 0 before the first time.");
	sample(t, "raas_push_last_success_timestamp_seconds", o->last_push);
	family(t, GAUGE, "raas_unpushed_commits", "Commits that wait for being pushed.");
	sample(t, "raas_unpushed_commits", (int64_t)o->unpushed);
	family(t, GAUGE, "raas_unpushed_age_seconds", "How long they have waited.");
	sample(t, "raas_unpushed_age_seconds", overview_unpushed_age_s(o));
	family(t, GAUGE, "raas_sync_age_seconds",
	    "How long the last good sync is ago, of the ISV where that is longest.");
	sample(t, "raas_sync_age_seconds", overview_sync_age_s(o));
}

static void
write_states(struct text *t, const struct overview *o)
{
	size_t i;

	family(t, GAUGE, "raas_isvs", "ISVs by phase.");
	for (i = 0; i < N_PHASES; i++)
		labelled(t, "raas_isvs", "phase", phase_name((enum phase)i), o->phases[i]);
	family(t, GAUGE, "raas_jobs", "ISVs at work, and those that wait for it.");
	labelled(t, "raas_jobs", "state", "running", o->running);
	labelled(t, "raas_jobs", "state", "queued", o->queued);
	family(t, GAUGE, "raas_stuck_seconds", "How far what is stuck is beyond its deadline.");
	sample(t, "raas_stuck_seconds", o->is_stuck ? o->stuck.over_s : 0);
	family(t, GAUGE, "raas_incident", "1 while something that many ISVs need does not work.");
	for (i = 0; i < o->n_incidents; i++)
		labelled(t, "raas_incident", "incident", o->incidents[i].what,
		    o->incidents[i].since != 0);
	family(t, GAUGE, "raas_incident_isvs", "How many ISVs it concerns, if that is known.");
	for (i = 0; i < o->n_incidents; i++)
		labelled(t, "raas_incident_isvs", "incident", o->incidents[i].what,
		    o->incidents[i].isvs);
}

static void
write_pair(struct text *t, const char *name, const char *help, const uint64_t counts[2])
{
	cleanup(free_p) char *total = xasprintf("%s_total", name);

	family(t, COUNTER, name, help);
	labelled(t, total, "result", "ok", counts[false]);
	labelled(t, total, "result", "failed", counts[true]);
}

static void
write_counters(struct text *t, const struct counters *c)
{
	static const char *const kinds[] = { "light", "deep", "task" };
	static const char *const results[] = { "ok", "failed", "cancelled" };
	size_t i, j;

	write_pair(t, "raas_pulls", "Fetches of the config repo.", c->pulls);
	write_pair(t, "raas_pushes", "Pushes to the config repo.", c->pushes);
	write_pair(t, "raas_sweeps", "Looks at the accounts.", c->sweeps);
	family(t, COUNTER, "raas_runs", "Jobs of ISVs that ended.");
	for (i = 0; i < N_RUN_KINDS; i++)
		for (j = 0; j < N_RUN_RESULTS; j++)
			buf_printf(t->out, "raas_runs_total{work=\"%s\",result=\"%s\"} %llu\n", kinds[i],
			    results[j], (unsigned long long)c->runs[i][j]);
	family(t, COUNTER, "raas_run_seconds", "The time that they took.");
	for (i = 0; i < N_RUN_KINDS; i++)
		buf_printf(t->out, "raas_run_seconds_total{work=\"%s\"} %llu.%03llu\n", kinds[i],
		    (unsigned long long)c->run_ms[i] / 1000, (unsigned long long)c->run_ms[i] % 1000);
	family(t, COUNTER, "raas_changes", "What syncs made, repaired or brought up to date.");
	for (i = 0; i < N_RESOURCE_KINDS; i++)
		labelled(t, "raas_changes_total", "resource", resource_kind_name((enum resource_kind)i),
		    c->changes[i]);
}

static void
write_isvs(struct text *t, const struct metrics *m)
{
	size_t i;

	family(t, GAUGE, "raas_isv_phase", "1 for the phase that the ISV is in.");
	for (i = 0; i < m->n_isvs; i++) {
		open_isv(t, "raas_isv_phase", &m->isvs[i]);
		buf_printf(t->out, ",phase=\"%s\"} 1\n", phase_name(m->isvs[i].phase));
	}
	family(t, GAUGE, "raas_isv_sync_last_success_timestamp_seconds",
	    "When all of it was last in order; 0 before the first time.");
	for (i = 0; i < m->n_isvs; i++) {
		open_isv(t, "raas_isv_sync_last_success_timestamp_seconds", &m->isvs[i]);
		buf_printf(t->out, "} %lld\n", (long long)m->isvs[i].last_sync);
	}
	family(t, GAUGE, "raas_isv_failures", "Failures in a row.");
	for (i = 0; i < m->n_isvs; i++) {
		open_isv(t, "raas_isv_failures", &m->isvs[i]);
		buf_printf(t->out, "} %u\n", m->isvs[i].failures);
	}
	family(t, GAUGE, "raas_isv_images", "Image repositories that its registry offers.");
	for (i = 0; i < m->n_isvs; i++) {
		open_isv(t, "raas_isv_images", &m->isvs[i]);
		buf_printf(t->out, "} %zu\n", m->isvs[i].images);
	}
}

static int64_t
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int64_t n = -3;		/* "." and "..", and the directory's own */

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static int64_t
resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long long total, resident = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lld %lld", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

/* By the names that every exporter gives them. */
static void
write_process(struct text *t, const struct overview *o)
{
	struct rusage usage;
	struct timeval cpu;

	getrusage(RUSAGE_SELF, &usage);
	timeradd(&usage.ru_utime, &usage.ru_stime, &cpu);
	family(t, COUNTER, "process_cpu_seconds", "User and system time that raasd used.");
	buf_printf(t->out, "process_cpu_seconds_total %lld.%06ld\n", (long long)cpu.tv_sec,
	    (long)cpu.tv_usec);
	family(t, GAUGE, "process_resident_memory_bytes", "Memory that it occupies.");
	sample(t, "process_resident_memory_bytes", resident_bytes());
	family(t, GAUGE, "process_open_fds", "Descriptors that it has open.");
	sample(t, "process_open_fds", open_fds());
	family(t, GAUGE, "process_start_time_seconds", "When it started.");
	sample(t, "process_start_time_seconds", o->started);
}

void
metrics_write(const struct metrics *m, bool openmetrics, struct buf *out)
{
	struct text t = { out, openmetrics };

	write_daemon(&t, m);
	write_states(&t, &m->overview);
	write_counters(&t, &m->overview.counters);
	write_isvs(&t, m);
	if (!openmetrics)
		return;		/* node_exporter has process metrics of its own, by the same names */
	write_process(&t, &m->overview);
	buf_add_str(out, "# EOF\n");
}

struct metrics *
metrics_take(struct daemon *d)
{
	struct metrics *m = xcalloc(1, sizeof(*m));
	size_t i;

	overview_take(d, &m->overview);
	m->environment = xstrdup(d->settings->environment);
	m->n_isvs = d->n_registries;
	m->isvs = xcalloc(m->n_isvs, sizeof(*m->isvs));
	for (i = 0; i < m->n_isvs; i++) {
		const struct registry *r = d->registries[i];

		m->isvs[i] = (struct metrics_isv){ .name = xstrdup(r->state->name),
		    .phase = registry_phase(r), .last_sync = r->state->last_sync,
		    .failures = registry_failures(r), .images = r->state->n_images };
	}
	return m;
}

void
metrics_free(struct metrics *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->n_isvs; i++)
		free(m->isvs[i].name);
	free(m->isvs);
	free(m->environment);
	free(m);
}
