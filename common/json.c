#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

unsigned int
json_depth(const char *data, size_t len, unsigned int enough)
{
	unsigned int depth = 0, deepest = 0;
	bool in_string = false;
	size_t i;

	for (i = 0; i < len && deepest < enough; i++) {
		if (in_string) {
			if (data[i] == '\\')
				i++;
			else if (data[i] == '"')
				in_string = false;
		} else if (data[i] == '"') {
			in_string = true;
		} else if (data[i] == '{' || data[i] == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((data[i] == '}' || data[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return deepest;
}

/* jansson drops a NUL that follows a number, and JSON has none. */
static bool
has_nul(const char *data, size_t len)
{
	return len > 0 && memchr(data, '\0', len) != NULL;
}

json_t *
json_read(const char *data, size_t len, unsigned int max_depth, struct error *err)
{
	json_error_t problem;
	json_t *value;

	if (has_nul(data, len)) {
		error_set(err, ERROR_INPUT, "not valid JSON: it holds a NUL byte");
		return NULL;
	}
	if (json_depth(data, len, max_depth + 1) > max_depth) {
		error_set(err, ERROR_INPUT, "JSON nested deeper than %u", max_depth);
		return NULL;
	}
	value = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (value == NULL)
		error_set(err, ERROR_INPUT, "not valid JSON, line %d, column %d: %s",
		    problem.line, problem.column, problem.text);
	return value;
}

/* A text that is read value by value. */
struct reader {
	const char	*data;
	size_t		 len;
	size_t		 at;
};

static char
peek(struct reader *r)
{
	while (r->at < r->len && strchr(" \t\r\n", r->data[r->at]) != NULL &&
	    r->data[r->at] != '\0')
		r->at++;
	return r->at < r->len ? r->data[r->at] : '\0';
}

static bool
take(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

/* jansson reads one value and says in `position` how many bytes that took. */
static json_t *
take_value(struct reader *r)
{
	json_error_t problem;
	json_t *value;

	if (peek(r) == '\0')
		return NULL;
	value = json_loadb(r->data + r->at, r->len - r->at,
	    JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &problem);
	if (value != NULL)
		r->at += (size_t)problem.position;
	return value;
}

static int
malformed(const struct reader *r, struct error *err)
{
	return error_set(err, ERROR_INPUT, "not valid JSON near byte %zu", r->at);
}

static int
each_element(struct reader *r, int (*fn)(void *, json_t *, struct error *), void *arg,
    struct error *err)
{
	int result;

	if (!take(r, '['))
		return malformed(r, err);
	if (take(r, ']'))
		return 0;
	do {
		cleanup(json_unref) json_t *element = take_value(r);

		if (element == NULL)
			return malformed(r, err);
		if ((result = fn(arg, element, err)) != 0)
			return result;
	} while (take(r, ','));
	return take(r, ']') ? 0 : malformed(r, err);
}

int
json_each(const char *data, size_t len, const char *key,
    int (*fn)(void *, json_t *, struct error *), void *arg, struct error *err)
{
	struct reader r = { data, len, 0 };
	int result;

	if (has_nul(data, len))
		return error_set(err, ERROR_INPUT, "not valid JSON: it holds a NUL byte");
	if (!take(&r, '{'))
		return malformed(&r, err);
	if (take(&r, '}'))
		return 0;
	do {
		cleanup(json_unref) json_t *name = take_value(&r);
		cleanup(json_unref) json_t *other = NULL;

		if (!json_is_string(name) || !take(&r, ':'))
			return malformed(&r, err);
		if (strcmp(json_string_value(name), key) == 0 && peek(&r) == '[') {
			if ((result = each_element(&r, fn, arg, err)) != 0)
				return result;
		} else if ((other = take_value(&r)) == NULL) {
			return malformed(&r, err);
		} else if (!json_is_null(other) && strcmp(json_string_value(name), key) == 0) {
			return error_set(err, ERROR_INPUT, "key '%s' is not an array", key);
		}
	} while (take(&r, ','));
	return take(&r, '}') && peek(&r) == '\0' && r.at == r.len ? 0 : malformed(&r, err);
}

static json_t *
required(const json_t *object, const char *key, int type, const char *type_name,
    struct error *err)
{
	json_t *value = json_object_get(object, key);

	if (value != NULL && (int)json_typeof(value) == type)
		return value;
	error_set(err, ERROR_INPUT, value == NULL ? "key '%s' is missing"
	    : "key '%s' is not %s", key, type_name);
	return NULL;
}

const char *
json_get_string(const json_t *object, const char *key, struct error *err)
{
	return json_string_value(required(object, key, JSON_STRING, "a string", err));
}

json_t *
json_get_array(const json_t *object, const char *key, struct error *err)
{
	return required(object, key, JSON_ARRAY, "an array", err);
}

json_t *
json_get_object(const json_t *object, const char *key, struct error *err)
{
	return required(object, key, JSON_OBJECT, "an object", err);
}

int
json_get_int(const json_t *object, const char *key, int64_t *out, struct error *err)
{
	json_t *value = required(object, key, JSON_INTEGER, "a whole number", err);

	if (value == NULL)
		return -1;
	*out = json_integer_value(value);
	return 0;
}

const char *
json_string_or(const json_t *object, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : otherwise;
}

int64_t
json_int_or(const json_t *object, const char *key, int64_t otherwise)
{
	json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool
json_bool_or(const json_t *object, const char *key, bool otherwise)
{
	json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

json_t *
json_text(const char *s)
{
	json_t *value;

	if (s == NULL)
		return json_null();
	if ((value = json_string(s)) == NULL) {
		cleanup(free_p) char *clean = xstrdup(s);

		text_clean(clean);
		value = json_string(clean);
	}
	return value;
}
