#include "tests/sandbox/apps-face.h"

#include "common/json.h"
#include "tests/sandbox/apps.h"
#include "tests/sandbox/crane-face.h"

/* Without these three the python cartridge does not find Crane's WSGI application. */
static bool
has_crane_env(const struct app *app)
{
	return json_string_or(app->env, "OPENSHIFT_PYTHON_WSGI_APPLICATION", NULL) != NULL &&
	    json_string_or(app->env, "OPENSHIFT_PYTHON_DOCUMENT_ROOT", NULL) != NULL &&
	    json_string_or(app->env, "HAPROXY_CARTRIDGE_HTTPCHK_URI", NULL) != NULL;
}

void
apps_face_answer(void *arg, const struct request *r, struct reply *a)
{
	struct app *app = apps_by_host(arg, r->host);

	if (app == NULL) {
		reply_html(a, 404, "Not Found");
		return;
	}
	app_look(app);
	if (!app->started || app->deployed[0] == '\0' || !has_crane_env(app))
		reply_html(a, 503, "Service Temporarily Unavailable");
	else
		crane_face_answer(app_crane(app), r, a);
}
