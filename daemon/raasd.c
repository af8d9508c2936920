/* raasd - the daemon's main: options and order, nothing else. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "daemon/check.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/settings.h"

/* Those without settings to start with have sysexits.h's EX_CONFIG: no restart mends that. */
enum { EXIT_GOOD, EXIT_FAILED, EXIT_USAGE, EXIT_SETTINGS = EX_CONFIG };

struct options {
	const char	*config;	/* NULL: the default file */
	const char	*file;		/* a raas.cfg to check; NULL: none */
	bool		 check;
	bool		 json;
	bool		 version;
	bool		 help;
};

/* What each option is called, takes and does: read by getopt_long(3) and by the usage. */
static const struct {
	char		 letter;
	int		 has_arg;
	const char	*name;
	const char	*arg;
	const char	*help;
} rows[] = {
	{ 'c', required_argument, "config", "FILE", "read the settings from FILE" },
	{ 'k', optional_argument, "check", "[FILE]",
	    "check the settings, or a raas.cfg, and exit; offline" },
	{ 'j', no_argument, "json", "", "with --check: print what was understood as JSON" },
	{ 'V', no_argument, "version", "", "print the version and exit" },
	{ 'h', no_argument, "help", "", "print this and exit" },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void
print_usage(FILE *out)
{
	char left[40];
	size_t i;

	fputs("usage: raasd [--config FILE]\n"
	    "       raasd [--config FILE] --check [FILE] [--json]\n"
	    "Runs in the foreground until SIGTERM; SIGHUP makes it read its settings again.\n", out);
	for (i = 0; i < N_ROWS; i++) {
		snprintf(left, sizeof(left), "--%s %s", rows[i].name, rows[i].arg);
		fprintf(out, "  %-16s %s\n", left, rows[i].help);
	}
}

static void
set_option(struct options *o, int letter)
{
	switch (letter) {
	case 'c':
		o->config = optarg;
		break;
	case 'k':
		o->check = true;
		o->file = optarg;
		break;
	case 'j':
		o->json = true;
		break;
	case 'V':
		o->version = true;
		break;
	case 'h':
		o->help = true;
		break;
	}
}

/* False: the words on the command line are not what raasd takes. */
static bool
read_options(int argc, char **argv, struct options *o)
{
	struct option long_options[N_ROWS + 1] = { { NULL, 0, NULL, 0 } };
	int letter;
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		long_options[i] = (struct option){ rows[i].name, rows[i].has_arg, NULL, rows[i].letter };
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (letter == '?')
			return false;
		set_option(o, letter);
	}
	/* getopt takes an optional argument only as --check=FILE. */
	if (o->check && o->file == NULL && optind < argc)
		o->file = argv[optind++];
	return optind == argc && (o->check || !o->json);
}

/* What the options ask for is on stdout; a full disk or a closed pipe makes it a failure. */
static int
written(int status)
{
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? status : EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	struct options o = { .config = NULL };
	struct settings *settings;
	struct error err = ERROR_INIT;

	if (!read_options(argc, argv, &o)) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (o.help) {
		print_usage(stdout);
		return written(EXIT_GOOD);
	}
	if (o.version) {
		printf("raasd %s\n", RAAS_VERSION);
		return written(EXIT_GOOD);
	}
	if (o.file != NULL)
		return written(check_raas_cfg(o.file, o.json));
	if (o.check)
		return written(check_settings(o.config, o.json));
	if ((settings = settings_load(o.config, &err)) == NULL) {
		fprintf(stderr, "raasd: %s\n", err.text);
		return EXIT_SETTINGS;
	}
	log_setup(settings->log.level, settings->log.target);
	return daemon_run(settings, o.config);
}
