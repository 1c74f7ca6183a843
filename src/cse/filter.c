/* Filter criteria. */
#include "cse/filter.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/geo.h"
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

static bool add_types(struct parsing *p, const char *name, struct rd raw, int *list, size_t *count)
{
	struct rd part;
	uint64_t n;

	while (raw.left > 0) {
		if (!rd_until(&raw, '+', &part))
			part = rd_rest(&raw);
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
	static const char *const names[] = {"rt", "rp", "rcn", "da", "drt", "rids", "tids", "ltids", "tqi", "asi", "auri", "op", "gtm"};

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
	if (IS("cfs") || IS("cfq") || IS("lbq"))
		return true; /* content filters: applied by retrieve.c from the raw query */
#undef IS
	return add_attribute(p, name, value);
}

/* Lists may be given in several arguments too, attributes with several values. */
static bool may_repeat(struct rd name)
{
	static const char *const once[] = {"crb", "cra", "ms", "us", "exb", "exa", "sts", "stb", "sza", "szb", "smf", "fu", "fo", "lim", "lvl", "ofst", "arp", "gmty", "gsf",
		"geom", "rcn", "drt", "rt", "rp", "da", "tqi", "sqi"};

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
	return take_geometry(&p) ? OK : ERR_BAD_VALUE;
}

/* ---- matching ---- */

static int compare(struct rd a, struct rd b)
{
	size_t n = a.left < b.left ? a.left : b.left;
	int r = n ? memcmp(a.at, b.at, n) : 0;

	return r ? r : (a.left > b.left) - (a.left < b.left);
}

/* attribute < stamp, or > */
static bool before(struct resource *r, const char *name, struct rd stamp)
{
	struct rd value;

	return json_string(resource_get(r, name), &value) && compare(value, stamp) < 0;
}

static bool after(struct resource *r, const char *name, struct rd stamp)
{
	struct rd value;

	return json_string(resource_get(r, name), &value) && compare(value, stamp) >= 0;
}

static bool wild(const char *pattern, const char *text)
{
	return cse_pattern_matches(pattern, text);
}

static bool text_matches(struct rd pattern, struct rd text)
{
	char p[512], t[4096];

	if (!memchr(pattern.at, '*', pattern.left))
		return rd_equal(pattern, text);
	return rd_text(pattern, p, sizeof p) && rd_text(text, t, sizeof t) && wild(p, t);
}

static bool has_label(struct resource *r, const struct rd *labels, size_t count)
{
	const struct json *lbl = resource_get(r, "lbl");

	for (const struct json *l = lbl ? lbl->first : NULL; l; l = l->next)
		for (size_t i = 0; i < count; i++)
			if (l->type == JSON_STRING && labels[i].left > 0 && text_matches(labels[i], l->text))
				return true;
	return false;
}

static bool has_type(int type, const int *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

static bool value_matches(struct rd pattern, const struct json *v)
{
	if (!v)
		return false;
	switch (v->type) {
	case JSON_ARRAY:
		for (const struct json *e = v->first; e; e = e->next)
			if (value_matches(pattern, e))
				return true;
		return false;
	case JSON_STRING:
		return text_matches(pattern, v->text);
	case JSON_NUMBER:
		return text_matches(pattern, v->text);
	case JSON_TRUE:
		return rd_is(pattern, "true") || rd_is(pattern, "1");
	case JSON_FALSE:
		return rd_is(pattern, "false") || rd_is(pattern, "0");
	case JSON_NULL:
	case JSON_OBJECT:
		return rd_equal(pattern, v->source);
	}
	return false;
}

struct relative {
	const struct filter *f;
	const struct filter_attribute *attribute;
	bool found;
};

static bool child_attribute(void *ctx, struct resource *r)
{
	struct relative *s = ctx;
	char name[64];

	s->found = rd_text(s->attribute->name, name, sizeof name) && value_matches(s->attribute->value, resource_get(r, name));
	return !s->found;
}

static bool child_label(void *ctx, struct resource *r)
{
	struct relative *s = ctx;

	s->found = has_label(r, s->f->child_labels, s->f->child_label_count);
	return !s->found;
}

static bool child_type(void *ctx, struct resource *r)
{
	struct relative *s = ctx;

	s->found = has_type(r->type, s->f->child_types, s->f->child_type_count);
	return !s->found;
}

static bool any_child(struct cse *c, struct resource *r, struct relative *s, tree_each *fn)
{
	return tree_children(c->tree, r, 0, true, fn, s) == OK && s->found;
}

static bool attribute_matches(const struct filter *f, const struct filter_attribute *a, struct cse *c, struct resource *r)
{
	struct relative s = {f, a, false};
	struct resource *parent;
	char name[64];
	bool ok = false;

	if (!rd_text(a->name, name, sizeof name))
		return false;
	switch (a->whose) {
	case FILTER_OWN:
		return value_matches(a->value, resource_get(r, name));
	case FILTER_CHILD:
		return any_child(c, r, &s, child_attribute);
	case FILTER_PARENT:
		parent = tree_parent(c->tree, r);
		if (parent)
			ok = value_matches(a->value, resource_get(parent, name));
		resource_unref(parent);
		return ok;
	}
	return false;
}

static bool parent_matches(const struct filter *f, struct cse *c, struct resource *r, bool by_label)
{
	struct resource *parent = tree_parent(c->tree, r);
	bool ok = parent && (by_label ? has_label(parent, f->parent_labels, f->parent_label_count) : has_type(parent->type, f->parent_types, f->parent_type_count));

	resource_unref(parent);
	return ok;
}

static bool content_type_matches(const struct filter *f, struct resource *r)
{
	struct rd cnf;

	struct rd media;

	if (!json_string(resource_get(r, "cnf"), &cnf))
		return false;
	/* "text/plain:0" is of the type text/plain, too */
	media = cnf;
	if (!rd_until(&(struct rd){cnf.at, cnf.left}, ':', &media))
		media = cnf;
	for (size_t i = 0; i < f->content_type_count; i++)
		if (text_matches(f->content_types[i], cnf) || text_matches(f->content_types[i], media))
			return true;
	return false;
}

/* Counts conditions that hold and do not. */
struct tally {
	unsigned held, all;
};

static void condition(struct tally *t, bool given, bool held)
{
	t->all += given;
	t->held += given && held;
}


/* The given geometry stands in the given relation to the resource's location. */
static bool geo_matches(const struct filter *f, struct resource *r)
{
	const struct json *loc = resource_get(r, "loc");
	struct json_arena *arena;
	const struct geo *where;
	bool ok;

	if (!loc)
		return false;
	arena = json_arena_new();
	if (!arena)
		return false;
	where = geo_parse_object(arena, loc);
	ok = where && geo_relate(f->geometry, (enum geo_function)f->relation, where);
	json_arena_free(arena);
	return ok;
}

static void tally_times(const struct filter *f, struct resource *r, struct tally *t)
{
	condition(t, f->crb.left > 0, f->crb.left > 0 && before(r, "ct", f->crb));
	condition(t, f->cra.left > 0, f->cra.left > 0 && after(r, "ct", f->cra));
	condition(t, f->ms.left > 0, f->ms.left > 0 && after(r, "lt", f->ms));
	condition(t, f->us.left > 0, f->us.left > 0 && before(r, "lt", f->us));
	condition(t, f->exb.left > 0, f->exb.left > 0 && before(r, "et", f->exb));
	condition(t, f->exa.left > 0, f->exa.left > 0 && after(r, "et", f->exa));
}

static void tally_sizes(const struct filter *f, struct resource *r, struct tally *t)
{
	uint64_t n = 0;
	bool has;

	if (f->has_sts || f->has_stb) {
		has = json_uint(resource_get(r, "st"), &n);
		condition(t, f->has_sts, has && n < f->sts);
		condition(t, f->has_stb, has && n > f->stb);
	}
	if (f->has_sza || f->has_szb) {
		has = json_uint(resource_get(r, "cs"), &n);
		condition(t, f->has_sza, has && n >= f->sza);
		condition(t, f->has_szb, has && n < f->szb);
	}
}

bool filter_matches(const struct filter *f, struct cse *c, struct resource *r)
{
	struct tally t = {0, 0};
	struct relative s = {f, NULL, false};

	if (f->conditions == 0)
		return true;
	condition(&t, f->type_count > 0, has_type(r->type, f->types, f->type_count));
	if (t.all && !t.held && f->operation == 1)
		return false;
	if (f->label_count > 0)
		condition(&t, true, has_label(r, f->labels, f->label_count));
	tally_times(f, r, &t);
	tally_sizes(f, r, &t);
	if (f->content_type_count > 0)
		condition(&t, true, content_type_matches(f, r));
	for (size_t i = 0; i < f->attribute_count; i++)
		condition(&t, true, attribute_matches(f, &f->attributes[i], c, r));
	if (f->parent_type_count > 0)
		condition(&t, true, parent_matches(f, c, r, false));
	if (f->parent_label_count > 0)
		condition(&t, true, parent_matches(f, c, r, true));
	if (f->child_type_count > 0)
		condition(&t, true, any_child(c, r, &s, child_type));
	if (f->child_label_count > 0)
		condition(&t, true, any_child(c, r, &s, child_label));
	if (f->geometry)
		condition(&t, true, geo_matches(f, r));
	if (f->semantics.left > 0)
		condition(&t, true, filter_semantics_match(f, c, r));
	switch (f->operation) {
	case 2:
		return t.held > 0;
	case 3:
		return t.held == 1;
	default:
		return t.held == t.all;
	}
}
