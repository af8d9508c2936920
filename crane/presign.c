#include "crane/presign.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/json.h"
#include "crane/location.h"
#include "daemon/s3-sign.h"

#define FILE_MAX 65536
#define DEPTH_MAX 4

struct presign {
	char	*access_key;
	char	*secret_key;
	char	*session_token;		/* NULL: none */
	char	*region;
	char	*scheme;		/* "https" */
	char	*host;			/* of the endpoint, with its port */
	char	*bucket;		/* NULL: any */
};

static void
secret_free(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

void
presign_free(struct presign *p)
{
	if (p == NULL)
		return;
	secret_free(p->secret_key);
	secret_free(p->session_token);
	free(p->access_key);
	free(p->region);
	free(p->scheme);
	free(p->host);
	free(p->bucket);
	free(p);
}

static int
read_member(const json_t *object, const char *key, char **out, struct error *err)
{
	const char *value = json_get_string(object, key, err);

	if (value == NULL)
		return -1;
	if (value[0] == '\0')
		return error_set(err, ERROR_INPUT, "key '%s' is empty", key);
	*out = xstrdup(value);
	return 0;
}

static int
read_endpoint(const json_t *object, struct presign *p, struct error *err)
{
	const char *url = json_get_string(object, "endpoint", err);
	struct location at;

	if (url == NULL)
		return -1;
	if (!location_split(url, &at) || strspn(at.path, "/") != strlen(at.path))
		return error_set(err, ERROR_INPUT, "key 'endpoint' is not a URL like "
		    "https://s3.example.com");
	p->scheme = xstrndup(url, at.scheme_len);
	p->host = xstrndup(at.host, at.host_len);
	return 0;
}

struct presign *
presign_parse(const char *data, size_t len, struct error *err)
{
	cleanup(presign_free_p) struct presign *p = xcalloc(1, sizeof(*p));
	cleanup(json_unref) json_t *object = json_read(data, len, DEPTH_MAX, err);

	if (object == NULL || read_member(object, "access_key", &p->access_key, err) == -1 ||
	    read_member(object, "secret_key", &p->secret_key, err) == -1 ||
	    read_member(object, "region", &p->region, err) == -1 ||
	    read_endpoint(object, p, err) == -1)
		return NULL;
	p->session_token = xstrdup(json_string_or(object, "session_token", NULL));
	p->bucket = xstrdup(json_string_or(object, "bucket", NULL));
	return steal(p);
}

struct presign *
presign_read(const char *path, struct error *err)
{
	cleanup(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct presign *p = NULL;
	char data[FILE_MAX];
	ssize_t n;

	if (fd == -1 || (n = read(fd, data, sizeof(data))) == -1)
		error_errno(err, "cannot be read");
	else
		p = presign_parse(data, (size_t)n, err);
	explicit_bzero(data, sizeof(data));
	return p;
}

static bool
starts_with(const char *s, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && strncasecmp(s, prefix, strlen(prefix)) == 0;
}

/* Path style, https://endpoint/bucket/key, or virtual-host style, https://bucket.endpoint/key. */
static bool
is_ours(const struct presign *p, const char *url, const struct location *at)
{
	size_t host_len = strlen(p->host), before;
	const char *path = at->path + strspn(at->path, "/");

	if (at->scheme_len != strlen(p->scheme) || !starts_with(url, at->scheme_len, p->scheme) ||
	    at->host_len < host_len)
		return false;
	before = at->host_len - host_len;
	if (strncasecmp(at->host + before, p->host, host_len) != 0)
		return false;
	if (before == 0)
		return p->bucket == NULL || (strncmp(path, p->bucket, strlen(p->bucket)) == 0 &&
		    path[strlen(p->bucket)] == '/');
	return at->host[before - 1] == '.' && (p->bucket == NULL ||
	    (before - 1 == strlen(p->bucket) && starts_with(at->host, before, p->bucket)));
}

char *
presign_url(const struct presign *p, const char *method, const char *url, time_t now)
{
	cleanup(free_p) char *header = NULL, *query = NULL, *path = NULL;
	const char *headers[] = { NULL, NULL };
	struct location at;

	if (!location_split(url, &at) || !is_ours(p, url, &at) || strchr(at.path, '?') != NULL)
		return NULL;
	header = xasprintf("Host: %.*s", (int)at.host_len, at.host);
	headers[0] = header;
	path = location_canonical_path(at.path);
	query = s3_sign_url(&(struct s3_signing){
		.access_key = p->access_key, .secret_key = p->secret_key,
		.session_token = p->session_token, .region = p->region, .service = "s3",
		.at = now, .method = method, .path = path, .query = "", .headers = headers,
		.payload_hash = S3_UNSIGNED_PAYLOAD }, PRESIGN_SECONDS);
	return xasprintf("%.*s://%.*s%s?%s", (int)at.scheme_len, url, (int)at.host_len, at.host,
	    path, query);
}
