/* validate-ask.h - one question of a validation: a request, its redirects, and what a bad answer
 * means. Shared by validate*.c, and for nobody else; in their job.
 *
 * All functions return 0, or -1 when there is nothing more to do: then the report names a fault,
 * or, when it names none, `stopped` says why. */
#ifndef DAEMON_VALIDATE_ASK_H
#define DAEMON_VALIDATE_ASK_H

#include "daemon/validate.h"

struct pull {
	struct http			*http;
	const char			*base;
	const struct crane_metadata	*metadata;
	const struct validate_options	*options;
	const struct deadline		*deadline;
	struct validate_report		*report;
	struct error			 stopped;
	char				*path;		/* "/v2/acme/app/", encoded */
	const char			*about;		/* what is being looked at: "tag 'latest'" */
	struct crane_ids		 seen;		/* digests and ids, sorted, each once */
};

struct question {
	const char		*method;	/* NULL: GET */
	const char		*path;		/* from the base on */
	const char		*const *headers;	/* NULL at the end; may be NULL */
	size_t			 body_max;	/* 0: HTTP_BODY_MAX */
	void			(*begin)(void *arg);	/* before each try, with a sink */
	int			(*sink)(void *arg, const void *, size_t, struct error *);
	void			*sink_arg;
};

struct reply {
	struct http_response	 http;		/* the last; its status is 200 */
	char			*where;		/* its URL, fit to be shown */
	bool			 redirected;
};

#define REPLY_INIT { HTTP_RESPONSE_INIT, NULL, false }

int	 pull_ask(struct pull *, const struct question *, struct reply *);
void	 reply_done(struct reply *);

/* Reports "ABOUT: TEXT". Returns -1. */
int	 pull_fault(struct pull *, enum validate_fault, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* One more thing is in order. */
void	 pull_note(struct pull *, enum validate_part, uint64_t size, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* Bytes that come by, counted. */
struct pull_count {
	uint64_t		 n;
	uint64_t		 limit;		/* CRANE_SIZE_UNKNOWN: none */
	struct digest_stream	*digest;	/* NULL: not asked for */
};

/* For question.begin and .sink, with the count as their argument. */
void	 pull_count_begin(void *count);
int	 pull_count_add(void *count, const void *, size_t, struct error *);
/* Content-Length, or CRANE_SIZE_UNKNOWN. */
uint64_t reply_length(const struct reply *);

int	 pull_v1(struct pull *);	/* validate-v1.c */
int	 pull_v2(struct pull *);	/* validate-v2.c */

#endif
