/* AEs that register at another CSE than before and want to be tracked (trps): TS-0001 clauses 10.2.2.2 case e and 10.2.16, TS-0004 clause 7.5.1.2.16.
 *
 * An AE-ID that begins with S is the same everywhere. The IN-CSE sees the move by a second AEAnnc of that ID, or by an AE of its own: it makes the old
 * registration INACTIVE and tells the CSEs of its AEContactList that refer to the AE, and the old registrar (aerp). Who is told puts the new address
 * in the place of the old: in targets of subscriptions, members of groups and originators of policies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/ae_moves.h"
#include "cse/types/types.h"

#define PLACES_MOST 16

bool ae_has_moved(struct resource *ae)
{
	return ae->ri[0] == 'S' && resource_uint(ae, "regs", 0) == AE_INACTIVE && resource_bool(ae, "trps", false);
}

void ae_deliver_where_it_is(struct cse *c, const struct resource *ae, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct onem2m_request moved = *rq;
	char to[CSE_ID_MAX];

	snprintf(to, sizeof to, "/%s", ae->ri);
	moved.to = rd_str(to);
	moved.genuine = true; /* From was checked, and names its CSE */
	moved.filter = rd_of("", 0);
	cse_request(c, &moved, done, ctx);
}

/* ---- the IN-CSE finds that it moved ---- */

static bool place_of(struct cse *c, struct resource *r, char *place, size_t size)
{
	if (r->type != TY_AE)
		return json_text(resource_get(r, "lnk"), place, size);
	return (size_t)snprintf(place, size, "%s/%s", c->config.id, r->ri) < size;
}

static const char *stem_of(const char *place)
{
	const char *slash = strrchr(place, '/');

	return slash ? slash + 1 : place;
}

struct places {
	struct cse *cse;
	const char *stem;
	int64_t self;
	struct {
		int64_t id;
		char place[CSE_ID_MAX];
	} other[PLACES_MOST];
	size_t count;
};

static bool take_place(void *ctx, struct resource *r)
{
	struct places *p = ctx;
	char place[CSE_ID_MAX];

	if (r->id == p->self || resource_uint(r, "regs", 0) == AE_INACTIVE || !place_of(p->cse, r, place, sizeof place) || strcmp(stem_of(place), p->stem) != 0)
		return true;
	p->other[p->count].id = r->id;
	snprintf(p->other[p->count++].place, CSE_ID_MAX, "%s", place);
	return p->count < PLACES_MOST;
}

void ae_set_inactive(void *ctx, struct attributes *a)
{
	(void)ctx;
	attributes_set_uint(a, "regs", AE_INACTIVE);
}

static void compose(struct wr *w, const char *before, const char *after)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_put_bool(&o, "aerp", true);
	json_put_string(&o, "tid1", before);
	json_put_string(&o, "tid2", after);
	json_close(&o);
	json_close(&o);
}

struct telling {
	struct cse *cse;
	const char *before;
	char registrar[CSE_ID_MAX]; /* the old one */
	struct rd content;
};

static bool tell_one(void *ctx, struct resource *r)
{
	struct telling *t = ctx;
	const struct json *ail = resource_get(r, "ail");
	char csi[CSE_ID_MAX];

	for (const struct json *e = ail ? ail->first : NULL; e; e = e->next) {
		if (json_is_string(e, t->before) && json_text(resource_get(r, "csi"), csi, sizeof csi) && strcmp(csi, t->registrar) != 0) {
			cse_notify_target(t->cse, csi, t->content, NULL, NULL);
			break;
		}
	}
	return true;
}

/* Those that refer to it, the old registrar, and this CSE itself. */
static void tell_of_move(struct cse *c, const char *before, const char *after)
{
	struct resource *base = tree_by_id(c->tree, c->base_id), *list = base ? tree_child(c->tree, base, rd_str("AEContactList")) : NULL;
	struct telling t = {.cse = c, .before = before};
	struct wr w = wr_new(4096);

	compose(&w, before, after);
	snprintf(t.registrar, sizeof t.registrar, "%.*s", (int)(stem_of(before) - before - 1), before);
	if (wr_done(&w, &t.content)) {
		if (list && tree_children(c->tree, list, TY_AE_CONTACT_LIST_PER_CSE, false, tell_one, &t) != OK)
			c->counts.refused++;
		cse_notify_target(c, t.registrar, t.content, NULL, NULL);
		if (strcmp(t.registrar, c->config.id) != 0)
			cse_notify_target(c, c->config.id, t.content, NULL, NULL);
	}
	wr_free(&w);
	resource_unref(list);
	resource_unref(base);
}

static void settle(struct cse *c, int64_t id, const char *text)
{
	struct resource *r = tree_by_id(c->tree, id);
	struct places p = {.cse = c, .self = id};
	char place[CSE_ID_MAX];
	struct resource *local;

	(void)text;
	if (!r || !place_of(c, r, place, sizeof place)) {
		resource_unref(r);
		return;
	}
	p.stem = stem_of(place);
	local = r->type == TY_AE ? NULL : tree_by_ri(c->tree, rd_str(p.stem));
	if (local && local->type == TY_AE)
		take_place(&p, local);
	resource_unref(local);
	if (tree_by_type(c->tree, TY_AE + TY_ANNOUNCED, take_place, &p) != OK)
		c->counts.refused++;
	for (size_t i = 0; i < p.count; i++) {
		if (cse_edit_resource(c, p.other[i].id, true, ae_set_inactive, NULL) != OK)
			c->counts.refused++;
		else if (resource_bool(r, "trps", false))
			tell_of_move(c, p.other[i].place, place);
	}
	resource_unref(r);
}

/* An AEAnnc counts that its own CSE has made. */
static bool is_trusted(struct resource *r)
{
	char place[CSE_ID_MAX];
	size_t n = strlen(r->creator);

	return r->type == TY_AE || (json_text(resource_get(r, "lnk"), place, sizeof place) && strncmp(place, r->creator, n) == 0 && place[n] == '/' && stem_of(place) == place + n + 1);
}

void ae_is_registered(struct cse *c, struct resource *r)
{
	char place[CSE_ID_MAX];

	if (c->config.type == CSE_IN && resource_uint(r, "regs", 0) != AE_INACTIVE && is_trusted(r) && place_of(c, r, place, sizeof place) && stem_of(place)[0] == 'S')
		cse_before_commit(c, settle, r->id, "");
}

static enum hook_result announced_created(struct creation *cr)
{
	ae_is_registered(cr->x->cse, cr->made);
	return HOOK_GO;
}

/* It came back to where it had been. */
static enum hook_result announced_updated(struct updating *u)
{
	if (resource_uint(u->old, "regs", 0) == AE_INACTIVE)
		ae_is_registered(u->x->cse, u->made);
	return HOOK_GO;
}

static enum hook_result announced_create(struct creation *cr)
{
	return announce_placed_well(cr) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result announced_update(struct updating *u)
{
	return announce_relinks_well(u) ? HOOK_GO : HOOK_FAILED;
}

const struct type_hooks hooks_ae_announced = {.type = TY_AE + TY_ANNOUNCED, .create = announced_create, .update = announced_update, .created = announced_created, .updated = announced_updated};

/* ---- who is told ---- */

/* Who may say it: at an IN-CSE the new registrar, of an AE at itself (for AE-IDs that begin with C); elsewhere a CSE further up. */
static bool may_say(struct cse *c, const char *from, const char *after)
{
	struct resource *hop = cse_next_hop(c, from);
	bool direct = hop && resource_is(hop, "csi", from), up = from[0] == '/' && !strchr(from + 1, '/') && (!hop || resource_is(hop, "csi", c->config.registrar_id ? c->config.registrar_id : ""));
	size_t n = strlen(from);

	resource_unref(hop);
	if (strcmp(from, c->config.id) == 0)
		return true;
	return c->config.type == CSE_IN ? direct && strncmp(after, from, n) == 0 && after[n] == '/' : up && c->config.registrar_id;
}

static bool take_place_id(const struct json *v, char *id, size_t size)
{
	return json_text(v, id, size) && id[0] == '/' && stem_of(id) > id + 1 && (stem_of(id)[0] == 'S' || stem_of(id)[0] == 'C');
}

bool moves_notified(struct exchange *x)
{
	const struct json *doc, *sgn;
	char before[CSE_ID_MAX], after[CSE_ID_MAX];
	bool about;

	if (x->target->type != TY_CSE_BASE || json_parse(x->arena, x->rq->content, NULL, &doc) != OK)
		return false;
	sgn = json_get(doc, "m2m:sgn");
	if (!json_bool(json_get(sgn, "aerp"), &about) || !about)
		return false;
	if (!take_place_id(json_get(sgn, "tid1"), before, sizeof before) || !take_place_id(json_get(sgn, "tid2"), after, sizeof after) || strcmp(before, after) == 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "`tid1` and `tid2` say where the AE was registered, and where it is");
	} else if (!may_say(x->cse, x->from, after)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not say where this AE is", x->from);
	} else if (x->cse->config.type == CSE_IN && strcmp(x->from, x->cse->config.id) != 0) {
		tell_of_move(x->cse, before, after);
		exchange_answer(x, RSC_OK, rd_of("", 0), rd_str(""));
	} else {
		ae_references_replace(x, before, after);
	}
	return true;
}
