#include "daemon/span.h"

#include <stdint.h>

struct span
span_first(struct span s, size_t n)
{
	return (struct span){ s.at, n < s.len ? n : s.len };
}

struct span
span_from(struct span s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return (struct span){ s.at + n, s.len - n };
}

size_t
span_decode(struct span s, unsigned int *code_point)
{
	/* The smallest code point that may take this many bytes. */
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s.at;
	size_t n, i;

	if (s.len == 0)
		return 0;
	n = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
	if (n == 0 || n > s.len)
		return 0;
	*code_point = n == 1 ? u[0] : u[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		*code_point = *code_point << 6 | (u[i] & 0x3f);
	}
	if (*code_point < least[n] || *code_point > 0x10ffff ||
	    (*code_point >= 0xd800 && *code_point <= 0xdfff))
		return 0;
	return n;
}

bool
span_is_utf8(struct span s)
{
	unsigned int c;
	size_t n;

	for (; s.len > 0; s = span_from(s, n)) {
		if ((n = span_decode(s, &c)) == 0)
			return false;
	}
	return true;
}

/* str.isspace(): Unicode's white space, and the separators 0x1c to 0x1f. */
static bool
is_space(unsigned int c)
{
	return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
	    c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

/* The length of the white space character at the end, or 0. */
static size_t
space_at_end(struct span s)
{
	unsigned int c;
	size_t n;

	for (n = 1; n <= 3 && n <= s.len; n++) {
		if (span_decode(span_from(s, s.len - n), &c) == n)
			return is_space(c) ? n : 0;
	}
	return 0;
}

struct span
span_strip(struct span s, size_t *indent)
{
	unsigned int c;
	size_t n, spaces = 0;

	for (; (n = span_decode(s, &c)) != 0 && is_space(c); spaces++)
		s = span_from(s, n);
	while ((n = space_at_end(s)) != 0)
		s.len -= n;
	if (indent != NULL)
		*indent = spaces;
	return s;
}
