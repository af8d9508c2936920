/* nearest.h - "did you mean": the known word that a mistyped one comes closest to.
 *
 * Pure functions. Any thread. */
#ifndef DAEMON_NEAREST_H
#define DAEMON_NEAREST_H

#include <stddef.h>

struct nearest {
	const char	*word;		/* NULL: none is near enough */
	unsigned int	 distance;
};

#define NEAREST_INIT { NULL, 0 }

/* Offers one known word; lent. Letters lost, added, changed or swapped count one each. */
void	 nearest_offer(struct nearest *, const char *typed, const char *known);

#endif
