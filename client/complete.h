/* complete.h - what could come next on raasctl's command line, for the shells' completion.
 *
 * By the command table, and for names of ISVs by asking raasd. Silent whatever goes wrong, and done
 * within a second: somebody is typing. */
#ifndef CLIENT_COMPLETE_H
#define CLIENT_COMPLETE_H

#include <stdio.h>

/* words[0] is raasctl itself, words[current] the one that is being typed, "" if it has just begun.
 * Prints a line for each possible word, with a tab and what it is behind it if there is something
 * to say; COMPLETE_FILES stands for the names of files. */
void	 complete(FILE *out, char *const words[], int current);

#define COMPLETE_FILES ":files"

#endif
