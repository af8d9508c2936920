/* credential.h - a secret that systemd hands over as a file, see systemd.exec(5), CREDENTIALS.
 *
 * Any thread. */
#ifndef DAEMON_CREDENTIAL_H
#define DAEMON_CREDENTIAL_H

#include "common/buf.h"
#include "common/error.h"

#define CREDENTIAL_MAX (64u << 10)	/* bytes */

/* The NAME of a value "credential:NAME", lent; NULL: it is an ordinary value. */
const char *credential_name(const char *value);

/* The file that a setting names: itself a path, or "credential:NAME" of the directory `dir`. The
 * caller's to free; NULL for NULL. */
char	*credential_file(const char *dir, const char *value);

/* Adds the content of the file `name` of the directory `dir` to `out`, without the line break at
 * its end. `dir` NULL: there is none. The text of an error holds nothing of the content. */
int	 credential_read(const char *dir, const char *name, struct buf *out, struct error *err);

/* What the directory looks like: another text when a credential came, went or was replaced. Reads
 * none of them. NULL: there is no such directory. The caller's to free. */
char	*credential_stamp(const char *dir);

#endif
