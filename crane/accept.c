#include "crane/accept.h"

#include <string.h>
#include <strings.h>

/* Whether the list, "type;parameters, type, …", names one of len bytes. */
static bool
list_names(const char *list, const char *type, size_t len)
{
	size_t n;

	while (*list != '\0') {
		list += strspn(list, ", \t");
		n = strcspn(list, ",; \t");
		if (n == len && strncasecmp(list, type, n) == 0)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

static bool
names(const struct request *r, const char *type, size_t len)
{
	size_t i;

	for (i = 0; i < r->n_headers; i++)
		if (strcasecmp(r->headers[i].name, "Accept") == 0 &&
		    list_names(r->headers[i].value, type, len))
			return true;
	return false;
}

bool
accept_names(const struct request *r, const char *type)
{
	return names(r, type, strlen(type));
}

bool
accept_takes(const struct request *r, const char *type)
{
	const char *slash = strchr(type, '/');
	char range[64];
	size_t len;

	if (accept_names(r, type) || names(r, "*/*", 3))
		return true;
	if (slash == NULL || (len = (size_t)(slash - type) + 1) > sizeof(range) - 1)
		return false;
	memcpy(range, type, len);
	range[len] = '*';
	return names(r, range, len + 1);
}

bool
accept_is(const struct request *r, const char *type)
{
	const char *only = NULL;
	size_t i;

	for (i = 0; i < r->n_headers; i++) {
		if (strcasecmp(r->headers[i].name, "Accept") != 0)
			continue;
		if (only != NULL)
			return false;
		only = r->headers[i].value;
	}
	return only != NULL && strcmp(only, type) == 0;
}
