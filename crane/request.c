#include "crane/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OK 0
#define BAD_REQUEST 400
#define BODY_TOO_LARGE 413
#define URI_TOO_LONG 414
#define HEADERS_TOO_LARGE 431
#define NOT_IMPLEMENTED 501
#define BAD_VERSION 505

static bool
is_token(const char *s)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return s[0] != '\0' && s[strspn(s, allowed)] == '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that s begins with, decoded, and in *n how many it took; -1: there is none. */
static int
decoded_byte(const char *s, size_t *n)
{
	int high, low;

	*n = 1;
	if (s[0] != '%')
		return (unsigned char)s[0];
	if ((high = hex_value(s[1])) == -1 || (low = hex_value(s[2])) == -1)
		return -1;
	*n = 3;
	return high << 4 | low;
}

static bool
is_control(int c)
{
	return c < 0x20 || c == 0x7f;
}

/* In place; false for a control character, encoded or not, and for a '%' that encodes nothing. */
static bool
decode_path(char *path)
{
	char *to = path;
	size_t n;
	int c;

	for (; *path != '\0'; path += n) {
		c = decoded_byte(path, &n);
		if (is_control(c))
			return false;
		*to++ = (char)c;
	}
	*to = '\0';
	return true;
}

static enum request_method
method_from_name(const char *name)
{
	if (strcmp(name, "GET") == 0)
		return REQUEST_GET;
	if (strcmp(name, "HEAD") == 0)
		return REQUEST_HEAD;
	return strcmp(name, "POST") == 0 ? REQUEST_POST : REQUEST_OTHER;
}

/* The path of "/path?query" or, as a proxy writes it, of "http://host/path?query". */
static int
read_target(char *target, struct request *r)
{
	char *query;

	if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
		target = strchr(strchr(target, '/') + 2, '/');
		if (target == NULL)
			return BAD_REQUEST;
	}
	if (target[0] != '/' || strchr(target, '#') != NULL)
		return BAD_REQUEST;
	r->query = "";
	if ((query = strchr(target, '?')) != NULL) {
		*query = '\0';
		r->query = query + 1;
	}
	r->path = target;
	return decode_path(target) ? OK : BAD_REQUEST;
}

static int
read_request_line(char *line, struct request *r)
{
	char *target = strchr(line, ' '), *version, *p;

	for (p = line; *p != '\0'; p++)
		if (is_control((unsigned char)*p))
			return BAD_REQUEST;
	if (target == NULL || (version = strchr(target + 1, ' ')) == NULL)
		return BAD_REQUEST;
	*target++ = '\0';
	*version++ = '\0';
	if (!is_token(line) || strncmp(version, "HTTP/", 5) != 0)
		return BAD_REQUEST;
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return BAD_VERSION;
	r->method = method_from_name(line);
	r->keep_alive = version[7] == '1';
	return read_target(target, r);
}

static int
read_header(char *line, struct request *r)
{
	char *colon = strchr(line, ':'), *value, *end, *p;

	if (r->n_headers == REQUEST_HEADERS_MAX)
		return HEADERS_TOO_LARGE;
	/* A line that begins with a blank would continue the one before: obsolete, and refused. */
	if (colon == NULL)
		return BAD_REQUEST;
	*colon = '\0';
	if (!is_token(line))
		return BAD_REQUEST;
	value = colon + 1 + strspn(colon + 1, " \t");
	for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	*end = '\0';
	for (p = value; *p != '\0'; p++)
		if (is_control((unsigned char)*p) && *p != '\t')
			return BAD_REQUEST;
	r->headers[r->n_headers++] = (struct request_header){ line, value };
	return OK;
}

static bool
is_host(const char *s)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~:[]";

	return strlen(s) <= 262 && s[strspn(s, allowed)] == '\0';	/* a name, and its port */
}

static int
read_body_size(const char *value, struct request *r)
{
	size_t digits = strspn(value, "0123456789");

	if (digits == 0 || value[digits] != '\0')
		return BAD_REQUEST;
	if (digits > 9 || (r->body_size = strtoul(value, NULL, 10)) > REQUEST_BODY_MAX)
		return BODY_TOO_LARGE;
	return OK;
}

/* Whether one of the comma-separated words is this. */
static bool
has_word(const char *list, const char *word)
{
	size_t n;

	for (; *list != '\0'; list += n) {
		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == strlen(word) && strncasecmp(list, word, n) == 0)
			return true;
	}
	return false;
}

/* The headers that say how the connection goes on. */
static int
read_framing(struct request *r)
{
	bool has_host = false, has_size = false;
	const struct request_header *h;
	int status;
	size_t i;

	r->host = "";
	for (i = 0; i < r->n_headers; i++) {
		h = &r->headers[i];
		if (strcasecmp(h->name, "Host") == 0) {
			if (has_host || !is_host(h->value))
				return BAD_REQUEST;
			has_host = true;
			r->host = h->value;
		} else if (strcasecmp(h->name, "Content-Length") == 0) {
			if (has_size)
				return BAD_REQUEST;
			has_size = true;
			if ((status = read_body_size(h->value, r)) != OK)
				return status;
		} else if (strcasecmp(h->name, "Transfer-Encoding") == 0) {
			return NOT_IMPLEMENTED;
		} else if (strcasecmp(h->name, "Expect") == 0) {
			r->expects = true;
		}
	}
	return has_host || !r->keep_alive ? OK : BAD_REQUEST;
}

static void
read_connection(struct request *r)
{
	size_t i;

	for (i = 0; i < r->n_headers; i++) {
		if (strcasecmp(r->headers[i].name, "Connection") != 0)
			continue;
		if (has_word(r->headers[i].value, "close")) {
			r->keep_alive = false;
			return;
		}
		if (has_word(r->headers[i].value, "keep-alive"))
			r->keep_alive = true;
	}
}

/* Cuts the line that begins at head and ends with CRLF; the next one, or NULL without a CRLF. */
static char *
cut_line(char *head)
{
	char *end = strstr(head, "\r\n");

	if (end == NULL)
		return NULL;
	*end = '\0';
	return end + 2;
}

int
request_parse(char *head, size_t len, struct request *r)
{
	char *next;
	int status;

	r->n_headers = 0;
	r->body_size = 0;
	r->expects = false;
	head[len] = '\0';
	if (memchr(head, '\0', len) != NULL || (next = cut_line(head)) == NULL)
		return BAD_REQUEST;
	if ((size_t)(next - head) > REQUEST_LINE_MAX)
		return URI_TOO_LONG;
	if ((status = read_request_line(head, r)) != OK)
		return status;
	while (*(head = next) != '\0') {
		if ((next = cut_line(head)) == NULL)
			return BAD_REQUEST;
		if (*head == '\0')
			break;
		if ((status = read_header(head, r)) != OK)
			return status;
	}
	if ((status = read_framing(r)) != OK)
		return status;
	read_connection(r);
	return OK;
}

static bool
decode_value(const char *s, size_t len, char out[REQUEST_VALUE_MAX])
{
	const char *end = s + len;
	size_t at = 0, n;
	int c;

	for (; s < end; s += n) {
		n = 1;
		c = *s == '+' ? ' ' : decoded_byte(s, &n);
		if (is_control(c) || s + n > end || at == REQUEST_VALUE_MAX - 1)
			return false;
		out[at++] = (char)c;
	}
	out[at] = '\0';
	return true;
}

enum request_value
request_parameter(const struct request *r, const char *name, char out[REQUEST_VALUE_MAX])
{
	size_t name_len = strlen(name), len;
	const char *p = r->query;

	for (; *p != '\0'; p += len + (p[len] == '&')) {
		len = strcspn(p, "&");
		if (len > name_len && p[name_len] == '=' && strncmp(p, name, name_len) == 0)
			return decode_value(p + name_len + 1, len - name_len - 1, out)
			    ? REQUEST_PRESENT : REQUEST_BAD;
	}
	return REQUEST_ABSENT;
}
