#include "common/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (RFC 3629 section 4), 0 where there is none. */
static size_t
utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
			return 0;
		return (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80
		    ? 4 : 0;
	}
	return 0;
}

void
text_clean(char *text)
{
	unsigned char *s = (unsigned char *)text;
	size_t n;

	for (; *s != '\0'; s += n) {
		n = utf8_length(s);
		if (*s == '\t' || *s == '\n' || *s == '\r')
			*s = ' ';
		else if (n == 0 || *s < 0x20 || *s == 0x7f)
			*s = '?';
		else if (n == 2 && s[0] == 0xc2 && s[1] < 0xa0)	/* C1 controls */
			s[0] = s[1] = '?';
		if (n == 0)
			n = 1;
	}
}

/* A text that was cut at the buffer's end shows it, and is cut between characters. */
static void
finish(struct error *err, int wanted)
{
	size_t size = sizeof(err->text), i;

	if (wanted >= (int)size) {
		i = size - 4;
		while (i > 0 && ((unsigned char)err->text[i] & 0xc0) == 0x80)
			i--;
		memcpy(err->text + i, "...", 4);
	}
	text_clean(err->text);
}

int
error_vset(struct error *err, enum error_kind kind, const char *fmt, va_list ap)
{
	if (err == NULL)
		return -1;
	err->kind = kind;
	finish(err, vsnprintf(err->text, sizeof(err->text), fmt, ap));
	return -1;
}

int
error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_vset(err, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int
error_prefix(struct error *err, const char *fmt, ...)
{
	struct error inner;
	char prefix[sizeof(err->text)];
	va_list ap;

	if (err == NULL)
		return -1;
	inner = *err;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	return error_set(err, inner.kind, "%s: %s", prefix, inner.text);
}

#define SECRET_MIN 4	/* bytes; a shorter one would be found in any text */
#define SECRET_PART 6	/* of a longer one that is given away where a text was cut */

static size_t
common_length(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

void
error_hide(struct error *err, const char *secret)
{
	char hidden[sizeof(err->text)];
	size_t len, most, n, at = 0;
	const char *s;

	if (err == NULL || secret == NULL || (len = strlen(secret)) < SECRET_MIN)
		return;
	most = len < SECRET_PART ? len : SECRET_PART;
	for (s = err->text; *s != '\0' && at < sizeof(hidden) - 1; s += n > 0 ? n : 1) {
		if ((n = common_length(s, secret)) < most) {
			n = 0;
			hidden[at++] = *s;
		} else {
			at += (size_t)snprintf(hidden + at, sizeof(hidden) - at, "***");
		}
		if (at >= sizeof(hidden))
			at = sizeof(hidden) - 1;
	}
	hidden[at] = '\0';
	memcpy(err->text, hidden, at + 1);
}

int
error_errno(struct error *err, const char *fmt, ...)
{
	int saved_errno = errno;
	struct error prefix;
	va_list ap;

	va_start(ap, fmt);
	error_vset(&prefix, ERROR_SYSTEM, fmt, ap);
	va_end(ap);
	return error_set(err, ERROR_SYSTEM, "%s: %s", prefix.text, strerror(saved_errno));
}

const char *
error_kind_name(enum error_kind kind)
{
	static const char *const names[] = {
		[ERROR_NONE] = "none", [ERROR_INPUT] = "input", [ERROR_CREDENTIALS] = "credentials",
		[ERROR_QUOTA] = "quota", [ERROR_CONFLICT] = "conflict", [ERROR_MISSING] = "missing",
		[ERROR_UNTRUSTED] = "untrusted", [ERROR_REMOTE] = "remote",
		[ERROR_CANCELLED] = "cancelled",
		[ERROR_SYSTEM] = "system", [ERROR_INTERNAL] = "internal",
	};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}
