#include "crane/live.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "crane/pages.h"

struct live {
	atomic_uint	 refs;
	struct store	*store;
	struct refusals	 refusals;
	struct keys	*keys;
	struct buf	 pages[LIVE_PAGES];
};

static struct store *
choose(const struct live *before, struct store *loaded)
{
	if (store_is_whole(loaded) || before == NULL || !store_is_whole(before->store))
		return loaded;
	store_unref(loaded);
	return store_ref(before->store);
}

struct live *
live_new(const struct live *before, struct store *loaded, struct refusals *refused,
    struct keys *keys, const char *keys_refused, int64_t now)
{
	struct live *l = xcalloc(1, sizeof(*l));

	atomic_init(&l->refs, 1);
	l->store = choose(before, loaded);
	l->refusals = *refused;
	*refused = (struct refusals)REFUSALS_INIT;
	l->keys = keys_ref(keys);
	pages_status(l->store, &l->refusals, keys_refused, now, &l->pages[LIVE_STATUS]);
	pages_v1_json(l->store, &l->pages[LIVE_V1_JSON]);
	pages_v1_html(l->store, &l->pages[LIVE_V1_HTML]);
	pages_v2_json(l->store, &l->pages[LIVE_V2_JSON]);
	pages_v2_html(l->store, &l->pages[LIVE_V2_HTML]);
	return l;
}

struct live *
live_ref(struct live *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

void
live_unref(struct live *l)
{
	int i;

	if (l == NULL || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return;
	store_unref(l->store);
	refusals_done(&l->refusals);
	keys_unref(l->keys);
	for (i = 0; i < LIVE_PAGES; i++)
		buf_done(&l->pages[i]);
	free(l);
}

const struct store *
live_store(const struct live *l)
{
	return l->store;
}

const struct refusals *
live_refusals(const struct live *l)
{
	return &l->refusals;
}

const struct keys *
live_keys(const struct live *l)
{
	return l->keys;
}

const struct buf *
live_page(const struct live *l, enum live_page page)
{
	return &l->pages[page];
}
