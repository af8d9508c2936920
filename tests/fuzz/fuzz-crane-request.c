/* Whatever a client sends, it gets a refusal or an answer: of a known status, with headers that
 * hold nothing of its own line ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crane/service.h"
#include "tests/unit/crane-ask.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const files[] = {
	"{\"version\":1,\"repository\":\"r\",\"repo-registry-id\":\"a\",\"url\":\"https://b\","
	"\"images\":[{\"id\":\"i\"}],\"tags\":{\"t\":\"i\"}}",
	"{\"version\":2,\"repository\":\"r\",\"repo-registry-id\":\"a\",\"url\":\"https://b\"}",
	"{\"version\":4,\"repository\":\"r\",\"repo-registry-id\":\"b/c\",\"url\":\"https://b\","
	"\"schema2_data\":[\"t\"],\"manifest_list_data\":[\"l\"],\"manifest_list_amd64_tags\":"
	"{\"l\":[\"sha256:m\",2]},\"raas\":{\"schema\":1,\"tags\":{\"t\":\"sha256:m\"},"
	"\"manifests\":{\"sha256:m\":{\"type\":\"x/y\",\"size\":1}},\"blobs\":{}}}", NULL,
};

/* Lines of "Name: value" and nothing else. */
static void
check_headers(const char *headers)
{
	const char *end;

	for (; *headers != '\0'; headers = end + 2) {
		if ((end = strstr(headers, "\r\n")) == NULL ||
		    memchr(headers, ':', (size_t)(end - headers)) == NULL)
			abort();
		for (; headers < end; headers++)
			if ((unsigned char)*headers < 0x20 || *headers == 0x7f)
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char head[REQUEST_HEAD_MAX + 1];
	static struct answer answer;
	static struct service service;
	struct request request;
	int status;

	if (service.live == NULL)
		service.live = crane_live(files);
	if (size > REQUEST_HEAD_MAX)
		size = REQUEST_HEAD_MAX;
	memcpy(head, data, size);
	status = request_parse(head, size, &request);
	if (status != 0) {
		if (answer_reason(status)[0] == '\0')
			abort();
		return 0;
	}
	service_answer(&service, &request, &answer);
	if (answer_reason(answer.status)[0] == '\0')
		abort();
	check_headers(buf_str(&answer.headers));
	return 0;
}
