#include "tests/sandbox/faults.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/sandbox/xml.h"

struct faults {
	json_t	*orders;	/* array; "seen" and "used" are ours, the rest as ordered */
};

static const char *const members[] = {
	"face", "method", "host", "path", "skip", "nth", "count", "delay_ms", "hang", "reset",
	"truncate_at", "after", "status", "body", "headers", "content_type", "html", "s3_code",
	"wrong_signature",
};

struct faults *
faults_new(void)
{
	struct faults *f = xcalloc(1, sizeof(*f));

	f->orders = json_array();
	return f;
}

void
faults_free(struct faults *f)
{
	if (f == NULL)
		return;
	json_decref(f->orders);
	free(f);
}

static bool
is_member(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(name, members[i]) == 0)
			return true;
	}
	return false;
}

int
faults_add(struct faults *f, json_t *order, struct error *err)
{
	const char *key;
	json_t *value, *copy;

	if (!json_is_object(order))
		return error_set(err, ERROR_INPUT, "a fault is an object");
	json_object_foreach(order, key, value) {
		if (!is_member(key))
			return error_set(err, ERROR_INPUT, "a fault has no member '%s'", key);
	}
	copy = json_deep_copy(order);
	json_object_set_new(copy, "seen", json_integer(0));
	json_object_set_new(copy, "used", json_integer(0));
	json_array_append_new(f->orders, copy);
	return 0;
}

void
faults_clear(struct faults *f)
{
	json_array_clear(f->orders);
}

json_t *
faults_list(const struct faults *f)
{
	return json_deep_copy(f->orders);
}

/* An absent pattern fits; "^x" must be at the beginning, else x anywhere. */
static bool
fits(const json_t *order, const char *key, const char *text)
{
	const char *pattern = json_string_or(order, key, "");

	if (pattern[0] == '^')
		return strncmp(text, pattern + 1, strlen(pattern + 1)) == 0;
	return strstr(text, pattern) != NULL;
}

static bool
is_for(const json_t *order, const char *face, const struct request *r)
{
	cleanup(free_p) char *target = xasprintf("%s%s%s", r->path,
	    r->query_text[0] != '\0' ? "?" : "", r->query_text);

	return strcmp(json_string_or(order, "face", face), face) == 0 &&
	    strcmp(json_string_or(order, "method", r->method), r->method) == 0 &&
	    fits(order, "host", r->host) && fits(order, "path", target);
}

static int64_t
count_up(json_t *order, const char *key)
{
	int64_t n = json_int_or(order, key, 0) + 1;

	json_object_set_new(order, key, json_integer(n));
	return n;
}

/* Counts a matching request, and says whether the order is due for it. */
static bool
is_due(json_t *order)
{
	int64_t nth = json_int_or(order, "nth", 0);
	int64_t skip = nth > 0 ? nth - 1 : json_int_or(order, "skip", 0);
	int64_t count = json_int_or(order, "count", nth > 0 ? 1 : 0);
	int64_t seen = count_up(order, "seen");

	if (seen <= skip || (count > 0 && seen > skip + count))
		return false;
	count_up(order, "used");
	return true;
}

static void
fault_from(json_t *order, struct fault *out)
{
	bool answers = json_object_get(order, "html") != NULL ||
	    json_object_get(order, "s3_code") != NULL || json_object_get(order, "body") != NULL;
	bool forged = json_bool_or(order, "wrong_signature", false);

	out->delay_ms = json_int_or(order, "delay_ms", 0);
	out->hang = json_bool_or(order, "hang", false);
	out->reset = json_bool_or(order, "reset", false);
	out->truncate_at = json_int_or(order, "truncate_at", -1);
	out->after = json_bool_or(order, "after", false);
	out->status = (int)json_int_or(order, "status", forged ? 403 : answers ? 502 : 0);
	out->order = json_incref(order);
}

bool
faults_take(struct faults *f, const char *face, const struct request *r, struct fault *out)
{
	size_t i;
	json_t *order;

	json_array_foreach(f->orders, i, order) {
		if (is_for(order, face, r) && is_due(order)) {
			fault_from(order, out);
			return true;
		}
	}
	return false;
}

static void
reply_s3_error(struct reply *a, int status, const char *code)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;

	buf_add_str(&xml, XML_HEAD "<Error>");
	xml_element(&xml, "Code", code);
	xml_element(&xml, "Message", "as ordered");
	buf_add_str(&xml, "</Error>");
	reply_text(a, status, "application/xml", buf_str(&xml));
}

void
fault_answer(const struct fault *f, struct reply *a)
{
	const char *code = json_string_or(f->order, "s3_code", NULL), *name;
	json_t *value;

	reply_clear(a);
	if (json_bool_or(f->order, "wrong_signature", false))
		code = "SignatureDoesNotMatch";
	if (code != NULL)
		reply_s3_error(a, f->status, code);
	else if (json_bool_or(f->order, "html", false))
		reply_html(a, f->status, "Proxy Error");
	else
		reply_text(a, f->status, json_string_or(f->order, "content_type", "text/plain"),
		    json_string_or(f->order, "body", ""));
	json_object_foreach(json_object_get(f->order, "headers"), name, value)
		reply_header(a, name, json_string_value(value) != NULL ? json_string_value(value) : "");
}

void
fault_done(struct fault *f)
{
	json_decref(f->order);
	f->order = NULL;
}
