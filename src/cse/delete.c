/* DELETE: TS-0004 clause 7.2.2.4 (7.3.3.8 ff.); and what expires. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

#define EXPIRE_AT_ONCE 256
#define DELETE_AT_ONCE 512 /* resources of a subtree: some 6 ms. Of a larger one they become orphans, and go in portions */

/* Children first. Events: the subject's own subscriptions hear of its end; those below go with it. */
struct collecting {
	struct resource *list[256];
	size_t count;
};

static bool collect(void *ctx, struct resource *r)
{
	struct collecting *k = ctx;

	k->list[k->count++] = resource_ref(r);
	return k->count < sizeof k->list / sizeof k->list[0];
}

/* What the end of a resource means to others. */
static void tell_of_end(struct cse *c, struct resource *r)
{
	const struct type_hooks *h = type_hooks(r->type);

	cse_event(c, &(const struct event){.kind = EVENT_DELETE, .subject = r, .shown = r, .operation = ONEM2M_DELETE});
	if (h->removed)
		h->removed(c, r);
	announce_gone(c, r);
	node_links_changed(c, r, NULL);
	contacts_changed(c, r, NULL);
}

static enum err delete_row(struct cse *c, struct resource *r)
{
	enum err e = tree_delete(c->tree, r);

	if (e != OK)
		return e;
	c->counts.deleted++;
	group_resource_gone(c, r);
	if (store_has_gone(c->store))
		cse_sweep_later(c);
	return OK;
}

static enum err delete_all(struct cse *c, struct resource *r);

static enum err delete_below(struct cse *c, struct resource *r)
{
	struct collecting *k = malloc(sizeof *k);
	enum err e = OK;

	if (!k)
		abort();
	do {
		k->count = 0;
		e = tree_children(c->tree, r, 0, false, collect, k);
		for (size_t i = 0; i < k->count; i++) {
			if (e == OK)
				e = delete_all(c, k->list[i]);
			resource_unref(k->list[i]);
		}
	} while (e == OK && k->count > 0);
	free(k);
	return e;
}

static enum err delete_all(struct cse *c, struct resource *r)
{
	enum err e;

	tell_of_end(c, r);
	e = delete_below(c, r);
	return e == OK ? delete_row(c, r) : e;
}

struct counting {
	struct cse *cse;
	size_t left;
};

static bool count(void *ctx, struct resource *r)
{
	struct counting *k = ctx;

	if (k->left == 0)
		return false;
	k->left--;
	return tree_children(k->cse->tree, r, 0, false, count, k) == OK && k->left > 0;
}

static bool is_large(struct cse *c, struct resource *r)
{
	struct counting k = {c, DELETE_AT_ONCE};

	return tree_children(c->tree, r, 0, false, count, &k) == OK && k.left == 0;
}

enum err cse_delete_orphan(struct cse *c, struct resource *r)
{
	struct counting k = {c, 1};
	enum err e;

	tell_of_end(c, r);
	e = tree_children(c->tree, r, 0, false, count, &k);
	if (e == OK && k.left == 0)
		e = orphans_note(c, r->id);
	return e == OK ? delete_row(c, r) : e;
}

enum err cse_delete_subtree(struct cse *c, struct resource *r, bool parent_event)
{
	struct resource *parent = tree_parent(c->tree, r);
	const struct type_hooks *above;
	enum err e;

	tell_of_end(c, r);
	e = r->instance ? OK : is_large(c, r) ? orphans_note(c, r->id) : delete_below(c, r);
	if (e == OK)
		e = delete_row(c, r);
	if (e == OK && parent && parent_event) {
		above = type_hooks(parent->type);
		if (above->child_removed)
			above->child_removed(c, parent, r);
		cse_event(c, &(const struct event){.kind = EVENT_CHILD_DELETE, .subject = parent, .shown = r, .operation = ONEM2M_DELETE});
	}
	resource_unref(parent);
	return e;
}

/* ---- requests ---- */

bool cse_is_undeletable(const struct cse *c, const struct resource *r)
{
	return r->type == TY_CSE_BASE || r->type == TY_AE_CONTACT_LIST_PER_CSE || cse_is_fixed(c, r);
}

/* la and ol stand for the instance. */
static bool take_virtual(struct exchange *x)
{
	struct resource *instance;

	if (x->virtual_child == VIRTUAL_NONE)
		return true;
	instance = x->virtual_child == VIRTUAL_LATEST ? tree_latest(x->cse->tree, x->target) : tree_oldest(x->cse->tree, x->target);
	if (!instance) {
		exchange_fail(x, RSC_NOT_FOUND, "there is no instance");
		return false;
	}
	resource_unref(x->target);
	x->target = instance;
	return true;
}

/* w: what the answer shows of children, or nothing yet. */
static void delete_target(struct exchange *x, struct wr w)
{
	const struct type_hooks *h = type_hooks(x->target->type);

	if (h->remove && h->remove(x, x->target) != HOOK_GO) {
		wr_free(&w);
		return;
	}
	if (x->rcn == 1)
		represent(x->cse, x->target, &w);
	if (exchange_save(x))
		announce_delete(x, w);
	else
		wr_free(&w);
}

/* It may have taken a while to put them together. */
static void delete_with_children(struct exchange *x, struct wr w)
{
	if (transaction_refuses(x))
		wr_free(&w);
	else
		delete_target(x, w);
}

void cse_delete(struct exchange *x)
{
	if (!cse_permits(x, x->target, ACOP_DELETE)) {
		exchange_fail(x, x->target->type == TY_CSE_BASE ? RSC_OPERATION_NOT_ALLOWED : RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not delete this", x->from);
		return;
	}
	if (!take_virtual(x))
		return;
	if (cse_is_undeletable(x->cse, x->target)) {
		exchange_fail(x, x->target->type == TY_NOTIFICATION_TARGET_POLICY ? RSC_BAD_REQUEST : RSC_OPERATION_NOT_ALLOWED, "a resource of type %d cannot be deleted", x->target->type);
		return;
	}
	if (x->rcn >= 4)
		children_put(x, x->rcn, delete_with_children);
	else
		delete_target(x, wr_new(CSE_BODY_MAX * 16));
}

/* ---- expiry ---- */

struct expired {
	struct resource *list[EXPIRE_AT_ONCE];
	size_t count;
};

static bool note_expired(void *ctx, struct resource *r)
{
	struct expired *k = ctx;

	k->list[k->count++] = resource_ref(r);
	return k->count < EXPIRE_AT_ONCE;
}

void cse_expire_at(struct cse *c, uint64_t unix_ms)
{
	uint64_t now, at;

	if (unix_ms == 0)
		return;
	now = cse_now(c);
	if (unix_ms < now + 100)
		unix_ms = now + 100;
	if (unix_ms > now + 3600000)
		unix_ms = now + 3600000; /* the wall clock may be set: look again at times */
	at = cse_mono(c) + (unix_ms - now);
	if (c->expiry.at == 0 || at < c->expiry.at)
		cse_timer_at(c, &c->expiry, at);
}

void cse_expire(struct cse *c)
{
	struct expired k;
	uint64_t next, now = cse_now(c);
	enum err e;

	k.count = 0;
	e = tree_flush(c->tree);
	if (e == OK)
		e = tree_expired(c->tree, now, note_expired, &k);
	for (size_t i = 0; i < k.count; i++) {
		/* it may have gone with its parent */
		struct resource *r = k.list[i]->instance ? tree_instance(c->tree, k.list[i]->parent, k.list[i]->id) : tree_by_id(c->tree, k.list[i]->id);

		if (e == OK && r)
			e = cse_delete_subtree(c, r, true);
		resource_unref(r);
		resource_unref(k.list[i]);
	}
	if (e != OK)
		c->round_broken = store_dirty(c->store);
	if (k.count > 0)
		cse_commit_later(c);
	if (e == OK && k.count == EXPIRE_AT_ONCE) {
		cse_timer_at(c, &c->expiry, cse_mono(c) + 1); /* there are more: in the next round */
		return;
	}
	next = store_next_expiry(c->store);
	if (next != UINT64_MAX)
		cse_expire_at(c, next);
}
