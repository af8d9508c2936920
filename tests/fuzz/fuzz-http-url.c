/* A URL as it is shown has no query, no fragment and nobody's password; a header that is found
 * fits where it goes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/http.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(free_p) char *text = xstrndup((const char *)data, size);
	cleanup(free_p) char *shown = http_url_shown(text);
	cleanup(http_response_done) struct http_response response = HTTP_RESPONSE_INIT;
	const char *authority = strstr(shown, "://");
	char value[8];

	if (strpbrk(shown, "?#") != NULL || strlen(shown) > strlen(text))
		abort();
	authority = authority != NULL ? authority + 3 : shown;
	if (memchr(authority, '@', strcspn(authority, "/\\")) != NULL)
		abort();
	buf_add_str(&response.headers, text);
	if (http_header(&response, "etag", value, sizeof(value)) && strlen(value) >= sizeof(value))
		abort();
	return 0;
}
