#include "daemon/raas-cfg.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/span.h"

/* What interpolating all values of a file may cost together: far more than any honest file. */
#define WORK_MAX	((size_t)256 << 20)

/* The state of Python's RawConfigParser._read(), line by line. */
struct parser {
	struct raas_cfg		*cfg;
	unsigned int		 line;
	size_t			 begin, end;	/* offsets of the line, and behind its end */
	size_t			 indent;	/* characters before the last key or head */
	struct raas_cfg_section	*section;	/* NULL: before the first head, or under a lost one */
	size_t			 size;		/* allocated for sections */
	struct raas_cfg_entry	*entry;		/* whose value may go on; NULL: none */
	struct buf		 value;		/* the entry's */
	size_t			 blank;		/* empty lines since; part of it if it goes on */
	bool			 skipping;	/* the lines that would go on belong to a bad one */
	bool			 nobody;	/* no section, and that was complained of */
};

void
raas_cfg_fail(struct raas_cfg *cfg, struct raas_cfg_section *section, unsigned int line,
    const char *fmt, ...)
{
	struct error text = ERROR_INIT;
	va_list ap;

	va_start(ap, fmt);
	error_vset(&text, ERROR_INPUT, fmt, ap);
	va_end(ap);
	problems_add(&cfg->errors, line, section != NULL ? section->name : NULL, "%s", text.text);
	if (section == NULL || section->error != NULL)
		return;
	section->error = line != 0 ? xasprintf("%s:%u: %s", cfg->file, line, text.text)
	    : xasprintf("%s: %s", cfg->file, text.text);
}

/* --- values --- */

static void
end_entry(struct parser *p)
{
	if (p->entry != NULL)
		p->entry->value = buf_take(&p->value);
	p->entry = NULL;
	p->skipping = false;
	p->blank = 0;
}

/* The value under way is not to be had: what would go on with it is skipped. */
static void
spoil_entry(struct parser *p, const char *why)
{
	raas_cfg_fail(p->cfg, p->section, p->line, "%s", why);
	end_entry(p);
	p->skipping = true;
}

static void
read_continuation(struct parser *p, struct span text)
{
	bool fits = p->blank <= RAAS_CFG_VALUE_MAX;

	if (p->skipping)
		return;
	for (; fits && p->blank > 0; p->blank--)
		fits = buf_add(&p->value, "\n", 1);
	if (!fits || !buf_add(&p->value, "\n", 1) || !buf_add(&p->value, text.at, text.len))
		spoil_entry(p, "the value is longer than 64 KiB");
}

/* --- keys --- */

static const struct raas_cfg_entry *
find_entry(const struct raas_cfg_section *section, const char *key)
{
	size_t i;

	for (i = 0; i < section->n_entries; i++) {
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	}
	return NULL;
}

/* In lower case, as Python's optionxform(); NULL with `why`. */
static char *
key_of(struct span text, const char **why)
{
	char *key;
	size_t i;

	*why = NULL;
	if (text.len == 0)
		*why = "a key is missing before the '=' or ':'";
	else if (text.len > RAAS_CFG_NAME_MAX)
		*why = "the key is longer than 256 bytes";
	for (i = 0; i < text.len && *why == NULL; i++) {
		if ((unsigned char)text.at[i] >= 0x80)
			*why = "the key has characters that are not ASCII";
	}
	if (*why != NULL)
		return NULL;
	key = xstrndup(text.at, text.len);
	for (i = 0; i < text.len; i++) {
		if (key[i] >= 'A' && key[i] <= 'Z')
			key[i] = (char)(key[i] - 'A' + 'a');
	}
	return key;
}

static void
add_entry(struct parser *p, char *key)
{
	struct raas_cfg_section *s = p->section;

	if (s->n_entries == s->size) {
		s->size = s->size * 2 + 4;
		s->entries = xreallocarray(s->entries, s->size, sizeof(*s->entries));
	}
	p->entry = &s->entries[s->n_entries++];
	*p->entry = (struct raas_cfg_entry){ key, NULL, p->line };
	p->cfg->n_keys++;
}

static bool
too_many_keys(const struct parser *p)
{
	return p->section->n_entries >= RAAS_CFG_KEYS_MAX || p->cfg->n_keys >= RAAS_CFG_ALL_KEYS_MAX;
}

/* Python 2 took what follows a blank and ';' for a comment, Python 3 for a part of the value. */
static void
warn_of_semicolon(struct parser *p, struct span after_delimiter)
{
	size_t i;

	for (i = 1; i < after_delimiter.len; i++) {
		if (after_delimiter.at[i] != ';' ||
		    (after_delimiter.at[i - 1] != ' ' && after_delimiter.at[i - 1] != '\t'))
			continue;
		problems_add(&p->cfg->warnings, p->line, p->section->name,
		    "' ;' and what follows is part of the value, not a comment");
		return;
	}
}

static void
read_option(struct parser *p, struct span text, size_t delimiter)
{
	struct span value = span_from(text, delimiter + 1);
	const struct raas_cfg_entry *twin;
	cleanup(free_p) char *key = NULL;
	const char *why;

	if ((key = key_of(span_strip(span_first(text, delimiter), NULL), &why)) == NULL) {
		spoil_entry(p, why);
	} else if ((twin = find_entry(p->section, key)) != NULL) {
		raas_cfg_fail(p->cfg, p->section, p->line, "key '%s' is given twice, first in line %u",
		    raas_cfg_key_shown(key), twin->line);
		p->skipping = true;
	} else if (too_many_keys(p)) {
		spoil_entry(p, "too many keys: a section may have 256, all of them a million");
	} else {
		add_entry(p, steal(key));
		warn_of_semicolon(p, value);
		value = span_strip(value, NULL);
		buf_add(&p->value, value.at, value.len);
	}
}

/* --- heads --- */

/* What follows is nobody's until the next head. */
static void
lose_section(struct parser *p, const char *why)
{
	raas_cfg_fail(p->cfg, NULL, p->line, "%s", why);
	p->section = NULL;
	p->nobody = true;
}

static void
add_section(struct parser *p, struct span name)
{
	struct raas_cfg *cfg = p->cfg;

	if (cfg->n_sections == p->size) {
		p->size = p->size * 2 + 16;
		cfg->sections = xreallocarray(cfg->sections, p->size, sizeof(*cfg->sections));
	}
	p->section = &cfg->sections[cfg->n_sections++];
	*p->section = (struct raas_cfg_section){
		.name = xstrndup(name.at, name.len), .line = p->line, .begin = p->begin
	};
}

static void
read_head(struct parser *p, struct span name)
{
	const char *defaults = p->cfg->defaults.name;

	p->nobody = false;
	if (name.len == strlen(defaults) && memcmp(name.at, defaults, name.len) == 0)
		p->section = &p->cfg->defaults;
	else if (name.len > RAAS_CFG_NAME_MAX)
		lose_section(p, "the section's name is longer than 256 bytes");
	else if (p->cfg->n_sections == RAAS_CFG_SECTIONS_MAX)
		lose_section(p, "more than 100000 sections");
	else
		add_section(p, name);
}

/* "[NAME]", and whatever stands behind the last ']'. */
static bool
head_name(struct span text, struct span *name)
{
	const char *end;

	if (text.at[0] != '[' || (end = memrchr(text.at, ']', text.len)) == NULL ||
	    end < text.at + 2)
		return false;
	*name = (struct span){ text.at + 1, (size_t)(end - text.at) - 1 };
	return true;
}

/* --- lines --- */

static bool
find_delimiter(struct span text, size_t *at)
{
	for (*at = 0; *at < text.len; ++*at) {
		if (text.at[*at] == '=' || text.at[*at] == ':')
			return true;
	}
	return false;
}

/* Python would read on and give the keys under a torn head to the section before. */
static void
bad_line(struct parser *p, struct span text, const char *why)
{
	if (text.at[0] == '[')
		lose_section(p, why);
	else
		spoil_entry(p, why);
}

/* A line that begins a key or a section. */
static void
read_beginning(struct parser *p, struct span text)
{
	struct span name;
	size_t delimiter;
	bool delimited = find_delimiter(text, &delimiter);

	if (head_name(text, &name)) {
		read_head(p, name);
	} else if (text.at[0] == '[' && !delimited) {
		lose_section(p, "a section's head without ']'");
	} else if (p->nobody) {
		p->skipping = true;
	} else if (p->section == NULL) {
		lose_section(p, "text before the first section");
		p->skipping = true;
	} else if (!delimited) {
		spoil_entry(p, "the line has no '=' or ':'");
	} else {
		read_option(p, text, delimiter);
	}
}

/* What makes a line unreadable whatever it says. */
static const char *
line_fault(struct span line)
{
	if (line.len > RAAS_CFG_LINE_MAX)
		return "the line is longer than 64 KiB";
	if (line.len > 0 && memchr(line.at, '\0', line.len) != NULL)
		return "the line holds a NUL byte";
	return span_is_utf8(line) ? NULL : "the line is not UTF-8";
}

static void
extend_section(struct parser *p)
{
	if (p->section != NULL)
		p->section->end = p->end;
}

static void
read_line(struct parser *p, struct span line)
{
	const char *fault = line_fault(line);
	size_t indent;
	struct span text = span_strip(line, &indent);

	if (text.len == 0) {
		p->blank++;
	} else if (text.at[0] == '#' || text.at[0] == ';') {
		if (fault != NULL)
			raas_cfg_fail(p->cfg, NULL, p->line, "%s", fault);
	} else if (indent > p->indent && (p->entry != NULL || p->skipping)) {
		if (fault != NULL)
			spoil_entry(p, fault);
		else
			read_continuation(p, text);
		extend_section(p);
	} else {
		end_entry(p);
		p->indent = indent;
		if (fault == NULL)
			read_beginning(p, text);
		else if (text.at[0] == '[' || !p->nobody)
			bad_line(p, text, fault);
		extend_section(p);
	}
}

/* Lines end as they do for Python's open(): "\n", "\r" or "\r\n". */
static struct span
take_line(struct span *rest)
{
	struct span line = *rest;
	size_t n = 0;

	while (n < rest->len && rest->at[n] != '\n' && rest->at[n] != '\r')
		n++;
	line.len = n;
	if (n + 1 < rest->len && rest->at[n] == '\r' && rest->at[n + 1] == '\n')
		n++;
	*rest = span_from(*rest, n + 1);
	return line;
}

/* --- the file --- */

static int
compare_sections(const void *a, const void *b)
{
	const struct raas_cfg_section *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void
section_done(struct raas_cfg_section *s)
{
	size_t i;

	for (i = 0; i < s->n_entries; i++) {
		free(s->entries[i].key);
		free(s->entries[i].value);
	}
	free(s->entries);
	free(s->name);
	free(s->error);
}

/* Sorts the sections; of those that have one name the first stays, and is not good. */
static void
sort_sections(struct raas_cfg *cfg)
{
	struct raas_cfg_section *kept;
	size_t i, n = 0;

	if (cfg->n_sections > 1)
		qsort(cfg->sections, cfg->n_sections, sizeof(*cfg->sections), compare_sections);
	for (i = 0; i < cfg->n_sections; i++) {
		kept = n > 0 ? &cfg->sections[n - 1] : NULL;
		if (kept == NULL || strcmp(kept->name, cfg->sections[i].name) != 0) {
			cfg->sections[n++] = cfg->sections[i];
			continue;
		}
		raas_cfg_fail(cfg, kept, cfg->sections[i].line,
		    "the section is given twice, first in line %u", kept->line);
		section_done(&cfg->sections[i]);
	}
	cfg->n_sections = n;
}

static void
read_text(struct raas_cfg *cfg, struct span text)
{
	struct parser p = { .cfg = cfg, .value = BUF_LIMIT(RAAS_CFG_VALUE_MAX) };
	struct span rest = text;

	if (rest.len >= 3 && memcmp(rest.at, "\xef\xbb\xbf", 3) == 0)
		rest = span_from(rest, 3);
	while (rest.len > 0) {
		struct span line = take_line(&rest);

		p.line++;
		p.begin = (size_t)(line.at - text.at);
		p.end = text.len - rest.len;
		read_line(&p, line);
	}
	end_entry(&p);
	buf_done(&p.value);
}

struct raas_cfg *
raas_cfg_read(const char *text, size_t len, const char *file)
{
	struct raas_cfg *cfg = xcalloc(1, sizeof(*cfg));

	cfg->file = xstrdup(file);
	cfg->defaults.name = xstrdup("DEFAULT");
	raas_cfg_more_work(cfg);
	if (len > RAAS_CFG_MAX) {
		raas_cfg_fail(cfg, NULL, 0, "the file is longer than %u bytes", RAAS_CFG_MAX);
		return cfg;
	}
	read_text(cfg, (struct span){ text, len });
	sort_sections(cfg);
	return cfg;
}

void
raas_cfg_free(struct raas_cfg *cfg)
{
	size_t i;

	if (cfg == NULL)
		return;
	for (i = 0; i < cfg->n_sections; i++)
		section_done(&cfg->sections[i]);
	free(cfg->sections);
	section_done(&cfg->defaults);
	problems_done(&cfg->errors);
	problems_done(&cfg->warnings);
	free(cfg->file);
	free(cfg);
}

static int
compare_name(const void *name, const void *section)
{
	return strcmp(name, ((const struct raas_cfg_section *)section)->name);
}

struct raas_cfg_section *
raas_cfg_section(const struct raas_cfg *cfg, const char *name)
{
	if (cfg->n_sections == 0)
		return NULL;
	return bsearch(name, cfg->sections, cfg->n_sections, sizeof(*cfg->sections), compare_name);
}

const struct raas_cfg_entry *
raas_cfg_entry(const struct raas_cfg *cfg, const struct raas_cfg_section *section,
    const char *key)
{
	const struct raas_cfg_entry *own = find_entry(section, key);

	return own != NULL ? own : find_entry(&cfg->defaults, key);
}

/* --- interpolation, as Python's BasicInterpolation --- */

#define DEPTH_MAX	10
#define REFERENCE_WORK	64	/* what looking a key up costs, in bytes copied */

struct expansion {
	struct raas_cfg			*cfg;
	const struct raas_cfg_section	*section;
	struct buf			 value;
	bool				 secret;
	struct error			*err;
};

void
raas_cfg_more_work(struct raas_cfg *cfg)
{
	cfg->work_left = WORK_MAX;
}

static int
expand_text(struct expansion *x, const char *text, size_t len)
{
	size_t work = len + REFERENCE_WORK;

	if (work > x->cfg->work_left)
		return error_set(x->err, ERROR_INPUT,
		    "interpolation makes the file's values too long to go on");
	x->cfg->work_left -= work;
	if (!buf_add(&x->value, text, len))
		return error_set(x->err, ERROR_INPUT,
		    "the value is longer than 64 KiB after interpolation");
	return 0;
}

/* The key named by "%(KEY)s" at *at, which is moved behind it. */
static const struct raas_cfg_entry *
take_reference(struct expansion *x, const char **at)
{
	const struct raas_cfg_entry *entry;
	cleanup(free_p) char *key = NULL;
	const char *end = strchr(*at, ')'), *why;

	if ((*at)[1] != '(' || end == NULL || end == *at + 2 || end[1] != 's') {
		error_set(x->err, ERROR_INPUT, "a '%%' that is neither '%%%%' nor '%%(KEY)s'");
		return NULL;
	}
	key = key_of((struct span){ *at + 2, (size_t)(end - *at) - 2 }, &why);
	entry = key != NULL ? raas_cfg_entry(x->cfg, x->section, key) : NULL;
	if (entry == NULL && key != NULL && !x->secret)
		error_set(x->err, ERROR_INPUT, "'%%(%s)s' names a key that does not exist",
		    raas_cfg_key_shown(key));
	else if (entry == NULL)
		error_set(x->err, ERROR_INPUT, "a '%%(KEY)s' names a key that does not exist");
	*at = end + 2;
	return entry;
}

static int
expand(struct expansion *x, const struct raas_cfg_entry *entry, unsigned int depth)
{
	const char *at = entry->value;
	size_t n;

	if (depth > DEPTH_MAX && strchr(at, '%') != NULL)
		return error_set(x->err, ERROR_INPUT, "'%%(KEY)s' is nested deeper than %d",
		    DEPTH_MAX);
	x->secret = x->secret || raas_cfg_secret_key(entry->key);
	while (*at != '\0') {
		n = strcspn(at, "%");
		if (expand_text(x, at, n) == -1)
			return -1;
		at += n;
		if (at[0] == '%' && at[1] == '%') {
			if (expand_text(x, "%", 1) == -1)
				return -1;
			at += 2;
		} else if (at[0] == '%') {
			const struct raas_cfg_entry *other = take_reference(x, &at);

			if (other == NULL || expand(x, other, depth + 1) == -1)
				return -1;
		}
	}
	return 0;
}

int
raas_cfg_value(struct raas_cfg *cfg, const struct raas_cfg_section *section,
    const struct raas_cfg_entry *entry, struct buf *out, bool *secret, struct error *err)
{
	struct expansion x = { cfg, section, BUF_LIMIT(RAAS_CFG_VALUE_MAX), false, err };
	int result = expand(&x, entry, 1);

	if (result == 0) {
		*secret = x.secret;
		buf_add(out, buf_str(&x.value), x.value.len);
	}
	buf_done(&x.value);
	return result;
}

bool
raas_cfg_secret_key(const char *key)
{
	static const char *const words[] = { "password", "passwd", "secret", "token", "private" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(key, words[i]) != NULL)
			return true;
	}
	return false;
}

const char *
raas_cfg_key_shown(const char *key)
{
	size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_-.");

	return n > 0 && n <= 32 && key[n] == '\0' ? key : "...";
}
