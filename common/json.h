/* json.h - jansson with limits, and getters that name the key that is wrong.
 *
 * Any thread, as jansson: a value belongs to one thread at a time. Getters lend: what they
 * return lives as long as the object that was asked. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

static inline void
json_unref(json_t **j)
{
	json_decref(*j);
}

/* A new reference, or NULL: not JSON, nested deeper than max_depth, or a key given twice.
 * The text says at which line and column. Depth is looked at before anything is parsed. */
json_t	*json_read(const char *data, size_t len, unsigned int max_depth, struct error *err);

/* Calls fn for each element of the array under `key` of the object that `data` holds, parsing
 * one element at a time, so that a long list does not stand in memory as a tree. Other keys
 * are parsed and dropped. Returns -1 with err when the text is not such an object (an absent
 * key is an empty array), or what fn returned when that is not 0. */
int	 json_each(const char *data, size_t len, const char *key,
	    int (*fn)(void *arg, json_t *element, struct error *err), void *arg, struct error *err);

/* The depth of nesting of a JSON text, stopping at `enough`; needs no valid JSON. */
unsigned int json_depth(const char *data, size_t len, unsigned int enough);

/* Required members: NULL or -1 with err naming the key when it is absent or of another type. */
const char *json_get_string(const json_t *, const char *key, struct error *err);
json_t	*json_get_array(const json_t *, const char *key, struct error *err);
json_t	*json_get_object(const json_t *, const char *key, struct error *err);
int	 json_get_int(const json_t *, const char *key, int64_t *out, struct error *err);

/* Optional members: the default when absent, null or of another type. */
const char *json_string_or(const json_t *, const char *key, const char *otherwise);
int64_t	 json_int_or(const json_t *, const char *key, int64_t otherwise);
bool	 json_bool_or(const json_t *, const char *key, bool otherwise);

/* json_string() that cannot fail on bytes that are not UTF-8: they become '?'. NULL: null. */
json_t	*json_text(const char *);

#endif
