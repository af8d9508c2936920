/* openshift-answer.h - what a broker's answer means: its envelope, its errors, its objects.
 *
 * Pure: bytes in, values out; any thread. Nothing in an answer is trusted: types, sizes, depth
 * and the ids that will stand in URLs are checked. */
#ifndef DAEMON_OPENSHIFT_ANSWER_H
#define DAEMON_OPENSHIFT_ANSWER_H

#include "common/buf.h"
#include "common/json.h"
#include "daemon/openshift.h"

/* The broker's exit codes that somebody acts on. */
enum openshift_code {
	OPENSHIFT_CODE_NONE = 0,	/* none given, or null */
	OPENSHIFT_CODE_NO_APP = 101,
	OPENSHIFT_CODE_NO_DOMAIN = 127,
};

/* 0 for a status of success. Else -1, err with the broker's own words and the kind that they
 * mean, and in *code the first number that it gave. `content_type` is shown when the body is
 * no envelope. */
int	 openshift_answer_check(long status, const char *content_type, const struct buf *body,
	    int *code, struct error *err);

/* The `data` of an answer of success. */
int	 openshift_answer_app(const struct buf *, struct openshift_app *out, struct error *err);
int	 openshift_answer_apps(const struct buf *, struct openshift_apps *out, struct error *err);
int	 openshift_answer_variables(const struct buf *, struct openshift_variables *out,
	    struct error *err);
/* The strings under `key` of each element. */
int	 openshift_answer_names(const struct buf *, const char *key, struct openshift_names *out,
	    struct error *err);

#endif
