/* faults.h - orders to answer badly, and which request they are for.
 *
 * Ordered as JSON objects through the control face; sandbox --help lists their members. The
 * oldest order that matches a request is used, and used up after `count` requests. */
#ifndef TESTS_SANDBOX_FAULTS_H
#define TESTS_SANDBOX_FAULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "tests/sandbox/face.h"

struct fault {			/* what is done to one request */
	int64_t	 delay_ms;	/* wait before the answer */
	bool	 hang;		/* never answer */
	bool	 reset;		/* answer by a TCP reset */
	int64_t	 truncate_at;	/* end the connection after so many bytes of the body; -1: no */
	bool	 after;		/* do what was asked all the same, only the answer is spoiled */
	int	 status;	/* answer this instead; 0: the face's own answer */
	json_t	*order;		/* body, headers, content_type; NULL: none */
};

struct faults;

struct faults	*faults_new(void);
void		 faults_free(struct faults *);
int		 faults_add(struct faults *, json_t *order, struct error *err);
void		 faults_clear(struct faults *);
json_t		*faults_list(const struct faults *);	/* with how often each was used */

/* Is a fault due for this request to the face of that name? It is counted as used.
 * fault_done() releases what *out then holds. */
bool		 faults_take(struct faults *, const char *face, const struct request *,
		    struct fault *out);
/* Puts the ordered answer in the place of what is there. */
void		 fault_answer(const struct fault *, struct reply *);
void		 fault_done(struct fault *);

#endif
