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
		render_line(r, NULL, "  %s  %s, %s old%s", json_string_or(object, "key", "?"), size,
		    age, json_bool_or(object, "removed", false) ? ", removed" : "");
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
show_summary(struct show *s, const json_t *summary)
{
	bool removed = json_bool_or(summary, "removed", false);
	long long found = (long long)json_int_or(summary, "found", 0);
	const char *isv = json_string_or(s->asked, "isv", "");
	char size[24];

	show_kept(s->render, summary, "unlisted", "more are not listed here");
	show_kept(s->render, summary, "young", "that no metadata names are kept, being young");
	show_kept(s->render, summary, "unclear", "are kept, for Pulp's metadata does not tell whether "
	    "they are needed");
	show_kept(s->render, summary, "foreign", "are kept, not being raasd's");
	size_format(json_int_or(summary, "bytes", 0), size, sizeof(size));
	render_line(s->render, NULL, "%lld objects of %s %s%s%s", found, size,
	    removed ? "removed" : "are named by no metadata",
	    found > 0 && !removed ? "; remove them with: raasctl gc --delete " : "",
	    found > 0 && !removed ? isv : "");
}

void
show_gc(struct show *s, const json_t *reply, bool last)
{
	show_objects(s->render, json_object_get(reply, "objects"));
	if (last)
		show_summary(s, json_object_get(reply, "summary"));
}
