/* Any bytes as a directory's listing: only plain names of files in it come out. */
#include <stdlib.h>
#include <string.h>

#include "daemon/redhat-index.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crane_ids names = CRANE_IDS_INIT;
	size_t i, len;

	if (redhat_index_names((const char *)data, size, "/rh/", 20, &names, NULL) == 0) {
		if (names.n > 20)
			abort();
		for (i = 0; i < names.n; i++) {
			len = strlen(names.ids[i]);
			if (len < 6 || names.ids[i][0] == '.' || strchr(names.ids[i], '/') != NULL ||
			    strcmp(names.ids[i] + len - 5, ".json") != 0)
				abort();
			if (i > 0 && strcmp(names.ids[i - 1], names.ids[i]) >= 0)
				abort();
		}
	}
	crane_ids_done(&names);
	return 0;
}
