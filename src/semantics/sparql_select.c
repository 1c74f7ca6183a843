/* What is made of the solutions: groups, values, order, slices; and the answers. Clauses 11, 15 and 18.5 of the recommendation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "semantics/sparql.h"

/* ---- rows ---- */

bool rows_add(struct run *r, struct rows *rows, const uint32_t *cells)
{
	if (rows->count == SEMANTICS_ROWS_MAX)
		return run_fail(r, ERR_TOO_LONG);
	if (rows->count == rows->room) {
		size_t room = rows->room ? rows->room * 2 : 16;
		uint32_t *more = realloc(rows->cells, room * (rows->width + 1) * sizeof *more);

		if (!more)
			return run_fail(r, ERR_NO_MEMORY);
		rows->cells = more;
		rows->room = room;
	}
	if (rows->width)
		memcpy(rows->cells + rows->count * rows->width, cells, rows->width * sizeof *cells);
	rows->count++;
	return true;
}

void rows_free(struct rows *rows)
{
	free(rows->cells);
	*rows = (struct rows){.width = rows->width};
}

static const uint32_t *row_at(const struct rows *rows, size_t n)
{
	return rows->cells + n * rows->width;
}

/* ---- solutions ---- */

struct collecting {
	struct rows *rows;
	uint64_t enough;
};

static bool collect(struct run *r, void *ctx)
{
	struct collecting *c = ctx;

	return rows_add(r, c->rows, r->values) && c->rows->count < c->enough;
}

/* Rows with every variable; no more than are needed, where that can be known. */
static bool solutions(struct run *r, const struct select *s, struct rows *all)
{
	struct collecting c = {all, UINT64_MAX};

	if (!s->distinct && !s->aggregated && !s->orders && s->limit != UINT64_MAX && s->offset < SEMANTICS_ROWS_MAX)
		c.enough = s->limit + s->offset;
	if (c.enough > 0)
		run_solve(r, s->where, collect, &c);
	return r->error == OK;
}

/* ---- groups ---- */

static void set_values(struct run *r, const struct rows *rows, size_t n)
{
	memcpy(r->values, row_at(rows, n), rows->width * sizeof(uint32_t));
}

static uint32_t value_id(struct run *r, const struct expr *e)
{
	struct term t = expr_value(r, e);

	return t.kind == TERM_NONE ? 0 : run_intern(r, &t);
}

/* The values by which a row is grouped; those with a name become variables. */
static void group_key(struct run *r, const struct select *s, uint32_t *key)
{
	for (const struct select_item *g = s->groups; g; g = g->next) {
		*key = g->expr ? value_id(r, g->expr) : r->values[g->var];
		if (g->expr && g->var >= 0)
			r->values[g->var] = *key;
		key++;
	}
}

static size_t key_width(const struct select *s)
{
	size_t n = 0;

	for (const struct select_item *g = s->groups; g; g = g->next)
		n++;
	return n;
}

struct keyed {
	const uint32_t *key;
	size_t width, row;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = x->width ? memcmp(x->key, y->key, x->width * sizeof *x->key) : 0;

	return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* ---- one row of the result, with what it is ordered by ---- */

struct result {
	struct run *r;
	const struct select *s;
	struct rows *rows;            /* the items */
	struct term *keys;            /* count * order_count */
	size_t order_count, room;
};

static bool add_result(struct result *out)
{
	struct run *r = out->r;
	uint32_t cells[SEMANTICS_VARIABLES_MAX];
	size_t i = 0;

	for (const struct select_item *item = out->s->items; item; item = item->next) {
		if (item->expr)
			r->values[item->var] = value_id(r, item->expr);
		cells[i++] = r->values[item->var];
	}
	if (r->error != OK || !rows_add(r, out->rows, cells))
		return false;
	if (out->order_count == 0)
		return true;
	if (out->rows->count > out->room) {
		size_t room = out->room ? out->room * 2 : 16;
		struct term *keys = realloc(out->keys, room * out->order_count * sizeof *keys);

		if (!keys)
			return run_fail(r, ERR_NO_MEMORY);
		out->keys = keys;
		out->room = room;
	}
	i = (out->rows->count - 1) * out->order_count;
	for (const struct order *o = out->s->orders; o; o = o->next)
		out->keys[i++] = expr_value(r, o->expr);
	return r->error == OK;
}

static bool having(struct run *r, const struct select *s)
{
	for (const struct expr *e = s->having; e; e = e->next)
		if (!expr_holds(r, e))
			return false;
	return true;
}

static bool add_group(struct result *out, struct rows *group)
{
	struct run *r = out->r;
	bool ok = true;

	r->group = group;
	if (group->count)
		set_values(r, group, 0);
	else
		memset(r->values, 0, sizeof r->values);
	if (having(r, out->s))
		ok = add_result(out);
	r->group = NULL;
	return ok && r->error == OK;
}

static bool grouped(struct result *out, struct rows *all)
{
	size_t width = key_width(out->s);
	uint32_t *keys = calloc(all->count * width + 1, sizeof *keys);
	struct keyed *order = calloc(all->count + 1, sizeof *order);
	struct rows group = {.width = all->width};
	bool ok = keys && order;

	for (size_t i = 0; ok && i < all->count; i++) {
		set_values(out->r, all, i);
		group_key(out->r, out->s, keys + i * width);
		memcpy(all->cells + i * all->width, out->r->values, all->width * sizeof(uint32_t));
		order[i] = (struct keyed){keys + i * width, width, i};
		ok = out->r->error == OK;
	}
	if (ok && all->count)
		qsort(order, all->count, sizeof *order, by_key);
	for (size_t i = 0; ok && i < all->count; i++) {
		ok = rows_add(out->r, &group, row_at(all, order[i].row));
		if (ok && (i + 1 == all->count || (width && memcmp(order[i].key, order[i + 1].key, width * sizeof(uint32_t)) != 0))) {
			ok = add_group(out, &group);
			group.count = 0;
		}
	}
	if (ok && all->count == 0 && width == 0)
		ok = add_group(out, &group);
	free(keys);
	free(order);
	rows_free(&group);
	return ok;
}

/* ---- order and slice ---- */

struct sorting {
	const struct result *out;
	size_t row;
};

static int by_order(const void *a, const void *b)
{
	const struct sorting *x = a, *y = b;
	size_t n = x->out->order_count, i = 0;

	for (const struct order *o = x->out->s->orders; o; o = o->next, i++) {
		int order = term_order(&x->out->keys[x->row * n + i], &x->out->keys[y->row * n + i]);

		if (order)
			return o->descending ? -order : order;
	}
	return (x->row > y->row) - (x->row < y->row);
}

struct seen {
	size_t *slots;
	size_t mask;
};

static bool is_new(struct seen *seen, const struct rows *rows, size_t row)
{
	const uint32_t *cells = row_at(rows, row);
	size_t h = 2166136261u;

	for (size_t i = 0; i < rows->width; i++)
		h = (h ^ cells[i]) * 16777619u;
	for (h ^= h >> 13;; h++) {
		size_t *slot = &seen->slots[h & seen->mask];

		if (*slot == 0) {
			*slot = row + 1;
			return true;
		}
		if (rows->width == 0 || memcmp(row_at(rows, *slot - 1), cells, rows->width * sizeof *cells) == 0)
			return false;
	}
}

static bool slice(struct result *out, struct rows *to)
{
	const struct rows *from = out->rows;
	struct sorting *order = calloc(from->count + 1, sizeof *order);
	struct seen seen = {.mask = 32767}; /* more than twice of what there can be */
	uint64_t skip = out->s->offset, left = out->s->limit;
	bool ok = order != NULL;

	seen.slots = out->s->distinct ? calloc(seen.mask + 1, sizeof *seen.slots) : NULL;
	ok = ok && (seen.slots || !out->s->distinct) && run_step(out->r, from->count * (1 + 16 * out->order_count));
	for (size_t i = 0; ok && i < from->count; i++)
		order[i] = (struct sorting){out, i};
	if (ok && out->order_count && from->count)
		qsort(order, from->count, sizeof *order, by_order);
	for (size_t i = 0; ok && i < from->count && left > 0; i++) {
		if (seen.slots && !is_new(&seen, from, order[i].row))
			continue;
		if (skip > 0) {
			skip--;
			continue;
		}
		left--;
		ok = rows_add(out->r, to, row_at(from, order[i].row));
	}
	free(order);
	free(seen.slots);
	return ok || run_fail(out->r, ERR_NO_MEMORY);
}

bool select_rows(struct run *r, const struct select *s, struct rows *rows)
{
	struct rows all = {.width = (size_t)r->q->variable_count}, made = {.width = s->item_count};
	struct result out = {.r = r, .s = s, .rows = &made};
	bool ok;

	for (const struct order *o = s->orders; o; o = o->next)
		out.order_count++;
	rows->width = s->item_count;
	ok = solutions(r, s, &all);
	if (ok && s->aggregated)
		ok = grouped(&out, &all);
	for (size_t i = 0; ok && !s->aggregated && i < all.count; i++) {
		set_values(r, &all, i);
		ok = add_result(&out);
	}
	ok = ok && slice(&out, rows);
	free(out.keys);
	rows_free(&all);
	rows_free(&made);
	return ok;
}

/* ---- answers ---- */

static enum err told(const struct run *r, char *why, size_t size)
{
	if (r->error == ERR_TOO_LONG)
		snprintf(why, size, "the query takes more steps, solutions or text than is allowed: ask for less");
	else if (r->error != OK)
		snprintf(why, size, "the query failed: %s", err_text(r->error));
	return r->error;
}

static bool first_found(struct run *r, void *ctx)
{
	(void)r;
	*(bool *)ctx = true;
	return false;
}

enum err sparql_matches(const struct sparql *q, const struct graph *g, bool *matches, char *why, size_t size)
{
	bool found = false;
	struct run r;
	enum err e;

	if (run_begin(&r, q, g))
		run_solve(&r, q->select->where, first_found, &found);
	e = told(&r, why, size);
	run_end(&r);
	if (e == OK)
		*matches = found;
	return e;
}

static void put_term(struct json_out *o, const char *name, const struct term *t)
{
	json_object(o, name);
	json_put_string(o, "type", t->kind == TERM_IRI ? "uri" : t->kind == TERM_BLANK ? "bnode" : "literal");
	if (t->language.left)
		json_put_rd(o, "xml:lang", t->language);
	if (t->type.left)
		json_put_rd(o, "datatype", t->type);
	json_put_rd(o, "value", t->value);
	json_close(o);
}

static void put_rows(struct run *r, const struct rows *rows, struct json_out *o)
{
	char name[128];

	json_object(o, "results");
	json_array(o, "bindings");
	for (size_t i = 0; i < rows->count; i++) {
		const uint32_t *cell = row_at(rows, i);

		json_object(o, NULL);
		for (const struct select_item *item = r->q->select->items; item; item = item->next, cell++)
			if (*cell && rd_text(r->q->names[item->var], name, sizeof name))
				put_term(o, name, run_term(r, *cell));
		json_close(o);
	}
	json_close(o);
	json_close(o);
	json_object(o, "head");
	json_array(o, "vars");
	for (const struct select_item *item = r->q->select->items; item; item = item->next)
		json_put_rd(o, NULL, r->q->names[item->var]);
	json_close(o);
	json_close(o);
}

/* "results" goes before "head": clients in the field look at how the text begins and ends. */
enum err sparql_answer(const struct sparql *q, const struct graph *g, struct wr *json, char *why, size_t size)
{
	struct json_out o = json_out(json);
	struct rows rows = {0};
	bool found = false;
	struct run r;
	enum err e;

	json_object(&o, NULL);
	if (run_begin(&r, q, g) && q->ask) {
		run_solve(&r, q->select->where, first_found, &found);
		json_put_bool(&o, "boolean", found);
		json_object(&o, "head");
		json_close(&o);
	} else if (r.error == OK && select_rows(&r, q->select, &rows)) {
		put_rows(&r, &rows, &o);
	}
	json_close(&o);
	if (json->spoilt)
		run_fail(&r, ERR_TOO_LONG);
	e = told(&r, why, size);
	rows_free(&rows);
	run_end(&r);
	return e;
}
