#include "daemon/bucket-metadata.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/account.h"

static int
add_file(const struct config_view *view, const struct repo_file *file, const char *public_base,
    struct references *out, struct error *err)
{
	cleanup(crane_metadata_free_p) struct crane_metadata *m = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *prefix = NULL;

	if (config_view_read_blob(view, &file->oid, &text, err) == -1 ||
	    (m = crane_metadata_parse(buf_str(&text), text.len, err)) == NULL)
		return error_prefix(err, "'%s'", file->name);
	prefix = crane_metadata_prefix(m, public_base);
	references_add(out, m, prefix);
	return 0;
}

static int
add_isv(const struct config_view *view, const git_oid *tip, const struct config *c,
    const struct isv *isv, struct references *out, struct error *err)
{
	cleanup(repo_files_done) struct repo_files files = { NULL, 0, { NULL, 0 } };
	cleanup(free_p) char *public_base = account_public_base(&c->aws, isv);
	size_t i;

	if (config_view_metadata(view, tip, isv->name, &files, err) == -1)
		return -1;
	for (i = 0; i < files.n; i++)
		if (add_file(view, &files.files[i], public_base, out, err) == -1)
			return -1;
	return 0;
}

int
bucket_metadata_add(const struct config_view *view, const git_oid *tip, const struct config *c,
    const char *bucket, const struct isv *except, struct references *out, struct error *err)
{
	size_t i;

	for (i = 0; i < c->n_isvs; i++) {
		const struct isv *isv = &c->isvs[i];

		if (isv == except || !text_equal(isv->bucket, bucket))
			continue;
		if (add_isv(view, tip, c, isv, out, err) == -1)
			return error_prefix(err, "isv '%s'", isv->name);
	}
	return 0;
}
