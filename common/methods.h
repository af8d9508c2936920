/* methods.h - THE command table: what raasctl can say and raasd can do, one row each.
 *
 * A row parses raasctl's arguments, prints help, completes in the shell, checks the request in
 * the daemon and says who may make it. raas.varlink describes the same calls for other clients;
 * tests/unit/test-methods.c holds the two together. Constant data; any thread. */
#ifndef COMMON_METHODS_H
#define COMMON_METHODS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum param_kind {
	PARAM_ISV,	/* the name of one ISV */
	PARAM_ISVS,	/* any number of them; an array */
	PARAM_FLAG,	/* an option without a value */
	PARAM_STRING,
	PARAM_INT,
	PARAM_DURATION,	/* 90s, 8h, 2d: sent as the time at which it ends, like PARAM_TIME */
	PARAM_AGE,	/* the same: sent as the time that long ago */
	PARAM_TIME,	/* RFC 3339 */
	PARAM_LIMITS,	/* "10m,1h", see limits.h */
	PARAM_CHOICE,	/* one of `choices` */
	PARAM_FILE,	/* a file's name, whose descriptor is passed along; "-": standard input */
};

struct param {
	const char	*name;		/* in the call's parameters: "dry_run"; ends the list */
	enum param_kind	 kind;
	const char	*option;	/* "--dry-run"; NULL: by position */
	char		 letter;	/* 'n' for -n; 0: none */
	const char	*value;		/* what help calls the value: "TEXT" */
	const char	*choices;	/* "config|app"; of another kind they are only proposed */
	const char	*help;
	bool		 required;
	bool		 inverted;	/* the flag says false: --no-wait for `wait` */
	bool		 local;		/* a flag of raasctl's own, which raasd never sees */
	int64_t		 min, max;	/* of a PARAM_INT */
};

#define METHOD_PARAMS 16

struct method {
	const char	*command;	/* raasctl's word: "sync" */
	const char	*alias;		/* another one; NULL: none */
	const char	*name;		/* the Varlink method without its interface: "Sync" */
	const char	*summary;	/* one line */
	const char	*help;		/* whole sentences, wrapped at 78 columns */
	const char	*exit_status;	/* what differs from the usual, or NULL */
	bool		 acts;		/* needs the right to act, not only to read */
	bool		 streams;	/* raasctl asks for `more` */
	bool		 waits;		/* for servers or for news: raasctl waits without a limit */
	const char	*one_of[2];	/* exactly one of these two parameters must be given */
	struct param	 params[METHOD_PARAMS];
};

/* The table, ended by a row without a command. */
extern const struct method methods[];

const struct method *method_by_command(const char *command);	/* NULL: none */
const struct method *method_by_name(const char *name);		/* "Sync"; NULL: none */

/* The name of the parameter that is a file, if it is given; else NULL. */
const char *method_file(const struct method *, const json_t *params);

/* Does `params` (an object) suit the row? If not -1 with err, and *wrong names the parameter. */
int	 method_check(const struct method *, const json_t *params, const char **wrong,
	    struct error *err);

/* The name among n that `typed` was probably meant to be, or NULL. */
const char *nearest_name(const char *typed, const char *const *names, size_t n);

#endif
