#include "daemon/crew.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "tests/unit/test.h"

#define PIECES 500

struct work {
	atomic_uint	done[PIECES];
	atomic_uint	n;
	size_t		fails_at;	/* PIECES: none does */
};

/* Tools that notice when two threads use them at once. */
struct tools {
	atomic_int	users;
};

static atomic_int n_tools, crowded;

static void *
tools_new(void *arg, struct error *err)
{
	unsigned int *left = arg;

	if (left != NULL && (*left)-- == 0) {
		error_set(err, ERROR_CREDENTIALS, "no more tools");
		return NULL;
	}
	atomic_fetch_add(&n_tools, 1);
	return xcalloc(1, sizeof(struct tools));
}

static void
tools_free(void *tools)
{
	atomic_fetch_sub(&n_tools, 1);
	free(tools);
}

static int
do_piece(void *arg, void *tools, size_t i, struct error *err)
{
	struct work *w = arg;
	struct tools *t = tools;

	if (atomic_fetch_add(&t->users, 1) != 0)
		atomic_store(&crowded, 1);
	atomic_fetch_add(&w->done[i], 1);
	atomic_fetch_add(&w->n, 1);
	atomic_fetch_sub(&t->users, 1);
	return i == w->fails_at ? error_set(err, ERROR_REMOTE, "piece %zu", i) : 0;
}

static struct crew *
make(unsigned int threads, unsigned int *tools_left, struct error *err)
{
	return crew_new(&(struct crew_options){ .threads = threads, .stack_size = 256 * 1024,
	    .tools_new = tools_new, .tools_free = tools_free, .arg = tools_left }, err);
}

TEST(every_piece_is_done_once)
{
	static const unsigned int threads[] = { 1, 2, 8, CREW_MAX };
	struct error err = ERROR_INIT;
	size_t i, k;

	for (k = 0; k < 4; k++) {
		cleanup(crew_free_p) struct crew *crew = make(threads[k], NULL, &err);
		struct work w = { .fails_at = PIECES };

		CHECK(crew != NULL);
		CHECK_INT(atomic_load(&n_tools), threads[k]);
		CHECK_INT(crew_run(crew, PIECES, do_piece, &w, &err), 0);
		for (i = 0; i < PIECES; i++)
			CHECK_INT(atomic_load(&w.done[i]), 1);
		CHECK_INT(crew_run(crew, 0, do_piece, &w, &err), 0);
		CHECK_INT(crew_run(crew, 1, do_piece, &w, &err), 0);
		CHECK_INT(atomic_load(&w.done[0]), 2);
	}
	CHECK_INT(atomic_load(&crowded), 0);
	CHECK_INT(atomic_load(&n_tools), 0);
}

TEST(a_failure_ends_it_and_the_crew_goes_on)
{
	struct error err = ERROR_INIT;
	cleanup(crew_free_p) struct crew *crew = make(4, NULL, &err);
	struct work failing = { .fails_at = 3 }, fine = { .fails_at = PIECES };

	CHECK_INT(crew_run(crew, PIECES, do_piece, &failing, &err), -1);
	CHECK_STR(err.text, "piece 3");
	CHECK_INT(err.kind, ERROR_REMOTE);
	CHECK_INT(crew_run(crew, PIECES, do_piece, &fine, &err), 0);
	CHECK_INT(atomic_load(&fine.n), PIECES);
}

/* By one thread, the pieces behind the failure are not begun at all. */
TEST(nothing_is_begun_after_a_failure)
{
	struct error err = ERROR_INIT;
	cleanup(crew_free_p) struct crew *crew = make(1, NULL, &err);
	struct work w = { .fails_at = 3 };

	CHECK_INT(crew_run(crew, PIECES, do_piece, &w, &err), -1);
	CHECK_INT(atomic_load(&w.n), 4);
}

/* Each piece of the first batch brings a batch of its own. */
struct growing {
	struct crew	*crew;
	struct work	 work[8];
	size_t		 fails_at;	/* the piece of the first batch; 8: none does */
};

static int
bring_more(void *arg, void *tools, size_t i, struct error *err)
{
	struct growing *g = arg;

	(void)tools;
	if (i == g->fails_at)
		return error_set(err, ERROR_REMOTE, "piece %zu", i);
	g->work[i].fails_at = PIECES;
	crew_add(g->crew, i * 10, do_piece, &g->work[i]);
	return 0;
}

TEST(pieces_may_bring_others)
{
	static const unsigned int threads[] = { 1, 2, 8, CREW_MAX };
	struct error err = ERROR_INIT;
	size_t i, k;

	for (k = 0; k < 4; k++) {
		cleanup(crew_free_p) struct crew *crew = make(threads[k], NULL, &err);
		struct growing all = { .crew = crew, .fails_at = 8 };
		struct growing failing = { .crew = crew, .fails_at = 5 };

		CHECK_INT(crew_run(crew, 8, bring_more, &all, &err), 0);
		for (i = 0; i < 8; i++)
			CHECK_INT(atomic_load(&all.work[i].n), i * 10);
		CHECK_INT(crew_run(crew, 8, bring_more, &failing, &err), -1);
		CHECK_STR(err.text, "piece 5");
	}
	CHECK_INT(atomic_load(&crowded), 0);
}

TEST(tools_that_cannot_be_made)
{
	struct error err = ERROR_INIT;
	unsigned int left = 2;

	CHECK(make(4, &left, &err) == NULL);
	CHECK_STR(err.text, "no more tools");
	CHECK_INT(atomic_load(&n_tools), 0);
}

int
main(void)
{
	return RUN(CASE(every_piece_is_done_once), CASE(a_failure_ends_it_and_the_crew_goes_on),
	    CASE(nothing_is_begun_after_a_failure),
	    CASE(pieces_may_bring_others), CASE(tools_that_cannot_be_made));
}
