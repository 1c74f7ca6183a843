/* RETRIEVE and discovery: TS-0004 clauses 7.2.2.2 and 7.3.3.17. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cse/private.h"

#define DISCOVERY_LIMIT 1000
#define DISCOVERY_DEPTH 64
#define CONDITIONS_MAX 16

struct condition {
	struct rd values; /* joined by '+' */
};

struct discovery {
	struct exchange *x;
	struct condition labels[CONDITIONS_MAX], types[CONDITIONS_MAX];
	size_t label_count, type_count;
	struct rd created_after, created_before, name;
	bool any;               /* fo=2: one condition is enough */
	uint64_t limit, offset, level;
	uint64_t seen, found;
	bool unstructured, more;
	struct json_out *o;
};

static void uint_argument(struct rd value, uint64_t *n)
{
	uint64_t parsed;

	if (rd_decimal(value, &parsed))
		*n = parsed;
}

static bool parse(struct discovery *d)
{
	struct query q = {d->x->rq->filter};
	struct rd name, value;
	uint64_t operation = 1;

	while (query_next(d->x->arena, &q, &name, &value)) {
		if (rd_is(name, "lbl") && d->label_count < CONDITIONS_MAX)
			d->labels[d->label_count++].values = value;
		else if (rd_is(name, "ty") && d->type_count < CONDITIONS_MAX)
			d->types[d->type_count++].values = value;
		else if (rd_is(name, "cra"))
			d->created_after = value;
		else if (rd_is(name, "crb"))
			d->created_before = value;
		else if (rd_is(name, "rn"))
			d->name = value;
		else if (rd_is(name, "lim"))
			uint_argument(value, &d->limit);
		else if (rd_is(name, "ofst"))
			uint_argument(value, &d->offset);
		else if (rd_is(name, "lvl"))
			uint_argument(value, &d->level);
		else if (rd_is(name, "fo"))
			uint_argument(value, &operation);
		else if (rd_is(name, "drt"))
			d->unstructured = rd_is(value, "2");
	}
	d->any = operation == 2;
	if (d->limit == 0 || d->limit > DISCOVERY_LIMIT)
		d->limit = DISCOVERY_LIMIT;
	return operation == 1 || operation == 2;
}

static bool type_matches(const struct discovery *d, int type)
{
	for (size_t i = 0; i < d->type_count; i++) {
		struct rd list = d->types[i].values, part;
		uint64_t n;

		while (list.left > 0) {
			if (!rd_until(&list, '+', &part))
				part = rd_rest(&list);
			if (rd_decimal(part, &n) && n == (uint64_t)type)
				return true;
		}
	}
	return false;
}

static bool has_label(const struct json *labels, struct rd wanted)
{
	for (const struct json *l = labels ? labels->first : NULL; l; l = l->next)
		if (l->type == JSON_STRING && rd_equal(l->text, wanted))
			return true;
	return false;
}

static bool label_matches(const struct discovery *d, const struct json *labels)
{
	for (size_t i = 0; i < d->label_count; i++) {
		struct rd list = d->labels[i].values, part;

		while (list.left > 0) {
			if (!rd_until(&list, '+', &part))
				part = rd_rest(&list);
			if (has_label(labels, part))
				return true;
		}
	}
	return false;
}

static int compare(struct rd a, struct rd b)
{
	size_t n = a.left < b.left ? a.left : b.left;
	int r = n ? memcmp(a.at, b.at, n) : 0;

	return r ? r : (a.left > b.left) - (a.left < b.left);
}

static bool matches(const struct discovery *d, const struct store_row *row, const struct json *body)
{
	struct rd created = rd_of("", 0), rn = rd_str(row->rn);
	bool results[5];
	size_t n = 0;

	if (!json_string(json_get(body, "ct"), &created))
		created = rd_of("", 0);
	if (d->type_count)
		results[n++] = type_matches(d, row->type);
	if (d->label_count)
		results[n++] = label_matches(d, json_get(body, "lbl"));
	if (d->created_after.left)
		results[n++] = compare(created, d->created_after) > 0;
	if (d->created_before.left)
		results[n++] = compare(created, d->created_before) < 0;
	if (d->name.left)
		results[n++] = rd_equal(rn, d->name);
	for (size_t i = 0; i < n; i++)
		if (results[i] == d->any)
			return d->any;
	return !d->any || n == 0;
}

struct walk {
	struct discovery *d;
	uint64_t depth;
	const char *path;
};

static bool on_discovered(void *ctx, const struct store_row *row)
{
	struct walk *w = ctx;
	struct discovery *d = w->d;
	struct json_arena *arena = json_arena_new();
	char path[CSE_PATH_MAX + CSE_ID_MAX];
	const struct json *body;
	struct walk deeper = {d, w->depth + 1, path};

	snprintf(path, sizeof path, "%s/%s", w->path, row->rn);
	if (arena && json_parse(arena, row->body, NULL, &body) == OK && matches(d, row, body) && cse_permits(d->x, row, ACOP_DISCOVERY)) {
		if (d->seen++ >= d->offset) {
			if (d->found == d->limit)
				d->more = true;
			else
				d->found++, json_put_string(d->o, NULL, d->unstructured ? row->ri : path);
		}
	}
	json_arena_free(arena);
	if (!d->more && (d->level == 0 || deeper.depth < d->level) && deeper.depth < DISCOVERY_DEPTH &&
	    store_children(d->x->cse->store, row->id, 0, on_discovered, &deeper) != OK)
		d->more = true;
	return !d->more;
}

void cse_discover(struct exchange *x)
{
	struct wr w = wr_new(CSE_BODY_MAX * 4);
	struct json_out o = json_out(&w);
	struct discovery d = {.x = x, .limit = DISCOVERY_LIMIT, .o = &o, .unstructured = x->rq->drt == 2};
	char path[CSE_PATH_MAX], full[CSE_PATH_MAX + CSE_ID_MAX];
	struct walk walk = {&d, 0, full};
	struct rd content;

	if (!parse(&d) || !cse_path(x->cse, &x->target, path, sizeof path)) {
		exchange_fail(x, RSC_BAD_REQUEST, "the filter criteria cannot be understood");
		return;
	}
	snprintf(full, sizeof full, "%s/%s", x->cse->config.id, path);
	json_object(&o, NULL);
	json_array(&o, "m2m:uril");
	if (store_children(x->cse->store, x->target.id, 0, on_discovered, &walk) != OK) {
		wr_free(&w);
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "the store could not be read");
		return;
	}
	json_close(&o);
	json_close(&o);
	if (!wr_done(&w, &content))
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "too many results; ask with lim");
	else
		exchange_answer(x, RSC_OK, content, rd_str(""));
	wr_free(&w);
}

/* ---- children in the answer: rcn 4, 5, 6, 8 ---- */

struct listing {
	struct exchange *x;
	struct json_out *o;
	bool references;
	uint64_t limit, offset, seen, shown;
	const char *path;
	struct query filter;
	int type;
	char root[STORE_NAME]; /* of the array that is open */
};

static bool on_child(void *ctx, const struct store_row *row)
{
	struct listing *l = ctx;

	if ((l->type && row->type != l->type) || !cse_permits(l->x, row, ACOP_RETRIEVE) || l->seen++ < l->offset)
		return true;
	if (l->shown++ == l->limit)
		return false;
	if (l->references) {
		char path[CSE_PATH_MAX];

		snprintf(path, sizeof path, "%s/%s", l->path, row->rn);
		json_object(l->o, NULL);
		json_put_string(l->o, "nm", row->rn);
		json_put_int(l->o, "typ", row->type);
		json_put_string(l->o, "val", path);
		json_close(l->o);
		return true;
	}
	if (strcmp(l->root, row->root) != 0)
		return true; /* another array's turn */
	json_put_raw(l->o, NULL, row->body);
	return true;
}

struct roots {
	char names[16][STORE_NAME];
	size_t count;
};

static bool on_root(void *ctx, const struct store_row *row)
{
	struct roots *r = ctx;

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->names[i], row->root) == 0)
			return true;
	if (r->count < 16)
		snprintf(r->names[r->count++], STORE_NAME, "%s", row->root);
	return true;
}

static void put_children(struct exchange *x, struct json_out *o, bool references, const char *path)
{
	struct listing l = {.x = x, .o = o, .references = references, .limit = DISCOVERY_LIMIT, .path = path};
	struct roots roots = {.count = 0};
	struct rd value;
	uint64_t type = 0;

	if (query_get(x, "lim", &value))
		uint_argument(value, &l.limit);
	if (query_get(x, "ofst", &value))
		uint_argument(value, &l.offset);
	if (query_get(x, "ty", &value) && rd_decimal(value, &type) && type <= INT_MAX)
		l.type = (int)type;
	if (references) {
		json_array(o, "ch");
		if (store_children(x->cse->store, x->target.id, 0, on_child, &l) != OK)
			o->w->spoilt = true;
		json_close(o);
		return;
	}
	if (store_children(x->cse->store, x->target.id, l.type, on_root, &roots) != OK)
		o->w->spoilt = true;
	for (size_t i = 0; i < roots.count; i++) {
		l.seen = l.shown = 0;
		snprintf(l.root, sizeof l.root, "%s", roots.names[i]);
		json_array(o, l.root);
		if (store_children(x->cse->store, x->target.id, l.type, on_child, &l) != OK)
			o->w->spoilt = true;
		json_close(o);
	}
}

static void put_members(struct exchange *x, struct json_out *o)
{
	const struct json *body;

	if (json_parse(x->arena, x->target.body, NULL, &body) != OK)
		return;
	for (const struct json *m = body->first; m; m = m->next) {
		char name[STORE_NAME];

		if (rd_text(m->key, name, sizeof name))
			json_put(o, name, m);
	}
}

static void with_children(struct exchange *x, int rcn)
{
	struct wr w = wr_new(CSE_BODY_MAX * 16);
	struct json_out o = json_out(&w);
	char path[CSE_PATH_MAX];
	struct rd content;

	if (!cse_path(x->cse, &x->target, path, sizeof path))
		path[0] = '\0';
	json_object(&o, NULL);
	if (rcn == 6) {
		json_object(&o, "m2m:rrl");
		put_children(x, &o, true, path);
		json_close(&o);
	} else {
		json_object(&o, x->target.root);
		if (rcn != 8)
			put_members(x, &o);
		put_children(x, &o, rcn == 5, path);
		json_close(&o);
	}
	json_close(&o);
	if (!wr_done(&w, &content))
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the answer is too large; ask with lim and ofst");
	else
		exchange_answer(x, RSC_OK, content, rd_str(""));
	wr_free(&w);
}

void cse_retrieve(struct exchange *x)
{
	int rcn = x->rq->rcn == ONEM2M_RCN_ABSENT ? 1 : x->rq->rcn;
	struct rd value, content;
	struct wr w;

	x->cse->counts.retrieved++;
	if (query_get(x, "fu", &value) && rd_is(value, "1")) {
		cse_discover(x);
		return;
	}
	if (!cse_permits(x, &x->target, ACOP_RETRIEVE)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not retrieve this", x->from);
		return;
	}
	if (rcn == 4 || rcn == 5 || rcn == 6 || rcn == 8) {
		with_children(x, rcn);
		return;
	}
	if (rcn != 1) {
		exchange_fail(x, RSC_BAD_REQUEST, "rcn %d does not go with RETRIEVE", rcn);
		return;
	}
	w = wr_new(CSE_BODY_MAX * 2);
	if (query_get(x, "atrl", &value))
		content_partial(x, &x->target, value, &w);
	else
		content_of(&x->target, &w);
	if (wr_done(&w, &content))
		exchange_answer(x, RSC_OK, content, rd_str(""));
	else
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "out of memory");
	wr_free(&w);
}
