#include "daemon/plan.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "tests/unit/test.h"

static struct isv isv = { .name = (char *)"isv1", .bucket = (char *)"isv1.bucket",
    .domain = (char *)"isv1", .app = (char *)"registry", .scale = true,
    .gear_size = (char *)"small", .access = S3_ACCESS_AUTO, .create = true };
static const struct openshift_config openshift = { .cartridge = (char *)"python-2.7" };
static const struct aws_config aws = { .region = (char *)"us-east-1" };

static struct plan p;
static struct observed o;

/* Everything there and as wanted. */
static void
see_all_well(void)
{
	observed_done(&o);
	o.domain.sight = o.app.seen.sight = o.app.variables.sight = SIGHT_PRESENT;
	o.app.cartridge = xstrdup("python-2.7");
	o.app.gear_size = xstrdup("small");
	o.app.scale = true;
	o.app.deployment_branch = xstrdup("master");
	o.app.auto_deploy = true;
	o.bucket.seen.sight = o.bucket.access.sight = SIGHT_PRESENT;
	o.app_repo.sight = o.redhat.sight = SIGHT_PRESENT;
	o.layers.seen.sight = o.health.seen.sight = SIGHT_PRESENT;
}

static void
see_file(const char *name, bool redhat, const char *base, const char *config, const char *app)
{
	struct observed_file *f;

	o.files = xreallocarray(o.files, o.n_files + 1, sizeof(*o.files));
	f = &o.files[o.n_files++];
	*f = (struct observed_file){ .name = xstrdup(name), .redhat = redhat };
	strcpy(f->ids.base.hex, base);
	strcpy(f->ids.config.hex, config);
	strcpy(f->ids.app.hex, app);
}

static void
make(enum merge_take take)
{
	plan_done(&p);
	plan_make(&(struct plan_input){ &isv, &openshift, &aws, take }, &o, &p);
}

/* The texts of all steps, joined by ';'. */
static const char *
steps(void)
{
	static char text[1000];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < p.n_steps; i++) {
		strcat(text, i > 0 ? ";" : "");
		strcat(text, p.steps[i].text);
	}
	return text;
}

static const char *
state(enum resource_kind kind)
{
	return resource_state_name(p.resources[kind].state);
}

TEST(nothing_to_do_when_all_is_well)
{
	size_t i;

	see_all_well();
	see_file("a.json", false, "1", "1", "1");
	see_file("rhel.json", true, "", "2", "2");
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	for (i = 0; i < N_RESOURCE_KINDS; i++)
		CHECK_STR(state((enum resource_kind)i), "ok");
}

TEST(nothing_is_planned_from_ignorance)
{
	struct error err = ERROR_INIT;

	observed_done(&o);
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_APP), "unknown");
	error_set(&err, ERROR_REMOTE, "HTTP status 503");
	sighting_fail(&o.domain, &err);
	sighting_fail(&o.app.seen, &err);
	sighting_fail(&o.bucket.seen, &err);
	sighting_fail(&o.bucket.access, &err);
	sighting_fail(&o.app_repo, &err);
	sighting_fail(&o.layers.seen, &err);
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_APP), "unknown");
	CHECK_STR(p.resources[RESOURCE_BUCKET].detail, "HTTP status 503");
}

TEST(what_is_missing_is_created_in_order)
{
	observed_done(&o);
	o.domain.sight = o.app.seen.sight = o.bucket.seen.sight = SIGHT_ABSENT;
	make(TAKE_NONE);
	CHECK_STR(steps(), "create domain 'isv1';create app 'registry' in domain 'isv1';"
	    "create bucket 'isv1.bucket'");
	CHECK_STR(state(RESOURCE_DOMAIN), "missing");
	isv.create = false;
	make(TAKE_NONE);
	isv.create = true;
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_BUCKET), "missing");
	CHECK(strstr(p.resources[RESOURCE_APP].detail, "create = yes") != NULL);
}

TEST(an_app_is_changed_where_that_can_be)
{
	see_all_well();
	o.app.variables.sight = SIGHT_ABSENT;
	o.app.auto_deploy = false;
	make(TAKE_NONE);
	CHECK_STR(steps(), "set Crane's environment variables of app 'registry';"
	    "set app 'registry' to deploy branch 'master' at each push");
	CHECK_STR(state(RESOURCE_APP), "drift");

	see_all_well();
	o.app.scale = false;
	free(o.app.gear_size);
	o.app.gear_size = xstrdup("large");
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(p.resources[RESOURCE_APP].detail,
	    "does not scale, raas.cfg says openshift_scale = yes; gear size is large, not small; "
	    "only making the app again can change that");
}

TEST(somebody_elses_bucket_is_left_alone)
{
	see_all_well();
	o.bucket.seen.sight = SIGHT_ABSENT;
	o.bucket.foreign = true;
	o.bucket.access.sight = SIGHT_NONE;
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_BUCKET), "failed");
}

TEST(a_bucket_elsewhere_is_reported)
{
	see_all_well();
	o.bucket.region = xstrdup("eu-west-1");
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_BUCKET), "drift");
	free(o.bucket.region);
	o.bucket.region = xstrdup("default");
	make(TAKE_NONE);
	CHECK_STR(state(RESOURCE_BUCKET), "ok");
}

TEST(access_is_repaired_as_it_was_seen)
{
	see_all_well();
	o.bucket.access.sight = SIGHT_ABSENT;
	o.bucket.access_need = ACCESS_SET_POLICY;
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 1);
	CHECK_INT(p.steps[0].kind, STEP_SET_POLICY);
	o.bucket.access_need = ACCESS_SET_ACLS;
	make(TAKE_NONE);
	CHECK_INT(p.steps[0].kind, STEP_SET_ACLS);
	o.bucket.access_need = ACCESS_FIND;
	make(TAKE_NONE);
	CHECK_INT(p.steps[0].kind, STEP_FIND_ACCESS);
	CHECK_STR(state(RESOURCE_ACCESS), "drift");
	/* Making something private is for a person. */
	o.bucket.access_need = ACCESS_EXPOSED;
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_ACCESS), "drift");
	isv.access = S3_ACCESS_NONE;
	make(TAKE_NONE);
	isv.access = S3_ACCESS_AUTO;
	CHECK_INT(p.n_steps, 0);
}

TEST(files_go_both_ways_in_one_push_and_one_backup)
{
	see_all_well();
	see_file("app.json", false, "1", "1", "2");
	see_file("config.json", false, "1", "2", "1");
	see_file("gone.json", false, "1", "", "1");
	see_file("new.json", false, "", "3", "");
	see_file("rhel.json", true, "", "5", "4");
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 2);
	CHECK_INT(p.steps[0].kind, STEP_BACKUP_FILES);
	CHECK_INT(p.steps[0].n_files, 1);
	CHECK_STR(p.steps[0].files[0].content.hex, "2");
	CHECK_INT(p.steps[1].kind, STEP_PUSH_FILES);
	CHECK_INT(p.steps[1].n_files, 4);
	CHECK(p.steps[1].files[1].remove);
	CHECK_STR(p.steps[1].files[1].name, "gone.json");
	CHECK(p.steps[1].files[3].redhat);
	CHECK_STR(p.steps[0].past, "backed up to the config repo: app.json");
	CHECK_STR(p.steps[1].text, "push to the app repo: config.json, removal of gone.json, "
	    "new.json and 1 more");
	CHECK_STR(p.resources[RESOURCE_METADATA].detail, "3 to push, 1 to back up");
}

TEST(a_conflict_waits_for_a_person)
{
	see_all_well();
	see_file("a.json", false, "1", "2", "3");
	see_file("b.json", false, "1", "2", "1");
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 1);
	CHECK_INT(p.steps[0].n_files, 1);
	CHECK_STR(p.steps[0].files[0].name, "b.json");
	CHECK(p.resources[RESOURCE_METADATA].conflict);
	CHECK(strstr(p.resources[RESOURCE_METADATA].detail, "raasctl resolve isv1 --take") != NULL);
	make(TAKE_CONFIG);
	CHECK_INT(p.steps[0].n_files, 2);
	CHECK(!p.resources[RESOURCE_METADATA].conflict);
}

TEST(invalid_metadata_is_neither_pushed_nor_backed_up)
{
	see_all_well();
	see_file("a.json", false, "1", "1", "3");
	o.files[0].invalid = xstrdup("not valid JSON");
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_METADATA), "failed");
}

TEST(no_redhat_metadata_blocks_nobody)
{
	struct error err = ERROR_INIT;

	see_all_well();
	error_set(&err, ERROR_REMOTE, "away");
	sighting_fail(&o.redhat, &err);
	see_file("a.json", false, "", "1", "");
	make(TAKE_NONE);
	CHECK_STR(state(RESOURCE_REDHAT_METADATA), "unknown");
	CHECK_INT(p.n_steps, 1);
}

TEST(layers_are_reported)
{
	see_all_well();
	o.layers.expected = 9;
	o.layers.missing = 2;
	o.layers.first_bad = xstrdup("acme-app/blobs/sha256:00");
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_LAYERS), "missing");
	CHECK(strstr(p.resources[RESOURCE_LAYERS].detail, "2 of 9") != NULL);
	o.layers.missing = 0;
	o.layers.unreferenced = 3;
	o.layers.unreferenced_bytes = 5 << 19;
	make(TAKE_NONE);
	CHECK_STR(state(RESOURCE_LAYERS), "ok");
	CHECK_STR(p.resources[RESOURCE_LAYERS].detail,
	    "9 objects, and 3 of 2.5 MiB that no metadata names; see: raasctl gc isv1");
}

TEST(an_app_that_fails_is_restarted_when_allowed)
{
	struct error err = ERROR_INIT;

	see_all_well();
	error_set(&err, ERROR_REMOTE, "connection refused");
	sighting_fail(&o.health.seen, &err);
	o.health.failures_before = 2;
	make(TAKE_NONE);
	CHECK_INT(p.n_steps, 0);
	CHECK_STR(state(RESOURCE_HEALTH), "failed");
	isv.restart = true;
	make(TAKE_NONE);
	CHECK_STR(steps(), "restart app 'registry'");
	o.health.failures_before = 3;
	make(TAKE_NONE);
	isv.restart = false;
	CHECK_INT(p.n_steps, 0);
}

int
main(void)
{
	int status = RUN(CASE(nothing_to_do_when_all_is_well), CASE(nothing_is_planned_from_ignorance),
	    CASE(what_is_missing_is_created_in_order), CASE(an_app_is_changed_where_that_can_be),
	    CASE(somebody_elses_bucket_is_left_alone), CASE(a_bucket_elsewhere_is_reported),
	    CASE(access_is_repaired_as_it_was_seen),
	    CASE(files_go_both_ways_in_one_push_and_one_backup), CASE(a_conflict_waits_for_a_person),
	    CASE(invalid_metadata_is_neither_pushed_nor_backed_up),
	    CASE(no_redhat_metadata_blocks_nobody), CASE(layers_are_reported),
	    CASE(an_app_that_fails_is_restarted_when_allowed));

	observed_done(&o);
	plan_done(&p);
	return status;
}
