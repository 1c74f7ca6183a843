/* The head of a request: RFC 9112 clauses 2 to 6. */
#include <string.h>
#include <strings.h>

#include "http/message.h"

/* Of a token's characters (RFC 9110 clause 5.6.2) the small letter, of all others 0. */
static const uint8_t token_of[256] = {
	['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'', ['*'] = '*', ['+'] = '+', ['-'] = '-', ['.'] = '.', ['^'] = '^',
	['_'] = '_', ['`'] = '`', ['|'] = '|', ['~'] = '~',
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
	['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
	['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v',
	['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
	['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',
	['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
	['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

bool http_is_token(struct rd text)
{
	for (size_t i = 0; i < text.left; i++)
		if (!token_of[text.at[i]])
			return false;
	return text.left > 0;
}

void http_token_small(struct rd name, uint8_t *small)
{
	for (size_t i = 0; i < name.left; i++)
		small[i] = token_of[name.at[i]];
}

static bool is_target(struct rd text)
{
	return text.left > 0 && !rd_has_control(text) && !memchr(text.at, ' ', text.left) && !memchr(text.at, '\t', text.left);
}

static bool is_ci(struct rd text, const char *word)
{
	size_t len = strlen(word);

	return text.left == len && strncasecmp((const char *)text.at, word, len) == 0;
}

static enum http_taken refuse(struct http_request_head *h, unsigned status, const char *why)
{
	h->status = status;
	h->why = why;
	return HTTP_REFUSED;
}

/* ---- the request line ---- */

/* Absolute form: what a client says to a proxy, and may say to us. RFC 9112 clause 3.2.2. */
static void strip_authority(struct rd *target)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);
		struct rd r = *target;
		uint8_t c = 0;

		if (r.left < len || strncasecmp((const char *)r.at, schemes[i], len) != 0 || !rd_skip(&r, len))
			continue;
		for (struct rd next = r; c != '/' && c != '?' && rd_u8(&next, &c);)
			if (c != '/' && c != '?')
				r = next;
		*target = r.left > 0 ? r : rd_str("/");
		return;
	}
}

static enum http_taken take_request_line(struct rd line, struct http_request_head *h)
{
	struct rd target;
	uint8_t minor;

	if (!rd_until(&line, ' ', &h->method) || !http_is_token(h->method) || !rd_until(&line, ' ', &target) || !is_target(target))
		return refuse(h, 400, "the request line is none\n");
	if (!rd_starts(line, "HTTP/") || !rd_skip(&line, 5) || line.left != 3 || line.at[1] != '.')
		return refuse(h, 400, "the request line is none\n");
	if (line.at[0] != '1' || !rd_skip(&line, 2) || !rd_u8(&line, &minor) || minor < '0' || minor > '9')
		return refuse(h, 505, "HTTP/1.1 is spoken here\n");
	h->old = minor == '0';
	h->keep_alive = !h->old;
	strip_authority(&target);
	if (!rd_until(&target, '?', &h->path))
		h->path = rd_rest(&target);
	h->query = target;
	return HTTP_WHOLE;
}

/* ---- fields ---- */

static struct rd trim(struct rd text)
{
	while (text.left > 0 && (text.at[0] == ' ' || text.at[0] == '\t') && rd_skip(&text, 1))
		;
	while (text.left > 0 && (text.at[text.left - 1] == ' ' || text.at[text.left - 1] == '\t'))
		text.left--;
	return text;
}

/* A list of words, in which the last of those that speak of keeping counts, but close ends it. RFC 9112 clause 9.3. */
static void take_connection(struct rd value, struct http_request_head *h, bool *close)
{
	struct rd word;

	while (value.left > 0) {
		if (!rd_until(&value, ',', &word))
			word = rd_rest(&value);
		word = trim(word);
		*close = *close || is_ci(word, "close");
		h->keep_alive = h->keep_alive || is_ci(word, "keep-alive");
	}
}

/* What was seen of the fields that say where the message ends and to whom it goes. */
struct seen {
	bool host, encoding, close;
};

/* The fields that matter here, by their first letter. */
static enum http_taken understand(const struct http_field *f, struct http_request_head *h, struct seen *seen)
{
	switch (f->name.at[0] | 0x20) {
	case 'c':
		if (is_ci(f->name, "connection"))
			take_connection(f->value, h, &seen->close);
		if (!is_ci(f->name, "content-length"))
			break;
		if (h->has_length || !rd_decimal(f->value, &h->length))
			return refuse(h, 400, "Content-Length is no number, or there are two\n");
		h->has_length = true;
		break;
	case 'e':
		h->expects = h->expects || (is_ci(f->name, "expect") && is_ci(f->value, "100-continue"));
		break;
	case 'h':
		if (!is_ci(f->name, "host"))
			break;
		if (seen->host)
			return refuse(h, 400, "there are two Hosts\n");
		seen->host = true;
		break;
	case 't':
		if (!is_ci(f->name, "transfer-encoding"))
			break;
		if (seen->encoding)
			return refuse(h, 400, "there are two transfer encodings\n");
		if (!is_ci(f->value, "chunked"))
			return refuse(h, 501, "the transfer encoding is none that is known here\n");
		seen->encoding = h->chunked = true;
		break;
	default:
		break;
	}
	return HTTP_WHOLE;
}

static enum http_taken take_field(struct rd line, struct http_request_head *h, struct seen *seen)
{
	struct http_field *f = &h->fields[h->field_count];

	if (h->field_count == HTTP_FIELDS_MAX)
		return refuse(h, 431, "there are too many header fields\n");
	if (!rd_until(&line, ':', &f->name) || !http_is_token(f->name))
		return refuse(h, 400, "a header field has no name\n");
	f->value = trim(line);
	if (rd_has_control(f->value))
		return refuse(h, 400, "there is a control character in the head\n");
	h->field_count++;
	return understand(f, h, seen);
}

/* RFC 9112 clause 6.3: two ways of saying where the body ends are one too many, and a client of 1.0 knows no chunks. */
static enum http_taken finish(struct http_request_head *h, const struct seen *seen)
{
	if (h->chunked && (h->has_length || h->old))
		return refuse(h, 400, "there is a length beside the transfer encoding, or HTTP/1.0\n");
	if (!seen->host && !h->old)
		return refuse(h, 400, "Host is missing\n");
	if (seen->close)
		h->keep_alive = false;
	h->expects = h->expects && !h->old && (h->chunked || h->length > 0);
	return HTTP_WHOLE;
}

/* ---- all of it ---- */

static enum http_taken take_line(struct rd *in, struct rd *line)
{
	if (!rd_until(in, '\n', line))
		return HTTP_MORE;
	if (line->left == 0 || line->at[line->left - 1] != '\r')
		return HTTP_REFUSED;
	line->left--;
	return HTTP_WHOLE;
}

static enum http_taken take_lines(struct rd *in, struct http_request_head *h)
{
	struct seen seen = {false};
	struct rd line;
	enum http_taken t;

	do
		t = take_line(in, &line);
	while (t == HTTP_WHOLE && line.left == 0); /* clause 2.2: left over from the request before */
	if (t == HTTP_WHOLE)
		t = take_request_line(line, h);
	while (t == HTTP_WHOLE && (t = take_line(in, &line)) == HTTP_WHOLE) {
		if (line.left == 0)
			return finish(h, &seen);
		t = take_field(line, h, &seen);
	}
	return t == HTTP_REFUSED && h->status == 0 ? refuse(h, 400, "a line does not end with CR LF\n") : t;
}

enum http_taken http_request_take(struct rd *in, struct http_request_head *h)
{
	struct rd r = *in;
	enum http_taken t;

	memset(h, 0, offsetof(struct http_request_head, fields));
	h->status = 0;
	t = take_lines(&r, h);
	if (t != HTTP_REFUSED && in->left - r.left > HTTP_HEAD_MAX)
		t = HTTP_MORE; /* it is too long, however it ended */
	if (t == HTTP_MORE && in->left > HTTP_HEAD_MAX)
		return refuse(h, h->path.left == 0 || h->path.left + h->query.left > HTTP_HEAD_MAX / 2 ? 414 : 431, "the head of the request is too long\n");
	if (t == HTTP_WHOLE)
		*in = r;
	return t;
}
