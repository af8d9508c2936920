/* xml.h - the XML that S3 speaks: written into a buf, and read as far as S3's requests go. */
#ifndef TESTS_SANDBOX_XML_H
#define TESTS_SANDBOX_XML_H

#include <stdbool.h>

#include "common/buf.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

void	 xml_element(struct buf *, const char *tag, const char *text);	/* escapes the text */
void	 xml_number(struct buf *, const char *tag, long long);

/* One element, its content as it stands in the document. */
struct xml_part {
	const char	*data;
	size_t		 len;
};

/* The first element of that name (whatever its prefix and attributes) in `in`; *rest, if not
 * NULL, is what follows it. Elements of one name do not nest in S3's requests. False: none. */
bool	 xml_find(struct xml_part in, const char *tag, struct xml_part *out, struct xml_part *rest);
/* The text of that element with its references resolved; NULL: none. The caller's to free. */
char	*xml_text_of(struct xml_part in, const char *tag);

#endif
