/* Whatever s3_xml_read() reports has a sane path, and its text survives being written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "daemon/s3-xml.h"

static int
same_text(void *arg, const char *path, const char *text, struct error *err)
{
	(void)path, (void)err;
	if (strcmp(text, arg) != 0)
		abort();
	return 0;
}

static int
check(void *arg, const char *path, const char *text, struct error *err)
{
	cleanup(buf_done) struct buf again = BUF_INIT;
	size_t len = strlen(path);

	(void)arg;
	if (len == 0 || len >= S3_XML_PATH_MAX || path[0] == '/' || path[len - 1] == '/' ||
	    strstr(path, "//") != NULL)
		abort();
	buf_add_str(&again, "<A>");
	s3_xml_escape(&again, text);
	buf_add_str(&again, "</A>");
	if (s3_xml_read(again.data, again.len, same_text, (void *)text, err) != 0)
		abort();
	return 0;
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;

	if (s3_xml_read((const char *)data, size, check, NULL, &err) == -1 &&
	    err.kind != ERROR_REMOTE)
		abort();
	return 0;
}
