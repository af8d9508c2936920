#include "daemon/gc.h"

#include "common/cleanup.h"
#include "tests/unit/test.h"

#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BEFORE 1000

static const struct {
	const char	*key;
	time_t		 mtime;
	bool		 goes;
} rows[] = {
	{ "app/blobs/sha256:" HEX, BEFORE - 1, true },
	{ "app/blobs/sha256:" HEX, BEFORE, false },		/* young */
	{ "app/blobs/sha256:" HEX, BEFORE + 9, false },
	{ "app/blobs/sha256:" HEX, 0, false },			/* of unknown age */
	{ "app/tags/list", BEFORE - 1, false },			/* named */
	{ "pulp/blobs/sha256:" HEX, BEFORE - 1, false },	/* unclear */
	{ "app/README", BEFORE - 1, false },			/* foreign */
	{ "other/blobs/sha256:" HEX, BEFORE - 1, false },
};

TEST(only_what_is_old_and_named_by_nobody_goes)
{
	cleanup(references_done) struct references r = REFERENCES_INIT;
	struct gc_totals totals = { 0 };
	size_t i;

	references_add_prefix(&r, "app/");
	references_add_prefix(&r, "pulp/");
	crane_ids_add(&r.keys, "app/tags/list");
	crane_ids_add(&r.opaque, "pulp/");
	references_seal(&r);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("# %s %lld\n", rows[i].key, (long long)rows[i].mtime);
		CHECK_INT(gc_judge(&r, BEFORE, rows[i].key, 7, rows[i].mtime, &totals), rows[i].goes);
	}
	CHECK_INT(totals.found, 1);
	CHECK_INT(totals.bytes, 7);
	CHECK_INT(totals.young, 3);
	CHECK_INT(totals.named, 1);
	CHECK_INT(totals.unclear, 1);
	CHECK_INT(totals.foreign, 2);
}

TEST(uploads_that_were_broken_off_go)
{
	cleanup(references_done) struct references r = REFERENCES_INIT;
	struct gc_totals totals = { 0 };

	references_add_prefix(&r, "app/");
	references_add_prefix(&r, "pulp/");
	crane_ids_add(&r.keys, "app/blobs/sha256:" HEX);
	crane_ids_add(&r.opaque, "pulp/");
	references_seal(&r);
	CHECK(gc_judge_upload(&r, BEFORE, "app/blobs/sha256:" HEX, BEFORE - 1, &totals));
	CHECK(!gc_judge_upload(&r, BEFORE, "app/blobs/sha256:" HEX, BEFORE, &totals));
	CHECK(!gc_judge_upload(&r, BEFORE, "app/blobs/sha256:" HEX, 0, &totals));
	CHECK(!gc_judge_upload(&r, BEFORE, "pulp/blobs/sha256:" HEX, BEFORE - 1, &totals));
	CHECK(!gc_judge_upload(&r, BEFORE, "other/x", BEFORE - 1, &totals));
	CHECK_INT(totals.uploads, 1);
	CHECK_INT(totals.found, 0);
}

/* Without any metadata nothing is known, and nothing goes. */
TEST(an_empty_config_repo_removes_nothing)
{
	cleanup(references_done) struct references r = REFERENCES_INIT;
	struct gc_totals totals = { 0 };

	references_seal(&r);
	CHECK(!gc_judge(&r, BEFORE, "app/blobs/sha256:" HEX, 7, 1, &totals));
	CHECK_INT(totals.foreign, 1);
}

int
main(void)
{
	return RUN(CASE(only_what_is_old_and_named_by_nobody_goes),
	    CASE(uploads_that_were_broken_off_go),
	    CASE(an_empty_config_repo_removes_nothing));
}
