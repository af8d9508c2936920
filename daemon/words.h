/* words.h - words of a fixed set that configuration files use.
 *
 * Pure functions. Any thread. */
#ifndef DAEMON_WORDS_H
#define DAEMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Where the word stands; -1: nowhere. */
int	 words_find(const char *const *words, size_t n, const char *word);
/* yes no true false on off 1 0, in any case, as Python's configparser. False: none of them. */
bool	 words_bool(const char *word, bool *out);
/* A name that git takes for a branch, git-check-ref-format(1). */
bool	 words_branch(const char *name);

#endif
