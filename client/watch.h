/* watch.h - something that is shown again and again in place, for somebody at a terminal. */
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include <stdio.h>

/* Shows what `look` writes, as much of it as the terminal has lines for, every WATCH_S seconds until
 * a signal ends the process. Nothing of the terminal is changed but what stands on it. */
void	 watch(void (*look)(void *arg, FILE *out), void *arg) __attribute__((noreturn));

#define WATCH_S 2

#endif
