#include "crane/keys.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "crane/tls.h"

struct keys {
	atomic_uint	 refs;
	SSL_CTX		*tls;
	struct presign	*presign;
};

/* Opening anything else, a FIFO for example, could block for ever. */
static int
check_regular(const char *option, const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return error_errno(err, "%s", option);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INPUT, "%s: not a regular file", option);
	return 0;
}

static int
read_tls(struct keys *k, const struct key_files *files, struct error *err)
{
	if (check_regular("--cert", files->cert, err) == -1 ||
	    check_regular("--key", files->key, err) == -1)
		return -1;
	k->tls = tls_new(files->cert, files->key, err);
	return k->tls != NULL ? 0 : -1;
}

static int
read_presign(struct keys *k, const struct key_files *files, struct error *err)
{
	if (check_regular("--presign-key", files->presign, err) == -1)
		return -1;
	if ((k->presign = presign_read(files->presign, err)) == NULL)
		return error_prefix(err, "--presign-key");
	return 0;
}

struct keys *
keys_read(const struct key_files *files, struct error *err)
{
	cleanup(keys_unref_p) struct keys *k = xcalloc(1, sizeof(*k));

	atomic_init(&k->refs, 1);
	if ((files->cert != NULL && read_tls(k, files, err) == -1) ||
	    (files->presign != NULL && read_presign(k, files, err) == -1))
		return NULL;
	return steal(k);
}

struct keys *
keys_ref(struct keys *k)
{
	if (k != NULL)
		atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

void
keys_unref(struct keys *k)
{
	if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(k->tls);
	presign_free(k->presign);
	free(k);
}

SSL_CTX *
keys_tls(const struct keys *k)
{
	return k != NULL ? k->tls : NULL;
}

const struct presign *
keys_presign(const struct keys *k)
{
	return k != NULL ? k->presign : NULL;
}

void
keys_look(const struct key_files *files, struct keys_seen *out)
{
	const char *paths[] = { files->cert, files->key, files->presign };
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (paths[i] != NULL && stat(paths[i], &out->files[i]) == -1)
			memset(&out->files[i], 0, sizeof(out->files[i]));
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
keys_seen_same(const struct keys_seen *a, const struct keys_seen *b)
{
	const struct stat *x, *y;
	size_t i;

	for (i = 0; i < sizeof(a->files) / sizeof(a->files[0]); i++) {
		x = &a->files[i];
		y = &b->files[i];
		if (x->st_dev != y->st_dev || x->st_ino != y->st_ino || x->st_size != y->st_size ||
		    !same_time(&x->st_mtim, &y->st_mtim) || !same_time(&x->st_ctim, &y->st_ctim))
			return false;
	}
	return true;
}
