#include "daemon/s3-xml.h"

#include "common/cleanup.h"
#include "tests/unit/test.h"

static int
collect(void *arg, const char *path, const char *text, struct error *err)
{
	if (strcmp(text, "stop") == 0)
		return error_set(err, ERROR_INPUT, "told to");
	buf_printf(arg, "%s=%s;", path, text);
	return 0;
}

static int
read_text(const char *xml, struct buf *seen, struct error *err)
{
	buf_clear(seen);
	*err = (struct error)ERROR_INIT;
	return s3_xml_read(xml, strlen(xml), collect, seen, err);
}

TEST(elements_as_they_end)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct error err;

	CHECK_INT(read_text("<?xml version=\"1.0\"?>\n<!-- c --><A xmlns='u/>'>\n <B><C>1</C>"
	    "<C x = \"y\" />t</B><D> 2 </D></A >\n<!-- end -->\n", &seen, &err), 0);
	CHECK_STR(buf_str(&seen), "A/B/C=1;A/B/C=;A/B=;A/D= 2 ;A=;");
	CHECK_INT(read_text("<s3:A><s3:B/></s3:A>", &seen, &err), 0);
	CHECK_STR(buf_str(&seen), "A/B=;A=;");
}

TEST(text_is_decoded)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct error err;

	CHECK_INT(read_text("<A>&lt;&amp;lt;&gt;&quot;&apos;&#65;&#x20AC;&#128512;</A>", &seen,
	    &err), 0);
	CHECK_STR(buf_str(&seen), "A=<&lt;>\"'A\xe2\x82\xac\xf0\x9f\x98\x80;");
	CHECK_INT(read_text("<A>a<![CDATA[<b>&amp;]]>c</A>", &seen, &err), 0);
	CHECK_STR(buf_str(&seen), "A=a<b>&amp;c;");
}

TEST(what_is_not_one_whole_element)
{
	static const char *const broken[] = {
		"", " ", "x", "<", "<A", "<A>", "<A></B>", "<A></A", "<A></A><B/>", "<A/>x", "x<A/>",
		"</A>", "<A><B></A></B>", "<A b></A>", "<A b=c></A>", "<A b=\"c></A>", "<>", "< A/>",
		"<A>&lt</A>", "<A>&nbsp;</A>", "<A>&#0;</A>", "<A>&#xD800;</A>", "<A>&#1114112;</A>",
		"<A>&#x;</A>", "<A>&#-1;</A>", "<A>&;</A>", "<!DOCTYPE A []><A/>",
		"<A><!ENTITY x 'y'></A>", "<A><![CDATA[x]]</A>", "&amp;<A/>", "<A><!-- </A>",
		"<html><body><p>x<br></body></html>", "{\"a\":1}",
	};
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		if (read_text(broken[i], &seen, &err) == 0)
			printf("# %s\n", broken[i]);
		CHECK_INT(read_text(broken[i], &seen, &err), -1);
		CHECK_INT(err.kind, ERROR_REMOTE);
	}
	CHECK_INT(s3_xml_read("<A>\0</A>", 8, collect, &seen, &err), -1);
	CHECK_INT(s3_xml_read("<A\0/>", 5, collect, &seen, &err), -1);
}

TEST(depth_and_names_are_limited)
{
	cleanup(buf_done) struct buf xml = BUF_INIT, seen = BUF_INIT;
	struct error err;
	int i;

	for (i = 0; i < 10000; i++)
		buf_add_str(&xml, "<A>");
	CHECK_INT(read_text(buf_str(&xml), &seen, &err), -1);
	CHECK_STR(err.text, "not XML as S3 answers it, near byte 50: it is nested too deep");
	buf_clear(&xml);
	buf_add_str(&xml, "<");
	for (i = 0; i < S3_XML_PATH_MAX; i++)
		buf_add_str(&xml, "A");
	buf_add_str(&xml, "/>");
	CHECK_INT(read_text(buf_str(&xml), &seen, &err), -1);
}

TEST(the_reader_may_stop)
{
	cleanup(buf_done) struct buf seen = BUF_INIT;
	struct error err;

	CHECK_INT(read_text("<A><B>1</B><B>stop</B><B>2</B></A>", &seen, &err), -1);
	CHECK_STR(err.text, "told to");
	CHECK_STR(buf_str(&seen), "A/B=1;");
}

TEST(escaped_text_comes_back)
{
	cleanup(buf_done) struct buf xml = BUF_INIT, seen = BUF_INIT;
	struct error err;

	buf_add_str(&xml, "<A>");
	s3_xml_escape(&xml, "<a href=\"x\">&amp;]]></a>");
	buf_add_str(&xml, "</A>");
	CHECK_INT(read_text(buf_str(&xml), &seen, &err), 0);
	CHECK_STR(buf_str(&seen), "A=<a href=\"x\">&amp;]]></a>;");
}

int
main(void)
{
	return RUN(CASE(elements_as_they_end), CASE(text_is_decoded),
	    CASE(what_is_not_one_whole_element), CASE(depth_and_names_are_limited),
	    CASE(the_reader_may_stop), CASE(escaped_text_comes_back));
}
