/* Looking into parsed JSON. */
#include "json/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct json *json_member(const struct json *object, struct rd name)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->first; m; m = m->next)
		if (rd_equal(m->key, name))
			return m;
	return NULL;
}

const struct json *json_path(const struct json *doc, const char *path)
{
	struct rd r = rd_str(path), name;

	while (doc && r.left > 0) {
		if (!rd_until(&r, '.', &name))
			name = rd_rest(&r);
		doc = json_member(doc, name);
	}
	return doc;
}

const struct json *json_at(const struct json *array, size_t index)
{
	const struct json *v;

	if (!array || array->type != JSON_ARRAY)
		return NULL;
	for (v = array->first; v && index > 0; v = v->next)
		index--;
	return v;
}

bool json_is_string(const struct json *v, const char *text)
{
	return v && v->type == JSON_STRING && rd_is(v->text, text);
}

bool json_string(const struct json *v, struct rd *text)
{
	if (!v || v->type != JSON_STRING)
		return false;
	*text = v->text;
	return true;
}

bool json_text(const struct json *v, char *dst, size_t size)
{
	return v && v->type == JSON_STRING && rd_text(v->text, dst, size);
}

bool json_uint(const struct json *v, uint64_t *n)
{
	return v && v->type == JSON_NUMBER && rd_decimal(v->text, n);
}

bool json_int(const struct json *v, int64_t *n)
{
	struct rd t;
	uint64_t u;

	if (!v || v->type != JSON_NUMBER)
		return false;
	t = v->text;
	if (rd_starts(t, "-")) {
		if (!rd_skip(&t, 1) || !rd_decimal(t, &u) || u > (uint64_t)INT64_MAX + 1)
			return false;
		*n = (int64_t)-u;
		return true;
	}
	if (!rd_decimal(t, &u) || u > INT64_MAX)
		return false;
	*n = (int64_t)u;
	return true;
}

bool json_double(const struct json *v, double *d)
{
	char text[64];
	double parsed;

	/* A number longer than this has more digits than a double; nobody who means one writes it. */
	if (!v || v->type != JSON_NUMBER || !rd_text(v->text, text, sizeof text))
		return false;
	parsed = strtod(text, NULL);
	if (!isfinite(parsed))
		return false;
	*d = parsed;
	return true;
}

bool json_bool(const struct json *v, bool *b)
{
	if (!v || (v->type != JSON_TRUE && v->type != JSON_FALSE))
		return false;
	*b = v->type == JSON_TRUE;
	return true;
}

static bool children_equal(const struct json *a, const struct json *b)
{
	const struct json *y = b->first;

	if (a->count != b->count)
		return false;
	for (const struct json *x = a->first; x; x = x->next) {
		if (a->type == JSON_OBJECT)
			y = json_member(b, x->key);
		if (!y || !json_equal(x, y))
			return false;
		if (a->type == JSON_ARRAY)
			y = y->next;
	}
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	double x, y;

	if (!a || !b || a->type != b->type)
		return false;
	switch (a->type) {
	case JSON_STRING:
		return rd_equal(a->text, b->text);
	case JSON_NUMBER:
		return rd_equal(a->text, b->text) ||
		    (json_double(a, &x) && json_double(b, &y) && !(x < y) && !(x > y));
	case JSON_ARRAY:
	case JSON_OBJECT:
		return children_equal(a, b);
	case JSON_NULL:
	case JSON_TRUE:
	case JSON_FALSE:
		break;
	}
	return true;
}

unsigned json_depth(const struct json *v)
{
	unsigned most = 0;

	if (!v || (v->type != JSON_ARRAY && v->type != JSON_OBJECT))
		return 0;
	for (const struct json *c = v->first; c; c = c->next) {
		unsigned depth = json_depth(c);

		most = depth > most ? depth : most;
	}
	return most + 1;
}
