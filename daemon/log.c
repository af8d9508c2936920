#include "daemon/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/error.h"

static const struct {
	const char	*name;
	int		 priority;	/* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

static atomic_int threshold = LOG_LEVEL_INFO;
static atomic_bool to_journal;

/* systemd names the journal's stream in JOURNAL_STREAM=DEVICE:INODE, systemd.exec(5). */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void
log_setup(enum log_level level, enum log_target target)
{
	atomic_store(&threshold, (int)level);
	atomic_store(&to_journal, target == LOG_TARGET_JOURNAL ||
	    (target == LOG_TARGET_AUTO && stderr_is_journal()));
}

bool
log_level_from_name(const char *name, enum log_level *out)
{
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

struct fields {
	struct iovec	iov[6];
	int		n;
};

static void
add_field(struct fields *f, const char *name, const char *value)
{
	char *s;

	if (value == NULL)
		return;
	s = xasprintf("%s=%s", name, value);
	f->iov[f->n++] = (struct iovec){ s, strlen(s) };
}

static void
write_journal(enum log_level level, const struct log_about *about, const char *text)
{
	struct fields f = { .n = 0 };
	char priority[4];

	snprintf(priority, sizeof(priority), "%d", levels[level].priority);
	add_field(&f, "PRIORITY", priority);
	add_field(&f, "MESSAGE", text);
	if (about != NULL) {
		add_field(&f, "RAAS_ISV", about->isv);
		add_field(&f, "RAAS_JOB", about->job);
		add_field(&f, "RAAS_RESOURCE", about->resource);
		add_field(&f, "MESSAGE_ID", about->message_id);
	}
	sd_journal_sendv(f.iov, f.n);
	while (f.n > 0)
		free(f.iov[--f.n].iov_base);
}

static void
write_line(enum log_level level, const struct log_about *about, const char *text)
{
	cleanup(free_p) char *line = NULL;
	const char *isv = about != NULL ? about->isv : NULL;

	line = xasprintf("raasd: %s: %s%s%s%s\n", levels[level].name, isv != NULL ? "isv '" : "",
	    isv != NULL ? isv : "", isv != NULL ? "': " : "", text);
	/* One write, so that lines of several threads stay whole; a closed stderr is no reason
	 * to stop. */
	if (write(STDERR_FILENO, line, strlen(line)) == -1)
		return;
}

static void
log_vwrite(enum log_level level, const struct log_about *about, const char *fmt, va_list ap)
{
	cleanup(free_p) char *text = NULL;

	if ((int)level > atomic_load(&threshold))
		return;
	if (vasprintf(&text, fmt, ap) == -1) {
		text = NULL;
		return;
	}
	text_clean(text);
	if (atomic_load(&to_journal))
		write_journal(level, about, text);
	else
		write_line(level, about, text);
}

#define LOG_FUNCTION(name, level)					\
	void								\
	name(const struct log_about *about, const char *fmt, ...)	\
	{								\
		va_list ap;						\
									\
		va_start(ap, fmt);					\
		log_vwrite(level, about, fmt, ap);			\
		va_end(ap);						\
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
