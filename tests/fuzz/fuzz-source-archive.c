/* Any bytes as an archive: what is yielded lies inside of it and hangs together. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/source.h"
#include "daemon/tarball.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_members(const struct tarball *t)
{
	struct extent at;
	const char *name;
	size_t i;

	for (i = 0; i < tarball_count(t); i++) {
		name = tarball_name(t, i);
		if (name[0] == '/' || strncmp(name, "../", 3) == 0 || strstr(name, "/../") != NULL)
			abort();
		if (i > 0 && strcmp(tarball_name(t, i - 1), name) >= 0)
			abort();
		tarball_find(t, name, &at);
	}
}

static void
check_image(struct source *s, const struct deadline *d)
{
	struct image *image = source_image(s);
	struct source_reader *reader = source_reader_new(s);
	struct extent at;
	size_t i;

	for (i = 0; i < image->n_blobs; i++) {
		if (image_is_raw(&image->blobs[i]) &&
		    image_compress(image, i, AT_FDCWD, d, NULL) == -1)
			break;
	}
	if (i == image->n_blobs && image_finish(image, NULL) == 0) {
		for (i = 0; i < image->n_tags; i++) {
			if (image_manifest_find(image, image->tags[i].digest) == NULL)
				abort();
		}
		for (i = 0; i < image->n_blobs; i++) {
			if (source_reader_blob(reader, &image->blobs[i], &at, d, NULL) == 0)
				extent_done(&at);
		}
	}
	source_reader_free(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct deadline d = deadline_in(60000, NULL);
	struct source_options options = { .spool_dir_fd = AT_FDCWD, .spool_max = 1u << 20 };
	struct error err = ERROR_INIT;
	struct tarball *t;
	struct source *s;
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd == -1 || write(fd, data, size) != (ssize_t)size)
		abort();
	if ((t = tarball_open(fd, AT_FDCWD, 1u << 20, &d, &err)) != NULL)
		check_members(t);
	tarball_free(t);
	if ((s = source_open_file(fd, &options, &d, &err)) != NULL)
		check_image(s, &d);
	else if (err.kind == ERROR_NONE)
		abort();
	source_free(s);
	close(fd);
	return 0;
}
