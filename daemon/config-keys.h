/* config-keys.h - the keys that raas.cfg's sections may have: names, defaults, rules, and where
 * the values go. One table that reading, checking, copying, comparing and printing lean on.
 *
 * `values` is the struct of config.h that belongs to the table. Any thread. */
#ifndef DAEMON_CONFIG_KEYS_H
#define DAEMON_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum config_key_type {
	CONFIG_KEY_STRING,
	CONFIG_KEY_BASE_URL,	/* a string, kept without slashes at its end */
	CONFIG_KEY_REGISTRY,	/* a string, kept without "https://" */
	CONFIG_KEY_BOOL,
	CONFIG_KEY_ACCESS,	/* enum s3_access */
};

struct config_key {
	const char		*name;
	enum config_key_type	 type;
	size_t			 offset;
	int			(*check)(const char *, struct error *);	/* NULL: any text */
	const char		*fallback;	/* NULL: none */
	bool			 required;
};

struct config_table {
	const char		*section;	/* NULL: an ISV's */
	const struct config_key	*keys;
	size_t			 n_keys;
};

/* The table of a section of that name; every name that is not one of ours is an ISV's. */
const struct config_table *config_table(const char *section);
/* The tables in order, the ISVs' last; NULL: there are no more. */
const struct config_table *config_table_at(size_t i);
const struct config_key *config_table_key(const struct config_table *, const char *name);
/* The shared section, or the key, that the name was likely meant to be; NULL. */
const char *config_table_meant(const char *section);
const char *config_table_key_meant(const struct config_table *, const char *name);

/* Checks and stores a text that is not empty, in place of what was there. */
int	 config_key_set(const struct config_key *, void *values, const char *text,
	    struct error *err);
void	 config_values_copy(const struct config_table *, void *to, const void *from);
bool	 config_values_equal(const struct config_table *, const void *, const void *);
void	 config_values_done(const struct config_table *, void *values);

#endif
