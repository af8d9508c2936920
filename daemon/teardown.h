/* teardown.h - the job that deletes an ISV's app and what it has in its bucket.
 *
 * A task of an ISV: nothing else works on that app or bucket meanwhile. First it looks, and makes a
 * plan with an id; it deletes only when asked for the plan of that very id. Of the bucket it
 * deletes what is raasd's and the ISV's by all metadata that there is or was, and the bucket itself
 * if nothing else is in it. What another ISV shares, and what is nowhere else, is not deleted. */
#ifndef DAEMON_TEARDOWN_H
#define DAEMON_TEARDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/digest.h"
#include "daemon/reconcile.h"

struct teardown_order {
	bool	 app;
	bool	 bucket;
	char	*confirm;	/* id of the plan that is to be carried out; NULL: only make one */
};

struct teardown_plan {
	char		 id[SHA256_HEX_SIZE];	/* of all below */
	bool		 app_found;
	bool		 bucket_found;
	size_t		 objects;		/* to be deleted */
	size_t		 uploads;		/* never completed; to be aborted */
	uint64_t	 bytes;			/* of objects */
	size_t		 others;		/* objects that stay, and with them the bucket */
	char		*refusal;		/* why nothing may be deleted; NULL: it may */
};

struct teardown_job {
	struct reconcile_job	 base;		/* first, as the loop knows this part */
	struct teardown_order	 order;
	struct teardown_plan	 plan;
	bool			 began;		/* something was deleted */
	bool			 app_gone;	/* deleted by this job */
	bool			 bucket_gone;
	size_t			 removed;	/* objects */
};

struct teardown_job *teardown_job_new(void);
void	 teardown_job_free(struct teardown_job *);	/* with what its base holds */

#endif
