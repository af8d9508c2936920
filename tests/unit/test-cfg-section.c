#include "daemon/cfg-section.h"

#include "common/cleanup.h"
#include "tests/unit/test.h"

#define ACME "[acme]\ns3_bucket = acme.bucket\nopenshift_domain = acme\n"
#define ACME_CRLF "[acme]\r\ns3_bucket = acme.bucket\r\nopenshift_domain = acme\r\n"

static char said[600];

/* What becomes of the text; "!…" with the reason when it is left alone. */
static const char *
add(const char *text, const char *lines)
{
	static struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	buf_clear(&out);
	buf_add_str(&out, text);
	if (cfg_section_add(&out, lines, strlen(lines), &err) == 0)
		return buf_str(&out);
	snprintf(said, sizeof(said), "!%s", err.text);
	return strcmp(buf_str(&out), text) == 0 ? said : "changed in spite of an error";
}

static const char *
removed(const char *text, const char *name)
{
	static struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	buf_clear(&out);
	buf_add_str(&out, text);
	if (cfg_section_remove(&out, name, &err) == 0)
		return buf_str(&out);
	snprintf(said, sizeof(said), "!%s", err.text);
	return strcmp(buf_str(&out), text) == 0 ? said : "changed in spite of an error";
}

static const char *
replay(const char *before, const char *after, const char *onto)
{
	cleanup(buf_done) struct buf from = BUF_INIT, to = BUF_INIT;
	static struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	buf_add_str(&from, before);
	buf_add_str(&to, after);
	buf_clear(&out);
	buf_add_str(&out, onto);
	if (cfg_section_replay(&from, &to, &out, &err) == 0)
		return buf_str(&out);
	snprintf(said, sizeof(said), "!%s", err.text);
	return strcmp(buf_str(&out), onto) == 0 ? said : "changed in spite of an error";
}

TEST(lines_are_written)
{
	cleanup(buf_done) struct buf lines = BUF_INIT;

	cfg_section_head(&lines, "acme");
	cfg_section_key(&lines, "s3_public_url", "https://cdn/%41%%");
	CHECK_STR(buf_str(&lines), "[acme]\ns3_public_url = https://cdn/%%41%%%%\n");
}

TEST(a_section_is_added)
{
	CHECK_STR(add("", ACME), ACME);
	CHECK_STR(add("[a]\nk = v\n", ACME), "[a]\nk = v\n\n" ACME);
	CHECK_STR(add("[a]\nk = v\n\n", ACME), "[a]\nk = v\n\n" ACME);
	CHECK_STR(add("[a]\nk = v\n \t\n", ACME), "[a]\nk = v\n \t\n" ACME);
	CHECK_STR(add("[a]\nk = v", ACME), "[a]\nk = v\n\n" ACME);
	CHECK_STR(add("[a]\nk = v\n# the end", ACME), "[a]\nk = v\n# the end\n\n" ACME);
	CHECK_STR(add("\xef\xbb\xbf[a]\nk = v\n", ACME), "\xef\xbb\xbf[a]\nk = v\n\n" ACME);
	/* The value goes on in the last line; the head must not. */
	CHECK_STR(add("[a]\nk = v\n   more", ACME), "[a]\nk = v\n   more\n\n" ACME);
	CHECK_STR(add("# no section\n", ACME), "# no section\n\n" ACME);
}

TEST(with_the_line_ends_of_the_file)
{
	CHECK_STR(add("[a]\r\nk = v\r\n", ACME), "[a]\r\nk = v\r\n\r\n" ACME_CRLF);
	CHECK_STR(add("[a]\r\nk = v", ACME), "[a]\r\nk = v\r\n\r\n" ACME_CRLF);
	CHECK_STR(add("[a]\rk = v\r", ACME),
	    "[a]\rk = v\r\r[acme]\rs3_bucket = acme.bucket\ropenshift_domain = acme\r");
}

TEST(names_are_those_of_configparser)
{
	CHECK_STR(add(ACME, ACME), ACME);
	CHECK_STR(add("[acme]\ns3_bucket: acme.bucket\n# why\nOPENSHIFT_DOMAIN=acme\n", ACME),
	    "[acme]\ns3_bucket: acme.bucket\n# why\nOPENSHIFT_DOMAIN=acme\n");
	CHECK_STR(add("#\n[acme]\ns3_bucket = other\n", ACME),
	    "!there is a section [acme] already, in line 2");
	/* The case of a section's name counts. */
	CHECK_STR(add("[Acme]\nk = v\n", ACME), "[Acme]\nk = v\n\n" ACME);
	CHECK_STR(add("[a]\nk = v\n", ACME "[b]\n"), "!what is to be added is not one section");
	CHECK_STR(add("[a]\nk = v\n", "[DEFAULT]\nx = y\n"), "!what is to be added is not one section");
}

TEST(a_section_is_removed)
{
	CHECK_STR(removed("[a]\nk = v\n\n" ACME, "acme"), "[a]\nk = v\n");
	CHECK_STR(removed(ACME "\n\n[b]\nk = v\n", "acme"), "[b]\nk = v\n");
	CHECK_STR(removed("[a]\nk = v\n" ACME "[b]\nk = v", "acme"), "[a]\nk = v\n[b]\nk = v");
	CHECK_STR(removed("[a]\r\nk = v\r\n\r\n" ACME_CRLF, "acme"), "[a]\r\nk = v\r\n");
	CHECK_STR(removed(ACME, "acme"), "");
	CHECK_STR(removed(ACME, "other"), ACME);
	CHECK_STR(removed(ACME, "Acme"), ACME);
	/* What is said before and behind it may be about others. */
	CHECK_STR(removed("# of acme\n" ACME "\n# of b\n[b]\nk = v\n", "acme"),
	    "# of acme\n# of b\n[b]\nk = v\n");
	CHECK_STR(removed("[acme]\n# within\nk = v\n  more\n\n  still\n; behind\n", "acme"),
	    "; behind\n");
}

TEST(nothing_else_may_change)
{
	/* Without [acme] the head of [b] would be a line of k's value. */
	CHECK_STR(removed("[a]\nk = v\n  [acme]\n  [b]\n  x = y\n", "b"),
	    "[a]\nk = v\n  [acme]\n  [b]\n  x = y\n");
	CHECK_STR(removed("[a]\nk = v\n[acme]\n  [b]\n  x = y\n", "acme"),
	    "!section [acme], in line 3, cannot be taken out without changing the meaning of others; "
	    "remove it by hand");
	CHECK_STR(removed(ACME ACME, "acme"),
	    "!section [acme], in line 1, cannot be taken out without changing the meaning of others; "
	    "remove it by hand");
}

TEST(it_is_done_again_on_what_others_did)
{
	CHECK_STR(replay("[a]\nk = v\n", "[a]\nk = v\n\n" ACME, "[a]\nk = w\n\n[b]\nk = v\n"),
	    "[a]\nk = w\n\n[b]\nk = v\n\n" ACME);
	CHECK_STR(replay("[a]\r\nk = v\r\n", "[a]\r\nk = v\r\n\r\n" ACME_CRLF, "[b]\nk = v\n"),
	    "[b]\nk = v\n\n" ACME);
	CHECK_STR(replay("[a]\nk = v\n\n" ACME, "[a]\nk = v\n", "# new\n" ACME "[b]\nk = v\n"),
	    "# new\n[b]\nk = v\n");
	CHECK_STR(replay("[a]\nk = v\n", "[a]\nk = v\n\n" ACME, "[acme]\ns3_bucket = theirs\n"),
	    "!there is a section [acme] already, in line 1");
	CHECK_STR(replay("[a]\nk = v\n", "[a]\nk = w\n\n" ACME, "[a]\nk = v\n"),
	    "!more was changed than whole sections");
}

int
main(void)
{
	return RUN(CASE(lines_are_written), CASE(a_section_is_added),
	    CASE(with_the_line_ends_of_the_file), CASE(names_are_those_of_configparser),
	    CASE(a_section_is_removed), CASE(nothing_else_may_change),
	    CASE(it_is_done_again_on_what_others_did));
}
