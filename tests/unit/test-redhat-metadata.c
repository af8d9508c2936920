#include "daemon/redhat-metadata.h"

#include "tests/unit/http-server.h"
#include "tests/unit/test-git.h"

#define V1(id) "{\"version\":1,\"repository\":\"rhel\",\"repo-registry-id\":\"rhel\"," \
	"\"url\":\"https://cdn.example.com/rhel/\",\"images\":[{\"id\":\"" id "\"}],\"tags\":{}}"

/* One answer of the web server. */
struct page {
	const char	*path;
	const char	*status;
	const char	*headers;
	const char	*body;
	const char	*etag;		/* 304 to who has this one */
};

/* A source of the mask, as a test wants it. */
struct source {
	struct page		 pages[8];
	struct http_server	*server;
	struct http_shared	*shared;
	struct http		*http;
	struct redhat_config	 redhat;
	struct mask_source	 from;
	struct deadline		 deadline;
	struct error		 err;
	unsigned int		 not_modified;
};

static void
serve(void *arg, const struct server_request *request, struct server_connection *c)
{
	struct source *s = arg;
	const struct page *page;

	for (page = s->pages; page->path != NULL; page++) {
		if (strcmp(page->path, request->target) != 0)
			continue;
		if (page->etag != NULL &&
		    strcmp(server_header(request, "if-none-match"), page->etag) == 0) {
			s->not_modified++;
			server_send(c, "HTTP/1.1 304 Not Modified\r\n\r\n");
			return;
		}
		server_answer(c, page->status != NULL ? page->status : "200 OK",
		    page->headers != NULL ? page->headers : "", page->body);
		return;
	}
	server_answer(c, "404 Not Found", "Content-Type: text/html\r\n", "<html>");
}

static void
source_start(struct source *s)
{
	static const struct http_options options = { 5000, 20000, NULL };

	s->server = http_server_start(serve, s, false);
	if ((s->shared = http_shared_new(&options, NULL)) == NULL)
		abort();
	s->http = http_new(s->shared);
	s->redhat.metadata_relpath = xstrdup("");
	s->from.redhat = &s->redhat;
	s->from.http = s->http;
	s->from.http_shared = s->shared;
	s->from.ssh_command = "ssh";
	s->from.git_dir = "cache.git";
	s->from.keep_dir = "kept";
	s->deadline = deadline_in(20000, NULL);
	if (!sh("rm -rf kept cache.git"))
		abort();
}

static void
source_stop(struct source *s)
{
	http_free(s->http);
	http_shared_free(s->shared);
	http_server_stop(s->server);
	free(s->redhat.metadata);
	free(s->redhat.metadata_repo);
	free(s->redhat.metadata_relpath);
}

#define START(...)							\
	cleanup(source_stop) struct source s = { .pages = { __VA_ARGS__ } };	\
	source_start(&s)

static void
set(char **setting, const char *fmt, const char *value)
{
	free(*setting);
	*setting = xasprintf(fmt, value);
}

static struct mask *
get(struct source *s, struct mask *last)
{
	return mask_get(&s->from, last, &s->deadline, &s->err);
}

static bool
says(const struct source *s, enum error_kind kind, const char *words)
{
	if (s->err.kind == kind && strstr(s->err.text, words) != NULL)
		return true;
	printf("# %s: '%s'\n", error_kind_name(s->err.kind), s->err.text);
	return false;
}

TEST(from_the_config_repo)
{
	static const struct mask_input files[] = {
		{ "b.json", V1("bb"), sizeof(V1("bb")) - 1 },
		{ "a.json", V1("aa"), sizeof(V1("aa")) - 1 },
	};
	static const struct mask_input broken[] = { { "a.json", "{}", 2 } };
	cleanup(mask_unref_p) struct mask *mask = NULL, *again = NULL, *none = NULL;

	START({ .path = NULL });
	s.from.config_files = files;
	s.from.n_config_files = 2;
	CHECK((mask = get(&s, NULL)) != NULL);
	CHECK_INT(mask->n_files, 2);
	CHECK(crane_ids_have(&mask->masked, "aa"));
	CHECK((again = get(&s, mask)) == mask);
	s.from.config_files = broken;
	s.from.n_config_files = 1;
	CHECK(get(&s, mask) == NULL);
	CHECK(says(&s, ERROR_INPUT, "redhat/metadata/a.json: key 'version' is missing"));
	s.from.n_config_files = 0;
	CHECK((none = get(&s, mask)) != NULL);
	CHECK_INT(none->n_files, 0);
}

TEST(from_a_folder)
{
	cleanup(mask_unref_p) struct mask *mask = NULL, *again = NULL, *kept = NULL, *new = NULL;

	START({ .path = "/rh/", .body = "<a href=\"?C=N\">x</a><a href=\"a.json\">a</a>"
		"<a href=\"b.json\">b</a>" },
	    { .path = "/rh/a.json", .body = V1("aa"), .headers = "ETag: \"1\"\r\n", .etag = "\"1\"" },
	    { .path = "/rh/b.json", .body = V1("bb") });
	set(&s.redhat.metadata, "%s/rh", http_server_url(s.server));
	CHECK((mask = get(&s, NULL)) != NULL);
	CHECK_INT(mask->n_files, 2);
	CHECK(crane_ids_have(&mask->masked, "aa") && crane_ids_have(&mask->masked, "bb"));
	CHECK_INT(s.not_modified, 0);
	CHECK((again = get(&s, mask)) == mask);
	CHECK_INT(s.not_modified, 1);

	/* A restart remembers what need not be sent again. */
	CHECK((kept = mask_load("kept", &s.err)) != NULL);
	s.pages[2].body = V1("cc");
	CHECK((new = get(&s, kept)) != NULL && new != kept);
	CHECK_INT(s.not_modified, 2);
	CHECK(crane_ids_have(&new->masked, "aa") && crane_ids_have(&new->masked, "cc"));
}

TEST(from_one_file)
{
	cleanup(mask_unref_p) struct mask *mask = NULL;

	START({ .path = "/rhel.json?v=1", .body = V1("aa") });
	set(&s.redhat.metadata, "%s/rhel.json?v=1", http_server_url(s.server));
	CHECK((mask = get(&s, NULL)) != NULL);
	CHECK_INT(mask->n_files, 1);
	CHECK_STR(mask->files[0].name, "rhel.json");
}

TEST(from_git)
{
	cleanup(mask_unref_p) struct mask *mask = NULL, *again = NULL, *new = NULL, *root = NULL;

	START({ .path = NULL });
	CHECK(sh("rm -rf work; git init -q -b main work; cd work; mkdir -p a/b; "
	    "printf %%s '%s' > a/b/rhel.json; echo text > a/b/README; printf %%s '%s' > top.json; "
	    "git add .; git commit -qm one", V1("aa"), V1("tt")));
	set(&s.redhat.metadata_repo, "%s/work", git_box);
	set(&s.redhat.metadata_relpath, "%s", "/a/b/");
	CHECK((mask = get(&s, NULL)) != NULL);
	CHECK_INT(mask->n_files, 1);
	CHECK_STR(mask->files[0].name, "rhel.json");
	CHECK(crane_ids_have(&mask->masked, "aa"));
	CHECK((again = get(&s, mask)) == mask);

	CHECK(sh("cd work; printf %%s '%s' > a/b/rhel.json; git commit -qam two", V1("bb")));
	CHECK((new = get(&s, mask)) != NULL && new != mask);
	CHECK(crane_ids_have(&new->masked, "bb") && !crane_ids_have(&new->masked, "aa"));

	/* A git URL as `metadata` means the files at its top. */
	CHECK(sh("git clone -q --bare work rh.git"));
	set(&s.redhat.metadata, "file://%s/rh.git", git_box);
	CHECK((root = get(&s, new)) != NULL);
	CHECK_INT(root->n_files, 1);
	CHECK_STR(root->files[0].name, "top.json");
}

TEST(a_git_repo_that_has_it_not)
{
	START({ .path = NULL });
	CHECK(sh("rm -rf bad; git init -q -b main bad; cd bad; mkdir d e; echo '{}' > d/x.json; "
	    "echo text > e/README; ln -s d/x.json link.json; git add .; git commit -qm one"));
	set(&s.redhat.metadata_repo, "%s/bad", git_box);
	set(&s.redhat.metadata_relpath, "%s", "nowhere");
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_MISSING, "/bad, nowhere: no such path in the repo"));
	set(&s.redhat.metadata_relpath, "%s", "e");
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_MISSING, "no *.json there"));
	set(&s.redhat.metadata_relpath, "%s", "d");
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_REMOTE, "x.json: key 'version' is missing"));
	set(&s.redhat.metadata_relpath, "%s", "d/x.json");
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_REMOTE, "x.json: key 'version' is missing"));
	set(&s.redhat.metadata_relpath, "%s", "");
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_REMOTE, "link.json: not a regular file"));
	CHECK(sh("rm -rf bad; git init -q -b main bad"));
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_MISSING, "the repo has no commit"));
}

/* Whatever goes wrong, the last good copy stays. */
TEST(an_error_page_takes_nothing_away)
{
	static const struct page wrong[] = {
		{ .path = "/rh/", .body = "<html>Sign in, please</html>" },
		{ .path = "/rh/", .body = "<html>", .status = "403 Forbidden" },
		{ .path = "/rh/", .body = "<html>", .status = "503 Service Unavailable" },
		{ .path = "/rh/", .body = "<a href=\"a.json\"><a href=\"gone.json\">" },
	};
	static const enum error_kind kinds[] = {
		ERROR_REMOTE, ERROR_CREDENTIALS, ERROR_REMOTE, ERROR_MISSING
	};
	cleanup(mask_unref_p) struct mask *mask = NULL, *kept = NULL;
	size_t i;

	START({ .path = "/rh/", .body = "<a href=\"a.json\">" },
	    { .path = "/rh/a.json", .body = V1("aa") });
	set(&s.redhat.metadata, "%s/rh/", http_server_url(s.server));
	CHECK((mask = get(&s, NULL)) != NULL);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		s.pages[0] = wrong[i];
		CHECK(get(&s, mask) == NULL);
		CHECK(says(&s, kinds[i], "/rh/"));
	}
	s.pages[0].body = "<a href=\"a.json\">";
	s.pages[1].body = "<html>It is gone</html>";
	CHECK(get(&s, mask) == NULL);
	CHECK(says(&s, ERROR_REMOTE, "/rh/a.json: not valid JSON"));
	CHECK((kept = mask_load("kept", &s.err)) != NULL);
	CHECK(mask_same(mask, kept));
}

TEST(redirects)
{
	cleanup(mask_unref_p) struct mask *mask = NULL;

	START({ .path = "/rh/", .status = "301 Moved Permanently",
		.headers = "Location: ../new/\r\n", .body = "" },
	    { .path = "/new/", .body = "<a href=\"/new/a.json\">" },
	    { .path = "/new/a.json", .body = V1("aa") },
	    { .path = "/loop/", .status = "302 Found", .headers = "Location: /loop/\r\n",
		.body = "" },
	    { .path = "/file/", .status = "302 Found",
		.headers = "Location: file:///etc/passwd\r\n", .body = "" });
	set(&s.redhat.metadata, "%s/rh/", http_server_url(s.server));
	CHECK((mask = get(&s, NULL)) != NULL);
	CHECK_INT(mask->n_files, 1);
	set(&s.redhat.metadata, "%s/loop/", http_server_url(s.server));
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_REMOTE, "leads on more than 5 times"));
	set(&s.redhat.metadata, "%s/file/", http_server_url(s.server));
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_REMOTE, "not an http or https URL"));
}

TEST(no_password_is_shown)
{
	START({ .path = NULL });
	set(&s.redhat.metadata, "http://me:sesame@%s/x.json", http_server_url(s.server) + 7);
	CHECK(get(&s, NULL) == NULL);
	CHECK(says(&s, ERROR_MISSING, "/x.json: HTTP status 404"));
	CHECK(strstr(s.err.text, "sesame") == NULL);
	set(&s.redhat.metadata, "http://me:sesame@%s/x.git", http_server_url(s.server) + 7);
	CHECK(get(&s, NULL) == NULL);
	CHECK(strstr(s.err.text, "sesame") == NULL);
}

int
main(void)
{
	int result;

	git_setup();
	git_box_make();
	result = RUN(CASE(from_the_config_repo), CASE(from_a_folder), CASE(from_one_file),
	    CASE(from_git), CASE(a_git_repo_that_has_it_not),
	    CASE(an_error_page_takes_nothing_away), CASE(redirects), CASE(no_password_is_shown));
	git_box_remove();
	git_teardown();
	return result;
}
