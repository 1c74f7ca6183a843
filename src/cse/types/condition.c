/* Conditions on attributes. */
#include "cse/types/condition.h"

#include <string.h>

enum operator { EQUAL = 1, NOT_EQUAL, GREATER, LESS, AT_LEAST, AT_MOST };

#define REFUSE(x, rsc, ...) (exchange_fail(x, rsc, __VA_ARGS__), false)

static bool name_of(const struct json *evc, char name[128])
{
	return json_text(json_get(evc, "sbjt"), name, 128);
}

/* Lists, objects and truth values are equal or are not. */
static bool fits_operator(const struct json *evc, const struct json *threshold)
{
	uint64_t operator;

	return !json_uint(json_get(evc, "optr"), &operator) || operator == EQUAL || operator == NOT_EQUAL || threshold->type == JSON_NUMBER || threshold->type == JSON_STRING;
}

bool condition_check(struct exchange *x, const struct json *evc, struct resource *subject, const char *what, enum onem2m_rsc rsc)
{
	const struct json *threshold = json_get(evc, "thld");
	const struct schema_attribute *a;
	struct schema_fault fault;
	char name[128];

	if (!name_of(evc, name) || !subject->schema)
		return REFUSE(x, rsc, "`%s.sbjt`: is no attribute", what);
	a = schema_attribute(subject->schema, rd_str(name));
	/* a custom attribute may come later */
	if (!a && (subject->schema->custom || resource_get(subject, name)))
		return true;
	if (!a)
		return REFUSE(x, rsc, "`%s.sbjt`: a resource of type %d has no attribute `%s`", what, subject->type, name);
	if (!threshold || !schema_check_value(a->type, threshold, "thld", &fault))
		return REFUSE(x, rsc, "`%s.thld`: does not fit the attribute `%s`", what, name);
	return fits_operator(evc, threshold) || REFUSE(x, rsc, "`%s.optr`: the values of `%s` have no order", what, name);
}

static int order_of_text(struct rd a, struct rd b)
{
	size_t n = a.left < b.left ? a.left : b.left;
	int r = n ? memcmp(a.at, b.at, n) : 0;

	return r ? r : (a.left > b.left) - (a.left < b.left);
}

/* Whether the two have an order at all: numbers and strings do. */
static bool order_of(const struct json *a, const struct json *b, int *order)
{
	int64_t m, n;
	double x, y;

	if (json_int(a, &m) && json_int(b, &n))
		*order = (m > n) - (m < n);
	else if (json_double(a, &x) && json_double(b, &y))
		*order = (x > y) - (x < y);
	else if (a->type == JSON_STRING && b->type == JSON_STRING)
		*order = order_of_text(a->text, b->text);
	else
		return false;
	return true;
}

bool condition_holds(const struct json *evc, struct resource *subject)
{
	const struct json *threshold = json_get(evc, "thld"), *value;
	uint64_t operator;
	char name[128];
	int order;

	if (!threshold || !name_of(evc, name) || !json_uint(json_get(evc, "optr"), &operator))
		return false;
	value = resource_get(subject, name);
	if (!value)
		return false;
	if (!order_of(value, threshold, &order))
		return operator == EQUAL ? json_equal(value, threshold) : operator == NOT_EQUAL && !json_equal(value, threshold);
	switch ((enum operator)operator) {
	case EQUAL:
		return order == 0;
	case NOT_EQUAL:
		return order != 0;
	case GREATER:
		return order > 0;
	case LESS:
		return order < 0;
	case AT_LEAST:
		return order >= 0;
	case AT_MOST:
		return order <= 0;
	}
	return false;
}
