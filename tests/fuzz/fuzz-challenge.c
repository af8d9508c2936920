/* Any bytes as WWW-Authenticate and as the name of an image in a registry. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/challenge.h"
#include "daemon/repository.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct challenge c = CHALLENGE_INIT;
	struct repository_reference at;
	char *text = xstrndup((const char *)data, size);

	challenge_add(&c, text);
	if (c.bearer && c.realm[0] == '\0')
		abort();
	if (repository_reference_parse(text, &at, NULL) == 0) {
		if (strstr(at.name, "..") != NULL || strpbrk(at.host, "/@?#") != NULL ||
		    (at.tag == NULL && at.digest == NULL))
			abort();
		repository_reference_done(&at);
	}
	free(text);
	return 0;
}
