/* Each row of the command table has its handler, and the other way round: dispatch.c is included,
 * for its table is nobody else's. */
#include "daemon/dispatch.c"

#include "tests/unit/test.h"

TEST(every_method_has_a_handler)
{
	const struct method *m;
	size_t i;

	for (m = methods; m->command != NULL; m++) {
		printf("# %s\n", m->name);
		for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
			if (strcmp(handlers[i].method, m->name) == 0)
				break;
		CHECK(i < sizeof(handlers) / sizeof(handlers[0]));
	}
}

TEST(every_handler_has_a_row)
{
	size_t i;

	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		printf("# %s\n", handlers[i].method);
		CHECK(method_by_name(handlers[i].method) != NULL);
	}
}

int
main(void)
{
	return RUN(CASE(every_method_has_a_handler), CASE(every_handler_has_a_row));
}
