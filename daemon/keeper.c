#include "daemon/keeper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/text.h"
#include "daemon/atomic-file.h"
#include "daemon/cfg-section.h"
#include "daemon/credential.h"
#include "daemon/log.h"
#include "daemon/workers.h"

#define LAST_GOOD_FILE "raas.cfg.last-good"
#define LOG_FILE_MAX (16u << 20)	/* bytes of one day */
#define LOG_DAYS_MAX 400		/* files looked at for the last lines */

struct keeper {
	struct workers		*thread;
	struct keeper_options	 options;
	char			*last_good_path;

	/* The config thread's own. */
	struct config_repo	*repo;
	struct config		*config;	/* the newest that was parsed, for its last good sections */
	git_oid			 config_id;	/* the blob that config was made from */
	git_oid			 seen;		/* the tip of the last snapshot */
	bool			 looked;	/* there was one */
	char			*credentials;	/* their stamp, when config was parsed */
};

enum task { TASK_LOAD, TASK_PULL, TASK_COMMIT, TASK_SECTION, TASK_PUSH, TASK_TIDY, TASK_LOG };

static const char *const task_names[] = {
	[TASK_LOAD] = "reading the config repo", [TASK_PULL] = "pull", [TASK_COMMIT] = "commit",
	[TASK_SECTION] = "commit", [TASK_PUSH] = "push", [TASK_TIDY] = "packing the config repo",
	[TASK_LOG] = "reading a log",
};

struct keeper_job {
	struct job		 job;
	struct keeper		*keeper;
	enum task		 task;
	keeper_done		*done;
	void			*arg;

	struct config_change	*changes;	/* copies */
	size_t			 n_changes;
	char			*message;
	char			*accept;	/* of a pull */
	char			*isv;
	size_t			 want_lines;
	void			(*log_done)(void *, char *const *, size_t, const struct error *);

	struct error		 error;
	bool			 failed;
	struct config_branch_state state;
	struct config_news	 news;
	bool			 has_news;
	bool			 committed;
	struct keeper_snapshot	*snapshot;
	char			**lines;
	size_t			 n_lines;
};

/* In the config thread. */

static int
open_repo(struct keeper *k, struct error *err)
{
	const struct repo_notes *notes;
	size_t i;

	if (k->repo != NULL)
		return 0;
	if ((k->repo = config_repo_open(&k->options.repo, err)) == NULL)
		return -1;
	notes = config_repo_notes(k->repo);
	for (i = 0; i < notes->n; i++)
		log_warning(NULL, "config repo: %s", notes->texts[i]);
	return 0;
}

/* The last raas.cfg without an error, kept so that a bad push followed by a restart still finds
 * the good values of the broken sections. */
static struct config *
read_last_good(struct keeper *k)
{
	cleanup(buf_done) struct buf text = BUF_INIT;

	if (atomic_file_read(AT_FDCWD, k->last_good_path, RAAS_CFG_MAX, &text, NULL) == -1)
		return NULL;
	return config_parse(buf_str(&text), text.len, LAST_GOOD_FILE, NULL,
	    k->options.credentials_dir);
}

static void
save_last_good(struct keeper *k, const struct buf *text)
{
	struct error err;

	if (atomic_file_write(AT_FDCWD, k->last_good_path, text->data, text->len, 0600, &err) == -1)
		log_warning(NULL, "cannot keep a copy of raas.cfg: %s", err.text);
}

/* The same object as before while raas.cfg has the same bytes, unless `afresh`: a credential
 * that it names may have changed. */
static struct config *
parse(struct keeper *k, bool afresh, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	bool had_one = k->config != NULL;
	struct config *config;
	git_oid id;

	if (config_repo_raas_cfg(k->repo, &text, err) == -1)
		return NULL;
	id = repo_oid_of_bytes(buf_str(&text), text.len);
	if (had_one && !afresh && git_oid_equal(&id, &k->config_id))
		return config_ref(k->config);
	/* Before they are read: one that comes in between is read again. */
	free(k->credentials);
	k->credentials = credential_stamp(k->options.credentials_dir);
	if (!had_one)
		k->config = read_last_good(k);
	config = config_parse(buf_str(&text), text.len, "raas.cfg", k->config,
	    k->options.credentials_dir);
	config_unref(k->config);
	k->config = config_ref(config);
	k->config_id = id;
	if (config->n_errors == 0)
		save_last_good(k, &text);
	return config;
}

static struct keeper_snapshot *
make_snapshot(struct keeper *k, bool afresh)
{
	struct config_branch_state state = config_repo_state(k->repo);
	struct keeper_snapshot *s = xcalloc(1, sizeof(*s));
	const struct config_view *view = config_repo_view(k->repo);

	if (!state.has_tip) {
		error_set(&s->error, ERROR_MISSING, "there is no copy of the config repo yet");
		return s;
	}
	s->config = parse(k, afresh, &s->error);
	if (config_view_metadata_trees(view, &state.tip, &s->trees, &s->error) == -1 ||
	    config_view_metadata(view, &state.tip, "redhat", &s->redhat, &s->error) == -1) {
		config_unref(s->config);
		s->config = NULL;
	}
	k->seen = state.tip;
	k->looked = true;
	return s;
}

/* A new snapshot when the tip is not the one that the last was made of. */
static void
look_again(struct keeper_job *j, bool afresh)
{
	struct keeper *k = j->keeper;
	struct config_branch_state state = config_repo_state(k->repo);

	if (afresh || !k->looked || (state.has_tip && !git_oid_equal(&state.tip, &k->seen)))
		j->snapshot = make_snapshot(k, afresh);
}

static bool
credentials_changed(const struct keeper *k)
{
	cleanup(free_p) char *now = credential_stamp(k->options.credentials_dir);

	return k->config != NULL && !text_equal(now, k->credentials);
}

static void
add_line(struct keeper_job *j, const char *line, size_t len)
{
	j->lines = xreallocarray(j->lines, j->n_lines + 1, sizeof(*j->lines));
	j->lines[j->n_lines++] = xstrndup(line, len);
}

/* Adds the lines of one day, last first, until enough are there. */
static void
add_day(struct keeper_job *j, const struct buf *text)
{
	size_t end = text->len, start;

	while (end > 0 && j->n_lines < j->want_lines) {
		if (text->data[end - 1] == '\n')
			end--;
		for (start = end; start > 0 && text->data[start - 1] != '\n'; start--)
			;
		if (end > start)
			add_line(j, text->data + start, end - start);
		end = start;
	}
}

static int
read_log(struct keeper_job *j)
{
	const struct config_view *view = config_repo_view(j->keeper->repo);
	struct config_branch_state state = config_repo_state(j->keeper->repo);
	cleanup(repo_files_done) struct repo_files files = { NULL, 0, { NULL, 0 } };
	size_t i, days = 0;

	if (!state.has_tip)
		return 0;
	if (config_view_logs(view, &state.tip, j->isv, &files, &j->error) == -1)
		return -1;
	for (i = files.n; i-- > 0 && j->n_lines < j->want_lines && days++ < LOG_DAYS_MAX;) {
		cleanup(buf_done) struct buf text = BUF_INIT;
		cleanup(free_p) char *path = xasprintf("%s/logs/%s", j->isv, files.files[i].name);

		if (config_view_read(view, &state.tip, path, LOG_FILE_MAX, &text, &j->error) == -1)
			return -1;
		add_day(j, &text);
	}
	return 0;
}

static int
commit(struct keeper_job *j)
{
	j->has_news = true;
	if (config_repo_commit(j->keeper->repo, j->changes, j->n_changes, j->message,
	    &j->committed, &j->news.dropped, &j->error) == -1)
		return -1;
	look_again(j, false);
	return 0;
}

/* What raas.cfg would be with the section is read as it will be, before it is written. */
static int
check_section(struct keeper_job *j)
{
	struct keeper *k = j->keeper;
	cleanup(buf_done) struct buf text = BUF_INIT;
	struct config *config;
	const struct isv *isv;
	int result = 0;

	if (j->changes[0].kind != CONFIG_ADD_SECTION)
		return 0;
	if (config_repo_raas_cfg(k->repo, &text, &j->error) == -1 ||
	    cfg_section_add(&text, j->changes[0].data, j->changes[0].len, &j->error) == -1)
		return error_prefix(&j->error, "raas.cfg");
	config = config_parse(buf_str(&text), text.len, "raas.cfg", k->config,
	    k->options.credentials_dir);
	isv = config_isv(config, j->isv);
	if (isv == NULL)
		result = error_set(&j->error, ERROR_INPUT, "'%s' would be no ISV", j->isv);
	else if (isv->error != NULL)
		result = error_set(&j->error, ERROR_INPUT, "%s", isv->error);
	config_unref(config);
	return result;
}

static int
run_task(struct keeper_job *j)
{
	struct keeper *k = j->keeper;
	int status;

	if (open_repo(k, &j->error) == -1)
		return -1;
	switch (j->task) {
	case TASK_LOAD:
		look_again(j, true);
		return 0;
	case TASK_PULL:
		j->has_news = true;
		status = config_repo_pull(k->repo, j->accept, &j->news, &j->job.deadline, &j->error);
		/* Credentials may be others though the config repo cannot be reached. */
		look_again(j, credentials_changed(k));
		return status;
	case TASK_PUSH:
		j->has_news = true;
		if (config_repo_push(k->repo, &j->news, &j->job.deadline, &j->error) == -1)
			return -1;
		look_again(j, false);
		return 0;
	case TASK_TIDY:
		return config_repo_tidy(k->repo, &j->job.deadline, &j->error);
	case TASK_SECTION:
		return check_section(j) == -1 ? -1 : commit(j);
	case TASK_COMMIT:
		return commit(j);
	case TASK_LOG:
		return read_log(j);
	}
	return 0;
}

static void
keeper_run(struct job *job, void *tools)
{
	struct keeper_job *j = (struct keeper_job *)job;

	(void)tools;
	j->failed = run_task(j) == -1;
	if (j->keeper->repo != NULL)
		j->state = config_repo_state(j->keeper->repo);
}

/* On the loop. */

static void
reverse(char **lines, size_t n)
{
	size_t i;

	for (i = 0; i < n / 2; i++) {
		char *swap = lines[i];

		lines[i] = lines[n - 1 - i];
		lines[n - 1 - i] = swap;
	}
}

static void
free_snapshot(struct keeper_snapshot *s)
{
	if (s == NULL)
		return;
	config_unref(s->config);
	repo_files_done(&s->trees);
	repo_files_done(&s->redhat);
	free(s);
}

static void
keeper_job_free(struct keeper_job *j)
{
	size_t i;

	for (i = 0; i < j->n_changes; i++) {
		free((char *)j->changes[i].path);
		free((void *)j->changes[i].data);
	}
	free(j->changes);
	for (i = 0; i < j->n_lines; i++)
		free(j->lines[i]);
	free(j->lines);
	free(j->message);
	free(j->accept);
	free(j->isv);
	config_news_done(&j->news);
	free_snapshot(j->snapshot);
	free(j);
}

static void
keeper_job_done(struct job *job)
{
	struct keeper_job *j = (struct keeper_job *)job;

	if (!job->ran) {
		j->failed = true;
		error_set(&j->error, ERROR_CANCELLED, "raasd is stopping");
	}
	if (j->task == TASK_LOG) {
		reverse(j->lines, j->n_lines);
		j->log_done(j->arg, j->lines, j->n_lines, j->failed ? &j->error : NULL);
	} else {
		j->done(j->arg, &(struct keeper_answer){ .error = j->failed ? &j->error : NULL,
		    .repo = j->state, .news = j->has_news ? &j->news : NULL,
		    .snapshot = j->snapshot, .committed = j->committed });
	}
	keeper_job_free(j);
}

static struct keeper_job *
new_job(struct keeper *k, enum task task, int64_t timeout_ms, keeper_done *done, void *arg)
{
	struct keeper_job *j = xcalloc(1, sizeof(*j));

	j->job.run = keeper_run;
	j->job.done = keeper_job_done;
	j->job.timeout_ms = timeout_ms;
	j->job.name = task_names[task];
	j->keeper = k;
	j->task = task;
	j->done = done;
	j->arg = arg;
	return j;
}

static void
submit(struct keeper *k, enum task task, int64_t timeout_ms, keeper_done *done, void *arg)
{
	struct keeper_job *j = new_job(k, task, timeout_ms, done, arg);

	workers_submit(k->thread, &j->job);
}

struct keeper *
keeper_new(struct event_base *base, const struct keeper_options *options)
{
	struct keeper *k = xcalloc(1, sizeof(*k));

	k->options = *options;
	k->options.repo.path = xstrdup(options->repo.path);
	k->options.repo.url = xstrdup(options->repo.url);
	k->options.repo.ssh_command = xstrdup(options->repo.ssh_command);
	k->options.repo.branch = xstrdup(options->repo.branch);
	k->options.repo.author.name = xstrdup(options->repo.author.name);
	k->options.repo.author.email = xstrdup(options->repo.author.email);
	k->options.repo.author.signing_key = xstrdup(options->repo.author.signing_key);
	k->options.repo.allowed_signers = xstrdup(options->repo.allowed_signers);
	k->options.credentials_dir = xstrdup(options->credentials_dir);
	k->last_good_path = xasprintf("%s/" LAST_GOOD_FILE, options->state_dir);
	k->thread = workers_new(base, &(struct workers_options){ .name = "config", .threads = 1,
	    .stack_size = 1024 * 1024 });
	return k;
}

void
keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	workers_free(k->thread);
	config_repo_free(k->repo);
	config_unref(k->config);
	free((char *)k->options.repo.path);
	free((char *)k->options.repo.url);
	free((char *)k->options.repo.ssh_command);
	free((char *)k->options.repo.branch);
	free((char *)k->options.repo.author.name);
	free((char *)k->options.repo.author.email);
	free((char *)k->options.repo.author.signing_key);
	free((char *)k->options.repo.allowed_signers);
	free((char *)k->options.credentials_dir);
	free(k->last_good_path);
	free(k->credentials);
	free(k);
}

void
keeper_load(struct keeper *k, keeper_done *done, void *arg)
{
	submit(k, TASK_LOAD, 60000, done, arg);
}

void
keeper_pull(struct keeper *k, const char *accept, keeper_done *done, void *arg)
{
	struct keeper_job *j = new_job(k, TASK_PULL, k->options.git_timeout_ms, done, arg);

	j->accept = xstrdup(accept);
	workers_submit(k->thread, &j->job);
}

void
keeper_push(struct keeper *k, keeper_done *done, void *arg)
{
	submit(k, TASK_PUSH, k->options.git_timeout_ms, done, arg);
}

void
keeper_tidy(struct keeper *k, keeper_done *done, void *arg)
{
	submit(k, TASK_TIDY, 120000, done, arg);
}

static struct keeper_job *
new_commit(struct keeper *k, enum task task, const struct config_change *changes, size_t n,
    const char *message, keeper_done *done, void *arg)
{
	struct keeper_job *j = new_job(k, task, 60000, done, arg);
	size_t i;

	j->message = xstrdup(message);
	j->n_changes = n;
	j->changes = xcalloc(n, sizeof(*j->changes));
	for (i = 0; i < n; i++) {
		j->changes[i] = changes[i];
		j->changes[i].path = xstrdup(changes[i].path);
		j->changes[i].data = xmemdup(changes[i].data, changes[i].len);
	}
	return j;
}

void
keeper_commit(struct keeper *k, const struct config_change *changes, size_t n,
    const char *message, keeper_done *done, void *arg)
{
	struct keeper_job *j = new_commit(k, TASK_COMMIT, changes, n, message, done, arg);

	workers_submit(k->thread, &j->job);
}

static void
change_section(struct keeper *k, const char *isv, enum config_change_kind kind, const char *text,
    const char *message, keeper_done *done, void *arg)
{
	const struct config_change change = { kind, "raas.cfg", text, strlen(text) };
	struct keeper_job *j = new_commit(k, TASK_SECTION, &change, 1, message, done, arg);

	j->isv = xstrdup(isv);
	workers_submit(k->thread, &j->job);
}

void
keeper_add_section(struct keeper *k, const char *isv, const char *lines, const char *message,
    keeper_done *done, void *arg)
{
	change_section(k, isv, CONFIG_ADD_SECTION, lines, message, done, arg);
}

void
keeper_remove_section(struct keeper *k, const char *isv, const char *message, keeper_done *done,
    void *arg)
{
	change_section(k, isv, CONFIG_REMOVE_SECTION, isv, message, done, arg);
}

void
keeper_log(struct keeper *k, const char *isv, size_t n,
    void (*done)(void *, char *const *, size_t, const struct error *), void *arg)
{
	struct keeper_job *j = new_job(k, TASK_LOG, 60000, NULL, arg);

	j->log_done = done;
	j->isv = xstrdup(isv);
	j->job.isv = j->isv;
	j->want_lines = n;
	workers_submit(k->thread, &j->job);
}

bool
keeper_busy(const struct keeper *k)
{
	return workers_busy(k->thread) > 0;
}

const struct job *
keeper_overdue(const struct keeper *k, int64_t *by_ms)
{
	return workers_overdue(k->thread, by_ms);
}
