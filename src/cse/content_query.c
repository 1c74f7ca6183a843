/* Content filters in JSON path syntax. */
#include "cse/content_query.h"

#include <stddef.h>
#include <string.h>

enum comparator { COMPARE_EQ, COMPARE_NE, COMPARE_GT, COMPARE_LT, COMPARE_GE, COMPARE_LE, COMPARE_MATCH };

static const char *const comparators[] = {"EQ", "NE", "GT", "LT", "GE", "LE", "MATCH"};

struct step {
	const struct step *next;
	bool element;            /* [index], not .name */
	struct rd name;
	uint64_t index;
};

struct comparison {
	const struct comparison *next;
	const struct step *path;
	enum comparator comparator;
	const struct json *literal; /* a number or a string */
	bool bare;                  /* a word without quotes: true and false are boolean too */
	bool either;                /* joined to what stands before by OR */
};

struct content_query {
	const struct comparison *first;
};

struct parsing {
	struct json_arena *arena;
	struct rd in;
	const char *why;
};

static bool wrong(struct parsing *p, const char *why)
{
	p->why = why;
	return false;
}

static bool next_is(const struct parsing *p, char c)
{
	struct rd look = p->in;
	uint8_t octet;

	return rd_u8(&look, &octet) && octet == (uint8_t)c;
}

/* Takes what stands before the first of these characters, or the rest. */
static struct rd take_before(struct parsing *p, const char *stops)
{
	struct rd part = p->in, look = p->in;
	size_t n = 0;
	uint8_t c;

	while (rd_u8(&look, &c) && c != 0 && !strchr(stops, c))
		n++;
	return rd_sub(&p->in, n, &part) ? part : rd_of("", 0);
}

static void skip_spaces(struct parsing *p)
{
	while (next_is(p, ' ') && rd_skip(&p->in, 1))
		;
}

/* ---- paths ---- */

static bool take_name(struct parsing *p, struct rd *name)
{
	char quote = next_is(p, '"') ? '"' : '\'';

	if (!next_is(p, quote)) {
		*name = take_before(p, "$. []{}");
		return name->left > 0 || wrong(p, "a name behind each dot");
	}
	return (rd_skip(&p->in, 1) && rd_until(&p->in, quote, name)) || wrong(p, "the end of each quoted name");
}

static bool take_index(struct parsing *p, uint64_t *index)
{
	struct rd digits;

	return (rd_until(&p->in, ']', &digits) && rd_decimal(digits, index)) || wrong(p, "a number between [ and ]");
}

static bool take_path(struct parsing *p, const struct step **path)
{
	const struct step **last = path;

	if (!next_is(p, '$') || !rd_skip(&p->in, 1))
		return wrong(p, "a path that begins with $ before each comparison");
	for (size_t count = 0; !next_is(p, ' '); count++) {
		struct step *s = json_arena_alloc(p->arena, sizeof *s);

		if (!s || count == CONTENT_QUERY_STEPS_MAX)
			return wrong(p, "paths of at most 32 steps");
		s->element = next_is(p, '[');
		if ((!s->element && !next_is(p, '.')) || !rd_skip(&p->in, 1))
			return wrong(p, "steps of the forms .name and [n], and a space behind each path");
		if (s->element ? !take_index(p, &s->index) : !take_name(p, &s->name))
			return false;
		*last = s;
		last = &s->next;
	}
	return true;
}

/* ---- comparisons ---- */

static bool take_comparator(struct parsing *p, enum comparator *comparator)
{
	struct rd word = take_before(p, " ");

	for (size_t i = 0; i < sizeof comparators / sizeof comparators[0]; i++) {
		if (!rd_is(word, comparators[i]))
			continue;
		*comparator = (enum comparator)i;
		return true;
	}
	return wrong(p, "one of EQ, NE, GT, LT, GE, LE and MATCH behind each path");
}

/* The octets of a JSON string up to and with the quote that ends it. */
static bool take_quoted(struct parsing *p, struct rd *text)
{
	struct rd look = p->in;
	size_t n = 1;
	uint8_t c;

	if (!rd_skip(&look, 1))
		return false;
	while (rd_u8(&look, &c)) {
		n++;
		if (c == '"')
			return rd_sub(&p->in, n, text);
		if (c != '\\')
			continue;
		if (!rd_skip(&look, 1))
			return false;
		n++;
	}
	return false;
}

static bool take_literal(struct parsing *p, struct comparison *k)
{
	struct json *word;
	struct rd text;

	if (next_is(p, '"'))
		return (take_quoted(p, &text) && json_parse(p->arena, text, NULL, &k->literal) == OK) || wrong(p, "JSON strings between double quotes");
	text = take_before(p, " ");
	if (text.left == 0)
		return wrong(p, "a value behind each comparison");
	if (json_parse(p->arena, text, NULL, &k->literal) == OK && k->literal->type == JSON_NUMBER)
		return true;
	word = json_arena_alloc(p->arena, sizeof *word);
	if (!word)
		return wrong(p, "less in it");
	word->type = JSON_STRING;
	word->text = text;
	k->literal = word;
	k->bare = true;
	return true;
}

static bool needs_number(enum comparator c)
{
	return c == COMPARE_GT || c == COMPARE_LT || c == COMPARE_GE || c == COMPARE_LE;
}

static bool take_comparison(struct parsing *p, struct comparison *k)
{
	if (!take_path(p, &k->path))
		return false;
	skip_spaces(p);
	if (!take_comparator(p, &k->comparator))
		return false;
	skip_spaces(p);
	if (!take_literal(p, k))
		return false;
	return !needs_number(k->comparator) || k->literal->type == JSON_NUMBER || wrong(p, "a number behind GT, LT, GE and LE");
}

/* The word before the next comparison; false at the end and when there is another word. */
static bool take_joint(struct parsing *p, bool *either)
{
	struct rd word;

	skip_spaces(p);
	if (p->in.left == 0)
		return false;
	word = take_before(p, " ");
	*either = rd_is(word, "OR");
	skip_spaces(p);
	return *either || rd_is(word, "AND") || wrong(p, "AND or OR between comparisons");
}

const struct content_query *content_query_parse(struct json_arena *a, struct rd text, const char **why)
{
	struct parsing p = {a, text, NULL};
	struct content_query *q = json_arena_alloc(a, sizeof *q);
	const struct comparison **last = q ? &q->first : NULL;
	size_t count = 0;
	bool either = false;

	if (!q || text.left > CONTENT_QUERY_OCTETS_MAX)
		(void)wrong(&p, "at most 4096 octets");
	skip_spaces(&p);
	while (!p.why) {
		struct comparison *k = json_arena_alloc(a, sizeof *k);

		if (!k || count++ == CONTENT_QUERY_COMPARISONS_MAX) {
			(void)wrong(&p, "at most 32 comparisons");
			break;
		}
		k->either = either;
		if (!take_comparison(&p, k))
			break;
		*last = k;
		last = &k->next;
		if (!take_joint(&p, &either))
			break;
	}
	*why = p.why;
	return p.why ? NULL : q;
}

/* ---- evaluation ---- */

static const struct json *member(const struct json *object, struct rd name)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->first; m; m = m->next)
		if (rd_equal(m->key, name))
			return m;
	return NULL;
}

static const struct json *follow(const struct step *path, const struct json *v)
{
	for (const struct step *s = path; s && v; s = s->next) {
		if (!s->element)
			v = member(v, s->name);
		else
			v = v->type == JSON_ARRAY && s->index < v->count ? json_at(v, (size_t)s->index) : NULL;
	}
	return v;
}

static int order(const struct json *a, const struct json *b)
{
	int64_t i, j;
	double x = 0, y = 0;

	if (json_int(a, &i) && json_int(b, &j))
		return (i > j) - (i < j);
	if (!json_double(a, &x) || !json_double(b, &y))
		return 0;
	return (x > y) - (x < y);
}

static bool contains(struct rd text, struct rd part)
{
	struct rd look = text, head;

	do {
		struct rd rest = look;

		if (rd_sub(&rest, part.left, &head) && rd_equal(head, part))
			return true;
	} while (rd_skip(&look, 1));
	return false;
}

/* -1: of no type that can be compared with the literal for equality. */
static int equals(const struct comparison *k, const struct json *v)
{
	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		return k->bare ? rd_is(k->literal->text, v->type == JSON_TRUE ? "true" : "false") : -1;
	if (v->type != JSON_STRING && v->type != JSON_NUMBER)
		return -1;
	if (v->type != k->literal->type)
		return false;
	return v->type == JSON_STRING ? rd_equal(v->text, k->literal->text) : json_equal(v, k->literal);
}

static bool holds(const struct comparison *k, const struct json *content)
{
	const struct json *v = follow(k->path, content);
	bool number = v && v->type == JSON_NUMBER;

	if (!v)
		return false;
	switch (k->comparator) {
	case COMPARE_EQ:
		return equals(k, v) == 1;
	case COMPARE_NE:
		return equals(k, v) == 0;
	case COMPARE_GT:
		return number && order(v, k->literal) > 0;
	case COMPARE_LT:
		return number && order(v, k->literal) < 0;
	case COMPARE_GE:
		return number && order(v, k->literal) >= 0;
	case COMPARE_LE:
		return number && order(v, k->literal) <= 0;
	case COMPARE_MATCH:
		return v->type == JSON_STRING && contains(v->text, k->literal->text);
	}
	return false;
}

bool content_query_matches(const struct content_query *q, const struct json *content)
{
	bool result = false;

	for (const struct comparison *k = q->first; k; k = k->next) {
		bool held = holds(k, content);

		result = k == q->first ? held : k->either ? result || held : result && held;
	}
	return result;
}
