#include "daemon/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "daemon/config-build.h"
#include "daemon/config-keys.h"
#include "daemon/problems.h"
#include "daemon/raas-cfg.h"

struct config *
config_parse(const char *text, size_t len, const char *file, const struct config *last_good,
    const char *credentials_dir)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *raw = raas_cfg_read(text, len, file);

	return config_build(raw, last_good, credentials_dir, false);
}

struct config *
config_ref(struct config *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

static void
shared_done(struct config *c)
{
	config_values_done(config_table("redhat"), &c->redhat);
	config_values_done(config_table("openshift"), &c->openshift);
	config_values_done(config_table("aws"), &c->aws);
	config_values_done(config_table("pulpserver"), &c->pulp);
	free(c->redhat.error);
	free(c->openshift.error);
	free(c->aws.error);
	free(c->pulp.error);
}

void
config_unref(struct config *c)
{
	struct problems errors, warnings;
	size_t i;

	/* The last one must see all that the others did with it. */
	if (c == NULL || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	for (i = 0; i < c->n_isvs; i++) {
		config_values_done(config_table(c->isvs[i].name), &c->isvs[i]);
		free(c->isvs[i].name);
		free(c->isvs[i].error);
	}
	free(c->isvs);
	shared_done(c);
	errors = (struct problems){ c->errors, c->n_errors, c->n_errors };
	warnings = (struct problems){ c->warnings, c->n_warnings, c->n_warnings };
	problems_done(&errors);
	problems_done(&warnings);
	free(c);
}

static int
compare_name(const void *name, const void *isv)
{
	return strcmp(name, ((const struct isv *)isv)->name);
}

const struct isv *
config_isv(const struct config *c, const char *name)
{
	if (c->n_isvs == 0)
		return NULL;
	return bsearch(name, c->isvs, c->n_isvs, sizeof(*c->isvs), compare_name);
}

bool
config_isv_equal(const struct isv *a, const struct isv *b)
{
	return strcmp(a->name, b->name) == 0 && config_values_equal(config_table(a->name), a, b);
}

bool
config_shared_equal(const struct config *a, const struct config *b)
{
	return config_values_equal(config_table("redhat"), &a->redhat, &b->redhat) &&
	    config_values_equal(config_table("openshift"), &a->openshift, &b->openshift) &&
	    config_values_equal(config_table("aws"), &a->aws, &b->aws) &&
	    config_values_equal(config_table("pulpserver"), &a->pulp, &b->pulp);
}
