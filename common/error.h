/* error.h - why something did not work: a kind to act on and a sentence to read.
 *
 * A plain value, so it can cross threads. Functions that can fail take a `struct error *` and
 * return -1 (or NULL) with it set; their outputs are then untouched. Each layer adds the one
 * fact it knows by error_prefix(). The text is always valid UTF-8 without control characters,
 * whatever an outside party put into it; it never holds a secret, which is the caller's care. */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <stdarg.h>

enum error_kind {
	ERROR_NONE,
	ERROR_INPUT,		/* a setting, argument or file to be mended by the user */
	ERROR_CREDENTIALS,	/* login or right refused */
	ERROR_QUOTA,		/* a limit of the account */
	ERROR_CONFLICT,		/* taken by another, or changed on both sides */
	ERROR_MISSING,		/* what was named is not there */
	ERROR_UNTRUSTED,	/* not signed by one who may */
	ERROR_REMOTE,		/* transient, of a server or the network: tried again later */
	ERROR_CANCELLED,	/* we were asked to stop: not a failure */
	ERROR_SYSTEM,		/* this host: disk full, no descriptors */
	ERROR_INTERNAL,		/* our bug */
};

struct error {
	enum error_kind	kind;
	char		text[512];
};

#define ERROR_INIT { ERROR_NONE, "" }

/* All three return -1, so that `return error_set(…)` reads well. err may be NULL. */
int	 error_set(struct error *err, enum error_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
int	 error_vset(struct error *err, enum error_kind, const char *fmt, va_list);
/* Puts "TEXT: " in front, keeping the kind. */
int	 error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* error_set(err, ERROR_SYSTEM, "…: strerror(errno)"); */
int	 error_errno(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "***" in the place of a secret that an outside party may have put into the text, and of a
 * part of it where the text was cut. NULL, and what is too short to be one, is left alone. */
void	 error_hide(struct error *err, const char *secret);

const char *error_kind_name(enum error_kind);	/* "credentials"; static */

/* Replaces control characters and bytes that are not UTF-8 by '?' and tabs and newlines by a
 * space, in place. */
void	 text_clean(char *);

#endif
