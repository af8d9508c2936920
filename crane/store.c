#include "crane/store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"

/* Sorted by name. */
struct names {
	struct store_file	**files;
	size_t			  n;
};

/* Which repository an image's files are taken from. */
struct image {
	const char			*id;
	const struct crane_metadata	*metadata;
};

struct store {
	atomic_uint		 refs;
	struct store_file	**files;	/* each its own, so that pointers stay */
	size_t			 n_files;
	size_t			 size;		/* allocated */
	struct names		 v1;
	struct names		 v2;
	struct image		*images;	/* sorted by id, each once */
	size_t			 n_images;
	bool			 whole;
	int64_t			 loaded_at;
	char			 hash[SHA256_HEX_SIZE];
};

struct store *
store_new(void)
{
	struct store *s = xcalloc(1, sizeof(*s));

	atomic_init(&s->refs, 1);
	return s;
}

struct store *
store_ref(struct store *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
store_unref(struct store *s)
{
	size_t i;

	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (i = 0; i < s->n_files; i++) {
		free(s->files[i]->name);
		crane_metadata_free(s->files[i]->metadata);
		free(s->files[i]);
	}
	free(s->files);
	free(s->v1.files);
	free(s->v2.files);
	free(s->images);
	free(s);
}

void
store_add(struct store *s, const char *name, const char *sha256, struct crane_metadata *metadata)
{
	struct store_file *file = xcalloc(1, sizeof(*file));

	if (s->n_files == s->size) {
		s->size = s->size == 0 ? 16 : s->size * 2;
		s->files = xreallocarray(s->files, s->size, sizeof(*s->files));
	}
	file->name = xstrdup(name);
	memcpy(file->sha256, sha256, sizeof(file->sha256));
	file->metadata = metadata;
	s->files[s->n_files++] = file;
}

/* By name, and of one name the file that wins first. */
static int
file_order(const void *a, const void *b)
{
	const struct store_file *x = *(struct store_file *const *)a;
	const struct store_file *y = *(struct store_file *const *)b;
	int order = strcmp(x->metadata->registry_id, y->metadata->registry_id);

	return order != 0 ? order : strcmp(y->name, x->name);
}

static void
index_names(struct store *s, bool v1, struct names *out)
{
	struct store_file *file;
	size_t i, n = 0;

	out->files = xcalloc(s->n_files, sizeof(*out->files));
	for (i = 0; i < s->n_files; i++)
		if ((s->files[i]->metadata->version == 1) == v1)
			out->files[n++] = s->files[i];
	if (n > 0)
		qsort(out->files, n, sizeof(*out->files), file_order);
	for (i = 0; i < n; i++) {
		file = out->files[i];
		if (out->n > 0 && strcmp(out->files[out->n - 1]->metadata->registry_id,
		    file->metadata->registry_id) == 0)
			file->shadowed_by = out->files[out->n - 1];
		else
			out->files[out->n++] = file;
	}
}

static int
image_order(const void *a, const void *b)
{
	const struct image *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order != 0 ? order : strcmp(x->metadata->registry_id, y->metadata->registry_id);
}

static void
index_images(struct store *s)
{
	const struct crane_metadata *m;
	size_t i, j, n = 0;

	for (i = 0; i < s->v1.n; i++)
		n += s->v1.files[i]->metadata->images.n;
	s->images = xcalloc(n, sizeof(*s->images));
	for (i = n = 0; i < s->v1.n; i++) {
		m = s->v1.files[i]->metadata;
		for (j = 0; j < m->images.n && !m->is_protected; j++)
			s->images[n++] = (struct image){ m->images.ids[j], m };
	}
	if (n > 0)
		qsort(s->images, n, sizeof(*s->images), image_order);
	for (i = 0; i < n; i++)
		if (s->n_images == 0 || strcmp(s->images[s->n_images - 1].id, s->images[i].id) != 0)
			s->images[s->n_images++] = s->images[i];
}

static void
hash_files(struct store *s)
{
	cleanup(buf_done) struct buf lines = BUF_INIT;
	size_t i;

	for (i = 0; i < s->n_files; i++)
		buf_printf(&lines, "%s  %s\n", s->files[i]->sha256, s->files[i]->name);
	digest_sha256_hex(buf_str(&lines), lines.len, s->hash);
}

void
store_seal(struct store *s, bool whole, int64_t loaded_at)
{
	s->whole = whole;
	s->loaded_at = loaded_at;
	index_names(s, true, &s->v1);
	index_names(s, false, &s->v2);
	index_images(s);
	hash_files(s);
}

static const struct crane_metadata *
find(const struct names *names, const char *name)
{
	size_t low = 0, high = names->n, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, names->files[middle]->metadata->registry_id);
		if (order == 0)
			return names->files[middle]->metadata;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct crane_metadata *
store_v1(const struct store *s, const char *name)
{
	return find(&s->v1, name);
}

const struct crane_metadata *
store_v2(const struct store *s, const char *name)
{
	return find(&s->v2, name);
}

static int
image_compare(const void *id, const void *image)
{
	return strcmp(id, ((const struct image *)image)->id);
}

const struct crane_metadata *
store_image(const struct store *s, const char *id)
{
	const struct image *found = s->n_images == 0 ? NULL :
	    bsearch(id, s->images, s->n_images, sizeof(*s->images), image_compare);

	return found != NULL ? found->metadata : NULL;
}

size_t
store_n_v1(const struct store *s)
{
	return s->v1.n;
}

size_t
store_n_v2(const struct store *s)
{
	return s->v2.n;
}

const struct crane_metadata *
store_v1_at(const struct store *s, size_t i)
{
	return s->v1.files[i]->metadata;
}

const struct crane_metadata *
store_v2_at(const struct store *s, size_t i)
{
	return s->v2.files[i]->metadata;
}

size_t
store_n_files(const struct store *s)
{
	return s->n_files;
}

const struct store_file *
store_file_at(const struct store *s, size_t i)
{
	return s->files[i];
}

bool
store_is_whole(const struct store *s)
{
	return s->whole;
}

int64_t
store_loaded_at(const struct store *s)
{
	return s->loaded_at;
}

const char *
store_hash(const struct store *s)
{
	return s->hash;
}
