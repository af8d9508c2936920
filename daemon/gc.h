/* gc.h - the job that finds, and removes, what is in a bucket and needed by nobody: objects that no
 * metadata names, and uploads that were begun and never completed.
 *
 * A task of an ISV: nothing else works on that bucket meanwhile. Whatever any metadata of those
 * who share the bucket names is kept, be it in the config repo or in an app; so is all that is
 * young, since somebody may be about to name it. Where one file cannot be read nothing is
 * removed. */
#ifndef DAEMON_GC_H
#define DAEMON_GC_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "daemon/reconcile.h"
#include "daemon/references.h"

struct gc_order {
	bool	remove;		/* false: only look */
	time_t	before;		/* what was written since is kept */
};

struct gc_totals {
	size_t		 named, young, unclear, foreign;	/* objects that are kept, and why */
	size_t		 found;					/* that are not needed */
	uint64_t	 bytes;
	size_t		 uploads;				/* that were broken off */
	uint64_t	 upload_bytes;
	size_t		 removed;				/* objects and uploads */
};

/* What is not needed; for job_post(), freed by the loop. */
struct gc_event {
	char		*key;
	uint64_t	 size;
	time_t		 mtime;
	bool		 upload;	/* broken off; mtime is when it was begun */
	bool		 removed;
};

struct gc_job {
	struct reconcile_job	 base;		/* first, as the loop knows this part */
	struct gc_order		 order;
	struct gc_totals	 totals;
};

struct gc_job *gc_job_new(void);
void	 gc_job_free(struct gc_job *);		/* with what its base holds */
void	 gc_event_free(struct gc_event *);

/* Counts the object, and says whether it is to go. Pure. mtime 0: not known. */
bool	 gc_judge(const struct references *, time_t before, const char *key, uint64_t size,
	    time_t mtime, struct gc_totals *);
/* The same for an upload, which is not known to be needed even if its object is named: a publish
 * that is to complete it runs, or did within the safety window. */
bool	 gc_judge_upload(const struct references *, time_t before, const char *key, time_t begun,
	    struct gc_totals *);

#endif
