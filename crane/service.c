#include "crane/service.h"

#include <string.h>

#include "crane/accept.h"
#include "crane/location.h"
#include "crane/v1.h"
#include "crane/v2.h"

#define READ_METHODS "GET, HEAD"

void
service_redirect(const struct service *s, const struct request *r, const char *base,
    const char *rest, struct answer *a)
{
	cleanup(free_p) char *url = location_join(base, rest), *is_signed = NULL;

	if (s->presign != NULL)
		is_signed = presign_url(s->presign, r->method == REQUEST_HEAD ? "HEAD" : "GET", url,
		    s->now);
	a->status = 302;
	answer_header(a, "Location", is_signed != NULL ? is_signed : url);
	if (is_signed != NULL)
		answer_header(a, "Cache-Control", "no-store");
}

/* Crane looks at the whole header, and so do we. */
static void
repositories(const struct service *s, const struct request *r, enum live_page json,
    enum live_page html, struct answer *a)
{
	bool wants_json = accept_is(r, "application/json");

	answer_header(a, "Content-Type", wants_json ? "application/json"
	    : "text/html; charset=utf-8");
	answer_header(a, "Vary", "Accept");
	a->shared = live_page(s->live, wants_json ? json : html);
}

static void
status(const struct service *s, struct answer *a)
{
	answer_header(a, "Content-Type", "application/json");
	answer_header(a, "Cache-Control", "no-store");
	a->shared = live_page(s->live, LIVE_STATUS);
}

/* Whether the path is `prefix` or below it; *rest is what follows. */
static bool
is_below(const char *path, const char *prefix, const char **rest)
{
	size_t len = strlen(prefix);

	if (strncmp(path, prefix, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return false;
	*rest = path + len;
	return true;
}

void
service_answer(const struct service *s, const struct request *r, struct answer *a)
{
	const char *rest;

	answer_begin(a, 200);
	if (is_below(r->path, "/v1", &rest))	/* the one with a path to POST to */
		v1_answer(s, r, rest, a);
	else if (r->method != REQUEST_GET && r->method != REQUEST_HEAD)
		answer_not_allowed(a, READ_METHODS);
	else if (is_below(r->path, "/v2", &rest))
		v2_answer(s, r, rest, a);
	else if (strcmp(r->path, "/crane/repositories") == 0 ||
	    strcmp(r->path, "/crane/repositories/v1") == 0)
		repositories(s, r, LIVE_V1_JSON, LIVE_V1_HTML, a);
	else if (strcmp(r->path, "/crane/repositories/v2") == 0)
		repositories(s, r, LIVE_V2_JSON, LIVE_V2_HTML, a);
	else if (strcmp(r->path, "/raas/status") == 0)
		status(s, a);
	else
		answer_status(a, 404);
}
