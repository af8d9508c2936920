/* time-limit.h - an end for a process that waits for somebody too long. */
#ifndef CLIENT_TIME_LIMIT_H
#define CLIENT_TIME_LIMIT_H

/* After so many seconds the text, lent for good, is written to the descriptor, and the process
 * ends with that status. Another call moves the end. */
void	 time_limit(unsigned int seconds, int fd, const char *text, int status);

#endif
