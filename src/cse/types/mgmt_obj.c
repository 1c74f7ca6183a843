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
	bool always;             /* they read true whatever was set, and the status alone tells: tables D.9.1-3 and D.11.1-3 */
} triggers[] = {
	{MGD_FIRMWARE, "ud", NULL, "uds", true, false},
	{MGD_SOFTWARE, "in", "un", "ins", true, false},
	{MGD_SOFTWARE, "act", "dea", "acts", true, false},
	{MGD_DEVICE_CAPABILITY, "ena", "dis", "cas", false, true},
	{MGD_REBOOT, "rbo", "far", NULL, true, false},
	{MGD_EVENT_LOG, "lga", "lgo", NULL, false, true},
	{MGD_WIFI_CLIENT, "ud", NULL, "uds", false, false},
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

static void show_always(struct attributes *a, const struct trigger *t)
{
	attributes_set_bool(a, t->one, true);
	attributes_set_bool(a, t->other, true);
}

/* What a wifiClient has before its device says anything. */
static void complete_wifi(struct attributes *a)
{
	static const char *const off[] = {"scan", "ud", "trdst", "rdst"};
	struct rd raw;

	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		if (!attributes_get(a, off[i], &raw))
			attributes_set_bool(a, off[i], false);
	if (!attributes_get(a, "scanr", &raw))
		attributes_set_raw(a, "scanr", rd_str("[]"));
}

/* dcfg:wifiCredentials: a network without encryption has none, WEP a key, a personal network a passphrase, an enterprise's a user with a password. */
static bool credentials_fit(struct exchange *x, const struct json *creds)
{
	static const struct {
		uint64_t first, last;
		const char *needs[2];
	} kinds[] = {{1, 1, {NULL, NULL}}, {2, 2, {"wepk", NULL}}, {3, 5, {"wpap", NULL}}, {6, 8, {"unm", "pwd"}}};
	uint64_t type;
	size_t k = 0, n = 0;

	if (!creds || !json_uint(json_get(creds, "enct"), &type))
		return true;
	while (k + 1 < sizeof kinds / sizeof kinds[0] && type > kinds[k].last)
		k++;
	for (size_t i = 0; i < 2 && kinds[k].needs[i]; i++, n++)
		if (!json_get(creds, kinds[k].needs[i]))
			break;
	if (creds->count == n + 1 && (n == 2 || !kinds[k].needs[n]))
		return true;
	exchange_fail(x, RSC_BAD_REQUEST, "`wcrds`: is not what encryption type %llu needs, and nothing else", (unsigned long long)type);
	return false;
}

/* dataCollection: by a schedule or by an interval, TS-0022 clause 7.1. */
static bool collects_one_way(struct exchange *x, const struct attributes *a)
{
	static const char *const ways[][2] = {{"rpsc", "rpil"}, {"mesc", "meil"}};

	for (size_t i = 0; i < 2; i++) {
		if (!attributes_value(a, ways[i][0]) || !attributes_value(a, ways[i][1]))
			continue;
		exchange_fail(x, RSC_BAD_REQUEST, "`%s` and `%s`: there can be only one of them", ways[i][0], ways[i][1]);
		return false;
	}
	return true;
}

static enum hook_result mgmt_create(struct creation *cr)
{
	struct attributes *a = &cr->attributes;

	if (!cmdh_is_alone(cr) || (cr->type->mgd == MGD_DATA_COLLECTION && !collects_one_way(cr->x, a)))
		return HOOK_FAILED;
	if (cr->type->mgd == MGD_WIFI_CLIENT && !credentials_fit(cr->x, json_get(cr->given, "wcrds")))
		return HOOK_FAILED;
	if (cr->type->mgd == MGD_WIFI_CLIENT)
		complete_wifi(a);
	for (size_t i = 0; i < TRIGGERS; i++) {
		const struct trigger *t = &triggers[i];

		if (t->mgd == cr->type->mgd && t->always)
			show_always(a, t);
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

/* What was triggered last, as the status tells it. */
static bool is_under_way(struct updating *u, const struct trigger *t, const char *name)
{
	const struct json *status = resource_get(u->old, t->status);
	uint64_t n;

	return json_uint(json_get(status, "sus"), &n) && n == IN_PROCESS && json_is_string(json_get(status, "acn"), name);
}

/* The status that the device reports is the end of what was triggered. */
static void end_by_status(struct updating *u, const struct trigger *t)
{
	struct attributes *a = &u->attributes;
	uint64_t status;
	struct rd raw;

	if (!json_uint(json_get(json_get(u->given, t->status), "sus"), &status) || (status != SUCCESSFUL && status != FAILURE))
		return;
	if (t->mgd == MGD_DEVICE_CAPABILITY && status == SUCCESSFUL && (is_under_way(u, t, t->one) || is_under_way(u, t, t->other)))
		attributes_set_bool(a, "cus", is_under_way(u, t, t->one));
	if (t->always)
		return;
	if (attributes_get(a, t->one, &raw))
		attributes_set_bool(a, t->one, false);
	if (t->other && attributes_get(a, t->other, &raw))
		attributes_set_bool(a, t->other, false);
}

static bool run_trigger(struct updating *u, const struct trigger *t)
{
	bool one = is_true(json_get(u->given, t->one)), other = t->other && is_true(json_get(u->given, t->other));
	struct attributes *a = &u->attributes;
	const int64_t *ids;
	struct rd raw;

	if (one && other) {
		exchange_fail(u->x, RSC_BAD_REQUEST, "`%s` and `%s`: only one of them can be done at a time", t->one, t->other);
		return false;
	}
	/* the new one takes the other's place */
	if (t->always)
		show_always(a, t);
	else if ((one || other) && t->other && attributes_get(a, one ? t->other : t->one, &raw))
		attributes_set_bool(a, one ? t->other : t->one, false);
	if (t->mgd == MGD_EVENT_LOG && (one || other))
		attributes_set_uint(a, "lgst", one ? 1 : 2); /* Started, Stopped */
	if (t->mgd == MGD_REBOOT && (one || other) && u->x->cse->config.testbench && tree_subscriptions(u->x->cse->tree, u->old, &ids) == 0)
		attributes_set_bool(a, one ? t->one : t->other, false); /* no device is there to do it and to say so */
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

	if ((mgd == MGD_DATA_COLLECTION && !collects_one_way(u->x, &u->attributes)) || (mgd == MGD_WIFI_CLIENT && !credentials_fit(u->x, json_get(u->given, "wcrds"))))
		return HOOK_FAILED;
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
