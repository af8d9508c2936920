#include "tests/sandbox/crane-face.h"

#include <string.h>

/* As the client sent it, so that raas-crane reads all of it by itself. */
static void
write_head(const struct request *r, struct buf *head)
{
	const struct evkeyval *header;

	buf_printf(head, "%s %s%s%s HTTP/1.1\r\n", r->method, r->path,
	    r->query_text[0] != '\0' ? "?" : "", r->query_text);
	TAILQ_FOREACH(header, r->headers, next)
		buf_printf(head, "%s: %s\r\n", header->key, header->value);
	buf_add_str(head, "\r\n");
}

/* Each "Name: value\r\n"; the text is cut up. */
static void
add_headers(struct reply *a, char *text)
{
	char *end, *colon;

	for (; (end = strstr(text, "\r\n")) != NULL; text = end + 2) {
		*end = '\0';
		if ((colon = strstr(text, ": ")) == NULL)
			continue;
		*colon = '\0';
		reply_header(a, text, colon + 2);
	}
}

void
crane_face_answer(const struct crane_app *app, const struct request *r, struct reply *a)
{
	struct buf head = BUF_INIT;
	struct crane_answer answer;

	write_head(r, &head);
	crane_app_answer(app, head.data, head.len, &answer);
	a->status = answer.status;
	if (answer.headers.len > 0)
		add_headers(a, answer.headers.data);
	evbuffer_add(a->body, buf_str(&answer.body), answer.body.len);
	buf_done(&answer.headers);
	buf_done(&answer.body);
	buf_done(&head);
}
