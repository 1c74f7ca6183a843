/* RETRIEVE with every result content: TS-0004 clause 7.2.2.2, TS-0001 table 8.1.2-1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

static bool take_virtual(struct exchange *x)
{
	struct resource *instance;

	if (x->virtual_child == VIRTUAL_NONE)
		return true;
	if (resource_bool(x->target, "disr", false)) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "retrieval of instances is disabled (disr)");
		return false;
	}
	if (x->virtual_child == VIRTUAL_LATEST)
		location_before_latest(x->cse, x->target);
	instance = x->virtual_child == VIRTUAL_LATEST ? tree_latest(x->cse->tree, x->target) : tree_oldest(x->cse->tree, x->target);
	if (!instance) {
		cse_event(x->cse, &(const struct event){.kind = EVENT_RETRIEVE_NECR, .subject = x->target, .shown = x->target, .operation = ONEM2M_RETRIEVE, .originator = x->from});
		exchange_fail(x, RSC_NOT_FOUND, "there is no instance");
		return false;
	}
	resource_unref(x->target);
	x->target = instance;
	return true;
}

/* Attributes that the type does not have are an error, those that the resource lacks are not. */
static bool attributes_exist(struct exchange *x)
{
	const struct schema_type *t = x->target->schema;

	for (size_t i = 0; i < x->filter.attribute_list_count; i++) {
		struct rd name = x->filter.attribute_list[i];

		if (t && !t->custom && !schema_attribute(t, name)) {
			exchange_fail(x, RSC_BAD_REQUEST, "`atrl`: `%.*s` is no attribute of this type", (int)(name.left < 64 ? name.left : 64), (const char *)name.at);
			return false;
		}
	}
	return true;
}

static void take_fragment(struct exchange *x)
{
	/* "#rr" behind the address asks for one attribute: TS-0004 clause 7.3.3.9 */
	struct rd to = x->rq->to, before;

	if (rd_until(&to, '#', &before) && to.left > 0 && x->filter.attribute_list_count < FILTER_LIST_MAX)
		x->filter.attribute_list[x->filter.attribute_list_count++] = to;
}

/* rcn 7: the resource that an announced one stands for. */
static void retrieve_original(struct exchange *x)
{
	struct rd link;

	if (!json_string(resource_get(x->target, "lnk"), &link)) {
		exchange_fail(x, RSC_BAD_REQUEST, "rcn 7 is for announced resources");
		return;
	}
	exchange_retarget(x, link);
}

static void put_permissions(struct exchange *x, struct wr *w)
{
	static const unsigned operations[] = {ACOP_CREATE, ACOP_RETRIEVE, ACOP_UPDATE, ACOP_DELETE, ACOP_NOTIFY, ACOP_DISCOVERY};
	struct json_out o = json_out(w);
	unsigned held = 0;

	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		if (cse_permits(x, x->target, operations[i]))
			held |= operations[i];
	json_object(&o, NULL);
	json_object(&o, x->target->root);
	json_put_uint(&o, "acop", held);
	json_close(&o);
	json_close(&o);
}

static void answer(struct exchange *x, struct wr w)
{
	struct rd content;

	if (wr_done(&w, &content))
		exchange_answer_composed(x, RSC_OK, content, rd_str(""));
	else
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the answer is too large; ask with lim and ofst");
	wr_free(&w);
}

static void retrieve_one(struct exchange *x, int rcn)
{
	const struct type_hooks *h = type_hooks(x->target->type);
	struct wr w = wr_new(CSE_BODY_MAX * 16);

	if (rcn == 12) {
		put_permissions(x, &w);
		answer(x, w);
		return;
	}
	if (x->filter.attribute_list_count > 0) {
		if (!attributes_exist(x)) {
			wr_free(&w);
			return;
		}
		represent_partial(x->cse, x->target, x->filter.attribute_list, x->filter.attribute_list_count, &w);
	} else {
		represent(x->cse, x->target, &w);
	}
	if (h->retrieved && !w.spoilt && h->retrieved(x) != HOOK_GO)
		wr_free(&w);
	else
		answer(x, w);
}

void cse_retrieve(struct exchange *x)
{
	int rcn = x->rcn == ONEM2M_RCN_ABSENT ? 1 : x->rcn;
	const struct type_hooks *h;

	x->cse->counts.retrieved++;
	if (filter_discovers(&x->filter)) {
		cse_discover(x);
		return;
	}
	if (!cse_permits(x, x->target, ACOP_RETRIEVE)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not retrieve this", x->from);
		return;
	}
	if (!take_virtual(x))
		return;
	h = type_hooks(x->target->type);
	if (h->retrieve && h->retrieve(x) != HOOK_GO)
		return;
	take_fragment(x);
	if (rcn == 10)
		semantic_retrieve(x);
	else if (rcn == 7)
		retrieve_original(x);
	else if (rcn == 1 && x->filter.usage == FILTER_CONDITIONAL && !filter_matches(&x->filter, x->cse, x->target))
		exchange_fail(x, RSC_NOT_FOUND, "the resource does not match the filter criteria");
	else if (rcn == 4 || rcn == 5 || rcn == 6 || rcn == 8)
		children_put(x, rcn, answer);
	else
		retrieve_one(x, rcn);
}
