#include "tests/sandbox/crane-app.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "crane/service.h"

struct crane_app {
	struct live	*live;		/* NULL: nothing was loaded yet */
	struct presign	*presign;	/* or NULL */
};

struct crane_app *
crane_app_new(void)
{
	return xcalloc(1, sizeof(struct crane_app));
}

void
crane_app_free(struct crane_app *c)
{
	if (c == NULL)
		return;
	live_unref(c->live);
	presign_free(c->presign);
	free(c);
}

void
crane_app_load(struct crane_app *c, const char *dir)
{
	struct refusals refused = REFUSALS_INIT;
	int64_t now = time(NULL);
	struct store *loaded = load_directory(dir, now, &refused);
	struct live *live = live_new(c->live, loaded, &refused, NULL, NULL, now);

	live_unref(c->live);
	c->live = live;
}

int
crane_app_presign(struct crane_app *c, const char *key, struct error *err)
{
	struct presign *presign = NULL;

	if (key != NULL && (presign = presign_parse(key, strlen(key), err)) == NULL)
		return -1;
	presign_free(c->presign);
	c->presign = presign;
	return 0;
}

static void
answer_head(const struct crane_app *c, char *head, size_t len, struct answer *a)
{
	struct service service = { .live = c->live, .presign = c->presign, .now = time(NULL) };
	struct request request;
	int refusal = len > REQUEST_HEAD_MAX ? 431 : request_parse(head, len, &request);

	if (refusal != 0)
		answer_status(a, refusal);
	else
		service_answer(&service, &request, a);
}

void
crane_app_answer(const struct crane_app *c, char *head, size_t len, struct crane_answer *out)
{
	struct answer a = { 0 };
	char length[24];

	answer_head(c, head, len, &a);
	if (a.has_length) {
		snprintf(length, sizeof(length), "%ju", (uintmax_t)a.length);
		answer_header(&a, "Content-Length", length);
	}
	if (a.shared != NULL)
		buf_add(&a.body, buf_str(a.shared), a.shared->len);
	*out = (struct crane_answer){ a.status, a.headers, a.body };
}
