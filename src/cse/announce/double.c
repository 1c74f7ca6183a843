/* The doubles' side: who may make them, whom their policies mean, and changes that go back to the original. TS-0001 clause 9.6.26. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/announce/announce.h"
#include "cse/types/ae_moves.h"

enum sync_type { UNI_DIRECTIONAL = 1, BI_DIRECTIONAL = 2 };

static bool is_cse(const char *from)
{
	return from[0] == '/' && from[1] != '/' && !strchr(from + 1, '/');
}

/* A CSE makes its CSEBaseAnnc here before it announces anything. */
bool announce_may_make_base(struct exchange *x)
{
	return x->target->type == TY_CSE_BASE && x->rq->type == TY_CSE_BASE + TY_ANNOUNCED && is_cse(x->from);
}

static bool links_to(struct exchange *x, const char *link)
{
	size_t n = strlen(x->from);

	return strncmp(link, x->from, n) == 0 && link[n] == '/' && !strchr(link + n + 1, '/');
}

/* S-type AEs have their doubles right below the base of the IN-CSE: TS-0001 clause 10.2.2.2. */
bool announce_may_place(struct exchange *x)
{
	return x->target->type == TY_CSE_BASE && x->rq->type == TY_AE + TY_ANNOUNCED && x->cse->config.type == CSE_IN && is_cse(x->from);
}

/* By the name of the AE-ID, and of an AE of the CSE that sends it. */
bool announce_placed_well(struct creation *cr)
{
	const struct json *rn = json_get(cr->given, "rn");
	char link[CSE_ID_MAX], *name;

	if (!announce_may_place(cr->x))
		return true;
	if (json_text(json_get(cr->given, "lnk"), link, sizeof link) && links_to(cr->x, link) && (name = strrchr(link, '/'))[1] == 'S' && json_is_string(rn, name + 1))
		return true;
	exchange_fail(cr->x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "`%s` may create an AEAnnc here only by the AE-ID of an AE of its own (S...)", cr->x->from);
	return false;
}

/* One whose AE is registered nowhere, or with this CSE, is this CSE's to change. */
bool announce_may_take_place(struct exchange *x, struct resource *r, unsigned acop)
{
	char link[CSE_ID_MAX];

	return acop == ACOP_UPDATE && r->type == TY_AE + TY_ANNOUNCED && r->parent == x->cse->base_id && r->rn[0] == 'S' && is_cse(x->from) &&
	    json_text(resource_get(r, "lnk"), link, sizeof link) && (strcmp(link, "INACTIVE") == 0 || links_to(x, link));
}

/* But not to give it to another. */
bool announce_relinks_well(struct updating *u)
{
	const struct json *given = json_get(u->given, "lnk");
	char link[CSE_ID_MAX], *name;

	if (!given || u->old->parent != u->x->cse->base_id || !is_cse(u->x->from) || json_is_string(given, "INACTIVE"))
		return true;
	if (json_text(given, link, sizeof link) && links_to(u->x, link) && (name = strrchr(link, '/')) && strcmp(name + 1, u->old->rn) == 0)
		return true;
	exchange_fail(u->x, RSC_BAD_REQUEST, "`lnk`: must be `INACTIVE` or address the AE `%s` at %s", u->old->rn, u->x->from);
	return false;
}

/* The CSE that has a double may look at the original, and change it where both are kept alike. */
bool announce_has_double(struct exchange *x, struct resource *r, unsigned acop)
{
	char entry[CSE_ID_MAX];

	if (!r->schema || !r->schema->announceable || !is_cse(x->from) || (acop != ACOP_RETRIEVE && acop != ACOP_UPDATE))
		return false;
	announce_entry(r, x->from, entry, sizeof entry);
	return entry[0] && (acop == ACOP_RETRIEVE || resource_uint(r, "ast", UNI_DIRECTIONAL) == BI_DIRECTIONAL);
}

struct looking {
	struct rd link;
	struct resource *found;
};

static bool is_linked(void *ctx, struct resource *r)
{
	struct looking *k = ctx;
	struct rd link;

	if (json_string(resource_get(r, "lnk"), &link) && rd_equal(link, k->link))
		k->found = resource_ref(r);
	return !k->found;
}

/* The double of a policy of another CSE, if it is announced here. */
struct resource *announce_policy(struct cse *c, struct rd address)
{
	struct looking k = {address, NULL};

	if (rd_starts(address, "/") && tree_by_type(c->tree, TY_ACP + TY_ANNOUNCED, is_linked, &k) != OK)
		c->counts.refused++;
	return k.found;
}

/* Only its own CSE's word counts for what a resource is: another could announce something with that link. */
static bool is_linked_by_its_own(void *ctx, struct resource *r)
{
	struct looking *k = ctx;
	size_t n = strlen(r->creator);

	if (k->link.left <= n || n == 0 || memcmp(k->link.at, r->creator, n) != 0 || k->link.at[n] != '/' || strchr(r->creator + 1, '/'))
		return true;
	return is_linked(ctx, r);
}

struct resource *announce_double(struct cse *c, struct rd address)
{
	struct looking k = {address, NULL};
	int last = 0;

	if (!rd_starts(address, "/"))
		return NULL;
	for (const struct schema_type *const *t = schema_types(); *t && !k.found; t++) {
		if ((*t)->ty <= TY_ANNOUNCED || (*t)->ty == last)
			continue;
		last = (*t)->ty;
		if (tree_by_type(c->tree, last, is_linked_by_its_own, &k) != OK)
			c->counts.refused++;
	}
	return k.found;
}

/* ---- back to the original ---- */

struct going_back {
	struct exchange *x;
};

static void on_original(void *ctx, const struct onem2m_response *rsp)
{
	struct going_back *b = ctx;
	struct exchange *x = b->x;
	struct resource *again = tree_by_id(x->cse->tree, x->target->id);
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct rd content = rd_of("", 0);

	free(b);
	if (rsp->rsc == RSC_UPDATED && again) {
		/* the original has brought this one up to date in the meantime */
		if (x->rcn == ONEM2M_RCN_ABSENT || x->rcn == 1)
			represent(x->cse, again, &w);
		if (!wr_done(&w, &content))
			content = rd_of("", 0);
		exchange_answer(x, RSC_UPDATED, content, rd_str(""));
	} else if (rsp->rsc == RSC_UPDATED) {
		exchange_fail(x, RSC_NOT_FOUND, "the resource was deleted meanwhile");
	} else {
		exchange_answer(x, rsp->rsc, rsp->content, rd_str(""));
	}
	wr_free(&w);
	resource_unref(again);
}

static bool original_root(const struct resource *r, char *root, size_t size)
{
	size_t n = strlen(r->root), tail = r->type == TY_FLEX_CONTAINER + TY_ANNOUNCED ? 4 : 1;

	return n > tail && (size_t)snprintf(root, size, "%.*s", (int)(n - tail), r->root) < size;
}

bool announce_sends_back(struct exchange *x, const struct json *given)
{
	struct resource *r = x->target;
	struct onem2m_request rq = {.operation = ONEM2M_UPDATE, .rcn = 0, .filter = rd_str("rcn=0"), .internal = true};
	struct going_back *b;
	struct json_out o;
	char root[128];
	struct rd link;
	struct wr w;

	if (r->type < TY_ANNOUNCED || strcmp(x->from, r->creator) == 0 || resource_uint(r, "ast", UNI_DIRECTIONAL) != BI_DIRECTIONAL ||
	    !json_string(resource_get(r, "lnk"), &link) || !original_root(r, root, sizeof root))
		return false;
	b = calloc(1, sizeof *b);
	if (!b)
		abort();
	b->x = x;
	w = wr_new(CSE_BODY_MAX * 2);
	o = json_out(&w);
	json_object(&o, NULL);
	json_put(&o, root, given);
	json_close(&o);
	rq.to = link;
	rq.from = rd_str(x->cse->config.id);
	rq.request_id = x->rq->request_id;
	rq.release = rd_str("3");
	if (!wr_done(&w, &rq.content))
		rq.content = rd_of("", 0);
	cse_request(x->cse, &rq, on_original, b);
	wr_free(&w);
	return true;
}

/* ---- AEs whose ID is unique within the service provider: TS-0001 clauses 7.2 (S-AE-ID-Stem) and 10.2.2.2 ---- */

struct seeking {
	const char *stem;             /* "Sxyz" */
	char *csi;
	size_t size;
	bool found;
};

static bool is_double_of_ae(void *ctx, struct resource *r)
{
	struct seeking *k = ctx;
	char link[CSE_ID_MAX];
	const char *id;

	if (resource_uint(r, "regs", 0) == AE_INACTIVE || !json_text(resource_get(r, "lnk"), link, sizeof link))
		return true;
	id = strrchr(link, '/');
	k->found = id && strcmp(id + 1, k->stem) == 0 && announce_csi(rd_str(link), k->csi, k->size);
	return !k->found;
}

bool cse_s_type_ae(struct cse *c, struct rd to, struct rd *rest, char *other, size_t size)
{
	struct rd path = to, stem;
	struct seeking k = {.csi = other, .size = size};
	struct resource *ae;
	char id[128];
	bool here;

	if (!rd_starts(path, "/S") || !rd_skip(&path, 1))
		return false;
	*rest = path;
	if (!rd_until(&path, '/', &stem))
		stem = path;
	ae = tree_by_ri(c->tree, stem);
	here = ae && ae->type == TY_AE && !ae_has_moved(ae);
	resource_unref(ae);
	if (here || !rd_text(stem, id, sizeof id))
		return here;
	k.stem = id;
	if (tree_by_type(c->tree, TY_AE + TY_ANNOUNCED, is_double_of_ae, &k) != OK)
		c->counts.refused++;
	return false;
}
