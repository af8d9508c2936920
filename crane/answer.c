#include "crane/answer.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	int		 status;
	const char	*reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 302, "Found" },
	{ 400, "Bad Request" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 431, "Request Header Fields Too Large" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
answer_reason(int status)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

void
answer_begin(struct answer *a, int status)
{
	a->status = status;
	buf_clear(&a->headers);
	buf_clear(&a->body);
	a->shared = NULL;
	a->has_length = false;
	a->length = 0;
}

void
answer_done(struct answer *a)
{
	buf_done(&a->headers);
	buf_done(&a->body);
}

void
answer_header(struct answer *a, const char *name, const char *value)
{
	size_t begin;

	buf_add_str(&a->headers, name);
	buf_add_str(&a->headers, ": ");
	begin = a->headers.len;
	buf_add_str(&a->headers, value);
	for (; begin < a->headers.len; begin++)
		if ((unsigned char)a->headers.data[begin] < 0x20 || a->headers.data[begin] == 0x7f)
			a->headers.data[begin] = '?';
	buf_add_str(&a->headers, "\r\n");
}

void
answer_text(struct answer *a, const char *type, const char *text)
{
	answer_header(a, "Content-Type", type);
	buf_clear(&a->body);
	buf_add_str(&a->body, text);
}

void
answer_json(struct answer *a, json_t *value)
{
	cleanup(json_unref) json_t *taken = value;
	cleanup(free_p) char *text = json_dumps(taken, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		abort();	/* out of memory: what was packed can be written */
	answer_text(a, "application/json", text);
}

void
answer_status(struct answer *a, int status)
{
	answer_begin(a, status);
	answer_text(a, "text/plain; charset=utf-8", answer_reason(status));
	buf_add_str(&a->body, "\n");
}

void
answer_not_allowed(struct answer *a, const char *methods)
{
	answer_status(a, 405);
	answer_header(a, "Allow", methods);
}

void
answer_error(struct answer *a, int status, const char *code, const char *message,
    const char *key, const char *value)
{
	json_t *detail = json_object();

	json_object_set_new(detail, key, json_text(value));
	answer_begin(a, status);
	answer_json(a, json_pack("{s:[{s:s,s:s,s:o}]}", "errors", "code", code, "message", message,
	    "detail", detail));
}
