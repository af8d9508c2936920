#include "daemon/tarball.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/alloc.h"
#include "tests/unit/test.h"

/* One ustar header; fields that are not given are zero. */
static void
member_add(struct buf *tar, const char *name, char type, const char *link, const char *data)
{
	char header[512] = "", padding[512] = "";
	unsigned int sum = 0;
	size_t len = strlen(data), i;

	snprintf(header, 100, "%s", name);
	snprintf(header + 100, 8, "%07o", 0644);
	snprintf(header + 108, 8, "%07o", 0);
	snprintf(header + 116, 8, "%07o", 0);
	snprintf(header + 124, 12, "%07o", (unsigned int)len & 0777777);
	snprintf(header + 136, 12, "%011o", 0);
	memset(header + 148, ' ', 8);
	header[156] = type;
	snprintf(header + 157, 100, "%s", link);
	memcpy(header + 257, "ustar\00000", 8);
	for (i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	buf_add(tar, header, sizeof(header));
	buf_add(tar, data, len);
	buf_add(tar, padding, (512 - len % 512) % 512);
}

static int
file_of(const struct buf *bytes)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	if (fd == -1 || write(fd, bytes->data, bytes->len) != (ssize_t)bytes->len)
		abort();
	return fd;
}

static struct tarball *
open_fd(int fd, struct error *err)
{
	struct deadline d = deadline_in(20000, NULL);
	cleanup(close_p) int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return tarball_open(fd, tmp, 1u << 20, &d, err);
}

static bool
holds(const struct tarball *t, const char *name, const char *want)
{
	cleanup(buf_done) struct buf got = BUF_INIT;
	struct extent at;

	return tarball_find(t, name, &at) && extent_load(&at, 1024, &got, NULL) == 0 &&
	    strcmp(buf_str(&got), want) == 0;
}

TEST(members_are_found_where_they_lie)
{
	cleanup(buf_done) struct buf tar = BUF_INIT;
	cleanup(tarball_free_p) struct tarball *t = NULL;
	cleanup(close_p) int fd = -1;
	struct error err = ERROR_INIT;
	struct extent at;

	member_add(&tar, "./a//x", '0', "", "first");
	member_add(&tar, "dir/", '5', "", "");
	member_add(&tar, "dir/link", '2', "../a/./x", "");
	member_add(&tar, "hard", '1', "a/x", "");
	member_add(&tar, "b", '0', "", "one");
	member_add(&tar, "b", '0', "", "two");
	member_add(&tar, "empty", '0', "", "");
	buf_add(&tar, (char[1024]){ 0 }, 1024);
	fd = file_of(&tar);
	t = open_fd(fd, &err);
	CHECK_STR(err.text, "");
	CHECK(t != NULL);
	CHECK_INT(tarball_count(t), 5);
	CHECK_STR(tarball_name(t, 0), "a/x");
	CHECK(holds(t, "a/x", "first"));
	CHECK(holds(t, "dir/link", "first"));
	CHECK(holds(t, "hard", "first"));
	CHECK(holds(t, "b", "two"));
	CHECK(holds(t, "empty", ""));
	CHECK(!tarball_find(t, "dir", &at));
	CHECK(!tarball_find(t, "", &at));
	CHECK(tarball_find(t, "a/x", &at));
	CHECK_INT(at.fd, fd);
	CHECK_INT(at.offset, 512);
}

TEST(links_that_lead_nowhere)
{
	cleanup(buf_done) struct buf tar = BUF_INIT;
	cleanup(tarball_free_p) struct tarball *t = NULL;
	cleanup(close_p) int fd = -1;
	struct error err = ERROR_INIT;
	struct extent at;

	member_add(&tar, "self", '2', "self", "");
	member_add(&tar, "gone", '2', "nothing", "");
	member_add(&tar, "top", '2', ".", "");
	fd = file_of(&tar);
	t = open_fd(fd, &err);
	CHECK(t != NULL);
	CHECK(!tarball_find(t, "self", &at));
	CHECK(!tarball_find(t, "gone", &at));
	CHECK(!tarball_find(t, "top", &at));
}

static void *
feed(void *arg)
{
	int *fds = arg;
	char byte;

	while (read(fds[0], &byte, 1) == 1 && write(fds[1], &byte, 1) == 1)
		;
	close(fds[1]);
	return NULL;
}

TEST(a_pipe_that_trickles)
{
	cleanup(buf_done) struct buf tar = BUF_INIT;
	cleanup(tarball_free_p) struct tarball *t = NULL;
	cleanup(close_p) int fd = -1;
	struct error err = ERROR_INIT;
	int out[2], ends[2];
	pthread_t thread;

	member_add(&tar, "a", '0', "", "piped");
	fd = file_of(&tar);
	lseek(fd, 0, SEEK_SET);
	CHECK(pipe2(out, O_CLOEXEC) == 0);
	ends[0] = fd;
	ends[1] = out[1];
	pthread_create(&thread, NULL, feed, ends);
	t = open_fd(out[0], &err);
	pthread_join(thread, NULL);
	close(out[0]);
	CHECK(t != NULL);
	CHECK(holds(t, "a", "piped"));
}

TEST(a_silent_pipe_is_left_at_the_deadline)
{
	struct deadline d = deadline_in(50, NULL);
	struct error err = ERROR_INIT;
	int out[2];

	CHECK(pipe2(out, O_CLOEXEC) == 0);
	CHECK(tarball_open(out[0], AT_FDCWD, 1000, &d, &err) == NULL);
	CHECK_INT(err.kind, ERROR_REMOTE);
	close(out[0]);
	close(out[1]);
}

TEST(what_is_refused)
{
	static const struct {
		const char	*name, *link, *text;
		char		 type;
	} bad[] = {
		{ "/abs", "", "member '/abs': its name leads outside", '0' },
		{ "a/../b", "", "member 'a/../b': its name leads outside", '0' },
		{ "a", "../b", "member 'a': its link leads outside, to '../b'", '2' },
		{ "a/b", "/etc", "member 'a/b': its link leads outside, to '/etc'", '2' },
		{ "a/b", "../c", "member 'a/b': its link leads outside, to '../c'", '1' },
		{ "dev", "", "member 'dev': devices and the like are not taken", '3' },
		{ "fifo", "", "member 'fifo': devices and the like are not taken", '6' },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cleanup(buf_done) struct buf tar = BUF_INIT;
		cleanup(close_p) int fd = -1;
		struct error err = ERROR_INIT;

		member_add(&tar, "good", '0', "", "x");
		member_add(&tar, bad[i].name, bad[i].type, bad[i].link, "");
		fd = file_of(&tar);
		CHECK(open_fd(fd, &err) == NULL);
		CHECK_STR(err.text, bad[i].text);
		CHECK_INT(err.kind, ERROR_INPUT);
	}
}

int
main(void)
{
	return RUN(CASE(members_are_found_where_they_lie), CASE(links_that_lead_nowhere),
	    CASE(a_pipe_that_trickles), CASE(a_silent_pipe_is_left_at_the_deadline),
	    CASE(what_is_refused));
}
