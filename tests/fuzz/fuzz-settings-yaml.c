/* Any bytes at all are settings that are whole, or an error that says where. */
#include <stdint.h>
#include <stdlib.h>

#include "common/json.h"
#include "daemon/settings.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct settings *s = settings_parse((const char *)data, size, "f", &err);
	cleanup(json_unref) json_t *o = NULL;

	if (s == NULL) {
		if (err.kind != ERROR_INPUT || err.text[0] == '\0')
			abort();
		return 0;
	}
	o = settings_to_json(s);
	if (s->config_repo == NULL || s->state_dir[0] != '/' || s->workers < 1 || s->workers > 256 ||
	    s->publish.part_size < 5 << 20 || !json_is_object(o))
		abort();
	settings_free(s);
	return 0;
}
