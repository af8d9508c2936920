#include "daemon/image-mask.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static int
by_digest(const void *va, const void *vb)
{
	const struct layer_origin *const *a = va, *const *b = vb;

	return strcmp((*a)->digest, (*b)->digest);
}

static int
by_diff_id(const void *va, const void *vb)
{
	const struct layer_origin *const *a = va, *const *b = vb;
	int c = strcmp((*a)->diff_id, (*b)->diff_id);

	/* One content may have been compressed twice; which is taken must not hang on the order
	 * of the table. */
	return c != 0 ? c : strcmp((*a)->digest, (*b)->digest);
}

static int
diff_id_against(const void *key, const void *element)
{
	const struct layer_origin *const *b = element;

	return strcmp(key, (*b)->diff_id);
}

static int
digest_against(const void *key, const void *element)
{
	const struct layer_origin *const *b = element;

	return strcmp(key, (*b)->digest);
}

struct sorted {
	const struct layer_origin	**list;
	size_t				  n;
};

static struct sorted
sorted_new(const struct layer_table *t, bool diff_ids)
{
	struct sorted s = { xcalloc(t->n_layers + 1, sizeof(*s.list)), 0 };
	size_t i;

	for (i = 0; i < t->n_layers; i++) {
		if (!diff_ids || t->layers[i].diff_id != NULL)
			s.list[s.n++] = &t->layers[i];
	}
	qsort(s.list, s.n, sizeof(*s.list), diff_ids ? by_diff_id : by_digest);
	return s;
}

/* The first of those with that key. */
static const struct layer_origin *
sorted_find(const struct sorted *s, const char *key,
    int (*against)(const void *, const void *))
{
	const struct layer_origin **found = bsearch(key, s->list, s->n, sizeof(*s->list), against);

	while (found != NULL && found > s->list && against(key, found - 1) == 0)
		found--;
	return found != NULL ? *found : NULL;
}

static void
blob_mask(struct image_blob *b, const struct layer_origin *origin)
{
	b->place = BLOB_MASKED;
	b->origin = layer_origin_copy(origin);
	if (!image_is_raw(b))
		return;
	b->digest = xstrdup(origin->digest);
	b->size = origin->size;
	b->type = xstrdup(origin->type != NULL ? origin->type : TYPE_DOCKER_LAYER);
}

static size_t
mask_blobs(struct image *image, const struct layer_table *table)
{
	struct sorted digests = sorted_new(table, false), diff_ids = sorted_new(table, true);
	const struct layer_origin *origin;
	struct image_blob *b;
	size_t i, marked = 0;

	for (i = 0; i < image->n_blobs; i++) {
		b = &image->blobs[i];
		if (b->is_config || b->place == BLOB_MASKED)
			continue;
		/* A compressed layer's bytes are in a manifest that stays as it is: only the very
		 * same bytes at the origin can stand for them. */
		origin = image_is_raw(b) ? sorted_find(&diff_ids, b->diff_id, diff_id_against)
		    : sorted_find(&digests, b->digest, digest_against);
		if (origin == NULL)
			continue;
		blob_mask(b, origin);
		marked++;
	}
	free(digests.list);
	free(diff_ids.list);
	return marked;
}

size_t
image_mask(struct image *image, const struct layer_table *table)
{
	size_t i, marked = mask_blobs(image, table);

	for (i = 0; i < image->n_v1 && table->v1_ids != NULL; i++) {
		if (image->v1[i].masked || !crane_ids_have(table->v1_ids, image->v1[i].id))
			continue;
		image->v1[i].masked = true;
		marked++;
	}
	return marked;
}
