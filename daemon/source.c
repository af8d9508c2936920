#include "daemon/source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "daemon/fetch.h"
#include "daemon/repository.h"
#include "daemon/source-kind.h"
#include "daemon/tarball.h"
#include "daemon/tree.h"
#include "daemon/url.h"

#define DOCKER_SCHEME "docker://"

struct source {
	struct source_options		 options;
	const char			*kind;
	struct image			*image;
	struct extent			 download;	/* an archive that came by a URL */
	struct tarball			*tarball;	/* of an archive */
	int				 dir_fd;	/* of a directory, else -1 */
	struct repository_reference	 at;		/* of a registry; host NULL: another source */
};

struct source_reader {
	const struct source	*source;
	struct repository		*repository;
};

static struct source *
source_new(const struct source_options *options)
{
	struct source *s = xcalloc(1, sizeof(*s));

	s->options = *options;
	s->image = image_new();
	s->download = (struct extent)EXTENT_INIT;
	s->dir_fd = -1;
	return s;
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	image_free(s->image);
	tarball_free(s->tarball);
	extent_done(&s->download);
	repository_reference_done(&s->at);
	free(s);
}

const char *
source_kind(const struct source *s)
{
	return s->kind;
}

struct image *
source_image(struct source *s)
{
	return s->image;
}

static void
image_renew(struct source *s)
{
	image_free(s->image);
	s->image = image_new();
}

/* `docker save` since version 25 writes an OCI layout around the same files. It is preferred,
 * unless it lacks blobs (of other platforms) or holds plain layers: those are compressed, and
 * then the manifest is a new one anyway. */
static int
docker_read(struct source *s, const struct tree *tree, const struct deadline *d,
    struct error *err)
{
	if (source_is_oci(tree) && source_oci_read(tree, s->image, d, NULL) == 0 &&
	    source_oci_is_packed(s->image)) {
		s->kind = "oci-archive";
		return 0;
	}
	image_renew(s);
	s->kind = "docker-archive";
	return source_docker_archive_read(tree, s->image, d, err);
}

static int
archive_read(struct source *s, int fd, const struct deadline *d, struct error *err)
{
	struct tree tree = { .dir_fd = -1 };

	s->tarball = tarball_open(fd, s->options.spool_dir_fd, s->options.spool_max, d, err);
	if (s->tarball == NULL)
		return -1;
	tree.tarball = s->tarball;
	if (source_is_docker_archive(&tree))
		return docker_read(s, &tree, d, err);
	if (source_is_oci(&tree)) {
		s->kind = "oci-archive";
		return source_oci_read(&tree, s->image, d, err);
	}
	if (source_is_pulp(s->tarball)) {
		s->kind = "pulp";
		return source_pulp_read(s->tarball, s->image, d, err);
	}
	return error_set(err, ERROR_INPUT, "no image in this archive: neither manifest.json, nor "
	    "oci-layout, nor an export of Pulp");
}

struct source *
source_open_file(int fd, const struct source_options *options, const struct deadline *d,
    struct error *err)
{
	cleanup(source_free_p) struct source *s = source_new(options);

	return archive_read(s, fd, d, err) == 0 ? steal(s) : NULL;
}

struct source *
source_open_dir(int dir_fd, const struct source_options *options, const struct deadline *d,
    struct error *err)
{
	cleanup(source_free_p) struct source *s = source_new(options);
	struct tree tree = { .dir_fd = dir_fd };

	s->kind = "oci";
	s->dir_fd = dir_fd;
	if (!source_is_oci(&tree)) {
		error_set(err, ERROR_INPUT, "no oci-layout and index.json in this directory");
		return NULL;
	}
	return source_oci_read(&tree, s->image, d, err) == 0 ? steal(s) : NULL;
}

static int
download(struct source *s, const char *url, const struct deadline *d, struct error *err)
{
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup(spool_free_p) struct spool *spool = NULL;
	cleanup(free_p) char *shown = http_url_shown(url);
	struct fetch_request f = { .url = url, .username = s->options.username,
	    .password = s->options.password, .plain_http = s->options.plain_http };
	struct http *http;
	int result;

	spool = spool_new(s->options.spool_dir_fd, s->options.spool_max, err);
	if (spool == NULL)
		return -1;
	f.spool = spool;
	http = http_new(s->options.http);
	result = fetch_get(http, &f, &response, d, err);
	http_free(http);
	if (result == -1)
		return -1;
	if (response.status == 401 || response.status == 403)
		return error_set(err, ERROR_CREDENTIALS, "%s: %s, HTTP status %ld", shown,
		    s->options.username != NULL ? "the login was refused"
		    : "asks for a login, and none is given", response.status);
	if (response.status / 100 != 2)
		return error_set(err, response.status == 404 ? ERROR_MISSING : ERROR_REMOTE,
		    "%s: HTTP status %ld", shown, response.status);
	spool_take(spool, &s->download);
	return archive_read(s, s->download.fd, d, err) == -1 ? error_prefix(err, "%s", shown) : 0;
}

static struct repository *
repository_open(const struct source *s)
{
	struct repository_options options = { s->options.http, s->options.username,
	    s->options.password, s->options.plain_http };

	return repository_new(&s->at, &options);
}

static int
registry_read(struct source *s, const char *reference, const struct deadline *d,
    struct error *err)
{
	cleanup(repository_free_p) struct repository *repository = NULL;

	s->kind = "registry";
	if (repository_reference_parse(reference, &s->at, err) == -1)
		return -1;
	repository = repository_open(s);
	return source_registry_read(repository, &s->at, s->image, d, err);
}

static bool
is_docker_url(const char *url)
{
	return strncmp(url, DOCKER_SCHEME, strlen(DOCKER_SCHEME)) == 0;
}

static int
refuse_login(const char *url, struct error *err)
{
	const char *authority = strstr(url, "://");

	if (authority == NULL || memchr(authority, '@', strcspn(authority + 3, "/?#\\") + 3) == NULL)
		return 0;
	return error_set(err, ERROR_INPUT, "a source's URL must not hold a login, as others see "
	    "it: put that into the file which publish.auth_file in raasd.yaml names");
}

static char *
docker_place(const char *reference, struct error *err)
{
	struct repository_reference at = { 0 };
	char *place;

	if (repository_reference_parse(reference, &at, err) == -1)
		return NULL;
	place = xasprintf("%s/%s", at.host, at.name);
	repository_reference_done(&at);
	return place;
}

char *
source_url_place(const char *url, struct error *err)
{
	if (refuse_login(url, err) == -1)
		return NULL;
	if (is_docker_url(url))
		return docker_place(url + strlen(DOCKER_SCHEME), err);
	return url_place(url, err);
}

struct source *
source_open_url(const char *url, const struct source_options *options, const struct deadline *d,
    struct error *err)
{
	cleanup(source_free_p) struct source *s = source_new(options);
	int result;

	if (refuse_login(url, err) == -1)
		return NULL;
	if (is_docker_url(url))
		result = registry_read(s, url + strlen(DOCKER_SCHEME), d, err);
	else if (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0)
		result = download(s, url, d, err);
	else
		result = error_set(err, ERROR_INPUT, "a source is docker://HOST/NAME, or the "
		    "https:// URL of an archive");
	return result == 0 ? steal(s) : NULL;
}

struct source_reader *
source_reader_new(const struct source *s)
{
	struct source_reader *r = xcalloc(1, sizeof(*r));

	r->source = s;
	if (s->at.host != NULL)
		r->repository = repository_open(s);
	return r;
}

void
source_reader_free(struct source_reader *r)
{
	if (r == NULL)
		return;
	repository_free(r->repository);
	free(r);
}

static int
blob_download(struct source_reader *r, const struct image_blob *b, struct extent *out,
    const struct deadline *d, struct error *err)
{
	const struct source_options *o = &r->source->options;
	uint64_t limit = b->size != SIZE_UNKNOWN ? b->size : o->spool_max;
	cleanup(spool_free_p) struct spool *spool = NULL;

	if (limit > o->spool_max)
		return error_set(err, ERROR_INPUT, "%s: %ju bytes, and at most %ju are taken",
		    b->digest, (uintmax_t)limit, (uintmax_t)o->spool_max);
	if ((spool = spool_new(o->spool_dir_fd, limit, err)) == NULL)
		return -1;
	return repository_blob(r->repository, b->digest, b->size, spool, out, d, err);
}

static int
blob_open(const struct source *s, const struct image_blob *b, struct extent *out,
    struct error *err)
{
	char path[sizeof(OCI_BLOB_PATH) + DIGEST_SIZE];
	struct tree tree = { .dir_fd = s->dir_fd };

	if (b->at.fd != -1) {
		*out = b->at;
		out->owned = false;
		return 0;
	}
	if (s->dir_fd == -1)
		return error_set(err, ERROR_MISSING, "%s is not in the archive", b->digest);
	source_oci_blob_path(b->digest, path);
	return tree_open(&tree, path, out, err);
}

int
source_reader_blob(struct source_reader *r, const struct image_blob *b, struct extent *out,
    const struct deadline *d, struct error *err)
{
	cleanup(extent_done) struct extent at = EXTENT_INIT;

	if (r->repository != NULL)
		return blob_download(r, b, out, d, err);
	if (blob_open(r->source, b, &at, err) == -1)
		return -1;
	if (b->size != SIZE_UNKNOWN && at.size != b->size)
		return error_set(err, ERROR_INPUT, "%s: %ju bytes, not the %ju that it is said to "
		    "have", b->digest, (uintmax_t)at.size, (uintmax_t)b->size);
	if (!b->checked && extent_check(&at, b->digest, d, err) == -1)
		return -1;
	*out = at;
	at = (struct extent)EXTENT_INIT;
	return 0;
}
