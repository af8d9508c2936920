/* http.h - one HTTP(S) request at a time by libcurl, with a deadline and a cancel flag.
 *
 * A `struct http_shared` holds what is read once and lent to all threads (certificates as one
 * X509_STORE, settings). A `struct http` is one easy handle with its connections; it belongs to
 * one thread at a time. Redirects are never followed here: who asks decides, signs again and
 * keeps credentials off other hosts. */
#ifndef DAEMON_HTTP_H
#define DAEMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/error.h"
#include "daemon/deadline.h"

#define HTTP_BODY_MAX (8u << 20)	/* bytes of an answer, unless a request says otherwise */

struct http_options {
	int64_t		 connect_timeout_ms;
	int64_t		 timeout_ms;		/* of one request, while none is given there; of its
						 * silence, when a file or a sink makes it long */
	const char	*ca_file;		/* NULL: the system's */
};

struct http_shared;
struct http;

/* In the main thread, before there are others: it sets RES_OPTIONS, so that a dead name server is
 * given up soon. SIGPIPE is to be ignored by the program. */
struct http_shared *http_shared_new(const struct http_options *, struct error *err);
void	 http_shared_free(struct http_shared *);

/* For who drives an easy handle of its own, as git-http.c does: what all of them have in common
 * (certificates, time to connect, http and https only), and what libcurl's end of a transfer
 * means: 0 for CURLE_OK. `text` is of CURLOPT_ERRORBUFFER. */
void	 http_shared_apply(const struct http_shared *, void *curl_easy);
int	 http_curl_error(int curl_code, const char *text, struct error *err);

struct http *http_new(struct http_shared *);
void	 http_free(struct http *);

struct http_request {
	const char	*method;		/* NULL: GET */
	const char	*url;			/* sent as it is, no dots folded */
	const char	*const *headers;	/* "Name: value" …, NULL at the end; may be NULL */
	const char	*username;		/* Basic; NULL: none */
	const char	*password;
	const char	*bearer;		/* Bearer token; NULL: none */

	/* The request's body: bytes, or `body_size` bytes of body_fd from body_offset (pread, the
	 * fd's own position is left alone), or none. */
	const void	*body;
	bool		 body_from_fd;
	int		 body_fd;
	off_t		 body_offset;
	uint64_t	 body_size;

	/* The answer's body goes into http_response.body, at most body_max bytes (0:
	 * HTTP_BODY_MAX), or piece by piece to `sink` when the status is 2xx; sink returns -1
	 * with err to stop. */
	size_t		 body_max;
	int		(*sink)(void *arg, const void *, size_t, struct error *err);
	void		*sink_arg;

	int64_t		 timeout_ms;		/* 0: the options' */
	/* On a connection of its own: on one that was kept open libcurl may send a request twice,
	 * when it cannot tell whether the first was taken. */
	bool		 once;
};

/* What stood in the way when no whole answer came. */
enum http_trouble {
	HTTP_TROUBLE_NONE,
	HTTP_TROUBLE_NAME,		/* the host's name cannot be resolved */
	HTTP_TROUBLE_TLS,		/* no handshake, or a certificate that is not trusted */
	HTTP_TROUBLE_OTHER,
};

struct http_response {
	long		 status;
	struct buf	 body;			/* as received */
	struct buf	 headers;		/* "name: value\n" …, names in lower case, of the final answer */
	enum http_trouble trouble;
};

#define HTTP_RESPONSE_INIT { 0, BUF_INIT, BUF_INIT, HTTP_TROUBLE_NONE }

/* 0 once a whole answer came, whatever its status; -1 with err: ERROR_REMOTE when there was
 * none or only a part, ERROR_CANCELLED, or what the sink said. The text begins with "METHOD
 * URL", the URL without user, password and query. */
int	 http_do(struct http *, const struct http_request *, struct http_response *,
	    const struct deadline *, struct error *err);

/* The first header of that name (lower case), copied into out; false when there is none. */
bool	 http_header(const struct http_response *, const char *name, char *out, size_t size);
void	 http_response_done(struct http_response *);

/* Takes out of a text that a server had its hand in what the request logs in with, or a URL's
 * user does: as it is, and as it was sent. */
void	 http_hide_login(const struct http_request *, struct error *);
void	 http_hide_url_login(const char *url, struct error *);

/* "https://host:1/path" of a URL: what may be shown. The caller's to free. */
char	*http_url_shown(const char *url);
/* Sleep time before try n (from 1): exponential from 250 ms to 8 s, half of it random. */
int64_t	 http_backoff_ms(unsigned int n);

#endif
