#include "client/outcome.h"

#include <string.h>

#include "common/interface.h"
#include "common/json.h"

static enum outcome
status_outcome(const json_t *parameters)
{
	static const char *const unhealthy[] = {
		"drift", "failed", "conflict", "orphaned", "invalid",
	};
	const json_t *isvs = json_object_get(parameters, "isvs");
	size_t i, j;

	for (i = 0; i < json_array_size(isvs); i++) {
		const char *phase = json_string_or(json_array_get(isvs, i), "phase", "");

		for (j = 0; j < sizeof(unhealthy) / sizeof(unhealthy[0]); j++) {
			if (strcmp(phase, unhealthy[j]) == 0)
				return OUTCOME_UNHEALTHY;
		}
	}
	return OUTCOME_DONE;
}

static enum outcome
sync_outcome(const json_t *parameters)
{
	const json_t *results = json_object_get(parameters, "results");
	size_t i;

	for (i = 0; i < json_array_size(results); i++) {
		if (!json_bool_or(json_array_get(results, i), "ok", false))
			return OUTCOME_FAILED;
	}
	return json_int_or(json_object_get(parameters, "summary"), "failed", 0) > 0
	    ? OUTCOME_FAILED : OUTCOME_DONE;
}

static enum outcome
diff_outcome(const json_t *parameters)
{
	const json_t *files = json_object_get(parameters, "files");
	size_t i;

	if (json_array_size(json_object_get(parameters, "steps")) > 0)
		return OUTCOME_UNHEALTHY;
	for (i = 0; i < json_array_size(files); i++) {
		if (strcmp(json_string_or(json_array_get(files, i), "state", ""), "same") != 0)
			return OUTCOME_UNHEALTHY;
	}
	return OUTCOME_DONE;
}

static enum outcome
validate_outcome(const json_t *parameters)
{
	const json_t *results = json_object_get(parameters, "results");
	size_t i;

	for (i = 0; i < json_array_size(results); i++) {
		if (!json_bool_or(json_array_get(results, i), "ok", false))
			return OUTCOME_UNHEALTHY;
	}
	return json_int_or(json_object_get(parameters, "summary"), "failed", 0) > 0
	    ? OUTCOME_UNHEALTHY : OUTCOME_DONE;
}

static enum outcome
wait_outcome(const json_t *parameters)
{
	const json_t *isvs = json_object_get(parameters, "isvs");
	size_t i;

	if (json_bool_or(parameters, "late", false))
		return OUTCOME_LATE;
	for (i = 0; i < json_array_size(isvs); i++) {
		if (!json_bool_or(json_array_get(isvs, i), "reached", false))
			return OUTCOME_UNHEALTHY;
	}
	return OUTCOME_DONE;
}

static enum outcome
setup_outcome(const json_t *parameters)
{
	const json_t *sync = json_object_get(json_object_get(parameters, "result"), "sync");

	return json_bool_or(sync, "ok", true) ? OUTCOME_DONE : OUTCOME_FAILED;
}

static enum outcome
teardown_outcome(const json_t *parameters)
{
	const char *refusal = json_string_or(json_object_get(parameters, "plan"), "refusal", NULL);

	return refusal == NULL ? OUTCOME_DONE : OUTCOME_FAILED;
}

enum outcome
outcome_of_reply(const struct method *m, const json_t *parameters)
{
	if (strcmp(m->name, "Status") == 0)
		return status_outcome(parameters);
	if (strcmp(m->name, "Sync") == 0)
		return sync_outcome(parameters);
	if (strcmp(m->name, "Wait") == 0)
		return wait_outcome(parameters);
	if (strcmp(m->name, "Setup") == 0)
		return setup_outcome(parameters);
	if (strcmp(m->name, "Teardown") == 0)
		return teardown_outcome(parameters);
	if (strcmp(m->name, "Diff") == 0)
		return diff_outcome(parameters);
	if (strcmp(m->name, "Validate") == 0)
		return validate_outcome(parameters);
	/* Its own statuses have the numbers of ours. */
	if (strcmp(m->name, "Check") == 0)
		return (enum outcome)json_int_or(parameters, "status", OUTCOME_NO_DAEMON);
	if (strcmp(m->name, "Reload") == 0 &&
	    json_array_size(json_object_get(parameters, "errors")) > 0)
		return OUTCOME_FAILED;
	return OUTCOME_DONE;
}

enum outcome
outcome_of_connection(const struct error *err)
{
	switch (err->kind) {
	case ERROR_REMOTE:
		return OUTCOME_NO_DAEMON;
	case ERROR_CREDENTIALS:
		return OUTCOME_DENIED;
	default:
		return OUTCOME_FAILED;
	}
}

static void
unknown_isv(const json_t *parameters, struct error *text)
{
	const char *nearest = json_string_or(parameters, "nearest", NULL);

	error_set(text, ERROR_MISSING, "raas.cfg has no ISV '%s'%s%s%s",
	    json_string_or(parameters, "isv", "?"),
	    nearest != NULL ? "; did you mean '" : "; 'raasctl status' lists them",
	    nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

enum outcome
outcome_of_error(const struct method *m, const struct message_reply *reply, struct error *text)
{
	const json_t *parameters = reply->parameters;
	const char *name = reply->error;

	if (strcmp(name, VARLINK_DENIED) == 0) {
		error_set(text, ERROR_CREDENTIALS, "you may not %s: that is for root, the user that "
		    "raasd runs as and members of its admin_group; try with sudo, or join that "
		    "group and log in anew", m->command);
		return OUTCOME_DENIED;
	}
	if (strcmp(name, VARLINK_BAD_PARAMETER) == 0) {
		error_set(text, ERROR_INPUT, "raasd does not accept the parameter '%s'",
		    json_string_or(parameters, "parameter", "?"));
		return OUTCOME_USAGE;
	}
	if (strcmp(name, ERROR_BUSY) == 0) {
		error_set(text, ERROR_REMOTE, "%s", json_string_or(parameters, "text", name));
		return OUTCOME_NO_DAEMON;
	}
	if (strcmp(name, ERROR_UNKNOWN_ISV) == 0)
		unknown_isv(parameters, text);
	else if (strcmp(name, ERROR_STOPPED) == 0)
		error_set(text, ERROR_CANCELLED, "cancelled");
	else if (strcmp(name, VARLINK_NO_METHOD) == 0 || strcmp(name, VARLINK_NO_INTERFACE) == 0)
		error_set(text, ERROR_REMOTE, "this raasd cannot %s; it is older than raasctl: "
		    "restart it after an upgrade", m->command);
	else
		error_set(text, ERROR_REMOTE, "%s",
		    json_string_or(parameters, "text", name));
	return OUTCOME_FAILED;
}
