/* crane-app.h - what an app runs: raas-crane's own code, over the files of its deployments.
 *
 * Plain types only. raas-crane's headers and those of the sandbox's faces have names in common
 * (struct request), so that none of the one kind can be included beside one of the other. */
#ifndef TESTS_SANDBOX_CRANE_APP_H
#define TESTS_SANDBOX_CRANE_APP_H

#include <stddef.h>

#include "common/buf.h"
#include "common/error.h"

struct crane_app;

struct crane_answer {
	int		 status;
	struct buf	 headers;	/* "Name: value\r\n" …; Content-Length if it is not the body's */
	struct buf	 body;
};

struct crane_app *crane_app_new(void);
void		 crane_app_free(struct crane_app *);	/* NULL is fine */
/* Reads the directory and serves it: all of it, or what was served before. */
void		 crane_app_load(struct crane_app *, const char *dir);
/* Signs redirects into a private bucket with this key, JSON as raas-crane's --presign-key
 * takes it; NULL: no more. */
int		 crane_app_presign(struct crane_app *, const char *key, struct error *err);

/* `head` is that of an HTTP request, `len` bytes with its empty line, and is changed. What
 * `out` holds afterwards is the caller's to release. */
void		 crane_app_answer(const struct crane_app *, char *head, size_t len,
		    struct crane_answer *out);

#endif
