/* account.h - clients for the accounts that raas.cfg names. In a job, on its thread's http. */
#ifndef DAEMON_ACCOUNT_H
#define DAEMON_ACCOUNT_H

#include "daemon/config.h"
#include "daemon/http.h"
#include "daemon/s3.h"

struct s3_options account_s3_options(const struct aws_config *);	/* lends its strings */
/* NULL with err: no keys, or a bad endpoint. */
struct s3 *account_s3(const struct aws_config *, struct http *, struct error *err);
/* The base under which clients read a bucket, no slash at its end: public_url, or what follows
 * from the endpoint when that is NULL. The caller's. */
char	*account_public_base(const struct aws_config *, const char *public_url, const char *bucket);

#endif
