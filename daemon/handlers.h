/* handlers.h - what each method of the control interface does: one function a row of the command
 * table. Loop thread only. A handler answers its call now, or keeps a reference and answers from
 * the loop later. Not a public interface: dispatch.c and method-*.c share it. */
#ifndef DAEMON_HANDLERS_H
#define DAEMON_HANDLERS_H

#include "daemon/control.h"
#include "daemon/daemon.h"

void	 handle_status(struct daemon *, struct control_call *);
void	 handle_setup(struct daemon *, struct control_call *);
void	 handle_sync(struct daemon *, struct control_call *);
void	 handle_diff(struct daemon *, struct control_call *);
void	 handle_resolve(struct daemon *, struct control_call *);
void	 handle_cancel(struct daemon *, struct control_call *);
void	 handle_pull(struct daemon *, struct control_call *);
void	 handle_reload(struct daemon *, struct control_call *);
void	 handle_log(struct daemon *, struct control_call *);
void	 handle_pause(struct daemon *, struct control_call *);
void	 handle_publish(struct daemon *, struct control_call *);
void	 handle_unpublish(struct daemon *, struct control_call *);
void	 handle_images(struct daemon *, struct control_call *);
void	 handle_resume(struct daemon *, struct control_call *);
void	 handle_wait(struct daemon *, struct control_call *);
void	 handle_validate(struct daemon *, struct control_call *);
void	 handle_teardown(struct daemon *, struct control_call *);
void	 handle_gc(struct daemon *, struct control_call *);

/* What is to be said of its section in raas.cfg: an array of strings. */
json_t	*registry_warnings_json(const struct registry *);
void	 handle_metrics(struct daemon *, struct control_call *);
void	 handle_check(struct daemon *, struct control_call *);

/* False while there is no configuration; the call has then been answered. */
bool	 call_has_config(struct daemon *, struct control_call *);
/* The registry that parameter "isv" names, or NULL: the call has then been answered. */
struct registry *call_registry(struct daemon *, struct control_call *);
/* The same for a name; not answered twice, so return at once when it is NULL. */
struct registry *call_registry_named(struct daemon *, struct control_call *, const char *name);
/* NULL for a registry that has no work done on it: orphaned, or with a section that has errors;
 * the call has then been answered. */
struct registry *call_served_registry(struct daemon *, struct control_call *, const char *name);
/* The one that parameter "isv" names; NULL also for one that is paused. */
struct registry *call_registry_to_change(struct daemon *, struct control_call *);

#endif
