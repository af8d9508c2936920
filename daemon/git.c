#include "daemon/git.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "daemon/git-transport.h"
#include "daemon/git-url.h"

/* Hundreds of threads have a repository open each: what libgit2 may keep for all of them. */
#define CACHE_MAX_BYTES ((ssize_t)8 << 20)
#define MWINDOW_BYTES ((size_t)32 << 20)
#define MWINDOWS_BYTES ((size_t)256 << 20)

#define FETCH_MAX_BYTES ((size_t)2 << 30)	/* received in one fetch */
#define HOOK_MAX_BYTES 4096			/* of a hook's text */
#define HOOK_SHOWN 300

/* One connection to a remote, from operation_begin() to operation_done(). libgit2 calls back
 * with it as the payload. */
struct operation {
	struct git_transport_param	 transport;
	git_smart_subtransport_definition subtransport;
	struct git_url			 url;
	char				*shown;
	git_direction			 direction;
	git_remote			*remote;
	struct buf			 hook;		/* what the other end said beside the protocol */
	char				 status[256];	/* why it did not take our ref; "": it did */
	const git_oid			*push_on;	/* what is pushed on; NULL: whatever is there */
	bool				 moved;		/* it is at another commit */
};

int
git_fail(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	char what[sizeof err->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return error_set(err, kind, "%s: %s", what,
	    last != NULL && last->message != NULL ? last->message : "failed without a reason");
}

void
git_setup(void)
{
	git_config_level_t level;

	if (git_libgit2_init() < 0)
		abort();
	for (level = GIT_CONFIG_LEVEL_PROGRAMDATA; level <= GIT_CONFIG_LEVEL_GLOBAL; level++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	/* The repositories are our own; a local remote may be another's, and is only spoken to. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, CACHE_MAX_BYTES);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, MWINDOW_BYTES);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, MWINDOWS_BYTES);
}

void
git_teardown(void)
{
	git_libgit2_shutdown();
}

int
git_open_bare(const char *path, git_repository **out, struct error *err)
{
	git_repository_init_options options;
	int status;

	status = git_repository_open_bare(out, path);
	if (status == GIT_ENOTFOUND) {
		git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
		options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
		status = git_repository_init_ext(out, path, &options);
	}
	return status != 0 ? git_fail(err, ERROR_SYSTEM, "repository %s", path) : 0;
}

/* The callbacks of libgit2; all run in the thread of the operation. */

static int
check_deadline(struct operation *op)
{
	if (op->transport.has_error)
		return GIT_EUSER;
	if (deadline_check(op->transport.deadline, &op->transport.error) == 0)
		return 0;
	op->transport.has_error = true;
	return GIT_EUSER;
}

static int
on_transport(git_transport **out, git_remote *owner, void *arg)
{
	struct operation *op = arg;

	op->subtransport.param = &op->transport;
	switch (op->url.kind) {
	case GIT_URL_LOCAL:
		if (op->direction == GIT_DIRECTION_FETCH)
			return git_transport_local(out, owner, NULL);
		op->subtransport.callback = git_ssh_subtransport;
		break;
	case GIT_URL_SSH:
		op->subtransport.callback = git_ssh_subtransport;
		break;
	case GIT_URL_HTTP:
		op->subtransport.callback = git_http_subtransport;
		op->subtransport.rpc = 1;
		break;
	}
	return git_transport_smart(out, owner, &op->subtransport);
}

static int
on_received(const git_indexer_progress *progress, void *arg)
{
	struct operation *op = arg;

	if (progress->received_bytes > FETCH_MAX_BYTES && !op->transport.has_error) {
		error_set(&op->transport.error, ERROR_REMOTE, "more than %zu MiB to fetch",
		    FETCH_MAX_BYTES >> 20);
		op->transport.has_error = true;
	}
	return check_deadline(op);
}

static int
on_packed(int stage, uint32_t current, uint32_t total, void *arg)
{
	(void)stage;
	(void)current;
	(void)total;
	return check_deadline(arg);
}

static int
on_sent(unsigned int current, unsigned int total, size_t bytes, void *arg)
{
	(void)current;
	(void)total;
	(void)bytes;
	return check_deadline(arg);
}

static int
on_sideband(const char *text, int len, void *arg)
{
	struct operation *op = arg;
	size_t room = op->hook.limit - op->hook.len;

	if (len > 0)
		(void)buf_add(&op->hook, text, (size_t)len < room ? (size_t)len : room);
	return check_deadline(op);
}

/* A branch that was taken back looks as if our commits, and with them those taken away, could just
 * be put on top. What we have got there already, by a push whose answer was lost, is one more case
 * of having to look. */
static int
on_negotiated(const git_push_update **updates, size_t n, void *arg)
{
	struct operation *op = arg;

	op->moved = op->push_on != NULL && (n != 1 || !git_oid_equal(&updates[0]->src, op->push_on));
	return op->moved ? GIT_EUSER : check_deadline(op);
}

static int
on_ref_status(const char *ref, const char *status, void *arg)
{
	struct operation *op = arg;

	(void)ref;
	if (status != NULL)
		snprintf(op->status, sizeof op->status, "%s", status);
	return 0;
}

static git_remote_callbacks
callbacks(struct operation *op)
{
	git_remote_callbacks calls;

	git_remote_init_callbacks(&calls, GIT_REMOTE_CALLBACKS_VERSION);
	calls.transport = on_transport;
	calls.transfer_progress = on_received;
	calls.pack_progress = on_packed;
	calls.push_transfer_progress = on_sent;
	calls.sideband_progress = on_sideband;
	calls.push_update_reference = on_ref_status;
	calls.push_negotiation = on_negotiated;
	calls.payload = op;
	return calls;
}

static void
operation_done(struct operation *op)
{
	git_remote_free(op->remote);
	git_url_done(&op->url);
	buf_done(&op->hook);
	free(op->shown);
}

/* What a hook printed, on one line, without git's own progress, whose lines end in '\r' or tell
 * a percentage. */
static void
hook_text(const struct buf *said, char *out, size_t size)
{
	const char *line = buf_str(said);
	size_t used = 0, len;

	out[0] = '\0';
	for (; *line != '\0' && used < size - 1; line += len + (line[len] != '\0')) {
		len = strcspn(line, "\r\n");
		if (len == 0 || line[len] == '\r' || memmem(line, len, "% (", 3) != NULL)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%.*s", used != 0 ? "; " : "",
		    (int)len, line);
	}
}

/* The most telling of what is known: the deadline or the transport, else libgit2's message. */
static int
operation_fail(struct operation *op, enum error_kind kind, struct error *err)
{
	const git_error *last = git_error_last();
	char text[HOOK_SHOWN];

	if (check_deadline(op) != 0) {
		error_set(err, op->transport.error.kind, "%s: %s", op->shown,
		    op->transport.error.text);
		http_hide_url_login(op->transport.at->url, err);
		return -1;
	}
	if (kind == ERROR_REMOTE && last != NULL && last->klass == GIT_ERROR_OS)
		kind = ERROR_SYSTEM;
	hook_text(&op->hook, text, sizeof text);
	git_fail(err, kind, "%s%s%s", op->shown, text[0] != '\0' ? ": " : "", text);
	http_hide_url_login(op->transport.at->url, err);
	return -1;
}

/* libgit2's local transport does not tell. */
static bool
is_missing(const struct operation *op)
{
	return op->url.kind == GIT_URL_LOCAL &&
	    git_repository_open_ext(NULL, op->url.path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) ==
	    GIT_ENOTFOUND;
}

static int
connect_remote(struct operation *op, git_repository *git, struct error *err)
{
	/* Without these flags each remote costs 80 KiB that are never given back. */
	git_remote_create_options options;
	git_remote_callbacks calls = callbacks(op);
	const char *url = op->url.kind == GIT_URL_LOCAL ? op->url.path : op->transport.at->url;

	git_remote_create_options_init(&options, GIT_REMOTE_CREATE_OPTIONS_VERSION);
	options.repository = git;
	options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	if (git_remote_create_with_opts(&op->remote, url, &options) != 0)
		return operation_fail(op, ERROR_INPUT, err);
	if (git_remote_connect(op->remote, op->direction, &calls, NULL, NULL) != 0)
		return operation_fail(op, is_missing(op) ? ERROR_MISSING : ERROR_REMOTE, err);
	return 0;
}

static int
operation_begin(struct operation *op, git_repository *git, const struct git_remote_at *at,
    git_direction direction, const struct deadline *deadline, struct error *err)
{
	*op = (struct operation){
		.transport = { .at = at, .deadline = deadline },
		.hook = BUF_LIMIT(HOOK_MAX_BYTES),
		.shown = git_url_shown(at->url),
		.direction = direction,
	};
	git_error_clear();
	if (git_url_parse(at->url, &op->url, err) == -1)
		return error_prefix(err, "%s", op->shown);
	if (check_deadline(op) != 0)
		return operation_fail(op, ERROR_REMOTE, err);
	return connect_remote(op, git, err);
}

static int
find_ref(struct operation *op, const char *ref, size_t ref_len, git_oid *oid, bool *found,
    struct error *err)
{
	const git_remote_head **heads;
	size_t i, n;

	if (git_remote_ls(&heads, &n, op->remote) != 0)
		return operation_fail(op, ERROR_REMOTE, err);
	*found = false;
	for (i = 0; i < n && !*found; i++) {
		if (strncmp(heads[i]->name, ref, ref_len) != 0 || heads[i]->name[ref_len] != '\0')
			continue;
		git_oid_cpy(oid, &heads[i]->oid);
		*found = true;
	}
	return 0;
}

int
git_remote_ref(git_repository *git, const struct git_remote_at *at, const char *ref, git_oid *oid,
    bool *found, const struct deadline *deadline, struct error *err)
{
	cleanup(operation_done) struct operation op;

	if (operation_begin(&op, git, at, GIT_DIRECTION_FETCH, deadline, err) == -1)
		return -1;
	return find_ref(&op, ref, strlen(ref), oid, found, err);
}

/* libgit2 takes a ref that the remote lacks for one that needs nothing fetched. */
static int
check_source(struct operation *op, const char *refspec, struct error *err)
{
	const char *source = refspec + (*refspec == '+');
	size_t len = strcspn(source, ":");
	git_oid oid;
	bool found;

	if (find_ref(op, source, len, &oid, &found, err) == -1)
		return -1;
	if (!found)
		return error_set(err, ERROR_MISSING, "%s: there is no '%.*s'", op->shown, (int)len,
		    source);
	return 0;
}

int
git_fetch(git_repository *git, const struct git_remote_at *at, const char *refspec,
    const struct deadline *deadline, struct error *err)
{
	cleanup(operation_done) struct operation op;
	git_fetch_options options;
	char *specs[] = { (char *)refspec };
	git_strarray refspecs = { specs, 1 };

	if (operation_begin(&op, git, at, GIT_DIRECTION_FETCH, deadline, err) == -1 ||
	    check_source(&op, refspec, err) == -1)
		return -1;
	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks = callbacks(&op);
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.prune = GIT_FETCH_NO_PRUNE;
	options.update_fetchhead = 0;
	if (git_remote_fetch(op.remote, &refspecs, &options, NULL) != 0)
		return operation_fail(&op, ERROR_REMOTE, err);
	return 0;
}

/* Did somebody else move the ref between our look at it and our push? git has no code for it. */
static bool
lost_race(const char *status)
{
	static const char *const words[] = {
		"non-fast-forward", "fetch first", "stale info", "failed to update ref",
		"cannot lock ref", "incorrect old value", "reference already exists",
		"failed to lock file", "old reference value does not match",	/* libgit2's */
	};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasestr(status, words[i]) != NULL)
			return true;
	return false;
}

static enum git_push_result
refused_or_behind(struct operation *op, struct error *err)
{
	char text[HOOK_SHOWN];

	if (lost_race(op->status))
		return GIT_PUSH_BEHIND;
	hook_text(&op->hook, text, sizeof text);
	error_set(err, ERROR_CREDENTIALS, "%s: push refused: %s%s%s", op->shown, op->status,
	    text[0] != '\0' ? ": " : "", text);
	http_hide_url_login(op->transport.at->url, err);
	return GIT_PUSH_REFUSED;
}

int
git_push_to(git_repository *git, const struct git_remote_at *at, const char *refspec,
    const git_oid *on, enum git_push_result *result, const struct deadline *deadline,
    struct error *err)
{
	cleanup(operation_done) struct operation op;
	git_push_options options;
	char *specs[] = { (char *)refspec };
	git_strarray refspecs = { specs, 1 };
	int status;

	if (operation_begin(&op, git, at, GIT_DIRECTION_PUSH, deadline, err) == -1)
		return -1;
	git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
	options.callbacks = callbacks(&op);
	op.push_on = on;
	status = git_remote_push(op.remote, &refspecs, &options);
	if (status == GIT_ENONFASTFORWARD || op.moved)
		*result = GIT_PUSH_BEHIND;
	else if (status != 0)
		return operation_fail(&op, ERROR_REMOTE, err);
	else
		*result = op.status[0] == '\0' ? GIT_PUSH_DONE : refused_or_behind(&op, err);
	return 0;
}
