/* action and dependency: TS-0001 clauses 9.6.61, 9.6.62 and 10.2.21. An action watches its subject; when a change of it meets the criteria, and
 * the dependencies hold, its request is carried out in the name of who made the action. */
#include "cse/types/action.h"

#include <string.h>

#include "cse/primitive.h"
#include "cse/types/condition.h"
#include "cse/types/types.h"
#include "cse/types/watches.h"

#define REFUSE(x, ...) (exchange_fail(x, RSC_BAD_REQUEST, __VA_ARGS__), false)

/* ---- what it watches ---- */

struct resource *action_subject(struct cse *c, const struct json *sri, struct resource *parent)
{
	struct resource *process, *about;

	if (sri && sri->type == JSON_STRING)
		return cse_find_address(c, sri->text);
	if (parent->type != TY_STATE)
		return resource_ref(parent);
	process = tree_parent(c->tree, parent);
	about = process ? tree_parent(c->tree, process) : NULL;
	resource_unref(process);
	return about;
}

static void watch(struct cse *c, struct resource *action)
{
	struct resource *parent = tree_parent(c->tree, action), *subject = parent ? action_subject(c, resource_get(action, "sri"), parent) : NULL;

	if (subject && resource_uint(action, "evm", EVAL_OFF) != EVAL_OFF)
		watches_set(c, action->id, &subject->id, 1);
	else
		watches_set(c, action->id, NULL, 0);
	resource_unref(subject);
	resource_unref(parent);
}

/* ---- evaluation ---- */

/* One that is sufficient and holds is enough; otherwise all that are needed must hold. */
static bool dependencies_hold(struct cse *c, struct resource *action)
{
	const struct json *dep = resource_get(action, "dep");
	bool needed = false, all = true, enough = false, any = false;

	for (const struct json *d = dep ? dep->first : NULL; d && !enough; d = d->next) {
		struct resource *r = d->type == JSON_STRING ? cse_find_address(c, d->text) : NULL, *subject = NULL;
		struct rd rri;
		bool holds;

		if (r && json_string(resource_get(r, "rri"), &rri))
			subject = cse_find_address(c, rri);
		holds = subject && condition_holds(resource_get(r, "evc"), subject);
		any = any || r;
		if (r && resource_bool(r, "sfc", false)) {
			enough = holds;
		} else if (r) {
			needed = true;
			all = all && holds;
		}
		resource_unref(subject);
		resource_unref(r);
	}
	return !any || enough || (needed && all);
}

static bool is_in_an_idle_state(struct cse *c, struct resource *action)
{
	struct resource *parent = tree_parent(c->tree, action);
	bool idle = parent && parent->type == TY_STATE && !resource_bool(parent, "sact", false);

	resource_unref(parent);
	return idle;
}

void action_subject_changed(struct cse *c, struct resource *action, struct resource *subject)
{
	if (is_in_an_idle_state(c, action) || !action_may_evaluate(c, action))
		return;
	if (condition_holds(resource_get(action, "evc"), subject) && dependencies_hold(c, action) && action_may_run(c, action))
		action_enqueue(c, action);
}

/* ---- checks ---- */

static struct resource *existing(struct exchange *x, const struct json *id, const char *name)
{
	struct resource *r = id && id->type == JSON_STRING ? cse_find_address(x->cse, id->text) : NULL;

	if (!r)
		exchange_fail(x, RSC_BAD_REQUEST, "`%s`: there is no such resource at this CSE", name);
	return r;
}

/* A period, or a number of evaluations: of no use to the other modes. TS-0001 table 9.6.61-2. */
static bool mode_fits(struct exchange *x, const struct attributes *a)
{
	const struct json *ecp = attributes_value(a, "ecp");
	uint64_t mode;

	if (!ecp || ecp->type == JSON_NULL || !json_uint(attributes_value(a, "evm"), &mode) || mode == EVAL_PERIODIC || mode == EVAL_CONTINUOUS)
		return true;
	return REFUSE(x, "`ecp`: only goes with an evalMode (evm) that is periodic or continuous");
}

/* What is watched must be the originator's to read, or the condition would tell it. */
static bool subject_fits(struct exchange *x, const struct attributes *a, struct resource *parent)
{
	const struct json *sri = attributes_value(a, "sri");
	struct resource *subject = action_subject(x->cse, sri, parent);
	bool ok = false;

	if (!subject)
		return REFUSE(x, "`sri`: there is no such resource at this CSE");
	if (!cse_permits(x, subject, ACOP_RETRIEVE))
		exchange_fail(x, RSC_BAD_REQUEST, "`sri`: %s may not retrieve it", x->from);
	else
		ok = condition_check(x, attributes_value(a, "evc"), subject, "evc", RSC_BAD_REQUEST);
	resource_unref(subject);
	return ok;
}

static bool object_fits(struct exchange *x, const struct attributes *a)
{
	const struct json *orc = attributes_value(a, "orc");
	char other[CSE_ID_MAX];
	struct resource *r;
	struct rd rest;
	bool ok;

	if (orc && orc->type == JSON_STRING && !cse_is_local(x->cse, orc->text, &rest, other, sizeof other))
		return true;
	r = existing(x, orc, "orc");
	if (!r)
		return false;
	ok = cse_permits(x, r, ACOP_RETRIEVE);
	resource_unref(r);
	return ok || REFUSE(x, "`orc`: %s may not retrieve it", x->from);
}

/* The request is carried out with its originator's privileges: nobody but who asks for it, or the administrator, may name one. */
static bool request_fits(struct exchange *x, const struct attributes *a)
{
	struct onem2m_request rq;
	char from[CSE_ID_MAX];
	const struct json *apv = attributes_value(a, "apv");

	if (!apv || !primitive_request(x->arena, apv, &rq))
		return REFUSE(x, "`apv`: its filter criteria are of no use");
	if (rq.operation == ONEM2M_CREATE && (rq.type == 0 || rq.content.left == 0))
		return REFUSE(x, "`apv`: to create needs a type (ty) and a content (pc)");
	if (rq.from.left == 0 || x->privileged)
		return true;
	if (cse_sp_relative(x->cse, rq.from, from, sizeof from) && strcmp(from, x->from) == 0)
		return true;
	return REFUSE(x, "`apv.fr`: must be the originator");
}

/* An attribute's value in the place of a text. */
static bool input_fits(struct exchange *x, const struct attributes *a)
{
	const struct json *ipu = attributes_value(a, "ipu");
	struct resource *r;
	bool ok;

	if (!ipu || !ipu->first)
		return true;
	if (!json_get(ipu, "cstr") || !json_get(ipu, "rsid") || !json_get(ipu, "raid"))
		return REFUSE(x, "`ipu`: needs a text (cstr), a resource (rsid) and an attribute (raid)");
	r = existing(x, json_get(ipu, "rsid"), "ipu.rsid");
	if (!r)
		return false;
	ok = cse_permits(x, r, ACOP_RETRIEVE);
	if (!ok)
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not retrieve the input of the action", x->from);
	resource_unref(r);
	return ok;
}

static bool dependencies_fit(struct updating *u)
{
	const struct json *dep = json_get(u->given, "dep");

	for (const struct json *d = dep && dep->type == JSON_ARRAY ? dep->first : NULL; d; d = d->next) {
		struct resource *r = d->type == JSON_STRING ? cse_find_address(u->x->cse, d->text) : NULL;
		bool ok = r && r->type == TY_DEPENDENCY && r->parent == u->old->id;

		resource_unref(r);
		if (!ok)
			return REFUSE(u->x, "`dep`: must name dependencies of this action");
	}
	return true;
}

static enum hook_result action_create(struct creation *cr)
{
	struct exchange *x = cr->x;
	const struct attributes *a = &cr->attributes;

	return mode_fits(x, a) && subject_fits(x, a, x->target) && object_fits(x, a) && request_fits(x, a) && input_fits(x, a) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result action_created(struct creation *cr)
{
	watch(cr->x->cse, cr->made);
	return HOOK_GO;
}

static enum hook_result action_update(struct updating *u)
{
	struct exchange *x = u->x;
	const struct attributes *a = &u->attributes;
	struct resource *parent = tree_parent(x->cse->tree, u->old);
	bool ok = parent && dependencies_fit(u) && mode_fits(x, a);

	if (ok && (json_get(u->given, "sri") || json_get(u->given, "evc")))
		ok = subject_fits(x, a, parent);
	if (ok && json_get(u->given, "orc"))
		ok = object_fits(x, a);
	if (ok && json_get(u->given, "apv"))
		ok = request_fits(x, a);
	if (ok && json_get(u->given, "ipu"))
		ok = input_fits(x, a);
	resource_unref(parent);
	return ok ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result action_updated(struct updating *u)
{
	if (json_get(u->given, "evm") || json_get(u->given, "ecp"))
		action_reset(u->x->cse, u->made);
	watch(u->x->cse, u->made);
	return HOOK_GO;
}

static void action_removed(struct cse *c, struct resource *r)
{
	watches_set(c, r->id, NULL, 0);
	action_forget(c, r);
}

/* ---- dependencies ---- */

static bool reference_fits(struct exchange *x, const struct attributes *a)
{
	struct resource *r = existing(x, attributes_value(a, "rri"), "rri");
	bool ok = false;

	if (!r)
		return false;
	if (!cse_permits(x, r, ACOP_RETRIEVE))
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not retrieve what the action shall depend on", x->from);
	else
		ok = condition_check(x, attributes_value(a, "evc"), r, "evc", RSC_BAD_REQUEST);
	resource_unref(r);
	return ok;
}

static enum hook_result dependency_create(struct creation *cr)
{
	return reference_fits(cr->x, &cr->attributes) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result dependency_update(struct updating *u)
{
	if (!json_get(u->given, "rri") && !json_get(u->given, "evc"))
		return HOOK_GO;
	return reference_fits(u->x, &u->attributes) ? HOOK_GO : HOOK_FAILED;
}

/* The action does not name what is gone. */
static void leave_out(void *ctx, struct attributes *a)
{
	const struct json *dep = attributes_value(a, "dep");
	struct resource *gone = ctx;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	const struct json *list;
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *d = dep ? dep->first : NULL; d; d = d->next) {
		struct rd id = d->text, part;

		while (rd_until(&id, '/', &part))
			;
		if (!rd_is(id, gone->ri) && !rd_is(id, gone->rn))
			json_put(&o, NULL, d);
	}
	json_close(&o);
	if (dep && wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK) {
		if (list->count > 0)
			attributes_set_json(a, "dep", list);
		else
			attributes_remove(a, "dep");
	}
	wr_free(&w);
}

static void action_child_removed(struct cse *c, struct resource *parent, struct resource *child)
{
	if (child->type == TY_DEPENDENCY && resource_get(parent, "dep") && cse_edit_resource(c, parent->id, false, leave_out, child) != OK)
		c->round_broken = true;
}

const struct type_hooks hooks_action = {
	.type = TY_ACTION,
	.create = action_create,
	.created = action_created,
	.child_removed = action_child_removed,
	.update = action_update,
	.updated = action_updated,
	.removed = action_removed,
	.start = watch,
};
const struct type_hooks hooks_dependency = {.type = TY_DEPENDENCY, .create = dependency_create, .update = dependency_update};
