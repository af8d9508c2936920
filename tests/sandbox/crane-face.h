/* crane-face.h - a request to an app, handed to the raas-crane that it runs.
 *
 * Which app is asked, and whether it runs, is apps-face's affair. */
#ifndef TESTS_SANDBOX_CRANE_FACE_H
#define TESTS_SANDBOX_CRANE_FACE_H

#include "tests/sandbox/crane-app.h"
#include "tests/sandbox/face.h"

void	 crane_face_answer(const struct crane_app *, const struct request *, struct reply *);

#endif
