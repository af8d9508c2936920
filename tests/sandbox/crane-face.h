/* crane-face.h - the read API of Crane 3.3.1 over one deployment's metadata files.
 *
 * Pure: files in, answers out. Which app is asked, and whether it runs, is apps' affair. */
#ifndef TESTS_SANDBOX_CRANE_FACE_H
#define TESTS_SANDBOX_CRANE_FACE_H

#include "tests/sandbox/face.h"

struct crane;

struct crane	*crane_new(void);
void		 crane_free(struct crane *);
/* A file of crane/data; those that Crane would refuse are left out. A name given twice: the
 * last one counts. */
void		 crane_add_file(void *crane, const char *name, const char *data, size_t len);
void		 crane_answer(const struct crane *, const struct request *, struct reply *);

#endif
