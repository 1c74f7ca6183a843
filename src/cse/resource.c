/* One resource: its text, its parsed attributes, its counters. */
#include <stdlib.h>
#include <string.h>

#include "cse/tree_private.h"
#include "onem2m/timestamp.h"

#define RESOURCE_TEXT_MAX (4 * 1024 * 1024)
#define NODE_OVERHEAD 64 /* three buckets, and what malloc adds */

struct node {
	struct resource r;
	struct resource_private p;
	char text[];
};

struct resource *resource_ref(struct resource *r)
{
	r->p->refs++;
	return r;
}

static bool is_counter(struct rd name)
{
	return rd_is(name, "cni") || rd_is(name, "cbs") || rd_is(name, "st") || rd_is(name, "lt");
}

static void forget_text(struct resource *r)
{
	json_arena_free(r->p->arena);
	r->p->arena = NULL;
	r->p->attributes = NULL;
	r->p->composed_is_good = false;
}

void resource_unref(struct resource *r)
{
	if (!r || --r->p->refs > 0)
		return;
	forget_text(r);
	json_arena_free(r->p->base_arena);
	wr_free(&r->p->composed);
	free(r->p->subscriptions);
	resource_unref(r->p->latest);
	free(r);
}

void resource_put_counters(const struct resource *r, struct json_out *o)
{
	const struct counters *c = &r->counters;
	char stamp[TIMESTAMP_SIZE];

	json_put_uint(o, "cni", c->instances);
	json_put_uint(o, "cbs", c->octets);
	if (c->has_state_tag)
		json_put_uint(o, "st", c->state_tag);
	timestamp_print_precise(stamp, c->modified_ms);
	json_put_string(o, "lt", stamp);
}

struct rd resource_text(struct resource *r)
{
	struct resource_private *p = r->p;
	struct rd inside = p->base;
	struct json_out o;

	if (!r->counters.used)
		return p->base;
	if (!p->composed_is_good) {
		forget_text(r);
		wr_reset(&p->composed);
		o = json_out(&p->composed);
		json_object(&o, NULL);
		/* the base is an object that json_out wrote: its members are what is between the braces */
		inside = rd_of(p->base.at + 1, p->base.left - 2);
		if (inside.left > 0) {
			wr_rd(&p->composed, inside);
			o.comma = true;
		}
		resource_put_counters(r, &o);
		json_close(&o);
		p->composed_is_good = true;
		tree_charge(r);
	}
	return rd_of(p->composed.octets, p->composed.len);
}

const struct json *resource_attributes(struct resource *r)
{
	struct rd text = resource_text(r);

	if (!r->p->attributes) {
		r->p->arena = json_arena_for(text);
		if (!r->p->arena || json_parse(r->p->arena, text, NULL, &r->p->attributes) != OK)
			r->p->attributes = NULL;
		tree_charge(r);
	}
	return r->p->attributes;
}

/* The base stays as it is while the counters change: its parse is kept. */
static const struct json *base_attributes(struct resource *r)
{
	if (!r->p->base_attributes) {
		r->p->base_arena = json_arena_for(r->p->base);
		if (!r->p->base_arena || json_parse(r->p->base_arena, r->p->base, NULL, &r->p->base_attributes) != OK)
			r->p->base_attributes = NULL;
		tree_charge(r);
	}
	return r->p->base_attributes;
}

const struct json *resource_get(struct resource *r, const char *name)
{
	struct rd wanted = rd_str(name);

	return json_member(r->counters.used && !is_counter(wanted) ? base_attributes(r) : resource_attributes(r), wanted);
}

bool resource_is(struct resource *r, const char *name, const char *value)
{
	return json_is_string(resource_get(r, name), value);
}

uint64_t resource_uint(struct resource *r, const char *name, uint64_t otherwise)
{
	uint64_t n;

	return json_uint(resource_get(r, name), &n) ? n : otherwise;
}

bool resource_bool(struct resource *r, const char *name, bool otherwise)
{
	bool b;

	return json_bool(resource_get(r, name), &b) ? b : otherwise;
}

const struct limits *resource_limits(struct resource *r)
{
	struct resource_private *p = r->p;

	if (!p->limits_known)
		p->limits = (struct limits){resource_uint(r, "mni", UINT64_MAX), resource_uint(r, "mbs", UINT64_MAX), resource_uint(r, "mia", UINT64_MAX)};
	p->limits_known = true;
	return &p->limits;
}

/* ---- making ---- */

static const char *keep(char **at, struct rd text)
{
	char *start = *at;

	memcpy(start, text.at ? text.at : (const uint8_t *)"", text.left);
	start[text.left] = '\0';
	*at += text.left + 1;
	return start;
}

static struct resource *allocate(struct tree *t, struct rd ri, struct rd rn, const char *root, const char *creator, struct rd text)
{
	size_t size = ri.left + rn.left + strlen(root) + strlen(creator) + text.left + 5;
	struct node *n = malloc(sizeof *n + size);
	char *at;

	if (!n)
		abort();
	memset(n, 0, sizeof *n);
	at = n->text;
	n->r.p = &n->p;
	n->r.ri = keep(&at, ri);
	n->r.rn = keep(&at, rn);
	n->r.root = keep(&at, rd_str(root));
	n->r.creator = keep(&at, rd_str(creator));
	n->p.base = rd_of(keep(&at, text), text.left);
	n->p.tree = t;
	n->p.refs = 1;
	n->p.own = n->p.octets = sizeof *n + size + NODE_OVERHEAD;
	n->p.composed = wr_new(RESOURCE_TEXT_MAX);
	return &n->r;
}

static const struct schema_type *schema_of(int type, const char *root)
{
	bool specialised = type == TY_FLEX_CONTAINER || type == TY_MGMT_OBJ || type == TY_MGMT_OBJ + TY_ANNOUNCED;
	const struct schema_type *t = specialised ? schema_by_root(rd_str(root)) : NULL;

	return t && t->ty == type ? t : schema_type(type);
}

static bool counts_instances(int type)
{
	return type == TY_CONTAINER || type == TY_TIME_SERIES;
}

/* Takes the counters out of a stored text. */
static bool split(struct rd text, struct wr *base, struct counters *c)
{
	struct json_arena *a = json_arena_new();
	struct json_out o = json_out(base);
	const struct json *doc;
	struct rd stamp;
	bool ok = a && json_parse(a, text, NULL, &doc) == OK;

	if (ok) {
		c->used = true;
		if (!json_uint(json_get(doc, "cni"), &c->instances))
			c->instances = 0;
		if (!json_uint(json_get(doc, "cbs"), &c->octets))
			c->octets = 0;
		c->has_state_tag = json_uint(json_get(doc, "st"), &c->state_tag);
		if (!json_string(json_get(doc, "lt"), &stamp) || !timestamp_parse(stamp, &c->modified_ms))
			c->modified_ms = 0;
		json_object(&o, NULL);
		for (const struct json *m = doc->first; m; m = m->next) {
			char name[128];

			if (!is_counter(m->key) && rd_text(m->key, name, sizeof name))
				json_put(&o, name, m);
		}
		json_close(&o);
	}
	json_arena_free(a);
	return ok;
}

struct resource *tree_make(struct tree *t, const struct store_row *row)
{
	struct counters counters = {.used = false};
	struct wr base = wr_new(RESOURCE_TEXT_MAX);
	struct rd text = row->body;
	struct resource *r;
	const char *ri = row->ri;
	char derived[64];

	if (!ri) {
		tree_ri(derived, sizeof derived, row->type, row->parent, row->id, row->instance);
		ri = derived;
	}
	if (counts_instances(row->type) && split(row->body, &base, &counters))
		text = rd_of(base.octets, base.len);
	r = allocate(t, rd_str(ri), rd_str(row->rn ? row->rn : ri), row->root, row->creator, text);
	wr_free(&base);
	r->p->own_ri = row->ri != NULL;
	r->p->own_rn = row->rn != NULL;
	r->id = row->id;
	r->parent = row->parent;
	r->type = row->type;
	r->instance = row->instance;
	r->expires = row->expires;
	r->counters = counters;
	r->schema = schema_of(r->type, r->root);
	return r;
}

struct resource *tree_from_new(struct tree *t, const struct resource_new *n)
{
	struct resource *r = allocate(t, rd_str(n->ri), rd_str(n->rn), n->root, n->creator, n->text);

	r->p->own_ri = n->own_ri;
	r->p->own_rn = n->own_rn;
	r->id = n->id;
	r->parent = n->parent ? n->parent->id : 0;
	r->type = n->type;
	r->instance = n->instance;
	r->expires = n->expires;
	r->counters = n->counters;
	r->schema = schema_of(r->type, r->root);
	return r;
}

struct store_row tree_row(struct resource *r)
{
	const struct store_row row = {
		.id = r->id,
		.parent = r->parent,
		.type = r->type,
		.instance = r->instance,
		.ri = r->p->own_ri ? r->ri : NULL,
		.rn = r->p->own_rn ? r->rn : NULL,
		.root = r->root,
		.creator = r->creator,
		.expires = r->expires,
		.body = resource_text(r),
	};

	return row;
}
