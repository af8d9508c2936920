/* access.h - how everybody comes to read the objects of a bucket, and finding out which way works.
 *
 * access_judge() is pure. The others are in a job, on its s3. A policy is tried before ACLs: it
 * holds for objects that are written again, or by others, and new buckets of AWS take no ACL. */
#ifndef DAEMON_ACCESS_H
#define DAEMON_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "daemon/config.h"
#include "daemon/crane-metadata.h"
#include "daemon/deadline.h"
#include "daemon/s3.h"

#define ACCESS_CANARY_PREFIX "raasd-canary/"

/* The way that was found to work in a bucket. */
enum access_method { ACCESS_UNKNOWN, ACCESS_OPEN, ACCESS_POLICY, ACCESS_ACL, N_ACCESS_METHODS };

const char *access_method_name(enum access_method);	/* "policy"; static */
enum access_method access_method_of(const char *name);	/* ACCESS_UNKNOWN: no such */

/* What is to be done about it. */
enum access_need {
	ACCESS_FINE,
	ACCESS_FIND,		/* nobody knows which way works: try */
	ACCESS_SET_POLICY,
	ACCESS_SET_ACLS,
	ACCESS_OVERRULED,	/* the policy allows it, and yet the object cannot be read */
	ACCESS_EXPOSED,		/* everybody can read what is to be private */
};

/* What was seen of a bucket. */
struct access_sight {
	enum s3_access		 mode;		/* what raas.cfg says */
	enum access_method	 known;		/* from before */
	bool			 wanted;	/* there is a prefix that is to be readable */
	bool			 allowed;	/* the policy allows all of them */
	bool			 ours;		/* the policy has a statement of raasd's */
	bool			 object;	/* there is an object to try, and … */
	bool			 readable;	/* … everybody can read it, … */
	bool			 by_acl;	/* … because its ACL says so */
};

/* *method: what is known from now on. *detail: for people, static; NULL: nothing to say. */
enum access_need access_judge(const struct access_sight *, enum access_method *method,
	    const char **detail);

struct access_target {
	const char		*bucket;
	const struct crane_ids	*prefixes;	/* of the image repositories; may be empty */
	const char		*object;	/* that must be readable in the end; NULL: none yet */
};

/* Puts a canary into the bucket and reads it without credentials: as it is, with a policy, with an
 * ACL. Keeps what works, for the target, too; takes back what does not, and the canary. -1 with
 * err: nothing does, and why. */
int	 access_find(struct s3 *, const struct access_target *, enum access_method *,
	    const struct deadline *, struct error *err);
/* Makes the target readable in that way. Done already is fine. */
int	 access_grant(struct s3 *, const struct access_target *, enum access_method,
	    const struct deadline *, struct error *err);

#endif
