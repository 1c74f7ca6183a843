/* Requests of the administration socket. */
#include "mef/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mef/admin_call.h"
#include "mef/admin_client.h"

#define AUDIT_MOST 1000 /* entries an answer; the client asks on from the last */

struct rd admin_member(const struct call *c, const char *name)
{
	struct rd text = {NULL, 0};

	if (!json_string(json_get(c->request, name), &text))
		text.left = 0;
	return text;
}

enum err admin_wrong(struct call *c, enum err e, const char *message)
{
	snprintf(c->message, sizeof c->message, "%s", message);
	return e;
}

/* ---- devices ---- */

static void device_put(struct json_out *o, const char *name, const struct mef_device *d)
{
	const struct mef_generation *g = mef_generation_in_use(d);
	char eui64[EUI64_SIZE];

	eui64_print(eui64, d->eui64);
	json_object(o, name);
	json_put_string(o, "eui64", eui64);
	json_put_string(o, "owner", d->owner);
	json_put_string(o, "gateway", d->gateway);
	json_put_string(o, "application", d->application);
	if (d->replaces) {
		eui64_print(eui64, d->replaces);
		json_put_string(o, "replaces", eui64);
	}
	json_put_string(o, "state", device_state_name(d->state));
	json_put_uint(o, "short", d->short_address);
	json_put_uint(o, "generation", g ? g->number : 0);
	json_put_bool(o, "rotating", d->rotation != MEF_ROTATION_NONE);
	json_put_uint(o, "registered_at", d->registered_at);
	json_put_uint(o, "last_event_at", d->last_event_at);
	json_put_string(o, "last_event", d->last_event);
	json_put_string(o, "reason", d->reason);
	json_close(o);
}

static struct mef_device_order device_order(const struct call *c)
{
	return (struct mef_device_order){admin_member(c, "device"), admin_member(c, "code"), admin_member(c, "owner"), admin_member(c, "gateway"), admin_member(c, "application"), 0};
}

static enum err device_check(struct call *c)
{
	const struct mef_device_order order = device_order(c);

	return mef_device_check(c->mef, &order, c->message);
}

static enum err device_add(struct call *c)
{
	const struct mef_device_order order = device_order(c);
	struct mef_device *d;
	enum err e = mef_device_add(c->mef, &order, &d, c->message);

	if (e == OK)
		device_put(c->out, "device", d);
	return e;
}

static enum err device_named(struct call *c, uint64_t *eui64)
{
	return eui64_parse(admin_member(c, "device"), eui64) ? OK : admin_wrong(c, ERR_BAD_VALUE, "`device` must be an EUI-64 of 16 hexadecimal digits");
}

static enum err device_list(struct call *c)
{
	json_array(c->out, "devices");
	for (const struct mef_device *d = mef_device_next(c->mef, NULL); d; d = mef_device_next(c->mef, d))
		device_put(c->out, NULL, d);
	json_close(c->out);
	return OK;
}

static enum err device_show(struct call *c)
{
	struct mef_device *d;
	uint64_t eui64;
	enum err e = device_named(c, &eui64);

	if (e != OK)
		return e;
	d = mef_device_find(c->mef, eui64);
	if (!d)
		return admin_wrong(c, ERR_NOT_FOUND, "the device is not registered; `keyway device list` shows those that are");
	device_put(c->out, "device", d);
	return OK;
}

static enum err device_remove(struct call *c)
{
	uint64_t eui64;
	enum err e = device_named(c, &eui64);

	return e == OK ? mef_device_remove(c->mef, eui64, c->message) : e;
}

static enum err device_rotate(struct call *c)
{
	struct mef_device *d;
	uint64_t eui64;
	enum err e = device_named(c, &eui64);

	if (e != OK)
		return e;
	d = mef_device_find(c->mef, eui64);
	if (!d)
		return admin_wrong(c, ERR_NOT_FOUND, "the device is not registered; `keyway device list` shows those that are");
	return mef_rotate(c->mef, d, "operator", c->message);
}

static enum err device_replace(struct call *c)
{
	struct mef_device *d;
	uint64_t former;
	enum err e = device_named(c, &former);

	if (e == OK)
		e = mef_device_replace(c->mef, former, admin_member(c, "by"), admin_member(c, "code"), &d, c->message);
	if (e == OK)
		device_put(c->out, "device", d);
	return e;
}

static enum err device_move(struct call *c)
{
	struct mef_device *d;
	uint64_t eui64;
	enum err e = device_named(c, &eui64);

	if (e != OK)
		return e;
	d = mef_device_find(c->mef, eui64);
	if (!d)
		return admin_wrong(c, ERR_NOT_FOUND, "the device is not registered; `keyway device list` shows those that are");
	return mef_device_move(c->mef, d, admin_member(c, "gateway"), c->message);
}

/* ---- applications ---- */

static void application_put(struct json_out *o, const char *name, const struct mef_application *a)
{
	uint64_t members = 0, behind = 0;

	for (const struct mef_device *d = a->members; d; d = d->next_member) {
		const struct mef_generation *g = mef_generation_in_use(d);

		members++;
		behind += g && g->joined && g->of_group < a->required;
	}
	json_object(o, name);
	json_put_string(o, "name", a->name);
	json_put_string(o, "policy", a->policy == MEF_POLICY_GROUP ? "group" : "device");
	json_put_string(o, "owner", a->owner);
	json_put_uint(o, "generation", a->generation);
	json_put_uint(o, "members", members);
	json_put_uint(o, "behind", behind);
	json_close(o);
}

static enum err application_add(struct call *c)
{
	const struct mef_application_order order = {admin_member(c, "name"), admin_member(c, "policy"), admin_member(c, "owner")};
	struct mef_application *a;
	enum err e = mef_application_add(c->mef, &order, &a, c->message);

	if (e == OK)
		application_put(c->out, "application", a);
	return e;
}

static enum err application_list(struct call *c)
{
	json_array(c->out, "applications");
	for (const struct mef_application *a = c->mef->applications; a; a = a->next)
		application_put(c->out, NULL, a);
	json_close(c->out);
	return OK;
}

static enum err application_rotate(struct call *c)
{
	char name[MEF_NAME_MAX];
	struct mef_application *a = rd_text(admin_member(c, "name"), name, sizeof name) ? mef_application_find(c->mef, name) : NULL;
	enum err e;

	if (!a || a->policy != MEF_POLICY_GROUP)
		return admin_wrong(c, ERR_NOT_FOUND, "no application of policy `group` has this name; `keyway application list` shows those that are registered");
	e = mef_group_renew(c->mef, a, "operator");
	mef_pump(c->mef);
	return e;
}

/* ---- gateways ---- */

static void gateway_put(struct call *c, const char *name, const struct mef_gateway *g)
{
	char eui64[EUI64_SIZE];

	eui64_print(eui64, g->eui64);
	json_object(c->out, name);
	json_put_string(c->out, "name", g->name);
	json_put_string(c->out, "eui64", eui64);
	json_put_string(c->out, "relay", g->relay);
	json_put_string(c->out, "identity", g->identity);
	json_put_bool(c->out, "connected", c->egp && egp_server_connected(c->egp, g));
	json_put_uint(c->out, "epoch", g->epoch);
	json_put_uint(c->out, "pan_id", g->pan_id);
	json_put_uint(c->out, "channel", g->channel);
	json_put_uint(c->out, "permit", eg_permitted(g->eg, clock_ms()));
	json_close(c->out);
}

static enum err gateway_add(struct call *c)
{
	const struct mef_gateway_order order = {admin_member(c, "name"), admin_member(c, "eui64"), admin_member(c, "relay"), admin_member(c, "identity")};
	struct mef_gateway *g;
	enum err e = mef_gateway_register(c->mef, &order, &g, c->message);

	if (e == OK)
		gateway_put(c, "gateway", g);
	return e;
}

static enum err gateway_list(struct call *c)
{
	json_array(c->out, "gateways");
	for (const struct mef_gateway *g = c->mef->gateways; g; g = g->next)
		gateway_put(c, NULL, g);
	json_close(c->out);
	return OK;
}

/* ---- permit ---- */

static bool add_unique(uint64_t *devices, size_t *count, uint64_t eui64)
{
	for (size_t i = 0; i < *count; i++)
		if (devices[i] == eui64)
			return true;
	if (*count == EGP_POLICY_DEVICES_MAX)
		return false;
	devices[(*count)++] = eui64;
	return true;
}

static enum err listed_devices(struct call *c, const struct mef_gateway *g, const struct json *list, uint64_t *devices, size_t *count)
{
	const struct mef_device *d;
	struct rd text;
	uint64_t eui64;

	if (list->type != JSON_ARRAY)
		return admin_wrong(c, ERR_BAD_VALUE, "`devices` must be an array of EUI-64s");
	for (const struct json *v = list->first; v; v = v->next) {
		if (!json_string(v, &text) || !eui64_parse(text, &eui64))
			return admin_wrong(c, ERR_BAD_VALUE, "`devices` must be an array of EUI-64s of 16 hexadecimal digits");
		d = mef_device_find(c->mef, eui64);
		if (!d || strcmp(d->gateway, g->name) != 0)
			return admin_wrong(c, ERR_NOT_FOUND, "one of the devices is not registered at this gateway; `keyway device list` shows those that are");
		if (!add_unique(devices, count, eui64))
			return admin_wrong(c, ERR_TOO_LONG, "at most 126 devices can join at a time; name fewer in `devices`");
	}
	return OK;
}

static enum err permit(struct call *c)
{
	const struct json *list = json_get(c->request, "devices");
	uint64_t devices[EGP_POLICY_DEVICES_MAX], seconds;
	char name[MEF_NAME_MAX], detail[96];
	struct mef_gateway *g = rd_text(admin_member(c, "gateway"), name, sizeof name) ? mef_gateway_find(c->mef, name) : NULL;
	size_t count = 0;
	bool all = false;
	enum err e = OK;

	if (!g)
		return admin_wrong(c, ERR_NOT_FOUND, "no gateway of this name is registered; `keyway gateway list` shows those that are");
	if (!json_uint(json_get(c->request, "seconds"), &seconds) || seconds > EGP_UNTIL_CHANGED)
		return admin_wrong(c, ERR_BAD_VALUE, "`seconds` must be 0 (close) to 65534, or 65535 (until changed)");
	if (list && list->type != JSON_NULL)
		e = listed_devices(c, g, list, devices, &count);
	else
		all = true;
	snprintf(detail, sizeof detail, all ? "%u s for all devices of the gateway" : "%u s for %zu devices", (unsigned)seconds, count);
	if (e == OK)
		e = mef_audit(c->mef, seconds ? "joining opened" : "joining closed", 0, g->name, "operator", detail);
	if (e == OK && all) {
		e = mef_permit_all(c->mef, g, (uint16_t)seconds, &count);
	} else if (e == OK) {
		g->permit_more = false;
		e = eg_permit(g->eg, clock_ms(), (uint16_t)seconds, devices, count);
	}
	if (e == OK)
		json_put_uint(c->out, "devices", count);
	mef_pump(c->mef);
	return e;
}

/* ---- status and audit ---- */

static void put_connected(void *ctx, const struct registry_client *n)
{
	const struct call *c = ctx;

	if (mef_client_connected(c->mef, n->client))
		json_put_string(c->out, NULL, n->client);
}

static enum err status(struct call *c)
{
	const struct mef_statistics *s = &c->mef->statistics;
	uint64_t devices = c->mef->devices.count, gateways = 0;

	for (const struct mef_gateway *g = c->mef->gateways; g; g = g->next)
		gateways += c->egp && egp_server_connected(c->egp, g);
	json_array(c->out, "nodes");
	(void)!registry_clients_each(c->mef->registry, put_connected, c);
	json_close(c->out);
	json_put_uint(c->out, "gateways", gateways);
	json_put_uint(c->out, "devices", devices);
	json_object(c->out, "counters");
	json_put_uint(c->out, "requests", s->requests);
	json_put_uint(c->out, "transport_keys", s->transport_keys);
	json_put_uint(c->out, "repeats", s->repeats);
	json_put_uint(c->out, "refused", s->refused);
	json_put_uint(c->out, "joined", s->joined);
	json_put_uint(c->out, "verified", s->verified);
	json_put_uint(c->out, "failed", s->failed);
	json_put_uint(c->out, "aps_answers", s->aps_answers);
	json_put_uint(c->out, "aps_ignored", s->aps_ignored);
	json_close(c->out);
	return OK;
}

static enum err audit(struct call *c)
{
	uint64_t since = 0;
	enum err e;

	if (json_get(c->request, "since") && !json_uint(json_get(c->request, "since"), &since))
		return admin_wrong(c, ERR_BAD_VALUE, "`since` must be a sequence number");
	json_array(c->out, "entries");
	e = audit_read(c->mef->audit, since, AUDIT_MOST, c->out);
	json_close(c->out);
	return e;
}

/* ---- one line ---- */

static const struct {
	const char *name;
	enum err (*act)(struct call *c);
} commands[] = {
	{"device.add", device_add},
	{"device.check", device_check},
	{"device.list", device_list},
	{"device.show", device_show},
	{"device.remove", device_remove},
	{"device.rotate", device_rotate},
	{"device.replace", device_replace},
	{"device.move", device_move},
	{"application.add", application_add},
	{"application.list", application_list},
	{"application.rotate", application_rotate},
	{"gateway.add", gateway_add},
	{"gateway.list", gateway_list},
	{"client.list", admin_client_list},
	{"client.configure", admin_client_configure},
	{"client.command", admin_client_command},
	{"client.commands", admin_client_commands},
	{"permit", permit},
	{"status", status},
	{"audit", audit},
};

static enum err act(struct call *c, struct rd request, struct json_arena *arena)
{
	const struct json *name;

	if (!arena)
		return ERR_NO_MEMORY;
	if (json_parse(arena, request, NULL, &c->request) != OK || c->request->type != JSON_OBJECT)
		return admin_wrong(c, ERR_MALFORMED, "a request is one JSON object on one line, such as {\"cmd\":\"status\"}");
	name = json_get(c->request, "cmd");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (json_is_string(name, commands[i].name))
			return commands[i].act(c);
	return admin_wrong(c, ERR_UNSUPPORTED, "no such `cmd`; docs/protocols/admin.md lists them");
}

static void failure(struct wr *answer, enum err e, const char *message)
{
	struct json_out o = json_out(answer);

	wr_reset(answer);
	json_object(&o, NULL);
	json_put_bool(&o, "ok", false);
	json_put_string(&o, "error", message[0] ? message : err_text(e));
	json_put_string(&o, "code", err_name(e));
	json_close(&o);
}

void admin_answer(struct mef *m, const struct egp_server *egp, struct rd request, struct wr *answer)
{
	struct json_arena *arena = json_arena_new();
	struct json_out o = json_out(answer);
	struct call c = {.mef = m, .egp = egp, .out = &o};
	enum err e;

	json_object(&o, NULL);
	json_put_bool(&o, "ok", true);
	e = act(&c, request, arena);
	json_close(&o);
	if (e != OK)
		failure(answer, e, c.message);
	else if (answer->spoilt)
		failure(answer, ERR_TOO_LONG, "the answer is too long");
	json_arena_free(arena);
}
