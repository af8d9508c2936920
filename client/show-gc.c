#include "client/show-gc.h"

#include "common/json.h"

static void
show_objects(struct render *r, const json_t *objects)
{
	const json_t *object;
	char size[24], age[24];
	size_t i;

	json_array_foreach(objects, i, object) {
		size_format(json_int_or(object, "size", 0), size, sizeof(size));
		age_format(json_string_or(object, "time", NULL), r->now, age, sizeof(age));
		render_line(r, NULL, "  %s  %s, %s old%s%s", json_string_or(object, "key", "?"), size,
		    age, json_bool_or(object, "upload", false) ? ", broken off" : "",
		    json_bool_or(object, "removed", false) ? ", removed" : "");
	}
}

static void
show_kept(struct render *r, const json_t *summary, const char *key, const char *why)
{
	long long n = (long long)json_int_or(summary, key, 0);

	if (n > 0)
		render_line(r, NULL, "%lld %s", n, why);
}

static void
show_found(struct render *r, const json_t *summary, const char *count, const char *bytes,
    const char *what, const char *why)
{
	char size[24];

	size_format(json_int_or(summary, bytes, 0), size, sizeof(size));
	render_line(r, NULL, "%lld %s of %s %s", (long long)json_int_or(summary, count, 0), what, size,
	    json_bool_or(summary, "removed", false) ? "removed" : why);
}

static void
show_summary(struct show *s, const json_t *summary)
{
	bool uploads = json_int_or(summary, "uploads", 0) > 0;

	show_kept(s->render, summary, "unlisted", "more are not listed here");
	show_kept(s->render, summary, "young", "that no metadata names are kept, being young");
	show_kept(s->render, summary, "unclear", "are kept, for Pulp's metadata does not tell whether "
	    "they are needed");
	show_kept(s->render, summary, "foreign", "are kept, not being raasd's");
	show_found(s->render, summary, "found", "bytes", "objects", "are named by no metadata");
	if (uploads)
		show_found(s->render, summary, "uploads", "upload_bytes", "uncompleted uploads",
		    "were broken off");
	if ((uploads || json_int_or(summary, "found", 0) > 0) &&
	    !json_bool_or(summary, "removed", false))
		render_line(s->render, NULL, "remove them with: raasctl gc --delete %s",
		    json_string_or(s->asked, "isv", ""));
}

void
show_gc(struct show *s, const json_t *reply, bool last)
{
	show_objects(s->render, json_object_get(reply, "objects"));
	if (last)
		show_summary(s, json_object_get(reply, "summary"));
}
