/* raas-crane: answers the docker registry API from metadata files, and redirects to where the
 * content is. Options, then everything up in order, the loop, everything down in reverse. */
#include <event2/event.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "crane/keys.h"
#include "crane/live.h"
#include "crane/load.h"
#include "crane/server.h"
#include "crane/watch.h"

#define WORKERS_DEFAULT_MAX 8
#define LOOK_S 5			/* between two looks at the files of keys */
#define FDS_OF_OURS 64u			/* beside the clients */

struct options {
	const char		*data;
	struct key_files	 keys;
	struct server_options	 server;
};

struct crane {
	struct options		 options;
	struct keys		*keys;
	struct keys_seen	 seen;		/* of the files, before they were read last */
	struct error		 keys_error;	/* of that reading, if it failed */
	struct event		*look;
	struct event_base	*base;
	struct server		*server;
	struct watch		*watch;
	struct live		*live;
	struct event		*signals[3];
};

static const char usage[] =
"usage: raas-crane --data DIR --listen ADDR:PORT [--cert PEM --key PEM] [--workers N]\n"
"                  [--endpoint NAME] [--presign-key FILE]\n";

static const char help[] =
"\n"
"Answers the docker registry API, v1 and v2, from the metadata files in DIR, and redirects\n"
"clients to the place where the content is. Writes nothing.\n"
"\n"
"  --data DIR          metadata files of Crane, versions 1 to 4: every *.json in DIR and below\n"
"                      it, names that begin with a dot excepted. DIR may be a link that is\n"
"                      replaced at each deploy.\n"
"  --listen ADDR:PORT  [::1]:5000, 127.0.0.1:5000, or :5000 for every address; port 0 takes a\n"
"                      free one, and says which\n"
"  --cert PEM          speak TLS, with this certificate chain\n"
"  --key PEM           and its private key\n"
"  --workers N         threads, 1 to 64; otherwise one a CPU, at most 8\n"
"  --endpoint NAME     X-Docker-Endpoints of the v1 API; otherwise the Host that was asked\n"
"  --presign-key FILE  sign redirects into a private bucket with a key that may read it. FILE is\n"
"                      JSON: access_key, secret_key, region, endpoint, and where needed\n"
"                      session_token, bucket. Redirects to elsewhere stay unsigned.\n"
"  --help, --version\n"
"\n"
"Changes in DIR are seen at once, those of the three other files within 5 seconds; SIGHUP reads\n"
"all of them again. All or nothing: while a file of DIR is not good, what was read last without a\n"
"fault is served; while the certificate does not belong to the key, or one of the three cannot be\n"
"read, those read before are used. GET /raas/status names the file and the reason. It also has the\n"
"hash of what is live: SHA-256 of the lines that sha256sum prints for the files, in order of their\n"
"names. /crane/repositories[/v1|/v2] lists what is served; who wants to keep either from the public\n"
"refuses these paths in the proxy in front.\n"
"\n"
"SIGTERM ends it, after clients had 5 s to take their answers. Exit status: 0 ended by a\n"
"signal, 1 cannot start, 2 usage.\n";

static int
bad_usage(const char *why)
{
	fprintf(stderr, "raas-crane: %s\n%s", why, usage);
	return 2;
}

static unsigned int
default_workers(void)
{
	cpu_set_t cpus;
	int n;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == -1)
		return 1;
	n = CPU_COUNT(&cpus);
	return (unsigned int)(n > WORKERS_DEFAULT_MAX ? WORKERS_DEFAULT_MAX : n);
}

static bool
read_workers(const char *text, unsigned int *out)
{
	size_t len = strlen(text);
	unsigned long n;

	if (len == 0 || len > 3 || strspn(text, "0123456789") != len)
		return false;
	n = strtoul(text, NULL, 10);
	if (n < 1 || n > SERVER_WORKERS_MAX)
		return false;
	*out = (unsigned int)n;
	return true;
}

/* -1: go on; else the exit status. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "listen", required_argument, NULL, 'l' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "workers", required_argument, NULL, 'w' },
		{ "endpoint", required_argument, NULL, 'e' },
		{ "presign-key", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'd': o->data = optarg; break;
		case 'l': o->server.listen = optarg; break;
		case 'c': o->keys.cert = optarg; break;
		case 'k': o->keys.key = optarg; break;
		case 'e': o->server.endpoint = optarg; break;
		case 'p': o->keys.presign = optarg; break;
		case 'w':
			if (!read_workers(optarg, &o->server.workers))
				return bad_usage("--workers is not a number from 1 to 64");
			break;
		case 'h':
			printf("%s%s", usage, help);
			return 0;
		case 'v':
			puts("raas-crane " RAAS_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc)
		return bad_usage("there are only options, no arguments");
	if (o->data == NULL || o->server.listen == NULL)
		return bad_usage("--data and --listen are needed");
	if ((o->keys.cert == NULL) != (o->keys.key == NULL))
		return bad_usage("--cert and --key go together");
	return -1;
}

/* As many clients as there can be descriptors. */
static void
limit_clients(struct connection_limits *limits)
{
	struct rlimit fds;

	if (getrlimit(RLIMIT_NOFILE, &fds) == -1)
		return;
	fds.rlim_cur = fds.rlim_max;
	setrlimit(RLIMIT_NOFILE, &fds);
	if (fds.rlim_max != RLIM_INFINITY && fds.rlim_max < limits->clients + 2 * FDS_OF_OURS)
		limits->clients = fds.rlim_max > 3 * FDS_OF_OURS
		    ? (unsigned int)fds.rlim_max - 2 * FDS_OF_OURS : FDS_OF_OURS;
}

static void
report(const struct live *live)
{
	const struct refusals *refused = live_refusals(live);
	const struct store *store = live_store(live);
	size_t i;

	for (i = 0; i < refused->n; i++)
		fprintf(stderr, "raas-crane: refused '%s': %s\n", refused->list[i].file,
		    refused->list[i].reason);
	if (refused->total > refused->n)
		fprintf(stderr, "raas-crane: refused %zu more files\n", refused->total - refused->n);
	fprintf(stderr, "raas-crane: serving %zu repositories of v1, %zu of v2, hash %s%s\n",
	    store_n_v1(store), store_n_v2(store), store_hash(store),
	    refused->total == 0 ? "" : store_is_whole(store) ? ", as before the refusal"
	    : ", without what was refused");
}

/* The files of keys, whose old ones go on while the new ones are not good: they are renewed one
 * after the other. */
static int
read_keys(struct crane *c, struct error *err)
{
	struct keys *keys;

	keys_look(&c->options.keys, &c->seen);
	if ((keys = keys_read(&c->options.keys, err)) == NULL)
		return -1;
	keys_unref(c->keys);
	c->keys = keys;
	return 0;
}

static void
reload_keys(struct crane *c)
{
	c->keys_error = (struct error)ERROR_INIT;
	if (read_keys(c, &c->keys_error) == -1)
		fprintf(stderr, "raas-crane: refused %s; what was read before is used\n",
		    c->keys_error.text);
	else
		fprintf(stderr, "raas-crane: read the keys again\n");
}

static void
reload(struct crane *c)
{
	struct refusals refused = REFUSALS_INIT;
	time_t now = time(NULL);
	struct store *loaded = load_directory(c->options.data, now, &refused);
	struct live *live = live_new(c->live, loaded, &refused, c->keys,
	    c->keys_error.kind != ERROR_NONE ? c->keys_error.text : NULL, now);

	live_unref(c->live);
	c->live = live;
	server_publish(c->server, live);
	report(live);
}

static void
on_change(void *arg)
{
	reload(arg);
}

static void
on_hangup(evutil_socket_t number, short what, void *arg)
{
	struct crane *c = arg;

	(void)number;
	(void)what;
	if (c->look != NULL)
		reload_keys(c);
	reload(c);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct crane *c = arg;
	struct keys_seen now;

	(void)fd;
	(void)what;
	keys_look(&c->options.keys, &now);
	if (keys_seen_same(&now, &c->seen))
		return;
	reload_keys(c);
	reload(c);
}

static void
on_end(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	event_base_loopbreak(((struct crane *)arg)->base);
}

static int
add_signals(struct crane *c, struct error *err)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	c->signals[0] = evsignal_new(c->base, SIGTERM, on_end, c);
	c->signals[1] = evsignal_new(c->base, SIGINT, on_end, c);
	c->signals[2] = evsignal_new(c->base, SIGHUP, on_hangup, c);
	for (i = 0; i < sizeof(c->signals) / sizeof(c->signals[0]); i++)
		if (c->signals[i] == NULL || event_add(c->signals[i], NULL) == -1)
			return error_set(err, ERROR_SYSTEM, "cannot wait for signals");
	return 0;
}

static int
add_look(struct crane *c, struct error *err)
{
	struct timeval interval = { LOOK_S, 0 };

	if (c->options.keys.cert == NULL && c->options.keys.presign == NULL)
		return 0;
	c->look = event_new(c->base, -1, EV_PERSIST, on_look, c);
	if (c->look == NULL || event_add(c->look, &interval) == -1)
		return error_set(err, ERROR_SYSTEM, "cannot make a timer");
	return 0;
}

static int
crane_init(struct crane *c, struct error *err)
{
	struct options *o = &c->options;

	if (read_keys(c, err) == -1)
		return -1;
	limit_clients(&o->server.limits);
	if ((c->base = event_base_new()) == NULL)
		return error_set(err, ERROR_SYSTEM, "cannot make an event loop");
	if (add_signals(c, err) == -1 || add_look(c, err) == -1 ||
	    (c->server = server_new(&o->server, err)) == NULL)
		return -1;
	c->watch = watch_new(c->base, o->data, on_change, c, err);
	return c->watch != NULL ? 0 : -1;
}

static void
crane_done(struct crane *c)
{
	size_t i;

	watch_free(c->watch);
	server_free(c->server);
	live_unref(c->live);
	for (i = 0; i < sizeof(c->signals) / sizeof(c->signals[0]); i++)
		if (c->signals[i] != NULL)
			event_free(c->signals[i]);
	if (c->look != NULL)
		event_free(c->look);
	if (c->base != NULL)
		event_base_free(c->base);
	keys_unref(c->keys);
	libevent_global_shutdown();
}

int
main(int argc, char **argv)
{
	struct crane c = { .options.server = { .workers = default_workers(),
	    .limits = CONNECTION_LIMITS } };
	struct error err = ERROR_INIT;
	int status = read_options(argc, argv, &c.options);

	if (status != -1)
		return status;
	status = crane_init(&c, &err);
	if (status == 0) {
		reload(&c);
		fprintf(stderr, "raas-crane: listening on %s\n", server_address(c.server));
		event_base_dispatch(c.base);
	} else {
		fprintf(stderr, "raas-crane: %s\n", err.text);
	}
	crane_done(&c);
	return status == 0 ? 0 : 1;
}
