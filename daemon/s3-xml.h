/* s3-xml.h - reads the XML that S3 answers with: elements and text, nothing else.
 *
 * Bounded in depth and length of names; no DTD, no entity but the five of XML and numbers.
 * Attributes are skipped and a namespace's prefix is dropped: S3 says nothing by them that is
 * needed here. Pure; any thread. */
#ifndef DAEMON_S3_XML_H
#define DAEMON_S3_XML_H

#include <stddef.h>

#include "common/buf.h"
#include "common/error.h"

#define S3_XML_PATH_MAX 256	/* bytes of all open elements' names */
#define S3_XML_DEPTH_MAX 16

/* Called as each element ends, the inner before the outer. `path` is "ListBucketResult/Contents/Key",
 * `text` the element's own, decoded, "" in one that holds others. Returns 0, or else ends it. */
typedef int s3_xml_fn(void *arg, const char *path, const char *text, struct error *err);

/* 0; -1 with err, ERROR_REMOTE, when it is not one whole XML element; or what fn returned. */
int	 s3_xml_read(const char *data, size_t len, s3_xml_fn *fn, void *arg, struct error *err);

/* Appends s as the text of an element. */
void	 s3_xml_escape(struct buf *, const char *s);

#endif
