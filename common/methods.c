#include "common/methods.h"

#include <string.h>

#include "common/limits.h"
#include "common/rfc3339.h"
#include "common/text.h"

#define ISV_NAME_MAX 64		/* bytes; a section of raas.cfg may have a name that is no good ISV */

const struct method methods[] = {
	{
		.command = "status", .name = "Status",
		.summary = "Show how the ISVs' registries are",
		.help = "Without an ISV: one line for each, and one for the daemon. With ISVs: also the\n"
		    "resources and warnings of each.",
		.exit_status = "4 if an ISV is drift, failed, conflict, orphaned or invalid",
		.streams = true,
		.params = {
			{ "isvs", PARAM_ISVS, .value = "ISV", .help = "only these" },
			{ "watch", PARAM_FLAG, .option = "--watch", .letter = 'w', .local = true,
			  .help = "show it again every 2 seconds, until interrupted" },
		},
	},
	{
		.command = "sync", .name = "Sync",
		.summary = "Make registries what raas.cfg asks for, now",
		.help = "Queues the ISVs and follows the work until it is done. ISVs that are named are\n"
		    "compared wholly; with --all only those that are not known to be in order, unless\n"
		    "--deep is given. Interrupting raasctl does not stop the work; 'raasctl cancel ISV'\n"
		    "does.",
		.exit_status = "1 if an ISV could not be brought in order",
		.acts = true, .streams = true, .waits = true,
		.one_of = { "isvs", "all" },
		.params = {
			{ "isvs", PARAM_ISVS, .value = "ISV", .help = "these ISVs" },
			{ "all", PARAM_FLAG, .option = "--all", .help = "all ISVs" },
			{ "deep", PARAM_FLAG, .option = "--deep",
			  .help = "compare everything: app repo, metadata, the bucket's listing" },
			{ "dry_run", PARAM_FLAG, .option = "--dry-run",
			  .help = "only say what would be done" },
			{ "wait", PARAM_FLAG, .option = "--no-wait", .inverted = true,
			  .help = "queue it and return" },
		},
	},
	{
		.command = "wait", .name = "Wait",
		.summary = "Wait until ISVs are in order",
		.help = "For scripts, and for what must start later. An ISV is in order when it is ok, and\n"
		    "what the config repo asks for, as fetched last, was synced. Nothing is begun for\n"
		    "it, see 'sync' for that. Ends at once when an ISV waits for a person itself: in a\n"
		    "conflict, paused without an end, orphaned or invalid. A raasd that is away, or\n"
		    "restarted, is waited for as well. Without --timeout it waits for ever.",
		.exit_status = "4 if an ISV will not be in order by itself, 6 if it was not in time, 3 if\n"
		    "there was no raasd in time",
		.waits = true,
		.params = {
			{ "isvs", PARAM_ISVS, .value = "ISV", .required = true, .help = "these ISVs" },
			{ "for", PARAM_CHOICE, .option = "--for", .value = "WHAT",
			  .choices = "ok|synced",
			  .help = "ok; or synced, however the registry is otherwise (ok)" },
			{ "until", PARAM_DURATION, .option = "--timeout", .value = "DURATION",
			  .help = "at most: 90s, 10m" },
		},
	},
	{
		.command = "diff", .name = "Diff",
		.summary = "Show what a sync would do to an ISV",
		.help = "Compares everything, as 'sync --deep' does, and changes nothing. Shows the steps\n"
		    "that a sync would take, and the metadata files that differ between the config repo\n"
		    "and the app.",
		.exit_status = "4 if there is anything to do",
		.waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "which" },
		},
	},
	{
		.command = "validate", .name = "Validate",
		.summary = "Pull what an ISV has published, as a client does",
		.help = "Asks the registry by its public name, without credentials, and follows its\n"
		    "redirects: every tag and manifest, every platform of a list, and the size of each\n"
		    "layer. Names the first thing that fails, and whose fault it is: DNS, TLS, Crane,\n"
		    "metadata, S3 access, a missing object, a wrong digest, size or type. Changes\n"
		    "nothing, and goes on beside a sync.",
		.exit_status = "4 if an image cannot be pulled",
		.streams = true, .waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "whose" },
			{ "image", PARAM_STRING, .value = "IMAGE",
			  .help = "only this one, named as it is pulled: acme/app" },
			{ "deep", PARAM_FLAG, .option = "--deep",
			  .help = "download every layer and compare its digest" },
		},
	},
	{
		.command = "gc", .name = "Gc",
		.summary = "Find, and remove, what no metadata names any more",
		.help = "Lists the objects in the ISV's bucket that nobody needs: those of images, in\n"
		    "repositories that its metadata names or once named, which no metadata of any ISV\n"
		    "with that bucket names now, be it in the config repo or in an app. So are uploads\n"
		    "that were begun and never completed. What is younger than a day is kept, and so is\n"
		    "all that raasd did not put there. Nothing is removed without --delete, nor while\n"
		    "something cannot be read. A bucket that is used with other config repos, or other\n"
		    "branches of this one, is not to be cleaned up.",
		.acts = true, .streams = true, .waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "whose bucket" },
			{ "delete", PARAM_FLAG, .option = "--delete", .help = "remove what is found" },
			{ "before", PARAM_AGE, .option = "--older", .value = "DURATION",
			  .help = "only what is older than that: 12h, 7d (1d)" },
		},
	},
	{
		.command = "pull", .name = "Pull",
		.summary = "Fetch the config repo now",
		.help = "For the config repo's git hook, or for the impatient: raasd also does it on a\n"
		    "timer. The ISVs whose configuration changed are synced.",
		.acts = true, .waits = true,
		.params = {
			{ "accept", PARAM_STRING, .option = "--accept", .value = "COMMIT",
			  .help = "follow it whatever its signature, if the branch is there" },
		},
	},
	{
		.command = "setup", .name = "Setup",
		.summary = "Add an ISV to raas.cfg and make its registry",
		.help = "Adds the section [ISV] to the end of raas.cfg, changing nothing else in it, commits\n"
		    "and pushes that, and syncs the ISV. What raas.cfg would not take is refused before\n"
		    "anything is written. It can be repeated: an ISV that is there already is fine when\n"
		    "it is as asked for, and is synced again. If the push fails the section is committed\n"
		    "on this host, and pushed as soon as that works.",
		.exit_status = "1 if the ISV could not be brought in order",
		.acts = true, .streams = true, .waits = true,
		.params = {
			{ "isv", PARAM_STRING, .value = "ISV", .required = true,
			  .help = "its name: 1 to 16 letters and digits" },
			{ "domain", PARAM_STRING, .option = "--domain", .value = "DOMAIN",
			  .required = true, .help = "OpenShift domain; made if it is missing" },
			{ "bucket", PARAM_STRING, .option = "--bucket", .value = "BUCKET",
			  .required = true, .help = "S3 bucket; made if it is missing" },
			{ "app", PARAM_STRING, .option = "--app", .value = "APP",
			  .help = "OpenShift app (registry)" },
			{ "fqdn", PARAM_STRING, .option = "--fqdn", .value = "NAME[:PORT]",
			  .help = "by which clients pull (the app's own name)" },
			{ "public_url", PARAM_STRING, .option = "--public-url", .value = "URL",
			  .help = "under which clients read the bucket" },
			{ "scale", PARAM_CHOICE, .option = "--scale", .value = "yes|no",
			  .choices = "yes|no", .help = "may the app scale (yes)" },
			{ "gear_size", PARAM_STRING, .option = "--gear-size", .value = "SIZE",
			  .help = "small, small.highcpu, medium or large (small)" },
			{ "access", PARAM_CHOICE, .option = "--s3-access", .value = "HOW",
			  .choices = "auto|acl|policy|presigned|none",
			  .help = "how layers become readable: auto, acl, policy, presigned, none" },
			{ "create", PARAM_CHOICE, .option = "--create", .value = "yes|no",
			  .choices = "yes|no", .help = "may what is missing be made (yes)" },
			{ "restart", PARAM_CHOICE, .option = "--restart", .value = "yes|no",
			  .choices = "yes|no", .help = "restart an app that does not answer (no)" },
			{ "wait", PARAM_FLAG, .option = "--no-wait", .inverted = true,
			  .help = "return when the section is pushed" },
		},
	},
	{
		.command = "teardown", .name = "Teardown",
		.summary = "Delete an ISV's app and bucket, and its section of raas.cfg",
		.help = "Says what would be deleted, under a plan's number, and asks for the ISV's name; for\n"
		    "scripts --confirm carries out the plan of that number, if it still holds. Deleted\n"
		    "are the app, and in the bucket what is raasd's and the ISV's; the bucket itself only\n"
		    "if nothing else is in it. Then the section is taken out of raas.cfg, and that is\n"
		    "committed and pushed. Metadata and logs stay in the config repo. What another ISV\n"
		    "uses, too, is refused, and so is an app with metadata that is not backed up. If it\n"
		    "fails halfway the ISV stays paused, and the command can be repeated.",
		.acts = true, .streams = true, .waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "which" },
			{ "delete", PARAM_STRING, .option = "--delete", .value = "WHAT", .required = true,
			  .choices = "app|bucket|app,bucket", .help = "app, bucket or app,bucket" },
			{ "confirm", PARAM_STRING, .option = "--confirm", .value = "PLAN",
			  .help = "carry out this plan, without asking" },
		},
	},
	{
		.command = "publish", .alias = "push", .name = "Publish",
		.summary = "Upload an image and make it available for pulling",
		.help = "The image comes from FILE, which raasctl opens, so that raasd needs no right to\n"
		    "read it: an archive of 'docker save', OCI or Pulp, plain or compressed with gzip\n"
		    "or zstd; a directory in OCI's layout; or '-', the archive on standard input. Or it\n"
		    "comes from SOURCE: docker://HOST/NAME[:TAG], or the https:// URL of an archive.\n"
		    "Without both, Pulp's export ISV-IMAGE.tar below the url in section [pulp]. Where\n"
		    "a server asks for a login, it is the one that the file has which publish.auth_file\n"
		    "in raasd.yaml names: see containers-auth.json(5). A URL must not hold one.\n\n"
		    "Layers of Red Hat's are not uploaded but served from where they are. What the\n"
		    "bucket has is not sent again, so a publish that was broken off, by whatever,\n"
		    "goes on when it is repeated; where raas.cfg or the metadata is changed meanwhile it\n"
		    "begins again by itself. The registry serves the old image until all of the\n"
		    "new one is in the bucket. In the end raasd asks the registry for the image as a\n"
		    "client would; if that fails, the old metadata is put back.\n\n"
		    "Tags that the source does not have stay as they are. One that is given with the\n"
		    "image, acme/app:1.0, is set instead of the source's own; a source without any is\n"
		    "tagged 'latest'. Interrupting raasctl does not stop the work, unless it reads\n"
		    "standard input; 'raasctl cancel ISV' does.",
		.exit_status = "1 if the image is not available afterwards",
		.acts = true, .streams = true, .waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "in whose registry" },
			{ "image", PARAM_STRING, .value = "IMAGE", .required = true,
			  .help = "its name there: acme/app, or acme/app:TAG" },
			{ "file", PARAM_FILE, .value = "FILE", .help = "archive, directory or '-'" },
			{ "from", PARAM_STRING, .option = "--from", .value = "SOURCE",
			  .help = "registry or URL to take it from" },
			{ "validate", PARAM_FLAG, .option = "--no-validate", .inverted = true,
			  .help = "do not ask the registry for it in the end" },
		},
	},
	{
		.command = "images", .name = "Images",
		.summary = "List the images that an ISV's registry offers",
		.help = "With their tags and the names to pull them by, as the config repo has them.",
		.waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "whose" },
		},
	},
	{
		.command = "unpublish", .name = "Unpublish",
		.summary = "Take an image out of service",
		.help = "Its metadata is removed from the app and from the config repo, so that it can no\n"
		    "longer be pulled. What it has in the bucket stays, and a later publish finds it\n"
		    "there.",
		.acts = true, .waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "from whose registry" },
			{ "image", PARAM_STRING, .value = "IMAGE", .required = true, .help = "its name" },
		},
	},
	{
		.command = "log", .name = "Log",
		.summary = "Show an ISV's log",
		.help = "The lines are those that raasd commits to the config repo, newest last.",
		.streams = true, .waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "whose" },
			{ "lines", PARAM_INT, .option = "--lines", .letter = 'n', .value = "N",
			  .min = 0, .max = 10000, .help = "how many of the last lines (20)" },
			{ "follow", PARAM_FLAG, .option = "--follow", .letter = 'f',
			  .help = "go on with new lines as they are written" },
		},
	},
	{
		.command = "pause", .name = "Pause",
		.summary = "Leave an ISV alone for a while",
		.help = "Nothing is changed at a paused ISV; it is still looked at. A pause survives a\n"
		    "restart, and status shows who paused, why and until when.",
		.acts = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "which" },
			{ "reason", PARAM_STRING, .option = "--reason", .value = "TEXT",
			  .help = "why, for the others to read" },
			{ "until", PARAM_TIME, .option = "--until", .value = "TIME",
			  .help = "ends by itself then: 2026-01-31T18:00:00Z" },
			{ "until", PARAM_DURATION, .option = "--for", .value = "DURATION",
			  .help = "ends by itself after that: 30m, 8h, 2d" },
		},
	},
	{
		.command = "resume", .name = "Resume",
		.summary = "End an ISV's pause",
		.help = "Fine when it was not paused.",
		.acts = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "which" },
		},
	},
	{
		.command = "resolve", .name = "Resolve",
		.summary = "Decide a conflict between config repo and app",
		.help = "A metadata file that was changed in the config repo and in the app is a conflict;\n"
		    "raasd touches neither until this says which one is right. 'raasctl diff ISV' shows\n"
		    "both.",
		.acts = true, .waits = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "which" },
			{ "take", PARAM_CHOICE, .option = "--take", .value = "config|app",
			  .choices = "config|app", .required = true,
			  .help = "the side whose files are kept" },
		},
	},
	{
		.command = "cancel", .name = "Cancel",
		.summary = "Stop an ISV's running or queued job",
		.help = "Stopping anywhere is safe: the next sync goes on from there.",
		.acts = true,
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .required = true, .help = "whose" },
		},
	},
	{
		.command = "reload", .name = "Reload",
		.summary = "Read raasd.yaml and raas.cfg again",
		.help = "As 'systemctl reload raasd'. What has an error stays as it was, and the errors are\n"
		    "shown.",
		.exit_status = "1 if there are errors",
		.acts = true, .waits = true,
	},
	{
		.command = "check", .name = "Check",
		.summary = "Say how all is, as a monitoring plugin",
		.help = "One line by the conventions of Nagios, Icinga and their kin, with performance data\n"
		    "behind a '|'. With an ISV only how that is. WARN,CRIT are the values from which it\n"
		    "is a WARNING or CRITICAL. An ISV that is failed, conflict or invalid counts as\n"
		    "failed.",
		.exit_status = "its own, and no other, wrong usage included: 0 OK, 1 WARNING,\n"
		    "2 CRITICAL, 3 UNKNOWN, which is also no raasd and no answer in time",
		.params = {
			{ "isv", PARAM_ISV, .value = "ISV", .help = "only this one" },
			{ "pull", PARAM_LIMITS, .option = "--pull", .value = "WARN,CRIT",
			  .help = "age of the last good fetch (10m,1h)" },
			{ "push", PARAM_LIMITS, .option = "--push", .value = "WARN,CRIT",
			  .help = "age of commits that are not pushed (15m,2h)" },
			{ "sync", PARAM_LIMITS, .option = "--sync", .value = "WARN,CRIT",
			  .help = "age of an ISV's last good sync (3h,1d)" },
			{ "failed", PARAM_LIMITS, .option = "--failed", .value = "WARN,CRIT",
			  .help = "number of ISVs that failed (1,5)" },
			{ "incident", PARAM_LIMITS, .option = "--incident", .value = "WARN,CRIT",
			  .help = "age of what troubles many ISVs (1m,15m)" },
			{ "stuck", PARAM_LIMITS, .option = "--stuck", .value = "WARN,CRIT",
			  .help = "time beyond a deadline (1s,1m)" },
			{ "timeout", PARAM_INT, .option = "--timeout", .letter = 't', .value = "SECONDS",
			  .min = 1, .max = 3600, .help = "for all of it (10)" },
		},
	},
	{
		.command = "metrics", .name = "Metrics",
		.summary = "Print metrics for Prometheus",
		.help = "In the OpenMetrics format. For Prometheus itself set metrics.listen in raasd.yaml, for\n"
		    "node_exporter's textfile collector metrics.textfile.",
		.streams = true,
	},
	{
		.command = "ping", .name = "Ping",
		.summary = "Ask whether raasd answers",
		.help = "Prints nothing but a word: what counts is the exit status.",
	},
	{
		.command = "version", .name = "Version",
		.summary = "Show the versions of raasctl and raasd",
		.help = "'raasctl --version' shows raasctl's alone and asks no daemon.",
	},
	{ .command = NULL },
};

const struct method *
method_by_command(const char *command)
{
	const struct method *m;

	for (m = methods; m->command != NULL; m++) {
		if (strcmp(m->command, command) == 0 || text_equal(m->alias, command))
			return m;
	}
	return NULL;
}

const struct method *
method_by_name(const char *name)
{
	const struct method *m;

	for (m = methods; m->command != NULL; m++) {
		if (strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

static bool
is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);
	const char *at;

	for (at = choices; at != NULL; at = strchr(at, '|')) {
		if (*at == '|')
			at++;
		if (strcspn(at, "|") == len && strncmp(at, value, len) == 0)
			return true;
	}
	return false;
}

/* Whether there is such an ISV is for the daemon to say; this is whether there could be. */
static int
check_isv(const json_t *value, struct error *err)
{
	const char *name = json_string_value(value);

	if (name == NULL)
		return error_set(err, ERROR_INPUT, "not a string");
	if (name[0] == '\0' || json_string_length(value) > ISV_NAME_MAX)
		return error_set(err, ERROR_INPUT, "not a name of 1 to %d bytes", ISV_NAME_MAX);
	return 0;
}

static int
check_isvs(const json_t *value, struct error *err)
{
	size_t i;

	if (!json_is_array(value))
		return error_set(err, ERROR_INPUT, "not an array");
	for (i = 0; i < json_array_size(value); i++) {
		if (check_isv(json_array_get(value, i), err) == -1)
			return -1;
	}
	return 0;
}

static bool
is_limits(const json_t *value)
{
	struct limits unused;

	return json_is_string(value) && limits_parse(json_string_value(value), &unused);
}

static int
check_value(const struct param *p, const json_t *value, struct error *err)
{
	int64_t unused;

	switch (p->kind) {
	case PARAM_ISV:
		return check_isv(value, err);
	case PARAM_ISVS:
		return check_isvs(value, err);
	case PARAM_FLAG:
		return json_is_boolean(value) ? 0 : error_set(err, ERROR_INPUT, "not true or false");
	case PARAM_FILE:
	case PARAM_STRING:
		return json_is_string(value) ? 0 : error_set(err, ERROR_INPUT, "not a string");
	case PARAM_INT:
		if (!json_is_integer(value) || json_integer_value(value) < p->min ||
		    json_integer_value(value) > p->max)
			return error_set(err, ERROR_INPUT, "not a whole number from %lld to %lld",
			    (long long)p->min, (long long)p->max);
		return 0;
	case PARAM_DURATION:
	case PARAM_AGE:
	case PARAM_TIME:
		if (!json_is_string(value) || !rfc3339_parse(json_string_value(value), &unused))
			return error_set(err, ERROR_INPUT, "not a time such as 2026-01-31T18:00:00Z");
		return 0;
	case PARAM_LIMITS:
		return is_limits(value) ? 0 : error_set(err, ERROR_INPUT,
		    "not two limits, the higher one last, such as 1,5 or 10m,1h");
	case PARAM_CHOICE:
		if (!json_is_string(value) || !is_choice(p->choices, json_string_value(value)))
			return error_set(err, ERROR_INPUT, "not one of %s", p->choices);
		return 0;
	}
	return error_set(err, ERROR_INTERNAL, "unknown kind of parameter");
}

static const struct param *
find_param(const struct method *m, const char *name)
{
	const struct param *p;

	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++) {
		if (!p->local && strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

/* null, false and an empty list say the same as leaving a parameter out. */
static bool
is_given(const json_t *params, const char *name)
{
	const json_t *value = json_object_get(params, name);

	return value != NULL && !json_is_null(value) && !json_is_false(value) &&
	    !(json_is_array(value) && json_array_size(value) == 0);
}

const char *
method_file(const struct method *m, const json_t *params)
{
	const struct param *p;

	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++) {
		if (p->kind == PARAM_FILE && is_given(params, p->name))
			return p->name;
	}
	return NULL;
}

static int
check_missing(const struct method *m, const json_t *params, const char **wrong, struct error *err)
{
	const struct param *p;

	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++) {
		if (p->required && !is_given(params, p->name)) {
			*wrong = p->name;
			return error_set(err, ERROR_INPUT, "'%s' is missing", p->name);
		}
	}
	if (m->one_of[0] == NULL)
		return 0;
	if (is_given(params, m->one_of[0]) != is_given(params, m->one_of[1]))
		return 0;
	*wrong = m->one_of[0];
	return error_set(err, ERROR_INPUT, "give either '%s' or '%s'", m->one_of[0], m->one_of[1]);
}

int
method_check(const struct method *m, const json_t *params, const char **wrong, struct error *err)
{
	const struct param *p;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)params, key, value) {
		*wrong = key;
		if ((p = find_param(m, key)) == NULL)
			return error_set(err, ERROR_INPUT, "there is no parameter '%s'", key);
		if (!json_is_null(value) && check_value(p, value, err) == -1)
			return error_prefix(err, "'%s'", key);
	}
	return check_missing(m, params, wrong, err);
}

#define NEAREST_MAX 32	/* bytes of a name that may be compared */

/* Levenshtein's distance: letters to insert, delete or replace. */
static unsigned int
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int row[NEAREST_MAX + 1], diagonal, above;
	size_t i, j;

	for (j = 0; j <= b_len; j++)
		row[j] = (unsigned int)j;
	for (i = 1; i <= a_len; i++) {
		diagonal = row[0];
		row[0] = (unsigned int)i;
		for (j = 1; j <= b_len; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *
nearest_name(const char *typed, const char *const *names, size_t n)
{
	size_t typed_len = strlen(typed), len, i;
	unsigned int d, best = (unsigned int)(typed_len < 5 ? 2 : 3);
	const char *nearest = NULL;

	if (typed_len > NEAREST_MAX)
		return NULL;
	for (i = 0; i < n; i++) {
		if ((len = strlen(names[i])) > NEAREST_MAX)
			continue;
		if ((d = distance(typed, typed_len, names[i], len)) < best && d < len) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}
