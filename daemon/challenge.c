#include "daemon/challenge.h"

#include <string.h>
#include <strings.h>

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~/"

static const char *
skip(const char *p, const char *what)
{
	return p + strspn(p, what);
}

/* Copies a token; false when it is empty or too long. */
static bool
token_take(const char **p, char *out, size_t size)
{
	size_t n = strspn(*p, TOKEN);

	if (n == 0 || n >= size)
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n;
	return true;
}

static bool
quoted_take(const char **p, char *out, size_t size)
{
	size_t n = 0;

	for ((*p)++; **p != '"'; (*p)++) {
		if (**p == '\\' && (*p)[1] != '\0')
			(*p)++;
		if (**p == '\0' || n + 1 >= size)
			return false;
		out[n++] = **p;
	}
	(*p)++;
	out[n] = '\0';
	return true;
}

/* Not a token alone: some servers leave the quotes of a URL out. May be empty. */
static bool
bare_take(const char **p, char *out, size_t size)
{
	size_t n = strcspn(*p, " \t,\"");

	if (n >= size)
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n;
	return true;
}

static void
parameter_keep(struct challenge *c, const char *name, const char *value)
{
	if (strcasecmp(name, "realm") == 0)
		strcpy(c->realm, value);
	else if (strcasecmp(name, "service") == 0)
		strcpy(c->service, value);
	else if (strcasecmp(name, "scope") == 0)
		strcpy(c->scope, value);
}

/* After a name and "=". */
static bool
parameter_take(const char **p, struct challenge *c, const char *name)
{
	char value[CHALLENGE_TEXT_MAX] = "";

	*p = skip(*p + 1, " \t");
	if (**p == '"') {
		if (!quoted_take(p, value, sizeof(value)))
			return false;
	} else if (!bare_take(p, value, sizeof(value))) {
		return false;
	}
	if (c != NULL)
		parameter_keep(c, name, value);
	return true;
}

/* A word without "=" begins the next challenge; what follows belongs to it. */
static void
lines_read(const char *p, struct challenge *basic, struct challenge *bearer)
{
	struct challenge *current = NULL;
	char name[CHALLENGE_TEXT_MAX];

	for (p = skip(p, " \t,"); *p != '\0'; p = skip(p, " \t,")) {
		if (!token_take(&p, name, sizeof(name)))
			return;
		p = skip(p, " \t");
		if (*p == '=') {
			if (!parameter_take(&p, current, name))
				return;
			continue;
		}
		current = NULL;
		if (strcasecmp(name, "Basic") == 0) {
			basic->basic = true;
		} else if (strcasecmp(name, "Bearer") == 0 && !bearer->bearer) {
			bearer->bearer = true;
			current = bearer;
		}
	}
}

void
challenge_add(struct challenge *c, const char *value)
{
	struct challenge bearer = CHALLENGE_INIT;

	lines_read(value, c, &bearer);
	if (c->bearer || bearer.realm[0] == '\0')
		return;
	bearer.basic = c->basic;
	*c = bearer;
}
