#include "daemon/inventory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/account.h"
#include "daemon/openshift.h"
#include "daemon/s3.h"

struct bucket {
	char	*name;
	char	*region;	/* "": not said */
};

struct bucket_list {
	struct bucket	*buckets;	/* sorted by name */
	size_t		 n, size;
};

struct inventory {
	struct openshift_names	 domains;
	struct openshift_apps	 apps;
	struct error		 openshift_error;	/* ERROR_NONE: it was seen */
	struct bucket_list	 buckets;
	struct error		 s3_error;
	atomic_uint		 refs;
};

/* True, with err, when the section is bad and no last good values take its place. */
static bool
unusable(const char *value, const char *why, struct error *err)
{
	if (value == NULL)
		error_set(err, ERROR_INPUT, "%s", why != NULL ? why : "raas.cfg is incomplete");
	return value == NULL;
}

static void
take_openshift(struct inventory *inv, const struct config *config, struct http *http,
    const struct deadline *deadline)
{
	cleanup(openshift_free_p) struct openshift *openshift = NULL;

	if (unusable(config->openshift.server_url, config->openshift.error, &inv->openshift_error))
		return;
	openshift = openshift_new(http, &config->openshift);
	if (openshift_domains(openshift, &inv->domains, deadline, &inv->openshift_error) == 0)
		openshift_apps(openshift, &inv->apps, deadline, &inv->openshift_error);
}

static int
add_bucket(void *arg, const struct s3_bucket *b, struct error *err)
{
	struct bucket_list *list = arg;

	(void)err;
	if (list->n == list->size) {
		list->size = list->size != 0 ? list->size * 2 : 64;
		list->buckets = xreallocarray(list->buckets, list->size, sizeof(*list->buckets));
	}
	list->buckets[list->n++] = (struct bucket){ xstrdup(b->name), xstrdup(b->region) };
	return 0;
}

static int
compare_buckets(const void *a, const void *b)
{
	return strcmp(((const struct bucket *)a)->name, ((const struct bucket *)b)->name);
}

static void
take_s3(struct inventory *inv, const struct config *config, struct http *http,
    const struct deadline *deadline)
{
	struct s3 *s3;

	if (unusable(config->aws.region, config->aws.error, &inv->s3_error))
		return;
	if ((s3 = account_s3(&config->aws, http, &inv->s3_error)) != NULL)
		s3_bucket_list(s3, add_bucket, &inv->buckets, deadline, &inv->s3_error);
	s3_free(s3);
	if (inv->buckets.n > 0)
		qsort(inv->buckets.buckets, inv->buckets.n, sizeof(*inv->buckets.buckets),
		    compare_buckets);
}

struct inventory *
inventory_take(const struct config *config, struct http *http, const struct deadline *deadline)
{
	struct inventory *inv = xcalloc(1, sizeof(*inv));

	atomic_init(&inv->refs, 1);
	take_openshift(inv, config, http, deadline);
	take_s3(inv, config, http, deadline);
	return inv;
}

struct inventory *
inventory_ref(struct inventory *inv)
{
	atomic_fetch_add(&inv->refs, 1);
	return inv;
}

void
inventory_unref(struct inventory *inv)
{
	size_t i;

	if (inv == NULL || atomic_fetch_sub(&inv->refs, 1) > 1)
		return;
	openshift_names_done(&inv->domains);
	openshift_apps_done(&inv->apps);
	for (i = 0; i < inv->buckets.n; i++) {
		free(inv->buckets.buckets[i].name);
		free(inv->buckets.buckets[i].region);
	}
	free(inv->buckets.buckets);
	free(inv);
}

static void
look_openshift(const struct inventory *inv, const struct isv *isv, struct observed *out)
{
	const struct openshift_app *app;

	if (inv->openshift_error.kind != ERROR_NONE) {
		sighting_fail(&out->domain, &inv->openshift_error);
		sighting_fail(&out->app.seen, &inv->openshift_error);
		return;
	}
	out->domain.sight = openshift_names_have(&inv->domains, isv->domain) ? SIGHT_PRESENT
	    : SIGHT_ABSENT;
	app = openshift_apps_find(&inv->apps, isv->domain, isv->app);
	if (app != NULL)
		observed_app_set(&out->app, app);
	else
		out->app.seen.sight = SIGHT_ABSENT;
}

static void
look_bucket(const struct inventory *inv, const struct isv *isv, struct observed *out)
{
	struct bucket key = { isv->bucket, NULL }, *found = NULL;

	if (inv->s3_error.kind != ERROR_NONE) {
		sighting_fail(&out->bucket.seen, &inv->s3_error);
		return;
	}
	if (inv->buckets.n > 0)
		found = bsearch(&key, inv->buckets.buckets, inv->buckets.n, sizeof(key),
		    compare_buckets);
	/* One that is not in the list may be another account's: only asking for it tells. */
	if (found != NULL) {
		out->bucket.seen.sight = SIGHT_PRESENT;
		if (found->region[0] != '\0')
			out->bucket.region = xstrdup(found->region);
	}
}

void
inventory_look(const struct inventory *inv, const struct isv *isv, struct observed *out)
{
	look_openshift(inv, isv, out);
	look_bucket(inv, isv, out);
}

const struct error *
inventory_openshift_error(const struct inventory *inv)
{
	return inv->openshift_error.kind != ERROR_NONE ? &inv->openshift_error : NULL;
}

const struct error *
inventory_s3_error(const struct inventory *inv)
{
	return inv->s3_error.kind != ERROR_NONE ? &inv->s3_error : NULL;
}
