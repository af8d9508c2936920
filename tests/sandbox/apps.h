/* apps.h - what the broker and the apps' face know: accounts, domains, applications.
 *
 * Open structs: the broker changes them, the apps' face reads them. Everything is in memory
 * but the apps' git repositories, which app-git.h makes below DIR/git. */
#ifndef TESTS_SANDBOX_APPS_H
#define TESTS_SANDBOX_APPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/error.h"
#include "tests/sandbox/app-git.h"
#include "tests/sandbox/table.h"

struct crane_app;

struct account {
	char	*login;
	char	*password;
	int	 max_gears;
	int	 max_domains;
	int	 gears;			/* in use */
	json_t	*gear_sizes;		/* array: those it may use */
	char	 id[25];
};

struct token {
	struct account	*account;
	char		*token;
	char		*scopes;	/* "session" */
	char		*note;
	time_t		 created, expires;
	char		 id[25];
};

struct domain {
	char		*name;		/* as it was given; looked up in lower case */
	struct account	*owner;
	struct table	 apps;		/* by name in lower case; lent from apps->by_id */
	time_t		 created;
	char		 id[25];
};

struct app {
	char		*name;
	char		*host;		/* APP-DOMAIN.localhost, or what a test says */
	struct domain	*domain;
	char		 id[25];
	char		*repo;		/* path of the bare repository */
	char		*cartridge;
	char		*gear_size;
	char		*initial_git_url;	/* or NULL */
	bool		 scale;
	bool		 started;
	bool		 busy;		/* another change is running, says the test */
	bool		 auto_deploy;
	int		 keep_deployments;
	char		*deployment_type;
	char		*branch;	/* the deployment branch */
	struct git_mark	 seen;		/* where the branch was when we last looked */
	char		 deployed[GIT_ID_SIZE];	/* the commit that is served; "" before one */
	json_t		*env;		/* object: name to value */
	json_t		*deployments;	/* array, oldest first */
	json_t		*aliases;	/* array of strings */
	time_t		 created;
	struct crane_app *crane;	/* NULL: nothing was read yet */
	bool		 is_read;	/* crane has read what is deployed */
};

struct apps_options {
	const char	*dir;		/* the sandbox's; repositories go below DIR/git */
	const char	*cloud_domain;	/* "localhost" */
	const char	*scheme;	/* of the apps' URLs: "http" or "https" */
	const char	*ssh_url;	/* what stands before a repository's path, or NULL */
	json_t		*git_map;	/* object: URL to path */
};

struct apps {
	struct apps_options options;
	struct git_source *sources;
	unsigned int	 n_cleared;
	int		 port;		/* of the apps' face */
	struct table	 accounts;	/* by login */
	struct account	*first;		/* the one that was added first; lent */
	struct table	 tokens;	/* by token */
	struct table	 domains;	/* by name in lower case */
	struct table	 by_id;		/* owns the apps */
	struct table	 by_host;	/* host names and aliases in lower case; lent */
	uint64_t	 next_id;
};

struct apps	*apps_new(const struct apps_options *);	/* the options' strings are lent */
void		 apps_free(struct apps *);
/* Forgets domains and apps; accounts and tokens stay. The repositories are set aside. */
void		 apps_clear(struct apps *);

/* Gives a known account a new password. */
struct account	*apps_add_account(struct apps *, const char *login, const char *password);
struct token	*apps_add_token(struct apps *, struct account *, const char *token,
		    const char *scopes, time_t lifetime_s);
void		 apps_remove_token(struct apps *, struct token *);

struct domain	*apps_domain(const struct apps *, const char *name);	/* whatever its case */
struct domain	*apps_add_domain(struct apps *, const char *name, struct account *);
void		 apps_remove_domain(struct apps *, struct domain *);	/* with its apps */

/* What a new app is made of; lent. */
struct app_form {
	const char	*name;
	const char	*cartridge;
	const char	*gear_size;
	const char	*git_url;	/* NULL: the sandbox's own little Crane */
	const char	*commit;	/* of that, to begin with; NULL: its branch master */
	bool		 scale;
	json_t		*env;		/* object, or NULL */
};

/* Clones and deploys. NULL: the repository could not be cloned. */
struct app	*apps_add_app(struct apps *, struct domain *, const struct app_form *,
		    struct error *err);
void		 apps_remove_app(struct apps *, struct app *);
struct app	*domain_app(const struct domain *, const char *name);	/* whatever its case */
/* Gives it another host name, in lower case. False: somebody has it. */
bool		 apps_rename_host(struct apps *, struct app *, const char *host);
struct app	*apps_by_host(const struct apps *, const char *host);	/* in lower case */

/* Deploys what was pushed since the last look, if the app is to do so by itself. */
void		 app_look(struct app *);
/* Deploys this commit or branch and starts the app. -1: there is no such thing. */
int		 app_deploy(struct app *, const char *ref, struct error *err);
/* Deploys by itself from now on what is pushed to the branch, or not; deploys nothing now. */
void		 app_set_branch(struct app *, const char *branch, bool auto_deploy);
/* What the app runs, with what is deployed; lent. */
struct crane_app *app_crane(struct app *);
bool		 app_has_alias(const struct app *, const char *alias, size_t *index);
void		 apps_add_alias(struct apps *, struct app *, const char *alias);
void		 apps_remove_alias(struct apps *, struct app *, size_t index);

char		*lower_case(const char *);	/* the caller's to free */

#endif
