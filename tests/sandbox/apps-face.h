/* apps-face.h - the node's proxy: finds the app that a request's Host names and lets its Crane
 * answer, if the app runs. */
#ifndef TESTS_SANDBOX_APPS_FACE_H
#define TESTS_SANDBOX_APPS_FACE_H

#include "tests/sandbox/face.h"

face_answer	apps_face_answer;	/* of a struct apps */

#endif
