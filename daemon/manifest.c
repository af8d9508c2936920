#include "daemon/manifest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/json.h"

#define DEPTH_MAX 32
#define TYPE_MAX 256			/* bytes of a media type */
#define TEXT_MAX 1024			/* of a platform or a name */

static void
descriptor_done(struct descriptor *d)
{
	free(d->digest);
	free(d->type);
	free(d->platform);
	free(d->name);
}

static void
descriptors_done(struct descriptors *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		descriptor_done(&list->list[i]);
	free(list->list);
}

void
manifest_done(struct manifest *m)
{
	free(m->type);
	descriptor_done(&m->config);
	descriptors_done(&m->layers);
	descriptors_done(&m->children);
	descriptor_done(&m->subject);
	memset(m, 0, sizeof(*m));
}

static int
digest_read(const json_t *object, const char *key, char **out, struct error *err)
{
	const char *digest = json_get_string(object, key, err);

	if (digest == NULL)
		return -1;
	if (!digest_valid(digest))
		return error_set(err, ERROR_INPUT, "'%s' is no sha256 digest: '%.100s'", key, digest);
	*out = xstrdup(digest);
	return 0;
}

static char *
short_text(const char *s, size_t max)
{
	return s != NULL && strlen(s) <= max ? xstrdup(s) : NULL;
}

/* "linux/arm64/v8"; NULL: no platform is given. */
static char *
platform_text(const json_t *platform)
{
	const char *os = json_string_or(platform, "os", NULL);
	const char *architecture = json_string_or(platform, "architecture", NULL);
	const char *variant = json_string_or(platform, "variant", NULL);

	if (os == NULL || architecture == NULL ||
	    strlen(os) + strlen(architecture) + (variant != NULL ? strlen(variant) : 0) > TEXT_MAX)
		return NULL;
	return xasprintf("%s/%s%s%s", os, architecture, variant != NULL ? "/" : "",
	    variant != NULL ? variant : "");
}

static int
descriptor_read(const json_t *j, struct descriptor *out, struct error *err)
{
	const json_t *annotations = json_object_get(j, "annotations");
	int64_t size;

	if (!json_is_object(j))
		return error_set(err, ERROR_INPUT, "a descriptor is not an object");
	if (digest_read(j, "digest", &out->digest, err) == -1)
		return -1;
	if (json_get_int(j, "size", &size, err) == -1)
		return error_prefix(err, "%s", out->digest);
	if (size < 0)
		return error_set(err, ERROR_INPUT, "%s: its size is negative", out->digest);
	out->size = (uint64_t)size;
	out->type = short_text(json_string_or(j, "mediaType", NULL), TYPE_MAX);
	out->platform = platform_text(json_object_get(j, "platform"));
	out->name = short_text(json_string_or(annotations,
	    "org.opencontainers.image.ref.name", NULL), TEXT_MAX);
	out->foreign = json_array_size(json_object_get(j, "urls")) > 0;
	return 0;
}

static int
list_read(const json_t *root, const char *key, struct descriptors *out,
    int (*read_one)(const json_t *, struct descriptor *, struct error *), struct error *err)
{
	const json_t *array = json_get_array(root, key, err);
	size_t i, n = json_array_size(array);

	if (array == NULL)
		return -1;
	if (n > MANIFEST_ENTRIES_MAX)
		return error_set(err, ERROR_INPUT, "'%s' has more than %u entries", key,
		    MANIFEST_ENTRIES_MAX);
	out->list = xcalloc(n > 0 ? n : 1, sizeof(*out->list));
	for (i = 0; i < n; i++) {
		out->n = i + 1;
		if (read_one(json_array_get(array, i), &out->list[i], err) == -1)
			return error_prefix(err, "'%s'", key);
	}
	return 0;
}

static int
image_read(const json_t *root, struct manifest *m, struct error *err)
{
	const json_t *config = json_get_object(root, "config", err);

	m->kind = MANIFEST_IMAGE;
	if (config == NULL)
		return -1;
	if (descriptor_read(config, &m->config, err) == -1)
		return error_prefix(err, "'config'");
	return list_read(root, "layers", &m->layers, descriptor_read, err);
}

static int
fs_layer_read(const json_t *j, struct descriptor *out, struct error *err)
{
	out->size = SIZE_UNKNOWN;
	out->type = xstrdup(TYPE_DOCKER_LAYER);
	return digest_read(j, "blobSum", &out->digest, err);
}

/* Schema 1 names the topmost layer first. */
static int
schema1_read(const json_t *root, struct manifest *m, struct error *err)
{
	struct descriptor d;
	size_t i;

	m->kind = MANIFEST_SCHEMA1;
	if (list_read(root, "fsLayers", &m->layers, fs_layer_read, err) == -1)
		return -1;
	for (i = 0; i < m->layers.n / 2; i++) {
		d = m->layers.list[i];
		m->layers.list[i] = m->layers.list[m->layers.n - 1 - i];
		m->layers.list[m->layers.n - 1 - i] = d;
	}
	return 0;
}

/* One document that is both an image and an index means different things to different readers
 * (CVE-2021-41190). */
static int
kind_read(const json_t *root, struct manifest *m, struct error *err)
{
	bool layers = json_object_get(root, "layers") != NULL;
	bool children = json_object_get(root, "manifests") != NULL;
	bool schema1 = json_int_or(root, "schemaVersion", 0) == 1;

	if (!json_is_object(root))
		return error_set(err, ERROR_INPUT, "not a JSON object");
	if (layers + children + schema1 > 1)
		return error_set(err, ERROR_INPUT, "a manifest and an index at once");
	if (schema1)
		return schema1_read(root, m, err);
	if (json_int_or(root, "schemaVersion", 0) != 2)
		return error_set(err, ERROR_INPUT, "'schemaVersion' is neither 1 nor 2");
	if (!children)
		return image_read(root, m, err);
	m->kind = MANIFEST_INDEX;
	return list_read(root, "manifests", &m->children, descriptor_read, err);
}

static bool
type_of_kind(const char *type, enum manifest_kind kind)
{
	switch (kind) {
	case MANIFEST_IMAGE:
		return strcmp(type, TYPE_OCI_MANIFEST) == 0 || strcmp(type, TYPE_DOCKER_MANIFEST) == 0;
	case MANIFEST_INDEX:
		return strcmp(type, TYPE_OCI_INDEX) == 0 || strcmp(type, TYPE_DOCKER_LIST) == 0;
	case MANIFEST_SCHEMA1:
		return strcmp(type, TYPE_DOCKER_SCHEMA1) == 0;
	}
	return false;
}

bool
manifest_type_known(const char *type)
{
	return type_of_kind(type, MANIFEST_IMAGE) || type_of_kind(type, MANIFEST_INDEX) ||
	    type_of_kind(type, MANIFEST_SCHEMA1);
}

static int
type_read(const json_t *root, const char *type, struct manifest *m, struct error *err)
{
	static const char *const usual[] = {
		[MANIFEST_IMAGE] = TYPE_OCI_MANIFEST,
		[MANIFEST_INDEX] = TYPE_OCI_INDEX,
		[MANIFEST_SCHEMA1] = TYPE_DOCKER_SCHEMA1,
	};
	const char *own = json_string_or(root, "mediaType", NULL);

	if (own != NULL && type != NULL && strcmp(own, type) != 0)
		return error_set(err, ERROR_INPUT, "called '%s' but is '%s'", type, own);
	if (own == NULL)
		own = type != NULL ? type : usual[m->kind];
	if (!type_of_kind(own, m->kind))
		return error_set(err, ERROR_INPUT, "its content does not suit its type '%.100s'", own);
	m->type = xstrdup(own);
	return 0;
}

static int
subject_read(const json_t *root, struct manifest *m, struct error *err)
{
	const json_t *subject = json_object_get(root, "subject");

	if (subject == NULL || json_is_null(subject))
		return 0;
	return descriptor_read(subject, &m->subject, err) == -1 ? error_prefix(err, "'subject'") : 0;
}

static json_t *
document(const char *data, size_t len, struct error *err)
{
	if (len > MANIFEST_MAX) {
		error_set(err, ERROR_INPUT, "%zu bytes, and a manifest has at most %u", len,
		    MANIFEST_MAX);
		return NULL;
	}
	return json_read(data, len, DEPTH_MAX, err);
}

int
manifest_parse(const char *data, size_t len, const char *type, struct manifest *out,
    struct error *err)
{
	cleanup(json_unref) json_t *root = document(data, len, err);
	cleanup(manifest_done) struct manifest m = { 0 };

	if (root == NULL || kind_read(root, &m, err) == -1 ||
	    type_read(root, type, &m, err) == -1 || subject_read(root, &m, err) == -1)
		return -1;
	*out = m;
	memset(&m, 0, sizeof(m));
	return 0;
}

/* Base64 as JWS writes it: '-' and '_', no padding (RFC 7515). NULL when it is not. */
static unsigned char *
base64url_decode(const char *text, size_t *len)
{
	size_t n = strlen(text), padded = (n + 3) / 4 * 4, i;
	cleanup(free_p) unsigned char *in = xcalloc(padded + 1, 1);
	cleanup(free_p) unsigned char *out = xcalloc(padded + 1, 1);

	for (i = 0; i < padded; i++) {
		in[i] = i < n ? (unsigned char)text[i] : '=';
		if (in[i] == '-')
			in[i] = '+';
		else if (in[i] == '_')
			in[i] = '/';
	}
	if (n % 4 == 1 || padded > INT32_MAX || EVP_DecodeBlock(out, in, (int)padded) == -1)
		return NULL;
	*len = padded / 4 * 3 - (padded - n);
	return steal(out);
}

static const char *
protected_header(const json_t *root, struct error *err)
{
	const json_t *signatures = json_get_array(root, "signatures", err);

	if (signatures == NULL)
		return NULL;
	return json_get_string(json_array_get(signatures, 0), "protected", err);
}

/* The payload is the file's first formatLength bytes and then formatTail, both told by the
 * protected header of its signature (libtrust's "pretty" form). */
static int
payload_digest(const char *data, size_t len, const char *protected, char out[DIGEST_SIZE],
    struct error *err)
{
	cleanup(buf_done) struct buf payload = BUF_INIT;
	cleanup(free_p) unsigned char *header = NULL, *tail = NULL;
	cleanup(json_unref) json_t *j = NULL;
	size_t header_len, tail_len;
	const char *tail_text;
	int64_t cut;

	if ((header = base64url_decode(protected, &header_len)) == NULL)
		return error_set(err, ERROR_INPUT, "the signature's header is not base64");
	if ((j = json_read((char *)header, header_len, DEPTH_MAX, err)) == NULL ||
	    json_get_int(j, "formatLength", &cut, err) == -1 ||
	    (tail_text = json_get_string(j, "formatTail", err)) == NULL)
		return error_prefix(err, "the signature's header");
	if (cut < 0 || (uint64_t)cut > len || (tail = base64url_decode(tail_text, &tail_len)) == NULL)
		return error_set(err, ERROR_INPUT, "the signature's header does not fit the text");
	buf_add(&payload, data, (size_t)cut);
	buf_add(&payload, tail, tail_len);
	digest_of(payload.data != NULL ? payload.data : "", payload.len, out);
	return 0;
}

int
manifest_digest(const char *data, size_t len, const struct manifest *m, char out[DIGEST_SIZE],
    struct error *err)
{
	cleanup(json_unref) json_t *root = NULL;
	const char *protected;

	if (m->kind != MANIFEST_SCHEMA1) {
		digest_of(data, len, out);
		return 0;
	}
	if ((root = document(data, len, err)) == NULL ||
	    (protected = protected_header(root, err)) == NULL)
		return -1;
	return payload_digest(data, len, protected, out, err);
}

void
strings_free(char **ids, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(ids[i]);
	free(ids);
}

int
config_diff_ids(const char *data, size_t len, char ***out, size_t *n_out, struct error *err)
{
	cleanup(json_unref) json_t *root = json_read(data, len, DEPTH_MAX, err);
	const json_t *list = json_object_get(json_object_get(root, "rootfs"), "diff_ids");
	size_t i, n = json_array_size(list);
	const char *id;
	char **ids;

	if (root == NULL)
		return -1;
	if (n > MANIFEST_ENTRIES_MAX)
		return error_set(err, ERROR_INPUT, "more than %u diff_ids", MANIFEST_ENTRIES_MAX);
	ids = xcalloc(n + 1, sizeof(*ids));
	for (i = 0; i < n; i++) {
		id = json_string_value(json_array_get(list, i));
		if (id == NULL || !digest_valid(id)) {
			strings_free(ids, i);
			return error_set(err, ERROR_INPUT, "a diff_id is no sha256 digest");
		}
		ids[i] = xstrdup(id);
	}
	*out = ids;
	*n_out = n;
	return 0;
}
