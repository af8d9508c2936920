/* fuzz-git-url - any text as a git URL; what is accepted for ssh must be safe to give to it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/git-url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(free_p) char *text = xstrndup((const char *)data, size);
	cleanup(free_p) char *shown = git_url_shown(text);
	struct git_url url = { 0 };
	struct error err;

	assert(strlen(shown) <= strlen(text));
	if (git_url_parse(text, &url, &err) == -1)
		return 0;
	if (url.kind == GIT_URL_SSH) {
		assert(url.host[0] != '-' && strpbrk(url.host, " ;&|$`'\"()<>\n@") == NULL);
		assert(url.user == NULL ||
		    (url.user[0] != '-' && strpbrk(url.user, " ;&|$`'\"()<>\n:") == NULL));
		assert(url.port <= 65535);
	}
	assert(url.kind == GIT_URL_HTTP || (url.path[0] != '-' && url.path[0] != '\0'));
	git_url_done(&url);
	return 0;
}
