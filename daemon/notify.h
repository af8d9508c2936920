/* notify.h - what systemd is told of raasd: sd_notify(3), for Type=notify. Loop thread only.
 *
 * Without systemd nothing happens. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

struct daemon;
struct notify;

struct notify *notify_new(void);
void	 notify_free(struct notify *);		/* NULL is fine */

void	 notify_ready(struct notify *);		/* after the start, and after each reload */
void	 notify_reloading(struct notify *);	/* notify_ready() must follow, also when it fails */
void	 notify_stopping(struct notify *);
/* What it is doing, in one line; sent when that is another than before. */
void	 notify_status(struct notify *, const struct daemon *);

#endif
