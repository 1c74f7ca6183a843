/* The strict JSON reader. */
#include "json/json.h"

#include <string.h>

#include "base/bytes.h"

struct reader {
	struct json_arena *arena;
	struct rd in;
	enum err error; /* the first failure */
};

static bool fail(struct reader *r, enum err e)
{
	if (r->error == OK)
		r->error = e;
	return false;
}

static bool peek(const struct reader *r, uint8_t *c)
{
	if (r->in.left == 0)
		return false;
	*c = r->in.at[0];
	return true;
}

static bool next(struct reader *r)
{
	return rd_skip(&r->in, 1);
}

static void space(struct reader *r)
{
	uint8_t c;

	while (peek(r, &c) && (c == ' ' || c == '\t' || c == '\n' || c == '\r') && next(r))
		;
}

static bool word(struct reader *r, const char *text)
{
	if (!rd_starts(r->in, text) || !rd_skip(&r->in, strlen(text)))
		return fail(r, ERR_MALFORMED);
	return true;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool digits(struct reader *r)
{
	uint8_t c;
	size_t n = 0;

	while (peek(r, &c) && is_digit(c) && next(r))
		n++;
	return n > 0 ? true : fail(r, ERR_MALFORMED);
}

static bool number(struct reader *r, struct json *v)
{
	const struct rd start = r->in;
	uint8_t c = 0;

	v->type = JSON_NUMBER;
	if (peek(r, &c) && c == '-' && !next(r))
		return false;
	if (peek(r, &c) && c == '0') {
		if (!next(r))
			return false;
	} else if (!digits(r)) {
		return false;
	}
	if (peek(r, &c) && c == '.' && (!next(r) || !digits(r)))
		return fail(r, ERR_MALFORMED);
	if (peek(r, &c) && (c == 'e' || c == 'E')) {
		if (!next(r))
			return false;
		if (peek(r, &c) && (c == '+' || c == '-') && !next(r))
			return false;
		if (!digits(r))
			return false;
	}
	v->text = rd_of(start.at, start.left - r->in.left);
	return true;
}

static bool hex4(struct rd *in, uint32_t *v)
{
	uint32_t n = 0;
	uint8_t c;

	for (int i = 0; i < 4; i++) {
		if (!rd_u8(in, &c))
			return false;
		if (is_digit(c))
			n = n << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			n = n << 4 | (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*v = n;
	return true;
}

static void put_utf8(struct wr *w, uint32_t c)
{
	if (c < 0x80) {
		wr_u8(w, (uint8_t)c);
	} else if (c < 0x800) {
		wr_u8(w, (uint8_t)(0xc0 | c >> 6));
		wr_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		wr_u8(w, (uint8_t)(0xe0 | c >> 12));
		wr_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		wr_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		wr_u8(w, (uint8_t)(0xf0 | c >> 18));
		wr_u8(w, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		wr_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		wr_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

static bool escape(struct rd *in, struct wr *w)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint32_t c, low;
	const char *at;
	uint8_t e;

	if (!rd_u8(in, &e) || e == 0)
		return false;
	at = strchr(from, e);
	if (at) {
		wr_u8(w, (uint8_t)to[at - from]);
		return true;
	}
	if (e != 'u' || !hex4(in, &c) || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!rd_starts(*in, "\\u") || !rd_skip(in, 2) || !hex4(in, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(w, c);
	return true;
}

/* Finds the end of a string whose opening quote is behind us, checking it; *escapes tells whether it must be rewritten. */
static bool string_end(struct reader *r, struct rd *raw, bool *escapes)
{
	const struct rd start = r->in;
	uint8_t c;

	*escapes = false;
	while (rd_plain(&r->in), peek(r, &c)) {
		if (c == '"') {
			*raw = rd_of(start.at, start.left - r->in.left);
			return next(r);
		}
		if (c == '\\') {
			*escapes = true;
			if (!rd_skip(&r->in, 2))
				break;
		} else {
			size_t len = c < 0x20 ? 0 : utf8_length(r->in);

			if (len == 0 || !rd_skip(&r->in, len))
				break;
		}
	}
	return fail(r, ERR_MALFORMED);
}

static bool string(struct reader *r, struct rd *text)
{
	struct rd raw;
	struct wr w;
	bool escapes;
	uint8_t c;
	void *room;

	if (!peek(r, &c) || c != '"' || !next(r) || !string_end(r, &raw, &escapes))
		return fail(r, ERR_MALFORMED);
	if (!escapes) {
		*text = raw;
		return true;
	}
	room = json_arena_alloc(r->arena, raw.left);
	if (!room)
		return fail(r, ERR_NO_MEMORY);
	w = wr_of(room, raw.left);
	while (rd_u8(&raw, &c)) {
		if (c != '\\')
			wr_u8(&w, c);
		else if (!escape(&raw, &w))
			return fail(r, ERR_MALFORMED);
	}
	return wr_done(&w, text) ? true : fail(r, ERR_MALFORMED);
}

static bool value(struct reader *r, struct json *v, unsigned depth);

static bool known_already(const struct json *object, struct rd key)
{
	for (const struct json *m = object->first; m; m = m->next)
		if (rd_equal(m->key, key))
			return true;
	return false;
}

static bool member(struct reader *r, struct json *object, struct json *m, unsigned depth)
{
	uint8_t c;

	if (!string(r, &m->key))
		return false;
	if (known_already(object, m->key))
		return fail(r, ERR_MALFORMED);
	space(r);
	if (!peek(r, &c) || c != ':' || !next(r))
		return fail(r, ERR_MALFORMED);
	return value(r, m, depth);
}

static bool children(struct reader *r, struct json *v, uint8_t closer, unsigned depth)
{
	const struct json **link = &v->first;
	uint8_t c;

	if (depth == 0)
		return fail(r, ERR_TOO_LONG);
	if (!next(r))
		return false;
	space(r);
	if (peek(r, &c) && c == closer)
		return next(r);
	for (;;) {
		struct json *child = json_arena_alloc(r->arena, sizeof *child);

		if (!child)
			return fail(r, ERR_NO_MEMORY);
		space(r);
		if (!(closer == '}' ? member(r, v, child, depth - 1) : value(r, child, depth - 1)))
			return false;
		if (closer == '}' && v->count == JSON_MEMBERS_MAX)
			return fail(r, ERR_TOO_LONG);
		*link = child;
		link = &child->next;
		v->count++;
		space(r);
		if (!peek(r, &c) || !next(r) || (c != ',' && c != closer))
			return fail(r, ERR_MALFORMED);
		if (c == closer)
			return true;
	}
}

static bool any(struct reader *r, struct json *v, unsigned depth)
{
	uint8_t c;

	if (!peek(r, &c))
		return fail(r, ERR_MALFORMED);
	switch (c) {
	case '{':
		v->type = JSON_OBJECT;
		return children(r, v, '}', depth);
	case '[':
		v->type = JSON_ARRAY;
		return children(r, v, ']', depth);
	case '"':
		v->type = JSON_STRING;
		return string(r, &v->text);
	case 't':
		v->type = JSON_TRUE;
		return word(r, "true");
	case 'f':
		v->type = JSON_FALSE;
		return word(r, "false");
	case 'n':
		v->type = JSON_NULL;
		return word(r, "null");
	default:
		return number(r, v);
	}
}

static bool value(struct reader *r, struct json *v, unsigned depth)
{
	struct rd start;

	space(r);
	start = r->in;
	if (!any(r, v, depth))
		return false;
	v->source = rd_of(start.at, start.left - r->in.left);
	return true;
}

enum err json_parse(struct json_arena *a, struct rd text, size_t *where, const struct json **doc)
{
	struct reader r = {a, text, OK};
	struct json *v = json_arena_alloc(a, sizeof *v);

	if (!v)
		return ERR_NO_MEMORY;
	if (value(&r, v, JSON_DEPTH_MAX)) {
		space(&r);
		if (!rd_end(&r.in))
			fail(&r, ERR_MALFORMED);
	} else {
		fail(&r, ERR_MALFORMED);
	}
	if (r.error != OK) {
		if (where)
			*where = text.left - r.in.left;
		return r.error;
	}
	*doc = v;
	return OK;
}
