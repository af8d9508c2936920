#include "tests/sandbox/record.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"

struct entry {
	const char	*face;		/* static */
	char		 method[8];
	char		*text;		/* host, path, query's names: each with its NUL */
	size_t		 body_len;
	int		 status;
	const char	*note;		/* static, or NULL */
	const char	*auth;		/* static */
};

struct record {
	struct entry	*ring;
	int64_t		 total;
	json_t		*counts;
};

struct record *
record_new(void)
{
	struct record *r = xcalloc(1, sizeof(*r));

	r->ring = xcalloc(RECORD_MAX, sizeof(*r->ring));
	r->counts = json_object();
	return r;
}

void
record_clear(struct record *r)
{
	size_t i;

	for (i = 0; i < RECORD_MAX; i++) {
		free(r->ring[i].text);
		r->ring[i] = (struct entry){ 0 };
	}
	r->total = 0;
	json_object_clear(r->counts);
}

void
record_free(struct record *r)
{
	if (r == NULL)
		return;
	record_clear(r);
	json_decref(r->counts);
	free(r->ring);
	free(r);
}

/* How the client said who it is; what it said is a secret and not kept. */
static const char *
auth_kind(const struct request *r)
{
	const char *header = request_header(r, "Authorization");

	if (header == NULL)
		return query_value(&r->query, "X-Amz-Signature") != NULL ? "presigned" : "none";
	if (strncmp(header, "Basic ", 6) == 0)
		return "basic";
	if (strncmp(header, "Bearer ", 7) == 0)
		return "bearer";
	return strncmp(header, "AWS4-", 5) == 0 ? "sigv4" : "other";
}

static void
count(struct record *r, const char *face)
{
	json_object_set_new(r->counts, face, json_integer(json_int_or(r->counts, face, 0) + 1));
}

void
record_add(struct record *r, const char *face, const struct request *q, int status,
    const char *note)
{
	struct entry *e = &r->ring[r->total % RECORD_MAX];
	struct buf text = BUF_INIT;
	size_t i;

	buf_add(&text, q->host, strlen(q->host) + 1);
	buf_add(&text, q->path, strlen(q->path) + 1);
	for (i = 0; i < q->query.n; i++)
		buf_printf(&text, "%s%s", i > 0 ? "&" : "", q->query.pairs[i].name);
	free(e->text);
	*e = (struct entry){ .face = face, .text = buf_take(&text), .body_len = q->body_len,
	    .status = status, .note = note, .auth = auth_kind(q) };
	strncpy(e->method, q->method, sizeof(e->method) - 1);
	r->total++;
	count(r, face);
}

static json_t *
entry_json(const struct entry *e, int64_t number)
{
	const char *host = e->text, *path = host + strlen(host) + 1;
	const char *query = path + strlen(path) + 1;
	json_t *o = json_object();

	json_object_set_new(o, "number", json_integer(number));
	json_object_set_new(o, "face", json_string(e->face));
	json_object_set_new(o, "method", json_string(e->method));
	json_object_set_new(o, "host", json_text(host));
	json_object_set_new(o, "path", json_text(path));
	json_object_set_new(o, "query", json_text(query));
	json_object_set_new(o, "auth", json_string(e->auth));
	json_object_set_new(o, "body_bytes", json_integer((json_int_t)e->body_len));
	json_object_set_new(o, "status", json_integer(e->status));
	json_object_set_new(o, "fault", json_text(e->note));
	return o;
}

json_t *
record_list(const struct record *r, int64_t since, const char *face)
{
	json_t *o = json_object(), *requests = json_array();
	const struct entry *e;
	int64_t number = r->total > RECORD_MAX ? r->total - RECORD_MAX : 0;

	if (number < since)
		number = since;
	for (; number < r->total; number++) {
		e = &r->ring[number % RECORD_MAX];
		if (face == NULL || strcmp(e->face, face) == 0)
			json_array_append_new(requests, entry_json(e, number + 1));
	}
	json_object_set_new(o, "total", json_integer(r->total));
	json_object_set_new(o, "counts", json_deep_copy(r->counts));
	json_object_set_new(o, "requests", requests);
	return o;
}
