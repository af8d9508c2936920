#include "daemon/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/atomic-file.h"
#include "tests/unit/test.h"

static char dir[] = "/tmp/test-state-XXXXXX";
static struct isv_state *loaded[10];
static int n_loaded, n_written;

static void
on_loaded(void *arg, struct isv_state *s)
{
	(void)arg;
	loaded[n_loaded++] = s;
}

static void
on_written(void *arg, const struct error *err)
{
	(void)arg;
	n_written += err == NULL;
}

static struct isv_state *
example(const char *name)
{
	struct isv_state *s = isv_state_new(name);
	struct blob_id id = { "0123456789012345678901234567890123456789" };

	s->synced_id = xstrdup("abc");
	s->resources[RESOURCE_BUCKET] = (struct resource){ RESOURCE_BUCKET, STATE_MISSING, true,
	    xstrdup("b"), xstrdup("why") };
	isv_state_set_base(s, "b.json", &id);
	isv_state_set_base(s, "a.json", &id);
	s->error = xstrdup("broke");
	s->error_kind = ERROR_QUOTA;
	s->last_sync = 1234567890;
	s->access = ACCESS_ACL;
	s->access_bucket = xstrdup("b");
	s->pause = (struct pause){ true, xstrdup("alice"), xstrdup("because"), 1, 2 };
	isv_state_add_unlogged(s, "line 1");
	isv_state_add_unlogged(s, "line 2");
	return s;
}

static struct state_store *
open_store(struct event_base *base)
{
	struct error err = ERROR_INIT;

	return state_store_open(base, dir, &err);
}

static void
forget_loaded(void)
{
	while (n_loaded > 0)
		isv_state_free(loaded[--n_loaded]);
}

TEST(what_is_written_comes_back)
{
	struct event_base *base = event_base_new();
	struct state_store *store = open_store(base);
	struct isv_state *s = example("isv1"), *back;
	struct error err = ERROR_INIT;

	CHECK(store != NULL);
	state_store_write(store, s, on_written, NULL);
	while (n_written == 0)
		event_base_loop(base, EVLOOP_ONCE);
	state_store_close(store);
	CHECK((store = open_store(base)) != NULL);
	CHECK_INT(state_store_load(store, on_loaded, NULL, &err), 0);
	CHECK_INT(n_loaded, 1);
	back = loaded[0];
	CHECK_STR(back->name, "isv1");
	CHECK_STR(back->resources[RESOURCE_BUCKET].detail, "why");
	CHECK_INT(back->resources[RESOURCE_BUCKET].state, STATE_MISSING);
	CHECK(back->resources[RESOURCE_BUCKET].conflict);
	CHECK(back->resources[RESOURCE_APP].name == NULL);
	CHECK_STR(isv_state_base(back, "a.json").hex, "0123456789012345678901234567890123456789");
	CHECK_STR(isv_state_base(back, "c.json").hex, "");
	CHECK_INT(back->error_kind, ERROR_QUOTA);
	CHECK_INT(back->last_sync, 1234567890);
	CHECK_INT(back->access, ACCESS_ACL);
	CHECK_STR(back->access_bucket, "b");
	CHECK(back->pause.on && back->pause.until == 2);
	CHECK_STR(back->pause.by, "alice");
	CHECK_INT(back->n_unlogged, 2);
	isv_state_drop_unlogged(back, 1);
	CHECK_STR(back->unlogged[0], "line 2");
	state_store_remove(store, "isv1");
	state_store_close(store);
	forget_loaded();
	isv_state_free(s);
	event_base_free(base);
}

TEST(closing_writes_what_is_queued)
{
	struct event_base *base = event_base_new();
	struct state_store *store = open_store(base);
	struct isv_state *s = example("isv2");
	struct error err = ERROR_INIT;
	int i;

	for (i = 0; i < 50; i++) {
		s->last_sync = i;
		state_store_write(store, s, NULL, NULL);
	}
	state_store_close(store);
	CHECK((store = open_store(base)) != NULL);
	CHECK_INT(state_store_load(store, on_loaded, NULL, &err), 0);
	CHECK_INT(n_loaded, 1);
	CHECK_INT(loaded[0]->last_sync, 49);
	state_store_remove(store, "isv2");
	state_store_close(store);
	forget_loaded();
	isv_state_free(s);
	event_base_free(base);
}

TEST(a_second_raasd_is_refused)
{
	struct event_base *base = event_base_new();
	struct state_store *store = open_store(base);
	struct error err = ERROR_INIT;

	CHECK(state_store_open(base, dir, &err) == NULL);
	CHECK_INT(err.kind, ERROR_CONFLICT);
	state_store_close(store);
	event_base_free(base);
}

TEST(a_broken_file_is_put_aside)
{
	struct event_base *base = event_base_new();
	struct state_store *store = open_store(base);
	struct error err = ERROR_INIT;
	char *path = xasprintf("%s/isvs/isv3.json", dir);
	char *bad = xasprintf("%s.bad", path);

	CHECK_INT(atomic_file_write(AT_FDCWD, path, "{\"base\":{\"x\":1}}", 16, 0600, &err), 0);
	CHECK_INT(state_store_load(store, on_loaded, NULL, &err), 0);
	CHECK_INT(n_loaded, 0);
	CHECK_INT(access(path, F_OK), -1);
	CHECK_INT(access(bad, F_OK), 0);
	unlink(bad);
	free(path);
	free(bad);
	state_store_close(store);
	event_base_free(base);
}

TEST(files_have_limits)
{
	struct error err = ERROR_INIT;
	struct buf out = BUF_INIT;

	CHECK_INT(atomic_file_read(AT_FDCWD, "/dev/zero", 10, &out, &err), -1);
	CHECK_STR(err.text, "'/dev/zero' is not a regular file");
	CHECK_INT(atomic_file_read(AT_FDCWD, "/etc/services", 10, &out, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_INT(atomic_file_read(AT_FDCWD, "/nonexistent", 10, &out, &err), -1);
	CHECK_INT(err.kind, ERROR_MISSING);
	buf_done(&out);
}

int
main(void)
{
	char *command;
	int status;

	if (mkdtemp(dir) == NULL)
		return 1;
	status = RUN(CASE(what_is_written_comes_back), CASE(closing_writes_what_is_queued),
	    CASE(a_second_raasd_is_refused), CASE(a_broken_file_is_put_aside),
	    CASE(files_have_limits));
	command = xasprintf("rm -rf '%s'", dir);
	status |= system(command);
	free(command);
	return status;
}
