#include "daemon/isv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/words.h"

#define LOWER	"abcdefghijklmnopqrstuvwxyz"
#define UPPER	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

/* Between min and max characters, all of them of `set`. */
static bool
made_of(const char *s, const char *set, size_t min, size_t max)
{
	size_t n = strspn(s, set);

	return s[n] == '\0' && n >= min && n <= max;
}

int
isv_check_name(const char *s, struct error *err)
{
	if (made_of(s, LOWER UPPER DIGITS, 1, 16))
		return 0;
	return error_set(err, ERROR_INPUT, "an ISV's name has 1 to 16 letters and digits");
}

int
isv_check_domain(const char *s, struct error *err)
{
	if (made_of(s, LOWER UPPER DIGITS, 1, 16))
		return 0;
	return error_set(err, ERROR_INPUT, "a domain's name has 1 to 16 letters and digits");
}

int
isv_check_app(const char *s, struct error *err)
{
	if (made_of(s, LOWER UPPER DIGITS, 1, 32))
		return 0;
	return error_set(err, ERROR_INPUT, "an app's name has 1 to 32 letters and digits");
}

/* Neither "." nor "..": the name is a part of a path where the endpoint wants path style. */
int
isv_check_bucket(const char *s, struct error *err)
{
	if (made_of(s, LOWER DIGITS "._-", 1, 63) && strchr("._-", s[0]) == NULL &&
	    strstr(s, "..") == NULL)
		return 0;
	return error_set(err, ERROR_INPUT, "a bucket's name has 1 to 63 of a-z, 0-9, '.', '_' and '-',"
	    " begins with a letter or digit, and has no '..'");
}

int
isv_check_image(const char *s, struct error *err)
{
	const char *slash = strchr(s, '/'), *name = slash != NULL ? slash + 1 : s;
	size_t n = slash != NULL ? (size_t)(slash - s) : 0;

	if (slash != NULL && (n < 4 || n > 30 || strspn(s, LOWER DIGITS "_") != n))
		return error_set(err, ERROR_INPUT,
		    "an image's namespace has 4 to 30 of a-z, 0-9 and '_'");
	if (made_of(name, LOWER DIGITS "._-", 1, 255) && name[0] != '.' && name[0] != '-')
		return 0;
	return error_set(err, ERROR_INPUT, "an image's name has at most one '/', and a-z, 0-9, '.',"
	    " '_' and '-', of which '.' and '-' are not at the front");
}

static bool
is_host(const char *s, size_t n)
{
	return n > 0 && n <= 253 && s[0] != '-' && s[0] != '.' && memmem(s, n, "..", 2) == NULL &&
	    strspn(s, LOWER UPPER DIGITS ".-") >= n;
}

int
isv_check_fqdn(const char *s, struct error *err)
{
	size_t n;

	if (strncmp(s, "http://", 7) == 0)
		s += 7;
	else if (strncmp(s, "https://", 8) == 0)
		s += 8;
	n = strcspn(s, ":");
	if (is_host(s, n) && (s[n] == '\0' ||
	    (made_of(s + n + 1, DIGITS, 1, 5) && atoi(s + n + 1) >= 1 && atoi(s + n + 1) <= 65535)))
		return 0;
	return error_set(err, ERROR_INPUT, "a registry is NAME or NAME:PORT, with http:// before it"
	    " where it has no TLS");
}

int
isv_check_gear_size(const char *s, struct error *err)
{
	static const char *const sizes[] = { "small", "small.highcpu", "medium", "large" };

	if (words_find(sizes, sizeof(sizes) / sizeof(sizes[0]), s) != -1)
		return 0;
	return error_set(err, ERROR_INPUT, "must be small, small.highcpu, medium or large");
}
