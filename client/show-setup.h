/* show-setup.h - an ISV that is added to raas.cfg, as text. */
#ifndef CLIENT_SHOW_SETUP_H
#define CLIENT_SHOW_SETUP_H

#include "client/show.h"

void	 show_setup(struct show *, const json_t *reply, bool last);

#endif
