/* control-socket.h - the control socket's file, and who is at the other end of a connection.
 *
 * Loop thread only. Nothing asks the name service while the loop runs: it may block. */
#ifndef DAEMON_CONTROL_SOCKET_H
#define DAEMON_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"
#include "daemon/control.h"

struct control_socket {
	int	 fd;		/* listening, non-blocking */
	char	*path;		/* NULL: not ours to remove */
	dev_t	 device;
	ino_t	 inode;
};

/* Makes the socket at `path`, and its directory. A socket that nobody listens on is replaced;
 * anything else that stands there is left alone and is an error. Anyone may connect. */
int	 control_socket_open(struct control_socket *, const char *path, struct error *err);
/* The listening socket that systemd passed, see sd_listen_fds(3), in *fd; -1: it passed none. */
int	 control_socket_passed(int *fd, struct error *err);
/* Uses a listening socket that somebody else made; takes the descriptor. */
int	 control_socket_adopt(struct control_socket *, int fd, struct error *err);
/* Removes the file unless another socket has taken its place, and closes. */
void	 control_socket_close(struct control_socket *);

/* Who may act, besides root and our own user. */
struct control_admins {
	bool	 any;
	gid_t	 gid;
};

/* Asks the name service, so only at start. `group` NULL: nobody. */
int	 control_admins_read(struct control_admins *, const char *group, struct error *err);

int	 control_peer_read(struct control_peer *, int fd, const struct control_admins *,
	    struct error *err);
char	*control_peer_name(uid_t);	/* by /etc/passwd, or "uid N"; the caller's to free */

#endif
