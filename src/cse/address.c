/* Addresses: absolute, SP-relative, CSE-relative; structured, unstructured, hybrid; virtual resources. TS-0001 clauses 7.2 and 9.3.1. */
#include <stdio.h>
#include <string.h>

#include "cse/private.h"

static bool segment(struct rd *path, struct rd *part)
{
	if (path->left == 0)
		return false;
	if (!rd_until(path, '/', part))
		*part = rd_rest(path);
	return true;
}

bool cse_is_local(const struct cse *c, struct rd to, struct rd *rest, char *other, size_t size)
{
	struct rd part;

	if (rd_starts(to, "//")) { /* //sp/cse-id/... */
		if (!rd_skip(&to, 2) || !segment(&to, &part) || !rd_is(part, c->config.sp)) {
			snprintf(other, size, "//%.*s", (int)part.left, (const char *)part.at);
			return false;
		}
	} else if (rd_starts(to, "/")) {
		if (!rd_skip(&to, 1))
			return false;
	} else {
		*rest = to;
		return true;
	}
	if (!segment(&to, &part))
		part = rd_of("", 0);
	snprintf(other, size, "/%.*s", (int)part.left, (const char *)part.at);
	*rest = to;
	return strcmp(other, c->config.id) == 0;
}

/* Virtual children, by the type that has them. */
static enum cse_virtual virtual_child(const struct resource *r, struct rd name)
{
	bool instances = r->type == TY_CONTAINER || r->type == TY_TIME_SERIES || r->type == TY_FLEX_CONTAINER;

	if (instances && rd_is(name, "la"))
		return VIRTUAL_LATEST;
	if (instances && rd_is(name, "ol"))
		return VIRTUAL_OLDEST;
	if (r->type == TY_GROUP && rd_is(name, "fopt"))
		return VIRTUAL_FAN_OUT;
	if (r->type == TY_GROUP && rd_is(name, "sfop"))
		return VIRTUAL_SEMANTIC_FAN_OUT;
	if (r->type == TY_POLLING_CHANNEL && rd_is(name, "pcu"))
		return VIRTUAL_POLLING_URI;
	if ((r->type == TY_SUBSCRIPTION || r->type == TY_CROSS_RESOURCE_SUBSCRIPTION) && rd_is(name, "ntsr"))
		return VIRTUAL_SELF_REFERENCE;
	if (r->type == TY_ONTOLOGY_REPOSITORY && rd_is(name, "smv"))
		return VIRTUAL_SEMANTIC_VALIDATION;
	return VIRTUAL_NONE;
}

static struct resource *first_of(struct cse *c, struct rd part)
{
	if (rd_is(part, c->config.name) || rd_is(part, "-"))
		return tree_by_id(c->tree, c->base_id);
	return tree_by_ri(c->tree, part);
}

struct resource *cse_find(struct cse *c, struct rd rest, enum cse_virtual *kind, struct rd *suffix)
{
	struct resource *r, *child;
	struct rd part;

	if (kind)
		*kind = VIRTUAL_NONE;
	if (suffix)
		*suffix = rd_of("", 0);
	if (!segment(&rest, &part))
		return tree_by_id(c->tree, c->base_id);
	r = first_of(c, part);
	while (r && segment(&rest, &part)) {
		enum cse_virtual v = kind ? virtual_child(r, part) : VIRTUAL_NONE;

		if (v == VIRTUAL_FAN_OUT || v == VIRTUAL_SEMANTIC_FAN_OUT) {
			*kind = v;
			if (suffix)
				*suffix = rest;
			return r;
		}
		if (v != VIRTUAL_NONE && rest.left == 0) {
			*kind = v;
			return r;
		}
		child = tree_child(c->tree, r, part);
		resource_unref(r);
		r = child;
	}
	return r;
}

struct resource *cse_apply_path(struct cse *c, struct resource *r, struct rd path)
{
	struct resource *at = resource_ref(r), *next;
	struct rd part;

	while (at && segment(&path, &part)) {
		if (rd_is(part, "la") || rd_is(part, "ol"))
			next = rd_is(part, "la") ? tree_latest(c->tree, at) : tree_oldest(c->tree, at);
		else
			next = tree_child(c->tree, at, part);
		resource_unref(at);
		at = next;
	}
	return at;
}

struct resource *cse_find_address(struct cse *c, struct rd address)
{
	char other[CSE_ID_MAX];
	struct rd rest;

	return cse_is_local(c, address, &rest, other, sizeof other) ? cse_find(c, rest, NULL, NULL) : NULL;
}

/* "first/rest"; false when it does not fit. */
static bool join(const char *first, struct rd rest, char *out, size_t size)
{
	struct wr w = wr_of(out, size - 1);

	wr_str(&w, first);
	wr_u8(&w, '/');
	wr_rd(&w, rest);
	out[w.len] = '\0';
	return !w.spoilt;
}

bool cse_sp_relative(const struct cse *c, struct rd id, char *out, size_t size)
{
	struct rd part;

	if (id.left == 0 || memchr(id.at, '\0', id.left))
		return false;
	if (rd_starts(id, "//")) {
		if (!rd_skip(&id, 2) || !rd_until(&id, '/', &part))
			return false;
		if (!rd_is(part, c->config.sp))
			return (size_t)snprintf(out, size, "//%.*s/%.*s", (int)part.left, (const char *)part.at, (int)id.left, (const char *)id.at) < size;
		return (size_t)snprintf(out, size, "/%.*s", (int)id.left, (const char *)id.at) < size;
	}
	if (id.at[0] == '/')
		return rd_text(id, out, size);
	return join(c->config.id, id, out, size);
}

const char *cse_relative(const struct cse *c, const char *id)
{
	size_t own = strlen(c->config.id);

	return strncmp(id, c->config.id, own) == 0 && id[own] == '/' ? id + own + 1 : id;
}

/* What stands before a CSE-relative address; *n octets. Who is elsewhere, or asks by way of another CSE, could not use less; nobody who addresses this
 * one in full needs less. */
static bool prefix(const struct exchange *x, char *out, size_t size, size_t *n)
{
	const char *id = x->cse->config.id;
	size_t own = strlen(id);
	bool local = strncmp(x->from, id, own) == 0 && (x->from[own] == '/' || x->from[own] == '\0'), full = (x->from[0] && !local) || rd_starts(x->rq->to, "/");

	*n = full ? own + 1 : 0;
	return !full || join(id, rd_of("", 0), out, size);
}

bool cse_address_for(struct exchange *x, struct resource *r, bool structured, char *out, size_t size)
{
	size_t n;

	if (!prefix(x, out, size, &n))
		return false;
	if (structured)
		return tree_path(x->cse->tree, r, out + n, size - n);
	return rd_text(rd_str(r->ri), out + n, size - n);
}

bool cse_address_below(struct exchange *x, const char *parent, const char *name, char *out, size_t size)
{
	size_t n;

	return prefix(x, out, size, &n) && join(parent, rd_str(name), out + n, size - n);
}

bool cse_reference_for(struct exchange *x, struct resource *r, char *out, size_t size)
{
	if (x->rq->drt != 2)
		return cse_address_for(x, r, true, out, size);
	return join(x->cse->config.id, rd_str(r->ri), out, size);
}

bool cse_is_below(struct cse *c, const struct resource *r, int64_t ancestor, unsigned *depth)
{
	struct resource *at = NULL, *above;
	int64_t parent = r->parent;
	unsigned n = 1;

	while (parent && parent != ancestor) {
		above = tree_by_id(c->tree, parent);
		resource_unref(at);
		at = above;
		parent = at ? at->parent : 0;
		n++;
	}
	resource_unref(at);
	*depth = n;
	return parent == ancestor && ancestor != 0;
}
