#include "daemon/redhat-index.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "tests/unit/test.h"

static char *
names_of(const char *html, const char *path)
{
	struct crane_ids names = CRANE_IDS_INIT;
	struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;
	size_t i;

	if (redhat_index_names(html, strlen(html), path, 10, &names, &err) == -1)
		buf_printf(&out, "error: %s", err.text);
	else
		for (i = 0; i < names.n; i++)
			buf_printf(&out, "%s ", names.ids[i]);
	crane_ids_done(&names);
	return buf_take(&out);
}

TEST(listing_of_apache)
{
	cleanup(free_p) char *names = names_of("<html><head><title>Index of /rh</title></head>\n"
	    "<table><tr><th><a href=\"?C=N;O=D\">Name</a></th></tr>\n"
	    "<tr><td><a href=\"/\">Parent Directory</a></td></tr>\n"
	    "<tr><td><a href=\"rhel7.json\"><img src=\"/icons/text.gif\"></a></td>"
	    "<td><a href=\"rhel7.json\">rhel7.json</a></td></tr>\n"
	    "<tr><td><a href=\"rhel6.6.json\">rhel6.6.json</a></td></tr>\n"
	    "<tr><td><a href=\"README\">README</a></td></tr>\n"
	    "<tr><td><a href=\"old/\">old/</a></td></tr></table>", "/rh/");

	CHECK_STR(names, "rhel6.6.json rhel7.json ");
}

TEST(listing_of_nginx_and_others)
{
	cleanup(free_p) char *nginx = names_of("<h1>Index of /rh/</h1><hr><pre>"
	    "<a href=\"../\">../</a>\n<a href=\"b.json\">b.json</a>   01-Jan-2026 10:00   1\n"
	    "<a href=\"a.json\">a.json</a>", "/rh/");
	cleanup(free_p) char *others = names_of("<A HREF='./c.json'>c</A><a\n\tid=x href = d.json>"
	    "<a href=/rh/e.json>", "/rh/");

	CHECK_STR(nginx, "a.json b.json ");
	CHECK_STR(others, "c.json d.json e.json ");
}

TEST(links_that_lead_elsewhere)
{
	cleanup(free_p) char *names = names_of("<a href=\"../a.json\"><a href=\"/other/b.json\">"
	    "<a href=\"http://evil.example.com/c.json\"><a href=\"//evil/d.json\">"
	    "<a href=\"sub/e.json\"><a href=\"%2e%2e/f.json\"><a href=\"g.json?x\">"
	    "<a href=\".json\"><a href=\".h.json\"><a href=\"\">"
	    "<a xhref=\"k.json\"><a href><a href=", "/rh/");

	CHECK_STR(names, "");
}

TEST(a_page_that_is_no_text)
{
	static const char page[] = "\0<a href=\"a.json\0\"><a href=\"b.json\"\0><a href=\"c";
	struct crane_ids names = CRANE_IDS_INIT;
	struct error err = ERROR_INIT;

	CHECK_INT(redhat_index_names(page, sizeof(page), "/", 10, &names, &err), 0);
	CHECK_INT(names.n, 1);
	CHECK_STR(names.ids[0], "b.json");
	crane_ids_done(&names);
}

TEST(limits)
{
	cleanup(buf_done) struct buf html = BUF_INIT;
	cleanup(free_p) char *ten = NULL, *eleven = NULL, *long_name = NULL;
	int i;

	for (i = 0; i < 10; i++)
		buf_printf(&html, "<a href=\"%d.json\"><a href=\"%d.json\">", i, i);
	ten = names_of(buf_str(&html), "/");
	CHECK_STR(ten, "0.json 1.json 2.json 3.json 4.json 5.json 6.json 7.json 8.json 9.json ");
	buf_add_str(&html, "<a href=\"x.json\">");
	eleven = names_of(buf_str(&html), "/");
	CHECK_STR(eleven, "error: lists more than 10 files");
	buf_clear(&html);
	buf_printf(&html, "<a href=\"%0250d.json\"><a href=\"%0251d.json\">", 1, 2);
	long_name = names_of(buf_str(&html), "/");
	CHECK_INT(strlen(long_name), 256);
}

int
main(void)
{
	return RUN(CASE(listing_of_apache), CASE(listing_of_nginx_and_others),
	    CASE(links_that_lead_elsewhere), CASE(a_page_that_is_no_text), CASE(limits));
}
