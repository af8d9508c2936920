/* s3-call.h - one request of the S3 API: where it goes, its signature, its repetitions, and what
 * a refusal means. s3.c alone uses it; everybody else wants s3.h.
 *
 * A `struct s3` belongs to one thread. */
#ifndef DAEMON_S3_CALL_H
#define DAEMON_S3_CALL_H

#include "daemon/s3.h"

#define S3_CALL_HEADERS 4

struct s3_call {
	const char	*method;
	const char	*bucket;	/* NULL: the service itself */
	const char	*key;		/* NULL: the bucket itself */
	const char	*query;		/* encoded, "uploads" or "a=b&c=d"; NULL: none */
	const char	*headers[S3_CALL_HEADERS + 1];	/* "Name: value", NULL at the end; lent */
	bool		 anonymous;	/* not signed */
	bool		 wants_xml;	/* a 2xx answer's body is one whole element, not an error */

	const void	*body;
	bool		 from_fd;
	int		 fd;
	off_t		 offset;
	uint64_t	 size;
	const char	*sha256;	/* of the body; NULL: computed */

	/* An answer that streams: the bytes from `first`, `length` of them or (0) all. */
	int		(*sink)(void *arg, const void *, size_t, struct error *err);
	void		*sink_arg;
	uint64_t	 first;
	uint64_t	 length;

	size_t		 body_max;	/* as in http_request */
	int64_t		 timeout_ms;	/* as in http_request */
};

struct s3_fault {
	char		 code[64];	/* S3's; "" when there was no XML to read */
	char		 message[256];	/* fit to be shown */
	char		 region[S3_REGION_SIZE];
};

struct s3_reply {
	struct http_response	http;
	struct s3_fault		fault;	/* of any answer but a good 2xx */
};

#define S3_REPLY_INIT { HTTP_RESPONSE_INIT, { "", "", "" } }

/* 0 once the server has given an answer that repeating will not change, good or not. */
int	 s3_call_do(struct s3 *, const struct s3_call *, struct s3_reply *, const struct deadline *,
	    struct error *err);
/* The same, but every answer except a good 2xx is an error. */
int	 s3_call_must(struct s3 *, const struct s3_call *, struct s3_reply *,
	    const struct deadline *, struct error *err);
/* Sets err from an answer that is no good, and names bucket and object. Returns -1. */
int	 s3_call_refused(const struct s3_call *, const struct s3_reply *, struct error *err);
/* Puts "bucket 'b': object 'k': " before err. Returns -1. */
int	 s3_call_prefix(const struct s3_call *, struct error *err);

bool	 s3_reply_good(const struct s3_reply *);
bool	 s3_reply_is(const struct s3_reply *, const char *code);
void	 s3_reply_done(struct s3_reply *);

const char *s3_region(const struct s3 *);	/* the options' */
char	*s3_presigned(const struct s3 *, const struct s3_call *, unsigned int seconds, time_t at);
bool	 s3_can_sign(const struct s3 *);

#endif
