#include "daemon/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"

#define DEPTH_MAX	4
#define NAME_MAX_BYTES	64
#define KEYS_MAX	256	/* in a whole text */

struct walk {
	yaml_parser_t	 parser;
	int		(*fn)(void *, const struct yaml_value *, struct error *);
	void		*arg;
	const char	*text;
	struct buf	 path;			/* the mappings we are in, "git." */
	char		*seen[KEYS_MAX];	/* paths of keys, so that none is given twice */
	size_t		 n_seen;
	unsigned int	 depth;
};

int
yaml_error(struct error *err, unsigned int line, unsigned int column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_vset(err, ERROR_INPUT, fmt, ap);
	va_end(ap);
	return error_prefix(err, "%u:%u", line, column);
}

static int
error_at(struct error *err, yaml_mark_t mark, const char *text)
{
	return yaml_error(err, (unsigned int)mark.line + 1, (unsigned int)mark.column + 1, "%s", text);
}

/* What is no UTF-8 is found by libyaml's reader, which knows bytes but no lines. */
static yaml_mark_t
mark_of(const char *text, size_t offset)
{
	yaml_mark_t mark = { .index = offset };
	size_t i;

	for (i = 0; i < offset; i++) {
		mark.line += text[i] == '\n';
		mark.column = text[i] == '\n' ? 0 : mark.column + 1;
	}
	return mark;
}

static int
next_event(struct walk *w, yaml_event_t *event, struct error *err)
{
	const char *problem;

	if (yaml_parser_parse(&w->parser, event))
		return 0;
	problem = w->parser.problem != NULL ? w->parser.problem : "not YAML";
	if (w->parser.error == YAML_READER_ERROR)
		return error_at(err, mark_of(w->text, w->parser.problem_offset), problem);
	return error_at(err, w->parser.problem_mark, problem);
}

/* What this part of YAML does not have, of any event. */
static int
refuse(const yaml_event_t *event, struct error *err)
{
	bool marked = false;

	if (event->type == YAML_SCALAR_EVENT)
		marked = event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
	else if (event->type == YAML_MAPPING_START_EVENT)
		marked = event->data.mapping_start.anchor != NULL ||
		    event->data.mapping_start.tag != NULL;
	if (marked || event->type == YAML_ALIAS_EVENT)
		return error_at(err, event->start_mark, "anchors, aliases and tags are not for here");
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return error_at(err, event->start_mark, "a list has no place here");
	return 0;
}

static int
remember(struct walk *w, yaml_mark_t mark, struct error *err)
{
	size_t i;

	for (i = 0; i < w->n_seen; i++) {
		if (strcmp(w->seen[i], buf_str(&w->path)) == 0)
			return error_at(err, mark, "the key is given twice");
	}
	if (w->n_seen == KEYS_MAX)
		return error_at(err, mark, "too many keys");
	w->seen[w->n_seen++] = xstrdup(buf_str(&w->path));
	return 0;
}

/* Puts the key's name behind the path. */
static int
enter_key(struct walk *w, const yaml_event_t *event, struct error *err)
{
	const char *name = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (event->type != YAML_SCALAR_EVENT)
		return error_at(err, event->start_mark, "a key is expected here");
	if (len == 0 || len > NAME_MAX_BYTES || memchr(name, '\0', len) != NULL)
		return error_at(err, event->start_mark, "a key has 1 to 64 bytes");
	buf_add(&w->path, name, len);
	return remember(w, event->start_mark, err);
}

static bool
is_null(const yaml_event_t *event)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };
	size_t i;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp((const char *)event->data.scalar.value, words[i]) == 0)
			return true;
	}
	return false;
}

static int
give_value(struct walk *w, const yaml_event_t *event, yaml_mark_t mark, struct error *err)
{
	const char *text = (const char *)event->data.scalar.value;
	struct yaml_value value = {
		buf_str(&w->path), is_null(event) ? NULL : text,
		(unsigned int)mark.line + 1, (unsigned int)mark.column + 1,
	};

	if (memchr(text, '\0', event->data.scalar.length) != NULL)
		return error_at(err, event->start_mark, "a value with a NUL byte");
	return w->fn(w->arg, &value, err);
}

static int	walk_mapping(struct walk *, struct error *);

static int
walk_value(struct walk *w, yaml_mark_t key_mark, struct error *err)
{
	cleanup(yaml_event_delete) yaml_event_t event = { .type = YAML_NO_EVENT };

	if (next_event(w, &event, err) == -1 || refuse(&event, err) == -1)
		return -1;
	if (event.type == YAML_SCALAR_EVENT)
		return give_value(w, &event, key_mark, err);
	buf_add_str(&w->path, ".");
	return walk_mapping(w, err);
}

/* Behind a mapping's start, up to its end. */
static int
walk_mapping(struct walk *w, struct error *err)
{
	size_t base = w->path.len;

	if (++w->depth > DEPTH_MAX)
		return error_at(err, w->parser.mark, "nested too deeply");
	for (;;) {
		cleanup(yaml_event_delete) yaml_event_t event = { .type = YAML_NO_EVENT };

		if (next_event(w, &event, err) == -1 || refuse(&event, err) == -1)
			return -1;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		if (enter_key(w, &event, err) == -1)
			return -1;
		if (walk_value(w, event.start_mark, err) == -1)
			return -1;
		w->path.len = base;
		w->path.data[base] = '\0';
	}
	w->depth--;
	return 0;
}

/* Of a whole text: at most one document, which is empty or a mapping. */
static int
walk_stream(struct walk *w, struct error *err)
{
	unsigned int documents = 0;
	yaml_event_type_t type;

	do {
		cleanup(yaml_event_delete) yaml_event_t event = { .type = YAML_NO_EVENT };

		if (next_event(w, &event, err) == -1 || refuse(&event, err) == -1)
			return -1;
		type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT && documents++ > 0)
			return error_at(err, event.start_mark, "a second document");
		if (type == YAML_SCALAR_EVENT && !is_null(&event))
			return error_at(err, event.start_mark, "keys and values are expected");
		if (type == YAML_MAPPING_START_EVENT && walk_mapping(w, err) == -1)
			return -1;
	} while (type != YAML_STREAM_END_EVENT);
	return 0;
}

int
yaml_each(const char *text, size_t len,
    int (*fn)(void *, const struct yaml_value *, struct error *), void *arg, struct error *err)
{
	struct walk w = { .fn = fn, .arg = arg, .text = text, .path = BUF_INIT };
	int result;

	if (len > YAML_MAX)
		return yaml_error(err, 1, 1, "longer than %u bytes", YAML_MAX);
	if (!yaml_parser_initialize(&w.parser))
		return error_set(err, ERROR_INTERNAL, "libyaml cannot begin");
	yaml_parser_set_encoding(&w.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&w.parser, (const unsigned char *)text, len);
	result = walk_stream(&w, err);
	yaml_parser_delete(&w.parser);
	while (w.n_seen > 0)
		free(w.seen[--w.n_seen]);
	buf_done(&w.path);
	return result;
}
