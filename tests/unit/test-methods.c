#include "common/methods.h"

#include <ctype.h>

#include "common/alloc.h"
#include "common/interface.h"
#include "common/json.h"
#include "tests/unit/test.h"

/* The text between the parentheses of "method NAME(…)" in raas.varlink; NULL: no such method. */
static char *
described_parameters(const char *name)
{
	cleanup(free_p) char *head = xasprintf("\nmethod %s(", name);
	const char *begin = strstr(interface_description, head), *end;
	int depth = 1;

	if (begin == NULL)
		return NULL;
	begin += strlen(head);
	for (end = begin; depth > 0; end++)
		depth += (*end == '(') - (*end == ')');
	return xstrndup(begin, (size_t)(end - begin - 1));
}

static const char *
described_type(const struct param *p)
{
	switch (p->kind) {
	case PARAM_ISVS:
		return "[]string";
	case PARAM_FLAG:
		return "bool";
	case PARAM_INT:
		return "int";
	case PARAM_CHOICE:
		return "(";
	default:
		return "string";
	}
}

static size_t
count(const char *text, char c)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

TEST(rows_are_complete)
{
	const struct method *m, *other;
	const struct param *p;

	for (m = methods; m->command != NULL; m++) {
		CHECK(m->name != NULL && m->summary != NULL && m->help != NULL);
		CHECK(isupper((unsigned char)m->name[0]));
		CHECK(isupper((unsigned char)m->summary[0]));
		CHECK(strlen(m->summary) <= 60);
		CHECK(m->params[METHOD_PARAMS - 1].name == NULL);
		for (other = methods; other < m; other++) {
			CHECK(strcmp(m->command, other->command) != 0);
			CHECK(strcmp(m->name, other->name) != 0);
			CHECK(m->alias == NULL || strcmp(m->alias, other->command) != 0);
		}
		for (p = m->params; p->name != NULL; p++) {
			CHECK(p->help != NULL);
			CHECK((p->kind == PARAM_FLAG) == (p->value == NULL));
			CHECK(p->kind != PARAM_CHOICE || p->choices != NULL);
			CHECK(p->kind != PARAM_INT || p->min < p->max);
			CHECK(p->option == NULL || strncmp(p->option, "--", 2) == 0);
			CHECK(!p->inverted || p->kind == PARAM_FLAG);
			CHECK(!p->local || p->kind == PARAM_FLAG);
		}
		CHECK(method_by_command(m->command) == m);
		CHECK(method_by_name(m->name) == m);
	}
	CHECK(method_by_command("push") == method_by_command("publish"));
	CHECK(method_by_command("push") != NULL);
	CHECK(method_by_command("Sync") == NULL);
	CHECK(method_by_name("sync") == NULL);
}

TEST(rows_and_description_agree)
{
	const struct method *m;
	const struct param *p;
	size_t n;

	for (m = methods; m->command != NULL; m++) {
		cleanup(free_p) char *described = described_parameters(m->name);
		const char *last = "";

		if (described == NULL)
			printf("# %s is not in raas.varlink\n", m->name);
		CHECK(described != NULL);
		for (n = 0, p = m->params; p->name != NULL; p++) {
			cleanup(free_p) char *wanted = xasprintf("%s: %s%s", p->name,
			    p->required ? "" : "?", described_type(p));

			if (p->local) {
				CHECK(strstr(described, wanted) == NULL);
				continue;
			}
			if (strstr(described, wanted) == NULL)
				printf("# %s: no '%s' in (%s)\n", m->name, wanted, described);
			CHECK(strstr(described, wanted) != NULL);
			n += strcmp(p->name, last) != 0;
			last = p->name;
		}
		CHECK_INT(count(described, ':'), n);
	}
}

TEST(every_described_method_has_a_row)
{
	const char *at = interface_description;
	char name[64];
	size_t n = 0;

	while ((at = strstr(at, "\nmethod ")) != NULL) {
		at += strlen("\nmethod ");
		CHECK(sscanf(at, "%63[A-Za-z]", name) == 1);
		CHECK(method_by_name(name) != NULL);
		n++;
	}
	CHECK(n >= 12);
	CHECK(strstr(interface_description, "\ninterface " INTERFACE_NAME "\n") != NULL);
	CHECK(strstr(interface_description, "\nerror Failed (") != NULL);
	CHECK(strstr(interface_description, "\nerror UnknownIsv (") != NULL);
	CHECK(strstr(interface_description, "\nerror Busy (") != NULL);
	CHECK(strstr(interface_description, "\nerror Cancelled (") != NULL);
}

TEST(requests_are_checked)
{
	static const struct {
		const char	*method;
		const char	*parameters;
		const char	*wrong;		/* NULL: fine */
	} cases[] = {
		{ "Ping", "{}", NULL },
		{ "Ping", "{\"x\":1}", "x" },
		{ "Status", "{}", NULL },
		{ "Status", "{\"isvs\":null}", NULL },
		{ "Status", "{\"isvs\":[\"a\",\"b\"]}", NULL },
		{ "Status", "{\"isvs\":\"a\"}", "isvs" },
		{ "Status", "{\"isvs\":[\"a\",1]}", "isvs" },
		{ "Status", "{\"isvs\":[\"\"]}", "isvs" },
		{ "Sync", "{}", "isvs" },
		{ "Sync", "{\"all\":false}", "isvs" },
		{ "Sync", "{\"isvs\":[],\"all\":true}", NULL },
		{ "Sync", "{\"isvs\":[\"a\"],\"all\":true}", "isvs" },
		{ "Sync", "{\"all\":1}", "all" },
		{ "Sync", "{\"all\":true,\"deep\":true,\"dry_run\":false,\"wait\":false}", NULL },
		{ "Diff", "{}", "isv" },
		{ "Diff", "{\"isv\":null}", "isv" },
		{ "Log", "{\"isv\":\"a\",\"lines\":10}", NULL },
		{ "Log", "{\"isv\":\"a\",\"lines\":-1}", "lines" },
		{ "Log", "{\"isv\":\"a\",\"lines\":1.5}", "lines" },
		{ "Log", "{\"isv\":\"a\",\"lines\":100000}", "lines" },
		{ "Pause", "{\"isv\":\"a\",\"until\":\"2026-01-31T10:11:12Z\"}", NULL },
		{ "Pause", "{\"isv\":\"a\",\"until\":\"tomorrow\"}", "until" },
		{ "Pause", "{\"isv\":\"a\",\"reason\":7}", "reason" },
		{ "Resolve", "{\"isv\":\"a\",\"take\":\"config\"}", NULL },
		{ "Resolve", "{\"isv\":\"a\",\"take\":\"app\"}", NULL },
		{ "Resolve", "{\"isv\":\"a\",\"take\":\"\"}", "take" },
		{ "Resolve", "{\"isv\":\"a\",\"take\":\"config|app\"}", "take" },
		{ "Resolve", "{\"isv\":\"a\"}", "take" },
		{ "Publish", "{\"isv\":\"a\",\"image\":\"b\",\"file\":\"-\"}", NULL },
		{ "Publish", "{\"isv\":\"a\",\"image\":\"b\",\"file\":3}", "file" },
		{ "Publish", "{\"isv\":\"a\"}", "image" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = ERROR_INIT;
		cleanup(json_unref) json_t *parameters = json_read(cases[i].parameters,
		    strlen(cases[i].parameters), 8, &err);
		const char *wrong = NULL;
		int result;

		CHECK(parameters != NULL);
		result = method_check(method_by_name(cases[i].method), parameters, &wrong, &err);
		printf("# %s %s: %s\n", cases[i].method, cases[i].parameters, err.text);
		CHECK_INT(result, cases[i].wrong == NULL ? 0 : -1);
		if (cases[i].wrong != NULL)
			CHECK_STR(wrong, cases[i].wrong);
	}
}

TEST(a_file_is_told_from_other_parameters)
{
	cleanup(json_unref) json_t *with = json_pack("{s:s, s:s}", "isv", "a", "file", "x.tar");
	cleanup(json_unref) json_t *without = json_pack("{s:s, s:n}", "isv", "a", "file");
	const struct method *publish = method_by_name("Publish");

	CHECK_STR(method_file(publish, with), "file");
	CHECK(method_file(publish, without) == NULL);
	CHECK(method_file(method_by_name("Diff"), with) == NULL);
}

TEST(names_that_are_near)
{
	static const char *const names[] = { "status", "sync", "pause", "resume", "a" };

	CHECK_STR(nearest_name("synk", names, 5), "sync");
	CHECK_STR(nearest_name("stats", names, 5), "status");
	CHECK_STR(nearest_name("resum", names, 5), "resume");
	CHECK(nearest_name("publish", names, 5) == NULL);
	CHECK(nearest_name("b", names, 5) == NULL);
	CHECK(nearest_name("", names, 5) == NULL);
	CHECK(nearest_name("ssssssssssssssssssssssssssssssssssssssssssync", names, 5) == NULL);
}

int
main(void)
{
	return RUN(CASE(rows_are_complete), CASE(rows_and_description_agree),
	    CASE(every_described_method_has_a_row), CASE(requests_are_checked),
	    CASE(a_file_is_told_from_other_parameters), CASE(names_that_are_near));
}
