/* s3-sign.h - AWS Signature Version 4, of a request and of a URL.
 *
 * Pure functions: the clock is an argument, nothing is read or kept. Any thread. Names and steps
 * are those of "Authenticating Requests (AWS Signature Version 4)" in the S3 API reference. */
#ifndef DAEMON_S3_SIGN_H
#define DAEMON_S3_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "common/buf.h"

#define S3_TIME_SIZE sizeof("20130524T000000Z")
#define S3_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

/* What is signed; all lent. */
struct s3_signing {
	const char	*access_key;
	const char	*secret_key;
	const char	*session_token;		/* NULL: none; for s3_sign_url() only */
	const char	*region;
	const char	*service;		/* "s3" */
	time_t		 at;
	const char	*method;
	const char	*path;			/* as sent: begins with '/', percent-encoded once */
	const char	*query;			/* as sent: "uploads", "a=b&c=d%20e"; "": none */
	const char	*const *headers;	/* "Name: value" …, NULL at the end; all count */
	const char	*payload_hash;		/* hex, or S3_UNSIGNED_PAYLOAD */
};

/* The Authorization header's value. The headers hold Host, X-Amz-Date (s3_sign_time() of `at`)
 * and, for S3, X-Amz-Content-Sha256 and X-Amz-Security-Token. The caller's to free. */
char	*s3_sign_request(const struct s3_signing *);
/* The whole query of a URL that is valid for `seconds` from `at`. The headers hold Host and
 * what else whoever uses the URL has to send. The caller's to free. */
char	*s3_sign_url(const struct s3_signing *, unsigned int seconds);

void	 s3_sign_time(time_t, char out[S3_TIME_SIZE]);
/* Appends s with all but RFC 3986's unreserved characters percent-encoded; '/' too unless kept. */
void	 s3_encode(struct buf *, const char *s, bool keep_slash);

#endif
