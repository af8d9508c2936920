/* validate.h - pulling an image as a client does, to see whether others can.
 *
 * In a job, on its thread's http. Asks the registry's public name and follows its redirects, with
 * no credentials at all: what is found is what everybody would find. Nothing is changed. After a
 * deployment the redirector may need a moment, so who deployed asks again for a while. */
#ifndef DAEMON_VALIDATE_H
#define DAEMON_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/crane-metadata.h"
#include "daemon/deadline.h"
#include "daemon/http.h"

/* What is wrong first of all, and thereby whose it is to mend. */
enum validate_fault {
	VALIDATE_WELL,
	VALIDATE_DNS,		/* a name cannot be resolved */
	VALIDATE_TLS,		/* a certificate is not trusted, or none is shown */
	VALIDATE_CRANE,		/* the redirector is down, or answers what it should not */
	VALIDATE_METADATA,	/* the redirector serves other metadata than it should */
	VALIDATE_ACCESS,	/* where it redirects to refuses, or does not answer */
	VALIDATE_MISSING,	/* an object is not there */
	VALIDATE_DIGEST,	/* an object holds other bytes */
	VALIDATE_SIZE,
	VALIDATE_TYPE,		/* a manifest of another Content-Type than its own */
	N_VALIDATE_FAULTS
};

const char *validate_fault_name(enum validate_fault);	/* "missing object"; static */

enum validate_part { VALIDATE_REGISTRY, VALIDATE_MANIFEST, VALIDATE_BLOB, VALIDATE_V1_IMAGE };

const char *validate_part_name(enum validate_part);	/* "manifest"; static */

/* One thing that is in order; lent for the call. */
struct validate_step {
	enum validate_part	 part;
	const char		*text;		/* "tag latest", "sha256:HEX, linux/arm64" */
	uint64_t		 size;		/* CRANE_SIZE_UNKNOWN: not told */
};

struct validate_options {
	bool	 deep;		/* download blobs and hash them, not only ask for their size */
	void	(*step)(void *arg, const struct validate_step *);	/* may be NULL */
	void	*step_arg;
};

struct validate_report {
	size_t			 manifests, blobs, v1_images;	/* that are in order */
	uint64_t		 bytes;		/* of those whose size is known; read, with `deep` */
	enum validate_fault	 fault;
	char			 text[512];	/* what is wrong, where; "" when all is well */
};

/* base_url: "http[s]://host[:port]", no slash at its end. The metadata is what should be served.
 * 0 with the report filled, whatever it says; -1 with err: the time was over, it was cancelled,
 * or the URL is none. */
int	 validate_image(struct http *, const char *base_url, const struct crane_metadata *,
	    const struct validate_options *, struct validate_report *, const struct deadline *,
	    struct error *err);

#endif
