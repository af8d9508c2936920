#include "tests/sandbox/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

size_t
table_seek(const struct table *t, const char *name)
{
	size_t low = 0, high = t->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(t->rows[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct table *t, size_t i, const char *name)
{
	return i < t->n && strcmp(t->rows[i].name, name) == 0;
}

void *
table_get(const struct table *t, const char *name)
{
	size_t i = table_seek(t, name);

	return is_at(t, i, name) ? t->rows[i].value : NULL;
}

void *
table_put(struct table *t, const char *name, void *value)
{
	size_t i = table_seek(t, name);
	void *old;

	if (is_at(t, i, name)) {
		old = t->rows[i].value;
		t->rows[i].value = value;
		return old;
	}
	if (t->n == t->size) {
		t->size = t->size == 0 ? 8 : t->size * 2;
		t->rows = xreallocarray(t->rows, t->size, sizeof(*t->rows));
	}
	memmove(t->rows + i + 1, t->rows + i, (t->n - i) * sizeof(*t->rows));
	t->rows[i] = (struct table_row){ xstrdup(name), value };
	t->n++;
	return NULL;
}

void *
table_remove(struct table *t, const char *name)
{
	size_t i = table_seek(t, name);
	void *value;

	if (!is_at(t, i, name))
		return NULL;
	value = t->rows[i].value;
	free(t->rows[i].name);
	t->n--;
	memmove(t->rows + i, t->rows + i + 1, (t->n - i) * sizeof(*t->rows));
	return value;
}

void
table_done(struct table *t, void (*free_value)(void *))
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		free(t->rows[i].name);
		if (free_value != NULL)
			free_value(t->rows[i].value);
	}
	free(t->rows);
	*t = (struct table)TABLE_INIT;
}
