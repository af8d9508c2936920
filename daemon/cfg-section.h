/* cfg-section.h - a section put into raas.cfg, or taken out, and every other byte kept.
 *
 * Pure functions from text to text; any thread. The result is read again, and refused when any
 * other section would mean something else in it. ERROR_INPUT says why a text was left alone. */
#ifndef DAEMON_CFG_SECTION_H
#define DAEMON_CFG_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/error.h"

/* A section's lines, of keys and values that have no line ends. Values are protected from
 * interpolation. */
void	 cfg_section_head(struct buf *lines, const char *name);
void	 cfg_section_key(struct buf *lines, const char *key, const char *value);

/* Puts the one section that `lines` are at the end of the text, with the text's own line ends.
 * One that is there already with the same keys and values is fine, and nothing is done. */
int	 cfg_section_add(struct buf *text, const char *lines, size_t len, struct error *err);
/* The comments around it stay. One that is not there is fine. */
int	 cfg_section_remove(struct buf *text, const char *name, struct error *err);

/* Does to `onto` what was done from `before` to `after`, which must be that sections were put in
 * or taken out and nothing else. */
int	 cfg_section_replay(const struct buf *before, const struct buf *after, struct buf *onto,
	    struct error *err);

#endif
