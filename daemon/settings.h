/* settings.h - raasd.yaml and the environment: how this host runs raasd.
 *
 * Read by the main thread at start and at a reload into a plain struct; lent to everybody,
 * never changed in place. An unknown key or a bad value is an error with line and column. */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/error.h"
#include "daemon/commit-signature.h"
#include "daemon/log.h"

struct publish_settings {
	char		*auth_file;	/* a path, or credential:NAME; NULL: no logins */
	unsigned int	 parallel;
	uint64_t	 part_size;	/* bytes */
	int64_t		 validate_timeout_ms;	/* for a registry to serve what is new */
};

struct settings {
	char		*config_repo;		/* RAAS_CONF_REPO wins */
	char		*environment;		/* the branch */
	char		*state_dir;
	char		*cache_dir;
	char		*socket;
	char		*admin_group;		/* NULL: none */
	int64_t		 poll_interval_ms;
	int64_t		 check_interval_ms;
	int64_t		 deep_interval_ms;
	unsigned int	 workers;		/* 1 to 256 */
	int64_t		 commit_interval_ms;
	bool		 commit;
	struct {
		char	*ssh_command;		/* split at blanks; no shell */
		char	*author_name;
		char	*author_email;
		int64_t	 timeout_ms;		/* of one git operation */
		enum signature_kind require_signed;
		char	*allowed_signers;	/* a path, or credential:NAME; NULL: none */
		char	*signing_key;		/* likewise; NULL: own commits are not signed */
	} git;
	struct {
		int64_t	 connect_timeout_ms;
		int64_t	 timeout_ms;
		char	*ca_file;		/* NULL: the system's */
	} http;
	struct publish_settings publish;
	struct {
		char	*textfile;		/* NULL: none */
		char	*listen;		/* a loopback address; NULL: none */
		int64_t	 interval_ms;
	} metrics;
	struct {
		enum log_level	level;
		enum log_target	target;
	} log;
};

/* `file` NULL: /etc/raas/raasd.yaml, whose absence is fine when RAAS_CONF_REPO is set. NULL
 * with err (ERROR_INPUT: "FILE:LINE:COLUMN: …") otherwise. */
struct settings *settings_load(const char *file, struct error *err);
struct settings *settings_parse(const char *yaml, size_t len, const char *file, struct error *err);
void	 settings_free(struct settings *);	/* NULL is fine */

#define SETTINGS_FILE "/etc/raas/raasd.yaml"

/* Every setting under its name, as raasd.yaml would have it; passwords in URLs are "***". */
json_t	*settings_to_json(const struct settings *);

#endif
