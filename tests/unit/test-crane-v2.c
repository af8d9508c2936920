#include "crane/v2.h"

#include "tests/unit/crane-ask.h"
#include "tests/unit/test.h"

#define M2 "application/vnd.docker.distribution.manifest.v2+json"
#define LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI "application/vnd.oci.image.manifest.v1+json"
#define INDEX "application/vnd.oci.image.index.v1+json"
#define HEAD(version, name) "{\"version\":" version ",\"repository\":\"r\",\"repo-registry-id\":\"" \
	name "\",\"url\":\"https://b.example.com/app/\""
#define CRANE4 ",\"schema2_data\":[\"latest\",\"sha256:m\"]," \
	"\"manifest_list_data\":[\"multi\",\"sha256:l\"],\"manifest_list_amd64_tags\":" \
	"{\"multi\":[\"sha256:m\",2],\"old\":[\"sha256:o\",1],\"index\":[\"sha256:m\",2]}"
#define RAAS ",\"raas\":{\"schema\":1,\"tags\":{\"latest\":\"sha256:m\",\"multi\":\"sha256:l\"," \
	"\"oci\":\"sha256:c\",\"index\":\"sha256:x\",\"lost\":\"sha256:gone\"},\"manifests\":{" \
	"\"sha256:m\":{\"type\":\"" M2 "\",\"size\":500},\"sha256:l\":{\"type\":\"" LIST \
	"\",\"size\":700},\"sha256:c\":{\"type\":\"" OCI "\",\"size\":400},\"sha256:x\":{\"type\":\"" \
	INDEX "\",\"size\":900}},\"blobs\":{\"sha256:b\":{\"size\":10},\"sha256:r\":{\"size\":20," \
	"\"origin\":0}},\"origins\":[{\"url\":\"https://base.example.com\",\"repository\":\"ubi/8\"}]," \
	"\"referrers\":{\"sha256:m\":[{\"mediaType\":\"" OCI "\",\"digest\":\"sha256:s1\",\"size\":1," \
	"\"artifactType\":\"x/sig\"},{\"mediaType\":\"" OCI "\",\"digest\":\"sha256:s2\",\"size\":2," \
	"\"artifactType\":\"x/sbom\"}]}}"

static const char *const files[] = {
	HEAD("2", "two") "}", HEAD("3", "three") ",\"schema2_data\":[\"latest\",\"sha256:m\"]}",
	HEAD("4", "four") CRANE4 "}", HEAD("4", "some/app") CRANE4 RAAS "}",
	HEAD("2", "a/tags/manifests") "}", HEAD("2", "hidden") ",\"protected\":true}", NULL,
};

/* The Location of a GET with these Accept lines ("a|b"), or the status. */
static char *
where(const struct live *live, const char *target, const char *accept)
{
	struct service service = { .live = live };
	cleanup(buf_done) struct buf headers = BUF_INIT;
	cleanup(free_p) char *answer = NULL;
	const char *end, *found;

	while (*accept != '\0') {
		end = strchrnul(accept, '|');
		buf_printf(&headers, "Accept: %.*s\r\n", (int)(end - accept), accept);
		accept = *end != '\0' ? end + 1 : end;
	}
	answer = crane_ask(&service, "GET", target, buf_str(&headers));
	found = strstr(answer, "Location: https://b.example.com/app/");
	if (found == NULL)
		return strndup(answer, strcspn(answer, "\n"));
	found += strlen("Location: https://b.example.com/app/");
	return strndup(found, strcspn(found, "\n"));
}

struct row {
	const char	*target;
	const char	*accept;
	const char	*where;
};

static void
check(const struct row *rows, size_t n)
{
	cleanup(live_unref_p) struct live *live = crane_live(files);
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup(free_p) char *got = where(live, rows[i].target, rows[i].accept);

		if (strcmp(got, rows[i].where) != 0)
			printf("# %s, Accept %s\n", rows[i].target, rows[i].accept);
		CHECK_STR(got, rows[i].where);
	}
}

TEST(paths_that_crane_chooses)
{
	static const struct row rows[] = {
		{ "/v2/two/manifests/latest", M2, "manifests/latest" },
		{ "/v2/two/tags/list", "", "tags/list" },
		{ "/v2/two/blobs/sha256:any", "", "blobs/sha256:any" },
		{ "/v2/a/tags/manifests/manifests/tags", "", "manifests/tags" },
		{ "/v2/three/manifests/latest", M2, "manifests/2/latest" },
		{ "/v2/three/manifests/sha256:m", LIST "|" M2, "manifests/2/sha256:m" },
		{ "/v2/three/manifests/other", M2, "manifests/1/other" },
		{ "/v2/three/manifests/latest", "", "manifests/1/latest" },
		{ "/v2/four/manifests/multi", M2 "|" LIST, "manifests/list/multi" },
		{ "/v2/four/manifests/multi", "x/y, " LIST ";q=1|" M2, "manifests/list/multi" },
		{ "/v2/four/manifests/multi", M2, "manifests/2/sha256:m" },
		{ "/v2/four/manifests/multi", "*/*", "manifests/2/sha256:m" },
		{ "/v2/four/manifests/old", LIST "|" M2, "manifests/1/sha256:o" },
		{ "/v2/four/manifests/latest", LIST "|" M2, "manifests/2/latest" },
		{ "/v2/four/manifests/latest", LIST, "manifests/1/latest" },
		{ "/v2/four/manifests/sha256:l", LIST, "manifests/list/sha256:l" },
		{ "/v2/four/tags/list", "", "tags/list" },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(what_raas_knows)
{
	static const struct row rows[] = {
		{ "/v2/some/app/manifests/latest", M2, "manifests/2/sha256:m" },
		{ "/v2/some/app/manifests/sha256:m", "", "manifests/2/sha256:m" },
		{ "/v2/some/app/manifests/multi", LIST "|" M2, "manifests/list/sha256:l" },
		{ "/v2/some/app/manifests/multi", "*/*", "manifests/list/sha256:l" },
		{ "/v2/some/app/manifests/multi", M2, "manifests/2/sha256:m" },
		{ "/v2/some/app/manifests/index", INDEX "|" M2, "manifests/1/sha256:x" },
		{ "/v2/some/app/manifests/index", M2, "manifests/2/sha256:m" },
		{ "/v2/some/app/manifests/oci", OCI, "manifests/1/sha256:c" },
		{ "/v2/some/app/manifests/oci", M2, "manifests/1/sha256:c" },
		{ "/v2/some/app/blobs/sha256:b", "", "blobs/sha256:b" },
		{ "/v2/some/app/manifests/nope", M2, "404" },
		{ "/v2/some/app/manifests/lost", M2, "404" },
		{ "/v2/some/app/manifests/sha256:nope", M2, "404" },
		{ "/v2/some/app/blobs/sha256:nope", "", "404" },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(nothing_is_there)
{
	static const struct row rows[] = {
		{ "/v2/nobody/manifests/latest", "", "404" },
		{ "/v2/hidden/manifests/latest", "", "404" },
		{ "/v2/two", "", "404" }, { "/v2/two/", "", "404" }, { "/v2//", "", "404" },
		{ "/v2/two/manifests/", "", "404" }, { "/v2/manifests/latest", "", "404" },
		{ "/v2/two/manifests/a/b", "", "404" },
		{ "/v2/two/manifests/..", "", "404" },
		{ "/v2/two/manifests/%2e%2e%2fx", "", "404" },
		{ "/v2/two/blobs/latest", "", "404" },
		{ "/v2/two/blobs/sha256:", "", "404" },
		{ "/v2/two/blobs/sha256:a%20b", "", "404" },
		{ "/v2/two/tags/latest", "", "404" },
		{ "/v2/two/referrers/sha256:m", "", "404" },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
check_answer(const char *method, const char *target, const char *want)
{
	cleanup(live_unref_p) struct live *live = crane_live(files);
	struct service service = { .live = live };
	cleanup(free_p) char *got = crane_ask(&service, method, target, "");

	CHECK_STR(got, want);
}

#define JSON "Content-Type: application/json\n"
#define VERSION "Docker-Distribution-API-Version: registry/2.0\n"

TEST(answers_whole)
{
	check_answer("GET", "/v2/", "200\n" JSON VERSION "\n{}");
	check_answer("HEAD", "/v2/some/app/manifests/latest", "200\nVary: Accept\n"
	    "Docker-Content-Digest: sha256:m\nContent-Type: " M2 "\n" VERSION "\nlength 500");
	check_answer("HEAD", "/v2/two/manifests/latest",
	    "302\nLocation: https://b.example.com/app/manifests/latest\n\n");
	check_answer("GET", "/v2/some/app/blobs/sha256:r",
	    "302\nLocation: https://base.example.com/v2/ubi/8/blobs/sha256:r\n\n");
	check_answer("GET", "/v2/some/app/blobs/sha256:q", "404\n" JSON "\n{\"errors\":[{\"code\":"
	    "\"BLOB_UNKNOWN\",\"message\":\"blob unknown\",\"detail\":{\"digest\":\"sha256:q\"}}]}");
	check_answer("GET", "/v2/x/blobs/sha256:q", "404\n" JSON "\n{\"errors\":[{\"code\":"
	    "\"NAME_UNKNOWN\",\"message\":\"repository name not known to registry\","
	    "\"detail\":{\"name\":\"x\"}}]}");
	check_answer("GET", "/v2/some/app/manifests/no", "404\n" JSON "\n{\"errors\":[{\"code\":"
	    "\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\","
	    "\"detail\":{\"reference\":\"no\"}}]}");
	check_answer("DELETE", "/v2/some/app/manifests/latest", "405\n"
	    "Content-Type: text/plain; charset=utf-8\nAllow: GET, HEAD\n\nMethod Not Allowed\n");
}

TEST(tags_in_pages)
{
	check_answer("GET", "/v2/some/app/tags/list", "200\n" JSON VERSION "\n{\"name\":\"some/app\","
	    "\"tags\":[\"index\",\"latest\",\"lost\",\"multi\",\"oci\"]}");
	check_answer("GET", "/v2/some/app/tags/list?n=2", "200\nLink: </v2/some/app/tags/list?n=2&"
	    "last=latest>; rel=\"next\"\n" JSON VERSION "\n{\"name\":\"some/app\",\"tags\":"
	    "[\"index\",\"latest\"]}");
	check_answer("GET", "/v2/some/app/tags/list?n=9&last=m", "200\n" JSON VERSION
	    "\n{\"name\":\"some/app\",\"tags\":[\"multi\",\"oci\"]}");
	check_answer("GET", "/v2/some/app/tags/list?n=0", "200\n" JSON VERSION
	    "\n{\"name\":\"some/app\",\"tags\":[]}");
	check_answer("GET", "/v2/some/app/tags/list?n=-1", "400\n" JSON "\n{\"errors\":[{\"code\":"
	    "\"PAGINATION_NUMBER_INVALID\",\"message\":\"invalid number of results requested\","
	    "\"detail\":{\"parameter\":\"n\"}}]}");
	check_answer("GET", "/v2/_catalog?n=2", "200\nLink: </v2/_catalog?n=2&last=four>; "
	    "rel=\"next\"\n" JSON VERSION "\n{\"repositories\":[\"a/tags/manifests\",\"four\"]}");
	check_answer("GET", "/v2/_catalog?last=some/app", "200\n" JSON VERSION
	    "\n{\"repositories\":[\"three\",\"two\"]}");
}

#define INDEX_OF(descriptors) "\n{\"schemaVersion\":2,\"mediaType\":\"" INDEX \
	"\",\"manifests\":[" descriptors "]}"
#define REFERRER(digest, size, type) "{\"mediaType\":\"" OCI "\",\"digest\":\"" digest \
	"\",\"size\":" size ",\"artifactType\":\"" type "\"}"

TEST(referrers)
{
	check_answer("GET", "/v2/some/app/referrers/sha256:m", "200\nContent-Type: " INDEX "\n" VERSION
	    INDEX_OF(REFERRER("sha256:s1", "1", "x/sig") "," REFERRER("sha256:s2", "2", "x/sbom")));
	check_answer("GET", "/v2/some/app/referrers/sha256:m?artifactType=x%2fsbom",
	    "200\nContent-Type: " INDEX "\nOCI-Filters-Applied: artifactType\n" VERSION
	    INDEX_OF(REFERRER("sha256:s2", "2", "x/sbom")));
	check_answer("GET", "/v2/some/app/referrers/sha256:z", "200\nContent-Type: " INDEX "\n" VERSION
	    INDEX_OF(""));
}

TEST(private_buckets_are_signed_and_origins_are_not)
{
	static const char key[] = "{\"access_key\":\"a\",\"secret_key\":\"b\",\"region\":\"c\","
	    "\"endpoint\":\"https://b.example.com\"}";
	cleanup(presign_free_p) struct presign *presign = presign_parse(key, sizeof(key) - 1, NULL);
	cleanup(live_unref_p) struct live *live = crane_live(files);
	struct service service = { .live = live, .presign = presign, .now = 1369353600 };
	cleanup(free_p) char *own = crane_ask(&service, "GET", "/v2/two/blobs/sha256:b", "");
	cleanup(free_p) char *origin = crane_ask(&service, "GET", "/v2/some/app/blobs/sha256:r", "");

	CHECK(strstr(own, "\nLocation: https://b.example.com/app/blobs/sha256%3Ab?X-Amz-Algorithm=")
	    != NULL);
	CHECK(strstr(own, "\nCache-Control: no-store\n") != NULL);
	CHECK(strstr(origin, "X-Amz") == NULL);
}

TEST(pages_for_people_and_monitors)
{
	cleanup(live_unref_p) struct live *live = crane_live(files);
	struct service service = { .live = live };
	cleanup(free_p) char *json = crane_ask(&service, "GET", "/crane/repositories/v2",
	    "Accept: application/json\r\n");
	cleanup(free_p) char *html = crane_ask(&service, "GET", "/crane/repositories/v2",
	    "Accept: application/json, */*\r\n");
	cleanup(free_p) char *v1 = crane_ask(&service, "GET", "/crane/repositories",
	    "Accept: application/json\r\n");

	CHECK(strstr(json, "{\"a/tags/manifests\":{\"protected\":false},\"four\":") != NULL);
	CHECK(strstr(json, "\"hidden\":{\"protected\":true}") != NULL);
	CHECK(strstr(html, "Content-Type: text/html") != NULL && strstr(html, "<td>four</td>") != NULL);
	CHECK_STR(strstr(v1, "\n\n"), "\n\n{}");
}

int
main(void)
{
	return RUN(CASE(paths_that_crane_chooses), CASE(what_raas_knows), CASE(nothing_is_there),
	    CASE(answers_whole), CASE(tags_in_pages), CASE(referrers),
	    CASE(private_buckets_are_signed_and_origins_are_not),
	    CASE(pages_for_people_and_monitors));
}
