/* Literals as values: numbers, truth, order, casts. Clauses 15.1, 17.2 to 17.5 of the recommendation. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onem2m/timestamp.h"
#include "semantics/sparql.h"

static const struct term none = {.kind = TERM_NONE};

struct term term_bool(bool b)
{
	struct term t = term_plain(rd_str(b ? "true" : "false"));

	t.type = rd_str(XSD_NS "boolean");
	return t;
}

struct term term_made(struct run *r, struct rd text, const char *type)
{
	uint8_t *room = run_room(r, text.left);
	struct term t;

	if (!room)
		return none;
	if (text.left)
		memcpy(room, text.at, text.left);
	t = term_plain(rd_of(room, text.left));
	if (type)
		t.type = rd_str(type);
	return t;
}

/* ---- numbers ---- */

static bool is_type(const struct term *t, const char *const *names)
{
	struct rd local = t->type;

	if (!rd_starts(local, XSD_NS) || !rd_skip(&local, strlen(XSD_NS)))
		return false;
	for (; *names; names++)
		if (rd_is(local, *names))
			return true;
	return false;
}

static const char *const integers[] = {"integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger",
	"unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte", NULL};
static const char *const decimals[] = {"decimal", NULL};
static const char *const floats[] = {"double", "float", NULL};

static bool parse_double(const char *text, double *d)
{
	char *end;

	if (strspn(text, "+-0123456789.eE") != strlen(text)) {
		*d = strcmp(text, "INF") == 0 ? (double)INFINITY : strcmp(text, "-INF") == 0 ? -(double)INFINITY : (double)NAN;
		return strcmp(text, "NaN") == 0 || !isnan(*d);
	}
	*d = strtod(text, &end);
	return end != text && *end == '\0';
}

static bool parse_integer(const char *text, int64_t *i)
{
	const char *digits = text + (text[0] == '+' || text[0] == '-');
	uint64_t n;

	if (digits[0] == '\0' || !rd_decimal(rd_str(digits), &n) || n > INT64_MAX)
		return false;
	*i = text[0] == '-' ? -(int64_t)n : (int64_t)n;
	return true;
}

bool term_number(const struct term *t, struct number *n)
{
	char text[64];

	*n = (struct number){0};
	if (t->kind != TERM_LITERAL || t->type.left == 0 || !rd_text(t->value, text, sizeof text))
		return false;
	if (is_type(t, integers)) {
		n->integer = parse_integer(text, &n->i);
		n->decimal = !n->integer; /* more digits than fit: still a number */
		n->d = (double)n->i;
		return n->integer || parse_double(text, &n->d);
	}
	n->decimal = is_type(t, decimals);
	return (n->decimal || is_type(t, floats)) && parse_double(text, &n->d);
}

struct term number_term(struct run *r, const struct number *n)
{
	char text[64];

	if (n->integer) {
		snprintf(text, sizeof text, "%" PRId64, n->i);
		return term_made(r, rd_str(text), XSD_NS "integer");
	}
	if (isnan(n->d) || isinf(n->d))
		return term_made(r, rd_str(isnan(n->d) ? "NaN" : n->d > 0 ? "INF" : "-INF"), XSD_NS "double");
	if (n->decimal && fabs(n->d) < 1e15) {
		snprintf(text, sizeof text, "%.9f", n->d);
		for (size_t end = strlen(text); end > 2 && text[end - 1] == '0' && text[end - 2] != '.';)
			text[--end] = '\0';
		return term_made(r, rd_str(text), XSD_NS "decimal");
	}
	snprintf(text, sizeof text, "%.15g", n->d);
	return term_made(r, rd_str(text), XSD_NS "double");
}

struct term number_calculate(struct run *r, enum expr_op op, const struct term *ta, const struct term *tb)
{
	struct number a, b, c;
	bool overflow = false;

	if (!term_number(ta, &a) || !term_number(tb, &b))
		return none;
	c = (struct number){.integer = a.integer && b.integer && op != EXPR_DIV, .decimal = (a.integer || a.decimal) && (b.integer || b.decimal)};
	if (op == EXPR_ADD) {
		overflow = __builtin_add_overflow(a.i, b.i, &c.i);
		c.d = a.d + b.d;
	} else if (op == EXPR_SUB) {
		overflow = __builtin_sub_overflow(a.i, b.i, &c.i);
		c.d = a.d - b.d;
	} else if (op == EXPR_MUL) {
		overflow = __builtin_mul_overflow(a.i, b.i, &c.i);
		c.d = a.d * b.d;
	} else {
		if (b.d == 0 && c.decimal)
			return none;
		c.d = a.d / b.d;
	}
	if (overflow)
		c.integer = false;
	return number_term(r, &c);
}

/* ---- truth ---- */

bool term_truth(const struct term *t, bool *b)
{
	struct number n;

	if (t->kind != TERM_LITERAL)
		return false;
	if (rd_is(t->type, XSD_NS "boolean")) {
		*b = rd_is(t->value, "true") || rd_is(t->value, "1");
		return *b || rd_is(t->value, "false") || rd_is(t->value, "0");
	}
	if (t->type.left == 0) {
		*b = t->value.left > 0;
		return true;
	}
	if (!term_number(t, &n))
		return false;
	*b = n.d != 0 && !isnan(n.d);
	return true;
}

/* ---- order ---- */

/* "2026-11-21T12:00:00.5Z", with an offset too; without any it counts as UTC. */
static bool moment(struct rd text, double *ms)
{
	char t[64], stamp[32];
	int year, month, day, hour, minute, n = 0, sign, oh, om;
	double second;
	uint64_t at;

	if (!rd_text(text, t, sizeof t) || sscanf(t, "%4d-%2d-%2dT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute, &second, &n) != 6 || year < 1970 || year > 9999 ||
	    month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(second >= 0 && second < 61))
		return false;
	snprintf(stamp, sizeof stamp, "%04d%02d%02dT%02d%02d00", year, month, day, hour % 24, minute);
	if (!timestamp_parse(rd_str(stamp), &at))
		return false;
	*ms = (double)at + second * 1000;
	if (t[n] == '\0' || strcmp(t + n, "Z") == 0)
		return true;
	sign = t[n] == '+' ? 1 : t[n] == '-' ? -1 : 0;
	if (sign == 0 || sscanf(t + n + 1, "%2d:%2d", &oh, &om) != 2)
		return false;
	*ms -= sign * (oh * 60 + om) * 60000.0;
	return true;
}

static int text_order(struct rd a, struct rd b)
{
	size_t n = a.left < b.left ? a.left : b.left;
	int order = n ? memcmp(a.at, b.at, n) : 0;

	return order ? order : (a.left > b.left) - (a.left < b.left);
}

bool term_compare(const struct term *a, const struct term *b, int *order)
{
	struct number na, nb;
	double ma, mb;
	bool ta, tb;

	if (a->kind != TERM_LITERAL || b->kind != TERM_LITERAL)
		return false;
	if (term_number(a, &na) && term_number(b, &nb)) {
		if (na.integer && nb.integer)
			*order = (na.i > nb.i) - (na.i < nb.i);
		else
			*order = (na.d > nb.d) - (na.d < nb.d);
		return !isnan(na.d) && !isnan(nb.d);
	}
	if (a->type.left == 0 && b->type.left == 0 && rd_equal(a->language, b->language)) {
		*order = text_order(a->value, b->value);
		return true;
	}
	if (!rd_equal(a->type, b->type))
		return false;
	if (rd_is(a->type, XSD_NS "dateTime") && moment(a->value, &ma) && moment(b->value, &mb)) {
		*order = (ma > mb) - (ma < mb);
		return true;
	}
	if (rd_is(a->type, XSD_NS "date") || rd_is(a->type, XSD_NS "time")) {
		*order = text_order(a->value, b->value);
		return true;
	}
	if (rd_is(a->type, XSD_NS "boolean") && term_truth(a, &ta) && term_truth(b, &tb)) {
		*order = ta - tb;
		return true;
	}
	return false;
}

int term_order(const struct term *a, const struct term *b)
{
	int order;

	if (a->kind != b->kind)
		return (a->kind > b->kind) - (a->kind < b->kind);
	if (term_compare(a, b, &order))
		return order;
	order = text_order(a->type, b->type);
	return order ? order : text_order(a->value, b->value);
}

/* ---- casts ---- */

static struct term to_number(struct run *r, const struct term *t, const char *name)
{
	struct number n = {0};
	char text[64];
	bool b;

	if (rd_is(t->type, XSD_NS "boolean") && term_truth(t, &b))
		n = (struct number){.integer = true, .i = b, .d = b};
	else if (!term_number(t, &n) && (t->type.left || t->language.left || !rd_text(t->value, text, sizeof text) || !parse_double(text, &n.d)))
		return none;
	if (strcmp(name, "integer") == 0) {
		if (!n.integer && !(fabs(n.d) < 9e18))
			return none;
		n = (struct number){.integer = true, .i = n.integer ? n.i : (int64_t)n.d};
		return number_term(r, &n);
	}
	if (strcmp(name, "decimal") == 0) {
		n = (struct number){.decimal = true, .d = n.d};
		return isnan(n.d) || isinf(n.d) ? none : number_term(r, &n);
	}
	snprintf(text, sizeof text, "%.15g", n.d);
	return term_made(r, rd_str(text), strcmp(name, "float") == 0 ? XSD_NS "float" : XSD_NS "double");
}

struct term term_cast(struct run *r, const struct term *t, struct rd type)
{
	static const char *const numbers[] = {"integer", "decimal", "float", "double"};
	struct rd name = type;
	struct number n;
	struct term out = *t;
	double ms;

	if (t->kind == TERM_NONE || t->kind == TERM_BLANK || !rd_skip(&name, strlen(XSD_NS)))
		return none;
	if (rd_is(name, "string"))
		return term_plain(t->value);
	if (t->kind != TERM_LITERAL)
		return none;
	for (size_t i = 0; i < 4; i++)
		if (rd_is(name, numbers[i]))
			return to_number(r, t, numbers[i]);
	if (rd_is(name, "boolean")) {
		if (term_number(t, &n))
			return term_bool(n.d != 0 && !isnan(n.d));
		return rd_is(t->value, "true") || rd_is(t->value, "1")   ? term_bool(true) :
		    rd_is(t->value, "false") || rd_is(t->value, "0") ? term_bool(false) :
								       none;
	}
	out.type = type;
	out.language = rd_of("", 0);
	return rd_is(name, "dateTime") && moment(t->value, &ms) ? out : none;
}
