/* openshift.h - client of an OpenShift v2 broker, API 1.7: domains, apps and what belongs to them.
 *
 * One account at one broker, on one `struct http`: a handle belongs to one thread at a time.
 * Every refusal of the broker becomes an error with the broker's own text and a kind. Reading is
 * tried again after a passing fault. A change is asked for once: when its answer is lost
 * (ERROR_REMOTE) it may still happen, so look at the state again before asking a second time. */
#ifndef DAEMON_OPENSHIFT_H
#define DAEMON_OPENSHIFT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "daemon/config.h"
#include "daemon/deadline.h"
#include "daemon/http.h"

#define OPENSHIFT_ALIASES_MAX 1000	/* of one app */

struct openshift;

/* Never changed once read. All strings stand in one block; none is NULL but those that say so. */
struct openshift_app {
	const char	*id;
	const char	*name;
	const char	*domain;
	const char	*app_url;
	const char	*git_url;
	const char	*framework;		/* the web cartridge, "python-2.7"; "" not told */
	const char	*gear_profile;		/* "" not told */
	const char	*deployment_branch;	/* "" not told */
	const char	*initial_git_url;	/* NULL: none */
	const char	*const *aliases;	/* in the broker's order */
	size_t		 n_aliases;
	bool		 scalable;
	bool		 auto_deploy;
	void		*block;
};

/* All apps of the account, sorted by domain and name. */
struct openshift_apps {
	struct openshift_app	*apps;
	size_t			 n;
};

#define OPENSHIFT_APPS_INIT { NULL, 0 }

/* Names, sorted: of domains, or of an app's aliases. */
struct openshift_names {
	char	**names;
	size_t	  n;
};

#define OPENSHIFT_NAMES_INIT { NULL, 0 }

struct openshift_variable {
	const char	*name;
	const char	*value;
};

struct openshift_variables {
	struct openshift_variable	*variables;	/* in the broker's order */
	size_t				 n;
};

#define OPENSHIFT_VARIABLES_INIT { NULL, 0 }

/* What an app is created with. */
struct openshift_new_app {
	const char			*domain;
	const char			*name;
	const char			*cartridge;
	const char			*git_url;	/* NULL: the cartridge's own template */
	const char			*git_branch;	/* NULL: master */
	bool				 scale;
	const char			*gear_size;	/* NULL: the account's default */
	const struct openshift_variable	*variables;
	size_t				 n_variables;
};

/* Both are lent for as long as the handle lives. */
struct openshift *openshift_new(struct http *, const struct openshift_config *);
void	 openshift_free(struct openshift *);		/* NULL is fine */

/* Account-wide, one request each. */
int	 openshift_domains(struct openshift *, struct openshift_names *out, const struct deadline *,
	    struct error *err);
int	 openshift_apps(struct openshift *, struct openshift_apps *out, const struct deadline *,
	    struct error *err);

/* Case does not matter to the broker. NULL, false: there is none. */
const struct openshift_app *openshift_apps_find(const struct openshift_apps *, const char *domain,
    const char *name);
bool	 openshift_names_have(const struct openshift_names *, const char *name);

/* *found false: no such domain, or no such app in it (*out is then untouched). */
int	 openshift_domain_get(struct openshift *, const char *name, bool *found,
	    const struct deadline *, struct error *err);
int	 openshift_app_get(struct openshift *, const char *domain, const char *name,
	    struct openshift_app *out, bool *found, const struct deadline *, struct error *err);

int	 openshift_domain_create(struct openshift *, const char *name, const struct deadline *,
	    struct error *err);
int	 openshift_domain_delete(struct openshift *, const char *name, const struct deadline *,
	    struct error *err);
/* ERROR_MISSING when there is no such domain: the broker itself would make one, misspelt or not.
 * `out` may be NULL. */
int	 openshift_app_create(struct openshift *, const struct openshift_new_app *,
	    struct openshift_app *out, const struct deadline *, struct error *err);

/* Of one app, by its id. */
int	 openshift_variables_list(struct openshift *, const char *app_id,
	    struct openshift_variables *out, const struct deadline *, struct error *err);
/* Adds and overwrites; others stay. */
int	 openshift_variables_set(struct openshift *, const char *app_id,
	    const struct openshift_variable *, size_t n, const struct deadline *,
	    struct error *err);
/* Stores how pushes deploy; deploys nothing. `deployment_branch` NULL: as it is. */
int	 openshift_app_update(struct openshift *, const char *app_id, const char *deployment_branch,
	    bool auto_deploy, const struct deadline *, struct error *err);
int	 openshift_app_restart(struct openshift *, const char *app_id, const struct deadline *,
	    struct error *err);
int	 openshift_app_delete(struct openshift *, const char *app_id, const struct deadline *,
	    struct error *err);
int	 openshift_aliases_list(struct openshift *, const char *app_id, struct openshift_names *out,
	    const struct deadline *, struct error *err);
int	 openshift_alias_add(struct openshift *, const char *app_id, const char *alias,
	    const struct deadline *, struct error *err);
int	 openshift_alias_remove(struct openshift *, const char *app_id, const char *alias,
	    const struct deadline *, struct error *err);

/* NULL, or the value of a variable. */
const char *openshift_variables_get(const struct openshift_variables *, const char *name);

void	 openshift_app_done(struct openshift_app *);
void	 openshift_apps_done(struct openshift_apps *);
void	 openshift_names_done(struct openshift_names *);
void	 openshift_variables_done(struct openshift_variables *);
CLEANUP_FUNC(struct openshift, openshift_free);

#endif
