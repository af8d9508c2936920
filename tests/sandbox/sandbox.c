/* sandbox - an OpenShift v2 broker, the raas-crane of each of its apps, and an S3 server, on
 * loopback: what raasd is tested and tried against. */

#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <git2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "crane/tls.h"
#include "tests/sandbox/apps-face.h"
#include "tests/sandbox/broker.h"
#include "tests/sandbox/control.h"

#define PRESET_MAX (16u << 20)
#define TOKEN_LIFE_S (10 * 365 * 86400L)

static const char usage[] =
"usage: sandbox --dir DIR [OPTION…]\n"
"\n"
"Listens on 127.0.0.1 and prints where, as shell assignments; ends on SIGTERM.\n"
"\n"
"  --dir DIR               where apps' repositories and big objects are kept\n"
"  --port N                of the broker; --app-port, --s3-port, --control-port (0: any free)\n"
"  --ssh-url PREFIX        stands before a repository's path in git_url; without it git_url is\n"
"                          the path\n"
"  --map-git URL=PATH      clone an initial_git_url from PATH; others are cloned by http, which\n"
"                          keeps all else waiting. Without a URL: a small Crane of our own\n"
"  --cloud-domain NAME     apps are APP-DOMAIN.NAME (localhost)\n"
"  --app-cert FILE         the apps answer by https only, with this certificate and its\n"
"  --app-key FILE          key, both PEM\n"
"  --user LOGIN:PASSWORD   of the broker (raas:sandbox-password)\n"
"  --token TOKEN=LOGIN     of the broker (sandbox-token=raas)\n"
"  --s3-key ACCESS:SECRET[:TOKEN]   (SANDBOXACCESSKEY:sandbox-secret-key)\n"
"  --region NAME           S3's (us-east-1)\n"
"  --modern                new buckets take no ACL and block public access, as on AWS\n"
"  --preset FILE           make what this file, a JSON object, says; see below\n"
"\n";

struct options {
	const char	*dir;
	const char	*ssh_url;
	const char	*cloud_domain;
	const char	*region;
	const char	*preset;
	const char	*app_cert, *app_key;
	SSL_CTX		*app_tls;	/* NULL: none */
	bool		 modern;
	int		 port, app_port, s3_port, control_port;
	json_t		*git_map;	/* object: URL to path */
	json_t		*users;		/* object: login to password */
	json_t		*tokens;	/* object: token to login */
	json_t		*keys;		/* array of "ACCESS:SECRET[:TOKEN]" */
};

static const struct option long_options[] = {
	{ "dir", required_argument, NULL, 'd' },
	{ "port", required_argument, NULL, 'p' },
	{ "app-port", required_argument, NULL, 'a' },
	{ "s3-port", required_argument, NULL, 's' },
	{ "control-port", required_argument, NULL, 'c' },
	{ "ssh-url", required_argument, NULL, 'S' },
	{ "map-git", required_argument, NULL, 'm' },
	{ "cloud-domain", required_argument, NULL, 'D' },
	{ "app-cert", required_argument, NULL, 'C' },
	{ "app-key", required_argument, NULL, 'K' },
	{ "user", required_argument, NULL, 'u' },
	{ "token", required_argument, NULL, 't' },
	{ "s3-key", required_argument, NULL, 'k' },
	{ "region", required_argument, NULL, 'r' },
	{ "modern", no_argument, NULL, 'M' },
	{ "preset", required_argument, NULL, 'P' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* "NAME<by>VALUE" into an object; a name may hold `by` where the last one counts. */
static void
add_pair(json_t *object, const char *text, char by)
{
	const char *at = strrchr(text, by);
	cleanup(free_p) char *name = NULL;

	if (at == NULL) {
		fprintf(stderr, "sandbox: '%s' has no '%c'\n", text, by);
		exit(2);
	}
	name = xstrndup(text, (size_t)(at - text));
	json_object_set_new(object, name, json_text(at + 1));
}

static void
read_option(struct options *o, int letter)
{
	switch (letter) {
	case 'd': o->dir = optarg; break;
	case 'p': o->port = atoi(optarg); break;
	case 'a': o->app_port = atoi(optarg); break;
	case 's': o->s3_port = atoi(optarg); break;
	case 'c': o->control_port = atoi(optarg); break;
	case 'S': o->ssh_url = optarg; break;
	case 'm': add_pair(o->git_map, optarg, '='); break;
	case 'D': o->cloud_domain = optarg; break;
	case 'C': o->app_cert = optarg; break;
	case 'K': o->app_key = optarg; break;
	case 'u': add_pair(o->users, optarg, ':'); break;
	case 't': add_pair(o->tokens, optarg, '='); break;
	case 'k': json_array_append_new(o->keys, json_text(optarg)); break;
	case 'r': o->region = optarg; break;
	case 'M': o->modern = true; break;
	case 'P': o->preset = optarg; break;
	case 'h':
		printf("%s%s", usage, control_help);
		exit(0);
	default:
		exit(2);
	}
}

static void
read_options(struct options *o, int argc, char **argv)
{
	int letter;

	o->git_map = json_object();
	o->users = json_object();
	o->tokens = json_object();
	o->keys = json_array();
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		read_option(o, letter);
	if (o->dir == NULL || optind != argc || (o->app_cert == NULL) != (o->app_key == NULL)) {
		fputs(usage, stderr);
		exit(2);
	}
	if (json_object_size(o->users) == 0)
		add_pair(o->users, "raas:sandbox-password", ':');
	if (json_object_size(o->tokens) == 0)
		add_pair(o->tokens, "sandbox-token=raas", '=');
	if (json_array_size(o->keys) == 0)
		json_array_append_new(o->keys, json_string("SANDBOXACCESSKEY:sandbox-secret-key"));
}

static void
options_done(struct options *o)
{
	json_decref(o->git_map);
	json_decref(o->users);
	json_decref(o->tokens);
	json_decref(o->keys);
	SSL_CTX_free(o->app_tls);
}

static void
add_accounts(struct apps *apps, const struct options *o)
{
	const char *name;
	json_t *value;
	struct account *account;

	json_object_foreach(o->users, name, value)
		apps_add_account(apps, name, json_string_value(value));
	json_object_foreach(o->tokens, name, value) {
		account = table_get(&apps->accounts, json_string_value(value));
		if (account != NULL)
			apps_add_token(apps, account, name, "session", TOKEN_LIFE_S);
	}
}

static void
add_keys(struct s3 *s3, const struct options *o)
{
	const json_t *text;
	size_t i;

	json_array_foreach(o->keys, i, text) {
		cleanup(free_p) char *copy = xstrdup(json_string_value(text));
		char *save = NULL, *access = strtok_r(copy, ":", &save);
		char *secret = strtok_r(NULL, ":", &save);

		if (access != NULL && secret != NULL)
			s3_add_key(s3, access, secret, strtok_r(NULL, ":", &save));
	}
}

/* The name and value of an object's first member. */
static void
first_of(json_t *object, const char **name, const char **value)
{
	void *at = json_object_iter(object);

	*name = json_object_iter_key(at);
	*value = json_string_value(json_object_iter_value(at));
}

static void
print_ready(const struct options *o, const struct s3 *s3)
{
	const struct s3_key *key = s3->keys.rows[0].value;
	const char *user, *password, *token, *login;

	first_of(o->users, &user, &password);
	first_of(o->tokens, &token, &login);
	printf("BROKER_URL=http://127.0.0.1:%d\n", o->port);
	printf("BROKER_USERNAME=%s\nBROKER_PASSWORD=%s\nBROKER_TOKEN=%s\n", user, password, token);
	printf("APP_PORT=%d\nAPP_DOMAIN=%s\n", o->app_port, o->cloud_domain);
	printf("S3_ENDPOINT=http://127.0.0.1:%d\nS3_REGION=%s\n", o->s3_port, o->region);
	printf("S3_ACCESS_KEY=%s\nS3_SECRET_KEY=%s\n", key->access, key->secret);
	printf("SANDBOX_URL=http://127.0.0.1:%d\nSANDBOX_PID=%d\n", o->control_port, (int)getpid());
	fflush(stdout);
}

static int
listen_all(struct options *o, struct control *control, struct error *err)
{
	struct ports *ports = control->ports;

	if (o->app_cert != NULL && (o->app_tls = tls_new(o->app_cert, o->app_key, err)) == NULL)
		return -1;
	if (ports_listen(ports, &o->port, "broker", NULL, broker_answer, control->apps,
	    err) == -1 ||
	    ports_listen(ports, &o->app_port, "crane", o->app_tls, apps_face_answer, control->apps,
	    err) == -1 ||
	    ports_listen(ports, &o->s3_port, "s3", NULL, s3_answer, control->s3, err) == -1)
		return -1;
	control->apps->port = o->app_port;
	return ports_listen(ports, &o->control_port, NULL, NULL, control_answer, control, err);
}

static int
read_preset(struct control *control, const char *path, struct error *err)
{
	cleanup(buf_done) struct buf text = BUF_LIMIT(PRESET_MAX);
	cleanup(json_unref) json_t *order = NULL;
	char piece[65536];
	size_t n;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return error_errno(err, "%s", path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0 && buf_add(&text, piece, n))
		continue;
	fclose(f);
	if ((order = json_read(buf_str(&text), text.len, 16, err)) == NULL ||
	    preset_make(control, order, err) == -1)
		return error_prefix(err, "%s", path);
	return 0;
}

static void
on_signal(evutil_socket_t number, short what, void *base)
{
	(void)number;
	(void)what;
	event_base_loopbreak(base);
}

static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Tests put their keys and names into the environment; git's configuration is nobody's. */
static void
set_up(const char *dir)
{
	cleanup(free_p) char *objects = xasprintf("%s/s3", dir);

	raise_file_limit();
	signal(SIGPIPE, SIG_IGN);
	content_set_folder(objects);
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, "");
	git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_SYSTEM, "");
	git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, "");
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

static int
serve(struct options *o, struct event_base *base, struct control *control)
{
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
	struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
	struct error err;
	int status = 0;

	event_add(term, NULL);
	event_add(interrupt, NULL);
	add_accounts(control->apps, o);
	add_keys(control->s3, o);
	if (listen_all(o, control, &err) == -1 ||
	    (o->preset != NULL && read_preset(control, o->preset, &err) == -1)) {
		fprintf(stderr, "sandbox: %s\n", err.text);
		status = 1;
	} else {
		print_ready(o, control->s3);
		event_base_dispatch(base);
	}
	event_free(term);
	event_free(interrupt);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = { .region = "us-east-1", .cloud_domain = "localhost" };
	cleanup(free_p) char *dir = NULL;
	struct apps_options apps_options;
	struct event_base *base;
	struct control control;
	int status;

	read_options(&o, argc, argv);
	/* git's alternates count relative paths from another place than we do. */
	mkdir(o.dir, 0777);
	if ((dir = realpath(o.dir, NULL)) == NULL) {
		perror(o.dir);
		return 1;
	}
	o.dir = dir;
	set_up(o.dir);
	base = event_base_new();
	apps_options = (struct apps_options){ .dir = o.dir, .cloud_domain = o.cloud_domain,
	    .scheme = o.app_cert != NULL ? "https" : "http", .ssh_url = o.ssh_url,
	    .git_map = o.git_map };
	control.apps = apps_new(&apps_options);
	control.s3 = s3_new(o.region, o.modern);
	control.faults = faults_new();
	control.record = record_new();
	control.ports = ports_new(base, control.faults, control.record);

	status = serve(&o, base, &control);

	ports_free(control.ports);
	record_free(control.record);
	faults_free(control.faults);
	s3_free(control.s3);
	apps_free(control.apps);
	event_base_free(base);
	options_done(&o);
	content_set_folder(NULL);
	git_libgit2_shutdown();
	libevent_global_shutdown();
	return status;
}
