/* Any bytes as the file that keeps logins. */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/login.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const places[] = { "h:5000/a/b", "docker.io/library/x", "h", "/", "" };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct login login = LOGIN_INIT;
		int status = login_find((const char *)data, size, places[i], &login, NULL);

		if ((status == -1 && login.username != NULL) ||
		    (login.username == NULL) != (login.password == NULL) ||
		    (login.username != NULL && login.username[0] == '\0'))
			abort();
		login_done(&login);
	}
	return 0;
}
