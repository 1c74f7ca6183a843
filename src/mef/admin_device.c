/* Requests of the administration socket about devices, and about who may join. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "mef/admin_device.h"

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

enum err admin_device_check(struct call *c)
{
	const struct mef_device_order order = device_order(c);

	return mef_device_check(c->mef, &order, c->message);
}

enum err admin_device_add(struct call *c)
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

static enum err device_registered(struct call *c, struct mef_device **d)
{
	uint64_t eui64;
	enum err e = device_named(c, &eui64);

	if (e != OK)
		return e;
	*d = mef_device_find(c->mef, eui64);
	return *d ? OK : admin_wrong(c, ERR_NOT_FOUND, "the device is not registered; `keyway device list` shows those that are");
}

enum err admin_device_list(struct call *c)
{
	json_array(c->out, "devices");
	for (const struct mef_device *d = mef_device_next(c->mef, NULL); d; d = mef_device_next(c->mef, d))
		device_put(c->out, NULL, d);
	json_close(c->out);
	return OK;
}

enum err admin_device_show(struct call *c)
{
	struct mef_device *d;
	enum err e = device_registered(c, &d);

	if (e == OK)
		device_put(c->out, "device", d);
	return e;
}

enum err admin_device_remove(struct call *c)
{
	uint64_t eui64;
	enum err e = device_named(c, &eui64);

	return e == OK ? mef_device_remove(c->mef, eui64, c->message) : e;
}

enum err admin_device_rotate(struct call *c)
{
	struct mef_device *d;
	enum err e = device_registered(c, &d);

	return e == OK ? mef_rotate(c->mef, d, "operator", c->message) : e;
}

enum err admin_device_replace(struct call *c)
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

enum err admin_device_move(struct call *c)
{
	struct mef_device *d;
	enum err e = device_registered(c, &d);

	return e == OK ? mef_device_move(c->mef, d, admin_member(c, "gateway"), c->message) : e;
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

enum err admin_permit(struct call *c)
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
		e = mef_permit(c->mef, g, (uint16_t)seconds, devices, count);
	}
	if (e == OK)
		json_put_uint(c->out, "devices", count);
	mef_pump(c->mef);
	return e;
}
