/* Filter criteria as query and as object. */
#include "onem2m/criteria.h"

#include <stdlib.h>
#include <string.h>

/* ---- queries ---- */

void query_put_escaped(struct wr *w, struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c)) {
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != 0 && strchr("-._~*", c)))
			wr_u8(w, c);
		else
			wr_fmt(w, "%%%02X", c);
	}
}

void query_put_name(struct wr *w, const char *prefix, struct rd name)
{
	if (w->len > 0)
		wr_u8(w, '&');
	wr_str(w, prefix);
	query_put_escaped(w, name);
	wr_u8(w, '=');
}

bool query_next(struct rd *query, struct rd *name, struct rd *value)
{
	while (query->left > 0) {
		if (!rd_until(query, '&', value))
			*value = rd_rest(query);
		if (value->left == 0)
			continue;
		if (!rd_until(value, '=', name)) {
			*name = *value;
			*value = rd_of("", 0);
		}
		return true;
	}
	return false;
}

static bool hex(uint8_t c, uint8_t *v)
{
	if (c >= '0' && c <= '9')
		*v = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*v = (uint8_t)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		*v = (uint8_t)(c - 'A' + 10);
	else
		return false;
	return true;
}

bool query_unescape(struct rd text, uint8_t *dst, struct rd *out)
{
	uint8_t c, x, y, high, low;
	size_t n = 0;

	while (rd_u8(&text, &c)) {
		if (c == '%') {
			if (!rd_u8(&text, &x) || !rd_u8(&text, &y) || !hex(x, &high) || !hex(y, &low))
				return false;
			c = (uint8_t)(high << 4 | low);
		}
		dst[n++] = c;
	}
	*out = rd_of(dst, n);
	return true;
}

/* ---- object to query ---- */

static bool put_scalar(struct wr *w, const struct json *v)
{
	switch (v->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		query_put_escaped(w, v->text);
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		wr_str(w, v->type == JSON_TRUE ? "true" : "false");
		return true;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

/* [{"nm": "creator", "val": "Cx"}]: a condition each, on the resource, its child ("c.") or its parent ("p."). */
static bool put_attributes(struct wr *w, const char *whose, const struct json *list)
{
	for (const struct json *e = list->first; e; e = e->next) {
		const struct json *name = json_get(e, "nm"), *value = json_get(e, "val");

		if (!name || name->type != JSON_STRING || !value)
			return false;
		query_put_name(w, whose, name->text);
		if (!put_scalar(w, value))
			return false;
	}
	return true;
}

/* {"gmty": 1, "gsf": 1, "geom": "[1,2]"}: a parameter each. */
static bool put_geometry(struct wr *w, const struct json *query)
{
	for (const struct json *v = query->first; v; v = v->next) {
		query_put_name(w, "", v->key);
		if (v->type == JSON_ARRAY)
			query_put_escaped(w, v->source);
		else if (!put_scalar(w, v))
			return false;
	}
	return true;
}

static bool put_condition(struct wr *w, const struct json *v)
{
	if (rd_is(v->key, "atr") && v->type == JSON_ARRAY)
		return put_attributes(w, "", v);
	if (rd_is(v->key, "catr") && v->type == JSON_ARRAY)
		return put_attributes(w, "c.", v);
	if (rd_is(v->key, "patr") && v->type == JSON_ARRAY)
		return put_attributes(w, "p.", v);
	if (rd_is(v->key, "gq") && v->type == JSON_OBJECT)
		return put_geometry(w, v);
	query_put_name(w, "", v->key);
	if (v->type != JSON_ARRAY)
		return put_scalar(w, v);
	for (const struct json *e = v->first; e; e = e->next) {
		if (e != v->first)
			wr_u8(w, '+');
		if (!put_scalar(w, e))
			return false;
	}
	return true;
}

bool criteria_to_query(const struct json *fc, struct wr *w)
{
	if (fc->type != JSON_OBJECT)
		return false;
	for (const struct json *m = fc->first; m; m = m->next)
		if (!put_condition(w, m))
			return false;
	return true;
}

/* ---- query to object ---- */

enum kind { TEXT, NUMBER, TEXTS, NUMBERS, GEOMETRY, PARAMETER /* of the request, no criterion */ };

static const struct {
	const char *name;
	enum kind kind;
} known[] = {
	{"crb", TEXT}, {"cra", TEXT}, {"ms", TEXT}, {"us", TEXT}, {"exb", TEXT}, {"exa", TEXT}, {"sts", NUMBER}, {"stb", NUMBER}, {"sza", NUMBER}, {"szb", NUMBER},
	{"lbl", TEXTS}, {"clbl", TEXTS}, {"palb", TEXTS}, {"lbq", TEXT}, {"ty", NUMBERS}, {"chty", NUMBERS}, {"pty", NUMBERS}, {"cty", TEXTS}, {"smf", TEXTS},
	{"fu", NUMBER}, {"fo", NUMBER}, {"lim", NUMBER}, {"lvl", NUMBER}, {"ofst", NUMBER}, {"arp", TEXT}, {"cfs", NUMBER}, {"cfq", TEXT}, {"aq", TEXT}, {"ops", NUMBER},
	{"gmty", GEOMETRY}, {"gsf", GEOMETRY}, {"geom", GEOMETRY},
	{"rt", PARAMETER}, {"rp", PARAMETER}, {"rcn", PARAMETER}, {"da", PARAMETER}, {"drt", PARAMETER}, {"rids", PARAMETER}, {"tids", PARAMETER}, {"ltids", PARAMETER},
	{"tqi", PARAMETER}, {"asi", PARAMETER}, {"auri", PARAMETER}, {"op", PARAMETER}, {"gtm", PARAMETER}, {"sqi", PARAMETER}, {"atrl", PARAMETER},
};
#define KNOWN (sizeof known / sizeof known[0])

static size_t find(struct rd name)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (rd_is(name, known[i].name))
			return i;
	return KNOWN;
}

struct writing {
	struct json_out *o;
	uint8_t *room; /* as much as the query has */
};

static bool put(struct writing *w, const char *name, struct rd raw, bool as_number)
{
	struct rd text;
	uint64_t n;

	if (!query_unescape(raw, w->room, &text))
		return false;
	if (as_number && rd_decimal(text, &n))
		json_put_uint(w->o, name, n);
	else
		json_put_rd(w->o, name, text);
	return true;
}

static bool put_list(struct writing *w, struct rd raw, bool as_numbers)
{
	struct rd part;

	while (raw.left > 0) {
		if (!rd_until(&raw, '+', &part))
			part = rd_rest(&raw);
		if (!put(w, NULL, part, as_numbers))
			return false;
	}
	return true;
}

/* All that the query says under one name; of what is no list the first. */
static bool put_known(struct writing *w, struct rd query, size_t which)
{
	bool list = known[which].kind == TEXTS || known[which].kind == NUMBERS;
	bool numbers = known[which].kind == NUMBERS || known[which].kind == NUMBER || (known[which].kind == GEOMETRY && strcmp(known[which].name, "geom") != 0);
	struct rd name, value;

	if (list)
		json_array(w->o, known[which].name);
	while (query_next(&query, &name, &value)) {
		if (find(name) != which)
			continue;
		if (list ? !put_list(w, value, numbers) : !put(w, known[which].name, value, numbers))
			return false;
		if (!list)
			break;
	}
	if (list)
		json_close(w->o);
	return true;
}

static bool put_geometry_of(struct writing *w, struct rd query)
{
	bool ok = true;

	json_object(w->o, "gq");
	for (size_t i = 0; ok && i < KNOWN; i++)
		ok = known[i].kind != GEOMETRY || put_known(w, query, i);
	json_close(w->o);
	return ok;
}

/* "" for the resource itself, "c." and "p." */
static bool is_attribute_of(struct rd name, const char *whose)
{
	bool other = rd_starts(name, "c.") || rd_starts(name, "p.");

	return find(name) == KNOWN && (whose[0] ? rd_starts(name, whose) : !other);
}

static bool put_attributes_of(struct writing *w, struct rd query, const char *member, const char *whose)
{
	struct rd name, value;

	json_array(w->o, member);
	while (query_next(&query, &name, &value)) {
		if (!is_attribute_of(name, whose) || !rd_skip(&name, strlen(whose)))
			continue;
		json_object(w->o, NULL);
		if (!put(w, "nm", name, false) || !put(w, "val", value, false))
			return false;
		json_close(w->o);
	}
	json_close(w->o);
	return true;
}

struct presence {
	bool known[KNOWN], geometry, own, child, parent, any;
};

static struct presence look(struct rd query)
{
	struct presence p = {.any = false};
	struct rd name, value;

	while (query_next(&query, &name, &value)) {
		size_t i = find(name);

		if (i < KNOWN && known[i].kind == PARAMETER)
			continue;
		p.any = true;
		if (i < KNOWN && known[i].kind == GEOMETRY)
			p.geometry = true;
		else if (i < KNOWN)
			p.known[i] = true;
		else
			*(rd_starts(name, "c.") ? &p.child : rd_starts(name, "p.") ? &p.parent : &p.own) = true;
	}
	return p;
}

bool criteria_from_query(struct rd query, struct json_out *o)
{
	struct presence p = look(query);
	struct writing w = {o, NULL};
	bool ok = true;

	if (!p.any)
		return true;
	w.room = malloc(query.left);
	if (!w.room)
		abort();
	json_object(o, "fc");
	for (size_t i = 0; ok && i < KNOWN; i++)
		ok = !p.known[i] || put_known(&w, query, i);
	ok = ok && (!p.geometry || put_geometry_of(&w, query));
	ok = ok && (!p.own || put_attributes_of(&w, query, "atr", ""));
	ok = ok && (!p.child || put_attributes_of(&w, query, "catr", "c."));
	ok = ok && (!p.parent || put_attributes_of(&w, query, "patr", "p."));
	json_close(o);
	free(w.room);
	return ok;
}
