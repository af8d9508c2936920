/* control.h - the sandbox's own face, by which a test looks and reaches behind the others:
 * faults, records, apps and buckets changed without the broker or S3 being asked. */
#ifndef TESTS_SANDBOX_CONTROL_H
#define TESTS_SANDBOX_CONTROL_H

#include "common/error.h"
#include "tests/sandbox/apps.h"
#include "tests/sandbox/face.h"
#include "tests/sandbox/faults.h"
#include "tests/sandbox/record.h"
#include "tests/sandbox/s3.h"
#include "tests/sandbox/ports.h"

struct control {		/* all lent */
	struct apps	*apps;
	struct s3	*s3;
	struct faults	*faults;
	struct record	*record;
	struct ports	*ports;
};

face_answer	control_answer;	/* of a struct control */

/* preset.c: makes many domains, apps and buckets at once; sandbox --help has the members. */
int	 preset_make(struct control *, const json_t *order, struct error *err);

/* What can be asked, for --help. */
extern const char control_help[];

#endif
