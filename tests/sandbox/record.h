/* record.h - which requests came and how they were answered: the last ones, and counts of all. */
#ifndef TESTS_SANDBOX_RECORD_H
#define TESTS_SANDBOX_RECORD_H

#include <jansson.h>
#include <stdint.h>

#include "tests/sandbox/face.h"

#define RECORD_MAX 50000	/* requests kept */

struct record;

struct record	*record_new(void);
void		 record_free(struct record *);
/* `note` says what a fault did ("reset"), or is NULL. Headers and bodies are not kept. */
void		 record_add(struct record *, const char *face, const struct request *, int status,
		    const char *note);
void		 record_clear(struct record *);
/* {"total", "counts": {FACE: n}, "requests": […]}: those after number `since`, of that face
 * (NULL: all), oldest first. */
json_t		*record_list(const struct record *, int64_t since, const char *face);

#endif
