#include "daemon/cfg-section.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/raas-cfg.h"
#include "daemon/span.h"

#define FILE_NAME "raas.cfg"

void
cfg_section_head(struct buf *lines, const char *name)
{
	buf_printf(lines, "[%s]\n", name);
}

void
cfg_section_key(struct buf *lines, const char *key, const char *value)
{
	buf_printf(lines, "%s = ", key);
	for (; *value != '\0'; value++) {
		if (*value == '%')
			buf_add(lines, "%", 1);
		buf_add(lines, value, 1);
	}
	buf_add_str(lines, "\n");
}

static struct raas_cfg *
read_buf(const struct buf *text)
{
	return raas_cfg_read(buf_str(text), text->len, FILE_NAME);
}

/* ---- what a text means ---- */

static bool
same_section(const struct raas_cfg_section *a, const struct raas_cfg_section *b)
{
	size_t i;

	if (a->n_entries != b->n_entries || (a->error == NULL) != (b->error == NULL))
		return false;
	for (i = 0; i < a->n_entries; i++) {
		const struct raas_cfg_entry *x = &a->entries[i], *y = &b->entries[i];

		if (strcmp(x->key, y->key) != 0 || (x->value == NULL) != (y->value == NULL) ||
		    (x->value != NULL && strcmp(x->value, y->value) != 0))
			return false;
	}
	return true;
}

/* Does `more` mean what `less` does, with a section of that name besides? */
static bool
differ_by_section(const struct raas_cfg *less, const struct raas_cfg *more, const char *name)
{
	size_t i, k;

	if (more->n_sections != less->n_sections + 1 ||
	    !same_section(&less->defaults, &more->defaults))
		return false;
	for (i = 0, k = 0; i < more->n_sections; i++) {
		const struct raas_cfg_section *s = &more->sections[i];

		if (strcmp(s->name, name) == 0)
			continue;
		if (k == less->n_sections || strcmp(s->name, less->sections[k].name) != 0 ||
		    !same_section(s, &less->sections[k++]))
			return false;
	}
	return k == less->n_sections;
}

/* ---- putting in ---- */

/* As the text's last line ends. */
static const char *
line_end(const struct buf *text)
{
	const char *s = buf_str(text);
	const char *lf = text->len > 0 ? memrchr(s, '\n', text->len) : NULL;

	if (lf != NULL)
		return lf > s && lf[-1] == '\r' ? "\r\n" : "\n";
	return text->len > 0 && memchr(s, '\r', text->len) != NULL ? "\r" : "\n";
}

static bool
ends_line(const struct buf *text)
{
	char last = text->len > 0 ? text->data[text->len - 1] : '\n';

	return last == '\n' || last == '\r';
}

/* The last line's first byte; `end` is that behind its end. */
static size_t
line_begin(const char *s, size_t end)
{
	if (end > 0 && s[end - 1] == '\n')
		end--;
	if (end > 0 && s[end - 1] == '\r')
		end--;
	while (end > 0 && s[end - 1] != '\n' && s[end - 1] != '\r')
		end--;
	return end;
}

static bool
is_blank(const char *s, size_t len)
{
	return span_strip((struct span){ s, len }, NULL).len == 0;
}

static bool
ends_blank(const struct buf *text)
{
	size_t begin = line_begin(buf_str(text), text->len);

	return text->len == 0 || is_blank(buf_str(text) + begin, text->len - begin);
}

static void
append(struct buf *text, const char *lines, size_t len)
{
	const char *end = line_end(text), *next;

	if (!ends_line(text))
		buf_add_str(text, end);
	if (!ends_blank(text))
		buf_add_str(text, end);
	for (; len > 0; len -= (size_t)(next - lines), lines = next) {
		const char *lf = memchr(lines, '\n', len);

		next = lf != NULL ? lf + 1 : lines + len;
		buf_add(text, lines, (size_t)((lf != NULL ? lf : next) - lines));
		buf_add_str(text, end);
	}
}

int
cfg_section_add(struct buf *text, const char *lines, size_t len, struct error *err)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *before = read_buf(text), *after = NULL;
	cleanup(raas_cfg_free_p) struct raas_cfg *one = raas_cfg_read(lines, len, FILE_NAME);
	cleanup(buf_done) struct buf out = BUF_INIT;
	const struct raas_cfg_section *old;
	const char *name;

	if (one->n_sections != 1 || one->errors.n > 0 || one->defaults.n_entries > 0)
		return error_set(err, ERROR_INPUT, "what is to be added is not one section");
	name = one->sections[0].name;
	if ((old = raas_cfg_section(before, name)) != NULL)
		return same_section(old, &one->sections[0]) ? 0 : error_set(err, ERROR_INPUT,
		    "there is a section [%s] already, in line %u", name, old->line);
	buf_add(&out, buf_str(text), text->len);
	append(&out, lines, len);
	after = read_buf(&out);
	if (!differ_by_section(before, after, name) ||
	    !same_section(raas_cfg_section(after, name), &one->sections[0]))
		return error_set(err, ERROR_INPUT, "section [%s] cannot be added behind what stands "
		    "there without changing its meaning", name);
	buf_clear(text);
	buf_add(text, out.data, out.len);
	return 0;
}

/* ---- taking out ---- */

/* The empty lines behind the section go with it; or at the end of the file, one before it. */
static void
widen(const struct buf *text, size_t *begin, size_t *end)
{
	struct span rest = { buf_str(text) + *end, text->len - *end };
	size_t before = line_begin(buf_str(text), *begin);

	while (rest.len > 0) {
		size_t n = 0;

		while (n < rest.len && rest.at[n] != '\n' && rest.at[n] != '\r')
			n++;
		if (!is_blank(rest.at, n))
			return;
		n += n + 1 < rest.len && rest.at[n] == '\r' && rest.at[n + 1] == '\n';
		rest = span_from(rest, n + 1);
		*end = text->len - rest.len;
	}
	if (*begin > 0 && is_blank(buf_str(text) + before, *begin - before))
		*begin = before;
}

int
cfg_section_remove(struct buf *text, const char *name, struct error *err)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *before = read_buf(text), *after = NULL;
	const struct raas_cfg_section *s = raas_cfg_section(before, name);
	cleanup(buf_done) struct buf out = BUF_INIT;
	size_t begin, end;

	if (s == NULL)
		return 0;
	begin = s->begin;
	end = s->end;
	widen(text, &begin, &end);
	buf_add(&out, buf_str(text), begin);
	buf_add(&out, buf_str(text) + end, text->len - end);
	after = read_buf(&out);
	if (!differ_by_section(after, before, name))
		return error_set(err, ERROR_INPUT, "section [%s], in line %u, cannot be taken out "
		    "without changing the meaning of others; remove it by hand", name, s->line);
	buf_clear(text);
	buf_add(text, buf_str(&out), out.len);
	return 0;
}

/* ---- doing it again ---- */

static int
remove_vanished(const struct raas_cfg *before, const struct raas_cfg *after, struct buf *text,
    struct error *err)
{
	size_t i;

	for (i = 0; i < before->n_sections; i++) {
		const char *name = before->sections[i].name;

		if (raas_cfg_section(after, name) == NULL && cfg_section_remove(text, name, err) == -1)
			return -1;
	}
	return 0;
}

/* The lines of a section as they would be given to cfg_section_add(). */
static void
lines_of(const struct buf *text, const struct raas_cfg_section *s, struct buf *lines)
{
	const char *at = buf_str(text) + s->begin, *end = buf_str(text) + s->end;

	for (; at < end; at++) {
		if (*at == '\r' && at + 1 < end && at[1] == '\n')
			continue;
		buf_add(lines, *at == '\r' ? "\n" : at, 1);
	}
}

static int
add_new(const struct raas_cfg *before, const struct raas_cfg *after, const struct buf *source,
    struct buf *text, struct error *err)
{
	size_t i;

	for (i = 0; i < after->n_sections; i++) {
		const struct raas_cfg_section *s = &after->sections[i];
		cleanup(buf_done) struct buf lines = BUF_INIT;

		if (raas_cfg_section(before, s->name) != NULL)
			continue;
		lines_of(source, s, &lines);
		if (cfg_section_add(text, lines.data, lines.len, err) == -1)
			return -1;
	}
	return 0;
}

static int
redo(const struct raas_cfg *before, const struct raas_cfg *after, const struct buf *source,
    struct buf *text, struct error *err)
{
	if (remove_vanished(before, after, text, err) == -1)
		return -1;
	return add_new(before, after, source, text, err);
}

int
cfg_section_replay(const struct buf *before, const struct buf *after, struct buf *onto,
    struct error *err)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *from = read_buf(before), *to = read_buf(after);
	cleanup(buf_done) struct buf proof = BUF_INIT, out = BUF_INIT;

	buf_add(&proof, buf_str(before), before->len);
	if (redo(from, to, after, &proof, err) == -1)
		return -1;
	if (proof.len != after->len || memcmp(buf_str(&proof), buf_str(after), proof.len) != 0)
		return error_set(err, ERROR_INPUT, "more was changed than whole sections");
	buf_add(&out, buf_str(onto), onto->len);
	if (redo(from, to, after, &out, err) == -1)
		return -1;
	buf_clear(onto);
	buf_add(onto, buf_str(&out), out.len);
	return 0;
}
