#include "tests/unit/crane-ask.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct live *
crane_live(const char *const *files)
{
	struct refusals none = REFUSALS_INIT;
	struct store *store = store_new();
	char sha256[SHA256_HEX_SIZE], name[32];
	struct crane_metadata *metadata;
	struct error err = ERROR_INIT;
	unsigned int i;

	for (i = 0; files[i] != NULL; i++) {
		metadata = crane_metadata_parse(files[i], strlen(files[i]), &err);
		if (metadata == NULL)
			fprintf(stderr, "file %u: %s\n", i, err.text);
		assert(metadata != NULL);
		digest_sha256_hex(files[i], strlen(files[i]), sha256);
		snprintf(name, sizeof(name), "%03u.json", i);
		store_add(store, name, sha256, metadata);
	}
	store_seal(store, true, 0);
	return live_new(NULL, store, &none, NULL, NULL, 0);
}

char *
crane_ask(const struct service *service, const char *method, const char *target,
    const char *headers)
{
	char *head = xasprintf("%s %s HTTP/1.1\r\nHost: registry.example.com\r\n%s\r\n", method,
	    target, headers), *text, *from, *to;
	struct answer answer = { 0 };
	struct request request;
	int status = request_parse(head, strlen(head), &request);

	if (status != 0) {
		free(head);
		return xasprintf("status %d", status);
	}
	service_answer(service, &request, &answer);
	text = xasprintf("%d\n%s\n%s", answer.status, buf_str(&answer.headers),
	    buf_str(answer.shared != NULL ? answer.shared : &answer.body));
	if (answer.has_length) {
		free(head);
		head = text;
		text = xasprintf("%slength %ju", head, (uintmax_t)answer.length);
	}
	for (from = to = text; *from != '\0'; from++)
		if (*from != '\r')
			*to++ = *from;
	*to = '\0';
	answer_done(&answer);
	free(head);
	return text;
}
