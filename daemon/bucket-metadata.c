#include "daemon/bucket-metadata.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/account.h"

typedef void take_fn(struct references *, const struct crane_metadata *, const char *prefix);

static int
take_file(const struct bucket_metadata *b, const struct repo_file *file, const char *public_base,
    take_fn *take, struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *prefix = NULL;

	if (config_view_read_blob(b->view, &file->oid, &text, err) == -1 ||
	    (m = crane_metadata_parse(buf_str(&text), text.len, err)) == NULL)
		return error_prefix(err, "'%s'", file->name);
	prefix = crane_metadata_prefix(m, public_base);
	take(b->out, m, prefix);
	return 0;
}

static int
take_folder(const struct bucket_metadata *b, const char *isv, const char *public_base,
    take_fn *take, struct error *err)
{
	cleanup(repo_files_done) struct repo_files files = { NULL, 0, { NULL, 0 } };
	size_t i;

	if (config_view_metadata(b->view, b->tip, isv, &files, err) == -1)
		return error_prefix(err, "isv '%s'", isv);
	for (i = 0; i < files.n; i++)
		if (take_file(b, &files.files[i], public_base, take, err) == -1)
			return error_prefix(err, "isv '%s'", isv);
	return 0;
}

int
bucket_metadata_add(const struct bucket_metadata *b, const struct isv *except, struct error *err)
{
	size_t i;

	for (i = 0; i < b->config->n_isvs; i++) {
		const struct isv *isv = &b->config->isvs[i];
		cleanup(free_p) char *public_base = NULL;

		if (isv == except || !text_equal(isv->bucket, b->bucket))
			continue;
		public_base = account_public_base(&b->config->aws, isv->public_url, isv->bucket);
		if (take_folder(b, isv->name, public_base, references_add, err) == -1)
			return -1;
	}
	return 0;
}

static bool
is_stray(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_isvs; i++)
		if (strcmp(c->isvs[i].name, name) == 0)
			return c->isvs[i].bucket == NULL;
	return strcmp(name, "redhat") != 0;
}

int
bucket_metadata_protect_strays(const struct bucket_metadata *b, struct error *err)
{
	cleanup(repo_files_done) struct repo_files folders = { NULL, 0, { NULL, 0 } };
	cleanup(free_p) char *public_base = account_public_base(&b->config->aws, NULL, b->bucket);
	size_t i;

	if (config_view_metadata_trees(b->view, b->tip, &folders, err) == -1)
		return -1;
	for (i = 0; i < folders.n; i++)
		if (is_stray(b->config, folders.files[i].name) &&
		    take_folder(b, folders.files[i].name, public_base, references_protect, err) == -1)
			return -1;
	return 0;
}

/* One ISV's folder, as it was at some time. */
struct past {
	const struct bucket_metadata	*b;
	char				*public_base;
	struct crane_ids		 seen;		/* blobs */
};

/* A file that was not valid, or was about another bucket, made nothing public here. */
static int
take_past(void *arg, const struct repo_file *file, struct error *err)
{
	struct past *past = arg;
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *prefix = NULL;
	size_t base = strlen(past->public_base);
	char hex[GIT_OID_HEXSZ + 1];

	if (!crane_ids_insert(&past->seen, git_oid_tostr(hex, sizeof(hex), &file->oid)))
		return 0;
	if (config_view_read_blob(past->b->view, &file->oid, &text, err) == -1)
		return -1;
	m = crane_metadata_parse(buf_str(&text), text.len, NULL);
	if (m == NULL || strncmp(m->url, past->public_base, base) != 0 || m->url[base] != '/')
		return 0;
	prefix = crane_metadata_prefix(m, past->public_base);
	references_add_prefix(past->b->out, prefix);
	return 0;
}

int
bucket_metadata_add_history(const struct bucket_metadata *b, const struct deadline *deadline,
    struct error *err)
{
	int result = 0;
	size_t i;

	for (i = 0; i < b->config->n_isvs && result == 0; i++) {
		const struct isv *isv = &b->config->isvs[i];
		struct past past = { .b = b };

		if (!text_equal(isv->bucket, b->bucket))
			continue;
		past.public_base = account_public_base(&b->config->aws, isv->public_url, isv->bucket);
		result = config_view_history_each(b->view, b->tip, isv->name, take_past, &past,
		    deadline, err);
		crane_ids_done(&past.seen);
		free(past.public_base);
	}
	return result;
}
