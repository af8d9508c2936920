/* control.h - the Varlink server on the control socket: connections, rights and limits.
 *
 * Owns the listening socket, its clients and the calls they made. What a call means is its
 * handler's business. Loop thread only; nothing here blocks. A client has one call in work at
 * a time, the rest waits in order. Who breaks a limit is cut off and nobody else notices. The
 * process ignores SIGPIPE. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/interface.h"
#include "common/methods.h"

#define CONTROL_CLIENTS_MAX 1024u

struct control;
struct control_call;

struct control_options {
	const char	*path;			/* of the socket; its directory is made if missing */
	int		 listen_fd;		/* -1, or a listening socket that is used instead; taken */
	const char	*admin_group;		/* NULL: none */
	const char	*version;
	unsigned int	 clients_max;		/* 0: CONTROL_CLIENTS_MAX */
	int64_t		 idle_timeout_ms;	/* of a client without a call; 0: 5 min */
	int64_t		 slow_timeout_ms;	/* for a client to read what stands above the mark; 0: 30 s */
};

struct control_peer {
	uid_t	 uid;
	gid_t	 gid;
	pid_t	 pid;
	bool	 may_act;	/* root, raasd's own user, or a member of admin_group */
};

/* Answers the call now, or takes a reference and answers later. Method and parameters have been
 * checked against the table, and the peer's right to act where the method needs it. */
typedef void control_handler(void *arg, struct control_call *);

/* NULL with err: no such group, path too long, another raasd listens there … */
struct control *control_new(struct event_base *, const struct control_options *, control_handler *,
    void *arg, struct error *err);
/* For whoever is about to end: takes no more clients, who wait for the next raasd where systemd
 * holds the socket, and begins what the others have sent. What cannot be answered at once, and what
 * comes from now on, is answered with Busy; watchers are told that their calls are gone. */
void	 control_stop(struct control *);
/* The same for what is still in work; hangs up on everybody after one attempt to send what they
 * have coming, and removes the socket. NULL is fine. */
void	 control_free(struct control *);

const struct method *control_call_method(const struct control_call *);
const json_t *control_call_parameters(const struct control_call *);	/* an object; lent */
const struct control_peer *control_call_peer(const struct control_call *);
const char *control_call_who(struct control_call *);	/* "alice", "uid 1234"; lent */
/* The file, pipe or directory that the client passed along, when the method takes one; the caller's
 * to close. -1: none, or taken already. */
int	 control_call_take_file(struct control_call *);
bool	 control_call_more(const struct control_call *);	/* the client takes events */
bool	 control_call_gone(const struct control_call *);	/* the client has hung up */

struct control_call *control_call_ref(struct control_call *);
/* NULL is fine. Who drops the last reference without an answer gives the client an error. */
void	 control_call_unref(struct control_call *);
CLEANUP_FUNC(struct control_call, control_call_unref);

/* The answer, once per call. `parameters` is taken; NULL: {}. Nothing happens when the client
 * has gone. */
void	 control_reply(struct control_call *, json_t *parameters);
/* An error by its full name, see interface.h; `parameters` is taken, NULL: {}. */
void	 control_fail(struct control_call *, const char *error, json_t *parameters);
/* The same from an error value: ERROR_CANCELLED is Cancelled, all others are Failed. */
void	 control_fail_error(struct control_call *, const struct error *);

/* A reply that others follow; taken. Not sent, and true, when the client asked for one only.
 * False: the client has gone, no need for more. */
bool	 control_event(struct control_call *, json_t *parameters);
/* False: the client has not read what it was sent; who has much to send waits for `room`.
 * (Who sends on regardless has the client cut off after some MiB.) */
bool	 control_call_room(const struct control_call *);

/* Called on the loop, never from inside the functions above; either may be NULL. `gone` is the
 * last that is heard of the call, and not heard after its answer. */
void	 control_call_watch(struct control_call *, void (*room)(void *, struct control_call *),
	    void (*gone)(void *, struct control_call *), void *arg);

#endif
