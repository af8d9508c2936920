/* Any bytes at all make a configuration that can be read, compared and printed, and whose ISVs
 * have everything they are said to have; read again after itself it is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "daemon/config.h"
#include "daemon/isv.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_isv(const struct isv *isv)
{
	struct error err = ERROR_INIT;

	if (isv_check_name(isv->name, &err) == -1)
		abort();
	if (isv->error != NULL && !isv->stale)
		return;
	if (isv_check_bucket(isv->bucket, &err) == -1 || isv_check_app(isv->app, &err) == -1 ||
	    isv_check_domain(isv->domain, &err) == -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct config *c = config_parse(text, size, "f", NULL, NULL);
	struct config *again = config_parse(text, size, "f", c, NULL);
	cleanup(json_unref) json_t *o = config_to_json(text, size, "f", NULL);
	cleanup(free_p) char *printed = json_dumps(o, 0);
	size_t i;

	if (printed == NULL || c->n_isvs != again->n_isvs || !config_shared_equal(c, again))
		abort();
	for (i = 0; i < c->n_isvs; i++) {
		check_isv(&c->isvs[i]);
		if (config_isv(c, c->isvs[i].name) != &c->isvs[i] ||
		    !config_isv_equal(&c->isvs[i], &again->isvs[i]))
			abort();
	}
	config_unref(again);
	config_unref(c);
	return 0;
}
