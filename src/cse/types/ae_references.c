/* References to an AE that is registered elsewhere now get its new address. TS-0004 clause 7.5.1.2.16. All of these resources are looked at, in slices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/slices.h"
#include "cse/types/ae_moves.h"

struct replacing {
	struct slices slices; /* first, so that its functions find this */
	struct exchange *x;
	char before[CSE_ID_MAX], after[CSE_ID_MAX];
	const char *local;    /* how the AE is called at its old registrar; NULL: that is another CSE */
	size_t type;          /* the next in types */
	int64_t at;           /* resources of it up to here are done */
	int64_t ids[64];      /* that name it */
	size_t count, budget;
};

static const int types[] = {TY_SUBSCRIPTION, TY_GROUP, TY_ACP};
static const char *const named_in[] = {"nu", "mid", "pv", "pvs"};

/* "/id-mn/Sx", and of a notification target "/id-mn/Sx?ct=..." too. */
static bool names_it(const struct replacing *p, const struct json *v, struct rd *rest)
{
	struct rd text = v->text, head;

	if (v->type != JSON_STRING)
		return false;
	if (!rd_until(&text, '?', &head)) {
		head = v->text;
		text = rd_of("", 0);
	}
	*rest = rd_of(v->text.at + head.left, v->text.left - head.left);
	return rd_is(head, p->before) || (p->local && rd_is(head, p->local));
}

static bool mentions(const struct replacing *p, const struct json *v)
{
	struct rd rest;

	if (!v)
		return false;
	if (names_it(p, v, &rest))
		return true;
	for (const struct json *e = v->type == JSON_ARRAY || v->type == JSON_OBJECT ? v->first : NULL; e; e = e->next)
		if (mentions(p, e))
			return true;
	return false;
}

static bool look(void *ctx, struct resource *r)
{
	struct replacing *p = ctx;

	p->at = r->id;
	slice_spend(&p->budget, 1);
	for (size_t i = 0; i < sizeof named_in / sizeof named_in[0]; i++) {
		if (mentions(p, resource_get(r, named_in[i]))) {
			p->ids[p->count++] = r->id;
			break;
		}
	}
	return p->budget > 0 && p->count < sizeof p->ids / sizeof p->ids[0];
}

static void put_replaced(const struct replacing *p, struct json_out *o, const char *name, const struct json *v)
{
	char text[CSE_PATH_MAX], member[128];
	struct rd rest;

	if (names_it(p, v, &rest) && (size_t)snprintf(text, sizeof text, "%s%.*s", p->after, (int)rest.left, (const char *)rest.at) < sizeof text) {
		json_put_string(o, name, text);
		return;
	}
	if (v->type != JSON_ARRAY && v->type != JSON_OBJECT) {
		json_put(o, name, v);
		return;
	}
	if (v->type == JSON_ARRAY)
		json_array(o, name);
	else
		json_object(o, name);
	for (const struct json *e = v->first; e; e = e->next) {
		if (v->type == JSON_ARRAY)
			put_replaced(p, o, NULL, e);
		else if (rd_text(e->key, member, sizeof member))
			put_replaced(p, o, member, e);
	}
	json_close(o);
}

static void replace(void *ctx, struct attributes *a)
{
	const struct replacing *p = ctx;

	for (size_t i = 0; i < sizeof named_in / sizeof named_in[0]; i++) {
		const struct json *v = attributes_value(a, named_in[i]), *made;
		struct wr w = wr_new(CSE_BODY_MAX);
		struct json_out o = json_out(&w);
		struct rd text;

		if (mentions(p, v)) {
			put_replaced(p, &o, NULL, v);
			if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &made) == OK)
				attributes_set_json(a, named_in[i], made);
		}
		wr_free(&w);
	}
}

static enum err replace_in(struct replacing *p, int64_t id)
{
	struct cse *c = p->x->cse;
	struct resource *was = tree_by_id(c->tree, id), *is;
	enum err e = was ? cse_edit_snapshot(c, was, true, replace, p) : OK;

	if (was && e == OK) {
		is = tree_by_id(c->tree, id);
		if (is)
			contacts_changed(c, was, is);
		resource_unref(is);
	}
	resource_unref(was);
	return e;
}

static enum err end_registration(struct replacing *p)
{
	struct cse *c = p->x->cse;
	struct resource *ae = p->local ? tree_by_ri(c->tree, rd_str(p->local)) : NULL;
	enum err e = ae && ae->type == TY_AE && resource_uint(ae, "regs", 0) != AE_INACTIVE ? cse_edit_snapshot(c, ae, true, ae_set_inactive, NULL) : OK;

	resource_unref(ae);
	return e;
}

static void replacing_free(struct slices *s)
{
	free(s);
}

/* *done: all of all types were looked at. */
static enum err replace_some(struct replacing *p, bool *done)
{
	struct tree *t = p->x->cse->tree;
	enum err e = OK;

	p->budget = SLICE;
	p->count = 0;
	while (e == OK && p->type < sizeof types / sizeof types[0] && p->budget > 0 && p->count < sizeof p->ids / sizeof p->ids[0]) {
		e = tree_by_type_from(t, types[p->type], p->at, look, p);
		if (p->budget > 0 && p->count < sizeof p->ids / sizeof p->ids[0]) {
			p->type++;
			p->at = 0;
		}
	}
	for (size_t i = 0; e == OK && i < p->count; i++)
		e = replace_in(p, p->ids[i]);
	*done = p->type == sizeof types / sizeof types[0];
	return e == OK && *done ? end_registration(p) : e;
}

static void take_slice(struct slices *s)
{
	struct replacing *p = (struct replacing *)s;
	struct exchange *x = p->x;
	bool done = false;
	enum err e;

	if (!exchange_save(x)) {
		slices_end(s);
		replacing_free(s);
		return;
	}
	e = replace_some(p, &done);
	if (e == OK)
		exchange_keep(x);
	if (e == OK && !done) {
		slices_again(s);
		return;
	}
	slices_end(s);
	replacing_free(s);
	if (e == OK)
		exchange_answer(x, RSC_OK, rd_of("", 0), rd_str(""));
	else
		exchange_store_failed(x, e);
}

void ae_references_replace(struct exchange *x, const char *before, const char *after)
{
	struct replacing *p = calloc(1, sizeof *p);
	size_t own = strlen(x->cse->config.id);

	if (!p)
		abort();
	p->slices.slice = take_slice;
	p->slices.free = replacing_free;
	p->x = x;
	snprintf(p->before, sizeof p->before, "%s", before);
	snprintf(p->after, sizeof p->after, "%s", after);
	if (strncmp(p->before, x->cse->config.id, own) == 0 && p->before[own] == '/')
		p->local = p->before + own + 1;
	slices_begin(&p->slices, x);
	take_slice(&p->slices);
}
