/* show-gc.h - what is in a bucket and not needed, as text. */
#ifndef CLIENT_SHOW_GC_H
#define CLIENT_SHOW_GC_H

#include "client/show.h"

void	 show_gc(struct show *, const json_t *reply, bool last);

#endif
