#include "daemon/health.h"

#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define LIST_MAX (8u << 20)	/* bytes of Crane's list of repositories */
#define DEPTH_MAX 8
#define CHECK_TIMEOUT_MS 20000
#define LACKING_NAMED 3		/* of the names that are not served */

struct check {
	struct http		*http;
	const char		*base_url;
	const char		*const *names;
	size_t			 n_names;
	const struct deadline	*deadline;
	struct health		*health;
};

enum reply {
	REPLY_STOPPED,		/* by a cancel or the deadline: err is set */
	REPLY_NONE,		/* it is down: the health says why */
	REPLY_REFUSED,		/* this path may not be asked */
	REPLY_OK,
};

static void
down(struct health *health, const char *why)
{
	health->state = HEALTH_DOWN;
	snprintf(health->detail, sizeof(health->detail), "%s", why);
	text_clean(health->detail);
}

static enum reply
judge_status(const struct http_response *answer, const char *path, struct health *health)
{
	char why[256], where[128] = "";

	if (answer->status == 200)
		return REPLY_OK;
	if (answer->status == 401 || answer->status == 403 || answer->status == 404)
		return REPLY_REFUSED;
	if (answer->status / 100 == 3)
		http_header(answer, "location", where, sizeof(where));
	snprintf(why, sizeof(why), "%s: HTTP status %ld%s%s", path, answer->status,
	    where[0] != '\0' ? ", leads to " : "", where);
	down(health, why);
	return REPLY_NONE;
}

static enum reply
ask(const struct check *c, const char *path, struct http_response *answer, struct error *err)
{
	/* Crane compares the whole header, and answers HTML to any other. */
	static const char *const headers[] = { "Accept: application/json", NULL };
	cleanup(free_p) char *url = xasprintf("%s%s", c->base_url, path);
	struct http_request request = {
		.url = url, .headers = headers, .body_max = LIST_MAX, .timeout_ms = CHECK_TIMEOUT_MS,
	};
	struct error why = ERROR_INIT;

	if (http_do(c->http, &request, answer, c->deadline, &why) == 0)
		return judge_status(answer, path, c->health);
	if (why.kind == ERROR_REMOTE && !deadline_cancelled(c->deadline)) {
		down(c->health, why.text);
		return REPLY_NONE;
	}
	error_set(err, why.kind, "%s", why.text);
	return REPLY_STOPPED;
}

/* Takes those names off the list that the answer's object has; -1: it is no such object. */
static int
tick_off(const struct http_response *answer, const char **lacking, size_t *n, struct error *why)
{
	cleanup(json_unref) json_t *list = json_read(buf_str(&answer->body), answer->body.len,
	    DEPTH_MAX, why);
	size_t i, left = 0;

	if (list == NULL)
		return -1;
	if (!json_is_object(list))
		return error_set(why, ERROR_INPUT, "not an object");
	for (i = 0; i < *n; i++)
		if (json_object_get(list, lacking[i]) == NULL)
			lacking[left++] = lacking[i];
	*n = left;
	return 0;
}

static void
say_lacking(struct health *health, const char *const *lacking, size_t n)
{
	cleanup(buf_done) struct buf text = BUF_LIMIT(sizeof(health->detail) - 32);
	size_t i;

	for (i = 0; i < n && i < LACKING_NAMED; i++)
		if (!buf_printf(&text, "%s'%s'", i > 0 ? ", " : "", lacking[i]))
			break;
	health->state = HEALTH_LACKS;
	if (i < n)
		snprintf(health->detail, sizeof(health->detail), "does not serve %s%s%zu more",
		    buf_str(&text), i > 0 ? " and " : "", n - i);
	else
		snprintf(health->detail, sizeof(health->detail), "does not serve %s",
		    buf_str(&text));
	text_clean(health->detail);
}

/* Asks one of Crane's two lists, of v1 and of v2, for the names that are still lacking. */
static enum reply
ask_list(const struct check *c, bool v2, const char **lacking, size_t *n, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = HTTP_RESPONSE_INIT;
	const char *path = v2 ? "/crane/repositories/v2" : "/crane/repositories";
	struct error why = ERROR_INIT;
	enum reply reply = ask(c, path, &answer, err);

	if (reply != REPLY_OK || tick_off(&answer, lacking, n, &why) == 0)
		return reply;
	error_prefix(&why, "%s", path);
	down(c->health, why.text);
	return REPLY_NONE;
}

/* All names may be v1's, or all v2's: then the list that had them the last time has them again,
 * and one request is enough. */
static enum reply
check_lists(const struct check *c, struct error *err)
{
	cleanup(free_p) const char **lacking = xcalloc(c->n_names + 1, sizeof(*lacking));
	struct health_memory *memory = &c->health->memory;
	bool first = memory->v2;
	size_t n = c->n_names;
	enum reply reply;

	if (n > 0)
		memcpy(lacking, c->names, n * sizeof(*lacking));
	if ((reply = ask_list(c, first, lacking, &n, err)) != REPLY_OK || n == 0)
		return reply;
	if ((reply = ask_list(c, !first, lacking, &n, err)) == REPLY_OK && n == 0)
		memory->v2 = !first;
	if (reply == REPLY_OK && n > 0)
		say_lacking(c->health, lacking, n);
	/* An old Crane has no list of v2. */
	if (reply == REPLY_REFUSED) {
		say_lacking(c->health, lacking, n);
		reply = REPLY_OK;
	}
	return reply;
}

static enum reply
check_ping(const struct check *c, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = HTTP_RESPONSE_INIT;
	const char *path = c->health->memory.v2 ? "/v2/" : "/v1/_ping";
	enum reply reply = ask(c, path, &answer, err);
	char why[64];

	if (reply == REPLY_REFUSED) {
		snprintf(why, sizeof(why), "%s: HTTP status %ld", path, answer.status);
		down(c->health, why);
	}
	return reply;
}

int
health_check(struct http *http, const char *base_url, const char *const *names, size_t n_names,
    const struct health_memory *memory, struct health *out, const struct deadline *deadline,
    struct error *err)
{
	struct health health = { .state = HEALTH_OK, .memory = *memory };
	struct check c = { http, base_url, names, n_names, deadline, &health };
	enum reply reply = REPLY_REFUSED;

	if (!health.memory.no_list)
		reply = check_lists(&c, err);
	if (reply == REPLY_REFUSED) {
		/* Crane's own sample configuration lets only localhost see the lists. */
		reply = check_ping(&c, err);
		if (reply == REPLY_OK)
			health.memory.no_list = true;
	}
	if (reply == REPLY_STOPPED)
		return -1;
	*out = health;
	return 0;
}
