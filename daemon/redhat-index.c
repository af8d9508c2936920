#include "daemon/redhat-index.h"

#include <string.h>
#include <strings.h>

#include "daemon/repo.h"

#define NAME_SIZE 256	/* with the NUL, as a file system has it */

/* What is left of the page. */
struct page {
	const char	*at;
	const char	*end;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void
skip_blanks(struct page *p)
{
	while (p->at < p->end && is_blank(*p->at))
		p->at++;
}

/* Moves behind the next attribute's `href =`. */
static bool
next_href(struct page *p)
{
	while (p->end - p->at > 5) {
		if (!is_blank(*p->at++) || strncasecmp(p->at, "href", 4) != 0)
			continue;
		p->at += 4;
		skip_blanks(p);
		if (p->at < p->end && *p->at == '=') {
			p->at++;
			skip_blanks(p);
			return true;
		}
	}
	return false;
}

/* Takes the attribute's value, quoted or not. */
static void
take_value(struct page *p, const char **value, size_t *len)
{
	char quote = p->at < p->end && (*p->at == '"' || *p->at == '\'') ? *p->at++ : '\0';

	*value = p->at;
	while (p->at < p->end &&
	    (quote != '\0' ? *p->at != quote : *p->at != '>' && !is_blank(*p->at)))
		p->at++;
	*len = (size_t)(p->at - *value);
}

static bool
drop_prefix(const char **s, size_t *len, const char *prefix)
{
	size_t n = strlen(prefix);

	if (*len < n || memcmp(*s, prefix, n) != 0)
		return false;
	*s += n;
	*len -= n;
	return true;
}

int
redhat_index_names(const char *html, size_t len, const char *path, size_t max,
    struct crane_ids *out, struct error *err)
{
	struct page page = { html, html + len };
	char name[NAME_SIZE];
	const char *value;
	size_t n;

	while (next_href(&page)) {
		take_value(&page, &value, &n);
		if (!drop_prefix(&value, &n, "./"))
			drop_prefix(&value, &n, path);
		if (n >= sizeof(name) || memchr(value, '\0', n) != NULL)
			continue;
		memcpy(name, value, n);
		name[n] = '\0';
		if (!repo_name_is_plain(name, ".json"))
			continue;
		/* A page may link to a file twice, by its icon and by its name. */
		if (out->n == 2 * max)
			return error_set(err, ERROR_INPUT, "lists more than %zu files", max);
		crane_ids_add(out, name);
	}
	crane_ids_sort(out);
	if (out->n > max)
		return error_set(err, ERROR_INPUT, "lists more than %zu files", max);
	return 0;
}
