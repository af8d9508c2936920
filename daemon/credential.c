#include "daemon/credential.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/atomic-file.h"
#include "daemon/span.h"

#define STAMPED_MAX 1024	/* credentials; systemd hands over 1 MiB of them at most */

const char *
credential_name(const char *value)
{
	static const char prefix[] = "credential:";

	return strncmp(value, prefix, strlen(prefix)) == 0 ? value + strlen(prefix) : NULL;
}

static bool
name_is_safe(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strspn(name, allowed);

	return n > 0 && n <= 255 && name[n] == '\0' && strcmp(name, ".") != 0 &&
	    strstr(name, "..") == NULL;
}

char *
credential_file(const char *dir, const char *value)
{
	const char *name = value != NULL ? credential_name(value) : NULL;

	if (name == NULL || dir == NULL || !name_is_safe(name))
		return xstrdup(value);
	return xasprintf("%s/%s", dir, name);
}

int
credential_read(const char *dir, const char *name, struct buf *out, struct error *err)
{
	cleanup(buf_done) struct buf content = BUF_INIT;
	cleanup(close_p) int dir_fd = -1;

	if (!name_is_safe(name))
		return error_set(err, ERROR_INPUT, "a credential's name has letters, digits, '.', '_'"
		    " and '-', and no '..'");
	if (dir == NULL)
		return error_set(err, ERROR_INPUT, "credential '%s': systemd gave no credentials"
		    " (CREDENTIALS_DIRECTORY is not set)", name);
	if ((dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return error_errno(err, "credential '%s': '%s'", name, dir);
	if (atomic_file_read(dir_fd, name, CREDENTIAL_MAX, &content, err) == -1) {
		if (err->kind != ERROR_MISSING)
			return error_prefix(err, "credential");
		return error_set(err, ERROR_MISSING, "credential: no file '%s' in '%s'; the unit's "
		    "LoadCredential, or a container's mount, puts it there", name, dir);
	}
	while (content.len > 0 && strchr("\r\n", content.data[content.len - 1]) != NULL)
		content.data[--content.len] = '\0';
	if (memchr(buf_str(&content), '\0', content.len) != NULL ||
	    !span_is_utf8((struct span){ buf_str(&content), content.len }))
		return error_set(err, ERROR_INPUT, "credential '%s' is not text", name);
	buf_add(out, buf_str(&content), content.len);
	return 0;
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
stamp(int dir_fd, const char *name, struct buf *out)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, 0) == -1)
		return;
	buf_printf(out, "%s %ju %jd %jd.%09ld %jd.%09ld\n", name, (uintmax_t)st.st_ino,
	    (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

char *
credential_stamp(const char *dir)
{
	struct buf text = BUF_INIT;
	struct dirent **entries;
	int dir_fd, n, i;

	if (dir == NULL || (dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return NULL;
	n = scandirat(dir_fd, ".", &entries, visible, alphasort);
	for (i = 0; i < n; i++) {
		if (i < STAMPED_MAX)
			stamp(dir_fd, entries[i]->d_name, &text);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	close(dir_fd);
	return buf_take(&text);
}
