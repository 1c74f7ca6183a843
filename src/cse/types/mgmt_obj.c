/* mgmtObj: TS-0004 clause 7.4.15 and annex D. The objects are storage that a device and its managers share; some attributes of them are
 * triggers with a status beside them: the trigger set to true says In_Process, and the status that the device reports ends it. */
#include "cse/types/mgmt_obj.h"

#include <string.h>

#include "cse/types/types.h"

enum status { UNINITIALIZED, SUCCESSFUL, FAILURE, IN_PROCESS }; /* m2m:status */

/* Two triggers that exclude each other, and the status that tells about both. */
static const struct trigger {
	int mgd;
	const char *one, *other; /* other NULL: it is alone */
	const char *status;      /* m2m:actionStatus; NULL: none */
	bool made;               /* the CSE makes them at the creation */
} triggers[] = {
	{MGD_FIRMWARE, "ud", NULL, "uds", true},
	{MGD_SOFTWARE, "in", "un", "ins", true},
	{MGD_SOFTWARE, "act", "dea", "acts", true},
	{MGD_DEVICE_CAPABILITY, "ena", "dis", "cas", false},
	{MGD_REBOOT, "rbo", "far", NULL, true},
	{MGD_EVENT_LOG, "lga", "lgo", NULL, false},
	{MGD_WIFI_CLIENT, "ud", NULL, "uds", false},
};

#define TRIGGERS (sizeof triggers / sizeof triggers[0])

static void set_status(struct attributes *a, const char *name, const char *action, enum status status)
{
	struct wr w = wr_new(256);
	struct json_out o = json_out(&w);
	const struct json *v;
	struct rd text;

	json_object(&o, NULL);
	if (action)
		json_put_string(&o, "acn", action);
	json_put_int(&o, "sus", status);
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &v) == OK)
		attributes_set_json(a, name, v);
	wr_free(&w);
}

static bool is_true(const struct json *v)
{
	bool b;

	return json_bool(v, &b) && b;
}

static enum hook_result mgmt_create(struct creation *cr)
{
	struct attributes *a = &cr->attributes;

	if (!cmdh_is_alone(cr))
		return HOOK_FAILED;
	for (size_t i = 0; i < TRIGGERS; i++) {
		const struct trigger *t = &triggers[i];

		if (t->mgd != cr->type->mgd || !t->made)
			continue;
		/* nothing happens before the device knows of the object */
		attributes_set_bool(a, t->one, t->mgd == MGD_FIRMWARE && is_true(json_get(cr->given, t->one)));
		if (t->other)
			attributes_set_bool(a, t->other, false);
		if (t->status && is_true(attributes_value(a, t->one)))
			set_status(a, t->status, t->one, IN_PROCESS);
		else if (t->status)
			set_status(a, t->status, NULL, UNINITIALIZED);
	}
	return HOOK_GO;
}

void mgmt_obj_set(struct attributes *a, int mgd, const char *name, bool on)
{
	for (size_t i = 0; i < TRIGGERS; i++) {
		const struct trigger *t = &triggers[i];

		if (t->mgd != mgd || (strcmp(t->one, name) != 0 && (!t->other || strcmp(t->other, name) != 0)))
			continue;
		attributes_set_bool(a, name, on);
		if (t->status)
			set_status(a, t->status, on ? name : NULL, on ? IN_PROCESS : UNINITIALIZED);
	}
}

bool mgmt_obj_is_done(struct resource *object, const char *name, bool *well)
{
	uint64_t status;

	*well = true;
	if (resource_bool(object, name, false))
		return false;
	for (size_t i = 0; i < TRIGGERS; i++) {
		const struct trigger *t = &triggers[i];

		if (object->schema && t->mgd == object->schema->mgd && t->status && (strcmp(t->one, name) == 0 || (t->other && strcmp(t->other, name) == 0)) &&
		    json_uint(json_get(resource_get(object, t->status), "sus"), &status))
			*well = status != FAILURE;
	}
	return true;
}

/* The status that the device reports is the end of what was triggered. */
static void end_by_status(struct updating *u, const struct trigger *t)
{
	struct attributes *a = &u->attributes;
	uint64_t status;
	struct rd raw;

	if (!json_uint(json_get(json_get(u->given, t->status), "sus"), &status) || (status != SUCCESSFUL && status != FAILURE))
		return;
	if (t->mgd == MGD_DEVICE_CAPABILITY && status == SUCCESSFUL && (is_true(attributes_value(a, t->one)) || is_true(attributes_value(a, t->other))))
		attributes_set_bool(a, "cus", is_true(attributes_value(a, t->one)));
	if (attributes_get(a, t->one, &raw))
		attributes_set_bool(a, t->one, false);
	if (t->other && attributes_get(a, t->other, &raw))
		attributes_set_bool(a, t->other, false);
}

static bool run_trigger(struct updating *u, const struct trigger *t)
{
	bool one = is_true(json_get(u->given, t->one)), other = t->other && is_true(json_get(u->given, t->other));
	struct attributes *a = &u->attributes;
	struct rd raw;

	if (one && other) {
		exchange_fail(u->x, RSC_BAD_REQUEST, "`%s` and `%s`: only one of them can be done at a time", t->one, t->other);
		return false;
	}
	/* the new one takes the other's place */
	if ((one || other) && t->other && attributes_get(a, one ? t->other : t->one, &raw))
		attributes_set_bool(a, one ? t->other : t->one, false);
	if (t->mgd == MGD_EVENT_LOG && (one || other))
		attributes_set_uint(a, "lgst", one ? 1 : 2); /* Started, Stopped */
	if (!t->status)
		return true;
	if (json_get(u->given, t->status))
		end_by_status(u, t);
	else if (one || other)
		set_status(a, t->status, one ? t->one : t->other, IN_PROCESS);
	return true;
}

static enum hook_result mgmt_update(struct updating *u)
{
	int mgd = u->old->schema ? u->old->schema->mgd : 0;

	for (size_t i = 0; i < TRIGGERS; i++)
		if (triggers[i].mgd == mgd && !run_trigger(u, &triggers[i]))
			return HOOK_FAILED;
	return HOOK_GO;
}

static enum hook_result mgmt_updated(struct updating *u)
{
	command_object_changed(u->x->cse, u->made);
	area_device_changed(u->x->cse, u->old, u->made);
	return HOOK_GO;
}

static enum hook_result mgmt_created(struct creation *cr)
{
	area_device_changed(cr->x->cse, NULL, cr->made);
	cmdh_count(cr->x->cse, cr->made, true);
	return HOOK_GO;
}

static void mgmt_start(struct cse *c, struct resource *r)
{
	cmdh_count(c, r, true);
}

static void mgmt_removed(struct cse *c, struct resource *r)
{
	area_device_changed(c, r, NULL);
	cmdh_count(c, r, false);
}

const struct type_hooks hooks_mgmt_obj = {
	.type = TY_MGMT_OBJ,
	.create = mgmt_create,
	.created = mgmt_created,
	.update = mgmt_update,
	.updated = mgmt_updated,
	.removed = mgmt_removed,
	.start = mgmt_start,
};
