#include "crane/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "tests/unit/test.h"

static char top[64];
static struct event_base *base;
static unsigned int changes;

static void
shell(const char *command)
{
	cleanup(free_p) char *line = xasprintf("cd '%s' && %s", top, command);

	if (system(line) != 0)
		abort();
}

static void
on_change(void *arg)
{
	(void)arg;
	changes++;
	event_base_loopbreak(base);
}

/* Whether the watch calls within some seconds; it does so after 0.1 s of quiet. */
static bool
noticed(void)
{
	struct timeval limit = { 20, 0 };

	changes = 0;
	event_base_loopexit(base, &limit);
	event_base_dispatch(base);
	return changes == 1;
}

static struct watch *
begin(const char *before, const char *dir)
{
	cleanup(free_p) char *path = NULL;
	const char *tmp = getenv("TMPDIR");
	struct watch *w;

	snprintf(top, sizeof(top), "%.40s/watch-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(top) == NULL)
		abort();
	shell(before);
	path = xasprintf("%s/%s", top, dir);
	base = event_base_new();
	w = watch_new(base, path, on_change, NULL, NULL);
	if (w == NULL)
		abort();
	return w;
}

static void
end(struct watch *w)
{
	watch_free(w);
	event_base_free(base);
	shell("rm -rf '../'$(basename \"$PWD\")");
}

TEST(files_come_change_and_go)
{
	struct watch *w = begin("mkdir data", "data");

	shell("echo 1 >data/.x && mv data/.x data/a.json");
	CHECK(noticed());
	shell("echo 2 >data/a.json");
	CHECK(noticed());
	shell("rm data/a.json");
	CHECK(noticed());
	end(w);
}

TEST(folders_are_watched_from_when_they_come)
{
	struct watch *w = begin("mkdir data", "data");

	shell("mkdir data/sub");
	CHECK(noticed());
	shell("echo 1 >data/sub/a.json");
	CHECK(noticed());
	end(w);
}

TEST(a_link_is_replaced)
{
	struct watch *w = begin("mkdir -p one/data two/data && ln -s one current", "current/data");

	shell("ln -s two next && mv -T next current");
	CHECK(noticed());
	shell("echo 1 >two/data/a.json");	/* the new place is watched */
	CHECK(noticed());
	end(w);
}

TEST(a_directory_comes_late)
{
	struct watch *w = begin("true", "a/data");

	shell("mkdir -p a/data");
	CHECK(noticed());
	shell("echo 1 >a/data/a.json");
	CHECK(noticed());
	end(w);
}

TEST(a_directory_is_replaced)
{
	struct watch *w = begin("mkdir data new", "data");

	shell("mv data old && mv new data");
	CHECK(noticed());
	shell("echo 1 >data/a.json");
	CHECK(noticed());
	end(w);
}

TEST(many_changes_are_one)
{
	struct watch *w = begin("mkdir data", "data");

	shell("for i in 1 2 3 4 5 6 7 8 9; do echo $i >data/$i.json; done");
	CHECK(noticed());
	CHECK_INT(changes, 1);
	end(w);
}

int
main(void)
{
	return RUN(CASE(files_come_change_and_go), CASE(folders_are_watched_from_when_they_come),
	    CASE(a_link_is_replaced), CASE(a_directory_comes_late), CASE(a_directory_is_replaced),
	    CASE(many_changes_are_one));
}
