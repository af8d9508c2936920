#include "common/limits.h"

#include <stddef.h>
#include <string.h>

#define NUMBER_MAX INT64_C(1000000000)

/* Up to `end`; NULL: it is no number. */
static const char *
parse_number(const char *s, int64_t *out)
{
	static const struct {
		char		unit;
		int64_t		factor;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	int64_t n = 0;
	size_t i;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if ((n = n * 10 + *s - '0') > NUMBER_MAX)
			return NULL;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*s == units[i].unit) {
			*out = n * units[i].factor;
			return s + 1;
		}
	}
	*out = n;
	return s;
}

bool
limits_parse(const char *text, struct limits *out)
{
	struct limits l;
	const char *at = parse_number(text, &l.warning);

	if (at == NULL || *at != ',' || (at = parse_number(at + 1, &l.critical)) == NULL ||
	    *at != '\0' || l.critical < l.warning)
		return false;
	*out = l;
	return true;
}
