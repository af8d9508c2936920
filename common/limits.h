/* limits.h - the two values from which on a monitor warns and alarms: "1,5" or "10m,1h".
 *
 * Pure; any thread. */
#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct limits {
	int64_t	warning;	/* a number, or seconds */
	int64_t	critical;	/* not below it */
};

/* False: `text` is not two numbers, each with s, m, h or d behind it or nothing, the second not
 * below the first; out is then as it was. */
bool	 limits_parse(const char *text, struct limits *out);

#endif
