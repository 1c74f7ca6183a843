/* Queries on labels. */
#include "cse/labels_query.h"

#include <stddef.h>
#include <string.h>

enum kind { KEY, NOT_KEY, WITH /* one of the values */, WITHOUT };

struct expression {
	const struct expression *next;
	enum kind kind;
	struct rd key;
	size_t count;
	struct rd values[LABELS_QUERY_VALUES_MAX];
};

struct labels_query {
	const struct expression *first;
};

struct parsing {
	struct rd in;
	const char *why;
};

static bool wrong(struct parsing *p, const char *why)
{
	p->why = why;
	return false;
}

static void skip_spaces(struct parsing *p)
{
	struct rd look = p->in;
	uint8_t c;

	while (rd_u8(&look, &c) && c == ' ')
		p->in = look;
}

/* The character is next, spaces aside, and taken. */
static bool take(struct parsing *p, char wanted)
{
	struct rd look;
	uint8_t c;

	skip_spaces(p);
	look = p->in;
	if (!rd_u8(&look, &c) || c != (uint8_t)wanted)
		return false;
	p->in = look;
	return true;
}

/* "" at the end, and before , ( and ). */
static struct rd take_word(struct parsing *p)
{
	struct rd look, word = rd_of("", 0);
	size_t n = 0;
	uint8_t c;

	skip_spaces(p);
	look = p->in;
	while (rd_u8(&look, &c) && c != 0 && !strchr(" ,()", c))
		n++;
	return rd_sub(&p->in, n, &word) ? word : rd_of("", 0);
}

static bool take_value(struct parsing *p, struct expression *e)
{
	e->values[0] = take_word(p);
	e->count = 1;
	return e->values[0].left > 0 || wrong(p, "a value behind EQ and NE");
}

static bool take_values(struct parsing *p, struct expression *e)
{
	if (!take(p, '('))
		return wrong(p, "a list in parentheses behind IN and NI");
	do {
		if (e->count == LABELS_QUERY_VALUES_MAX)
			return wrong(p, "at most 32 values in parentheses");
		e->values[e->count] = take_word(p);
		if (e->values[e->count++].left == 0)
			return wrong(p, "values between the commas in parentheses");
	} while (take(p, ','));
	return take(p, ')') || wrong(p, "a parenthesis behind each list");
}

/* Behind the key: nothing, or an operator and its values. */
static bool take_condition(struct parsing *p, struct expression *e)
{
	struct rd operator = take_word(p), name = e->key, key;

	if (operator.left == 0) {
		if (!rd_until(&name, ':', &key))
			return true;
		e->kind = WITH;
		e->key = key;
		e->values[0] = name;
		e->count = 1;
		return true;
	}
	e->kind = rd_is(operator, "NE") || rd_is(operator, "NI") ? WITHOUT : WITH;
	if (rd_is(operator, "EQ") || rd_is(operator, "NE"))
		return take_value(p, e);
	if (rd_is(operator, "IN") || rd_is(operator, "NI"))
		return take_values(p, e);
	return wrong(p, "one of EQ, NE, IN and NI behind a key");
}

static bool take_expression(struct parsing *p, struct expression *e)
{
	e->key = take_word(p);
	if (e->key.left == 0)
		return wrong(p, "a key in each expression");
	if (!rd_is(e->key, "NT"))
		return take_condition(p, e);
	e->kind = NOT_KEY;
	e->key = take_word(p);
	return e->key.left > 0 || wrong(p, "a key behind NT");
}

const struct labels_query *labels_query_parse(struct json_arena *a, struct rd text, const char **why)
{
	struct parsing p = {text, NULL};
	struct labels_query *q = json_arena_alloc(a, sizeof *q);
	const struct expression **last = q ? &q->first : NULL;
	size_t count = 0;

	if (!q || text.left > LABELS_QUERY_OCTETS_MAX)
		(void)wrong(&p, "at most 4096 octets");
	while (!p.why) {
		struct expression *e = json_arena_alloc(a, sizeof *e);

		if (!e || count++ == LABELS_QUERY_EXPRESSIONS_MAX) {
			(void)wrong(&p, "at most 32 expressions");
			break;
		}
		if (!take_expression(&p, e))
			break;
		*last = e;
		last = &e->next;
		if (!take(&p, ','))
			break;
	}
	if (!p.why && p.in.left > 0)
		(void)wrong(&p, "commas between expressions");
	*why = p.why;
	return p.why ? NULL : q;
}

/* ---- evaluation ---- */

struct found {
	bool key, pair, value;
};

static struct found look(const struct expression *e, const struct json *labels)
{
	struct found f = {false, false, false};

	for (const struct json *l = labels ? labels->first : NULL; l; l = l->next) {
		struct rd value = l->text, key;
		bool pair = rd_until(&value, ':', &key);

		if (!rd_equal(pair ? key : l->text, e->key))
			continue;
		f.key = true;
		f.pair = f.pair || pair;
		for (size_t i = 0; pair && i < e->count; i++)
			f.value = f.value || rd_equal(value, e->values[i]);
	}
	return f;
}

bool labels_query_matches(const struct labels_query *q, const struct json *labels)
{
	for (const struct expression *e = q->first; e; e = e->next) {
		struct found f = look(e, labels);

		if ((e->kind == KEY && f.key) || (e->kind == NOT_KEY && !f.key) || (e->kind == WITH && f.value) || (e->kind == WITHOUT && f.pair && !f.value))
			return true;
	}
	return false;
}
