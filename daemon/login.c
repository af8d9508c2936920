#include "daemon/login.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/json.h"
#include "daemon/atomic-file.h"
#include "daemon/credential.h"

#define DEPTH_MAX 16
#define DOCKER_HUB "docker.io"

/* How the object with a key is written: as the place itself, or as docker once wrote hosts,
 * "https://HOST/v1/". */
enum key_form { KEY_PLACE, KEY_HOST_URL };

static void
wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->size);
	buf_done(b);
}

void
login_done(struct login *login)
{
	wipe(login->username);
	wipe(login->password);
	*login = (struct login)LOGIN_INIT;
}

/* Docker's own registry has several hosts and one login. */
static char *
place_with_host(const char *place)
{
	static const char *const hubs[] = { "index.docker.io", "registry-1.docker.io" };
	size_t n = strcspn(place, "/"), i;

	for (i = 0; i < sizeof(hubs) / sizeof(hubs[0]); i++)
		if (n == strlen(hubs[i]) && strncasecmp(place, hubs[i], n) == 0)
			return xasprintf(DOCKER_HUB "%s", place + n);
	return xstrdup(place);
}

/* The place that a key is for; NULL: none in that form. */
static char *
key_place(const char *key, enum key_form form)
{
	cleanup(free_p) char *host = NULL;
	const char *rest = strncmp(key, "https://", 8) == 0 ? key + 8 :
	    strncmp(key, "http://", 7) == 0 ? key + 7 : NULL;

	if (form == KEY_PLACE)
		return rest == NULL ? place_with_host(key) : NULL;
	if (rest == NULL)
		return NULL;
	host = xstrndup(rest, strcspn(rest, "/"));
	return place_with_host(host);
}

/* Hosts know no case, names do. */
static bool
same_place(const char *a, const char *b)
{
	size_t n = strcspn(a, "/");

	return n == strcspn(b, "/") && strncasecmp(a, b, n) == 0 && strcmp(a + n, b + n) == 0;
}

/* The member of `map` whose key is for that place; *key is lent. NULL: there is none. */
static json_t *
member_for(json_t *map, const char *place, const char **key)
{
	enum key_form form;
	json_t *value;

	for (form = KEY_PLACE; form <= KEY_HOST_URL; form++) {
		json_object_foreach(map, *key, value) {
			cleanup(free_p) char *at = key_place(*key, form);

			if (at != NULL && same_place(at, place))
				return value;
		}
	}
	return NULL;
}

static int
useless(struct error *err, const char *key, const char *why)
{
	return error_set(err, ERROR_INPUT, "the login for '%s' %s; log in there again with a "
	    "username and a password or token, as `skopeo login --authfile` writes them", key, why);
}

/* base64 of "USERNAME:PASSWORD". */
static int
auth_decode(const char *auth, struct login *out)
{
	size_t len = strlen(auth), size;
	unsigned char *plain;
	char *colon;
	int n;

	if (len == 0 || len % 4 != 0 || len > LOGIN_FILE_MAX)
		return -1;
	plain = xcalloc(1, len / 4 * 3 + 1);
	if ((n = EVP_DecodeBlock(plain, (const unsigned char *)auth, (int)len)) == -1) {
		free(plain);
		return -1;
	}
	size = (size_t)n - (auth[len - 1] == '=') - (auth[len - 2] == '=');
	/* Some writers put NULs at its end, see docker's config.json. */
	while (size > 0 && plain[size - 1] == '\0')
		size--;
	plain[size] = '\0';
	colon = strchr((char *)plain, ':');
	if (colon == NULL || colon == (char *)plain || strlen((char *)plain) != size) {
		explicit_bzero(plain, size);
		free(plain);
		return -1;
	}
	login_done(out);
	out->username = xstrndup((char *)plain, (size_t)(colon - (char *)plain));
	out->password = xstrdup(colon + 1);
	wipe((char *)plain);
	return 0;
}

static int
entry_read(const json_t *file, const char *key, const json_t *entry, struct login *out,
    struct error *err)
{
	const char *auth = json_string_or(entry, "auth", "");

	if (json_string_or(entry, "identitytoken", "")[0] != '\0')
		return useless(err, key, "is an identity token, which raasd does not use");
	if (auth[0] == '\0' && json_string_or(file, "credsStore", "")[0] != '\0')
		return useless(err, key, "is kept by a helper (credsStore), which raasd does not run");
	if (auth[0] == '\0')
		return useless(err, key, "has no 'auth'");
	return auth_decode(auth, out) == 0 ? 0
	    : useless(err, key, "is not 'auth': base64 of USERNAME:PASSWORD");
}

/* *found: the file says something about this very place. */
static int
find_at(const json_t *file, const char *place, bool *found, struct login *out, struct error *err)
{
	const json_t *entry;
	const char *key;

	*found = true;
	if (member_for(json_object_get(file, "credHelpers"), place, &key) != NULL)
		return useless(err, key, "is kept by a helper (credHelpers), which raasd does not "
		    "run");
	if ((entry = member_for(json_object_get(file, "auths"), place, &key)) != NULL)
		return entry_read(file, key, entry, out, err);
	*found = false;
	return 0;
}

int
login_find(const char *text, size_t len, const char *place, struct login *out,
    struct error *err)
{
	struct error why = ERROR_INIT;
	cleanup(json_unref) json_t *file = json_read(text, len, DEPTH_MAX, &why);
	cleanup(free_p) char *at = place_with_host(place);
	bool found = false;
	char *slash;

	/* What comes behind the place quotes the text. */
	if (file == NULL)
		return error_set(err, ERROR_INPUT, "%.*s", (int)strcspn(why.text, ":"), why.text);
	if (!json_is_object(file))
		return error_set(err, ERROR_INPUT, "not an object with 'auths', see "
		    "containers-auth.json(5)");
	for (;;) {
		if (find_at(file, at, &found, out, err) == -1)
			return -1;
		if (found || (slash = strrchr(at, '/')) == NULL)
			return 0;
		*slash = '\0';
	}
}

int
login_read(const char *file, const char *credentials_dir, const char *place, struct login *out,
    struct error *err)
{
	cleanup(buf_wipe) struct buf text = BUF_INIT;
	const char *name = credential_name(file);
	int status;

	status = name != NULL ? credential_read(credentials_dir, name, &text, err)
	    : atomic_file_read(AT_FDCWD, file, LOGIN_FILE_MAX, &text, err);
	if (status == 0)
		status = login_find(buf_str(&text), text.len, place, out, err);
	return status == -1 ? error_prefix(err, "publish.auth_file '%s'", file) : 0;
}
