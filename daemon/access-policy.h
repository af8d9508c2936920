/* access-policy.h - the bucket policy that lets everybody read some objects, and nothing else.
 *
 * Pure. What is opened is named by prefixes: "some-app/". A policy that others wrote is kept:
 * raasd has one statement in it and touches no other. Prefixes are added to that statement and
 * never taken out, since another ISV, or another raasd, may have put them there.
 * Source: AWS, "Policies and permissions in Amazon S3", the policy language of 2012-10-17. */
#ifndef DAEMON_ACCESS_POLICY_H
#define DAEMON_ACCESS_POLICY_H

#include <stdbool.h>

#include "common/error.h"
#include "daemon/crane-metadata.h"

#define ACCESS_POLICY_SID "raasdPublicRead"
#define ACCESS_POLICY_MAX (20u * 1024)	/* bytes, S3's own limit */

/* Do statements let everybody get every object under each of the prefixes, with no condition?
 * (That no other denies it is not looked at: the probe of an object tells.) */
bool	 access_policy_allows(const char *policy, const char *bucket, const struct crane_ids *prefixes);
bool	 access_policy_has_ours(const char *policy);

/* The policy with the prefixes, one at least, in our statement; `policy` NULL: a new one. The
 * caller's to free; NULL with err: ERROR_INPUT when what is there is not a policy, or a prefix
 * cannot be named in one, ERROR_QUOTA when it would be too long. */
char	*access_policy_add(const char *policy, const char *bucket, const struct crane_ids *prefixes,
	    struct error *err);

#endif
