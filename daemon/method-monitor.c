#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/exporter.h"
#include "daemon/handlers.h"
#include "daemon/verdict.h"

#define NAMES_MAX 5

/* --- metrics: pages of whole lines, as the client reads --- */

#define PAGE_SIZE (256u * 1024)

struct pages {
	struct control_call	*call;
	struct buf		 text;
	size_t			 at;
};

static void
pages_free(struct pages *p)
{
	control_call_unref(p->call);
	buf_done(&p->text);
	free(p);
}

static json_t *
next_page(struct pages *p)
{
	size_t left = p->text.len - p->at, size = left < PAGE_SIZE ? left : PAGE_SIZE;
	const char *from = p->text.data + p->at;

	while (size < left && from[size - 1] != '\n')
		size++;
	p->at += size;
	return json_pack("{s:o}", "text", json_stringn(from, size));
}

static void
send_pages(struct pages *p)
{
	while (p->text.len - p->at > PAGE_SIZE) {
		if (!control_event(p->call, next_page(p)) || !control_call_room(p->call))
			return;
	}
	control_reply(p->call, next_page(p));
	pages_free(p);
}

static void
on_room(void *arg, struct control_call *call)
{
	(void)call;
	send_pages(arg);
}

static void
on_gone(void *arg, struct control_call *call)
{
	(void)call;
	pages_free(arg);
}

static void
on_text(void *arg, struct buf *text)
{
	struct control_call *call = arg;
	struct error err;
	struct pages *p;

	if (text == NULL) {
		error_set(&err, ERROR_CANCELLED, "raasd ends");
		control_fail_error(call, &err);
	} else if (text->len > PAGE_SIZE && !control_call_more(call)) {
		control_fail(call, VARLINK_EXPECTED_MORE, NULL);
	} else if (!control_call_gone(call)) {
		p = xcalloc(1, sizeof(*p));
		p->call = control_call_ref(call);
		p->text = *text;
		*text = (struct buf)BUF_INIT;
		control_call_watch(call, on_room, on_gone, p);
		send_pages(p);
	}
	control_call_unref(call);
}

void
handle_metrics(struct daemon *d, struct control_call *call)
{
	exporter_ask(d->exporter, on_text, control_call_ref(call));
}

/* --- check --- */

static char *
failed_names(const struct daemon *d)
{
	struct buf names = BUF_INIT;
	size_t i, n = 0;

	for (i = 0; i < d->n_registries && n <= NAMES_MAX; i++) {
		if (!verdict_counts(registry_phase(d->registries[i])))
			continue;
		if (n++ == NAMES_MAX)
			buf_add_str(&names, ", ...");
		else
			buf_printf(&names, "%s%s", n > 1 ? ", " : "", d->registries[i]->state->name);
	}
	return buf_take(&names);
}

static char *
check_all(struct daemon *d, const json_t *params, struct verdict *v)
{
	cleanup(free_p) char *names = failed_names(d), *well = NULL;
	struct overview o;

	overview_take(d, &o);
	verdict_judge(v, &o, params, names);
	well = xasprintf("%zu ISVs, %zu of them ok", o.isvs, o.phases[PHASE_OK]);
	return verdict_line(v, well);
}

static char *
check_isv(struct daemon *d, const struct registry *r, const json_t *params,
    struct verdict *v)
{
	enum phase phase = registry_phase(r);
	cleanup(free_p) char *well = xasprintf("%s is %s", r->state->name, phase_name(phase));
	time_t since = r->state->last_sync != 0 ? r->state->last_sync : d->started;
	struct overview o;

	overview_take(d, &o);
	verdict_judge_isv(v, r->state->name, phase, overview_age_s(&o, since), registry_error(r),
	    params);
	return verdict_line(v, well);
}

void
handle_check(struct daemon *d, struct control_call *call)
{
	const json_t *params = control_call_parameters(call);
	const char *isv = json_string_or(params, "isv", NULL);
	struct registry *r = isv != NULL ? call_registry(d, call) : NULL;
	cleanup(verdict_done) struct verdict v = VERDICT_INIT;
	cleanup(free_p) char *line = NULL;

	if (isv != NULL && r == NULL)
		return;
	line = isv != NULL ? check_isv(d, r, params, &v) : check_all(d, params, &v);
	control_reply(call, json_pack("{s:i, s:s}", "status", (int)v.level, "line", line));
}
