#include "daemon/account.h"

#include "common/alloc.h"

struct s3_options
account_s3_options(const struct aws_config *aws)
{
	return (struct s3_options){ .endpoint = aws->endpoint, .region = aws->region,
	    .access_key = aws->access_key, .secret_key = aws->secret_key,
	    .session_token = aws->session_token, .style = S3_STYLE_AUTO };
}

struct s3 *
account_s3(const struct aws_config *aws, struct http *http, struct error *err)
{
	struct s3_options options = account_s3_options(aws);

	if (aws->access_key == NULL || aws->secret_key == NULL) {
		error_set(err, ERROR_CREDENTIALS, "no S3 credentials: raas.cfg has no "
		    "aws_access_key and aws_secret_access_key in section [aws]");
		return NULL;
	}
	return s3_new(&options, http, err);
}

char *
account_public_base(const struct aws_config *aws, const char *public_url, const char *bucket)
{
	struct s3_options options = account_s3_options(aws);

	return public_url != NULL ? xstrdup(public_url) : s3_public_url(&options, bucket, NULL);
}
