#include "client/show-publish.h"

#include <string.h>

#include "common/json.h"

#define COLOR_GREEN "\033[32m"
#define BAR_WIDTH 24
#define BARS_MAX 16		/* lines at once */
#define ID_SHOWN 19		/* "sha256:" and the first 12 digits */

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_or(object, key, "");
}

/* A layer goes by its diff_id while it is not compressed, so by that also afterwards. */
static const char *
layer_name(const json_t *layer)
{
	return json_string_or(layer, "diff_id", json_string_or(layer, "digest", "?"));
}

static const char *
layer_shown(const json_t *layer)
{
	return json_string_or(layer, "digest", json_string_or(layer, "diff_id", "?"));
}

static bool
is_over(const char *state)
{
	static const char *const ends[] = { "uploaded", "present", "copied", "masked" };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(state, ends[i]) == 0)
			return true;
	return false;
}

static void
draw_bar(struct render *r, const json_t *layer)
{
	int64_t done = json_int_or(layer, "done", 0);
	int64_t size = json_int_or(layer, "size", 0);
	int64_t left = json_int_or(layer, "left", -1);
	unsigned int full = size > 0 ? (unsigned int)(done * BAR_WIDTH / size) : 0;
	static const char hashes[] = "########################";
	char of[24], rate[24], time[40] = "";

	if (full > BAR_WIDTH)
		full = BAR_WIDTH;
	size_format(size, of, sizeof(of));
	size_format(json_int_or(layer, "rate", 0), rate, sizeof(rate));
	if (left >= 0)
		snprintf(time, sizeof(time), ", %lld s left", (long long)left);
	if (strcmp(text_of(layer, "state"), "uploading") != 0)
		render_progress_add(r, "%.*s  %s %s", ID_SHOWN, layer_shown(layer),
		    text_of(layer, "state"), of);
	else
		render_progress_add(r, "%.*s  [%-*.*s] %3u%% of %s, %s/s%s", ID_SHOWN,
		    layer_shown(layer), BAR_WIDTH, (int)full, hashes,
		    size > 0 ? (unsigned int)(done * 100 / size) : 0, of, rate, time);
}

static void
draw_bars(struct show *s)
{
	unsigned int n = 0;
	const char *name;
	json_t *layer;

	render_progress_end(s->render);
	json_object_foreach(s->layers, name, layer) {
		if (n++ < BARS_MAX)
			draw_bar(s->render, layer);
	}
}

static void
show_layer(struct show *s, json_t *layer)
{
	const char *state = text_of(layer, "state");
	char size[24];

	if (s->layers == NULL)
		s->layers = json_object();
	if (is_over(state)) {
		json_object_del(s->layers, layer_name(layer));
		size_format(json_int_or(layer, "size", 0), size, sizeof(size));
		render_line(s->render, NULL, "  %.*s  %s, %s", ID_SHOWN, layer_shown(layer), state,
		    size);
	} else {
		json_object_set(s->layers, layer_name(layer), layer);
	}
	draw_bars(s);
}

/* The tag that was asked for; otherwise the first that the image has. */
static const char *
tag_to_pull(const struct show *s, const json_t *result)
{
	const char *asked = strchr(text_of(s->asked, "image"), ':');
	const json_t *first = json_array_get(json_object_get(result, "tags"), 0);

	if (asked != NULL)
		return asked + 1;
	return json_is_string(first) ? json_string_value(first) : NULL;
}

static void
show_published(const struct show *s, const json_t *result)
{
	const char *pull = json_string_or(result, "pull_url", NULL);
	const char *tag = tag_to_pull(s, result);
	char sent[24];

	size_format(json_int_or(result, "bytes", 0), sent, sizeof(sent));
	render_line(s->render, COLOR_GREEN, "%s is published: %lld uploaded, %lld there, %lld copied, "
	    "%lld Red Hat's; %s sent", text_of(result, "image"),
	    (long long)json_int_or(result, "uploaded", 0),
	    (long long)json_int_or(result, "present", 0),
	    (long long)json_int_or(result, "copied", 0),
	    (long long)json_int_or(result, "masked", 0), sent);
	if (pull != NULL && tag != NULL)
		render_line(s->render, NULL, "docker pull %s:%s", pull, tag);
}

void
show_publish(struct show *s, const json_t *reply, bool last)
{
	const json_t *event = json_object_get(reply, "event");
	json_t *layer = json_object_get(event, "layer");

	(void)last;
	if (json_is_object(layer))
		show_layer(s, layer);
	else if (strcmp(text_of(event, "kind"), "queued") == 0)
		render_progress(s->render, "%s: waiting for its turn", text_of(event, "isv"));
	else if (strcmp(text_of(event, "kind"), "stage") == 0)
		render_line(s->render, NULL, "%s", text_of(event, "text"));
	if (json_is_object(json_object_get(reply, "result")))
		show_published(s, json_object_get(reply, "result"));
}

void
show_images(struct show *s, const json_t *reply, bool last)
{
	const json_t *images = json_object_get(reply, "images");
	const json_t *image, *tag;
	struct table t;
	size_t i, k, row;

	(void)last;
	table_init(&t, 3, 1u << 0);
	json_array_foreach(images, i, image) {
		json_array_foreach(json_object_get(image, "tags"), k, tag) {
			row = table_row(&t);
			table_set(&t, row, 0, NULL, "%s:%s", json_string_or(image, "pull_url",
			    text_of(image, "name")), text_of(tag, "name"));
			table_set(&t, row, 1, NULL, "v%lld",
			    (long long)json_int_or(image, "version", 0));
			table_set(&t, row, 2, NULL, "%.*s", ID_SHOWN, text_of(tag, "digest"));
		}
	}
	table_print(&t, s->render, "");
	table_done(&t);
	if (json_array_size(images) == 0)
		render_line(s->render, NULL, "%s has published nothing", text_of(s->asked, "isv"));
}

void
show_unpublish(struct show *s, const json_t *reply, bool last)
{
	(void)reply;
	(void)last;
	render_line(s->render, NULL, "%s: image '%s' is out of service", text_of(s->asked, "isv"),
	    text_of(s->asked, "image"));
}
