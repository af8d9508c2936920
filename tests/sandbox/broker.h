/* broker.h - the REST face of an OpenShift v2 broker, versions 1.0 to 1.7. */
#ifndef TESTS_SANDBOX_BROKER_H
#define TESTS_SANDBOX_BROKER_H

#include "tests/sandbox/apps.h"
#include "tests/sandbox/face.h"

face_answer	broker_answer;	/* of a struct apps */

#endif
