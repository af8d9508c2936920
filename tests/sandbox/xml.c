#include "tests/sandbox/xml.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static void
escape(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&': buf_add_str(out, "&amp;"); break;
		case '<': buf_add_str(out, "&lt;"); break;
		case '>': buf_add_str(out, "&gt;"); break;
		case '"': buf_add_str(out, "&quot;"); break;
		case '\r': buf_add_str(out, "&#13;"); break;
		default: buf_add(out, text, 1); break;
		}
	}
}

void
xml_element(struct buf *out, const char *tag, const char *text)
{
	buf_printf(out, "<%s>", tag);
	escape(out, text);
	buf_printf(out, "</%s>", tag);
}

void
xml_number(struct buf *out, const char *tag, long long n)
{
	buf_printf(out, "<%s>%lld</%s>", tag, n, tag);
}

/* Does the tag that begins at `at` (behind '<' or '</') have this local name? */
static bool
is_tag(const char *at, const char *end, const char *name)
{
	size_t len = strlen(name), i;
	const char *colon;

	for (i = 0; at + i < end && strchr(" \t\r\n/>", at[i]) == NULL; )
		i++;
	if ((colon = memchr(at, ':', i)) != NULL) {
		i -= (size_t)(colon + 1 - at);
		at = colon + 1;
	}
	return i == len && memcmp(at, name, len) == 0;
}

/* The next '<' or '</' tag of that name from `at`; NULL: none. */
static const char *
find_tag(const char *at, const char *end, const char *name, bool closing)
{
	while (at < end && (at = memchr(at, '<', (size_t)(end - at))) != NULL) {
		at++;
		if ((at < end && *at == '/') != closing)
			continue;
		if (is_tag(at + closing, end, name))
			return at - 1;
	}
	return NULL;
}

bool
xml_find(struct xml_part in, const char *tag, struct xml_part *out, struct xml_part *rest)
{
	const char *end = in.data + in.len, *open, *content, *close, *after;

	if ((open = find_tag(in.data, end, tag, false)) == NULL ||
	    (content = memchr(open, '>', (size_t)(end - open))) == NULL)
		return false;
	if (content[-1] == '/') {	/* <tag/> */
		close = after = content + 1;
		*out = (struct xml_part){ close, 0 };
	} else {
		content++;
		if ((close = find_tag(content, end, tag, true)) == NULL ||
		    (after = memchr(close, '>', (size_t)(end - close))) == NULL)
			return false;
		after++;
		*out = (struct xml_part){ content, (size_t)(close - content) };
	}
	if (rest != NULL)
		*rest = (struct xml_part){ after, (size_t)(end - after) };
	return true;
}

/* Length of the reference at s ("&amp;"), with *c set; 0: none that we know. */
static size_t
reference(const char *s, size_t len, char *c)
{
	static const struct { const char *text; char c; } known[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
		{ "&apos;", '\'' }, { "&#34;", '"' }, { "&#39;", '\'' }, { "&#13;", '\r' },
		{ "&#xD;", '\r' }, { "&#10;", '\n' }, { "&#xA;", '\n' },
	};
	size_t i, n;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		n = strlen(known[i].text);
		if (n <= len && memcmp(s, known[i].text, n) == 0) {
			*c = known[i].c;
			return n;
		}
	}
	return 0;
}

char *
xml_text_of(struct xml_part in, const char *tag)
{
	struct xml_part part;
	char *out, *to;
	size_t i, n;

	if (!xml_find(in, tag, &part, NULL))
		return NULL;
	out = to = xcalloc(part.len + 1, 1);
	for (i = 0; i < part.len; i += n) {
		if ((n = reference(part.data + i, part.len - i, to)) == 0) {
			*to = part.data[i];
			n = 1;
		}
		to++;
	}
	return out;
}
