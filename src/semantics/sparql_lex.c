/* Tokens of SPARQL: clause 19.8 of the recommendation. */
#include <string.h>

#include "base/bytes.h"
#include "semantics/sparql.h"

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '-';
}

static uint8_t at(struct rd r, size_t n)
{
	return n < r.left ? r.at[n] : 0;
}

static void skip(struct rd *r, size_t n)
{
	if (!rd_skip(r, n))
		r->left = 0;
}

static void skip_space(struct rd *r)
{
	for (;;) {
		uint8_t c = at(*r, 0);

		if (c == '#') {
			while (r->left && at(*r, 0) != '\n' && at(*r, 0) != '\r')
				skip(r, 1);
		} else if (r->left && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
			skip(r, 1);
		} else {
			return;
		}
	}
}

static struct token take(struct rd *r, enum token_kind kind, size_t from, size_t to, size_t whole)
{
	struct token t = {.kind = kind, .text = rd_of(r->at + from, to - from), .source = rd_of(r->at, whole)};

	skip(r, whole);
	return t;
}

static struct token bad(struct rd *r)
{
	struct token t = {.kind = TOKEN_BAD, .text = rd_of(r->at, r->left < 20 ? r->left : 20)};

	t.source = t.text;
	return t;
}

/* ---- strings ---- */

static size_t put_utf8(uint8_t *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (uint8_t)(0xc0 | c >> 6);
		to[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (uint8_t)(0xe0 | c >> 12);
		to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		to[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (uint8_t)(0xf0 | c >> 18);
	to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	to[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static bool code_point(struct rd *in, unsigned digits, uint32_t *c)
{
	*c = 0;
	for (unsigned i = 0; i < digits; i++) {
		uint8_t d;

		if (!rd_u8(in, &d))
			return false;
		if (is_digit(d))
			*c = *c << 4 | (uint32_t)(d - '0');
		else if ((d | 32) >= 'a' && (d | 32) <= 'f')
			*c = *c << 4 | (uint32_t)((d | 32) - 'a' + 10);
		else
			return false;
	}
	return *c > 0 && *c <= 0x10ffff && !(*c >= 0xd800 && *c <= 0xdfff);
}

/* The escapes of a string or an IRI; never longer than they were written. */
static bool unescape(struct rd in, struct json_arena *arena, struct rd *out)
{
	static const char from[] = "tbnrf\"'\\", to[] = "\t\b\n\r\f\"'\\";
	uint8_t *room, c;
	size_t n = 0;
	uint32_t point;

	*out = in;
	if (in.left == 0 || !memchr(in.at, '\\', in.left))
		return true;
	room = json_arena_alloc(arena, in.left + 4);
	if (!room)
		return false;
	while (rd_u8(&in, &c)) {
		const char *e;

		if (c != '\\') {
			room[n++] = c;
			continue;
		}
		if (!rd_u8(&in, &c))
			return false;
		if (c == 'u' || c == 'U') {
			if (!code_point(&in, c == 'u' ? 4 : 8, &point))
				return false;
			n += put_utf8(room + n, point);
		} else if (c != 0 && (e = strchr(from, c)) != NULL) {
			room[n++] = (uint8_t)to[e - from];
		} else {
			return false;
		}
	}
	*out = rd_of(room, n);
	return true;
}

static bool is_utf8(struct rd r)
{
	while (r.left) {
		size_t n = at(r, 0) < 0x80 ? 1 : utf8_length(r);

		if (n == 0 || at(r, 0) == 0)
			return false;
		skip(&r, n);
	}
	return true;
}

static struct token string(struct rd *r, struct json_arena *arena)
{
	uint8_t q = at(*r, 0);
	size_t marks = at(*r, 1) == q && at(*r, 2) == q ? 3 : 1, i = marks;
	struct token t;

	for (;; i++) {
		uint8_t c = at(*r, i);

		if (i >= r->left || (marks == 1 && (c == '\n' || c == '\r')))
			return bad(r);
		if (c == '\\')
			i++;
		else if (c == q && (marks == 1 || (at(*r, i + 1) == q && at(*r, i + 2) == q)))
			break;
	}
	if (i + marks > r->left)
		return bad(r);
	t = take(r, TOKEN_STRING, marks, i, i + marks);
	if (!unescape(t.text, arena, &t.text))
		t.kind = TOKEN_BAD;
	return t;
}

/* ---- the others ---- */

/* <...>, unless it is the sign "less than". */
static bool iri(struct rd *r, struct json_arena *arena, struct token *t)
{
	size_t i = 1;

	while (i < r->left && at(*r, i) > 0x20 && !strchr("<>\"{}|^`", at(*r, i)))
		i++;
	if (at(*r, i) != '>')
		return false;
	*t = take(r, TOKEN_IRI, 1, i, i + 1);
	if (!unescape(t->text, arena, &t->text))
		t->kind = TOKEN_BAD;
	return true;
}

static struct token number(struct rd *r)
{
	enum token_kind kind = TOKEN_INTEGER;
	size_t i = 0, e;

	while (is_digit(at(*r, i)))
		i++;
	if (at(*r, i) == '.' && is_digit(at(*r, i + 1))) {
		kind = TOKEN_DECIMAL;
		for (i++; is_digit(at(*r, i));)
			i++;
	}
	e = i + 1 + (at(*r, i + 1) == '+' || at(*r, i + 1) == '-');
	if ((at(*r, i) | 32) == 'e' && is_digit(at(*r, e))) {
		kind = TOKEN_DOUBLE;
		for (i = e; is_digit(at(*r, i));)
			i++;
	}
	return take(r, kind, 0, i, i);
}

static size_t name_end(struct rd r, size_t i, bool local)
{
	while (is_name(at(r, i)) || at(r, i) == '.' || (local && (at(r, i) == ':' || at(r, i) == '%')))
		i++;
	while (i > 0 && at(r, i - 1) == '.')
		i--; /* the end of a triple */
	return i;
}

/* A word, or prefix:local. */
static struct token name(struct rd *r)
{
	size_t i = is_letter(at(*r, 0)) ? name_end(*r, 0, false) : 0, word = 0;
	struct token t;

	if (at(*r, i) == ':') {
		i = name_end(*r, i + 1, true);
		t = take(r, TOKEN_NAME, 0, i, i);
	} else {
		while (is_letter(at(*r, word)) || is_digit(at(*r, word)))
			word++;
		t = take(r, TOKEN_WORD, 0, word, word);
	}
	return t;
}

static struct token sign(struct rd *r)
{
	static const char *const two[] = {"^^", "&&", "||", "!=", "<=", ">="};

	for (size_t i = 0; i < sizeof two / sizeof two[0]; i++)
		if (rd_starts(*r, two[i]))
			return take(r, TOKEN_SIGN, 0, 2, 2);
	if (at(*r, 0) && strchr("{}()[].;,|/^!=<>*+-?", at(*r, 0)))
		return take(r, TOKEN_SIGN, 0, 1, 1);
	return bad(r);
}

static struct token any(struct rd *text, struct json_arena *arena)
{
	struct token t;
	uint8_t c, d;
	size_t i = 1;

	skip_space(text);
	c = at(*text, 0);
	d = at(*text, 1);
	if (text->left == 0)
		return (struct token){.kind = TOKEN_END, .text = rd_str("the end"), .source = rd_str("")};
	if (c == '<' && iri(text, arena, &t))
		return t;
	if ((c == '?' || c == '$') && (is_letter(d) || is_digit(d))) {
		while (is_letter(at(*text, i)) || is_digit(at(*text, i)))
			i++;
		return take(text, TOKEN_VARIABLE, 1, i, i);
	}
	if (c == '_' && d == ':') {
		i = name_end(*text, 2, false);
		return i > 2 ? take(text, TOKEN_BLANK, 2, i, i) : bad(text);
	}
	if (c == '"' || c == '\'')
		return string(text, arena);
	if (c == '@' && is_letter(d)) {
		while (is_name(at(*text, i)) && at(*text, i) < 0x80)
			i++;
		return i > 1 ? take(text, TOKEN_LANGUAGE, 1, i, i) : bad(text);
	}
	if (is_digit(c))
		return number(text);
	if (is_letter(c) || c == ':')
		return name(text);
	return sign(text);
}

struct token sparql_token(struct rd *text, struct json_arena *arena)
{
	struct token t = any(text, arena);

	if (!is_utf8(t.text))
		t.kind = TOKEN_BAD;
	return t;
}
