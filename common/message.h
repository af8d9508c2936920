/* message.h - Varlink's calls and replies (https://varlink.org/Method-Call), built and checked.
 *
 * No I/O; any thread. Functions that take parameters take their reference, NULL: {}. */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define MESSAGE_DEPTH_MAX 32

struct message_call {
	json_t		*parameters;	/* an object, never NULL */
	char		*interface;	/* "io.raas.control" */
	char		*method;	/* "Sync" */
	bool		 more;		/* takes several replies */
	bool		 oneway;	/* wants none */
	bool		 upgrade;	/* wants another protocol afterwards */
};

struct message_reply {
	json_t		*parameters;	/* an object, never NULL */
	char		*error;		/* its full name; NULL: none */
	bool		 continues;	/* others follow */
};

/* -1 with err (ERROR_INPUT): not JSON, too deep, not a call. */
int	 message_call_read(const char *data, size_t len, struct message_call *out,
	    struct error *err);
void	 message_call_done(struct message_call *);

int	 message_reply_read(const char *data, size_t len, struct message_reply *out,
	    struct error *err);
void	 message_reply_done(struct message_reply *);

/* The text, to be sent with its NUL; the caller's to free. */
char	*message_call(const char *method, json_t *parameters, bool more);
char	*message_reply(json_t *parameters, bool continues);
char	*message_error(const char *error, json_t *parameters);

#endif
