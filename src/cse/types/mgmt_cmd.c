/* mgmtCmd: TS-0001 clause 9.6.16, TS-0004 clause 7.4.16. execEnable true makes an execInstance for the node, or for each member of a group of nodes; it is
 * carried out by the node's management objects, whose device then does what their triggers say. */
#include "cse/types/mgmt_cmd.h"

#include "cse/types/types.h"

#define TARGETS_MOST 1000

/* ---- the trigger ---- */

static void copy(struct attributes *a, struct resource *command, const char *name)
{
	const struct json *v = resource_get(command, name);

	if (v)
		attributes_set_json(a, name, v);
}

static struct resource *instance_new(struct exchange *x, struct resource *command, struct resource *node)
{
	static const char *const copied[] = {"exm", "exf", "exy", "exn", "exra"};
	struct own_resource o = {.parent = command, .type = TY_EXEC_INSTANCE, .creator = x->from, .expires = command->expires};
	struct attributes a;

	attributes_init(&a, x->arena, NULL);
	attributes_set_uint(&a, "exs", EXEC_INITIATED);
	attributes_set_uint(&a, "exr", EXEC_NOT_FINISHED);
	attributes_set_string(&a, "ext", node->ri);
	for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
		copy(&a, command, copied[i]);
	o.attributes = &a;
	return cse_make_resource(x->cse, &o);
}

/* Who starts a command for a node must be one who could do it by hand. */
static void start_one(struct exchange *x, struct resource *command, struct resource *node)
{
	struct cse *c = x->cse;
	struct resource *instance = instance_new(x, command, node), *object;
	const struct command_way *w = command_way(resource_get(command, "cmt"));

	if (!instance) {
		c->round_broken = true;
		return;
	}
	cse_event(c, &(const struct event){.kind = EVENT_CHILD_CREATE, .subject = command, .shown = instance, .operation = ONEM2M_CREATE, .originator = x->from});
	object = w ? command_object(c, node, w, resource_get(command, "exra")) : NULL;
	if (!object)
		execution_tell(c, instance->id, EXEC_FINISHED, EXEC_UNSUPPORTED);
	else if (!cse_permits(x, object, ACOP_UPDATE))
		execution_tell(c, instance->id, EXEC_FINISHED, EXEC_DENIED);
	else
		execution_begin(c, instance);
	resource_unref(object);
	resource_unref(instance);
}

static void start_all(struct exchange *x, struct resource *command)
{
	struct resource *target = command_target(x->cse, resource_get(command, "ext")), *node;
	const struct json *members;
	unsigned count = 0;

	if (!target)
		return;
	if (target->type == TY_NODE) {
		start_one(x, command, target);
		resource_unref(target);
		return;
	}
	members = resource_get(target, "mid");
	for (const struct json *m = members ? members->first : NULL; m && count < TARGETS_MOST; m = m->next) {
		node = command_target(x->cse, m);
		if (node && node->type == TY_NODE) {
			start_one(x, command, node);
			count++;
		}
		resource_unref(node);
	}
	resource_unref(target);
}

static bool is_enabled(const struct json *given)
{
	bool on;

	return json_bool(json_get(given, "exe"), &on) && on;
}

/* Arguments of the command's own kind, and there where it needs them. */
static bool arguments_fit(struct exchange *x, const struct attributes *a)
{
	const struct command_way *w = command_way(attributes_value(a, "cmt"));
	const struct json *exra = attributes_value(a, "exra");

	if (!w) {
		exchange_fail(x, RSC_INVALID_CMDTYPE, "`cmt`: is no command");
		return false;
	}
	if (exra && exra->first && !json_get(exra, w->arguments)) {
		exchange_fail(x, RSC_INVALID_ARGUMENTS, "`exra`: this command's arguments are called `%s`", w->arguments);
		return false;
	}
	if (w->needed && !command_arguments(exra, w)) {
		exchange_fail(x, RSC_INSUFFICIENT_ARGUMENTS, "`exra`: this command needs arguments (`%s`)", w->arguments);
		return false;
	}
	return true;
}

/* ---- hooks of mgmtCmd ---- */

static enum hook_result command_create(struct creation *cr)
{
	if (!arguments_fit(cr->x, &cr->attributes))
		return HOOK_FAILED;
	if (!json_get(cr->given, "exe"))
		attributes_set_bool(&cr->attributes, "exe", false);
	return HOOK_GO;
}

static enum hook_result command_created(struct creation *cr)
{
	if (is_enabled(cr->given))
		start_all(cr->x, cr->made);
	return HOOK_GO;
}

static enum hook_result command_update(struct updating *u)
{
	return arguments_fit(u->x, &u->attributes) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result command_updated(struct updating *u)
{
	if (is_enabled(u->given))
		start_all(u->x, u->made);
	return HOOK_GO;
}

const struct type_hooks hooks_mgmt_cmd = {
	.type = TY_MGMT_CMD,
	.create = command_create,
	.created = command_created,
	.update = command_update,
	.updated = command_updated,
};
