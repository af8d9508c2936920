/* rfc3339.h - times as they stand in messages and logs: 2026-01-31T10:11:12Z. Any thread. */
#ifndef COMMON_RFC3339_H
#define COMMON_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

#define RFC3339_SIZE 21		/* with the NUL */

/* Seconds since 1970 in UTC. Times before 1970 and after 9999 become the nearest that is in. */
void	 rfc3339_format(int64_t unix_seconds, char out[RFC3339_SIZE]);
/* Takes an offset and fractions of a second too; the fraction is dropped. False, and *out as it
 * was: not such a time, or before 1970. */
bool	 rfc3339_parse(const char *, int64_t *out);

#endif
