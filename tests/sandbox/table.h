/* table.h - things by name, kept in the order of their names (strcmp's).
 *
 * A plain value: TABLE_INIT, emptied by table_done(). It owns its copies of the names; the
 * values are the user's. Look-ups are binary searches; rows may be walked by index. */
#ifndef TESTS_SANDBOX_TABLE_H
#define TESTS_SANDBOX_TABLE_H

#include <stddef.h>

struct table_row {
	char	*name;
	void	*value;
};

struct table {
	struct table_row	*rows;
	size_t			 n;
	size_t			 size;	/* allocated */
};

#define TABLE_INIT { NULL, 0, 0 }

void	*table_get(const struct table *, const char *name);	/* NULL: none */
/* What stood there before, or NULL. */
void	*table_put(struct table *, const char *name, void *value);
void	*table_remove(struct table *, const char *name);	/* its value, or NULL */
/* Index of the first row whose name is `name` or comes after it; n when there is none. */
size_t	 table_seek(const struct table *, const char *name);
void	 table_done(struct table *, void (*free_value)(void *));	/* NULL: values are lent */

#endif
