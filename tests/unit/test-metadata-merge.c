#include "daemon/metadata-merge.h"

#include "tests/unit/test.h"

static const char *const names[] = { "same", "push", "backup", "remove", "conflict" };

/* Each row: base config app, history flags (c: config's in the app's history, a: the other way
 * round), take (c, a or -), the answer. "-" is an absent file. */
static const struct row {
	const char	*base, *config, *app, *history, *take, *want;
} rows[] = {
	{ "-", "-", "-", "", "-", "same" },
	{ "-", "x", "x", "", "-", "same" },
	{ "y", "x", "x", "", "-", "same" },
	{ "y", "-", "-", "", "-", "same" },
	{ "-", "x", "-", "", "-", "push" },
	{ "x", "x", "-", "", "-", "push" },
	{ "y", "x", "-", "", "-", "push" },
	{ "-", "-", "x", "", "-", "backup" },
	{ "x", "-", "x", "", "-", "remove" },
	{ "x", "-", "y", "", "-", "conflict" },
	{ "x", "y", "x", "", "-", "push" },
	{ "x", "x", "y", "", "-", "backup" },
	{ "x", "y", "z", "", "-", "conflict" },
	{ "x", "y", "z", "ca", "-", "conflict" },
	{ "-", "y", "z", "", "-", "conflict" },
	{ "-", "y", "z", "ca", "-", "conflict" },
	{ "-", "y", "z", "c", "-", "backup" },
	{ "-", "y", "z", "a", "-", "push" },
	{ "x", "y", "z", "", "c", "push" },
	{ "x", "y", "z", "", "a", "backup" },
	{ "x", "-", "z", "", "c", "remove" },
	{ "x", "-", "z", "", "a", "backup" },
	{ "-", "y", "z", "", "c", "push" },
	{ "-", "y", "z", "", "a", "backup" },
	/* What is no conflict is not decided by `resolve`. */
	{ "x", "x", "y", "", "c", "backup" },
	{ "x", "y", "x", "", "a", "push" },
	{ "-", "x", "-", "", "a", "push" },
};

static struct blob_id
id(const char *s)
{
	struct blob_id b = { "" };

	if (s[0] != '-')
		strcpy(b.hex, s);
	return b;
}

TEST(every_row_of_the_table)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct merge_input in = { id(r->base), id(r->config), id(r->app),
		    strchr(r->history, 'c') != NULL, strchr(r->history, 'a') != NULL };
		enum merge_take take = r->take[0] == 'c' ? TAKE_CONFIG :
		    r->take[0] == 'a' ? TAKE_APP : TAKE_NONE;

		printf("# base %s config %s app %s\n", r->base, r->config, r->app);
		CHECK_STR(names[merge_decide(&in, take)], r->want);
	}
}

int
main(void)
{
	return RUN(CASE(every_row_of_the_table));
}
