#include "daemon/line-diff.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define JSON_DEPTH_MAX 32

struct collector {
	json_t	*lines;
	size_t	 left;
	bool	 full;
};

static int
collect(const git_diff_delta *delta, const git_diff_hunk *hunk, const git_diff_line *line,
    void *arg)
{
	struct collector *c = arg;
	cleanup(free_p) char *text = NULL;
	size_t len = line->content_len;

	(void)delta;
	(void)hunk;
	if (line->origin == GIT_DIFF_LINE_FILE_HDR)
		return 0;
	if (c->left == 0) {
		/* Said once; libgit2 goes on calling whatever is returned. */
		if (!c->full)
			json_array_append_new(c->lines, json_text("… and more"));
		c->full = true;
		return 0;
	}
	c->left--;
	while (len > 0 && (line->content[len - 1] == '\n' || line->content[len - 1] == '\r'))
		len--;
	text = xasprintf("%s%.*s", line->origin == GIT_DIFF_LINE_ADDITION ? "+" :
	    line->origin == GIT_DIFF_LINE_DELETION ? "-" :
	    line->origin == GIT_DIFF_LINE_CONTEXT ? " " : "", (int)len, line->content);
	json_array_append_new(c->lines, json_text(text));
	return 0;
}

static char *
laid_out(const char *data, size_t len)
{
	cleanup(json_unref) json_t *doc = NULL;
	char *text;

	if (len == 0)
		return xstrdup("");
	doc = json_read(data, len, JSON_DEPTH_MAX, NULL);
	text = doc != NULL ? json_dumps(doc, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	return text != NULL ? text : xstrndup(data, len);
}

json_t *
line_diff(const char *a, size_t a_len, const char *b, size_t b_len, size_t max_lines)
{
	struct collector c = { json_array(), max_lines, false };
	cleanup(free_p) char *old = laid_out(a, a_len);
	cleanup(free_p) char *new = laid_out(b, b_len);
	git_diff_options options;

	git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
	options.flags = GIT_DIFF_FORCE_TEXT;
	git_diff_buffers(old, strlen(old), NULL, new, strlen(new), NULL, &options, NULL, NULL,
	    NULL, collect, &c);
	return c.lines;
}
