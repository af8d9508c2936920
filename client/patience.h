/* patience.h - how long, and how often, a raasd that is away is tried again; blocking. */
#ifndef CLIENT_PATIENCE_H
#define CLIENT_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct patience {
	int64_t	 end_ms;	/* monotonic; -1: none */
	int64_t	 pause_ms;	/* the next one */
};

/* until: RFC 3339, or NULL: for ever. Ends the process with a word when a raasd that was reached
 * has not answered some seconds after that. */
void	 patience_init(struct patience *, const char *until, time_t now);
/* Sleeps a while; false: the time is over. */
bool	 patience_pause(struct patience *);

#endif
