/* raas-cfg.h - the dialect of Python 3's configparser.ConfigParser() with its defaults: text to
 * sections of raw values, and the interpolation of one value.
 *
 * It differs from Python where a daemon has to: it goes on after an error, so that the sections
 * that are good can be served; NUL bytes and keys that are not ASCII (str.lower() of all of
 * Unicode) are errors; a byte order mark is skipped; and everything has a limit. What keys and
 * values mean is not known here. Made and read by one thread at a time. */
#ifndef DAEMON_RAAS_CFG_H
#define DAEMON_RAAS_CFG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/problems.h"

#define RAAS_CFG_LINE_MAX	(64u << 10)	/* bytes */
#define RAAS_CFG_VALUE_MAX	(64u << 10)	/* bytes, as written and as interpolated */
#define RAAS_CFG_NAME_MAX	256u		/* bytes of a key or of a section's name */
#define RAAS_CFG_SECTIONS_MAX	100000u
#define RAAS_CFG_KEYS_MAX	256u		/* in one section */
#define RAAS_CFG_ALL_KEYS_MAX	1000000u	/* in all of them */

struct raas_cfg_entry {
	char		*key;			/* in lower case */
	char		*value;			/* as written, lines joined by '\n' */
	unsigned int	 line;
};

struct raas_cfg_section {
	char			*name;
	unsigned int		 line;		/* of its head */
	struct raas_cfg_entry	*entries;	/* in the file's order */
	size_t			 n_entries;
	size_t			 size;		/* allocated */
	char			*error;		/* "FILE:LINE: …", the first one; NULL: none */
	size_t			 begin, end;	/* offsets: of its head, and behind the last of its
						 * lines that is neither empty nor a comment */
};

struct raas_cfg {
	char			*file;		/* its name in messages */
	struct raas_cfg_section	 defaults;	/* [DEFAULT] */
	struct raas_cfg_section	*sections;	/* the others, sorted by name */
	size_t			 n_sections;
	struct problems		 errors;	/* any: a section may be missing, its head was torn */
	struct problems		 warnings;
	size_t			 n_keys;
	size_t			 work_left;	/* what interpolation may still cost, in bytes */
};

struct raas_cfg *raas_cfg_read(const char *text, size_t len, const char *file);
void	 raas_cfg_free(struct raas_cfg *);
CLEANUP_FUNC(struct raas_cfg, raas_cfg_free);

struct raas_cfg_section *raas_cfg_section(const struct raas_cfg *, const char *name);
/* The section's own key, else the one in [DEFAULT], else NULL. */
const struct raas_cfg_entry *raas_cfg_entry(const struct raas_cfg *,
    const struct raas_cfg_section *, const char *key);

/* Adds the interpolated value to `out`, as seen from this section. *secret: the key, or one that
 * was interpolated, is a secret's. The text of an error holds nothing of the value. */
int	 raas_cfg_value(struct raas_cfg *, const struct raas_cfg_section *,
	    const struct raas_cfg_entry *, struct buf *out, bool *secret, struct error *err);
void	 raas_cfg_more_work(struct raas_cfg *);	/* a new allowance for interpolation */

/* A key whose value is never shown. */
bool	 raas_cfg_secret_key(const char *key);
/* The key for a message; "..." where it may be a piece of a secret that was broken over lines. */
const char *raas_cfg_key_shown(const char *key);

/* Records an error, and in the section that it is not good. */
void	 raas_cfg_fail(struct raas_cfg *, struct raas_cfg_section *, unsigned int line,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
