#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/digest.h"
#include "daemon/manifest.h"
#include "daemon/s3-sign.h"
#include "daemon/validate-ask.h"

#define DEPTH_MAX 4		/* of JSON that is no manifest */
#define TAGS_BYTES_MAX (4u << 20)
#define NESTING_MAX 4		/* of an index in an index */

/* containers/image sends one line, containerd and docker one for each, in any order. A client
 * from before lists knows the last two. */
static const char *const accept_one_line[] = {
	"Accept: " TYPE_OCI_MANIFEST ", " TYPE_DOCKER_MANIFEST ", " TYPE_DOCKER_SCHEMA1 ", "
	TYPE_DOCKER_LIST ", " TYPE_OCI_INDEX, NULL,
};
static const char *const accept_lines[] = {
	"Accept: " TYPE_OCI_INDEX, "Accept: " TYPE_DOCKER_MANIFEST, "Accept: " TYPE_OCI_MANIFEST,
	"Accept: " TYPE_DOCKER_LIST, "Accept: " TYPE_DOCKER_SCHEMA1, "Accept: */*", NULL,
};
static const char *const accept_old[] = {
	"Accept: " TYPE_DOCKER_MANIFEST ", " TYPE_DOCKER_SCHEMA1, NULL,
};

/* What a manifest should be; NULL, or CRANE_SIZE_UNKNOWN: nothing is known of it. */
struct expected {
	const char	*digest;
	const char	*type;
	uint64_t	 size;
};

/* A manifest as it came. */
struct found {
	struct manifest	 manifest;
	char		 digest[DIGEST_SIZE];
	size_t		 len;
};

static void
found_done(struct found *f)
{
	manifest_done(&f->manifest);
}

static char *
join(const struct pull *p, const char *kind, const char *reference)
{
	struct buf path = BUF_INIT;
	const char *rest;

	buf_printf(&path, "%s%s/", p->path, kind);
	/* The ':' of a digest stays, as clients send it. */
	rest = strchr(reference, ':');
	if (rest != NULL) {
		cleanup(free_p) char *first = xstrndup(reference, (size_t)(rest - reference));

		s3_encode(&path, first, false);
		buf_add_str(&path, ":");
		rest++;
	} else {
		rest = reference;
	}
	s3_encode(&path, rest, false);
	return buf_take(&path);
}

/* ---- blobs ---- */

/* Go's HTTP client unpacks what says that it is packed, and its digest is then another. */
static int
check_encoding(struct pull *p, const struct reply *reply)
{
	char encoding[64];

	if (http_header(&reply->http, "content-encoding", encoding, sizeof(encoding)) &&
	    strcmp(encoding, "identity") != 0)
		return pull_fault(p, VALIDATE_DIGEST, "%s: 'Content-Encoding: %s' makes clients "
		    "unpack it", reply->where, encoding);
	return 0;
}

static int
check_size(struct pull *p, const struct reply *reply, uint64_t got, uint64_t wanted)
{
	if (wanted == CRANE_SIZE_UNKNOWN || got == wanted)
		return 0;
	return pull_fault(p, VALIDATE_SIZE, "%s: %ju bytes, should be %ju", reply->where,
	    (uintmax_t)got, (uintmax_t)wanted);
}

static int
download_blob(struct pull *p, const char *path, const char *digest, uint64_t *size)
{
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	struct pull_count count = { .limit = *size };
	struct question q = { .path = path, .begin = pull_count_begin, .sink = pull_count_add,
	    .sink_arg = &count };
	char got[DIGEST_SIZE] = DIGEST_PREFIX;
	int result;

	count.digest = digest_stream_new();
	result = pull_ask(p, &q, &reply);
	digest_stream_hex(count.digest, got + strlen(DIGEST_PREFIX));
	digest_stream_free(count.digest);
	if (result == -1 || check_encoding(p, &reply) == -1 ||
	    check_size(p, &reply, count.n, *size) == -1)
		return -1;
	if (strcmp(got, digest) != 0)
		return pull_fault(p, VALIDATE_DIGEST, "%s: its bytes are %s", reply.where, got);
	*size = count.n;
	return 0;
}

static int
look_at_blob(struct pull *p, const char *path, const char *digest, uint64_t *size)
{
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	struct question q = { .method = "HEAD", .path = path };
	uint64_t length;

	if (p->options->deep)
		return download_blob(p, path, digest, size);
	if (pull_ask(p, &q, &reply) == -1 || check_encoding(p, &reply) == -1)
		return -1;
	if ((length = reply_length(&reply)) == CRANE_SIZE_UNKNOWN)
		return download_blob(p, path, digest, size);
	if (check_size(p, &reply, length, *size) == -1)
		return -1;
	*size = length;
	return 0;
}

static int
check_blob(struct pull *p, const char *what, const struct descriptor *d)
{
	cleanup(free_p) char *path = join(p, "blobs", d->digest);
	const char *outer = p->about;
	cleanup(free_p) char *about = xasprintf("%s: %s", outer, what);
	uint64_t size = d->size;

	/* A layer with urls of its own is not asked of the registry. */
	if (d->foreign || !crane_ids_insert(&p->seen, path))
		return 0;
	p->about = about;
	if (look_at_blob(p, path, d->digest, &size) == -1)
		return -1;
	p->about = outer;
	pull_note(p, VALIDATE_BLOB, size, "%s %s", what, d->digest);
	return 0;
}

/* ---- manifests ---- */

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* Another manifest than the metadata names. Was it meant, by a redirector that has other metadata,
 * or are there wrong bytes in the right place? */
static int
other_manifest(struct pull *p, const struct reply *reply, const char *reference,
    const struct expected *want, const char *got)
{
	bool right_place = reply->redirected &&
	    (ends_with(reply->where, reference) || ends_with(reply->where, want->digest));

	return pull_fault(p, right_place ? VALIDATE_DIGEST : VALIDATE_METADATA,
	    "%s: is %s, should be %s", reply->where, got, want->digest);
}

static int
check_type(struct pull *p, const struct reply *reply, const char *wanted, char *type,
    size_t type_size)
{
	if (!http_header(&reply->http, "content-type", type, type_size))
		return pull_fault(p, VALIDATE_TYPE, "%s: no Content-Type", reply->where);
	if (wanted != NULL && strcmp(type, wanted) != 0)
		return pull_fault(p, VALIDATE_TYPE, "%s: Content-Type is '%s', should be '%s'",
		    reply->where, type, wanted);
	if (!manifest_type_known(type))
		return pull_fault(p, VALIDATE_TYPE, "%s: Content-Type '%s' is no manifest's",
		    reply->where, type);
	return 0;
}

/* The header, where there is one, has the same digest as the bytes. */
static int
check_header(struct pull *p, const struct reply *reply, const char *digest)
{
	char told[256];

	if (!http_header(&reply->http, "docker-content-digest", told, sizeof(told)) ||
	    strcmp(told, digest) == 0)
		return 0;
	return pull_fault(p, VALIDATE_DIGEST, "%s: Docker-Content-Digest is '%s', of bytes that are "
	    "%s", reply->where, told, digest);
}

static int
read_manifest(struct pull *p, const struct reply *reply, const char *reference,
    const struct expected *want, const char *type, struct found *out)
{
	const struct buf *body = &reply->http.body;
	struct error err = ERROR_INIT;

	out->len = body->len;
	digest_of(buf_str(body), body->len, out->digest);
	if (manifest_parse(buf_str(body), body->len, type, &out->manifest, &err) == -1 ||
	    manifest_digest(buf_str(body), body->len, &out->manifest, out->digest, &err) == -1) {
		if (want->digest != NULL && strcmp(out->digest, want->digest) != 0)
			return pull_fault(p, VALIDATE_DIGEST, "%s: its bytes are %s, should be %s",
			    reply->where, out->digest, want->digest);
		return pull_fault(p, VALIDATE_TYPE, "%s: %s", reply->where, err.text);
	}
	if (want->digest != NULL && strcmp(out->digest, want->digest) != 0)
		return other_manifest(p, reply, reference, want, out->digest);
	if (check_size(p, reply, body->len, want->size) == -1)
		return -1;
	return check_header(p, reply, out->digest);
}

static int
get_manifest(struct pull *p, const char *reference, const char *const *accept,
    const struct expected *want, struct found *out)
{
	cleanup(free_p) char *path = join(p, "manifests", reference);
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	struct question q = { .path = path, .headers = accept, .body_max = MANIFEST_MAX };
	char type[256];

	if (pull_ask(p, &q, &reply) == -1 || check_encoding(p, &reply) == -1 ||
	    check_type(p, &reply, want->type, type, sizeof(type)) == -1)
		return -1;
	return read_manifest(p, &reply, reference, want, type, out);
}

/* A HEAD says the same as the GET did, as far as it says anything. */
static int
head_manifest(struct pull *p, const char *reference, const struct found *got)
{
	cleanup(free_p) char *path = join(p, "manifests", reference);
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	struct question q = { .method = "HEAD", .path = path, .headers = accept_lines };
	uint64_t length;
	char type[256];

	if (pull_ask(p, &q, &reply) == -1 ||
	    check_type(p, &reply, got->manifest.type, type, sizeof(type)) == -1 ||
	    check_header(p, &reply, got->digest) == -1)
		return -1;
	length = reply_length(&reply);
	return check_size(p, &reply, length,
	    length != CRANE_SIZE_UNKNOWN ? got->len : CRANE_SIZE_UNKNOWN);
}

static int check_tree(struct pull *, const struct expected *, const char *platform,
    unsigned int depth);

static int
check_children(struct pull *p, const struct manifest *m, unsigned int depth)
{
	size_t i;

	for (i = 0; i < m->children.n; i++) {
		const struct descriptor *child = &m->children.list[i];

		if (check_tree(p, &(struct expected){ child->digest, child->type, child->size },
		    child->platform, depth + 1) == -1)
			return -1;
	}
	return 0;
}

static int
check_blobs(struct pull *p, const struct manifest *m)
{
	size_t i;

	if (m->kind == MANIFEST_IMAGE && check_blob(p, "config", &m->config) == -1)
		return -1;
	for (i = 0; i < m->layers.n; i++)
		if (check_blob(p, "layer", &m->layers.list[i]) == -1)
			return -1;
	return 0;
}

/* The manifest by its digest, and all that hangs on it. */
static int
check_tree(struct pull *p, const struct expected *want, const char *platform, unsigned int depth)
{
	cleanup(free_p) char *about = xasprintf("manifest %s%s%s", want->digest,
	    platform != NULL ? ", " : "", platform != NULL ? platform : "");
	cleanup(found_done) struct found found = { .len = 0 };
	const char *outer = p->about;

	if (!crane_ids_insert(&p->seen, want->digest))
		return 0;
	p->about = about;
	if (depth > NESTING_MAX)
		return pull_fault(p, VALIDATE_TYPE, "an index in an index, more than %d deep",
		    NESTING_MAX);
	if (get_manifest(p, want->digest, accept_lines, want, &found) == -1 ||
	    check_blobs(p, &found.manifest) == -1)
		return -1;
	pull_note(p, VALIDATE_MANIFEST, CRANE_SIZE_UNKNOWN, "%s%s%s", want->digest,
	    platform != NULL ? ", " : "", platform != NULL ? platform : "");
	if (check_children(p, &found.manifest, depth) == -1)
		return -1;
	p->about = outer;
	return 0;
}

/* ---- tags ---- */

/* Both ways to say what is accepted give the same, and so does HEAD; then by digest. */
static int
check_tag(struct pull *p, const char *tag, const struct expected *want)
{
	cleanup(free_p) char *about = xasprintf("tag '%s'", tag);
	cleanup(found_done) struct found first = { .len = 0 }, second = { .len = 0 };
	struct expected same;

	p->about = about;
	if (get_manifest(p, tag, accept_one_line, want, &first) == -1)
		return -1;
	same = (struct expected){ first.digest, first.manifest.type, first.len };
	if (get_manifest(p, tag, accept_lines, &same, &second) == -1 ||
	    head_manifest(p, tag, &first) == -1)
		return -1;
	pull_note(p, VALIDATE_MANIFEST, CRANE_SIZE_UNKNOWN, "tag '%s' is %s", tag, first.digest);
	if (check_tree(p, &same, NULL, 0) == -1)
		return -1;
	p->about = NULL;
	return 0;
}

/* What a client gets that knows no lists. */
static int
check_amd64_tag(struct pull *p, const struct crane_tag *tag)
{
	cleanup(free_p) char *about = xasprintf("tag '%s' without a list", tag->name);
	cleanup(found_done) struct found found = { .len = 0 };
	struct expected want = { tag->target, tag->schema == 2 ? TYPE_DOCKER_MANIFEST
	    : TYPE_DOCKER_SCHEMA1, CRANE_SIZE_UNKNOWN };

	p->about = about;
	if (get_manifest(p, tag->name, accept_old, &want, &found) == -1)
		return -1;
	pull_note(p, VALIDATE_MANIFEST, CRANE_SIZE_UNKNOWN, "tag '%s' for amd64 is %s", tag->name,
	    tag->target);
	p->about = NULL;
	return 0;
}

/* What the metadata says of a tag or a digest. */
static struct expected
expect(const struct crane_metadata *m, const char *reference)
{
	const struct crane_tag *tag = crane_tags_find(&m->raas_tags, reference);
	const char *digest = tag != NULL ? tag->target : digest_valid(reference) ? reference : NULL;
	const struct crane_manifest *known = digest != NULL ? crane_metadata_manifest(m, digest)
	    : NULL;
	const char *type = NULL;

	if (known != NULL)
		return (struct expected){ digest, known->type, known->size };
	if (crane_ids_have(&m->lists, reference))
		type = TYPE_DOCKER_LIST;
	else if (crane_ids_have(&m->schema2, reference))
		type = TYPE_DOCKER_MANIFEST;
	return (struct expected){ digest, type, CRANE_SIZE_UNKNOWN };
}

static void
add_references(const struct crane_ids *from, bool digests, struct crane_ids *out)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (digest_valid(from->ids[i]) == digests)
			crane_ids_add(out, from->ids[i]);
}

/* The tags that the metadata names. */
static void
known_tags(const struct crane_metadata *m, struct crane_ids *out)
{
	size_t i;

	for (i = 0; i < m->raas_tags.n; i++)
		crane_ids_add(out, m->raas_tags.tags[i].name);
	add_references(&m->schema2, false, out);
	add_references(&m->lists, false, out);
	crane_ids_sort(out);
}

/* Crane's own arrays do not name schema 1's tags: those are in tags/list only. */
static int
add_listed(struct pull *p, const struct reply *reply, struct crane_ids *tags)
{
	cleanup(json_unref) json_t *list = json_read(buf_str(&reply->http.body),
	    reply->http.body.len, DEPTH_MAX, NULL);
	cleanup(crane_ids_done) struct crane_ids listed = CRANE_IDS_INIT;
	const json_t *names = json_object_get(list, "tags"), *item;
	size_t i;

	json_array_foreach(names, i, item)
		if (json_is_string(item))
			crane_ids_add(&listed, json_string_value(item));
	if (!json_is_array(names))
		return pull_fault(p, reply->redirected ? VALIDATE_DIGEST : VALIDATE_CRANE,
		    "%s: not a list of tags", reply->where);
	crane_ids_sort(&listed);
	for (i = 0; i < tags->n; i++)
		if (!crane_ids_have(&listed, tags->ids[i]))
			return pull_fault(p, VALIDATE_METADATA, "%s: tag '%s' is not in it",
			    reply->where, tags->ids[i]);
	if (!p->metadata->has_raas)
		add_references(&listed, false, tags);
	crane_ids_sort(tags);
	return 0;
}

static int
ask_tags(struct pull *p, struct crane_ids *tags)
{
	cleanup(free_p) char *path = xasprintf("%stags/list", p->path);
	cleanup(reply_done) struct reply reply = REPLY_INIT;

	known_tags(p->metadata, tags);
	if (pull_ask(p, &(struct question){ .path = path, .body_max = TAGS_BYTES_MAX },
	    &reply) == -1)
		return -1;
	return add_listed(p, &reply, tags);
}

static int
check_version(struct pull *p)
{
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	char version[64];

	if (pull_ask(p, &(struct question){ .path = "/v2/" }, &reply) == -1)
		return -1;
	if (!http_header(&reply.http, "docker-distribution-api-version", version,
	    sizeof(version)) || strstr(version, "registry/2.0") == NULL)
		return pull_fault(p, VALIDATE_CRANE, "%s: no 'Docker-Distribution-API-Version: "
		    "registry/2.0': this is no registry", reply.where);
	pull_note(p, VALIDATE_REGISTRY, CRANE_SIZE_UNKNOWN, "%s/v2/ answers", p->base);
	return 0;
}

/* Manifests that no tag leads to: what refers to others, and what is pulled by digest only. */
static int
check_untagged(struct pull *p)
{
	cleanup(crane_ids_done) struct crane_ids digests = CRANE_IDS_INIT;
	const struct crane_metadata *m = p->metadata;
	struct expected want;
	size_t i;

	for (i = 0; i < m->n_manifests; i++)
		crane_ids_add(&digests, m->manifests[i].digest);
	add_references(&m->schema2, true, &digests);
	add_references(&m->lists, true, &digests);
	crane_ids_sort(&digests);
	for (i = 0; i < digests.n; i++) {
		want = expect(m, digests.ids[i]);
		if (want.digest != NULL && check_tree(p, &want, NULL, 0) == -1)
			return -1;
	}
	return 0;
}

int
pull_v2(struct pull *p)
{
	cleanup(crane_ids_done) struct crane_ids tags = CRANE_IDS_INIT;
	const struct crane_metadata *m = p->metadata;
	struct expected want;
	size_t i;

	if (check_version(p) == -1 || ask_tags(p, &tags) == -1)
		return -1;
	for (i = 0; i < tags.n; i++) {
		want = expect(m, tags.ids[i]);
		if (check_tag(p, tags.ids[i], &want) == -1)
			return -1;
	}
	for (i = 0; i < m->amd64_tags.n; i++)
		if (check_amd64_tag(p, &m->amd64_tags.tags[i]) == -1)
			return -1;
	return check_untagged(p);
}
