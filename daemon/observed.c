#include "daemon/observed.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/openshift.h"

void
observed_done(struct observed *o)
{
	size_t i;

	free(o->app.id);
	free(o->app.app_url);
	free(o->app.git_url);
	free(o->app.alias);
	free(o->app.cartridge);
	free(o->app.gear_size);
	free(o->app.deployment_branch);
	free(o->bucket.region);
	free(o->bucket.access_detail);
	free(o->app_head);
	for (i = 0; i < o->n_files; i++) {
		free(o->files[i].name);
		free(o->files[i].invalid);
	}
	free(o->files);
	free(o->layers.first_bad);
	free(o->layers.first_found);
	free(o->health.detail);
	for (i = 0; i < o->n_images; i++)
		free(o->images[i]);
	free(o->images);
	crane_ids_done(&o->prefixes);
	memset(o, 0, sizeof(*o));
}

void
observed_app_set(struct observed_app *out, const struct openshift_app *app)
{
	out->seen.sight = SIGHT_PRESENT;
	out->id = xstrdup(app->id);
	out->app_url = xstrdup(app->app_url);
	out->git_url = xstrdup(app->git_url);
	out->alias = app->n_aliases > 0 ? xstrdup(app->aliases[0]) : NULL;
	out->cartridge = app->framework[0] != '\0' ? xstrdup(app->framework) : NULL;
	out->gear_size = app->gear_profile[0] != '\0' ? xstrdup(app->gear_profile) : NULL;
	out->scale = app->scalable;
	out->deployment_branch = app->deployment_branch[0] != '\0'
	    ? xstrdup(app->deployment_branch) : NULL;
	out->auto_deploy = app->auto_deploy;
}

void
sighting_fail(struct sighting *s, const struct error *err)
{
	s->sight = SIGHT_FAILED;
	s->error = *err;
}
