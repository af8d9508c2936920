/* show.h - raasd's replies to each command, as text or as JSON. */
#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

#include <jansson.h>
#include <stdbool.h>

#include "client/render.h"
#include "common/methods.h"

struct show {
	struct render		*render;
	const struct method	*method;
	const json_t		*asked;		/* the call's parameters; lent */
	bool			 json;
	json_t			*pages;		/* of a status, put together */
	size_t			 n_queued;	/* ISVs of a sync */
	size_t			 n_finished;
	json_t			*layers;	/* of a publish, that are on their way; by name */
	char			*plan;		/* of a teardown, that may be confirmed; NULL: none */
};

/* An event, and the end, of an ISV's sync. */
void	 show_sync_event(struct show *, const json_t *event);
void	 show_sync_result(struct show *, const json_t *result);

/* One reply; `last`: no other follows. */
void	 show_reply(struct show *, const json_t *parameters, bool last);
void	 show_done(struct show *);

#endif
