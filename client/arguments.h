/* arguments.h - raasctl's command line: the global options, and one command by its row of the
 * table. */
#ifndef CLIENT_ARGUMENTS_H
#define CLIENT_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/methods.h"

struct arguments {
	char			*socket;	/* its path */
	bool			 json;
	bool			 no_color;
	bool			 help;
	bool			 version;
	bool			 watch;		/* show it again and again */
	const struct method	*method;	/* NULL: no command was given */
	json_t			*parameters;	/* of the call; an object */
};

struct global_option {
	const char	*option;
	char		 letter;	/* 0: none */
	const char	*value;		/* NULL: takes none */
	const char	*help;
};

/* Ended by a row without an option. */
extern const struct global_option global_options[];

/* `now` is what durations count from. -1 with err (ERROR_INPUT); arguments_done() either way.
 * With help or version set, what else is missing is not asked for. */
int	 arguments_parse(struct arguments *, int argc, char *const argv[], int64_t now,
	    struct error *err);
void	 arguments_done(struct arguments *);

#endif
