/* digest.h - SHA-256, HMAC-SHA256 and MD5 by libcrypto, and their spellings.
 *
 * Pure functions of bytes; digest_sha256_fd() reads a file. Any thread. */
#ifndef DAEMON_DIGEST_H
#define DAEMON_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/deadline.h"

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE (2 * SHA256_SIZE + 1)	/* with the NUL */
#define MD5_BASE64_SIZE 25			/* with the NUL */
#define MD5_HEX_SIZE 33

/* The digest of no bytes at all. */
#define SHA256_HEX_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void	 digest_sha256(const void *, size_t, unsigned char out[SHA256_SIZE]);
void	 digest_sha256_hex(const void *, size_t, char out[SHA256_HEX_SIZE]);
void	 digest_hmac_sha256(const void *key, size_t key_len, const void *, size_t,
	    unsigned char out[SHA256_SIZE]);
/* SHA-256 of bytes that come in pieces; one thread at a time. */
struct digest_stream;

struct digest_stream *digest_stream_new(void);
void	 digest_stream_add(struct digest_stream *, const void *, size_t);
/* Once, at the end. */
void	 digest_stream_hex(struct digest_stream *, char out[SHA256_HEX_SIZE]);
void	 digest_stream_free(struct digest_stream *);	/* NULL is fine */
CLEANUP_FUNC(struct digest_stream, digest_stream_free);

/* As the Content-MD5 header wants it, RFC 1864. */
void	 digest_md5_base64(const void *, size_t, char out[MD5_BASE64_SIZE]);

/* As S3 writes the ETag of an object, and of a part; out has MD5_HEX_SIZE bytes. */
void	 digest_md5_hex(const void *, size_t, char out[MD5_HEX_SIZE]);
int	 digest_md5_fd(int fd, off_t offset, uint64_t size, char out[MD5_HEX_SIZE],
	    const struct deadline *, struct error *err);

/* Of `size` bytes from `offset`; the fd's own position is left alone. ERROR_INPUT when the file
 * ends before. */
int	 digest_sha256_fd(int fd, off_t offset, uint64_t size, char out[SHA256_HEX_SIZE],
	    const struct deadline *, struct error *err);

/* Lower case; out holds 2 * n + 1 bytes. */
void	 digest_hex(const unsigned char *, size_t n, char *out);

#endif
