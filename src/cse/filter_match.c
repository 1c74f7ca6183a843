/* Matching resources against filter criteria. */
#include "cse/filter.h"

#include <string.h>

#include "base/bytes.h"
#include "cse/content_query.h"
#include "cse/geo.h"
#include "cse/labels_query.h"
#include "cse/private.h"

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

/* "application/json:0", "application/senml+json:1:0"; encoded: in base64 (m2m:encodingType 1). */
static bool is_json(struct resource *r, bool *encoded)
{
	struct rd cnf, media, tail;

	*encoded = false;
	if (!json_string(resource_get(r, "cnf"), &cnf))
		return false;
	if (rd_until(&cnf, ':', &media))
		*encoded = rd_starts(cnf, "1");
	else
		media = cnf;
	tail = media;
	return rd_is(media, "application/json") || rd_is(media, "text/json") || (media.left > 5 && rd_skip(&tail, media.left - 5) && rd_is(tail, "+json"));
}

static bool text_content_matches(const struct filter *f, struct json_arena *arena, struct rd text, bool encoded)
{
	const struct json *content;
	struct wr w = wr_new(text.left + 1);
	struct rd octets = text;
	bool ok = !encoded || (base64_parse(text, &w) && wr_done(&w, &octets));

	ok = ok && json_parse(arena, octets, NULL, &content) == OK && content_query_matches(f->content, content);
	wr_free(&w);
	return ok;
}

/* TS-0001 annex J.2: of instances whose content is JSON, which their cnf says. */
static bool content_matches(const struct filter *f, struct resource *r)
{
	const struct json *con = r->type == TY_CONTENT_INSTANCE ? resource_get(r, "con") : NULL;
	struct json_arena *arena;
	bool encoded, ok;

	if (!con || !is_json(r, &encoded))
		return false;
	if (con->type != JSON_STRING)
		return content_query_matches(f->content, con);
	arena = json_arena_new();
	ok = arena && text_content_matches(f, arena, con->text, encoded);
	json_arena_free(arena);
	return ok;
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
	if (f->labels_query)
		condition(&t, true, labels_query_matches(f->labels_query, resource_get(r, "lbl")));
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
	if (f->content)
		condition(&t, true, content_matches(f, r));
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

bool filter_may_match_instances(const struct filter *f)
{
	if (f->operation != 1 || f->type_count == 0)
		return true;
	for (size_t i = 0; i < f->type_count; i++)
		if (f->types[i] == TY_CONTENT_INSTANCE || f->types[i] == TY_TIME_SERIES_INSTANCE || f->types[i] == TY_FLEX_CONTAINER_INSTANCE)
			return true;
	return false;
}
