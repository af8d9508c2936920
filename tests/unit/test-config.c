#include "daemon/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/atomic-file.h"
#include "tests/unit/test.h"

#define OPENSHIFT "[openshift]\nusername = me\npassword = hunter2\n"
#define ISV(name) "[" name "]\ns3_bucket = " name ".bucket\nopenshift_domain = " name "\n"

CLEANUP_FUNC(struct config, config_unref);

static struct config *
parse_after(const char *text, const struct config *last_good)
{
	return config_parse(text, strlen(text), "raas.cfg", last_good, NULL);
}

static struct config *
parse(const char *text)
{
	return parse_after(text, NULL);
}

/* All problems, one a line: "LINE [SECTION] TEXT". */
static char *
listed(const struct config_problem *p, size_t n)
{
	cleanup(buf_done) struct buf out = BUF_INIT;

	for (; n > 0; n--, p++)
		buf_printf(&out, "%u [%s] %s\n", p->line, p->section != NULL ? p->section : "-", p->text);
	return buf_take(&out);
}

#define CHECK_ERRORS(text, want) do {					\
	cleanup(config_unref_p) struct config *c_ = parse(text);	\
	cleanup(free_p) char *said_ = listed(c_->errors, c_->n_errors);	\
	CHECK_STR(said_, want);						\
} while (0)

#define CHECK_WARNINGS(text, want) do {					\
	cleanup(config_unref_p) struct config *c_ = parse(text);	\
	cleanup(free_p) char *said_ = listed(c_->warnings, c_->n_warnings);\
	CHECK_STR(said_, want);						\
} while (0)

TEST(the_original_file_loads)
{
	cleanup(config_unref_p) struct config *c = NULL;
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(free_p) char *warnings = NULL;
	char path[512];
	const struct isv *isv;
	struct error err = ERROR_INIT;

	snprintf(path, sizeof(path), "%s/tests/data/raas-cfg/original.cfg", getenv("RAAS_TOP") != NULL
	    ? getenv("RAAS_TOP") : "../..");
	CHECK_INT(atomic_file_read(AT_FDCWD, path, RAAS_CFG_MAX, &text, &err), 0);
	c = parse(buf_str(&text));
	CHECK_INT(c->n_errors, 0);
	CHECK_INT(c->n_isvs, 2);
	isv = config_isv(c, "isv2");
	CHECK(isv != NULL && isv->error == NULL && config_isv(c, "isv3") == NULL);
	CHECK_STR(isv->bucket, "isv1.bucket");
	CHECK_STR(isv->app, "registry");
	CHECK_STR(isv->gear_size, "small");
	CHECK(isv->scale && isv->create && !isv->restart && isv->access == S3_ACCESS_AUTO);
	CHECK(isv->fqdn == NULL && isv->public_url == NULL);
	CHECK_STR(c->openshift.username, "my_name");
	CHECK_STR(c->openshift.app_git_branch, "master");
	CHECK(c->openshift.token == NULL && c->aws.access_key == NULL);
	CHECK_STR(c->aws.region, "us-east-1");
	CHECK_STR(c->redhat.metadata_relpath, "");
	warnings = listed(c->warnings, c->n_warnings);
	CHECK_STR(warnings, "11 [isv1] shares its bucket with 'isv2'\n"
	    "11 [isv1] shares its app with 'isv2'\n"
	    "17 [isv2] shares its bucket with 'isv1'\n"
	    "17 [isv2] shares its app with 'isv1'\n");
}

TEST(every_key_is_read)
{
	cleanup(config_unref_p) struct config *c = parse(
	    "[redhat]\nmetadata_repo = git@h:r\nmetadata_relpath = a/b\n"
	    "[openshift]\nserver_url = http://broker:8080//\ntoken = t\napp_git_branch = a/b\n"
	    "[aws]\naws_access_key = a\naws_secret_access_key = b\naws_session_token = c\n"
	    "region = eu-west-1\nendpoint = http://127.0.0.1:9000/\n"
	    "[pulp]\nurl = https://pulp/static/\n"
	    "[pulpserver]\nhost = pulp\nusername = u\npassword = p\nverify_ssl = Off\n"
	    ISV("isv1") "openshift_app = Web\nregistry_fqdn = https://r.example.com:5000\n"
	    "s3_public_url = https://cdn/x/\nopenshift_scale = no\nopenshift_gear_size = large\n"
	    "s3_access = policy\ncreate = 0\nrestart = yes\n");
	const struct isv *isv = config_isv(c, "isv1");

	CHECK_INT(c->n_errors, 0);
	CHECK_INT(c->n_warnings, 0);
	CHECK_STR(c->redhat.metadata_relpath, "a/b");
	CHECK_STR(c->openshift.server_url, "http://broker:8080");
	CHECK_STR(c->aws.session_token, "c");
	CHECK_STR(c->aws.endpoint, "http://127.0.0.1:9000");
	CHECK_STR(c->pulp.url, "https://pulp/static/");
	CHECK(!c->pulp.verify_ssl);
	CHECK_STR(isv->fqdn, "r.example.com:5000");
	CHECK_STR(isv->public_url, "https://cdn/x");
	CHECK(!isv->scale && !isv->create && isv->restart && isv->access == S3_ACCESS_POLICY);
}

TEST(bad_values_are_named)
{
	CHECK_ERRORS(OPENSHIFT "[isv1]\n",
	    "4 [isv1] s3_bucket: is missing\n4 [isv1] openshift_domain: is missing\n");
	CHECK_ERRORS(OPENSHIFT ISV("isv1") "openshift_scale = maybe\n",
	    "7 [isv1] openshift_scale: must be yes or no\n");
	CHECK_ERRORS(OPENSHIFT ISV("isv1") "s3_access = all\n",
	    "7 [isv1] s3_access: must be auto, acl, policy, presigned or none\n");
	CHECK_ERRORS(OPENSHIFT ISV("isv1") "create = yes\n  no\n",
	    "7 [isv1] create: goes over several lines; is the next line indented by mistake?\n");
	CHECK_ERRORS(OPENSHIFT "[a-b]\n", "4 [a-b] neither a section of raasd's nor an ISV's:"
	    " an ISV's name has 1 to 16 letters and digits\n");
	CHECK_ERRORS(OPENSHIFT "[../etc]\n", "4 [../etc] neither a section of raasd's nor an ISV's:"
	    " an ISV's name has 1 to 16 letters and digits\n");
	CHECK_ERRORS("[openshift]\nusername = me\n",
	    "2 [openshift] username: is of no use without password\n");
	CHECK_ERRORS(OPENSHIFT "[redhat]\nmetadata_repo = x\nmetadata_relpath = a/../b\n",
	    "6 [redhat] metadata_relpath: must be a path in the repository, without '..'\n");
	CHECK_ERRORS(OPENSHIFT "server_url = https://me:hunter2@broker\n",
	    "4 [openshift] server_url: a user or password has no place in this URL\n");
	CHECK_ERRORS(OPENSHIFT "server_url = ftp://broker\n",
	    "4 [openshift] server_url: must be a URL, http://HOST or https://HOST\n");
	CHECK_ERRORS(OPENSHIFT ISV("isv1") "note = 5%\n",
	    "7 [isv1] note: a '%' that is neither '%%' nor '%(KEY)s'\n");
	CHECK_ERRORS("[DEFAULT]\nnote = 5%\n" OPENSHIFT,
	    "2 [openshift] note: a '%' that is neither '%%' nor '%(KEY)s'\n");
}

TEST(warnings_help)
{
	CHECK_WARNINGS(OPENSHIFT ISV("isv1") "s3_buckte = x\nfoo = x\n",
	    "7 [isv1] unknown key 's3_buckte', did you mean 's3_bucket'?\n"
	    "8 [isv1] unknown key 'foo'\n");
	CHECK_WARNINGS(OPENSHIFT ISV("a") ISV("b") "s3_public_url =\n[c]\ns3_bucket = c\n"
	    "openshift_domain = A\n[d]\ns3_bucket = d\nopenshift_domain = a\n",
	    "4 [a] shares its app with 'c' and 1 more\n"
	    "11 [c] shares its app with 'a' and 1 more\n"
	    "14 [d] shares its app with 'a' and 1 more\n");
	CHECK_WARNINGS("[opnshift]\n" ISV("isv1"),
	    "1 [opnshift] taken for an ISV, was [openshift] meant?\n"
	    "0 [openshift] no such section, so there are no credentials for OpenShift\n");
}

TEST(a_bad_section_keeps_its_last_good_values)
{
	cleanup(config_unref_p) struct config *good = parse(OPENSHIFT ISV("isv1") ISV("isv2"));
	cleanup(config_unref_p) struct config *bad = parse_after(
	    "[openshift]\nusername = you\n[isv1]\ns3_bucket = NO\nopenshift_domain = other\n"
	    "[isv2]\ns3_bucket = new\nopenshift_domain = isv2\n[isv3]\n", good);
	cleanup(config_unref_p) struct config *worse = parse_after("[isv1]\n", bad);
	const struct isv *isv1 = config_isv(bad, "isv1"), *isv3 = config_isv(bad, "isv3");

	CHECK_INT(good->n_errors, 0);
	CHECK(isv1->stale);
	CHECK_STR(isv1->error, "raas.cfg:4: s3_bucket: a bucket's name has 1 to 63 of a-z, 0-9, '.',"
	    " '_' and '-', begins with a letter or digit, and has no '..'");
	CHECK_STR(isv1->bucket, "isv1.bucket");
	CHECK_STR(isv1->domain, "isv1");
	CHECK(config_isv_equal(isv1, config_isv(good, "isv1")));
	CHECK_STR(config_isv(bad, "isv2")->bucket, "new");
	CHECK(!config_isv_equal(config_isv(bad, "isv2"), config_isv(good, "isv2")));
	CHECK(isv3->error != NULL && !isv3->stale && isv3->bucket == NULL && isv3->app == NULL);
	CHECK_STR(bad->openshift.username, "me");
	CHECK_STR(bad->openshift.error,
	    "raas.cfg:2: username: is of no use without password");
	CHECK(config_shared_equal(good, bad));
	/* What was good once lasts over several bad ones. */
	CHECK_STR(config_isv(worse, "isv1")->bucket, "isv1.bucket");
	/* What the file left out on purpose is gone. */
	CHECK(config_isv(worse, "isv2") == NULL);
}

TEST(without_a_last_good_one_a_bad_shared_section_has_nothing)
{
	cleanup(config_unref_p) struct config *c = parse("[openshift]\nusername = me\n" ISV("isv1"));

	CHECK(c->openshift.error != NULL);
	CHECK(c->openshift.server_url == NULL && c->openshift.username == NULL);
	CHECK(config_isv(c, "isv1")->error == NULL);
	CHECK_STR(c->aws.region, "us-east-1");
}

/* A head that lost its bracket does not make its ISV an orphan, nor takes its credentials. */
TEST(a_torn_file_loses_nobody)
{
	cleanup(config_unref_p) struct config *good =
	    parse(OPENSHIFT ISV("isv1") ISV("isv2") ISV("isv3"));
	cleanup(config_unref_p) struct config *torn = parse_after(
	    "openshift]\nusername = x\n" ISV("isv3") "[isv1\ns3_bucket = x\n", good);
	cleanup(config_unref_p) struct config *gone = NULL, *huge = NULL;
	cleanup(free_p) char *zeros = xcalloc(RAAS_CFG_MAX + 1, 1);

	CHECK_INT(torn->n_isvs, 3);
	CHECK(config_isv(torn, "isv1")->stale && config_isv(torn, "isv2")->stale);
	CHECK(config_isv(torn, "isv3")->error == NULL);
	CHECK(config_shared_equal(good, torn));
	gone = parse_after(OPENSHIFT ISV("isv1"), torn);
	CHECK_INT(gone->n_isvs, 1);
	CHECK(!gone->isvs[0].stale);
	huge = config_parse(zeros, RAAS_CFG_MAX + 1, "raas.cfg", good, NULL);
	CHECK_INT(huge->n_isvs, 3);
	CHECK_INT(huge->n_errors, 1);
	CHECK_STR(huge->errors[0].text, "the file is longer than 67108864 bytes");
}

TEST(an_error_in_defaults_makes_no_section_good)
{
	cleanup(config_unref_p) struct config *c = parse("[DEFAULT]\nhello\n" OPENSHIFT ISV("isv1"));

	CHECK_STR(config_isv(c, "isv1")->error,
	    "[DEFAULT] has an error: raas.cfg:2: the line has no '=' or ':'");
	CHECK(c->openshift.error != NULL);
}

/* Whatever is wrong with a file, no message repeats a secret of it. */
TEST(secrets_stay_out_of_messages)
{
	static const char *const files[] = {
		"[openshift]\nusername = me\npassword = Hunter2\nHunter2\n",
		"[openshift]\nusername = me\npassword = a%(Hunter2)s\n",
		"[openshift]\nusername = me\npassword = Hunter2%\n",
		"[openshift]\ntoken = Hunter2 x\n",
		"[openshift]\ntoken = Hunter2\n x\n",
		"[aws]\naws_secret_access_key = Hunter2\nHunter2Hunter2Hunter2Hunter2Hunter2==\n",
		"[aws]\naws_access_key = a\naws_secret_access_key = x y ; Hunter2\n",
		"[aws\naws_secret_access_key = Hunter2\n",
		"aws_secret_access_key = Hunter2\n",
		"[openshift]\nserver_url = https://me:Hunter2@broker/\n",
		"[openshift]\ntoken = credential:Hunter2/Hunter2\n",
		"[isv1]\ns3_bucket = %(pass)s\npass = Hunter2\nopenshift_domain = %(pass)s-\n",
	};
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup(config_unref_p) struct config *c = parse(files[i]);
		cleanup(free_p) char *errors = listed(c->errors, c->n_errors);
		cleanup(free_p) char *warnings = listed(c->warnings, c->n_warnings);

		CHECK(c->n_errors + c->n_warnings > 0);
		CHECK(strcasestr(errors, "hunter2") == NULL);
		CHECK(strcasestr(warnings, "hunter2") == NULL);
	}
}

TEST(json_hides_secrets)
{
	static const char text[] = "[openshift]\nusername = me\npassword = Hunter2\n"
	    "app_git_url = https://me:Hunter2@git/crane\n[isv1]\nnote = x%(a_token)s\na_token = Hunter2\n";
	cleanup(json_unref) json_t *o = config_to_json(text, strlen(text), "f", NULL);
	cleanup(free_p) char *whole = json_dumps(o, 0);
	const json_t *openshift = json_object_get(json_object_get(o, "sections"), "openshift");

	CHECK(strstr(whole, "Hunter2") == NULL);
	CHECK_STR(json_string_value(json_object_get(openshift, "password")), "***");
	CHECK_STR(json_string_value(json_object_get(openshift, "app_git_url")),
	    "https://me:***@git/crane");
	CHECK_STR(json_string_value(json_object_get(openshift, "cartridge")), "python-2.7");
}

static struct config *
parse_with_credential(const char *dir, const char *name)
{
	cleanup(free_p) char *text = xasprintf("[openshift]\ntoken = credential:%s\n", name);

	return config_parse(text, strlen(text), "raas.cfg", NULL, dir);
}

TEST(credentials_are_read)
{
	char dir[] = "/tmp/test-config.XXXXXX", path[64];
	cleanup(config_unref_p) struct config *good = NULL, *missing = NULL, *outside = NULL, *none = NULL;
	struct error err = ERROR_INIT;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/token", dir);
	CHECK_INT(atomic_file_write(AT_FDCWD, path, "Hunter2\n", 8, 0600, &err), 0);
	good = parse_with_credential(dir, "token");
	missing = parse_with_credential(dir, "other");
	outside = parse_with_credential(dir, "../token");
	none = parse_with_credential(NULL, "token");
	unlink(path);
	rmdir(dir);
	CHECK_INT(good->n_errors, 0);
	CHECK_STR(good->openshift.token, "Hunter2");
	snprintf(path, sizeof(path), "no file 'other' in '%s'; ", dir);
	CHECK(strstr(missing->errors[0].text, path) != NULL);
	CHECK_STR(outside->errors[0].text, "token: a credential's name has letters, digits, '.', '_'"
	    " and '-', and no '..'");
	CHECK_STR(none->errors[0].text, "token: credential 'token': systemd gave no credentials"
	    " (CREDENTIALS_DIRECTORY is not set)");
}

TEST(ten_thousand_isvs)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(config_unref_p) struct config *c = NULL;
	char name[16];
	int i;

	buf_add_str(&text, OPENSHIFT);
	for (i = 0; i < 10000; i++)
		buf_printf(&text, "[isv%d]\ns3_bucket = shared\nopenshift_domain = d%d\n", i, i);
	c = parse(buf_str(&text));
	CHECK_INT(c->n_errors, 0);
	CHECK_INT(c->n_isvs, 10000);
	for (i = 0; i < 10000; i += 99) {
		snprintf(name, sizeof(name), "isv%d", i);
		CHECK(config_isv(c, name) != NULL);
		CHECK_STR(config_isv(c, name)->name, name);
	}
	CHECK_INT(c->n_warnings, 10000);
	CHECK_STR(c->warnings[1].text, "shares its bucket with 'isv0' and 9998 more");
}

TEST(references_keep_it)
{
	struct config *c = parse(ISV("isv1"));
	struct config *other = config_ref(c);

	config_unref(c);
	CHECK_STR(other->isvs[0].name, "isv1");
	config_unref(other);
	config_unref(NULL);
}

int
main(void)
{
	return RUN(CASE(the_original_file_loads), CASE(every_key_is_read), CASE(bad_values_are_named),
	    CASE(warnings_help), CASE(a_bad_section_keeps_its_last_good_values),
	    CASE(without_a_last_good_one_a_bad_shared_section_has_nothing),
	    CASE(a_torn_file_loses_nobody), CASE(an_error_in_defaults_makes_no_section_good),
	    CASE(secrets_stay_out_of_messages), CASE(json_hides_secrets), CASE(credentials_are_read),
	    CASE(ten_thousand_isvs), CASE(references_keep_it));
}
