#include "tests/unit/http-server.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define CONNECTIONS_MAX 64

struct server_connection {
	struct http_server	*server;
	pthread_t		 thread;
	int			 fd;
	SSL			*ssl;
	bool			 broken;
	bool			 ended;
};

struct http_server {
	server_fn			*fn;
	void				*arg;
	int				 listener;
	pthread_t			 thread;
	char				 url[64];
	char				 ca_file[64];
	SSL_CTX				*tls;
	atomic_uint			 requests;
	atomic_uint			 n;
	struct server_connection	 connections[CONNECTIONS_MAX];
};

/* A certificate for 127.0.0.1 that nobody but its file's reader trusts. */
static void
certificate_make(struct http_server *s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	FILE *file;
	int fd;

	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_set_version(cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, name, -1);
	X509_sign(cert, key, EVP_sha256());

	s->tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(s->tls, cert);
	SSL_CTX_use_PrivateKey(s->tls, key);
	strcpy(s->ca_file, "/tmp/test-ca-XXXXXX");
	if ((fd = mkstemp(s->ca_file)) == -1 || (file = fdopen(fd, "w")) == NULL)
		abort();
	PEM_write_X509(file, cert);
	fclose(file);
	X509_EXTENSION_free(name);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static ssize_t
receive(struct server_connection *c, char *out, size_t size)
{
	return c->ssl != NULL ? SSL_read(c->ssl, out, (int)size) : recv(c->fd, out, size, 0);
}

static bool
read_head(struct server_connection *c, struct server_request *r)
{
	size_t n = 0;

	while (n < sizeof(r->head) - 1) {
		if (receive(c, r->head + n, 1) != 1)
			return false;
		r->head[++n] = '\0';
		if (n >= 4 && strcmp(r->head + n - 4, "\r\n\r\n") == 0)
			return sscanf(r->head, "%15s %4095s", r->method, r->target) == 2;
	}
	return false;
}

static bool
read_body(struct server_connection *c, struct server_request *r)
{
	size_t size = strtoul(server_header(r, "content-length"), NULL, 10);
	ssize_t n;

	r->body = xcalloc(size + 1, 1);
	if (strcasecmp(server_header(r, "expect"), "100-continue") == 0)
		server_send(c, "HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\n");
	for (r->body_len = 0; r->body_len < size; r->body_len += (size_t)n) {
		if ((n = receive(c, r->body + r->body_len, size - r->body_len)) <= 0)
			return false;
	}
	return true;
}

static void *
serve(void *arg)
{
	struct server_connection *c = arg;

	if (c->server->tls != NULL) {
		c->ssl = SSL_new(c->server->tls);
		SSL_set_fd(c->ssl, c->fd);
		if (SSL_accept(c->ssl) != 1)
			c->broken = true;
	}
	while (!c->broken && !c->ended) {
		cleanup(free_p) struct server_request *r = xcalloc(1, sizeof(*r));

		if (!read_head(c, r))
			break;
		if (read_body(c, r)) {
			r->number = atomic_fetch_add(&c->server->requests, 1) + 1;
			c->server->fn(c->server->arg, r, c);
		} else {
			c->broken = true;
		}
		free(r->body);
	}
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static void *
accept_all(void *arg)
{
	struct http_server *s = arg;
	struct server_connection *c;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) != -1) {
		if (atomic_load(&s->n) == CONNECTIONS_MAX)
			abort();
		c = &s->connections[atomic_fetch_add(&s->n, 1)];
		c->server = s;
		c->fd = fd;
		pthread_create(&c->thread, NULL, serve, c);
	}
	return NULL;
}

struct http_server *
http_server_start(server_fn *fn, void *arg, bool tls)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	s->fn = fn;
	s->arg = arg;
	if (tls)
		certificate_make(s);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listener, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(s->listener, 64) == -1 ||
	    getsockname(s->listener, (struct sockaddr *)&at, &len) == -1)
		abort();
	snprintf(s->url, sizeof(s->url), "http%s://127.0.0.1:%u", tls ? "s" : "",
	    ntohs(at.sin_port));
	pthread_create(&s->thread, NULL, accept_all, s);
	return s;
}

void
http_server_stop(struct http_server *s)
{
	unsigned int i;

	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	for (i = 0; i < s->n; i++) {
		shutdown(s->connections[i].fd, SHUT_RDWR);
		pthread_join(s->connections[i].thread, NULL);
		SSL_free(s->connections[i].ssl);
		close(s->connections[i].fd);
	}
	close(s->listener);
	SSL_CTX_free(s->tls);
	if (s->ca_file[0] != '\0')
		unlink(s->ca_file);
	free(s);
}

const char *
http_server_url(const struct http_server *s)
{
	return s->url;
}

const char *
http_server_ca_file(const struct http_server *s)
{
	return s->ca_file;
}

unsigned int
http_server_connections(struct http_server *s)
{
	return atomic_load(&s->n);
}

unsigned int
http_server_requests(struct http_server *s)
{
	return atomic_load(&s->requests);
}

const char *
server_header(const struct server_request *r, const char *name)
{
	static _Thread_local char values[8][4096];
	static _Thread_local unsigned int next;
	char *value = values[next++ % 8];
	const char *line = r->head;
	size_t len = strlen(name);

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(line, "\r"), line);
			return value;
		}
	}
	return "";
}

static void
send_all(struct server_connection *c, const char *data, size_t len)
{
	ssize_t n;

	while (!c->broken && len > 0) {
		if (c->ssl != NULL)
			n = SSL_write(c->ssl, data, (int)len);
		else
			n = send(c->fd, data, len, MSG_NOSIGNAL);
		if (n <= 0) {
			c->broken = true;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

void
server_send(struct server_connection *c, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1)
		abort();
	send_all(c, text, (size_t)n);
	free(text);
}

void
server_answer(struct server_connection *c, const char *status, const char *headers,
    const char *body)
{
	server_send(c, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body),
	    headers, body);
}

void
server_close(struct server_connection *c)
{
	c->ended = true;
}

void
server_reset(struct server_connection *c)
{
	struct linger now = { 1, 0 };
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };

	/* Connecting to nowhere sends the RST, and leaves the fd to http_server_stop(). */
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	connect(c->fd, &unspecified, sizeof(unspecified));
	c->ended = true;
}

void
server_wait_gone(struct server_connection *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

	poll(&p, 1, -1);
	c->ended = true;
}

bool
server_alive(struct server_connection *c)
{
	return !c->broken;
}
