/* broker-call.h - one call to the broker while it is answered; between the broker's files. */
#ifndef TESTS_SANDBOX_BROKER_CALL_H
#define TESTS_SANDBOX_BROKER_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/sandbox/apps.h"
#include "tests/sandbox/face.h"

#define CALL_WORDS 8

struct call {
	struct apps		*apps;
	const struct request	*request;
	struct reply		*answer;
	struct account		*account;	/* who asks */
	const char		*scopes;	/* of the token; "session" for a password */
	int			 version;	/* 17 is 1.7 */
	bool			 nolinks;
	json_t			*params;	/* object: the query's and the body's */
	char			*words[CALL_WORDS];	/* of the path below /broker/rest */
	size_t			 n_words;
};

/* Answers; each call gets one. Both take what they are given. */
void	 call_data(struct call *, int status, const char *type, json_t *data, const char *text);
void	 call_error(struct call *, int status, int exit_code, const char *field,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* What a DELETE answers, which depends on the version. */
void	 call_deleted(struct call *, const char *text);

/* A parameter as text; numbers and booleans are written out. NULL: not given or null. The
 * text lives as long as the call. */
const char *call_text(struct call *, const char *name);
bool	 call_flag(struct call *, const char *name, bool otherwise);
/* Link objects are left out when the caller asked for that. */
void	 call_link(struct call *, json_t *to, const char *name, const char *method,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void	 call_time(json_t *to, const char *key, time_t);

/* The domain or app that the path names, if the caller may see it; else answers and NULL. */
struct domain	*call_domain(struct call *);
struct app	*call_app(struct call *);

typedef void call_handler(struct call *);

/* broker-user.c */
call_handler	api_show, user_show, authorizations_list, authorization_add;
call_handler	authorization_show, authorization_delete, cartridges_list;
/* broker-domains.c */
call_handler	domains_list, domain_add, domain_show, domain_delete;
/* broker-apps.c */
call_handler	apps_list, domain_apps_list, app_add, app_show, app_update, app_delete;
/* broker-parts.c: what belongs to one app */
call_handler	app_event_add, aliases_list, alias_add, alias_show, alias_delete;
call_handler	env_list, env_add, env_update_all, env_show, env_update, env_delete;
call_handler	deployments_list, deployment_add, gear_groups_list, app_cartridges_list;

/* broker-apps.c: the app as this call's version shows it. */
json_t	*app_json(struct call *, struct app *);
/* broker-user.c: the cartridge of that name, or part of one; *n: how many it could mean. */
const char *cartridge_find(const char *name, int *n);
json_t	*cartridge_json(struct call *, const char *name);
/* broker-parts.c: checks a list of variables and puts them into `env`; false: answered. */
bool	 env_merge(struct call *, const json_t *list, json_t *env);

#endif
