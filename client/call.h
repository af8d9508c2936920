/* call.h - one connection to raasd and the call on it; blocking, with limits in time. */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include <stdbool.h>

#include "common/error.h"
#include "common/frame.h"
#include "common/message.h"

struct call {
	int		 fd;
	struct frame	 frame;
	const char	*path;	/* lent */
};

#define CALL_INIT { -1, FRAME_INIT(FRAME_REPLY_MAX), NULL }

/* ERROR_REMOTE: nobody answers there; ERROR_CREDENTIALS: we may not open it. The text says what
 * to do about it. */
int	 call_open(struct call *, const char *path, struct error *err);
/* Takes parameters. `waits`: the answer may take any time. `file` goes along unless it is -1. */
int	 call_send(struct call *, const char *method, json_t *parameters, bool more, bool waits,
	    int file, struct error *err);
/* ERROR_REMOTE: the connection ended or no answer came; ERROR_INPUT: not Varlink. */
int	 call_next(struct call *, struct message_reply *, struct error *err);
void	 call_done(struct call *);

#endif
