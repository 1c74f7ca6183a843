/* Reading filter criteria. */
#include "cse/filter.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/content_query.h"
#include "cse/geo.h"
#include "cse/labels_query.h"
#include "cse/private.h"
#include "onem2m/schema_value.h"

#define ARGUMENTS_MOST 256

/* ---- the query's text ---- */

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

static bool decode(struct json_arena *a, struct rd in, struct rd *out)
{
	uint8_t *room, c, high, low;
	size_t n = 0;

	if (in.left == 0 || !memchr(in.at, '%', in.left)) {
		*out = in;
		return true;
	}
	room = json_arena_alloc(a, in.left + 1);
	if (!room)
		return false;
	while (rd_u8(&in, &c)) {
		if (c == '%') {
			uint8_t x, y;

			if (!rd_u8(&in, &x) || !rd_u8(&in, &y) || !hex(x, &high) || !hex(y, &low))
				return false;
			c = (uint8_t)(high << 4 | low);
		}
		room[n++] = c;
	}
	*out = rd_of(room, n);
	return true;
}

/* ---- one argument ---- */

struct parsing {
	struct filter *f;
	struct json_arena *arena;
	char *why;
	size_t size;
};

static bool wrong(struct parsing *p, const char *name, const char *what)
{
	snprintf(p->why, p->size, "`%s` in the query must be %s", name, what);
	return false;
}

/* Lists are joined by '+' in the raw text, so that an escaped %2B is no separator. */
static bool add_texts(struct parsing *p, const char *name, struct rd raw, struct rd *list, size_t *count)
{
	struct rd part;

	while (raw.left > 0) {
		if (!rd_until(&raw, '+', &part))
			part = rd_rest(&raw);
		if (*count == FILTER_LIST_MAX || !decode(p->arena, part, &list[(*count)]))
			return wrong(p, name, "a list of at most 32 values");
		++*count;
	}
	return true;
}

/* Numbers need no escape: however a client wrote the `+` between them, it is one. */
static bool add_types(struct parsing *p, const char *name, struct rd raw, int *list, size_t *count)
{
	struct rd all, part;
	uint64_t n;

	if (!decode(p->arena, raw, &all))
		return wrong(p, name, "a list of resource types");
	while (all.left > 0) {
		if (!rd_until(&all, '+', &part) && !rd_until(&all, ' ', &part))
			part = rd_rest(&all);
		if (*count == FILTER_LIST_MAX || !rd_decimal(part, &n) || n == 0 || n > 30000)
			return wrong(p, name, "a list of resource types");
		list[(*count)++] = (int)n;
	}
	return *count > 0 || wrong(p, name, "a list of resource types");
}

static bool number(struct parsing *p, const char *name, struct rd value, uint64_t *n, bool *has)
{
	if (!rd_decimal(value, n))
		return wrong(p, name, "a non-negative integer");
	if (has) {
		*has = true;
		p->f->conditions++;
	}
	return true;
}

/* A time; kept as text, since time stamps sort as text. */
static bool time_of(struct parsing *p, const char *name, struct rd value, struct rd *stamp)
{
	uint64_t ms;

	if (!timestamp_parse(value, &ms))
		return wrong(p, name, "a time stamp such as 20261121T120000");
	*stamp = value;
	p->f->conditions++;
	return true;
}

static bool one_of(struct parsing *p, const char *name, struct rd value, uint64_t most, int *n)
{
	uint64_t v;

	if (!rd_decimal(value, &v) || v == 0 || v > most)
		return wrong(p, name, "one of its enumeration");
	*n = (int)v;
	return true;
}

/* Handled elsewhere: by the binding or by the dispatcher. */
static bool is_request_parameter(struct rd name)
{
	static const char *const names[] = {"rt", "rp", "rcn", "da", "drt", "rids", "tids", "ltids", "tqi", "asi", "auri", "op"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (rd_is(name, names[i]))
			return true;
	return false;
}

static bool add_attribute(struct parsing *p, struct rd name, struct rd value)
{
	struct filter *f = p->f;
	struct filter_attribute *a = &f->attributes[f->attribute_count];

	if (f->attribute_count == FILTER_LIST_MAX)
		return wrong(p, "attribute", "given at most 32 times");
	a->whose = rd_starts(name, "c.") ? FILTER_CHILD : rd_starts(name, "p.") ? FILTER_PARENT : FILTER_OWN;
	if (a->whose != FILTER_OWN && !rd_skip(&name, 2))
		return false;
	a->custom = !schema_is_attribute_name(name);
	if (a->custom && !value_is_ncname(name)) {
		snprintf(p->why, p->size, "`%.*s` in the query is neither a request parameter nor an attribute", (int)(name.left < 64 ? name.left : 64),
		    (const char *)name.at);
		return false;
	}
	a->name = name;
	a->value = value;
	f->attribute_count++;
	f->conditions++;
	return true;
}

/* No list: '+' is a space, as forms write it. */
static bool with_spaces(struct json_arena *a, struct rd raw, struct rd *text)
{
	uint8_t *room = json_arena_alloc(a, raw.left + 1), c;
	size_t n = 0;

	if (!room)
		return false;
	while (rd_u8(&raw, &c))
		room[n++] = c == '+' ? ' ' : c;
	return decode(a, rd_of(room, n), text);
}

static bool take_labels_query(struct parsing *p, struct rd raw)
{
	const char *why = "text";
	struct rd text;

	if (with_spaces(p->arena, raw, &text))
		p->f->labels_query = labels_query_parse(p->arena, text, &why);
	if (!p->f->labels_query)
		snprintf(p->why, p->size, "`lbq` in the query must have %s", why);
	p->f->conditions++;
	return p->f->labels_query != NULL;
}

/* cfs says what language cfq is in; there is one. TS-0004 clause 7.3.3.17.13. */
static bool take_content_query(struct parsing *p)
{
	struct filter *f = p->f;
	const char *why;

	if (f->content_syntax == 0 && f->content_text.left == 0)
		return true;
	if (f->content_text.left == 0) {
		snprintf(p->why, p->size, "`cfs` in the query needs `cfq`");
		return false;
	}
	f->content = content_query_parse(p->arena, f->content_text, &why);
	if (!f->content)
		snprintf(p->why, p->size, "`cfq` in the query must have %s", why);
	f->conditions++;
	return f->content != NULL;
}

static bool argument(struct parsing *p, struct rd name, struct rd raw, struct rd value)
{
	struct filter *f = p->f;
	int n;

#define IS(text) rd_is(name, text)
	if (is_request_parameter(name))
		return true;
	if (IS("crb"))
		return time_of(p, "crb", value, &f->crb);
	if (IS("cra"))
		return time_of(p, "cra", value, &f->cra);
	if (IS("ms"))
		return time_of(p, "ms", value, &f->ms);
	if (IS("us"))
		return time_of(p, "us", value, &f->us);
	if (IS("exb"))
		return time_of(p, "exb", value, &f->exb);
	if (IS("exa"))
		return time_of(p, "exa", value, &f->exa);
	if (IS("sts"))
		return number(p, "sts", value, &f->sts, &f->has_sts);
	if (IS("stb"))
		return number(p, "stb", value, &f->stb, &f->has_stb);
	if (IS("sza"))
		return number(p, "sza", value, &f->sza, &f->has_sza);
	if (IS("szb"))
		return number(p, "szb", value, &f->szb, &f->has_szb);
	if (IS("lbl"))
		return f->conditions++, add_texts(p, "lbl", raw, f->labels, &f->label_count);
	if (IS("clbl"))
		return f->conditions++, add_texts(p, "clbl", raw, f->child_labels, &f->child_label_count);
	if (IS("palb"))
		return f->conditions++, add_texts(p, "palb", raw, f->parent_labels, &f->parent_label_count);
	if (IS("cty"))
		return f->conditions++, add_texts(p, "cty", raw, f->content_types, &f->content_type_count);
	if (IS("ty"))
		return f->conditions++, add_types(p, "ty", raw, f->types, &f->type_count);
	if (IS("chty"))
		return f->conditions++, add_types(p, "chty", raw, f->child_types, &f->child_type_count);
	if (IS("pty"))
		return f->conditions++, add_types(p, "pty", raw, f->parent_types, &f->parent_type_count);
	if (IS("smf"))
		return f->conditions++, f->semantics = value, true;
	if (IS("sqi")) {
		f->semantic_query = rd_is(value, "true") || rd_is(value, "1");
		return f->semantic_query || rd_is(value, "false") || rd_is(value, "0") || wrong(p, "sqi", "true or false");
	}
	if (IS("gmty"))
		return f->conditions++, f->geo_type = value, true;
	if (IS("gsf"))
		return f->geo_function = value, true;
	if (IS("geom"))
		return f->geo_coordinates = value, true;
	if (IS("fu")) {
		if (!one_of(p, "fu", value, 3, &n))
			return false;
		f->usage = (enum filter_usage)n;
		return true;
	}
	if (IS("fo"))
		return one_of(p, "fo", value, 3, &f->operation);
	if (IS("lim"))
		return number(p, "lim", value, &f->limit, NULL) && (f->limit > 0 || wrong(p, "lim", "at least 1"));
	if (IS("lvl"))
		return number(p, "lvl", value, &f->level, NULL) && (f->level > 0 || wrong(p, "lvl", "at least 1"));
	if (IS("ofst"))
		return number(p, "ofst", value, &f->offset, NULL);
	if (IS("arp"))
		return f->apply_relative_path = value, true;
	if (IS("atrl"))
		return add_texts(p, "atrl", raw, f->attribute_list, &f->attribute_list_count);
	if (IS("gtm"))
		return add_texts(p, "gtm", raw, f->target_members, &f->target_member_count);
	if (IS("cfs"))
		return one_of(p, "cfs", value, 1, &f->content_syntax);
	if (IS("cfq"))
		return with_spaces(p->arena, raw, &f->content_text) || wrong(p, "cfq", "text");
	if (IS("lbq"))
		return take_labels_query(p, raw);
#undef IS
	return add_attribute(p, name, value);
}

/* Lists may be given in several arguments too, attributes with several values. */
static bool may_repeat(struct rd name)
{
	static const char *const once[] = {"crb", "cra", "ms", "us", "exb", "exa", "sts", "stb", "sza", "szb", "smf", "fu", "fo", "lim", "lvl", "ofst", "arp", "gmty", "gsf",
		"geom", "rcn", "drt", "rt", "rp", "da", "tqi", "sqi", "cfs", "cfq", "lbq"};

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
		if (rd_is(name, once[i]))
			return false;
	return true;
}

/* gmty, gsf and geom go together. */
static bool take_geometry(struct parsing *p)
{
	struct filter *f = p->f;
	int type;

	if (f->geo_type.left == 0 && f->geo_function.left == 0 && f->geo_coordinates.left == 0)
		return true;
	if (f->geo_type.left == 0 || f->geo_function.left == 0 || f->geo_coordinates.left == 0) {
		snprintf(p->why, p->size, "`gmty`, `gsf` and `geom` in the query go together");
		return false;
	}
	if (!one_of(p, "gmty", f->geo_type, GEO_POLYGONS, &type) || !one_of(p, "gsf", f->geo_function, GEO_INTERSECTS, &f->relation))
		return false;
	f->geometry = geo_parse(p->arena, (enum geo_type)type, f->geo_coordinates);
	return f->geometry || wrong(p, "geom", "the coordinates of a geometry of type gmty");
}

enum err filter_parse(struct filter *f, struct json_arena *a, struct rd query, char *why, size_t size)
{
	struct parsing p = {f, a, why, size};
	struct rd pair, raw, name, value, seen[ARGUMENTS_MOST];
	size_t count = 0;

	memset(f, 0, offsetof(struct filter, labels));
	f->operation = 1;
	while (query.left > 0) {
		if (!rd_until(&query, '&', &pair))
			pair = rd_rest(&query);
		if (pair.left == 0)
			continue;
		if (!rd_until(&pair, '=', &raw)) {
			raw = pair;
			pair = rd_of("", 0);
		}
		if (!decode(a, raw, &name) || !decode(a, pair, &value)) {
			snprintf(why, size, "a percent escape in the query is malformed");
			return ERR_BAD_VALUE;
		}
		if (count == ARGUMENTS_MOST) {
			snprintf(why, size, "the query has more than %d arguments", ARGUMENTS_MOST);
			return ERR_BAD_VALUE;
		}
		for (size_t i = 0; i < count; i++) {
			if (!rd_equal(seen[i], name) || may_repeat(name))
				continue;
			snprintf(why, size, "`%.*s` is in the query twice", (int)(name.left < 64 ? name.left : 64), (const char *)name.at);
			return ERR_BAD_VALUE;
		}
		seen[count++] = name;
		if (!argument(&p, name, pair, value))
			return ERR_BAD_VALUE;
	}
	return take_geometry(&p) && take_content_query(&p) ? OK : ERR_BAD_VALUE;
}
