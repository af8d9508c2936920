#include "crane/tls.h"

#include <openssl/err.h>

static SSL_CTX *
failed(SSL_CTX *tls, const char *what, struct error *err)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	error_set(err, ERROR_INPUT, "%s: %s", what, reason != NULL ? reason : "cannot be read");
	ERR_clear_error();
	SSL_CTX_free(tls);
	return NULL;
}

SSL_CTX *
tls_new(const char *cert_file, const char *key_file, struct error *err)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (tls == NULL || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1)
		return failed(tls, "TLS", err);
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);	/* most clients are idle */
	if (SSL_CTX_use_certificate_chain_file(tls, cert_file) != 1)
		return failed(tls, "--cert", err);
	if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1)
		return failed(tls, "--key", err);
	if (SSL_CTX_check_private_key(tls) != 1)
		return failed(tls, "--key is not that of --cert", err);
	return tls;
}
