/* Any bytes as a broker's answer: apps that are read can be found again and be used in URLs. */
#include <stdlib.h>
#include <string.h>

#include "daemon/openshift-answer.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_app(const struct openshift_app *app)
{
	if (app->id[0] == '\0' || strpbrk(app->id, "/.%?# ") != NULL)
		abort();
	if (app->n_aliases > OPENSHIFT_ALIASES_MAX)
		abort();
}

static void
read_apps(const struct buf *bytes)
{
	struct openshift_apps apps;
	const struct openshift_app *app;
	size_t i;

	if (openshift_answer_apps(bytes, &apps, NULL) == -1)
		return;
	for (i = 0; i < apps.n; i++) {
		app = &apps.apps[i];
		check_app(app);
		if (openshift_apps_find(&apps, app->domain, app->name) == NULL)
			abort();
	}
	openshift_apps_done(&apps);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf bytes = { (char *)data, size, 0, 0 };
	struct openshift_app app;
	struct openshift_names names;
	struct openshift_variables variables;
	struct error err = ERROR_INIT;
	int code;

	read_apps(&bytes);
	if (openshift_answer_app(&bytes, &app, &err) == 0) {
		check_app(&app);
		openshift_app_done(&app);
	}
	if (openshift_answer_names(&bytes, "name", &names, &err) == 0)
		openshift_names_done(&names);
	if (openshift_answer_variables(&bytes, &variables, &err) == 0)
		openshift_variables_done(&variables);
	if (openshift_answer_check(422, "", &bytes, &code, &err) == 0 || err.kind == ERROR_NONE)
		abort();
	return 0;
}
