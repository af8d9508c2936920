/* git-url.h - where a git repository is, as its URL says; no I/O. Any thread.
 *
 * ssh://[USER@]HOST[:PORT]/PATH, [USER@]HOST:PATH as scp has it, http(s)://, file:// and plain
 * paths, told apart as git does, see git-fetch(1), "GIT URLS". */
#ifndef DAEMON_GIT_URL_H
#define DAEMON_GIT_URL_H

#include "common/cleanup.h"
#include "common/error.h"

enum git_url_kind {
	GIT_URL_SSH,
	GIT_URL_HTTP,
	GIT_URL_LOCAL,
};

struct git_url {
	enum git_url_kind	 kind;
	char			*user;	/* NULL: none; this and what follows only for ssh */
	char			*host;	/* a v6 address without its brackets */
	unsigned int		 port;	/* 0: not said */
	char			*path;	/* decoded; also for a local repository; NULL for http */
};

/* -1 with err (ERROR_INPUT): no such form, or one that ssh, git or a shell at the other end
 * could take for an option or a command. Nothing of a password gets into the text. */
int	 git_url_parse(const char *url, struct git_url *out, struct error *err);
void	 git_url_done(struct git_url *);

/* What may be shown: no password, and for http no user and no query. The caller's to free. */
char	*git_url_shown(const char *url);

#endif
