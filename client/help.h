/* help.h - raasctl's help, all of it out of the command table. */
#ifndef CLIENT_HELP_H
#define CLIENT_HELP_H

#include <stdio.h>

#include "common/methods.h"

void	 help_all(FILE *);
void	 help_command(FILE *, const struct method *);
void	 help_usage(FILE *, const struct method *);	/* "usage: raasctl sync [ISV…] …" */

#endif
