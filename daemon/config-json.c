#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/config-build.h"
#include "daemon/config-keys.h"
#include "daemon/config.h"
#include "daemon/raas-cfg.h"
#include "daemon/url.h"

/* The value as it may be shown; false when it has none. */
static bool
shown_value(struct raas_cfg *raw, const struct raas_cfg_section *s,
    const struct raas_cfg_entry *entry, struct buf *out)
{
	bool secret;

	if (raas_cfg_value(raw, s, entry, out, &secret, NULL) == -1)
		return false;
	if (secret) {
		buf_clear(out);
		buf_add_str(out, "***");
	}
	return true;
}

static void
add_value(json_t *object, struct raas_cfg *raw, const struct raas_cfg_section *s,
    const struct raas_cfg_entry *entry)
{
	cleanup(buf_done) struct buf value = BUF_INIT;
	cleanup(free_p) char *shown = NULL;

	if (!shown_value(raw, s, entry, &value))
		return;
	shown = url_hide_password(buf_str(&value));
	json_object_set_new(object, entry->key, json_text(shown));
}

/* Everything that the file says, and the defaults of the keys that it does not have. */
static json_t *
section_to_json(struct raas_cfg *raw, const struct raas_cfg_section *s)
{
	const struct config_table *table = config_table(s->name);
	const struct raas_cfg_entry *entry;
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < raw->defaults.n_entries; i++) {
		entry = &raw->defaults.entries[i];
		if (raas_cfg_entry(raw, s, entry->key) == entry)
			add_value(object, raw, s, entry);
	}
	for (i = 0; i < s->n_entries; i++)
		add_value(object, raw, s, &s->entries[i]);
	for (i = 0; i < table->n_keys; i++) {
		const char *fallback = table->keys[i].fallback;

		if (fallback != NULL && fallback[0] != '\0' &&
		    raas_cfg_entry(raw, s, table->keys[i].name) == NULL)
			json_object_set_new(object, table->keys[i].name, json_string(fallback));
	}
	return object;
}

static json_t *
problems_to_json(const struct config_problem *problems, size_t n)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < n; i++) {
		json_array_append_new(array, json_pack("{s:o, s:o, s:o}",
		    "line", problems[i].line != 0 ? json_integer(problems[i].line) : json_null(),
		    "section", json_text(problems[i].section),
		    "text", json_text(problems[i].text)));
	}
	return array;
}

json_t *
config_to_json(const char *text, size_t len, const char *file, const char *credentials_dir)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *raw = raas_cfg_read(text, len, file);
	struct config *c = config_build(raw, NULL, credentials_dir, true);
	json_t *sections = json_object(), *whole;
	size_t i;

	raas_cfg_more_work(raw);
	for (i = 0; i < raw->n_sections; i++)
		json_object_set_new(sections, raw->sections[i].name,
		    section_to_json(raw, &raw->sections[i]));
	whole = json_pack("{s:o, s:o, s:o}", "sections", sections,
	    "errors", problems_to_json(c->errors, c->n_errors),
	    "warnings", problems_to_json(c->warnings, c->n_warnings));
	config_unref(c);
	return whole;
}
