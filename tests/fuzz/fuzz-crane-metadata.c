/* Any bytes as a metadata file: what is accepted leads to keys below the prefix, each once. */
#include <stdlib.h>
#include <string.h>

#include "daemon/crane-metadata.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_objects(const struct crane_objects *objects)
{
	size_t i;

	for (i = 0; i < objects->n; i++) {
		if (strncmp(objects->objects[i].key, "p/", 2) != 0 ||
		    strstr(objects->objects[i].key, "/../") != NULL)
			abort();
		if (i > 0 && strcmp(objects->objects[i - 1].key, objects->objects[i].key) >= 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct crane_metadata *m = crane_metadata_parse((const char *)data, size, &err);
	struct crane_objects objects = CRANE_OBJECTS_INIT;
	char *prefix;

	if (m == NULL) {
		if (err.kind != ERROR_INPUT || err.text[0] == '\0')
			abort();
		return 0;
	}
	crane_metadata_objects(m, "p/", &m->images, &objects);
	if (m->version == 1 && !m->has_raas && objects.n > 0)
		abort();
	crane_metadata_objects(m, "p/", NULL, &objects);
	check_objects(&objects);
	prefix = crane_metadata_prefix(m, "https://b.example.com");
	if (prefix[0] != '\0' && prefix[strlen(prefix) - 1] != '/')
		abort();
	free(prefix);
	crane_objects_done(&objects);
	crane_metadata_free(m);
	return 0;
}
