#include "daemon/layer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/alloc.h"
#include "daemon/unpack.h"
#include "tests/unit/test.h"

#define SIZE (3u << 20)

static const struct deadline *
soon(void)
{
	static struct deadline d;

	d = deadline_in(60000, NULL);
	return &d;
}

static int
tmp_dir(void)
{
	return open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Bytes that compress somewhat, behind others that are not part of the extent. */
static struct extent
plain_make(size_t size)
{
	struct extent e = { .fd = memfd_create("layer", MFD_CLOEXEC), .owned = true, .offset = 7,
	    .size = size };
	cleanup(free_p) char *data = xcalloc(size + 8, 1);
	uint32_t x = 1;
	size_t i;

	for (i = 0; i < size + 7; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = "abcdefgh"[x >> 29];
	}
	if (write(e.fd, data, size + 8) != (ssize_t)size + 8)
		abort();
	return e;
}

TEST(twice_the_same_bytes)
{
	cleanup(close_p) int dir = tmp_dir();
	cleanup(extent_done) struct extent plain = plain_make(SIZE);
	struct packed_layer a, b;
	char digest[DIGEST_SIZE], diff_id[DIGEST_SIZE];
	struct error err = ERROR_INIT;

	CHECK_INT(layer_pack(&plain, dir, &a, soon(), &err), 0);
	CHECK_INT(layer_pack(&plain, dir, &b, soon(), &err), 0);
	CHECK_STR(a.digest, b.digest);
	CHECK(a.at.size < SIZE / 2);
	CHECK_INT(extent_check(&a.at, a.digest, soon(), &err), 0);
	CHECK_INT(extent_check(&plain, a.diff_id, soon(), &err), 0);
	CHECK_INT(layer_diff_id(&a.at, diff_id, soon(), &err), 0);
	CHECK_STR(diff_id, a.diff_id);
	CHECK_INT(layer_diff_id(&plain, digest, soon(), &err), 0);
	CHECK_STR(digest, a.diff_id);
	extent_done(&a.at);
	extent_done(&b.at);
}

TEST(packed_already)
{
	cleanup(close_p) int dir = tmp_dir();
	cleanup(extent_done) struct extent plain = plain_make(1000);
	struct packed_layer once, again;
	struct error err = ERROR_INIT;

	CHECK_INT(layer_pack(&plain, dir, &once, soon(), &err), 0);
	CHECK_INT(layer_pack(&once.at, dir, &again, soon(), &err), 0);
	CHECK_STR(again.digest, once.digest);
	CHECK_STR(again.diff_id, once.diff_id);
	CHECK_INT(again.at.fd, once.at.fd);
	CHECK(!again.at.owned);
	extent_done(&once.at);
}

TEST(empty_and_compressed_empty)
{
	cleanup(close_p) int dir = tmp_dir();
	cleanup(extent_done) struct extent plain = plain_make(0);
	struct packed_layer packed, again;
	struct error err = ERROR_INIT;

	CHECK_INT(layer_pack(&plain, dir, &packed, soon(), &err), 0);
	CHECK_STR(packed.diff_id, DIGEST_PREFIX SHA256_HEX_EMPTY);
	CHECK_INT(layer_pack(&packed.at, dir, &again, soon(), &err), 0);
	CHECK_STR(again.diff_id, DIGEST_PREFIX SHA256_HEX_EMPTY);
	extent_done(&packed.at);
}

TEST(cut_off)
{
	cleanup(close_p) int dir = tmp_dir();
	cleanup(extent_done) struct extent plain = plain_make(SIZE);
	struct packed_layer packed;
	struct extent cut;
	char diff_id[DIGEST_SIZE];
	struct error err = ERROR_INIT;

	CHECK_INT(layer_pack(&plain, dir, &packed, soon(), &err), 0);
	cut = packed.at;
	cut.size /= 2;
	CHECK_INT(layer_diff_id(&cut, diff_id, soon(), &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	cut.size = packed.at.size + 100;
	CHECK_INT(extent_check(&cut, packed.digest, soon(), &err), -1);
	CHECK(strstr(err.text, "ends early") != NULL);
	extent_done(&packed.at);
}

TEST(cancelled)
{
	cleanup(close_p) int dir = tmp_dir();
	cleanup(extent_done) struct extent plain = plain_make(1000);
	atomic_bool flag = true;
	struct deadline d = deadline_in(60000, &flag);
	struct packed_layer packed;
	struct error err = ERROR_INIT;

	CHECK_INT(layer_pack(&plain, dir, &packed, &d, &err), -1);
	CHECK_INT(err.kind, ERROR_CANCELLED);
}

TEST(a_spool_has_a_limit)
{
	cleanup(close_p) int dir = tmp_dir();
	struct error err = ERROR_INIT;
	cleanup(spool_free_p) struct spool *spool = spool_new(dir, 10, &err);

	CHECK(spool != NULL);
	CHECK_INT(spool_add(spool, "123456", 6, &err), 0);
	CHECK_INT(spool_add(spool, "12345", 5, &err), -1);
	CHECK_STR(err.text, "more than 10 bytes");
	CHECK_INT(spool_size(spool), 6);
	CHECK_INT(spool_restart(spool, &err), 0);
	CHECK_INT(spool_add(spool, "1234567890", 10, &err), 0);
}

int
main(void)
{
	return RUN(CASE(twice_the_same_bytes), CASE(packed_already),
	    CASE(empty_and_compressed_empty), CASE(cut_off), CASE(cancelled),
	    CASE(a_spool_has_a_limit));
}
