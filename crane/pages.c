#include "crane/pages.h"

#include <stdlib.h>

#include "common/json.h"
#include "common/rfc3339.h"

/* One value at a time: a tree of all that is served would be large. */
static void
add_json(struct buf *out, json_t *value)
{
	cleanup(json_unref) json_t *taken = value;
	cleanup(free_p) char *text = json_dumps(taken, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		abort();	/* out of memory: what was packed can be written */
	buf_add_str(out, text);
}

static json_t *
time_json(int64_t at)
{
	char text[RFC3339_SIZE];

	rfc3339_format(at, text);
	return json_string(text);
}

static void
add_file(struct buf *out, const struct store_file *file)
{
	json_t *object = json_pack("{s:o,s:o,s:i,s:s}", "file", json_text(file->name),
	    "repository", json_text(file->metadata->registry_id),
	    "version", file->metadata->version, "sha256", file->sha256);

	if (file->shadowed_by != NULL)
		json_object_set_new(object, "shadowed_by", json_text(file->shadowed_by->name));
	add_json(out, object);
}

static json_t *
refused_json(const struct refusals *refused)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < refused->n; i++)
		json_array_append_new(list, json_pack("{s:o,s:o}",
		    "file", json_text(refused->list[i].file),
		    "reason", json_text(refused->list[i].reason)));
	return list;
}

void
pages_status(const struct store *s, const struct refusals *refused, const char *keys_refused,
    int64_t checked_at, struct buf *out)
{
	size_t i;

	buf_printf(out, "{\"schema\":1,\"version\":\"%s\",\"hash\":\"%s\",\"loaded_at\":",
	    RAAS_VERSION, store_hash(s));
	add_json(out, time_json(store_loaded_at(s)));
	buf_add_str(out, ",\"checked_at\":");
	add_json(out, time_json(checked_at));
	buf_printf(out, ",\"whole\":%s,\"repositories\":{\"v1\":%zu,\"v2\":%zu},\"refused_total\":%zu,"
	    "\"refused\":", store_is_whole(s) ? "true" : "false", store_n_v1(s), store_n_v2(s),
	    refused->total);
	add_json(out, refused_json(refused));
	buf_add_str(out, ",\"keys_refused\":");
	add_json(out, keys_refused != NULL ? json_text(keys_refused) : json_null());
	buf_add_str(out, ",\"files\":[");
	for (i = 0; i < store_n_files(s); i++) {
		buf_add_str(out, i > 0 ? "," : "");
		add_file(out, store_file_at(s, i));
	}
	buf_add_str(out, "]}\n");
}

static json_t *
v1_json(const struct crane_metadata *m)
{
	json_t *ids = json_array(), *tags = json_object();
	size_t i;

	for (i = 0; i < m->images.n; i++)
		json_array_append_new(ids, json_text(m->images.ids[i]));
	for (i = 0; i < m->tags.n; i++)
		json_object_set_new(tags, m->tags.tags[i].name, json_text(m->tags.tags[i].target));
	return json_pack("{s:o,s:o,s:b}", "image_ids", ids, "tags", tags, "protected",
	    m->is_protected);
}

static void
add_member(struct buf *out, size_t i, const char *name, json_t *value)
{
	buf_add_str(out, i > 0 ? "," : "{");
	add_json(out, json_text(name));
	buf_add_str(out, ":");
	add_json(out, value);
}

void
pages_v1_json(const struct store *s, struct buf *out)
{
	size_t i;

	for (i = 0; i < store_n_v1(s); i++)
		add_member(out, i, store_v1_at(s, i)->registry_id, v1_json(store_v1_at(s, i)));
	buf_add_str(out, i > 0 ? "}" : "{}");
}

void
pages_v2_json(const struct store *s, struct buf *out)
{
	const struct crane_metadata *m;
	size_t i;

	for (i = 0; i < store_n_v2(s); i++) {
		m = store_v2_at(s, i);
		add_member(out, i, m->registry_id, json_pack("{s:b}", "protected", m->is_protected));
	}
	buf_add_str(out, i > 0 ? "}" : "{}");
}

static void
add_html(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '<': buf_add_str(out, "&lt;"); break;
		case '>': buf_add_str(out, "&gt;"); break;
		case '&': buf_add_str(out, "&amp;"); break;
		case '"': buf_add_str(out, "&quot;"); break;
		default: buf_add(out, s, 1);
		}
	}
}

static void
add_row(struct buf *out, const struct crane_metadata *m)
{
	size_t i;

	buf_add_str(out, "<tr><td>");
	add_html(out, m->registry_id);
	buf_add_str(out, m->is_protected ? "</td><td>yes</td><td>" : "</td><td>no</td><td>");
	for (i = 0; i < m->tags.n; i++) {
		buf_add_str(out, i > 0 ? " " : "");
		add_html(out, m->tags.tags[i].name);
	}
	buf_add_str(out, "</td></tr>\n");
}

static void
begin_table(struct buf *out, const char *title)
{
	buf_printf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<title>%s</title></head>\n<body><h1>%s</h1>\n<table>\n"
	    "<tr><th>Repository</th><th>Protected</th><th>Tags</th></tr>\n", title, title);
}

void
pages_v1_html(const struct store *s, struct buf *out)
{
	size_t i;

	begin_table(out, "Repositories, registry v1");
	for (i = 0; i < store_n_v1(s); i++)
		add_row(out, store_v1_at(s, i));
	buf_add_str(out, "</table></body></html>\n");
}

void
pages_v2_html(const struct store *s, struct buf *out)
{
	size_t i;

	begin_table(out, "Repositories, registry v2");
	for (i = 0; i < store_n_v2(s); i++)
		add_row(out, store_v2_at(s, i));
	buf_add_str(out, "</table></body></html>\n");
}
