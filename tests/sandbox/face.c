#include "tests/sandbox/face.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"

const char *
request_header(const struct request *r, const char *name)
{
	return evhttp_find_header(r->headers, name);
}

bool
request_is(const struct request *r, const char *method)
{
	return strcmp(r->method, method) == 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *
percent_decode(const char *s, size_t n, bool plus)
{
	char *out = xcalloc(n + 1, 1), *to = out;
	int high, low;
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == '%' && n - i > 2 &&
		    (high = hex_digit(s[i + 1])) >= 0 && (low = hex_digit(s[i + 2])) >= 0 &&
		    high + low > 0) {
			*to++ = (char)(high * 16 + low);
			i += 2;
		} else {
			*to++ = plus && s[i] == '+' ? ' ' : s[i];
		}
	}
	return out;
}

char *
percent_encode(const char *text, bool keep_slash)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
	struct buf out = BUF_INIT;

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL || (keep_slash && *text == '/'))
			buf_add(&out, text, 1);
		else
			buf_printf(&out, "%%%02X", (unsigned char)*text);
	}
	return buf_take(&out);
}

void
query_parse(const char *text, struct query *q)
{
	const char *equals;
	size_t len;

	*q = (struct query){ NULL, 0 };
	for (; *text != '\0'; text += len + (text[len] == '&')) {
		if ((len = strcspn(text, "&")) == 0)
			continue;
		if ((equals = memchr(text, '=', len)) == NULL)
			equals = text + len;
		q->pairs = xreallocarray(q->pairs, q->n + 1, sizeof(*q->pairs));
		q->pairs[q->n].name = percent_decode(text, (size_t)(equals - text), true);
		if (equals < text + len)
			equals++;
		q->pairs[q->n].value = percent_decode(equals, (size_t)(text + len - equals), true);
		q->n++;
	}
}

const char *
query_value(const struct query *q, const char *name)
{
	size_t i;

	for (i = 0; i < q->n; i++) {
		if (strcmp(q->pairs[i].name, name) == 0)
			return q->pairs[i].value;
	}
	return NULL;
}

void
query_done(struct query *q)
{
	size_t i;

	for (i = 0; i < q->n; i++) {
		free(q->pairs[i].name);
		free(q->pairs[i].value);
	}
	free(q->pairs);
	*q = (struct query){ NULL, 0 };
}

void
reply_init(struct reply *a)
{
	a->status = 0;
	TAILQ_INIT(&a->headers);
	a->body = evbuffer_new();
}

void
reply_clear(struct reply *a)
{
	a->status = 0;
	evhttp_clear_headers(&a->headers);
	evbuffer_drain(a->body, evbuffer_get_length(a->body));
}

void
reply_done(struct reply *a)
{
	evhttp_clear_headers(&a->headers);
	evbuffer_free(a->body);
}

void
reply_header(struct reply *a, const char *name, const char *value)
{
	evhttp_remove_header(&a->headers, name);
	evhttp_add_header(&a->headers, name, value);
}

void
reply_text(struct reply *a, int status, const char *type, const char *text)
{
	a->status = status;
	if (type != NULL)
		reply_header(a, "Content-Type", type);
	evbuffer_add(a->body, text, strlen(text));
}

void
reply_json(struct reply *a, int status, json_t *value)
{
	cleanup(free_p) char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	reply_text(a, status, "application/json", text != NULL ? text : "null");
	json_decref(value);
}

void
reply_html(struct reply *a, int status, const char *title)
{
	cleanup(free_p) char *page = xasprintf("<html><head><title>%s</title></head>"
	    "<body><h1>%s</h1></body></html>\n", title, title);

	reply_text(a, status, "text/html; charset=utf-8", page);
}
