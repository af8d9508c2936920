/* outcome.h - raasctl's exit status, from what raasd answered. Pure. */
#ifndef CLIENT_OUTCOME_H
#define CLIENT_OUTCOME_H

#include <jansson.h>

#include "common/error.h"
#include "common/message.h"
#include "common/methods.h"

enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_FAILED = 1,
	OUTCOME_USAGE = 2,
	OUTCOME_NO_DAEMON = 3,
	OUTCOME_UNHEALTHY = 4,
	OUTCOME_DENIED = 5,
	OUTCOME_LATE = 6,
};

/* Of one reply's parameters; over several replies the highest counts. */
enum outcome outcome_of_reply(const struct method *, const json_t *parameters);
enum outcome outcome_of_connection(const struct error *);	/* from call.h's functions */
/* Of an error reply, with a sentence for the user in text. */
enum outcome outcome_of_error(const struct method *, const struct message_reply *,
    struct error *text);

#endif
