#include "daemon/control-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "common/alloc.h"

/* Linux allows no more than 65,536 supplementary groups, setgroups(2). */
#define GROUPS_MAX_BYTES (65536 * sizeof(gid_t))

static int
set_address(struct sockaddr_un *addr, const char *path, struct error *err)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path[0] == '\0' || strlen(path) >= sizeof(addr->sun_path))
		return error_set(err, ERROR_INPUT, "socket '%s': a path has 1 to %zu bytes", path,
		    sizeof(addr->sun_path) - 1);
	memcpy(addr->sun_path, path, strlen(path) + 1);
	return 0;
}

static int
make_directory(const char *path, struct error *err)
{
	cleanup(free_p) char *copy = xstrdup(path);
	const char *dir = dirname(copy);

	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return error_errno(err, "cannot make directory '%s'", dir);
	return 0;
}

/* A socket file outlives its daemon; a connection that is refused tells that it has. */
static int
check_place(const char *path, const struct sockaddr_un *addr, struct error *err)
{
	cleanup(close_p) int fd = -1;
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : error_errno(err, "socket '%s'", path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, ERROR_INPUT, "socket '%s': something else stands there", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1)
		return error_errno(err, "socket '%s'", path);
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN)
		return error_set(err, ERROR_INPUT, "socket '%s': another raasd listens there", path);
	if (errno != ECONNREFUSED && errno != ENOENT)
		return error_errno(err, "socket '%s'", path);
	return 0;
}

/* Made beside its place and renamed into it: whoever finds it finds it listening, and with the
 * right mode whatever our umask. */
static int
listen_at(struct control_socket *s, const char *path, const char *new_path,
    const struct sockaddr_un *addr, struct error *err)
{
	struct stat st;

	if ((unlink(new_path) == -1 && errno != ENOENT) ||
	    bind(s->fd, (const struct sockaddr *)addr, sizeof(*addr)) == -1 ||
	    chmod(new_path, 0666) == -1 || listen(s->fd, SOMAXCONN) == -1 ||
	    lstat(new_path, &st) == -1 || rename(new_path, path) == -1) {
		error_errno(err, "cannot listen on socket '%s'", path);
		unlink(new_path);
		return -1;
	}
	s->path = xstrdup(path);
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return 0;
}

int
control_socket_open(struct control_socket *s, const char *path, struct error *err)
{
	cleanup(free_p) char *new_path = xasprintf("%s.new", path);
	struct sockaddr_un addr, new_addr;

	*s = (struct control_socket){ .fd = -1 };
	if (set_address(&addr, path, err) == -1 || set_address(&new_addr, new_path, err) == -1 ||
	    make_directory(path, err) == -1 || check_place(path, &addr, err) == -1)
		return -1;
	if ((s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1)
		return error_errno(err, "socket '%s'", path);
	if (listen_at(s, path, new_path, &new_addr, err) == -1) {
		control_socket_close(s);
		return -1;
	}
	return 0;
}

int
control_socket_passed(int *fd, struct error *err)
{
	int n = sd_listen_fds(true);

	*fd = -1;
	if (n < 0)
		return error_set(err, ERROR_INPUT, "LISTEN_FDS in the environment: %s", strerror(-n));
	if (n > 1)
		return error_set(err, ERROR_INPUT, "systemd passed %d sockets, raasd takes one: give "
		    "its socket unit one ListenStream", n);
	if (n == 0)
		return 0;
	if (sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
		return error_set(err, ERROR_INPUT, "systemd passed something else than a listening "
		    "stream socket with a path: see ListenStream in its socket unit");
	*fd = SD_LISTEN_FDS_START;
	return 0;
}

int
control_socket_adopt(struct control_socket *s, int fd, struct error *err)
{
	int listening = 0, flags;
	socklen_t size = sizeof(listening);

	*s = (struct control_socket){ .fd = fd };
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == -1 || !listening ||
	    (flags = fcntl(fd, F_GETFL)) == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
		control_socket_close(s);
		return error_set(err, ERROR_INPUT, "descriptor %d is not a listening socket", fd);
	}
	return 0;
}

void
control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (s->path != NULL && lstat(s->path, &st) == 0 && st.st_dev == s->device &&
	    st.st_ino == s->inode)
		unlink(s->path);
	free(s->path);
	if (s->fd != -1)
		close(s->fd);
	*s = (struct control_socket){ .fd = -1 };
}

int
control_admins_read(struct control_admins *admins, const char *group, struct error *err)
{
	cleanup(free_p) char *space = NULL;
	struct group entry, *found = NULL;
	size_t size = 16384;
	int result;

	*admins = (struct control_admins){ 0 };
	if (group == NULL || group[0] == '\0')
		return 0;
	do {
		size *= 2;
		space = xreallocarray(space, size, 1);
		result = getgrnam_r(group, &entry, space, size, &found);
	} while (result == ERANGE && size < (16u << 20));
	if (found == NULL)
		return error_set(err, ERROR_INPUT, "admin_group '%s': %s", group,
		    result != 0 ? strerror(result) : "there is no such group");
	*admins = (struct control_admins){ true, found->gr_gid };
	return 0;
}

/* The groups that the peer had when it connected; no name service is asked. */
static bool
in_group(int fd, gid_t gid)
{
	cleanup(free_p) gid_t *groups = NULL;
	socklen_t size = 64 * sizeof(*groups);
	size_t i;

	groups = xcalloc(1, size);
	/* Too small a buffer: ERANGE, and size says how much is needed. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == -1) {
		if (errno != ERANGE || size > GROUPS_MAX_BYTES)
			return false;
		groups = xreallocarray(groups, size, 1);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == -1)
			return false;
	}
	for (i = 0; i < size / sizeof(*groups); i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

int
control_peer_read(struct control_peer *peer, int fd, const struct control_admins *admins,
    struct error *err)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) == -1)
		return error_errno(err, "cannot tell who connected");
	*peer = (struct control_peer){ .uid = cred.uid, .gid = cred.gid, .pid = cred.pid };
	peer->may_act = cred.uid == 0 || cred.uid == geteuid() ||
	    (admins->any && (cred.gid == admins->gid || in_group(fd, admins->gid)));
	return 0;
}

char *
control_peer_name(uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry;
	char *name = NULL;

	while (file != NULL && name == NULL && (entry = fgetpwent(file)) != NULL) {
		if (entry->pw_uid == uid)
			name = xstrdup(entry->pw_name);
	}
	if (file != NULL)
		fclose(file);
	if (name == NULL)
		return xasprintf("uid %lu", (unsigned long)uid);
	text_clean(name);
	return name;
}
