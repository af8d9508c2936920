#include "daemon/repository.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/challenge.h"
#include "daemon/fetch.h"
#include "daemon/image.h"

#define ACCEPT "Accept: " TYPE_OCI_INDEX ", " TYPE_OCI_MANIFEST ", " TYPE_DOCKER_LIST ", " \
	TYPE_DOCKER_MANIFEST
#define NAME_MAX_LEN 255
#define HOST_MAX_LEN 262
#define TOKEN_ANSWER_MAX (1u << 20)
#define TOKEN_MAX (60u << 10)	/* bytes; it becomes a header */
#define LOGINS_MAX 2u		/* for one request: the token may be old, then new */
#define DEPTH_MAX 8

struct repository {
	const struct repository_reference	*at;
	struct repository_options		 options;
	struct http			*http;
	bool				 basic;		/* the registry asked for Basic */
	char				*token;		/* it asked for Bearer */
};

void
repository_reference_done(struct repository_reference *r)
{
	free(r->host);
	free(r->name);
	free(r->tag);
	free(r->digest);
	memset(r, 0, sizeof(*r));
}

static bool
name_valid(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= NAME_MAX_LEN && name[0] != '/' && name[len - 1] != '/' &&
	    strstr(name, "//") == NULL && strstr(name, "..") == NULL &&
	    len == strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-/");
}

static bool
host_valid(const char *host)
{
	size_t len = strlen(host);

	return len >= 1 && len <= HOST_MAX_LEN &&
	    len == strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-:[]");
}

/* Cuts the text at the last `mark` behind `from`; what follows it, or NULL. */
static char *
cut(char *from, char mark)
{
	char *at = strrchr(from, mark);

	if (at == NULL)
		return NULL;
	*at = '\0';
	return at + 1;
}

/* Docker's own registry goes by another host, and its plain names are in library/. */
static void
docker_hub(struct repository_reference *r)
{
	char *name;

	if (strcmp(r->host, "docker.io") != 0 && strcmp(r->host, "index.docker.io") != 0)
		return;
	free(r->host);
	r->host = xstrdup("registry-1.docker.io");
	if (strchr(r->name, '/') != NULL)
		return;
	name = xasprintf("library/%s", r->name);
	free(r->name);
	r->name = name;
}

int
repository_reference_parse(const char *text, struct repository_reference *out, struct error *err)
{
	cleanup(repository_reference_done) struct repository_reference r = { 0 };
	cleanup(free_p) char *copy = xstrdup(text);
	char *slash = strchr(copy, '/'), *digest, *tag;

	if (slash == NULL)
		return error_set(err, ERROR_INPUT, "'%s': not HOST/NAME", text);
	digest = cut(slash, '@');
	tag = cut(slash, ':');
	*slash = '\0';
	r.host = xstrdup(copy);
	r.name = xstrdup(slash + 1);
	r.digest = xstrdup(digest);
	r.tag = tag != NULL ? xstrdup(tag) : digest == NULL ? xstrdup("latest") : NULL;
	if (!host_valid(r.host))
		return error_set(err, ERROR_INPUT, "'%s': not a host's name", r.host);
	if (!name_valid(r.name))
		return error_set(err, ERROR_INPUT, "'%s': not a repository's name", r.name);
	if (r.tag != NULL && !image_tag_valid(r.tag))
		return error_set(err, ERROR_INPUT, "'%s': not a tag", r.tag);
	if (r.digest != NULL && !digest_valid(r.digest))
		return error_set(err, ERROR_INPUT, "'%s': not a sha256 digest", r.digest);
	docker_hub(&r);
	*out = r;
	memset(&r, 0, sizeof(r));
	return 0;
}

struct repository *
repository_new(const struct repository_reference *at, const struct repository_options *options)
{
	struct repository *r = xcalloc(1, sizeof(*r));

	r->at = at;
	r->options = *options;
	r->http = http_new(options->http);
	return r;
}

static void
token_forget(struct repository *r)
{
	if (r->token != NULL)
		explicit_bzero(r->token, strlen(r->token));
	free(r->token);
	r->token = NULL;
}

void
repository_free(struct repository *r)
{
	if (r == NULL)
		return;
	token_forget(r);
	http_free(r->http);
	free(r);
}

static void
challenges_read(const struct http_response *response, struct challenge *c)
{
	static const char name[] = "www-authenticate: ";
	const char *line, *end;

	for (line = buf_str(&response->headers); *line != '\0'; line = end + (*end != '\0')) {
		end = strchrnul(line, '\n');
		if (strncmp(line, name, strlen(name)) == 0) {
			cleanup(free_p) char *value = xstrndup(line + strlen(name),
			    (size_t)(end - line) - strlen(name));

			challenge_add(c, value);
		}
	}
}

/* The realm with service and scope as its query. */
static char *
token_url(const struct challenge *c)
{
	char *service = curl_easy_escape(NULL, c->service, 0);
	char *scope = curl_easy_escape(NULL, c->scope, 0);
	char *url;

	if (service == NULL || scope == NULL)
		abort();
	url = xasprintf("%s%s%s%s%s%s", c->realm, strchr(c->realm, '?') != NULL ? "&" : "?",
	    c->service[0] != '\0' ? "service=" : "", service,
	    c->scope[0] != '\0' ? "&scope=" : "", scope);
	curl_free(service);
	curl_free(scope);
	return url;
}

static int
token_keep(struct repository *r, const struct buf *body, struct error *err)
{
	cleanup(json_unref) json_t *answer = NULL;
	const char *token;

	if ((answer = json_read(buf_str(body), body->len, DEPTH_MAX, err)) == NULL)
		return -1;
	token = json_string_or(answer, "token", json_string_or(answer, "access_token", NULL));
	if (token == NULL || token[0] == '\0')
		return error_set(err, ERROR_REMOTE, "the answer holds no token");
	if (strlen(token) > TOKEN_MAX || strpbrk(token, "\r\n") != NULL)
		return error_set(err, ERROR_REMOTE, "the answer's token cannot be used");
	token_forget(r);
	r->token = xstrdup(token);
	return 0;
}

static int
token_get(struct repository *r, const struct challenge *c, const struct deadline *d,
    struct error *err)
{
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *url = token_url(c);
	cleanup(free_p) char *shown = http_url_shown(c->realm);
	struct fetch_request f = { .url = url, .username = r->options.username,
	    .password = r->options.password, .plain_http = r->options.plain_http,
	    .body_max = TOKEN_ANSWER_MAX };

	if (!fetch_url_allowed(c->realm, r->options.plain_http))
		return error_set(err, ERROR_REMOTE, "%s: asks to log in at '%s', which is not https",
		    r->at->host, shown);
	if (fetch_get(r->http, &f, &response, d, err) == -1)
		return -1;
	if (response.status == 401 || response.status == 403)
		return error_set(err, ERROR_CREDENTIALS, "%s: the login was refused, HTTP status %ld",
		    shown, response.status);
	if (response.status != 200)
		return error_set(err, ERROR_REMOTE, "%s: HTTP status %ld", shown, response.status);
	return token_keep(r, &response.body, err) == -1 ? error_prefix(err, "%s", shown) : 0;
}

/* After a 401. */
static int
login(struct repository *r, const struct http_response *response, const struct deadline *d,
    struct error *err)
{
	struct challenge c = CHALLENGE_INIT;

	challenges_read(response, &c);
	if (c.bearer)
		return token_get(r, &c, d, err);
	if (!c.basic)
		return error_set(err, ERROR_CREDENTIALS, "%s: asks for a login of an unknown kind",
		    r->at->host);
	if (r->options.username == NULL)
		return error_set(err, ERROR_CREDENTIALS, "%s: asks for a login, and none is given",
		    r->at->host);
	if (r->basic)
		return error_set(err, ERROR_CREDENTIALS, "%s: the login was refused", r->at->host);
	r->basic = true;
	return 0;
}

/* GET of a path below the repository, logging in where that is asked for. */
static int
get(struct repository *r, const char *path, const char *accept, struct spool *spool,
    struct http_response *response, const struct deadline *d, struct error *err)
{
	cleanup(free_p) char *url = xasprintf("%s://%s/v2/%s/%s",
	    r->options.plain_http ? "http" : "https", r->at->host, r->at->name, path);
	struct fetch_request f = { .url = url, .accept = accept, .spool = spool,
	    .plain_http = r->options.plain_http, .body_max = CONFIG_MAX };
	unsigned int logins;

	for (logins = 0;; logins++) {
		f.bearer = r->token;
		f.username = r->basic && r->token == NULL ? r->options.username : NULL;
		f.password = r->options.password;
		if (fetch_get(r->http, &f, response, d, err) == -1)
			return -1;
		if (response->status != 401)
			return 0;
		if (logins == LOGINS_MAX)
			return error_set(err, ERROR_CREDENTIALS,
			    "%s: refused even after a login", url);
		if (login(r, response, d, err) == -1)
			return -1;
	}
}

static int
status_check(const struct repository *r, const char *what, long status, struct error *err)
{
	enum error_kind kind = status == 404 ? ERROR_MISSING :
	    status == 403 ? ERROR_CREDENTIALS : ERROR_REMOTE;

	if (status == 200 || status == 206)
		return 0;
	return error_set(err, kind, "%s/%s: %s: HTTP status %ld", r->at->host, r->at->name, what,
	    status);
}

void
repository_manifest_done(struct repository_manifest *m)
{
	buf_done(&m->body);
	free(m->type);
}

/* The media type without its parameters; NULL when it says nothing of use. */
static char *
content_type(const struct http_response *response)
{
	char type[256];

	if (!http_header(response, "content-type", type, sizeof(type)))
		return NULL;
	type[strcspn(type, "; \t")] = '\0';
	return manifest_type_known(type) ? xstrdup(type) : NULL;
}

static int
digests_agree(const char *reference, const char *digest, const struct http_response *response,
    struct error *err)
{
	char told[DIGEST_SIZE + 64];

	if (digest_valid(reference) && strcmp(reference, digest) != 0)
		return error_set(err, ERROR_REMOTE, "%s: bytes of another digest came, %s",
		    reference, digest);
	if (http_header(response, "docker-content-digest", told, sizeof(told)) &&
	    digest_valid(told) && strcmp(told, digest) != 0)
		return error_set(err, ERROR_REMOTE, "manifest '%s' is called %s, and its digest "
		    "is %s", reference, told, digest);
	return 0;
}

int
repository_manifest(struct repository *r, const char *reference, struct repository_manifest *out,
    const struct deadline *d, struct error *err)
{
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *path = xasprintf("manifests/%s", reference);
	char digest[DIGEST_SIZE];

	if (get(r, path, ACCEPT, NULL, &response, d, err) == -1 ||
	    status_check(r, path, response.status, err) == -1)
		return -1;
	if (response.body.len > MANIFEST_MAX)
		return error_set(err, ERROR_REMOTE, "%s/%s: manifest '%s' has more than %u bytes",
		    r->at->host, r->at->name, reference, MANIFEST_MAX);
	digest_of(buf_str(&response.body), response.body.len, digest);
	if (digests_agree(reference, digest, &response, err) == -1)
		return error_prefix(err, "%s/%s", r->at->host, r->at->name);
	out->body = response.body;
	response.body = (struct buf)BUF_INIT;
	out->type = content_type(&response);
	memcpy(out->digest, digest, sizeof(digest));
	return 0;
}

int
repository_referrers(struct repository *r, const char *digest, struct buf *out,
    const struct deadline *d, struct error *err)
{
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *path = xasprintf("referrers/%s", digest);

	if (get(r, path, "Accept: " TYPE_OCI_INDEX, NULL, &response, d, err) == -1)
		return -1;
	/* Registries that are older than this part of the API answer in many ways. */
	if (response.status / 100 == 4)
		return error_set(err, ERROR_MISSING, "%s: no referrers", r->at->host);
	if (status_check(r, path, response.status, err) == -1)
		return -1;
	if (!buf_add(out, buf_str(&response.body), response.body.len))
		return error_set(err, ERROR_REMOTE, "%s: more than %u bytes", path, MANIFEST_MAX);
	return 0;
}

int
repository_config(struct repository *r, const char *digest, struct buf *out,
    const struct deadline *d, struct error *err)
{
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *path = xasprintf("blobs/%s", digest);

	if (get(r, path, NULL, NULL, &response, d, err) == -1 ||
	    status_check(r, path, response.status, err) == -1)
		return -1;
	if (!buf_add(out, buf_str(&response.body), response.body.len))
		return error_set(err, ERROR_REMOTE, "more than %u bytes", CONFIG_MAX);
	return 0;
}

int
repository_blob(struct repository *r, const char *digest, uint64_t size, struct spool *spool,
    struct extent *out, const struct deadline *d, struct error *err)
{
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup(free_p) char *path = xasprintf("blobs/%s", digest);
	char made[DIGEST_SIZE];

	if (get(r, path, NULL, spool, &response, d, err) == -1)
		return error_prefix(err, "%s", digest);
	if (status_check(r, path, response.status, err) == -1)
		return -1;
	if (size != SIZE_UNKNOWN && spool_size(spool) != size)
		return error_set(err, ERROR_REMOTE, "%s/%s: %s: %ju bytes came, not %ju", r->at->host,
		    r->at->name, digest, (uintmax_t)spool_size(spool), (uintmax_t)size);
	spool_digest(spool, made);
	if (strcmp(made, digest) != 0)
		return error_set(err, ERROR_REMOTE, "%s/%s: %s: bytes of another digest came, %s",
		    r->at->host, r->at->name, digest, made);
	spool_take(spool, out);
	return 0;
}
