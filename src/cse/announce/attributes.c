/* What an announced resource says: MA attributes, OA ones that announcedAttribute names, and the link. TS-0001 clause 9.6.26.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/announce/announce.h"

bool announce_is_s_type(struct resource *r)
{
	return r->type == TY_AE && r->ri[0] == 'S' && !resource_bool(r, "trps", false);
}

static bool list_has(const struct json *list, struct rd name)
{
	for (const struct json *e = list && list->type == JSON_ARRAY ? list->first : NULL; e; e = e->next)
		if (e->type == JSON_STRING && rd_equal(e->text, name))
			return true;
	return false;
}

bool announce_says(const struct schema_type *t, const struct json *aa, struct rd name)
{
	const struct schema_attribute *a = schema_attribute(t, name);

	if (!a)
		return t->custom && list_has(aa, name);
	return a->announce == SCHEMA_MA || (a->announce == SCHEMA_OA && list_has(aa, name));
}

bool announce_root(const struct resource *r, char *root, size_t size)
{
	/* specialisations of flexContainer are TS-0023's, whose announced ones end so */
	return (size_t)snprintf(root, size, "%s%s", r->root, r->type == TY_FLEX_CONTAINER ? "Annc" : "A") < size;
}

bool announce_csi(struct rd entry, char *csi, size_t size)
{
	struct rd name;

	if (!rd_starts(entry, "/") || !rd_skip(&entry, 1))
		return false;
	if (!rd_until(&entry, '/', &name))
		name = entry;
	return name.left > 0 && (size_t)snprintf(csi, size, "/%.*s", (int)name.left, (const char *)name.at) < size;
}

void announce_entry(struct resource *r, const char *csi, char *entry, size_t size)
{
	const struct json *at = resource_get(r, "at");
	char its[CSE_ID_MAX];

	entry[0] = '\0';
	for (const struct json *e = at ? at->first : NULL; e; e = e->next)
		if (e->type == JSON_STRING && announce_csi(e->text, its, sizeof its) && strcmp(its, csi) == 0 && rd_text(e->text, entry, size))
			return;
}

/* ---- identifiers mean something else at another CSE ---- */

/* Attributes that hold addresses of resources; other URIs name ontologies, definitions, points of access. */
static bool holds_addresses(const struct schema_attribute *a, struct rd name)
{
	static const char *const names[] = {"acpi", "daci", "nl", "mid", "macp", "hsl", "hael"};
	const struct schema_datatype *t = a ? a->type : NULL;

	if (t && t->kind == SCHEMA_LIST)
		t = t->item;
	if (t && t->kind == SCHEMA_ID)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (rd_is(name, names[i]))
			return true;
	return false;
}

static void put_address(struct cse *c, const struct json *v, struct json_out *o, const char *name)
{
	char absolute[CSE_PATH_MAX];

	if (v->type == JSON_STRING && cse_sp_relative(c, v->text, absolute, sizeof absolute))
		json_put_string(o, name, absolute);
	else
		json_put(o, name, v);
}

static void put_addresses(struct cse *c, const struct json *v, struct json_out *o, const char *name)
{
	if (v->type != JSON_ARRAY) {
		put_address(c, v, o, name);
		return;
	}
	json_array(o, name);
	for (const struct json *e = v->first; e; e = e->next)
		put_address(c, e, o, NULL);
	json_close(o);
}

/* pv, pvs: whom a policy names at this CSE it means there too. Patterns are left as they are. */
static void put_rule(struct cse *c, const struct json *rule, struct json_out *o)
{
	char name[128];

	json_object(o, NULL);
	for (const struct json *m = rule->first; m; m = m->next) {
		if (!rd_text(m->key, name, sizeof name))
			continue;
		if (strcmp(name, "acor") != 0 || m->type != JSON_ARRAY) {
			json_put(o, name, m);
			continue;
		}
		json_array(o, name);
		for (const struct json *e = m->first; e; e = e->next) {
			if (json_is_string(e, "all") || (e->type == JSON_STRING && memchr(e->text.at, '*', e->text.left)))
				json_put(o, NULL, e);
			else
				put_address(c, e, o, NULL);
		}
		json_close(o);
	}
	json_close(o);
}

static void put_privileges(struct cse *c, const struct json *v, struct json_out *o, const char *name)
{
	const struct json *rules = json_get(v, "acr");

	json_object(o, name);
	json_array(o, "acr");
	for (const struct json *r = rules ? rules->first : NULL; r; r = r->next)
		put_rule(c, r, o);
	json_close(o);
	json_close(o);
}

/* ---- the whole ---- */

/* The double of an S-type AE has its AE-ID, which is the same everywhere. */
static bool is_s_type_id(const struct resource *r, struct rd name)
{
	return r->type == TY_AE && r->ri[0] == 'S' && rd_is(name, "aei");
}

static void put_attribute(struct cse *c, struct resource *r, const struct json *v, struct json_out *o, const char *name)
{
	if (r->type == TY_ACP && (strcmp(name, "pv") == 0 || strcmp(name, "pvs") == 0))
		put_privileges(c, v, o, name);
	else if (!is_s_type_id(r, v->key) && holds_addresses(schema_attribute(r->schema, v->key), v->key))
		put_addresses(c, v, o, name);
	else
		json_put(o, name, v);
}

/* Of the double: what an UPDATE may not carry is the same as at its creation. */
static bool may_be_sent(const struct resource *r, struct rd name, bool create)
{
	const struct schema_type *t = schema_type(r->type + TY_ANNOUNCED);
	const struct schema_attribute *a;

	if (r->type == TY_MGMT_OBJ) {
		char root[128];

		t = announce_root(r, root, sizeof root) ? schema_by_root(rd_str(root)) : NULL;
	}
	a = t ? schema_attribute(t, name) : NULL;
	if (!a)
		return t && t->custom;
	return (create ? a->create : a->update) != SCHEMA_NP;
}

static void put_gone(struct resource *r, const char *gone, struct json_out *o)
{
	struct rd rest = rd_str(gone ? gone : ""), part;
	char name[128];

	while (rest.left > 0) {
		if (!rd_until(&rest, ' ', &part))
			part = rd_rest(&rest);
		if (rd_text(part, name, sizeof name) && may_be_sent(r, part, false) &&
		    !(announce_says(r->schema, resource_get(r, "aa"), part) && resource_get(r, name)))
			json_put_null(o, name);
	}
}

bool announce_compose(struct cse *c, struct resource *r, const char *name_there, bool create, const char *gone, struct wr *w)
{
	const struct json *all = resource_attributes(r), *aa = resource_get(r, "aa");
	struct json_out o = json_out(w);
	char root[128], name[128], link[CSE_ID_MAX * 2];

	if (!all || !r->schema || !announce_root(r, root, sizeof root))
		return false;
	json_object(&o, NULL);
	json_object(&o, root);
	for (const struct json *m = all->first; m; m = m->next)
		if ((announce_says(r->schema, aa, m->key) || is_s_type_id(r, m->key)) && may_be_sent(r, m->key, create) && rd_text(m->key, name, sizeof name))
			put_attribute(c, r, m, &o, name);
	if (create && name_there)
		json_put_string(&o, "rn", name_there);
	if (create || name_there) {
		snprintf(link, sizeof link, "%s/%s", c->config.id, r->ri);
		json_put_string(&o, "lnk", link);
	}
	if (!create)
		put_gone(r, gone, &o);
	json_close(&o);
	json_close(&o);
	return !w->spoilt;
}
