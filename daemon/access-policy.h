/* access-policy.h - the bucket policy that lets everybody read objects, and nothing else.
 *
 * Pure. A policy that others wrote is kept: raasd adds its one statement and touches no other.
 * Source: AWS, "Policies and permissions in Amazon S3", the policy language of 2012-10-17. */
#ifndef DAEMON_ACCESS_POLICY_H
#define DAEMON_ACCESS_POLICY_H

#include <stdbool.h>

#include "common/error.h"

#define ACCESS_POLICY_SID "raasdPublicRead"
#define ACCESS_POLICY_MAX (20u * 1024)	/* bytes, S3's own limit */

/* Does some statement let everybody get every object of the bucket, with no condition? (That no
 * other denies it is not looked at: the probe of an object tells.) */
bool	 access_policy_allows(const char *policy, const char *bucket);

/* The policy with our statement in it; `policy` NULL: a new one. The caller's to free; NULL with
 * err (ERROR_INPUT) when what is there is not a policy. */
char	*access_policy_add(const char *policy, const char *bucket, struct error *err);

#endif
