#include "daemon/observed.h"

#include <stdlib.h>
#include <string.h>

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
	free(o->health.detail);
	for (i = 0; i < o->n_images; i++)
		free(o->images[i]);
	free(o->images);
	memset(o, 0, sizeof(*o));
}

void
sighting_fail(struct sighting *s, const struct error *err)
{
	s->sight = SIGHT_FAILED;
	s->error = *err;
}
