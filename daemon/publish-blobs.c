#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/account.h"
#include "daemon/image-mask.h"
#include "daemon/observe-bucket.h"
#include "daemon/origin.h"
#include "daemon/publish-work.h"
#include "daemon/tarball.h"

#define SPOOL_MAX (UINT64_C(256) << 30)	/* bytes of one file; the disk is the real limit */
#define PUT_MAX (UINT64_C(5) << 30)	/* bytes of one request, S3's limit */
#define CREW_STACK (512 * 1024)
#define PROGRESS_MS 200			/* between two events of a layer */

/* What each thread of the crew has of its own. */
struct tools {
	struct http		*http;
	struct s3		*s3;
	struct source_reader	*reader;
};

static void
tools_free(void *arg)
{
	struct tools *t = arg;

	source_reader_free(t->reader);
	s3_free(t->s3);
	http_free(t->http);
	free(t);
}

static void *
tools_new(void *arg, struct error *err)
{
	struct publish *p = arg;
	struct tools *t = xcalloc(1, sizeof(*t));

	t->http = http_new(p->session->in->places->http);
	t->reader = source_reader_new(p->source);
	if ((t->s3 = account_s3(&p->session->in->config->aws, t->http, err)) == NULL) {
		tools_free(t);
		return NULL;
	}
	return t;
}

static struct s3 *
tools_s3(void *tools)
{
	return ((struct tools *)tools)->s3;
}

/* ---- events of one layer ---- */

struct progress {
	struct publish		*publish;
	const char		*digest;	/* NULL: not known yet */
	const char		*diff_id;
	uint64_t		 size;
	int64_t			 started_ms;
	atomic_uint_fast64_t	 done;
	atomic_int_fast64_t	 told_ms;
};

static void
progress_tell(struct progress *g, enum layer_state state)
{
	int64_t ms = clock_monotonic_ms() - g->started_ms;
	struct publish_event *e;

	if (g->publish->job->base.job.event == NULL)
		return;
	e = xcalloc(1, sizeof(*e));
	if (g->digest != NULL)
		memcpy(e->digest, g->digest, strlen(g->digest) + 1);
	e->diff_id = xstrdup(g->diff_id);
	e->state = state;
	e->done = layer_state_ends(state) ? g->size : atomic_load(&g->done);
	e->size = g->size;
	e->left_ms = -1;
	if (e->done > 0 && ms > 0 && (state == LAYER_UPLOADING || state == LAYER_UPLOADED))
		e->rate = e->done * 1000 / (uint64_t)ms;
	if (e->rate > 0 && e->size >= e->done)
		e->left_ms = (int64_t)((e->size - e->done) * 1000 / e->rate);
	job_post(&g->publish->job->base.job, e);
}

static void
progress_add(void *arg, uint64_t bytes)
{
	struct progress *g = arg;
	int_fast64_t told = atomic_load(&g->told_ms), now = clock_monotonic_ms();

	atomic_fetch_add(&g->done, bytes);
	if (now - told >= PROGRESS_MS && atomic_compare_exchange_strong(&g->told_ms, &told, now))
		progress_tell(g, LAYER_UPLOADING);
}

/* ---- the source ---- */

static int
open_spool_dir(struct publish *p, struct error *err)
{
	cleanup(free_p) char *path = xasprintf("%s/spool", p->session->in->places->cache_dir);

	if ((mkdir(path, 0700) == -1 && errno != EEXIST) ||
	    (p->spool_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return error_errno(err, "cannot use directory '%s'", path);
	return 0;
}

/* The order holds a file then, so that the work can be begun again. */
static int
keep_pipe(struct publish *p, const struct source_options *options, struct error *err)
{
	struct extent kept = EXTENT_INIT;

	if (tarball_keep_pipe(p->order->fd, options->spool_dir_fd, options->spool_max, &kept,
	    p->deadline, err) == -1)
		return -1;
	close(p->order->fd);
	p->order->fd = kept.fd;
	return 0;
}

static struct source *
open_descriptor(struct publish *p, const struct source_options *options, struct error *err)
{
	struct stat st;

	if (fstat(p->order->fd, &st) == -1) {
		error_errno(err, "cannot look at the file");
		return NULL;
	}
	if (S_ISFIFO(st.st_mode) && keep_pipe(p, options, err) == -1)
		return NULL;
	if (S_ISDIR(st.st_mode))
		return source_open_dir(p->order->fd, options, p->deadline, err);
	return source_open_file(p->order->fd, options, p->deadline, err);
}

/* Where Pulp publishes its export of that repository; NULL with err when raas.cfg names no Pulp. */
static char *
pulp_url(struct publish *p, struct error *err)
{
	const char *base = p->session->in->config->pulp.url;

	if (base == NULL) {
		error_set(err, ERROR_INPUT, "no source: give a file, or --from, or [pulp] url in "
		    "raas.cfg");
		return NULL;
	}
	return xasprintf("%s%s%s.tar", base, base[0] != '\0' && base[strlen(base) - 1] == '/' ? ""
	    : "/", p->repository);
}

/* Read anew for each image, so that a login is changed without anybody's doing here. */
static int
find_login(struct publish *p, const char *place, struct source_options *options,
    struct error *err)
{
	if (p->order->auth_file != NULL && login_read(p->order->auth_file,
	    p->session->in->places->credentials_dir, place, &p->login, err) == -1)
		return -1;
	options->username = p->login.username;
	options->password = p->login.password;
	return 0;
}

static void
tell_cure(const struct publish *p, const char *place, const struct source_options *options,
    struct error *err)
{
	struct error why = *err;
	cleanup(free_p) char *cure = NULL;

	if (options->plain_http)
		cure = xstrdup("a login is sent by https alone");
	else if (p->order->auth_file == NULL)
		cure = xstrdup("set publish.auth_file in raasd.yaml");
	else if (options->username == NULL)
		cure = xasprintf("publish.auth_file has none for '%s'", place);
	else
		return;
	error_set(err, why.kind, "%s; %s", why.text, cure);
}

static struct source *
open_url(struct publish *p, struct source_options *options, struct error *err)
{
	cleanup(free_p) char *url = p->order->from != NULL ? xstrdup(p->order->from)
	    : pulp_url(p, err);
	cleanup(free_p) char *place = NULL;
	cleanup(free_p) char *shown = NULL;
	struct source *source;

	if (url == NULL || (place = source_url_place(url, err)) == NULL)
		return NULL;
	/* Whoever wrote http:// meant it; a login is another thing. */
	options->plain_http = strncasecmp(url, "http://", 7) == 0;
	if (!options->plain_http && find_login(p, place, options, err) == -1)
		return NULL;
	shown = http_url_shown(url);
	publish_tell(p, "reading %s", shown);
	source = source_open_url(url, options, p->deadline, err);
	if (source == NULL && err->kind == ERROR_CREDENTIALS)
		tell_cure(p, place, options, err);
	return source;
}

/* The digest that all of the source's tags, or else its roots, have in common; NULL: there are
 * several. */
static const char *
only_image(const struct image *image)
{
	size_t i;

	if (image->n_tags == 0)
		return image->n_roots == 1 ? image->roots[0] : NULL;
	for (i = 1; i < image->n_tags; i++)
		if (strcmp(image->tags[i].digest, image->tags[0].digest) != 0)
			return NULL;
	return image->tags[0].digest;
}

static void
drop_tags(struct image *image)
{
	while (image->n_tags > 0) {
		free(image->tags[--image->n_tags].name);
		free(image->tags[image->n_tags].digest);
	}
}

/* The tag that was asked for instead of the source's own, which is "latest" if it has none. */
static int
choose_tags(struct publish *p, struct error *err)
{
	struct image *image = p->image;
	cleanup(free_p) char *digest = NULL;

	if (image->n_manifests == 0 && image->n_v1 == 0)
		return error_set(err, ERROR_INPUT, "the source holds no image");
	if (image->n_manifests == 0)
		return p->order->tag == NULL ? 0 : error_set(err, ERROR_INPUT, "an export of "
		    "Pulp's first version keeps its own tags");
	if (p->order->tag == NULL && image->n_tags > 0)
		return 0;
	if ((digest = xstrdup(only_image(image))) == NULL)
		return error_set(err, ERROR_INPUT, "the source holds several images; it must name "
		    "their tags itself");
	drop_tags(image);
	return image_add_tag(image, p->order->tag != NULL ? p->order->tag : "latest", digest, err);
}

int
publish_read_source(struct publish *p, struct error *err)
{
	struct source_options options = { .spool_max = SPOOL_MAX,
	    .http = p->session->in->places->http };

	if (open_spool_dir(p, err) == -1)
		return -1;
	options.spool_dir_fd = p->spool_fd;
	if (p->order->fd != -1)
		publish_tell(p, "reading the file");
	p->source = p->order->fd != -1 ? open_descriptor(p, &options, err)
	    : open_url(p, &options, err);
	if (p->source == NULL)
		return error_prefix(err, "source");
	p->image = source_image(p->source);
	p->to = (struct upload_place){ .bucket = p->session->in->isv->bucket,
	    .acl = S3_ACL_DEFAULT, .part_size = p->order->part_size };
	p->crew = crew_new(&(struct crew_options){ .threads = p->order->parallel,
	    .stack_size = CREW_STACK, .tools_new = tools_new, .tools_free = tools_free,
	    .arg = p }, err);
	return p->crew != NULL ? 0 : -1;
}

/* ---- Red Hat's layers ---- */

/* The layers that Red Hat's files give an origin for. Lends from the files. */
struct masks {
	struct crane_metadata	**files;
	size_t			 n_files;
	struct layer_origin	*layers;
	size_t			 n_layers;
};

static void
masks_done(struct masks *m)
{
	size_t i;

	for (i = 0; i < m->n_files; i++)
		crane_metadata_free(m->files[i]);
	free(m->files);
	free(m->layers);
}

static void
add_layers(struct masks *m, const struct crane_metadata *file)
{
	size_t i;

	m->layers = xreallocarray(m->layers, m->n_layers + file->n_blobs, sizeof(*m->layers));
	for (i = 0; i < file->n_blobs; i++) {
		const struct crane_blob *b = &file->blobs[i];
		const struct crane_origin *o = &file->origins[b->origin];

		if (b->has_origin)
			m->layers[m->n_layers++] = (struct layer_origin){ .digest = b->digest,
			    .size = b->size, .diff_id = b->diff_id, .url = o->url,
			    .repository = o->repository };
	}
}

static int
masks_read(struct masks *m, const struct mask *mask, struct error *err)
{
	struct crane_metadata *file;
	size_t i;

	m->files = xcalloc(mask->n_files, sizeof(*m->files));
	for (i = 0; i < mask->n_files; i++) {
		if ((file = crane_metadata_parse(mask->files[i].data, mask->files[i].len,
		    err)) == NULL)
			return error_prefix(err, "Red Hat's %s", mask->files[i].name);
		m->files[m->n_files++] = file;
		add_layers(m, file);
	}
	return 0;
}

/* A layer that Red Hat's metadata names, but not where it is served, can neither be referred to
 * nor put into the ISV's bucket. */
static int
check_unmasked(const struct image *image, const struct mask *mask, struct error *err)
{
	size_t i;

	for (i = 0; i < image->n_blobs; i++) {
		const struct image_blob *b = &image->blobs[i];

		if (b->digest != NULL && b->place == BLOB_HERE &&
		    crane_ids_have(&mask->masked, b->digest))
			return error_set(err, ERROR_INPUT, "layer %s is Red Hat's, but its "
			    "metadata does not say from where it is served", b->digest);
		if (b->place == BLOB_FOREIGN)
			return error_set(err, ERROR_INPUT, "layer %s is not in the source, which "
			    "refers to another server for it", b->digest);
	}
	for (i = 0; i < image->n_v1; i++)
		if (!image->v1[i].masked && image->v1[i].layer.fd == -1)
			return error_set(err, ERROR_INPUT, "image %s is neither in the export, nor "
			    "is it Red Hat's", image->v1[i].id);
	return 0;
}

/* From where clients will get a masked v1 image's layer: the file of Red Hat's that lists it. */
static const char *
v1_origin(const struct masks *m, const char *id)
{
	size_t i;

	for (i = 0; i < m->n_files; i++)
		if (m->files[i]->version == 1 && crane_ids_have(&m->files[i]->images, id))
			return m->files[i]->url;
	return NULL;
}

struct origin_check {
	struct publish		*publish;
	const struct masks	*masks;
};

static int
check_blob_origin(struct publish *p, struct tools *t, size_t i, struct error *err)
{
	const struct image_blob *b = &p->image->blobs[i];
	struct progress g = { .publish = p, .digest = b->digest, .diff_id = b->diff_id,
	    .size = b->size };
	cleanup(free_p) char *url = NULL;

	if (b->place != BLOB_MASKED)
		return 0;
	url = xasprintf("%s/v2/%s/blobs/%s", b->origin->url, b->origin->repository, b->digest);
	if (origin_check(t->http, url, b->size, p->deadline, err) == -1)
		return error_prefix(err, "masked layer %s", b->digest);
	progress_tell(&g, LAYER_MASKED);
	return 0;
}

static int
check_v1_origin(struct publish *p, struct tools *t, const struct masks *m, size_t i,
    struct error *err)
{
	const struct image_v1 *v = &p->image->v1[i];
	cleanup(free_p) char *url = NULL;
	const char *base;

	if (!v->masked)
		return 0;
	if ((base = v1_origin(m, v->id)) == NULL)
		return error_set(err, ERROR_INPUT, "masked image %s: Red Hat's metadata does not "
		    "say from where it is served", v->id);
	url = xasprintf("%s%s%s/layer", base, base[strlen(base) - 1] == '/' ? "" : "/", v->id);
	if (origin_check(t->http, url, SIZE_UNKNOWN, p->deadline, err) == -1)
		return error_prefix(err, "masked image %s", v->id);
	return 0;
}

static int
check_origin(void *arg, void *tools, size_t i, struct error *err)
{
	struct origin_check *c = arg;
	struct publish *p = c->publish;

	if (i < p->image->n_blobs)
		return check_blob_origin(p, tools, i, err);
	return check_v1_origin(p, tools, c->masks, i - p->image->n_blobs, err);
}

static int
mask_layers(struct publish *p, struct masks *m, struct error *err)
{
	const struct mask *mask = p->session->in->mask;
	struct origin_check check = { p, m };
	size_t n;

	if (masks_read(m, mask, err) == -1)
		return -1;
	n = image_mask(p->image, &(struct layer_table){ m->layers, m->n_layers, &mask->masked });
	p->job->totals.masked = n;
	if (n == 0)
		return 0;
	publish_tell(p, "%zu layer%s Red Hat's: looking for %s there", n, n == 1 ? " is" : "s are",
	    n == 1 ? "it" : "them");
	return crew_run(p->crew, p->image->n_blobs + p->image->n_v1, check_origin, &check, err);
}

int
publish_mask(struct publish *p, struct error *err)
{
	const struct reconcile_input *in = p->session->in;
	struct masks masks = { .n_files = 0 };
	int status;

	if (in->mask == NULL && in->mask_error.kind != ERROR_NONE)
		*err = in->mask_error;
	else if (in->mask == NULL)
		error_set(err, ERROR_REMOTE, "its metadata is still being read, try again");
	if (in->mask == NULL)
		return error_prefix(err, "which layers are Red Hat's is not known");
	status = mask_layers(p, &masks, err);
	masks_done(&masks);
	return status;
}

/* ---- plain layers ---- */

static int
compress_layer(void *arg, void *tools, size_t i, struct error *err)
{
	struct publish *p = arg;
	struct image_blob *b = &p->image->blobs[i];
	struct progress g = { .publish = p, .diff_id = b->diff_id, .size = b->at.size };

	(void)tools;
	if (!image_is_raw(b))
		return 0;
	progress_tell(&g, LAYER_COMPRESSING);
	return image_compress(p->image, i, p->spool_fd, p->deadline, err);
}

int
publish_compress(struct publish *p, struct error *err)
{
	size_t i, n = 0;

	for (i = 0; i < p->image->n_blobs; i++)
		n += image_is_raw(&p->image->blobs[i]);
	if (n > 0)
		publish_tell(p, "compressing %zu layer%s", n, n == 1 ? "" : "s");
	if (n > 0 && crew_run(p->crew, p->image->n_blobs, compress_layer, p, err) == -1)
		return -1;
	if (image_finish(p->image, err) == -1 || choose_tags(p, err) == -1)
		return -1;
	return check_unmasked(p->image, p->session->in->mask, err);
}

/* ---- uploading ---- */

/* Everybody is to read what follows. A sync would see to it, too, but after the image is live. */
static int
open_to_readers(struct publish *p, struct error *err)
{
	enum s3_access mode = p->session->in->isv->access;
	struct crane_ids prefixes = { &p->prefix, 1, 0 };
	struct access_target target = { p->to.bucket, &prefixes, NULL };
	enum access_method *known = &p->session->access;
	int status = 0;

	if (mode == S3_ACCESS_POLICY || (mode == S3_ACCESS_AUTO && *known == ACCESS_POLICY))
		status = access_grant(p->session->s3, &target, ACCESS_POLICY, p->deadline, err);
	else if (mode == S3_ACCESS_AUTO && *known == ACCESS_UNKNOWN)
		status = access_find(p->session->s3, &target, known, p->deadline, err);
	p->to.acl = session_acl(p->session);
	return status;
}

/* One object that has to be in the bucket. */
struct object {
	struct progress		 progress;
	char			*key;
	struct image_blob	*blob;		/* NULL: of a v1 image, at `at` */
	const struct extent	*at;
	const char		*type;		/* NULL: octet-stream */
	uint64_t		 size;
	enum layer_state	 state;
	struct upload_large	*large;		/* NULL: goes up in one request, or not at all */
};

struct upload {
	struct publish		*publish;
	struct object		*objects;
	size_t			 n;
};

static bool
is_large(const struct publish *p, uint64_t size)
{
	return size != SIZE_UNKNOWN && size > p->to.part_size;
}

static int
copy_from_neighbour(struct publish *p, struct s3 *s3, struct object *o, bool *done,
    struct error *err)
{
	const struct crane_blob *b;
	size_t i;

	*done = false;
	for (i = 0; i < p->n_neighbours && o->blob != NULL && !*done; i++) {
		const struct publish_neighbour *n = &p->neighbours[i];
		cleanup(free_p) char *from = NULL;

		b = crane_metadata_blob(n->metadata, o->blob->digest);
		if (b == NULL || b->has_origin)
			continue;
		from = xasprintf("%sblobs/%s", n->prefix, o->blob->digest);
		if (upload_copy(s3, &p->to, from, o->key, b->size, done, p->deadline, err) == -1)
			return -1;
		o->size = b->size;
	}
	return 0;
}

/* The bytes: checked here, or where upload_large_begin() reads them anyway. */
static int
get_bytes(struct tools *t, struct object *o, bool large, struct extent *out,
    const struct deadline *d, struct error *err)
{
	if (o->blob == NULL || (large && o->blob->at.fd != -1)) {
		*out = o->blob == NULL ? *o->at : o->blob->at;
		out->owned = false;
		return 0;
	}
	return source_reader_blob(t->reader, o->blob, out, d, err);
}

static void
object_ends(struct object *o, enum layer_state state)
{
	o->state = state;
	o->progress.size = o->size;
	if (o->blob != NULL)
		progress_tell(&o->progress, state);
}

static int
send_small(struct publish *p, struct tools *t, struct object *o, struct error *err)
{
	cleanup(extent_done) struct extent at = EXTENT_INIT;

	progress_tell(&o->progress, o->blob != NULL && o->blob->at.fd == -1 ? LAYER_FETCHING
	    : LAYER_UPLOADING);
	if (get_bytes(t, o, false, &at, p->deadline, err) == -1)
		return -1;
	if (at.size > PUT_MAX)
		return error_set(err, ERROR_INPUT, "%s: larger than the %ju bytes that may be sent "
		    "without its size being told first", o->blob->digest, (uintmax_t)PUT_MAX);
	o->size = at.size;
	if (upload_blob(t->s3, &p->to, o->key, o->blob != NULL ? o->blob->digest : NULL, &at,
	    p->deadline, err) == -1)
		return -1;
	object_ends(o, LAYER_UPLOADED);
	return 0;
}

static void
large_progress(void *arg, uint64_t bytes)
{
	struct object *o = arg;

	progress_add(&o->progress, bytes);
}

static void
large_done(void *arg)
{
	object_ends(arg, LAYER_UPLOADED);
}

/* Its parts are sent by the whole crew, before other objects are begun. */
static int
begin_large(struct publish *p, struct tools *t, struct object *o, struct error *err)
{
	cleanup(extent_done) struct extent at = EXTENT_INIT;

	if (o->blob != NULL && o->blob->at.fd == -1)
		progress_tell(&o->progress, LAYER_FETCHING);
	if (get_bytes(t, o, true, &at, p->deadline, err) == -1)
		return -1;
	if (at.size != o->size)
		return error_set(err, ERROR_INPUT, "%s: %ju bytes, not the %ju that it is said to "
		    "have", o->key, (uintmax_t)at.size, (uintmax_t)o->size);
	o->progress.started_ms = clock_monotonic_ms();
	progress_tell(&o->progress, LAYER_UPLOADING);
	o->large = upload_large_begin(p->crew, t, &p->to, &(struct upload_large_order){
	    .key = o->key, .digest = o->blob != NULL ? o->blob->digest : NULL, .s3_of = tools_s3,
	    .progress = large_progress, .done = large_done, .arg = o }, &at, p->deadline, err);
	return o->large != NULL ? 0 : -1;
}

static int
settle_object(void *arg, void *tools, size_t i, struct error *err)
{
	struct upload *u = arg;
	struct publish *p = u->publish;
	struct tools *t = tools;
	struct object *o = &u->objects[i];
	bool there;

	o->progress.started_ms = clock_monotonic_ms();
	if (upload_look(t->s3, &p->to, o->key, &o->size, &there, p->deadline, err) == -1)
		return -1;
	if (there) {
		object_ends(o, LAYER_PRESENT);
		return 0;
	}
	if (copy_from_neighbour(p, t->s3, o, &there, err) == -1)
		return -1;
	if (there) {
		object_ends(o, LAYER_COPIED);
		return 0;
	}
	return is_large(p, o->size) ? begin_large(p, t, o, err) : send_small(p, t, o, err);
}

static struct object *
add_object(struct upload *u, char *key, uint64_t size)
{
	struct object *o = &u->objects[u->n++];

	*o = (struct object){ .key = key, .size = size, .state = LAYER_UPLOADING };
	o->progress.publish = u->publish;
	o->progress.size = size;
	return o;
}

static void
add_v1(struct upload *u, const struct image_v1 *v)
{
	const struct extent *extents[] = { &v->json, &v->ancestry, &v->layer };
	static const char *const names[] = { "json", "ancestry", "layer" };
	size_t i;

	for (i = 0; i < 3; i++)
		add_object(u, xasprintf("%s%s/%s", u->publish->prefix, v->id, names[i]),
		    extents[i]->size)->at = extents[i];
}

static void
collect(struct upload *u)
{
	struct publish *p = u->publish;
	struct image *image = p->image;
	struct object *o;
	size_t i;

	u->objects = xcalloc(image->n_blobs + 3 * image->n_v1, sizeof(*u->objects));
	for (i = 0; i < image->n_blobs; i++) {
		struct image_blob *b = &image->blobs[i];

		if (b->place != BLOB_HERE)
			continue;
		o = add_object(u, xasprintf("%sblobs/%s", p->prefix, b->digest), b->size);
		o->blob = b;
		o->progress.digest = b->digest;
		o->progress.diff_id = b->diff_id;
	}
	for (i = 0; i < image->n_v1; i++)
		if (!image->v1[i].masked)
			add_v1(u, &image->v1[i]);
}

/* What was found out on the way belongs into the metadata and into the answer. */
static void
count_objects(struct upload *u)
{
	struct publish_totals *t = &u->publish->job->totals;
	size_t i;

	for (i = 0; i < u->n; i++) {
		struct object *o = &u->objects[i];

		if (o->blob != NULL)
			o->blob->size = o->size;
		t->uploaded += o->state == LAYER_UPLOADED;
		t->present += o->state == LAYER_PRESENT;
		t->copied += o->state == LAYER_COPIED;
		if (o->state == LAYER_UPLOADED)
			t->bytes += o->size;
	}
}

struct manifests {
	struct publish		*publish;
	atomic_uint_fast64_t	 bytes;
};

static int
send_manifest(void *arg, void *tools, size_t i, struct error *err)
{
	struct manifests *all = arg;
	struct publish *p = all->publish;
	const struct image_manifest *m = &p->image->manifests[i];
	cleanup(free_p) char *key = xasprintf("%smanifests/%s/%s", p->prefix,
	    crane_manifest_folder(m->type), m->digest);
	bool sent;

	if (upload_text(tools_s3(tools), &p->to, key, m->type, m->data, m->len, &sent, p->deadline,
	    err) == -1)
		return -1;
	atomic_fetch_add(&all->bytes, sent ? m->len : 0);
	return 0;
}

int
publish_upload(struct publish *p, struct error *err)
{
	struct upload u = { .publish = p };
	struct manifests manifests = { .publish = p };
	size_t i;
	int status;

	if (open_to_readers(p, err) == -1)
		return -1;
	collect(&u);
	publish_tell(p, "%zu object%s for bucket '%s'", u.n, u.n == 1 ? "" : "s", p->to.bucket);
	status = crew_run(p->crew, u.n, settle_object, &u, err);
	if (status == 0)
		count_objects(&u);
	for (i = 0; i < u.n; i++) {
		upload_large_free(u.objects[i].large);
		free(u.objects[i].key);
	}
	free(u.objects);
	if (status == 0)
		status = crew_run(p->crew, p->image->n_manifests, send_manifest, &manifests, err);
	p->job->totals.bytes += atomic_load(&manifests.bytes);
	return status;
}

void
publish_blobs_done(struct publish *p)
{
	crew_free(p->crew);
	source_free(p->source);
	login_done(&p->login);
	if (p->spool_fd != -1)
		close(p->spool_fd);
}
