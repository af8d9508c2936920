/* keys.h - the files that hold secrets: the certificate with its key, and the key to sign with.
 *
 * Read together, all or nothing, into what is immutable and shared with references: any thread.
 * Reading and looking block on the disk; the main thread does both. */
#ifndef CRANE_KEYS_H
#define CRANE_KEYS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "crane/presign.h"

struct key_files {		/* paths; NULL: not wanted */
	const char	*cert;
	const char	*key;		/* of the certificate */
	const char	*presign;
};

/* What the files looked like. A renewal is seen by what stat(2) tells of them. */
struct keys_seen {
	struct stat	 files[3];	/* zeroed: none */
};

struct keys;

/* NULL with err (ERROR_INPUT, ERROR_SYSTEM), which names the option and not the path: it is shown
 * to everybody. */
struct keys *keys_read(const struct key_files *, struct error *err);
struct keys *keys_ref(struct keys *);		/* NULL is fine */
void	 keys_unref(struct keys *);		/* NULL is fine; wipes them with the last one */
CLEANUP_FUNC(struct keys, keys_unref);

SSL_CTX	*keys_tls(const struct keys *);		/* lent; NULL: no TLS */
const struct presign *keys_presign(const struct keys *);	/* lent; NULL: nothing is signed */

void	 keys_look(const struct key_files *, struct keys_seen *);
bool	 keys_seen_same(const struct keys_seen *, const struct keys_seen *);

#endif
