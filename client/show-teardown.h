/* show-teardown.h - what raasctl teardown would delete, and has deleted. */
#ifndef CLIENT_SHOW_TEARDOWN_H
#define CLIENT_SHOW_TEARDOWN_H

#include "client/show.h"

void	 show_teardown(struct show *, const json_t *reply, bool last);

/* Is somebody at the terminal? */
bool	 teardown_can_ask(const struct show *);
/* Asks the person at the terminal for the ISV's name. True: it was typed. */
bool	 teardown_ask(struct show *, const char *isv);

#endif
