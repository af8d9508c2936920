#include "daemon/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/atomic-file.h"
#include "daemon/config.h"
#include "daemon/settings.h"

CLEANUP_FUNC(struct settings, settings_free);

static void
print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	putchar('\n');
}

/* An error that is of the whole file, in the shape of config_to_json()'s. */
static json_t *
error_to_json(const struct error *err)
{
	return json_pack("{s:n, s:n, s:o}", "line", "section", "text", json_text(err->text));
}

int
check_settings(const char *file, bool json)
{
	struct error err = ERROR_INIT;
	cleanup(settings_free_p) struct settings *settings = settings_load(file, &err);
	cleanup(json_unref) json_t *whole = NULL;

	if (json) {
		whole = json_pack("{s:o, s:[], s:[]}", "settings",
		    settings != NULL ? settings_to_json(settings) : json_object(),
		    "errors", "warnings");
		if (settings == NULL)
			json_array_append_new(json_object_get(whole, "errors"), error_to_json(&err));
		print_json(whole);
	} else if (settings != NULL) {
		printf("%s: good\n", file != NULL ? file : SETTINGS_FILE);
	} else {
		printf("%s\n", err.text);
	}
	return settings != NULL ? 0 : 1;
}

static json_t *
read_raas_cfg(const char *file)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	struct error err = ERROR_INIT;

	if (atomic_file_read(AT_FDCWD, file, RAAS_CFG_MAX, &text, &err) == -1)
		return json_pack("{s:{}, s:[o], s:[]}", "sections", "errors", error_to_json(&err),
		    "warnings");
	return config_to_json(buf_str(&text), text.len, file, getenv("CREDENTIALS_DIRECTORY"));
}

/* "FILE:LINE: [SECTION] TEXT" */
static void
print_problems(const char *file, const json_t *problems, const char *kind)
{
	const json_t *problem, *line, *section;
	size_t i;

	json_array_foreach(problems, i, problem) {
		line = json_object_get(problem, "line");
		section = json_object_get(problem, "section");
		printf("%s:", file);
		if (json_is_integer(line))
			printf("%" JSON_INTEGER_FORMAT ":", json_integer_value(line));
		if (json_is_string(section))
			printf(" [%s]", json_string_value(section));
		printf(" %s%s\n", kind, json_string_or(problem, "text", ""));
	}
}

int
check_raas_cfg(const char *file, bool json)
{
	cleanup(json_unref) json_t *whole = read_raas_cfg(file);
	const json_t *errors = json_object_get(whole, "errors");
	size_t n_errors = json_array_size(errors);

	if (json) {
		print_json(whole);
	} else {
		print_problems(file, errors, "");
		print_problems(file, json_object_get(whole, "warnings"), "warning: ");
		if (n_errors == 0)
			printf("%s: good\n", file);
	}
	return n_errors == 0 ? 0 : 1;
}
