#include "daemon/s3-xml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

struct xml {
	const char	*at;
	const char	*end;
	char		 path[S3_XML_PATH_MAX];
	size_t		 path_len[S3_XML_DEPTH_MAX + 1];	/* of the path at each depth */
	unsigned int	 depth;
	bool		 leaf;		/* no element ended since the last one began */
	struct buf	 text;		/* since the last one began */
	const char	*wrong;		/* what is, once something is; static */
};

static bool
fail(struct xml *x, const char *wrong)
{
	x->wrong = wrong;
	return false;
}

static bool
begins(const struct xml *x, const char *s)
{
	size_t len = strlen(s);

	return (size_t)(x->end - x->at) >= len && memcmp(x->at, s, len) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct xml *x)
{
	while (x->at < x->end && is_blank(*x->at))
		x->at++;
}

/* Past the next `s`, which has to come; *start and *len are what stands before it. */
static bool
take_until(struct xml *x, const char *s, const char **start, size_t *len)
{
	const char *found = memmem(x->at, (size_t)(x->end - x->at), s, strlen(s));

	if (found == NULL)
		return fail(x, "it ends early");
	*start = x->at;
	*len = (size_t)(found - x->at);
	x->at = found + strlen(s);
	return true;
}

/* Up to what ends a name; a prefix and its colon are dropped. */
static bool
take_name(struct xml *x, const char **name, size_t *len)
{
	const char *start = x->at;

	for (; x->at < x->end && !is_blank(*x->at) && strchr("/><=&'\"", *x->at) == NULL; x->at++) {
		if (*x->at == ':')
			start = x->at + 1;
	}
	*name = start;
	*len = (size_t)(x->at - start);
	return *len > 0 ? true : fail(x, "an element has no name");
}

static bool
skip_attributes(struct xml *x)
{
	const char *skipped;
	size_t len;
	char quote[2] = "";

	for (skip_blanks(x); x->at < x->end && *x->at != '>' && *x->at != '/'; skip_blanks(x)) {
		if (!take_name(x, &skipped, &len))
			return false;
		skip_blanks(x);
		if (!begins(x, "="))
			return fail(x, "an attribute has no value");
		x->at++;
		skip_blanks(x);
		if (!begins(x, "\"") && !begins(x, "'"))
			return fail(x, "an attribute has no quotes");
		quote[0] = *x->at++;
		if (!take_until(x, quote, &skipped, &len))
			return false;
	}
	return true;
}

static bool
push(struct xml *x, const char *name, size_t len)
{
	size_t at = x->path_len[x->depth];
	size_t slash = x->depth > 0;

	if (x->depth == S3_XML_DEPTH_MAX || len + slash >= sizeof(x->path) - at)
		return fail(x, "it is nested too deep");
	if (memchr(name, '\0', len) != NULL)
		return fail(x, "it holds a NUL");
	if (slash)
		x->path[at++] = '/';
	memcpy(x->path + at, name, len);
	x->path[at + len] = '\0';
	x->path_len[++x->depth] = at + len;
	x->leaf = true;
	buf_clear(&x->text);
	return true;
}

/* 0, or -1 with x->wrong or with what fn said. */
static int
pop(struct xml *x, s3_xml_fn *fn, void *arg, struct error *err)
{
	int result = fn(arg, x->path, x->leaf ? buf_str(&x->text) : "", err);

	x->depth--;
	x->path[x->path_len[x->depth]] = '\0';
	x->leaf = false;
	buf_clear(&x->text);
	return result;
}

static size_t
utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* "#65" or "#x41": the character, 0 where that is none. */
static uint32_t
character(const char *s, size_t len)
{
	char digits[9], *end;
	bool hex = len > 1 && s[1] == 'x';
	size_t skip = hex ? 2 : 1;
	unsigned long c;

	if (len <= skip || len - skip >= sizeof(digits))
		return 0;
	memcpy(digits, s + skip, len - skip);
	digits[len - skip] = '\0';
	if (digits[strspn(digits, "0123456789abcdefABCDEF")] != '\0')
		return 0;
	c = strtoul(digits, &end, hex ? 16 : 10);
	return *end == '\0' && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? (uint32_t)c : 0;
}

static bool
add_entity(struct xml *x)
{
	static const struct { const char *name, *text; } known[] = {
		{ "amp", "&" }, { "lt", "<" }, { "gt", ">" }, { "quot", "\"" }, { "apos", "'" },
	};
	const char *name = ++x->at, *semicolon;
	size_t most = (size_t)(x->end - name), len, i;
	uint32_t c;
	char utf8[4];

	semicolon = memchr(name, ';', most < 12 ? most : 12);
	if (semicolon == NULL)
		return fail(x, "an entity has no end");
	len = (size_t)(semicolon - name);
	x->at = semicolon + 1;
	if (len > 0 && name[0] == '#' && (c = character(name, len)) != 0)
		return buf_add(&x->text, utf8, utf8_encode(c, utf8));
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
			return buf_add_str(&x->text, known[i].text);
	}
	return fail(x, "an entity is unknown");
}

static bool
take_text(struct xml *x)
{
	const char *start;

	while (x->at < x->end && *x->at != '<') {
		for (start = x->at; x->at < x->end && *x->at != '<' && *x->at != '&'; x->at++) {
			if (*x->at == '\0')
				return fail(x, "it holds a NUL");
			if (x->depth == 0 && !is_blank(*x->at))
				return fail(x, "text stands outside of the elements");
		}
		buf_add(&x->text, start, (size_t)(x->at - start));
		if (!begins(x, "&"))
			continue;
		if (x->depth == 0)
			return fail(x, "text stands outside of the elements");
		if (!add_entity(x))
			return false;
	}
	return true;
}

static bool
take_cdata(struct xml *x)
{
	const char *start;
	size_t len;

	x->at += strlen("<![CDATA[");
	if (!take_until(x, "]]>", &start, &len))
		return false;
	if (x->depth == 0 || memchr(start, '\0', len) != NULL)
		return fail(x, "a CDATA section is misplaced");
	return buf_add(&x->text, start, len);
}

/* "<name …>" and "<name …/>"; *empty for the latter. */
static bool
take_start(struct xml *x, bool *empty)
{
	const char *name;
	size_t len;

	x->at++;
	if (!take_name(x, &name, &len) || !push(x, name, len) || !skip_attributes(x))
		return false;
	*empty = begins(x, "/>");
	if (!*empty && !begins(x, ">"))
		return fail(x, "it ends early");
	x->at += *empty ? 2 : 1;
	return true;
}

/* "</name>", of the innermost open element. */
static bool
take_end(struct xml *x)
{
	const char *name, *open;
	size_t len, open_len;

	x->at += 2;
	if (!take_name(x, &name, &len))
		return false;
	skip_blanks(x);
	if (!begins(x, ">") || x->depth == 0)
		return fail(x, "an element's end is misplaced");
	x->at++;
	open = x->path + x->path_len[x->depth - 1] + (x->depth > 1);
	open_len = (size_t)(x->path + x->path_len[x->depth] - open);
	if (open_len != len || memcmp(open, name, len) != 0)
		return fail(x, "an element's end is another's");
	return true;
}

/* One piece of markup, beginning with '<'. 0, -1 with x->wrong, or what fn returned. */
static int
take_markup(struct xml *x, s3_xml_fn *fn, void *arg, struct error *err)
{
	const char *skipped;
	size_t len;
	bool ended = true;

	if (begins(x, "<?"))
		return take_until(x, "?>", &skipped, &len) ? 0 : -1;
	if (begins(x, "<!--"))
		return take_until(x, "-->", &skipped, &len) ? 0 : -1;
	if (begins(x, "<![CDATA["))
		return take_cdata(x) ? 0 : -1;
	if (begins(x, "<!"))
		return fail(x, "it has a document type") ? 0 : -1;
	if (!(begins(x, "</") ? take_end(x) : take_start(x, &ended)))
		return -1;
	return ended ? pop(x, fn, arg, err) : 0;
}

static int
read_element(struct xml *x, s3_xml_fn *fn, void *arg, struct error *err)
{
	bool begun = false;
	int result;

	while (take_text(x) && x->at < x->end) {
		if (begun && x->depth == 0 && !begins(x, "<!--"))
			return fail(x, "it goes on after its end") ? 0 : -1;
		if ((result = take_markup(x, fn, arg, err)) != 0)
			return result;
		/* "<?xml" and comments may come first: an element has begun once the path has
		 * held a name. */
		begun = begun || x->path_len[1] != 0;
	}
	if (x->wrong == NULL && (x->depth != 0 || !begun))
		fail(x, "it ends early");
	return x->wrong != NULL ? -1 : 0;
}

int
s3_xml_read(const char *data, size_t len, s3_xml_fn *fn, void *arg, struct error *err)
{
	struct xml x = { .at = data, .end = data + len };
	int result;

	if (len == 0)
		return error_set(err, ERROR_REMOTE, "an empty answer where S3 sends XML");
	result = read_element(&x, fn, arg, err);

	buf_done(&x.text);
	if (x.wrong != NULL)
		return error_set(err, ERROR_REMOTE, "not XML as S3 answers it, near byte %zu: %s",
		    (size_t)(x.at - data), x.wrong);
	return result;
}

void
s3_xml_escape(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '&')
			buf_add_str(out, "&amp;");
		else if (*s == '<')
			buf_add_str(out, "&lt;");
		else if (*s == '>')
			buf_add_str(out, "&gt;");
		else
			buf_add(out, s, 1);
	}
}
