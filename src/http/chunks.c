/* A body in chunks: RFC 9112 clause 7.1. */
#include "http/message.h"

#define CHUNK_DIGITS_MAX 15 /* no sum of such sizes overflows before the sun is cold */

/* A line that ends with CR LF. REFUSED: it is too long, or holds a lone CR or LF or another control character. */
static enum http_taken take_line(struct rd *in, size_t most, struct rd *line)
{
	struct rd r = *in;

	if (!rd_until(&r, '\n', line))
		return in->left > most ? HTTP_REFUSED : HTTP_MORE;
	if (line->left == 0 || line->left > most || line->at[line->left - 1] != '\r')
		return HTTP_REFUSED;
	line->left--;
	*in = r;
	return rd_has_control(*line) ? HTTP_REFUSED : HTTP_WHOLE;
}

static bool hex_digit(uint8_t c, uint64_t *v)
{
	if (c >= '0' && c <= '9')
		*v = (uint64_t)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		*v = (uint64_t)((c | 0x20) - 'a' + 10);
	else
		return false;
	return true;
}

/* 1*HEXDIG [";" extensions] */
static bool size_of(struct rd line, uint64_t *size)
{
	uint64_t digit, n = 0;
	unsigned digits = 0;

	while (line.left > 0 && hex_digit(line.at[0], &digit) && rd_skip(&line, 1)) {
		if (++digits > CHUNK_DIGITS_MAX)
			return false;
		n = n << 4 | digit;
	}
	*size = n;
	return digits > 0 && (line.left == 0 || line.at[0] == ';');
}

static enum http_taken take_size(struct http_chunks *c, struct rd *in)
{
	struct rd line;
	enum http_taken t = take_line(in, HTTP_CHUNK_LINE_MAX, &line);

	if (t != HTTP_WHOLE)
		return t;
	if (!size_of(line, &c->left))
		return HTTP_REFUSED;
	c->at = c->left > 0 ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILERS;
	return HTTP_WHOLE;
}

static enum http_taken take_data(struct http_chunks *c, struct rd *in, struct rd *data)
{
	size_t n = in->left < c->left ? in->left : (size_t)c->left;

	if (!rd_sub(in, n, data))
		return HTTP_REFUSED;
	c->left -= n;
	if (c->left == 0)
		c->at = HTTP_CHUNK_END;
	return HTTP_MORE;
}

static enum http_taken take_end(struct http_chunks *c, struct rd *in)
{
	struct rd line;
	enum http_taken t = take_line(in, 1, &line);

	if (t == HTTP_WHOLE && line.left > 0)
		return HTTP_REFUSED;
	if (t == HTTP_WHOLE)
		c->at = HTTP_CHUNK_SIZE;
	return t;
}

static enum http_taken take_trailer(struct http_chunks *c, struct rd *in)
{
	struct rd line;
	enum http_taken t = take_line(in, HTTP_TRAILERS_MAX - c->trailers, &line);

	if (t != HTTP_WHOLE)
		return t;
	c->trailers += line.left;
	if (line.left == 0)
		c->at = HTTP_CHUNK_DONE;
	return t;
}

enum http_taken http_chunks_take(struct http_chunks *c, struct rd *in, struct rd *data)
{
	enum http_taken t = HTTP_WHOLE;

	*data = rd_of("", 0);
	while (t == HTTP_WHOLE) {
		switch (c->at) {
		case HTTP_CHUNK_SIZE:
			t = take_size(c, in);
			break;
		case HTTP_CHUNK_DATA:
			return take_data(c, in, data);
		case HTTP_CHUNK_END:
			t = take_end(c, in);
			break;
		case HTTP_CHUNK_TRAILERS:
			t = take_trailer(c, in);
			break;
		case HTTP_CHUNK_DONE:
			return HTTP_WHOLE;
		}
	}
	return t;
}
