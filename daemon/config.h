/* config.h - what raas.cfg asks for: an immutable, reference-counted snapshot.
 *
 * Made on the config thread from the text of raas.cfg, then only read; any thread may hold a
 * reference. A section with an error keeps the values of the last good configuration, so that
 * a bad push stops nobody; the sections that are good are served with their new values. */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/error.h"

#define RAAS_CFG_MAX (64u << 20)	/* bytes; a file beyond is refused unread */

/* How layers become readable. presigned: they stay private, and the redirector signs. */
enum s3_access {
	S3_ACCESS_AUTO, S3_ACCESS_ACL, S3_ACCESS_POLICY, S3_ACCESS_NONE, S3_ACCESS_PRESIGNED
};

/* One section that is an ISV. Strings are never NULL unless said. */
struct isv {
	char		*name;			/* as written in the section's head */
	char		*bucket;
	char		*domain;
	char		*app;
	char		*fqdn;			/* NULL: the app's first alias, else its app_url */
	char		*public_url;		/* NULL: from endpoint and region; no slash at its end */
	bool		 scale;
	char		*gear_size;
	enum s3_access	 access;
	bool		 create;		/* may a missing domain, app, bucket be created */
	bool		 restart;		/* restart the app after failed health checks */
	char		*error;			/* NULL: the section is good; else "FILE:LINE: why not" */
	bool		 stale;			/* error is set, the values are the last good ones; without
						 * it an ISV with an error has NULL in its other strings */
};

struct redhat_config {
	char		*metadata;		/* NULL or a URL */
	char		*metadata_repo;		/* NULL or a git URL */
	char		*metadata_relpath;	/* "" when not given */
	char		*error;			/* NULL: the section is good; else why it is not, and the
						 * values are the last good ones, or where there are none
						 * every string is NULL: nothing that needs it can be done */
};

struct openshift_config {
	char		*server_url;		/* without a slash at its end */
	char		*app_git_url;
	char		*app_git_branch;
	char		*username;		/* NULL with a token */
	char		*password;		/* NULL with a token */
	char		*token;			/* NULL with a username; all three: none are given */
	char		*cartridge;
	char		*error;			/* as in redhat_config */
};

struct aws_config {
	char		*access_key;		/* NULL: none given */
	char		*secret_key;
	char		*session_token;		/* NULL: none */
	char		*region;
	char		*endpoint;		/* NULL: AWS's own for the region; no slash at its end */
	char		*error;			/* as in redhat_config */
};

struct pulp_config {
	char		*url;			/* NULL: none */
	char		*host;
	char		*username;
	char		*password;
	bool		 verify_ssl;
	char		*error;			/* as in redhat_config */
};

struct config_problem {
	unsigned int	 line;			/* 0: not of one line */
	char		*section;		/* NULL: of the whole file */
	char		*text;
};

struct config {
	struct redhat_config	 redhat;
	struct openshift_config	 openshift;
	struct aws_config	 aws;
	struct pulp_config	 pulp;
	struct isv		*isvs;		/* sorted by name, strcmp(3) */
	size_t			 n_isvs;
	struct config_problem	*errors;
	size_t			 n_errors;
	struct config_problem	*warnings;
	size_t			 n_warnings;

	unsigned int		 refs;		/* config.c's own, atomic */
};

/* Never NULL: what is wrong stands in errors. `text` may hold any bytes. `file` names the text
 * in messages ("raas.cfg"). `last_good` may be NULL. Values `credential:NAME` are read from
 * the directory `credentials_dir` (NULL: there is none, such a value is an error).
 *
 * Where the text's syntax is broken anywhere, a section may be missing because its head was
 * torn: the sections of last_good that are not found are then kept, the ISVs stale. */
struct config *config_parse(const char *text, size_t len, const char *file,
    const struct config *last_good, const char *credentials_dir);

struct config *config_ref(struct config *);
void	 config_unref(struct config *);		/* NULL is fine */

const struct isv *config_isv(const struct config *, const char *name);	/* NULL: unknown */
/* Same values in every key that reconciling this ISV depends on, its own and the shared ones. */
bool	 config_isv_equal(const struct isv *, const struct isv *);
bool	 config_shared_equal(const struct config *, const struct config *);

/* The object of `raasd --check --json`; secrets are "***". Without a credentials_dir a value
 * `credential:NAME` is a warning: a file may be checked where it is not used. New reference. */
json_t	*config_to_json(const char *text, size_t len, const char *file,
    const char *credentials_dir);

#endif
