#include "daemon/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/control-socket.h"
#include "daemon/credential.h"
#include "daemon/git.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/watchdog.h"

/* Threads of the pool beyond `workers`, so that a sweep and the fetching of Red Hat's metadata
 * find a place while every ISV's slot is taken. */
#define SPARE_THREADS 2
/* Validations at once; others wait. */
#define VISITORS 4
/* Enough for libgit2 over ssh and for libcurl with TLS, measured; see tests/bench. */
#define JOB_STACK (512 * 1024)
#define RETRY_MIN_MS 2000
#define RETRY_MAX_MS (5 * 60 * 1000)
#define BACKOFF_MIN_MS 10000
#define BACKOFF_MAX_MS (30 * 60 * 1000)

size_t
daemon_incidents(struct daemon *d, struct incident *out[DAEMON_INCIDENTS])
{
	struct incident *const own[] = { &d->config_repo, &d->signatures, &d->raas_cfg, &d->redhat,
	    &d->commits, &d->saves, &d->textfile, &d->metrics };
	size_t n = sizeof(own) / sizeof(own[0]);
	enum cause cause;

	memcpy(out, own, sizeof(own));
	for (cause = 0; cause < N_CAUSES; cause++)
		out[n++] = troubles_incident(d->troubles, cause);
	return n;
}

static void
say_troubles(void *arg)
{
	struct daemon *d = arg;

	troubles_flush(d->troubles, d->registries, d->n_registries);
}

void
daemon_set_timer(struct event *timer, int64_t ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	evtimer_add(timer, &tv);
}

/* 2 s, 4 s … 5 min, with a quarter of it random, so that many daemons do not come together. */
int64_t
daemon_retry_ms(unsigned int failures)
{
	int64_t ms = RETRY_MIN_MS;

	while (--failures > 0 && ms < RETRY_MAX_MS)
		ms *= 2;
	if (ms > RETRY_MAX_MS)
		ms = RETRY_MAX_MS;
	return ms - random() % (ms / 4);
}

/* Registries: sorted by name. */

static size_t
registry_index(const struct daemon *d, const char *name, bool *found)
{
	size_t low = 0, high = d->n_registries, middle;
	int order;

	*found = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(d->registries[middle]->state->name, name);
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

struct registry *
daemon_registry(struct daemon *d, const char *name)
{
	bool found;
	size_t i = registry_index(d, name, &found);

	return found ? d->registries[i] : NULL;
}

struct registry *
daemon_add_registry(struct daemon *d, struct isv_state *state)
{
	struct registry *r = registry_new(d, state);
	bool found;
	size_t i = registry_index(d, state->name, &found);

	d->registries = xreallocarray(d->registries, d->n_registries + 1, sizeof(*d->registries));
	memmove(&d->registries[i + 1], &d->registries[i],
	    (d->n_registries++ - i) * sizeof(*d->registries));
	d->registries[i] = r;
	return r;
}

void
daemon_count_phases(const struct daemon *d, size_t counts[N_PHASES])
{
	size_t i;

	memset(counts, 0, N_PHASES * sizeof(*counts));
	for (i = 0; i < d->n_registries; i++)
		counts[registry_phase(d->registries[i])]++;
}

static void
on_state_loaded(void *arg, struct isv_state *state)
{
	struct daemon *d = arg;

	daemon_add_registry(d, state);
	if (state->n_unlogged > 0 && d->settings->commit)
		daemon_flush(d, false);
}

/* The schedule. */

static bool
may_start(const struct daemon *d)
{
	return !d->stopping && d->config != NULL && d->running < d->settings->workers;
}

/* Servers and network wake up as we do, and thousands of ISVs are due at once. */
void
daemon_woke(struct daemon *d)
{
	const struct settings *s = d->settings;

	scheduler_woke(d->scheduler, clock_monotonic_ms(),
	    s->check_interval_ms < s->deep_interval_ms ? s->check_interval_ms : s->deep_interval_ms);
	daemon_set_timer(d->schedule_timer, 0);
}

void
daemon_schedule(struct daemon *d)
{
	int64_t now = clock_monotonic_ms(), wakeup;
	struct registry *r;
	enum work work;

	if (watchdog_late(d->watchdog))
		daemon_woke(d);
	while (may_start(d) &&
	    (r = scheduler_next(d->scheduler, now, &work)) != NULL) {
		d->running++;
		registry_start(r, work);
	}
	evtimer_del(d->schedule_timer);
	wakeup = scheduler_wakeup(d->scheduler);
	if (wakeup != -1 && may_start(d))
		daemon_set_timer(d->schedule_timer, wakeup > now ? wakeup - now : 0);
	daemon_tell_waits(d);
}

void
daemon_run_ended(struct daemon *d)
{
	d->running--;
	/* Not from here: the caller is still busy with the run that ended. */
	daemon_set_timer(d->schedule_timer, 0);
}

static void
daemon_on_schedule(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	daemon_schedule(arg);
}

void
daemon_request(struct daemon *d, struct registry *r, enum work work, bool urgent)
{
	scheduler_request(d->scheduler, r->slot, work, urgent, clock_monotonic_ms());
	daemon_set_timer(d->schedule_timer, 0);
}

/* Signals and reload. */

static void
on_stop_signal(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	log_info(&(struct log_about){ .message_id = event_table[EVENT_STOPPING].id },
	    "stopping on signal %d", (int)fd);
	notify_stopping(d->notify);
	control_stop(d->control);
	d->stopping = true;
	event_base_loopbreak(d->base);
}

/* The first setting of `new` that only a restart can change; NULL: there is none. */
static const char *
fixed_setting(const struct settings *old, const struct settings *new)
{
	if (!text_equal(old->config_repo, new->config_repo))
		return "config_repo";
	if (!text_equal(old->environment, new->environment))
		return "environment";
	if (!text_equal(old->state_dir, new->state_dir))
		return "state_dir";
	if (!text_equal(old->cache_dir, new->cache_dir))
		return "cache_dir";
	if (!text_equal(old->socket, new->socket))
		return "socket";
	if (!text_equal(old->admin_group, new->admin_group))
		return "admin_group";
	if (old->workers != new->workers)
		return "workers";
	if (old->commit != new->commit)
		return "commit";
	if (!text_equal(old->git.ssh_command, new->git.ssh_command) ||
	    !text_equal(old->git.author_name, new->git.author_name) ||
	    !text_equal(old->git.author_email, new->git.author_email) ||
	    old->git.timeout_ms != new->git.timeout_ms ||
	    old->git.require_signed != new->git.require_signed ||
	    !text_equal(old->git.allowed_signers, new->git.allowed_signers) ||
	    !text_equal(old->git.signing_key, new->git.signing_key))
		return "git";
	if (!text_equal(old->metrics.listen, new->metrics.listen))
		return "metrics.listen";
	if (!text_equal(old->http.ca_file, new->http.ca_file) ||
	    old->http.timeout_ms != new->http.timeout_ms ||
	    old->http.connect_timeout_ms != new->http.connect_timeout_ms)
		return "http";
	return NULL;
}

static struct scheduler_options
scheduler_options(const struct settings *s)
{
	struct scheduler_options o = { .deep_interval_ms = s->deep_interval_ms,
	    .backoff_min_ms = BACKOFF_MIN_MS, .backoff_max_ms = BACKOFF_MAX_MS };

	if (getrandom(&o.seed, sizeof(o.seed), 0) != sizeof(o.seed))
		o.seed = (uint64_t)clock_monotonic_ms();
	return o;
}

static void
on_loaded(void *arg, const struct keeper_answer *a)
{
	struct daemon *d = arg;

	d->loading = false;
	if (d->stopping)
		return;
	if (a->error != NULL)
		incident_set(&d->config_repo, a->error->text);
	daemon_take_answer(d, a);
	notify_ready(d->notify);
}

const char *
daemon_reload(struct daemon *d, struct error *err)
{
	struct settings *s = settings_load(d->settings_file, err);
	struct publish_settings publish;
	struct scheduler_options options;
	const char *fixed;

	if (s == NULL)
		return NULL;
	fixed = fixed_setting(d->settings, s);
	d->settings->poll_interval_ms = s->poll_interval_ms;
	d->settings->check_interval_ms = s->check_interval_ms;
	d->settings->deep_interval_ms = s->deep_interval_ms;
	d->settings->commit_interval_ms = s->commit_interval_ms;
	d->settings->log = s->log;
	/* It owns a string: the old one goes with s. */
	publish = d->settings->publish;
	d->settings->publish = s->publish;
	d->settings->metrics.interval_ms = s->metrics.interval_ms;
	free(d->settings->metrics.textfile);
	d->settings->metrics.textfile = steal(s->metrics.textfile);
	s->publish = publish;
	settings_free(s);
	log_setup(d->settings->log.level, d->settings->log.target);
	options = scheduler_options(d->settings);
	scheduler_set_options(d->scheduler, &options);
	exporter_reload(d->exporter);
	keeper_load(d->keeper, on_loaded, d);
	daemon_pull(d, NULL);
	return fixed != NULL ? fixed : "";
}

static void
on_reload_signal(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	struct error err = ERROR_INIT;
	const char *fixed;

	(void)fd;
	(void)what;
	notify_reloading(d->notify);
	fixed = daemon_reload(d, &err);
	if (fixed == NULL) {
		log_error(&(struct log_about){ .message_id = event_table[EVENT_CONFIG_ERROR].id },
		    "reload: %s; the old settings stay in force", err.text);
		notify_ready(d->notify);
	} else if (fixed[0] != '\0') {
		log_warning(NULL, "reload: setting '%s' changes at the next restart only", fixed);
	} else {
		log_info(&(struct log_about){ .message_id = event_table[EVENT_RELOADED].id },
		    "settings and raas.cfg are read again");
	}
}

/* Up and down. */

static void *
tools_new(void *arg)
{
	return http_new(arg);
}

static void
tools_free(void *tools)
{
	http_free(tools);
}

static void
make_timers(struct daemon *d)
{
	d->schedule_timer = evtimer_new(d->base, daemon_on_schedule, d);
	d->pull_timer = evtimer_new(d->base, daemon_on_pull, d);
	d->sweep_timer = evtimer_new(d->base, daemon_on_sweep, d);
	d->mask_timer = evtimer_new(d->base, daemon_on_mask, d);
	d->commit_timer = evtimer_new(d->base, daemon_on_commit, d);
	d->push_timer = evtimer_new(d->base, daemon_on_push, d);
	d->sigterm = evsignal_new(d->base, SIGTERM, on_stop_signal, d);
	d->sigint = evsignal_new(d->base, SIGINT, on_stop_signal, d);
	d->sighup = evsignal_new(d->base, SIGHUP, on_reload_signal, d);
	evsignal_add(d->sigterm, NULL);
	evsignal_add(d->sigint, NULL);
	evsignal_add(d->sighup, NULL);
}

static void
free_timers(struct daemon *d)
{
	struct event *events[] = { d->schedule_timer, d->pull_timer, d->sweep_timer, d->mask_timer,
	    d->commit_timer, d->push_timer, d->sigterm, d->sigint, d->sighup };
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
}

static void
start_threads(struct daemon *d)
{
	const struct settings *s = d->settings;
	const char *credentials_dir = getenv("CREDENTIALS_DIRECTORY");
	cleanup(free_p) char *allowed = credential_file(credentials_dir, s->git.allowed_signers);
	cleanup(free_p) char *signing_key = credential_file(credentials_dir, s->git.signing_key);

	d->jobs = workers_new(d->base, &(struct workers_options){ .name = "job",
	    .threads = s->workers + SPARE_THREADS, .stack_size = JOB_STACK,
	    .tools_new = tools_new, .tools_free = tools_free, .arg = d->http });
	d->visitors = workers_new(d->base, &(struct workers_options){ .name = "visit",
	    .threads = VISITORS, .stack_size = JOB_STACK, .tools_new = tools_new,
	    .tools_free = tools_free, .arg = d->http });
	d->keeper = keeper_new(d->base, &(struct keeper_options){
	    .repo = { .path = d->config_repo_path, .url = s->config_repo,
		.ssh_command = s->git.ssh_command, .http = d->http, .branch = s->environment,
		.author = { s->git.author_name, s->git.author_email, signing_key },
		.require_signed = s->git.require_signed,
		.allowed_signers = allowed,
		.read_only = !s->commit },
	    .state_dir = s->state_dir, .credentials_dir = credentials_dir,
	    .git_timeout_ms = s->git.timeout_ms });
}

static int
daemon_start(struct daemon *d, struct error *err)
{
	const struct settings *s = d->settings;
	struct scheduler_options options = scheduler_options(s);
	int passed;

	srandom((unsigned int)options.seed);
	d->notify = notify_new();
	d->config_repo_path = xasprintf("%s/config.git", s->state_dir);
	if ((d->store = state_store_open(d->base, s->state_dir, err)) == NULL ||
	    (d->http = http_shared_new(&(struct http_options){ s->http.connect_timeout_ms,
	    s->http.timeout_ms, s->http.ca_file }, err)) == NULL)
		return -1;
	d->places = (struct places){ d->config_repo_path, s->cache_dir,
	    getenv("CREDENTIALS_DIRECTORY"), s->git.ssh_command,
	    s->git.timeout_ms, d->http, { s->git.author_name, s->git.author_email, NULL } };
	d->scheduler = scheduler_new(&options);
	make_timers(d);
	if (state_store_load(d->store, on_state_loaded, d, err) == -1)
		return -1;
	daemon_load_mask(d);
	if (control_socket_passed(&passed, err) == -1 ||
	    (d->control = control_new(d->base, &(struct control_options){ .path = s->socket,
	    .listen_fd = passed, .admin_group = s->admin_group, .version = RAAS_VERSION },
	    daemon_handle_call, d, err)) == NULL)
		return -1;
	start_threads(d);
	d->watchdog = watchdog_new(d);
	d->exporter = exporter_new(d);
	if (s->metrics.listen != NULL)
		d->metrics_server = metrics_server_new(d->base, d->exporter, s->metrics.listen,
		    &d->metrics);
	d->loading = true;
	keeper_load(d->keeper, on_loaded, d);
	daemon_pull(d, NULL);
	return 0;
}

static void
free_incidents(struct daemon *d)
{
	struct incident *all[DAEMON_INCIDENTS];
	size_t n = daemon_incidents(d, all), i;

	for (i = 0; i < n; i++)
		incident_done(all[i]);
	troubles_free(d->troubles);
}

/* Jobs end first, and then the state is written, since what they hand back needs the rest. */
static void
daemon_stop(struct daemon *d)
{
	size_t i;

	d->stopping = true;
	watchdog_free(d->watchdog);
	metrics_server_free(d->metrics_server);
	exporter_free(d->exporter);
	workers_free(d->jobs);
	workers_free(d->visitors);
	keeper_free(d->keeper);
	state_store_close(d->store);
	control_free(d->control);
	for (i = 0; i < d->n_registries; i++) {
		if (d->registries[i]->running)
			registry_abandon(d->registries[i]);
		registry_free(d->registries[i]);
	}
	free(d->registries);
	scheduler_free(d->scheduler);
	http_shared_free(d->http);
	mask_unref(d->mask);
	free(d->mask_id);
	inventory_unref(d->inventory);
	config_unref(d->config);
	free(d->warnings);
	repo_files_done(&d->trees);
	repo_files_done(&d->redhat_files);
	free_timers(d);
	free_incidents(d);
	notify_free(d->notify);
	free(d->config_repo_path);
}

/* A core dump would hold credentials; files or sockets for every thread must be had; and each of
 * glibc's arenas, of which there would be one a thread, keeps for itself what its jobs gave back: a
 * third of the memory at 2,000 ISVs. Threads that wait for servers are no contention. */
static void
prepare_process(void)
{
	struct rlimit limit;

	mallopt(M_ARENA_MAX, 1);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
daemon_run(struct settings *settings, const char *settings_file)
{
	struct daemon d = { .settings = settings, .settings_file = settings_file,
	    .config_repo = { .what = "config repo" },
	    .signatures = { .what = "config repo signatures", .began = EVENT_COMMIT_REFUSED },
	    .raas_cfg = { .what = "raas.cfg", .began = EVENT_CONFIG_ERROR },
	    .openshift = { .what = "openshift" }, .s3 = { .what = "s3" },
	    .redhat = { .what = "red hat metadata" }, .commits = { .what = "config repo commits" },
	    .saves = { .what = "state directory" }, .textfile = { .what = "metrics.textfile" },
	    .metrics = { .what = "metrics.listen" },
	    .started = time(NULL) };
	struct error err = ERROR_INIT;
	int status = 0;

	prepare_process();
	git_setup();
	d.base = event_base_new();
	d.troubles = troubles_new(d.base, &d.openshift, &d.s3, say_troubles, &d);
	if (daemon_start(&d, &err) == -1) {
		log_error(NULL, "%s", err.text);
		status = 1;
	} else {
		log_info(&(struct log_about){ .message_id = event_table[EVENT_STARTED].id },
		    "raasd %s serves environment '%s'", RAAS_VERSION, settings->environment);
		event_base_dispatch(d.base);
	}
	daemon_stop(&d);
	event_base_free(d.base);
	git_teardown();
	settings_free(settings);
	return status;
}
