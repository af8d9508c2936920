#include "daemon/problems.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/error.h"

static void
append(struct problems *p, struct config_problem problem)
{
	if (p->n == p->size) {
		p->size = p->size * 2 + 8;
		p->list = xreallocarray(p->list, p->size, sizeof(*p->list));
	}
	p->list[p->n++] = problem;
}

void
problems_vadd(struct problems *p, unsigned int line, const char *section, const char *fmt,
    va_list ap)
{
	struct error text = ERROR_INIT;

	if (p->n > PROBLEMS_MAX)
		return;
	if (p->n == PROBLEMS_MAX) {
		append(p, (struct config_problem){ 0, NULL, xstrdup("and more, which are not listed") });
		return;
	}
	error_vset(&text, ERROR_INPUT, fmt, ap);
	append(p, (struct config_problem){ line, xstrdup(section), xstrdup(text.text) });
}

void
problems_add(struct problems *p, unsigned int line, const char *section, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	problems_vadd(p, line, section, fmt, ap);
	va_end(ap);
}

static int
compare_lines(const void *a, const void *b)
{
	const struct config_problem *x = a, *y = b;

	/* What has no line belongs at the end. */
	return (x->line - 1 > y->line - 1) - (x->line - 1 < y->line - 1);
}

void
problems_sort(struct problems *p)
{
	if (p->n > 1)
		qsort(p->list, p->n, sizeof(*p->list), compare_lines);
}

void
problems_done(struct problems *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->list[i].section);
		free(p->list[i].text);
	}
	free(p->list);
	*p = (struct problems)PROBLEMS_INIT;
}
