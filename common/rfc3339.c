#include "common/rfc3339.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LAST_SECOND INT64_C(253402300799)	/* of the year 9999 */

void
rfc3339_format(int64_t unix_seconds, char out[RFC3339_SIZE])
{
	time_t t = unix_seconds < 0 ? 0 : unix_seconds > LAST_SECOND ? LAST_SECOND : unix_seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Reads exactly n digits; -1: there are none. */
static int
digits(const char **s, int n)
{
	int value = 0;

	while (n-- > 0) {
		if (**s < '0' || **s > '9')
			return -1;
		value = value * 10 + *(*s)++ - '0';
	}
	return value;
}

static bool
take(const char **s, const char *any_of)
{
	if (**s == '\0' || strchr(any_of, **s) == NULL)
		return false;
	(*s)++;
	return true;
}

static bool
read_date(const char **s, struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;
	bool leap;

	if ((year = digits(s, 4)) < 1970 || !take(s, "-") ||
	    (month = digits(s, 2)) < 1 || month > 12 || !take(s, "-") || (day = digits(s, 2)) < 1)
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day > days[month - 1] + (leap && month == 2))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

static bool
read_time(const char **s, struct tm *tm)
{
	if ((tm->tm_hour = digits(s, 2)) < 0 || tm->tm_hour > 23 || !take(s, ":") ||
	    (tm->tm_min = digits(s, 2)) < 0 || tm->tm_min > 59 || !take(s, ":") ||
	    (tm->tm_sec = digits(s, 2)) < 0 || tm->tm_sec > 60)	/* a leap second */
		return false;
	if (!take(s, "."))
		return true;
	if (digits(s, 1) == -1)
		return false;
	while (digits(s, 1) != -1)
		continue;
	return true;
}

static bool
read_offset(const char **s, int *seconds)
{
	int sign, hours, minutes;

	*seconds = 0;
	if (take(s, "Zz"))
		return true;
	sign = **s == '-' ? -1 : 1;
	if (!take(s, "+-") || (hours = digits(s, 2)) < 0 || hours > 23 || !take(s, ":") ||
	    (minutes = digits(s, 2)) < 0 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool
rfc3339_parse(const char *s, int64_t *out)
{
	struct tm tm = { 0 };
	int offset;
	int64_t t;

	if (!read_date(&s, &tm) || !take(&s, "Tt ") || !read_time(&s, &tm) ||
	    !read_offset(&s, &offset) || *s != '\0')
		return false;
	t = (int64_t)timegm(&tm) - offset;
	if (t < 0 || t > LAST_SECOND)
		return false;
	*out = t;
	return true;
}
