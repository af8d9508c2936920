/* tls.h - the server's side of TLS: a certificate and its key. */
#ifndef CRANE_TLS_H
#define CRANE_TLS_H

#include <openssl/ssl.h>

#include "common/error.h"

/* NULL with err, which names the option. Immutable afterwards, for all threads. The caller's, by SSL_CTX_free(). */
SSL_CTX	*tls_new(const char *cert_file, const char *key_file, struct error *err);

#endif
