#include "daemon/raas-cfg.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "tests/unit/test.h"

static struct raas_cfg *
read_text(const char *text)
{
	return raas_cfg_read(text, strlen(text), "raas.cfg");
}

/* The interpolated value, the caller's; "!TEXT" for an error. */
static char *
value(struct raas_cfg *cfg, const char *section, const char *key, bool *secret)
{
	const struct raas_cfg_section *s = raas_cfg_section(cfg, section);
	const struct raas_cfg_entry *entry = s != NULL ? raas_cfg_entry(cfg, s, key) : NULL;
	cleanup(buf_done) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	if (entry == NULL)
		return xstrdup("(none)");
	if (raas_cfg_value(cfg, s, entry, &out, secret, &err) == -1)
		return xasprintf("!%s", err.text);
	return buf_take(&out);
}

#define CHECK_VALUE(cfg, section, key, want) do {			\
	bool secret_;							\
	cleanup(free_p) char *value_ = value(cfg, section, key, &secret_);\
	CHECK_STR(value_, want);					\
} while (0)

/* The one error, as "LINE [SECTION] TEXT". */
static const char *
error_of(const char *text)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = read_text(text);
	const struct config_problem *e = cfg->errors.list;
	static char said[600];

	if (cfg->errors.n != 1)
		return "not one error";
	snprintf(said, sizeof(said), "%u [%s] %s", e->line, e->section != NULL ? e->section : "-",
	    e->text);
	return said;
}

TEST(values_as_written)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = read_text(
	    "[DEFAULT]\nhost = h\n[b]\nKey: one\n  two\n\n  three\n\n# c\nempty =\n"
	    "[a]\nurl = http://%(HOST)s/%%\n");

	CHECK_INT(cfg->errors.n, 0);
	CHECK_INT(cfg->n_sections, 2);
	CHECK_STR(cfg->sections[0].name, "a");
	CHECK_VALUE(cfg, "b", "key", "one\ntwo\n\nthree");
	CHECK_VALUE(cfg, "b", "empty", "");
	CHECK_VALUE(cfg, "b", "host", "h");
	CHECK_VALUE(cfg, "a", "url", "http://h/%");
	CHECK_VALUE(cfg, "a", "nothing", "(none)");
}

TEST(errors_name_line_and_section)
{
	CHECK_STR(error_of("x = 1\ny = 2\n[a]\n"), "1 [-] text before the first section");
	CHECK_STR(error_of("[a]\nx = 1\n\nX = 2\n"), "4 [a] key 'x' is given twice, first in line 2");
	CHECK_STR(error_of("[a]\n[b]\n[a]\n"), "3 [a] the section is given twice, first in line 1");
	CHECK_STR(error_of("[a]\r\nhello\r\n"), "2 [a] the line has no '=' or ':'");
	CHECK_STR(error_of("[a]\r: 1\r"), "2 [a] a key is missing before the '=' or ':'");
	CHECK_STR(error_of("[a]\n[b\nx = 1\nx = 2\n  [c]\n[d]\n"), "2 [-] a section's head without ']'");
	CHECK_STR(error_of("[a]\n[b\xff]\nx = 1\n[d]\n"), "2 [-] the line is not UTF-8");
	CHECK_STR(error_of("[a]\nx = 1\n  \xc3\n"), "3 [a] the line is not UTF-8");
	CHECK_STR(error_of("[a]\n# \xc3\n"), "2 [-] the line is not UTF-8");
	CHECK_STR(error_of("[a]\n\xc3\xa4 = 1\n"), "2 [a] the key has characters that are not ASCII");
}

TEST(a_nul_byte_is_an_error)
{
	static const char text[] = "[a]\nx = 1\0 2\n[b]\n";
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = raas_cfg_read(text, sizeof(text) - 1, "f");

	CHECK_INT(cfg->errors.n, 1);
	CHECK_STR(raas_cfg_section(cfg, "a")->error, "f:2: the line holds a NUL byte");
	CHECK(raas_cfg_section(cfg, "b")->error == NULL);
}

/* The keys under a torn head are nobody's: not those of the section before. */
TEST(a_torn_head_leaves_its_neighbours_alone)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = read_text(
	    "[a]\nx = 1\n[b\nx = 2\ny = 2\n[c]\nx = 3\n");

	CHECK_INT(cfg->n_sections, 2);
	CHECK(cfg->sections[0].error == NULL && cfg->sections[1].error == NULL);
	CHECK_VALUE(cfg, "a", "x", "1");
	CHECK_VALUE(cfg, "a", "y", "(none)");
	CHECK_VALUE(cfg, "c", "x", "3");
}

TEST(interpolation_goes_wrong_by_value)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = read_text(
	    "[a]\ngood = 1\na = 5%\nb = %(nowhere)s\nc = %(c)s\nd = %(good)\ntoken = %(nowhere)s\n");

	CHECK_INT(cfg->errors.n, 0);
	CHECK_VALUE(cfg, "a", "good", "1");
	CHECK_VALUE(cfg, "a", "a", "!a '%' that is neither '%%' nor '%(KEY)s'");
	CHECK_VALUE(cfg, "a", "b", "!'%(nowhere)s' names a key that does not exist");
	CHECK_VALUE(cfg, "a", "c", "!'%(KEY)s' is nested deeper than 10");
	CHECK_VALUE(cfg, "a", "d", "!a '%' that is neither '%%' nor '%(KEY)s'");
	CHECK_VALUE(cfg, "a", "token", "!a '%(KEY)s' names a key that does not exist");
}

TEST(a_secret_stays_one_in_another_value)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = read_text(
	    "[a]\npassword = p\nb = x%(password)s\nc = %(b)s\nd = y\n");
	bool secret = false;

	free(value(cfg, "a", "c", &secret));
	CHECK(secret);
	free(value(cfg, "a", "d", &secret));
	CHECK(!secret);
}

/* Ten keys that each name the one before ten times: 10^10 bytes, were there no limit. And the
 * same with nothing at the end, where no length ever shows. */
static void
laugh(struct buf *text, const char *end)
{
	int i, j;

	buf_printf(text, "[a]\nk0 = %s\n", end);
	for (i = 1; i < 10; i++) {
		buf_printf(text, "k%d = ", i);
		for (j = 0; j < 1000; j++)
			buf_printf(text, "%%(k%d)s", i - 1);
		buf_add_str(text, "\n");
	}
}

TEST(growth_is_bounded)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(raas_cfg_free_p) struct raas_cfg *long_one = NULL, *empty = NULL;

	laugh(&text, "ha");
	long_one = read_text(buf_str(&text));
	CHECK_VALUE(long_one, "a", "k9", "!the value is longer than 64 KiB after interpolation");
	buf_clear(&text);
	laugh(&text, "");
	empty = read_text(buf_str(&text));
	CHECK_VALUE(empty, "a", "k9", "!interpolation makes the file's values too long to go on");
}

TEST(limits_of_lines_keys_and_sections)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = NULL;
	cleanup(free_p) char *x = xcalloc(RAAS_CFG_LINE_MAX + 1, 1);
	int i;

	memset(x, 'x', RAAS_CFG_LINE_MAX);
	buf_printf(&text, "[line]\nk = %s\n[name]\n%.257s = 1\n[%.257s]\nk = 1\n[value]\nk =\n", x, x, x);
	buf_printf(&text, " %.40000s\n %.40000s\n[keys]\n", x, x);
	for (i = 0; i <= 256; i++)
		buf_printf(&text, "k%d = 1\n", i);
	buf_printf(&text, "[good]\nk = %.60000s\n", x);
	cfg = read_text(buf_str(&text));
	CHECK_INT(cfg->errors.n, 5);
	CHECK_STR(cfg->errors.list[0].text, "the line is longer than 64 KiB");
	CHECK_STR(cfg->errors.list[1].text, "the key is longer than 256 bytes");
	CHECK_STR(cfg->errors.list[2].text, "the section's name is longer than 256 bytes");
	CHECK_STR(cfg->errors.list[3].text, "the value is longer than 64 KiB");
	CHECK_STR(cfg->errors.list[4].text,
	    "too many keys: a section may have 256, all of them a million");
	CHECK(raas_cfg_section(cfg, "good")->error == NULL);
	CHECK(raas_cfg_section(cfg, "keys")->error != NULL);
}

TEST(many_problems_are_not_all_kept)
{
	cleanup(buf_done) struct buf text = BUF_INIT;
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = NULL;
	int i;

	buf_add_str(&text, "[a]\n");
	for (i = 0; i < PROBLEMS_MAX + 100; i++)
		buf_add_str(&text, "x\n");
	cfg = read_text(buf_str(&text));
	CHECK_INT(cfg->errors.n, PROBLEMS_MAX + 1);
	CHECK_STR(cfg->errors.list[PROBLEMS_MAX].text, "and more, which are not listed");
}

TEST(semicolon_is_warned_of)
{
	cleanup(raas_cfg_free_p) struct raas_cfg *cfg = read_text("[a]\nx = 1 ; one\ny = 1;2\nz = ; 3\n");

	CHECK_INT(cfg->warnings.n, 2);
	CHECK_INT(cfg->warnings.list[0].line, 2);
	CHECK_INT(cfg->warnings.list[1].line, 4);
	CHECK_VALUE(cfg, "a", "x", "1 ; one");
}

int
main(void)
{
	return RUN(CASE(values_as_written), CASE(errors_name_line_and_section),
	    CASE(a_nul_byte_is_an_error), CASE(a_torn_head_leaves_its_neighbours_alone),
	    CASE(interpolation_goes_wrong_by_value), CASE(a_secret_stays_one_in_another_value),
	    CASE(growth_is_bounded), CASE(limits_of_lines_keys_and_sections),
	    CASE(many_problems_are_not_all_kept), CASE(semicolon_is_warned_of));
}
