#include "client/help.h"

#include "client/arguments.h"
#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"

#define OPTION_WIDTH 24

static void
add_word(struct buf *line, const struct param *p)
{
	buf_add_str(line, p->required ? " " : " [");
	if (p->letter != 0)
		buf_printf(line, "-%c", p->letter);
	else if (p->option != NULL)
		buf_add_str(line, p->option);
	if (p->option != NULL && p->value != NULL)
		buf_add_str(line, " ");
	if (p->value != NULL)
		buf_printf(line, "%s%s", p->value, p->kind == PARAM_ISVS ? "..." : "");
	if (!p->required)
		buf_add_str(line, "]");
}

void
help_usage(FILE *out, const struct method *m)
{
	cleanup(buf_done) struct buf line = BUF_INIT;
	const struct param *p;

	if (m == NULL) {
		fputs("usage: raasctl [OPTION...] COMMAND [ARGUMENT...]\n", out);
		return;
	}
	buf_printf(&line, "usage: raasctl %s", m->command);
	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++)
		add_word(&line, p);
	fprintf(out, "%s\n", buf_str(&line));
}

static void
print_option(FILE *out, char letter, const char *option, const char *value, const char *help)
{
	cleanup(free_p) char *left = NULL;
	const char short_option[] = { '-', letter, ',', ' ', '\0' };

	left = xasprintf("%s%s%s%s", letter != 0 ? short_option : "", option != NULL ? option : "",
	    option != NULL && value != NULL ? " " : "", value != NULL ? value : "");
	fprintf(out, "  %-*s %s\n", OPTION_WIDTH, left, help);
}

static void
print_globals(FILE *out)
{
	const struct global_option *g;

	fputs("\nOptions of every command:\n", out);
	for (g = global_options; g->option != NULL; g++)
		print_option(out, g->letter, g->option, g->value, g->help);
}

void
help_command(FILE *out, const struct method *m)
{
	const struct param *p;

	help_usage(out, m);
	fprintf(out, "\n%s%s\n\n%s\n", m->summary,
	    m->acts ? ". For root, raasd's own user and its admin_group." : ".", m->help);
	if (m->params[0].name != NULL)
		fputs("\n", out);
	for (p = m->params; p < m->params + METHOD_PARAMS && p->name != NULL; p++)
		print_option(out, p->letter, p->option, p->value, p->help);
	if (m->alias != NULL)
		fprintf(out, "\n'%s' is another word for it.\n", m->alias);
	if (m->exit_status != NULL)
		fprintf(out, "\nExit status: %s; otherwise as 'raasctl --help' says.\n",
		    m->exit_status);
	print_globals(out);
}

void
help_all(FILE *out)
{
	const struct method *m;

	help_usage(out, NULL);
	fputs("\nTalks to raasd, which runs container registries for ISVs as the config repo's\n"
	    "raas.cfg says.\n\nCommands ('raasctl COMMAND --help' says more):\n", out);
	for (m = methods; m->command != NULL; m++)
		fprintf(out, "  %-10s %s\n", m->command, m->summary);
	print_globals(out);
	fputs("\nExit status: 0 done, 1 failed, 2 wrong usage, 3 no raasd, 4 unhealthy or drift\n"
	    "found (status, diff, validate), 5 not permitted, 6 not in time (wait).\n", out);
}
