#include "common/frame.h"

#include <string.h>

static size_t
count_nuls(const char *data, size_t len)
{
	const char *at = data, *end = data + len;
	size_t n = 0;

	while (at < end && (at = memchr(at, '\0', (size_t)(end - at))) != NULL) {
		at++;
		n++;
	}
	return n;
}

bool
frame_add(struct frame *f, const void *p, size_t n)
{
	if (f->start != 0) {
		buf_drain(&f->buf, f->start);
		f->searched -= f->start;
		f->start = 0;
	}
	if (!buf_add(&f->buf, p, n))
		return false;
	f->complete += count_nuls(f->buf.data + f->searched, f->buf.len - f->searched);
	f->searched = f->buf.len;
	return true;
}

bool
frame_next(struct frame *f, const char **data, size_t *len)
{
	const char *begin = f->buf.data + f->start;

	if (f->complete == 0)
		return false;
	*data = begin;
	*len = strlen(begin);
	f->start += *len + 1;
	f->complete--;
	return true;
}

void
frame_done(struct frame *f)
{
	buf_done(&f->buf);
	f->start = f->searched = f->complete = 0;
}
