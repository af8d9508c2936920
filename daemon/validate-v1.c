#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/digest.h"
#include "daemon/s3-sign.h"
#include "daemon/validate-ask.h"

#define DEPTH_MAX 8
#define TEXT_MAX (4u << 20)		/* bytes of an image's json, or of a list */
#define ANCESTORS_MAX 1000u

static int
not_json(struct pull *p, const struct reply *reply, const char *why)
{
	return pull_fault(p, reply->redirected ? VALIDATE_DIGEST : VALIDATE_CRANE, "%s: %s",
	    reply->where, why);
}

/* The JSON document at a path; a new reference. */
static int
ask_json(struct pull *p, const char *path, struct reply *reply, json_t **out)
{
	struct question q = { .path = path, .body_max = TEXT_MAX };
	struct error err = ERROR_INIT;

	if (pull_ask(p, &q, reply) == -1)
		return -1;
	*out = json_read(buf_str(&reply->http.body), reply->http.body.len, DEPTH_MAX, &err);
	return *out != NULL ? 0 : not_json(p, reply, err.text);
}

static char *
image_path(const char *id, const char *file)
{
	struct buf path = BUF_INIT;

	buf_add_str(&path, "/v1/images/");
	s3_encode(&path, id, false);
	buf_printf(&path, "/%s", file);
	return buf_take(&path);
}

static int
check_ping(struct pull *p)
{
	cleanup(reply_done) struct reply reply = REPLY_INIT;

	if (pull_ask(p, &(struct question){ .path = "/v1/_ping" }, &reply) == -1)
		return -1;
	pull_note(p, VALIDATE_REGISTRY, CRANE_SIZE_UNKNOWN, "%s/v1/ answers", p->base);
	return 0;
}

static bool
lists_image(const json_t *list, const char *id)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (strcmp(json_string_or(item, "id", ""), id) == 0)
			return true;
	return false;
}

/* The images, and where they are to be had: X-Docker-Endpoints. */
static int
check_images(struct pull *p)
{
	cleanup(free_p) char *path = xasprintf("%simages", p->path);
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	cleanup(json_unref) json_t *list = NULL;
	const struct crane_ids *images = &p->metadata->images;
	char endpoint[256];
	size_t i;

	if (ask_json(p, path, &reply, &list) == -1)
		return -1;
	if (!json_is_array(list))
		return not_json(p, &reply, "not a list of images");
	if (!http_header(&reply.http, "x-docker-endpoints", endpoint, sizeof(endpoint)))
		return pull_fault(p, VALIDATE_CRANE, "%s: no X-Docker-Endpoints", reply.where);
	for (i = 0; i < images->n; i++)
		if (!lists_image(list, images->ids[i]))
			return pull_fault(p, VALIDATE_METADATA, "%s: image '%s' is not in it",
			    reply.where, images->ids[i]);
	return 0;
}

static int
check_tags(struct pull *p)
{
	cleanup(free_p) char *path = xasprintf("%stags", p->path);
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	cleanup(json_unref) json_t *tags = NULL;
	const struct crane_tags *wanted = &p->metadata->tags;
	const char *id;
	size_t i;

	if (ask_json(p, path, &reply, &tags) == -1)
		return -1;
	if (!json_is_object(tags))
		return not_json(p, &reply, "not an object of tags");
	for (i = 0; i < wanted->n; i++) {
		id = json_string_or(tags, wanted->tags[i].name, NULL);
		if (id == NULL || strcmp(id, wanted->tags[i].target) != 0)
			return pull_fault(p, VALIDATE_METADATA, "%s: tag '%s' is %s%s%s, not '%s'",
			    reply.where, wanted->tags[i].name, id != NULL ? "'" : "",
			    id != NULL ? id : "not in it", id != NULL ? "'" : "",
			    wanted->tags[i].target);
	}
	return 0;
}

static int
check_json(struct pull *p, const char *id)
{
	cleanup(free_p) char *path = image_path(id, "json");
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	cleanup(json_unref) json_t *json = NULL;

	if (ask_json(p, path, &reply, &json) == -1)
		return -1;
	if (strcmp(json_string_or(json, "id", ""), id) != 0)
		return pull_fault(p, VALIDATE_DIGEST, "%s: is of image '%s'", reply.where,
		    json_string_or(json, "id", "?"));
	return 0;
}

/* A v1 layer has no digest: that all of it comes is what can be known. */
static int
check_layer(struct pull *p, const char *id, uint64_t *size)
{
	cleanup(free_p) char *path = image_path(id, "layer");
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	struct pull_count count = { .limit = CRANE_SIZE_UNKNOWN };
	struct question q = { .method = "HEAD", .path = path };

	if (p->options->deep)
		q = (struct question){ .path = path, .begin = pull_count_begin,
		    .sink = pull_count_add, .sink_arg = &count };
	if (pull_ask(p, &q, &reply) == -1)
		return -1;
	*size = p->options->deep ? count.n : reply_length(&reply);
	return 0;
}

static int
check_image(struct pull *p, const char *id)
{
	cleanup(free_p) char *about = xasprintf("image '%s'", id);
	uint64_t size;

	if (!crane_ids_insert(&p->seen, id))
		return 0;
	p->about = about;
	if (check_json(p, id) == -1 || check_layer(p, id, &size) == -1)
		return -1;
	pull_note(p, VALIDATE_V1_IMAGE, size, "%s", id);
	p->about = NULL;
	return 0;
}

static int
check_ancestry(struct pull *p, const char *id, struct reply *reply, json_t **list)
{
	cleanup(free_p) char *path = image_path(id, "ancestry");
	const json_t *item;
	size_t i;

	if (ask_json(p, path, reply, list) == -1)
		return -1;
	json_array_foreach(*list, i, item)
		if (!json_is_string(item) || i == ANCESTORS_MAX)
			return not_json(p, reply, "not a list of images");
	if (strcmp(id, json_array_size(*list) > 0
	    ? json_string_value(json_array_get(*list, 0)) : "") != 0)
		return pull_fault(p, VALIDATE_DIGEST, "%s: does not begin with the image itself",
		    reply->where);
	return 0;
}

/* The image and all that it stands on. */
static int
check_chain(struct pull *p, const char *id)
{
	cleanup(free_p) char *about = xasprintf("image '%s'", id);
	cleanup(reply_done) struct reply reply = REPLY_INIT;
	cleanup(json_unref) json_t *list = NULL;
	json_t *item;
	size_t i;

	p->about = about;
	if (check_ancestry(p, id, &reply, &list) == -1)
		return -1;
	json_array_foreach(list, i, item)
		if (check_image(p, json_string_value(item)) == -1)
			return -1;
	p->about = NULL;
	return 0;
}

int
pull_v1(struct pull *p)
{
	const struct crane_metadata *m = p->metadata;
	size_t i;

	if (check_ping(p) == -1 || check_images(p) == -1 || check_tags(p) == -1)
		return -1;
	for (i = 0; i < m->tags.n; i++)
		if (check_chain(p, m->tags.tags[i].target) == -1)
			return -1;
	for (i = 0; i < m->images.n; i++)
		if (check_chain(p, m->images.ids[i]) == -1)
			return -1;
	return 0;
}
