/* log.h - the daemon's own log: the journal when stderr is one, else lines on stderr.
 *
 * Modules return errors; the loop logs them, once, with ISV and job. Any thread may call, each
 * line goes out whole. A line says what happened, to what and what follows; lower case, no full
 * stop, names in single quotes; never a secret. (The ISV's own log in the config repo is another
 * thing: see isv-log.h.) */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_target { LOG_TARGET_AUTO, LOG_TARGET_STDERR, LOG_TARGET_JOURNAL };

/* What a line is about; any member may be NULL. They become the journal's RAAS_ISV, RAAS_JOB,
 * RAAS_RESOURCE and MESSAGE_ID (32 hex digits, sd-id128(3)). */
struct log_about {
	const char	*isv;
	const char	*job;
	const char	*resource;
	const char	*message_id;
};

void	 log_setup(enum log_level, enum log_target);
bool	 log_level_from_name(const char *, enum log_level *);	/* error warning info debug */
const char *log_level_name(enum log_level);

void	 log_error(const struct log_about *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	 log_warning(const struct log_about *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	 log_info(const struct log_about *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	 log_debug(const struct log_about *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
