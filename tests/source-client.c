/* source-client: what a source yields, as JSON; and all of its bytes in a directory.
 *
 *	source-client [OPTION]… FILE | - | DIRECTORY/ | URL
 *
 *	--spool DIR	for files without a name (/tmp)
 *	--dump DIR	write manifests/HEX, blobs/HEX and v1/ID/{json,ancestry,layer} there
 *	--mask FILE	JSON: {"layers": [{"digest","size","diff_id"}], "v1": [ID]}
 *	--login U:P  --ca FILE  --plain-http
 *	--seconds N	deadline (60)
 *	--spool-max N	bytes of one such file (16 GiB)
 *
 * Exit status 1 with "KIND: TEXT" on standard error when it cannot be read. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/image-mask.h"
#include "daemon/source.h"

struct client {
	struct source_options	 options;
	struct http_options	 http;
	const char		*dump;
	const char		*mask;
	char			*login;
	const char		*what;
	struct deadline		 deadline;
};

static void __attribute__((noreturn))
die(const struct error *err)
{
	fprintf(stderr, "%s: %s\n", error_kind_name(err->kind), err->text);
	exit(1);
}

static int
open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd == -1) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	return fd;
}

static void
options_read(struct client *c, int argc, char **argv)
{
	static const struct option known[] = {
		{ "spool", 1, NULL, 's' }, { "dump", 1, NULL, 'd' }, { "mask", 1, NULL, 'm' },
		{ "login", 1, NULL, 'l' }, { "ca", 1, NULL, 'c' },
		{ "plain-http", 0, NULL, 'p' }, { "seconds", 1, NULL, 't' },
		{ "spool-max", 1, NULL, 'x' }, { NULL, 0, NULL, 0 },
	};
	const char *spool = "/tmp";
	int64_t seconds = 60;
	int o;

	while ((o = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (o) {
		case 's': spool = optarg; break;
		case 'd': c->dump = optarg; break;
		case 'm': c->mask = optarg; break;
		case 'l': c->login = xstrdup(optarg); break;
		case 'c': c->http.ca_file = optarg; break;
		case 'p': c->options.plain_http = true; break;
		case 't': seconds = strtol(optarg, NULL, 10); break;
		case 'x': c->options.spool_max = strtoull(optarg, NULL, 10); break;
		default: exit(2);
		}
	}
	if (optind + 1 != argc)
		exit(2);
	c->what = argv[optind];
	c->options.spool_dir_fd = open_or_die(spool, O_RDONLY | O_DIRECTORY);
	c->deadline = deadline_in(1000 * seconds, NULL);
	if (c->login != NULL) {
		c->options.username = strtok(c->login, ":");
		c->options.password = strtok(NULL, "");
	}
}

/* fd is kept open by the caller until the end. */
static struct source *
source_find(struct client *c, int *fd)
{
	struct error err = ERROR_INIT;
	struct source *s;

	if (strstr(c->what, "://") != NULL) {
		s = source_open_url(c->what, &c->options, &c->deadline, &err);
	} else if (c->what[strlen(c->what) - 1] == '/') {
		*fd = open_or_die(c->what, O_RDONLY | O_DIRECTORY);
		s = source_open_dir(*fd, &c->options, &c->deadline, &err);
	} else {
		*fd = strcmp(c->what, "-") == 0 ? dup(0) : open_or_die(c->what, O_RDONLY);
		s = source_open_file(*fd, &c->options, &c->deadline, &err);
	}
	if (s == NULL)
		die(&err);
	return s;
}

static void
mask_read(const char *path, struct image *image)
{
	cleanup(json_unref) json_t *root = json_load_file(path, 0, NULL);
	const json_t *list = json_object_get(root, "layers"), *ids = json_object_get(root, "v1");
	struct layer_origin *layers = xcalloc(json_array_size(list) + 1, sizeof(*layers));
	cleanup(crane_ids_done) struct crane_ids v1 = CRANE_IDS_INIT;
	struct layer_table table = { layers, json_array_size(list), &v1 };
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		layers[i].digest = xstrdup(json_string_or(one, "digest", ""));
		layers[i].diff_id = xstrdup(json_string_or(one, "diff_id", NULL));
		layers[i].size = (uint64_t)json_int_or(one, "size", 0);
	}
	for (i = 0; i < json_array_size(ids); i++)
		crane_ids_add(&v1, json_string_value(json_array_get(ids, i)));
	crane_ids_sort(&v1);
	image_mask(image, &table);
	for (i = 0; i < table.n_layers; i++) {
		free(layers[i].digest);
		free(layers[i].diff_id);
	}
	free(layers);
}

static void
finish(struct client *c, struct image *image)
{
	struct error err = ERROR_INIT;
	size_t i;

	for (i = 0; i < image->n_blobs; i++) {
		if (image_is_raw(&image->blobs[i]) && image_compress(image, i,
		    c->options.spool_dir_fd, &c->deadline, &err) == -1)
			die(&err);
	}
	if (image_finish(image, &err) == -1)
		die(&err);
}

static void
write_all(int fd, const char *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t)len) {
		perror("write");
		exit(2);
	}
}

static void
extent_dump(const struct extent *e, const char *path)
{
	struct error err = ERROR_INIT;
	int fd = open_or_die(path, O_WRONLY | O_CREAT | O_TRUNC);
	char piece[65536];
	uint64_t at = 0;
	size_t n;

	do {
		if (extent_read(e, at, piece, sizeof(piece), &n, &err) == -1)
			die(&err);
		write_all(fd, piece, n);
		at += n;
	} while (n > 0);
	close(fd);
}

static char *
dump_path(const struct client *c, const char *folder, const char *name)
{
	cleanup(free_p) char *dir = xasprintf("%s/%s", c->dump, folder);

	mkdir(c->dump, 0755);
	mkdir(dir, 0755);
	return xasprintf("%s/%s", dir, name);
}

static void
blobs_dump(const struct client *c, const struct source *s, const struct image *image)
{
	cleanup(source_reader_free_p) struct source_reader *reader = source_reader_new(s);
	struct error err = ERROR_INIT;
	struct extent at;
	size_t i;

	for (i = 0; i < image->n_blobs; i++) {
		cleanup(free_p) char *path = dump_path(c, "blobs", image->blobs[i].digest);

		if (image->blobs[i].place != BLOB_HERE)
			continue;
		if (source_reader_blob(reader, &image->blobs[i], &at, &c->deadline, &err) == -1)
			die(&err);
		extent_dump(&at, path);
		extent_done(&at);
	}
}

static void
v1_dump(const struct client *c, const struct image_v1 *v1)
{
	cleanup(free_p) char *folder = NULL, *json = NULL, *ancestry = NULL, *layer = NULL;

	if (v1->masked || v1->layer.fd == -1)
		return;
	free(dump_path(c, "v1", ""));	/* makes the directory */
	folder = xasprintf("v1/%s", v1->id);
	json = dump_path(c, folder, "json");
	ancestry = dump_path(c, folder, "ancestry");
	layer = dump_path(c, folder, "layer");
	extent_dump(&v1->json, json);
	extent_dump(&v1->ancestry, ancestry);
	extent_dump(&v1->layer, layer);
}

static void
dump(const struct client *c, const struct source *s, const struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_manifests; i++) {
		const struct image_manifest *m = &image->manifests[i];
		cleanup(free_p) char *path = dump_path(c, "manifests", m->digest);
		int fd = open_or_die(path, O_WRONLY | O_CREAT | O_TRUNC);

		write_all(fd, m->data, m->len);
		close(fd);
	}
	blobs_dump(c, s, image);
	for (i = 0; i < image->n_v1; i++)
		v1_dump(c, &image->v1[i]);
}

static json_t *
manifests_json(const struct image *image)
{
	json_t *all = json_array();
	size_t i, k;

	for (i = 0; i < image->n_manifests; i++) {
		const struct image_manifest *m = &image->manifests[i];
		json_t *layers = json_array(), *children = json_array();

		for (k = 0; k < m->parsed.layers.n; k++)
			json_array_append_new(layers, json_text(m->parsed.layers.list[k].digest));
		for (k = 0; k < m->parsed.children.n; k++)
			json_array_append_new(children,
			    json_text(m->parsed.children.list[k].digest));
		json_array_append_new(all, json_pack("{s:s,s:s,s:I,s:o,s:o,s:o,s:o}",
		    "digest", m->digest, "type", m->type, "size", (json_int_t)m->len,
		    "config", json_text(m->parsed.config.digest),
		    "subject", json_text(m->parsed.subject.digest),
		    "layers", layers, "children", children));
	}
	return all;
}

static json_t *
blobs_json(const struct image *image)
{
	static const char *const places[] = { "here", "masked", "foreign" };
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < image->n_blobs; i++) {
		const struct image_blob *b = &image->blobs[i];

		json_array_append_new(all, json_pack("{s:s,s:I,s:o,s:o,s:s,s:b}",
		    "digest", b->digest,
		    "size", b->size == SIZE_UNKNOWN ? (json_int_t)-1 : (json_int_t)b->size,
		    "type", json_text(b->type), "diff_id", json_text(b->diff_id),
		    "place", places[b->place], "config", b->is_config));
	}
	return all;
}

static void
print(struct source *s, const struct image *image)
{
	json_t *tags = json_object(), *roots = json_array(), *v1 = json_object();
	json_t *v1_tags = json_object();
	cleanup(json_unref) json_t *root = NULL;
	size_t i;

	for (i = 0; i < image->n_tags; i++)
		json_object_set_new(tags, image->tags[i].name, json_text(image->tags[i].digest));
	for (i = 0; i < image->n_roots; i++)
		json_array_append_new(roots, json_text(image->roots[i]));
	for (i = 0; i < image->n_v1; i++)
		json_object_set_new(v1, image->v1[i].id, json_string(image->v1[i].masked ?
		    "masked" : image->v1[i].layer.fd != -1 ? "here" : "missing"));
	for (i = 0; i < image->n_v1_tags; i++)
		json_object_set_new(v1_tags, image->v1_tags[i].name,
		    json_text(image->v1_tags[i].id));
	root = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "kind", source_kind(s),
	    "name", json_text(image->name), "tags", tags, "roots", roots,
	    "manifests", manifests_json(image), "blobs", blobs_json(image), "v1", v1,
	    "v1_tags", v1_tags);
	json_dumpf(root, stdout, JSON_INDENT(1));
	putchar('\n');
}

int
main(int argc, char **argv)
{
	struct client c = { .http = { 10000, 20000, NULL } };
	struct error err = ERROR_INIT;
	cleanup(source_free_p) struct source *s = NULL;
	cleanup(close_p) int fd = -1;

	signal(SIGPIPE, SIG_IGN);
	c.options.spool_max = UINT64_C(16) << 30;
	options_read(&c, argc, argv);
	if ((c.options.http = http_shared_new(&c.http, &err)) == NULL)
		die(&err);
	s = source_find(&c, &fd);
	if (c.mask != NULL)
		mask_read(c.mask, source_image(s));
	finish(&c, source_image(s));
	if (c.dump != NULL)
		dump(&c, s, source_image(s));
	print(s, source_image(s));
	source_free(steal(s));
	http_shared_free(c.options.http);
	close(c.options.spool_dir_fd);
	free(c.login);
	return 0;
}
