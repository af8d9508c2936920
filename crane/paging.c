#include "crane/paging.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/s3-sign.h"

bool
paging_read(const struct request *r, struct paging *p)
{
	char number[REQUEST_VALUE_MAX];
	enum request_value found;

	*p = (struct paging){ .n = PAGING_MAX };
	found = request_parameter(r, "n", number);
	if (found == REQUEST_PRESENT) {
		if (number[0] == '\0' || number[strspn(number, "0123456789")] != '\0')
			return false;
		p->n = strlen(number) > 4 ? PAGING_MAX : strtoul(number, NULL, 10);
		if (p->n > PAGING_MAX)
			p->n = PAGING_MAX;
	}
	return found != REQUEST_BAD && request_parameter(r, "last", p->last) != REQUEST_BAD;
}

/* The first name after `last`. */
static size_t
first_after(const char *last, const void *list, size_t n, paging_name *name)
{
	size_t low = 0, high = n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(name(list, middle), last) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
add_link(struct answer *a, const char *path, size_t n, const char *last)
{
	cleanup(buf_done) struct buf link = BUF_INIT;

	buf_printf(&link, "<%s?n=%zu&last=", path, n);
	s3_encode(&link, last, false);
	buf_add_str(&link, ">; rel=\"next\"");
	answer_header(a, "Link", buf_str(&link));
}

json_t *
paging_cut(const struct paging *p, const void *list, size_t n, paging_name *name,
    const char *path, struct answer *a)
{
	size_t first = first_after(p->last, list, n, name), i;
	json_t *names = json_array();

	for (i = first; i < n && i - first < p->n; i++)
		json_array_append_new(names, json_text(name(list, i)));
	if (i < n && i > first)
		add_link(a, path, p->n, name(list, i - 1));
	return names;
}
