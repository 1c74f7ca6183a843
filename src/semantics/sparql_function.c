/* The functions that a query may call. Those that need a clock or dice (NOW, RAND, UUID ...) and digests are not among them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "semantics/sparql.h"

static const struct term none = {.kind = TERM_NONE};

enum function { F_STR, F_LANG, F_LANGMATCHES, F_DATATYPE, F_IRI, F_URI, F_ISIRI, F_ISURI, F_ISBLANK, F_ISLITERAL, F_ISNUMERIC, F_STRLEN, F_SUBSTR, F_UCASE, F_LCASE,
	F_STRSTARTS, F_STRENDS, F_CONTAINS, F_STRBEFORE, F_STRAFTER, F_ENCODE_FOR_URI, F_CONCAT, F_REPLACE, F_REGEX, F_ABS, F_ROUND, F_CEIL, F_FLOOR, F_SAMETERM,
	F_STRDT, F_STRLANG, F_YEAR, F_MONTH, F_DAY, F_HOURS, F_MINUTES, F_SECONDS, F_COUNT };

static const struct {
	const char *name;
	unsigned least, most;
} functions[F_COUNT] = {
	[F_STR] = {"STR", 1, 1}, [F_LANG] = {"LANG", 1, 1}, [F_LANGMATCHES] = {"LANGMATCHES", 2, 2}, [F_DATATYPE] = {"DATATYPE", 1, 1}, [F_IRI] = {"IRI", 1, 1},
	[F_URI] = {"URI", 1, 1}, [F_ISIRI] = {"ISIRI", 1, 1}, [F_ISURI] = {"ISURI", 1, 1}, [F_ISBLANK] = {"ISBLANK", 1, 1}, [F_ISLITERAL] = {"ISLITERAL", 1, 1},
	[F_ISNUMERIC] = {"ISNUMERIC", 1, 1}, [F_STRLEN] = {"STRLEN", 1, 1}, [F_SUBSTR] = {"SUBSTR", 2, 3}, [F_UCASE] = {"UCASE", 1, 1}, [F_LCASE] = {"LCASE", 1, 1},
	[F_STRSTARTS] = {"STRSTARTS", 2, 2}, [F_STRENDS] = {"STRENDS", 2, 2}, [F_CONTAINS] = {"CONTAINS", 2, 2}, [F_STRBEFORE] = {"STRBEFORE", 2, 2},
	[F_STRAFTER] = {"STRAFTER", 2, 2}, [F_ENCODE_FOR_URI] = {"ENCODE_FOR_URI", 1, 1}, [F_CONCAT] = {"CONCAT", 0, 16}, [F_REPLACE] = {"REPLACE", 3, 4},
	[F_REGEX] = {"REGEX", 2, 3}, [F_ABS] = {"ABS", 1, 1}, [F_ROUND] = {"ROUND", 1, 1}, [F_CEIL] = {"CEIL", 1, 1}, [F_FLOOR] = {"FLOOR", 1, 1},
	[F_SAMETERM] = {"SAMETERM", 2, 2}, [F_STRDT] = {"STRDT", 2, 2}, [F_STRLANG] = {"STRLANG", 2, 2}, [F_YEAR] = {"YEAR", 1, 1}, [F_MONTH] = {"MONTH", 1, 1},
	[F_DAY] = {"DAY", 1, 1}, [F_HOURS] = {"HOURS", 1, 1}, [F_MINUTES] = {"MINUTES", 1, 1}, [F_SECONDS] = {"SECONDS", 1, 1},
};

static bool same_word(struct rd a, const char *word)
{
	if (a.left != strlen(word))
		return false;
	for (size_t i = 0; i < a.left; i++)
		if (a.at[i] != word[i] && !(a.at[i] >= 'a' && a.at[i] <= 'z' && a.at[i] - 32 == word[i]))
			return false;
	return true;
}

int function_find(struct rd name, unsigned arguments, bool *known)
{
	*known = false;
	for (int i = 0; i < F_COUNT; i++) {
		if (!same_word(name, functions[i].name))
			continue;
		*known = true;
		return arguments >= functions[i].least && arguments <= functions[i].most ? i : -1;
	}
	return -1;
}

/* ---- texts ---- */

static bool is_string(const struct term *t)
{
	return t->kind == TERM_LITERAL && t->type.left == 0;
}

/* Text made of a string keeps its language. */
static struct term like(struct run *r, const struct term *t, struct rd text)
{
	struct term out = term_made(r, text, NULL);

	out.language = t->language;
	return out;
}

static struct term count(struct run *r, uint64_t n)
{
	struct number x = {.integer = true, .i = (int64_t)n, .d = (double)n};

	return number_term(r, &x);
}

static size_t one(struct rd text)
{
	size_t n = utf8_length(text);

	return n ? n : 1;
}

static uint64_t characters(struct rd text)
{
	uint64_t n = 0;

	while (text.left && rd_skip(&text, one(text)))
		n++;
	return n;
}

static struct term substring(struct run *r, const struct term *a, unsigned n)
{
	struct number from, length = {.d = (double)INFINITY};
	struct rd text = a[0].value;
	size_t begin = SIZE_MAX, end = 0;
	double at = 1, first;

	if (!is_string(&a[0]) || !term_number(&a[1], &from) || (n == 3 && !term_number(&a[2], &length)))
		return none;
	first = round(from.d);
	for (size_t i = 0; i < text.left; at++) {
		size_t step = one(rd_of(text.at + i, text.left - i));

		if (at >= first && at < first + (n == 3 ? round(length.d) : (double)INFINITY)) {
			begin = begin == SIZE_MAX ? i : begin;
			end = i + step;
		}
		i += step;
	}
	return like(r, &a[0], begin == SIZE_MAX || end > text.left ? rd_of("", 0) : rd_of(text.at + begin, end - begin));
}

static struct term in_case(struct run *r, const struct term *t, bool upper)
{
	uint8_t *room;

	if (!is_string(t) || (room = run_room(r, t->value.left)) == NULL)
		return none;
	for (size_t i = 0; i < t->value.left; i++) {
		uint8_t c = t->value.at[i];

		room[i] = upper && c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : !upper && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
	}
	return like(r, t, rd_of(room, t->value.left));
}

static bool find(struct rd text, struct rd part, size_t *at)
{
	const uint8_t *found = part.left == 0 ? text.at : text.left ? memmem(text.at, text.left, part.at, part.left) : NULL;

	if (part.left && !found)
		return false;
	*at = part.left ? (size_t)(found - text.at) : 0;
	return true;
}

static struct term look(struct run *r, int f, const struct term *a)
{
	struct rd text = a[0].value, part = a[1].value;
	size_t at = 0;
	bool found;

	if (!is_string(&a[0]) || !is_string(&a[1]) || (a[1].language.left && !rd_equal(a[0].language, a[1].language)) || !run_step(r, text.left / 16 + 1))
		return none;
	if (f == F_STRSTARTS)
		return term_bool(part.left <= text.left && rd_equal(rd_of(text.at, part.left), part));
	if (f == F_STRENDS)
		return term_bool(part.left <= text.left && rd_equal(rd_of(text.at + (text.left - part.left), part.left), part));
	found = find(text, part, &at);
	if (f == F_CONTAINS)
		return term_bool(found);
	if (!found)
		return term_made(r, rd_of("", 0), NULL);
	return f == F_STRBEFORE ? like(r, &a[0], rd_of(text.at, at)) : like(r, &a[0], rd_of(text.at + at + part.left, text.left - at - part.left));
}

static struct term concat(struct run *r, const struct term *a, unsigned n)
{
	size_t size = 0, at = 0;
	uint8_t *room;
	struct term out;
	bool same = true;

	for (unsigned i = 0; i < n; i++) {
		if (!is_string(&a[i]))
			return none;
		size += a[i].value.left;
		same = same && rd_equal(a[i].language, a[0].language);
	}
	room = run_room(r, size);
	if (!room)
		return none;
	for (unsigned i = 0; i < n; i++) {
		if (a[i].value.left)
			memcpy(room + at, a[i].value.at, a[i].value.left);
		at += a[i].value.left;
	}
	out = term_plain(rd_of(room, size));
	if (n && same)
		out.language = a[0].language;
	return out;
}

static struct term encoded(struct run *r, const struct term *t)
{
	struct wr w = wr_new(SEMANTICS_TERM_MAX);
	struct term out = none;
	struct rd text;

	for (size_t i = 0; i < t->value.left; i++) {
		uint8_t c = t->value.at[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c)))
			wr_u8(&w, c);
		else
			wr_fmt(&w, "%%%02X", c);
	}
	if (is_string(t) && wr_done(&w, &text))
		out = term_made(r, text, NULL);
	wr_free(&w);
	return out;
}

/* ---- regular expressions ---- */

static bool flags(const struct term *t, bool *fold)
{
	*fold = false;
	if (!is_string(t))
		return false;
	for (size_t i = 0; i < t->value.left; i++) {
		*fold = *fold || t->value.at[i] == 'i';
		if (!strchr("is", t->value.at[i]) || t->value.at[i] == 0)
			return false;
	}
	return true;
}

static struct term regex(struct run *r, const struct term *a, unsigned n)
{
	bool fold = false;
	int m;

	if (!is_string(&a[0]) || !is_string(&a[1]) || (n == 3 && !flags(&a[2], &fold)))
		return none;
	m = regex_match(a[1].value, fold, a[0].value, 0, NULL, NULL, &r->steps);
	return m < 0 || !run_step(r, 1) ? none : term_bool(m == 1);
}

static struct term replace(struct run *r, const struct term *a, unsigned n)
{
	struct wr w = wr_new(SEMANTICS_TERM_MAX);
	size_t at = 0, from, to;
	struct rd text = a[0].value;
	struct term out = none;
	bool fold = false;
	int m = 1;

	if (!is_string(&a[0]) || !is_string(&a[1]) || !is_string(&a[2]) || (n == 4 && !flags(&a[3], &fold)) || (a[2].value.left && (memchr(a[2].value.at, '$', a[2].value.left) || memchr(a[2].value.at, '\\', a[2].value.left)))) {
		wr_free(&w);
		return none; /* groups are not remembered */
	}
	while (run_step(r, 1) && (m = regex_match(a[1].value, fold, text, at, &from, &to, &r->steps)) == 1 && to > from) {
		wr_copy(&w, text.at + at, from - at);
		wr_rd(&w, a[2].value);
		at = to;
	}
	wr_copy(&w, text.at + at, text.left - at);
	if (m == 0 && wr_done(&w, &text)) /* -1: no regular expression; 1: it matches nothing, an error too */
		out = like(r, &a[0], text);
	else if (m == 0)
		run_fail(r, ERR_TOO_LONG);
	wr_free(&w);
	return out;
}

/* ---- terms, numbers, times ---- */

static struct term rounded(struct run *r, int f, const struct term *t)
{
	struct number n;

	if (!term_number(t, &n))
		return none;
	if (n.integer) {
		if (f == F_ABS && n.i < 0)
			n.i = n.i == INT64_MIN ? INT64_MAX : -n.i;
		return number_term(r, &n);
	}
	n.d = f == F_ABS ? fabs(n.d) : f == F_CEIL ? ceil(n.d) : f == F_FLOOR ? floor(n.d) : floor(n.d + 0.5);
	return number_term(r, &n);
}

static struct term part_of_time(struct run *r, int f, const struct term *t)
{
	int v[5];
	double second;
	char text[64];
	struct number n = {.decimal = true};

	if (t->kind != TERM_LITERAL || !rd_is(t->type, XSD_NS "dateTime") || !rd_text(t->value, text, sizeof text) ||
	    sscanf(text, "%5d-%2d-%2dT%2d:%2d:%lf", &v[0], &v[1], &v[2], &v[3], &v[4], &second) != 6)
		return none;
	if (f != F_SECONDS)
		n = (struct number){.integer = true, .i = v[f - F_YEAR]};
	else
		n.d = second;
	return number_term(r, &n);
}

static struct term datatype(const struct term *t)
{
	if (t->kind != TERM_LITERAL)
		return none;
	return term_iri(t->language.left ? rd_str(RDF_NS "langString") : t->type.left ? t->type : rd_str(XSD_NS "string"));
}

static struct term remade(int f, const struct term *a)
{
	struct term t = a[0];

	if (!is_string(&a[0]) || a[0].language.left)
		return none;
	if (f == F_STRDT && a[1].kind == TERM_IRI)
		t.type = rd_is(a[1].value, XSD_NS "string") ? rd_of("", 0) : a[1].value;
	else if (f == F_STRLANG && is_string(&a[1]))
		t.language = a[1].value;
	else
		return none;
	return t;
}

static bool language_matches(struct rd tag, struct rd range)
{
	if (rd_is(range, "*"))
		return tag.left > 0;
	if (range.left > tag.left || (range.left < tag.left && tag.at[range.left] != '-'))
		return false;
	for (size_t i = 0; i < range.left; i++)
		if ((tag.at[i] | 32) != (range.at[i] | 32))
			return false;
	return range.left > 0;
}

static struct term about_one(struct run *r, int f, const struct term *a)
{
	struct number n;

	switch (f) {
	case F_STR:
		return a->kind == TERM_BLANK ? none : term_plain(a->value);
	case F_LANG:
		return a->kind == TERM_LITERAL ? term_plain(a->language) : none;
	case F_DATATYPE:
		return datatype(a);
	case F_IRI:
	case F_URI:
		return a->kind == TERM_IRI || is_string(a) ? term_iri(a->value) : none;
	case F_ISIRI:
	case F_ISURI:
		return term_bool(a->kind == TERM_IRI);
	case F_ISBLANK:
		return term_bool(a->kind == TERM_BLANK);
	case F_ISLITERAL:
		return term_bool(a->kind == TERM_LITERAL);
	case F_ISNUMERIC:
		return term_bool(term_number(a, &n));
	case F_STRLEN:
		return is_string(a) ? count(r, characters(a->value)) : none;
	case F_UCASE:
	case F_LCASE:
		return in_case(r, a, f == F_UCASE);
	case F_ENCODE_FOR_URI:
		return encoded(r, a);
	default:
		return f >= F_YEAR ? part_of_time(r, f, a) : rounded(r, f, a);
	}
}

struct term function_call(struct run *r, int f, const struct term *a, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i].kind == TERM_NONE)
			return none;
	switch (f) {
	case F_LANGMATCHES:
		return is_string(&a[0]) && is_string(&a[1]) ? term_bool(language_matches(a[0].value, a[1].value)) : none;
	case F_SUBSTR:
		return substring(r, a, n);
	case F_STRSTARTS:
	case F_STRENDS:
	case F_CONTAINS:
	case F_STRBEFORE:
	case F_STRAFTER:
		return look(r, f, a);
	case F_CONCAT:
		return concat(r, a, n);
	case F_REPLACE:
		return replace(r, a, n);
	case F_REGEX:
		return regex(r, a, n);
	case F_SAMETERM:
		return term_bool(term_equal(&a[0], &a[1]));
	case F_STRDT:
	case F_STRLANG:
		return remade(f, a);
	default:
		return about_one(r, f, a);
	}
}
