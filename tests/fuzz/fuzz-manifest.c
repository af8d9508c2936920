/* Any bytes as a manifest, an index or a config: digests that come out are digests. */
#include <stdlib.h>
#include <string.h>

#include "daemon/image.h"
#include "daemon/manifest.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_list(const struct descriptors *list)
{
	size_t i;

	if (list->n > MANIFEST_ENTRIES_MAX)
		abort();
	for (i = 0; i < list->n; i++) {
		if (!digest_valid(list->list[i].digest))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct image *image = image_new();
	struct error err = ERROR_INIT;
	char digest[DIGEST_SIZE], **ids;
	struct manifest m;
	size_t n;

	if (manifest_parse(text, size, NULL, &m, &err) == 0) {
		check_list(&m.layers);
		check_list(&m.children);
		if (!manifest_type_known(m.type))
			abort();
		if (manifest_digest(text, size, &m, digest, &err) == 0 && !digest_valid(digest))
			abort();
		manifest_done(&m);
	}
	if (image_add_manifest(image, NULL, NULL, text, size, &err) == 0 &&
	    image_manifest_find(image, image->manifests[0].digest) == NULL)
		abort();
	if (config_diff_ids(text, size, &ids, &n, &err) == 0)
		strings_free(ids, n);
	image_free(image);
	return 0;
}
