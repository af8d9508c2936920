#include "daemon/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define READ_SIZE (256u << 10)
#define MD5_SIZE 16

static void
digest_ctx_free(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* libcrypto fails here for want of memory alone, or of a digest that it always has. */
static void
must(int ok)
{
	if (!ok)
		abort();
}

void
digest_sha256(const void *data, size_t len, unsigned char out[SHA256_SIZE])
{
	must(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL));
}

void
digest_sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
	unsigned char raw[SHA256_SIZE];

	digest_sha256(data, len, raw);
	digest_hex(raw, sizeof(raw), out);
}

void
digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
    unsigned char out[SHA256_SIZE])
{
	must(HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) != NULL);
}

void
digest_md5_base64(const void *data, size_t len, char out[MD5_BASE64_SIZE])
{
	unsigned char raw[MD5_SIZE];

	must(EVP_Digest(data, len, raw, NULL, EVP_md5(), NULL));
	EVP_EncodeBlock((unsigned char *)out, raw, sizeof(raw));
}

struct digest_stream {
	EVP_MD_CTX	*ctx;
};

struct digest_stream *
digest_stream_new(void)
{
	struct digest_stream *s = xcalloc(1, sizeof(*s));

	s->ctx = EVP_MD_CTX_new();
	must(s->ctx != NULL && EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL));
	return s;
}

void
digest_stream_add(struct digest_stream *s, const void *data, size_t len)
{
	must(EVP_DigestUpdate(s->ctx, data, len));
}

void
digest_stream_hex(struct digest_stream *s, char out[SHA256_HEX_SIZE])
{
	unsigned char raw[SHA256_SIZE];

	must(EVP_DigestFinal_ex(s->ctx, raw, NULL));
	digest_hex(raw, sizeof(raw), out);
}

void
digest_stream_free(struct digest_stream *s)
{
	if (s == NULL)
		return;
	EVP_MD_CTX_free(s->ctx);
	free(s);
}

static int
update_from_fd(EVP_MD_CTX *ctx, int fd, off_t offset, uint64_t size, const struct deadline *d,
    struct error *err)
{
	cleanup(free_p) char *data = xcalloc(1, READ_SIZE);
	ssize_t n;

	while (size > 0) {
		if (deadline_check(d, err) == -1)
			return -1;
		n = pread(fd, data, size < READ_SIZE ? (size_t)size : READ_SIZE, offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_errno(err, "cannot read the file");
		if (n == 0)
			return error_set(err, ERROR_INPUT, "the file ends early, at byte %jd",
			    (intmax_t)offset);
		must(EVP_DigestUpdate(ctx, data, (size_t)n));
		offset += n;
		size -= (uint64_t)n;
	}
	return 0;
}

static int
digest_fd(const EVP_MD *kind, int fd, off_t offset, uint64_t size, char *out,
    const struct deadline *d, struct error *err)
{
	cleanup(digest_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int n;

	must(ctx != NULL && EVP_DigestInit_ex(ctx, kind, NULL));
	if (update_from_fd(ctx, fd, offset, size, d, err) == -1)
		return -1;
	must(EVP_DigestFinal_ex(ctx, raw, &n));
	digest_hex(raw, n, out);
	return 0;
}

int
digest_sha256_fd(int fd, off_t offset, uint64_t size, char out[SHA256_HEX_SIZE],
    const struct deadline *d, struct error *err)
{
	return digest_fd(EVP_sha256(), fd, offset, size, out, d, err);
}

int
digest_md5_fd(int fd, off_t offset, uint64_t size, char out[MD5_HEX_SIZE],
    const struct deadline *d, struct error *err)
{
	return digest_fd(EVP_md5(), fd, offset, size, out, d, err);
}

void
digest_md5_hex(const void *data, size_t len, char out[MD5_HEX_SIZE])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int n;

	must(EVP_Digest(data, len, raw, &n, EVP_md5(), NULL));
	digest_hex(raw, n, out);
}

void
digest_hex(const unsigned char *data, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * n] = '\0';
}
