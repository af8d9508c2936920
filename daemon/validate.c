#include "daemon/validate.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/s3-sign.h"
#include "daemon/validate-ask.h"

const char *
validate_fault_name(enum validate_fault fault)
{
	static const char *const names[N_VALIDATE_FAULTS] = {
		[VALIDATE_WELL] = "none", [VALIDATE_DNS] = "DNS", [VALIDATE_TLS] = "TLS",
		[VALIDATE_CRANE] = "Crane", [VALIDATE_METADATA] = "metadata",
		[VALIDATE_ACCESS] = "S3 access", [VALIDATE_MISSING] = "missing object",
		[VALIDATE_DIGEST] = "wrong digest", [VALIDATE_SIZE] = "wrong size",
		[VALIDATE_TYPE] = "wrong type",
	};

	return names[fault];
}

const char *
validate_part_name(enum validate_part part)
{
	static const char *const names[] = {
		[VALIDATE_REGISTRY] = "registry", [VALIDATE_MANIFEST] = "manifest",
		[VALIDATE_BLOB] = "blob", [VALIDATE_V1_IMAGE] = "v1-image",
	};

	return names[part];
}

static char *
repository_path(const struct crane_metadata *m)
{
	struct buf path = BUF_INIT;

	buf_add_str(&path, m->version == 1 ? "/v1/repositories/" : "/v2/");
	s3_encode(&path, m->registry_id, true);
	buf_add_str(&path, "/");
	return buf_take(&path);
}

int
validate_image(struct http *http, const char *base_url, const struct crane_metadata *metadata,
    const struct validate_options *options, struct validate_report *report,
    const struct deadline *deadline, struct error *err)
{
	struct pull p = { .http = http, .base = base_url, .metadata = metadata,
	    .options = options, .deadline = deadline, .report = report };
	int result;

	*report = (struct validate_report){ .fault = VALIDATE_WELL };
	p.path = repository_path(metadata);
	/* Crane shows it to nobody who has no certificate of entitlement. */
	if (metadata->is_protected) {
		pull_note(&p, VALIDATE_REGISTRY, CRANE_SIZE_UNKNOWN,
		    "%s is protected, and can be pulled with a client certificate only; not tried",
		    metadata->registry_id);
		result = 0;
	} else {
		result = metadata->version == 1 ? pull_v1(&p) : pull_v2(&p);
	}
	crane_ids_done(&p.seen);
	free(p.path);
	if (result == -1 && report->fault == VALIDATE_WELL)
		return error_set(err, p.stopped.kind, "%s", p.stopped.text);
	return 0;
}
