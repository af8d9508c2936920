#include "daemon/words.h"

#include <string.h>
#include <strings.h>

int
words_find(const char *const *words, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(words[i], word) == 0)
			return (int)i;
	}
	return -1;
}

bool
words_bool(const char *word, bool *out)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i], word) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	}
	return false;
}

bool
words_branch(const char *name)
{
	size_t n = strlen(name), i;

	for (i = 0; i < n; i++) {
		if ((unsigned char)name[i] <= ' ' || strchr("~^:?*[\\\x7f", name[i]) != NULL)
			return false;
		/* No part of a path is empty, hidden or a lock. */
		if (name[i] == '.' && (i == 0 || name[i - 1] == '/' || name[i - 1] == '.'))
			return false;
		if (name[i] == '/' && (i == 0 || name[i - 1] == '/'))
			return false;
		if (strncmp(name + i, ".lock", 5) == 0 && (name[i + 5] == '\0' || name[i + 5] == '/'))
			return false;
	}
	return n > 0 && name[0] != '-' && strchr("/.", name[n - 1]) == NULL &&
	    strstr(name, "@{") == NULL && strcmp(name, "@") != 0;
}
