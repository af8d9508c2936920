/* A registry and its bucket in one server, right in every way but the one that a test asks for. */
#include "daemon/validate.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/manifest.h"
#include "tests/unit/http-server.h"
#include "tests/unit/test.h"

#define OBJECTS_MAX 32

struct object {
	char	 key[256];		/* "blobs/sha256:HEX" */
	char	 type[128];
	char	*body;
};

struct registry {
	struct object		 objects[OBJECTS_MAX];
	size_t			 n_objects;
	char			 child[DIGEST_SIZE], list[DIGEST_SIZE];
	char			 config[DIGEST_SIZE], layer[DIGEST_SIZE];
	bool			 moved_tag;		/* the redirector has older metadata */
	bool			 lines_differ;		/* reads the first Accept line only */
	const char		*wrong_path;		/* part of a target that is answered so: */
	const char		*wrong_status;		/* NULL: as usual, with wrong_headers */
	const char		*wrong_headers;
	unsigned int		 wrong_times;		/* 0: always */
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	struct crane_metadata	*metadata;
	struct validate_report	 report;
	struct buf		 steps;
};

static struct object *
put(struct registry *r, const char *key, const char *type, const char *body)
{
	struct object *o = &r->objects[r->n_objects++];

	snprintf(o->key, sizeof(o->key), "%s", key);
	snprintf(o->type, sizeof(o->type), "%s", type);
	o->body = xstrdup(body);
	return o;
}

static struct object *
find(struct registry *r, const char *key)
{
	size_t i;

	for (i = 0; i < r->n_objects; i++)
		if (strcmp(r->objects[i].key, key) == 0)
			return &r->objects[i];
	return NULL;
}

static void
put_blob(struct registry *r, const char *body, char digest[DIGEST_SIZE])
{
	char key[256];

	digest_of(body, strlen(body), digest);
	snprintf(key, sizeof(key), "blobs/%s", digest);
	put(r, key, "application/octet-stream", body);
}

static void
put_manifest(struct registry *r, const char *folder, const char *type, const char *body,
    const char *tag, char digest[DIGEST_SIZE])
{
	char key[256];

	digest_of(body, strlen(body), digest);
	snprintf(key, sizeof(key), "manifests/%s/%s", folder, digest);
	put(r, key, type, body);
	if (tag == NULL)
		return;
	snprintf(key, sizeof(key), "manifests/%s/%s", folder, tag);
	put(r, key, type, body);
}

#define LAYER "the bytes of a layer"
#define CONFIG "{\"architecture\":\"arm64\"}"

/* One tag, "latest", which is a list of one image. */
static void
make_image(struct registry *r)
{
	cleanup(free_p) char *child = NULL, *list = NULL, *metadata = NULL;

	put_blob(r, LAYER, r->layer);
	put_blob(r, CONFIG, r->config);
	child = xasprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"digest\":\"%s\","
	    "\"size\":%zu},\"layers\":[{\"digest\":\"%s\",\"size\":%zu}]}", TYPE_DOCKER_MANIFEST,
	    r->config, strlen(CONFIG), r->layer, strlen(LAYER));
	put_manifest(r, "2", TYPE_DOCKER_MANIFEST, child, NULL, r->child);
	list = xasprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[{\"digest\":\"%s\","
	    "\"size\":%zu,\"mediaType\":\"%s\",\"platform\":{\"os\":\"linux\",\"architecture\":"
	    "\"arm64\"}}]}", TYPE_DOCKER_LIST, r->child, strlen(child), TYPE_DOCKER_MANIFEST);
	put_manifest(r, "list", TYPE_DOCKER_LIST, list, "latest", r->list);
	put(r, "tags/list", "application/json", "{\"name\":\"acme/app\",\"tags\":[\"latest\"]}");
	metadata = xasprintf("{\"version\":4,\"repository\":\"acme-app\",\"repo-registry-id\":"
	    "\"acme/app\",\"url\":\"http://localhost/acme-app/\",\"schema2_data\":[\"%s\"],"
	    "\"manifest_list_data\":[\"latest\",\"%s\"],\"manifest_list_amd64_tags\":{},\"raas\":"
	    "{\"schema\":1,\"tags\":{\"latest\":\"%s\"},\"manifests\":{\"%s\":{\"type\":\"%s\","
	    "\"size\":%zu},\"%s\":{\"type\":\"%s\",\"size\":%zu}},\"blobs\":{}}}", r->child,
	    r->list, r->list, r->list, TYPE_DOCKER_LIST, strlen(list), r->child,
	    TYPE_DOCKER_MANIFEST, strlen(child));
	r->metadata = crane_metadata_parse(metadata, strlen(metadata), NULL);
}

/* Redirects as raas-crane does: a tag to its digest. */
static void
answer_registry(struct registry *r, const struct server_request *request,
    struct server_connection *c, const char *rest)
{
	cleanup(free_p) char *location = NULL;
	const char *reference = strrchr(rest, '/') + 1;
	const char *folder = strcmp(reference, r->child) == 0 ? "2/" : "list/";

	if (strncmp(rest, "manifests/", 10) != 0) {
		location = xasprintf("Location: /bucket/%s\r\n", rest);
	} else {
		if (strcmp(reference, "latest") == 0)
			reference = r->moved_tag || (r->lines_differ &&
			    strstr(request->head, "Accept: */*") != NULL) ? r->child : r->list;
		if (reference == r->child)
			folder = "2/";
		location = xasprintf("Location: /bucket/manifests/%s%s\r\n", folder, reference);
	}
	server_answer(c, "302 Found", location, "");
}

static void
answer_object(struct registry *r, const struct server_request *request,
    struct server_connection *c, const char *key, const char *more)
{
	const struct object *o = find(r, key);

	if (o == NULL) {
		server_answer(c, "404 Not Found", "", "<Error><Code>NoSuchKey</Code></Error>");
		return;
	}
	server_send(c, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n%s",
	    o->type, strlen(o->body), more, strcmp(request->method, "HEAD") == 0 ? "" : o->body);
}

static void
serve(void *arg, const struct server_request *request, struct server_connection *c)
{
	struct registry *r = arg;
	bool wrong = r->wrong_path != NULL && strstr(request->target, r->wrong_path) != NULL;
	const char *headers = r->wrong_headers != NULL ? r->wrong_headers : "";

	if (wrong && r->wrong_status != NULL) {
		if (r->wrong_times > 0 && --r->wrong_times == 0)
			r->wrong_path = NULL;
		server_answer(c, r->wrong_status, headers, "");
	} else if (strcmp(request->target, "/v2/") == 0) {
		server_answer(c, "200 OK", "Docker-Distribution-Api-Version: registry/2.0\r\n", "{}");
	} else if (strncmp(request->target, "/v2/acme/app/", 13) == 0) {
		answer_registry(r, request, c, request->target + 13);
	} else if (strncmp(request->target, "/bucket/", 8) == 0) {
		answer_object(r, request, c, request->target + 8, wrong ? headers : "");
	} else {
		server_answer(c, "404 Not Found", "", "");
	}
}

static void
registry_start(struct registry *r, bool tls)
{
	static const struct http_options options = { 5000, 20000, NULL };

	r->server = http_server_start(serve, r, tls);
	if ((r->shared = http_shared_new(&options, NULL)) == NULL)
		abort();
	r->http = http_new(r->shared);
	make_image(r);
}

static void
registry_stop(struct registry *r)
{
	http_free(r->http);
	http_shared_free(r->shared);
	http_server_stop(r->server);
	crane_metadata_free(r->metadata);
	buf_done(&r->steps);
	while (r->n_objects > 0)
		free(r->objects[--r->n_objects].body);
}

#define START(tls, ...)							\
	cleanup(registry_stop) struct registry r = { __VA_ARGS__ };	\
	registry_start(&r, tls)

static void
on_step(void *arg, const struct validate_step *step)
{
	buf_printf(arg, "%s %s\n", validate_part_name(step->part), step->text);
}

static int
validate_at(struct registry *r, const char *url, bool deep, struct error *err)
{
	struct deadline deadline = deadline_in(20000, NULL);
	struct validate_options options = { deep, on_step, &r->steps };

	buf_clear(&r->steps);
	return validate_image(r->http, url, r->metadata, &options, &r->report, &deadline, err);
}

static int
validate(struct registry *r, bool deep)
{
	struct error err = ERROR_INIT;

	return validate_at(r, http_server_url(r->server), deep, &err);
}

/* A validation whose fault is that one, with these words in its text. */
static bool
finds(struct registry *r, bool deep, enum validate_fault fault, const char *words)
{
	if (validate(r, deep) == 0 && r->report.fault == fault &&
	    strstr(r->report.text, words) != NULL)
		return true;
	printf("# %s: %s\n", validate_fault_name(r->report.fault), r->report.text);
	return false;
}

TEST(what_is_right_is_found_to_be_so)
{
	START(false, .n_objects = 0);

	CHECK_INT(validate(&r, false), 0);
	CHECK_STR(r.report.text, "");
	CHECK_INT(r.report.fault, VALIDATE_WELL);
	CHECK_INT(r.report.manifests, 3);	/* the tag, the list, the image */
	CHECK_INT(r.report.blobs, 2);
	CHECK_INT(r.report.bytes, strlen(LAYER) + strlen(CONFIG));
	CHECK(strstr(buf_str(&r.steps), "manifest tag 'latest' is sha256:") != NULL);
	CHECK(strstr(buf_str(&r.steps), ", linux/arm64\n") != NULL);
	CHECK(strstr(buf_str(&r.steps), "blob layer sha256:") != NULL);
	CHECK_INT(validate(&r, true), 0);
	CHECK_STR(r.report.text, "");
	CHECK_INT(r.report.blobs, 2);
}

TEST(the_redirector_is_not_one)
{
	START(false, .wrong_path = "/v2/");

	r.wrong_status = "503 Service Unavailable";
	CHECK(finds(&r, false, VALIDATE_CRANE, "HTTP status 503"));
	r.wrong_status = "200 OK";
	CHECK(finds(&r, false, VALIDATE_CRANE, "this is no registry"));
	r.wrong_status = "302 Found";
	CHECK(finds(&r, false, VALIDATE_CRANE, "redirects to nowhere"));
	r.wrong_headers = "Location: /v2/again\r\n";
	CHECK(finds(&r, false, VALIDATE_CRANE, "redirects more than"));
	r.wrong_headers = "Location: ftp://localhost/x\r\n";
	CHECK(finds(&r, false, VALIDATE_CRANE, "redirects to"));
}

/* What passes by itself within three tries is nobody's business. */
TEST(a_stumble_is_not_a_fault)
{
	START(false, .wrong_path = "/bucket/blobs/", .wrong_status = "503 Slow Down",
	    .wrong_times = 2);

	CHECK(finds(&r, false, VALIDATE_WELL, ""));
	CHECK(r.wrong_path == NULL);
}

TEST(another_metadata_is_served)
{
	START(false, .wrong_path = "/v2/acme/app/tags", .wrong_status = "404 Not Found");

	CHECK(finds(&r, false, VALIDATE_METADATA, "HTTP status 404, it is not served"));
	r.wrong_path = NULL;
	snprintf(find(&r, "tags/list")->body, 20, "{\"tags\":[\"old\"]}");
	CHECK(finds(&r, false, VALIDATE_METADATA, "tag 'latest' is not in it"));
}

TEST(a_tag_leads_to_another_manifest)
{
	START(false, .moved_tag = true);
	size_t i;

	/* Its type is another one, too. */
	CHECK(finds(&r, false, VALIDATE_TYPE, "tag 'latest'"));
	/* The list has the longer type. */
	for (i = 0; i < r.metadata->n_manifests; i++)
		memcpy(r.metadata->manifests[i].type, TYPE_DOCKER_MANIFEST,
		    sizeof(TYPE_DOCKER_MANIFEST));
	CHECK(finds(&r, false, VALIDATE_METADATA, "should be sha256:"));
}

TEST(every_accept_line_counts)
{
	START(false, .lines_differ = true);

	CHECK(finds(&r, false, VALIDATE_TYPE, "tag 'latest'"));
}

TEST(objects_that_are_private_or_not_there)
{
	START(false, .wrong_path = "/bucket/blobs/", .wrong_status = "403 Forbidden");
	char key[256];

	CHECK(finds(&r, false, VALIDATE_ACCESS, "HTTP status 403, it is private or not there"));
	CHECK(strstr(r.report.text, "linux/arm64: config: HEAD http://") != NULL);
	r.wrong_status = "500 Internal Server Error";
	CHECK(finds(&r, false, VALIDATE_ACCESS, "HTTP status 500"));
	r.wrong_path = NULL;
	snprintf(key, sizeof(key), "blobs/%s", r.layer);
	find(&r, key)->key[0] = '\0';
	CHECK(finds(&r, false, VALIDATE_MISSING, key));
	snprintf(key, sizeof(key), "manifests/2/%s", r.child);
	find(&r, key)->key[0] = '\0';
	CHECK(finds(&r, false, VALIDATE_MISSING, key));
}

TEST(other_bytes_of_the_same_length_need_a_deep_look)
{
	START(false, .n_objects = 0);
	char key[256];

	snprintf(key, sizeof(key), "blobs/%s", r.layer);
	find(&r, key)->body[0] = 'T';
	CHECK(finds(&r, false, VALIDATE_WELL, ""));
	CHECK(finds(&r, true, VALIDATE_DIGEST, "its bytes are sha256:"));
}

TEST(sizes_are_those_that_the_manifest_tells)
{
	START(false, .n_objects = 0);
	char key[256];

	snprintf(key, sizeof(key), "blobs/%s", r.layer);
	find(&r, key)->body[5] = '\0';
	CHECK(finds(&r, false, VALIDATE_SIZE, "5 bytes, should be 20"));
	CHECK(finds(&r, true, VALIDATE_SIZE, "5 bytes, should be 20"));
	free(find(&r, key)->body);
	find(&r, key)->body = xstrdup(LAYER " and more");
	CHECK(finds(&r, false, VALIDATE_SIZE, "29 bytes, should be 20"));
	CHECK(finds(&r, true, VALIDATE_SIZE, "more than its 20 bytes"));
}

TEST(a_manifest_with_other_bytes_or_another_type)
{
	START(false, .n_objects = 0);
	char key[256];
	struct object *o;

	snprintf(key, sizeof(key), "manifests/2/%s", r.child);
	o = find(&r, key);
	snprintf(o->type, sizeof(o->type), "application/json");
	CHECK(finds(&r, false, VALIDATE_TYPE, "Content-Type is 'application/json', should be"));
	snprintf(o->type, sizeof(o->type), "%s; charset=utf-8", TYPE_DOCKER_MANIFEST);
	CHECK(finds(&r, false, VALIDATE_TYPE, "charset=utf-8"));
	snprintf(o->type, sizeof(o->type), "%s", TYPE_DOCKER_MANIFEST);
	o->body[strlen(o->body) - 1] = ' ';
	CHECK(finds(&r, false, VALIDATE_DIGEST, "should be sha256:"));
	o->body[strlen(o->body) - 1] = '}';
	CHECK(finds(&r, false, VALIDATE_WELL, ""));
}

TEST(headers_that_mislead_a_client)
{
	START(false, .wrong_path = "/bucket/blobs/", .wrong_headers = "Content-Encoding: gzip\r\n");

	CHECK(finds(&r, false, VALIDATE_DIGEST, "'Content-Encoding: gzip'"));
	r.wrong_path = "/bucket/manifests/";
	r.wrong_headers = "Docker-Content-Digest: sha256:0\r\n";
	CHECK(finds(&r, false, VALIDATE_DIGEST, "Docker-Content-Digest is 'sha256:0'"));
}

TEST(names_and_certificates)
{
	START(true, .n_objects = 0);
	struct error err = ERROR_INIT;

	CHECK_INT(validate(&r, false), 0);
	CHECK_INT(r.report.fault, VALIDATE_TLS);
	CHECK_INT(validate_at(&r, "https://registry.invalid", false, &err), 0);
	CHECK_INT(r.report.fault, VALIDATE_DNS);
	CHECK_INT(validate_at(&r, "http://127.0.0.1:1", false, &err), 0);
	CHECK_INT(r.report.fault, VALIDATE_CRANE);
	CHECK_INT(validate_at(&r, "gopher://x", false, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
}

/* What can be had by https is not to be had by http. */
TEST(https_stays_https)
{
	cleanup(registry_stop) struct registry r = { .wrong_path = "/v2/acme/app/tags",
	    .wrong_status = "302 Found",
	    .wrong_headers = "Location: http://127.0.0.1:1/tags/list\r\n" };
	struct http_options options = { 5000, 20000, NULL };

	r.server = http_server_start(serve, &r, true);
	options.ca_file = http_server_ca_file(r.server);
	r.shared = http_shared_new(&options, NULL);
	r.http = http_new(r.shared);
	make_image(&r);
	CHECK(finds(&r, false, VALIDATE_CRANE, "which is not https"));
	r.wrong_path = NULL;
	CHECK(finds(&r, false, VALIDATE_WELL, ""));
}

TEST(a_cancel_is_no_fault)
{
	START(false, .n_objects = 0);
	atomic_bool stop = true;
	struct deadline deadline = deadline_in(20000, &stop);
	struct validate_options options = { .deep = false };
	struct error err = ERROR_INIT;

	CHECK_INT(validate_image(r.http, http_server_url(r.server), r.metadata, &options, &r.report,
	    &deadline, &err), -1);
	CHECK_INT(err.kind, ERROR_CANCELLED);
	CHECK_INT(r.report.fault, VALIDATE_WELL);
}

/* ---- v1 ---- */

#define ID "1111111111111111111111111111111111111111111111111111111111111111"
#define PARENT "2222222222222222222222222222222222222222222222222222222222222222"

struct old {
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	struct crane_metadata	*metadata;
	const char		*wrong_path;	/* answered with 403 at the bucket */
	const char		*ancestry;	/* NULL: the right one */
	const char		*tags;
	bool			 no_endpoint;
};

static void
serve_object(const struct old *old, const char *path, struct server_connection *c)
{
	if (old->wrong_path != NULL && strstr(path, old->wrong_path) != NULL)
		server_answer(c, "403 Forbidden", "", "");
	else if (strcmp(path, "/bucket/" ID "/ancestry") == 0)
		server_answer(c, "200 OK", "", old->ancestry != NULL ? old->ancestry
		    : "[\"" ID "\",\"" PARENT "\"]");
	else if (strcmp(path, "/bucket/" PARENT "/ancestry") == 0)
		server_answer(c, "200 OK", "", "[\"" PARENT "\"]");
	else if (strcmp(path, "/bucket/" ID "/json") == 0)
		server_answer(c, "200 OK", "", "{\"id\":\"" ID "\"}");
	else if (strcmp(path, "/bucket/" PARENT "/json") == 0)
		server_answer(c, "200 OK", "", "{\"id\":\"" PARENT "\"}");
	else if (strstr(path, "/layer") != NULL)
		server_answer(c, "200 OK", "", "0123456789");
	else
		server_answer(c, "404 Not Found", "", "");
}

static void
serve_old(void *arg, const struct server_request *request, struct server_connection *c)
{
	const struct old *old = arg;
	cleanup(free_p) char *location = NULL;

	if (strcmp(request->target, "/v1/_ping") == 0) {
		server_answer(c, "200 OK", "", "true");
	} else if (strcmp(request->target, "/v1/repositories/acme/old/images") == 0) {
		server_answer(c, "200 OK", old->no_endpoint ? "" : "X-Docker-Endpoints: localhost\r\n",
		    "[{\"id\":\"" ID "\"},{\"id\":\"" PARENT "\"}]");
	} else if (strcmp(request->target, "/v1/repositories/acme/old/tags") == 0) {
		server_answer(c, "200 OK", "", old->tags != NULL ? old->tags
		    : "{\"latest\":\"" ID "\"}");
	} else if (strncmp(request->target, "/v1/images/", 11) == 0) {
		location = xasprintf("Location: /bucket/%s\r\n", request->target + 11);
		server_answer(c, "302 Found", location, "");
	} else {
		serve_object(old, request->target, c);
	}
}

static void
old_start(struct old *old)
{
	static const struct http_options options = { 5000, 20000, NULL };
	static const char text[] = "{\"version\":1,\"repository\":\"old\",\"repo-registry-id\":"
	    "\"acme/old\",\"url\":\"http://localhost/\",\"images\":[{\"id\":\"" ID "\"},{\"id\":\""
	    PARENT "\"}],\"tags\":{\"latest\":\"" ID "\"}}";

	old->server = http_server_start(serve_old, old, false);
	if ((old->shared = http_shared_new(&options, NULL)) == NULL)
		abort();
	old->http = http_new(old->shared);
	old->metadata = crane_metadata_parse(text, strlen(text), NULL);
}

static void
old_stop(struct old *old)
{
	http_free(old->http);
	http_shared_free(old->shared);
	http_server_stop(old->server);
	crane_metadata_free(old->metadata);
}

static struct validate_report
validate_old(struct old *old, bool deep)
{
	struct deadline deadline = deadline_in(20000, NULL);
	struct validate_options options = { .deep = deep };
	struct validate_report report = { .fault = N_VALIDATE_FAULTS };

	validate_image(old->http, http_server_url(old->server), old->metadata, &options, &report,
	    &deadline, NULL);
	printf("# %s\n", report.text);
	return report;
}

TEST(the_first_protocol)
{
	cleanup(old_stop) struct old old = { .no_endpoint = false };
	struct validate_report report;

	old_start(&old);
	report = validate_old(&old, false);
	CHECK_STR(report.text, "");
	CHECK_INT(report.v1_images, 2);
	CHECK_INT(report.bytes, 20);
	CHECK_INT(validate_old(&old, true).bytes, 20);
	old.no_endpoint = true;
	CHECK_INT(validate_old(&old, false).fault, VALIDATE_CRANE);
	old.no_endpoint = false;
	old.tags = "{\"latest\":\"" PARENT "\"}";
	report = validate_old(&old, false);
	CHECK_INT(report.fault, VALIDATE_METADATA);
	CHECK(strstr(report.text, "tag 'latest' is '" PARENT "', not '" ID "'") != NULL);
	old.tags = NULL;
	old.ancestry = "[\"" PARENT "\",\"" ID "\"]";
	CHECK_INT(validate_old(&old, false).fault, VALIDATE_DIGEST);
	old.ancestry = "[\"" ID "\",\"3333\"]";
	report = validate_old(&old, false);
	CHECK_INT(report.fault, VALIDATE_MISSING);
	CHECK(strstr(report.text, "image '3333'") != NULL);
	old.ancestry = NULL;
	old.wrong_path = PARENT "/layer";
	report = validate_old(&old, false);
	CHECK_INT(report.fault, VALIDATE_ACCESS);
	CHECK(strstr(report.text, "image '" PARENT "'") != NULL);
	old.wrong_path = NULL;
	old.metadata->is_protected = true;
	CHECK_INT(validate_old(&old, false).fault, VALIDATE_WELL);
}

int
main(void)
{
	return RUN(CASE(what_is_right_is_found_to_be_so), CASE(the_redirector_is_not_one),
	    CASE(a_stumble_is_not_a_fault), CASE(another_metadata_is_served),
	    CASE(a_tag_leads_to_another_manifest), CASE(every_accept_line_counts),
	    CASE(objects_that_are_private_or_not_there),
	    CASE(other_bytes_of_the_same_length_need_a_deep_look),
	    CASE(sizes_are_those_that_the_manifest_tells),
	    CASE(a_manifest_with_other_bytes_or_another_type), CASE(headers_that_mislead_a_client),
	    CASE(names_and_certificates), CASE(https_stays_https), CASE(a_cancel_is_no_fault),
	    CASE(the_first_protocol));
}
