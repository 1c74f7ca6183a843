/* container and contentInstance: TS-0004 clauses 7.4.6 and 7.4.7. */
#include <stdio.h>
#include <string.h>

#include "cse/types/instances.h"
#include "cse/types/types.h"

static enum hook_result container_create(struct creation *cr)
{
	cr->counters = (struct counters){.used = true, .has_state_tag = true};
	return HOOK_GO;
}

/* What could not be retrieved is not to be had afterwards either: disr that is switched off empties the container, TS-0004 clause 7.4.6.2.3. */
static enum hook_result container_updated(struct updating *u)
{
	if (resource_bool(u->old, "disr", false) && !resource_bool(u->made, "disr", false) && !instances_clear(u->x, u->made))
		return HOOK_FAILED;
	return instances_trim(u->x, u->made) ? HOOK_GO : HOOK_FAILED;
}

/* m2m:contentInfo: media type, optionally ":" and the encoding 0..2, optionally ":" and the security 0..5. TS-0004 clause 6.3.3. */
static bool content_info_is_good(struct rd cnf)
{
	struct rd part;
	uint64_t n;

	if (!rd_until(&cnf, ':', &part))
		return cnf.left > 0;
	if (part.left == 0)
		return false;
	if (!rd_until(&cnf, ':', &part))
		return rd_decimal(cnf, &n) && n <= 2;
	return rd_decimal(part, &n) && n <= 2 && rd_decimal(cnf, &n) && n <= 5;
}

static enum hook_result instance_create(struct creation *cr)
{
	struct exchange *x = cr->x;
	const struct json *con = json_get(cr->given, "con"), *cnf = json_get(cr->given, "cnf");
	uint64_t size = instances_content_size(con);

	if (x->target->type != TY_CONTAINER)
		return HOOK_GO;
	if (cnf && !content_info_is_good(cnf->text)) {
		exchange_fail(x, RSC_BAD_REQUEST, "`cnf`: must be a media type, an encoding (0 to 2) and a security option (0 to 5), joined by `:`");
		return HOOK_FAILED;
	}
	if (size > resource_limits(x->target)->octets) {
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the content has %llu octets, more than the container takes (mbs)", (unsigned long long)size);
		return HOOK_FAILED;
	}
	attributes_set_uint(&cr->attributes, "cs", size);
	attributes_set_uint(&cr->attributes, "st", x->target->counters.state_tag + 1);
	instances_age(cr);
	return HOOK_GO;
}

static enum hook_result container_child_created(struct creation *cr)
{
	if (cr->type->ty != TY_CONTENT_INSTANCE)
		return HOOK_GO;
	return instances_add(cr, instances_content_size(json_get(cr->given, "con"))) ? HOOK_GO : HOOK_FAILED;
}

static void container_child_removed(struct cse *c, struct resource *parent, struct resource *child)
{
	if (child->type == TY_CONTENT_INSTANCE)
		instances_subtract(c, parent, child);
}

/* disr of the container: neither RETRIEVE nor DELETE of an instance, TS-0001 clause 9.6.6. */
static enum hook_result instance_allows(struct exchange *x, struct resource *r)
{
	struct resource *parent = tree_parent(x->cse->tree, r);
	bool disabled = parent && resource_bool(parent, "disr", false);

	resource_unref(parent);
	if (!disabled)
		return HOOK_GO;
	exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "retrieval and deletion of instances are disabled (disr)");
	return HOOK_FAILED;
}

static enum hook_result instance_retrieve(struct exchange *x)
{
	return instance_allows(x, x->target);
}

static void set_deletion_count(void *ctx, struct attributes *a)
{
	attributes_set_uint(a, "dcnt", *(uint64_t *)ctx);
}

/* deletionCnt: as often may it be retrieved, then it goes. TS-0001 clause 9.6.7. */
static enum hook_result instance_retrieved(struct exchange *x)
{
	uint64_t left = resource_uint(x->target, "dcnt", 0);
	enum err e;

	if (left == 0)
		return HOOK_GO;
	if (!exchange_save(x))
		return HOOK_FAILED;
	left--;
	e = left == 0 ? cse_delete_subtree(x->cse, x->target, true) : cse_edit_snapshot(x->cse, x->target, false, set_deletion_count, &left);
	if (e == OK)
		return HOOK_GO;
	exchange_store_failed(x, e);
	return HOOK_FAILED;
}

/* With instances that nobody may delete one by one, a conformance suite expects the same of all of them. Clause 9.6.6 leaves it open. */
static enum hook_result container_remove(struct exchange *x, struct resource *r)
{
	if (!x || !x->cse->config.testbench || r->counters.instances == 0 || !resource_bool(r, "disr", false))
		return HOOK_GO;
	exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "deletion of instances is disabled (disr)");
	return HOOK_FAILED;
}

static void container_removed(struct cse *c, struct resource *r)
{
	location_container_removed(c, r);
}

const struct type_hooks hooks_container = {
	.type = TY_CONTAINER,
	.create = container_create,
	.updated = container_updated,
	.remove = container_remove,
	.removed = container_removed,
	.child_created = container_child_created,
	.child_removed = container_child_removed,
};
const struct type_hooks hooks_content_instance = {
	.type = TY_CONTENT_INSTANCE,
	.create = instance_create,
	.remove = instance_allows,
	.retrieve = instance_retrieve,
	.retrieved = instance_retrieved,
};
