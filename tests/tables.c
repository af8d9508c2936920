/* tables: the tables that raasctl's command line and raas.cfg are read by, as JSON, for tests that
 * hold documents against them. */
#include <stdio.h>

#include "client/arguments.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/methods.h"
#include "daemon/config-keys.h"

static json_t *
letter_json(char letter)
{
	const char text[] = { letter, '\0' };

	return letter != '\0' ? json_string(text) : json_null();
}

static json_t *
globals_json(void)
{
	json_t *list = json_array();
	const struct global_option *g;

	for (g = global_options; g->option != NULL; g++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "option", json_text(g->option),
		    "letter", letter_json(g->letter)));
	return list;
}

static json_t *
params_json(const struct method *m)
{
	json_t *list = json_array();
	const struct param *p;

	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "option",
		    json_text(p->option), "letter", letter_json(p->letter), "value",
		    json_text(p->value)));
	return list;
}

static json_t *
commands_json(void)
{
	json_t *list = json_array();
	const struct method *m;

	for (m = methods; m->command != NULL; m++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:b, s:o}", "command",
		    json_text(m->command), "alias", json_text(m->alias), "acts", m->acts, "params",
		    params_json(m)));
	return list;
}

static json_t *
keys_json(const struct config_table *table)
{
	json_t *list = json_array();
	const struct config_key *key;

	for (key = table->keys; key < table->keys + table->n_keys; key++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "key", json_text(key->name),
		    "default", json_text(key->fallback), "required", key->required));
	return list;
}

static json_t *
sections_json(void)
{
	json_t *list = json_array();
	const struct config_table *table;
	size_t i;

	for (i = 0; (table = config_table_at(i)) != NULL; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "section",
		    json_text(table->section), "keys", keys_json(table)));
	return list;
}

int
main(void)
{
	cleanup(json_unref) json_t *whole = json_pack("{s:o, s:o, s:o}", "globals", globals_json(),
	    "commands", commands_json(), "sections", sections_json());

	json_dumpf(whole, stdout, JSON_INDENT(2));
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : 1;
}
