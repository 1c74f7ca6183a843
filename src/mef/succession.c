/* A device in the role of another one, and a device at another gateway. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "mef/mef.h"

#define MESSAGE 256

/* Under whose name its resources are at node B. */
static uint64_t role_of(const struct mef_device *d)
{
	return d->replaces ? d->replaces : d->eui64;
}

uint64_t mef_device_heir(const struct mef *m, const struct mef_device *d)
{
	for (const struct mef_device *other = mef_device_next(m, NULL); other; other = mef_device_next(m, other))
		if (other != d && other->state != DEVICE_REMOVED && other->replaces == role_of(d))
			return other->eui64;
	return 0;
}

/* The new one first: whatever happens between the two, the former one's removal finds its heir. */
enum err mef_device_replace(struct mef *m, uint64_t former, struct rd device, struct rd code, struct mef_device **out, char message[static MESSAGE])
{
	const struct mef_device *d = mef_device_find(m, former);
	struct mef_device_order order = {.device = device, .code = code};
	char detail[64];
	enum err e;

	if (!d || d->state == DEVICE_REMOVED) {
		snprintf(message, MESSAGE, "device %016llx is not registered; `keyway device list` shows those that are", (unsigned long long)former);
		return ERR_NOT_FOUND;
	}
	order.owner = rd_str(d->owner);
	order.gateway = rd_str(d->gateway);
	order.application = rd_str(d->application);
	order.replaces = role_of(d);
	e = mef_device_add(m, &order, out, message);
	if (e != OK)
		return e;
	snprintf(detail, sizeof detail, "in the place of %016llx", (unsigned long long)former);
	e = mef_audit(m, "device replaced", (*out)->eui64, (*out)->gateway, "operator", detail);
	return e == OK ? mef_device_remove(m, former, message) : e;
}

/* ---- another gateway ---- */

static enum err move_store(struct mef *m, struct mef_device *d, const struct mef_gateway *to)
{
	char former[MEF_NAME_MAX], leaves[MEF_NAME_MAX], detail[MEF_NAME_MAX + 16];
	enum err e;

	memcpy(former, d->gateway, sizeof former);
	memcpy(leaves, d->former_gateway, sizeof leaves);
	snprintf(detail, sizeof detail, "from %s", former);
	e = mef_audit(m, "device moved", d->eui64, to->name, "operator", detail);
	if (e != OK)
		return e;
	if (d->present && !d->former_gateway[0])
		memcpy(d->former_gateway, former, sizeof former);
	if (strcmp(d->former_gateway, to->name) == 0)
		d->former_gateway[0] = '\0'; /* back again, before it went */
	snprintf(d->gateway, sizeof d->gateway, "%s", to->name);
	e = mef_store_device_put(m->store, d);
	if (e != OK) {
		memcpy(d->gateway, former, sizeof former);
		memcpy(d->former_gateway, leaves, sizeof leaves);
	}
	return e;
}

enum err mef_device_move(struct mef *m, struct mef_device *d, struct rd gateway, char message[static MESSAGE])
{
	const struct mef_generation *g = mef_generation_in_use(d);
	char name[MEF_NAME_MAX];
	const struct mef_gateway *to = rd_text(gateway, name, sizeof name) ? mef_gateway_find(m, name) : NULL;
	enum err e;

	if (!to) {
		snprintf(message, MESSAGE, "no gateway of this name is registered; `keyway gateway list` shows those that are");
		return ERR_NOT_FOUND;
	}
	if (strcmp(d->gateway, to->name) == 0 || d->state == DEVICE_REMOVED || d->preparing || d->state == DEVICE_OFFERED) {
		snprintf(message, MESSAGE, strcmp(d->gateway, to->name) == 0
			? "the device is registered at this gateway already"
			: "the device is joining or being removed just now; `keyway device show` tells its state");
		return ERR_STATE;
	}
	snprintf(message, MESSAGE, "the move could not be stored; look into the MEF's log");
	e = move_store(m, d, to);
	if (e != OK)
		return e;
	log_line(LOG_LEVEL_INFO, "device moved", "device=%016llx gateway=%s", (unsigned long long)d->eui64, d->gateway);
	/* node B gets the key that it has with the new relay; it may be away for long */
	if (g && mef_client_is_registered(m, d->owner)) {
		mef_commands_withdraw(m, d->owner, COMMAND_MO_NODE, d->eui64);
		e = mef_command_add(m, d->owner, COMMAND_MO_NODE, d->eui64, g->key_id, "", NULL);
	}
	mef_pump(m);
	return e;
}

void mef_device_moved(struct mef *m, struct mef_device *d)
{
	struct mef_gateway *former = d->former_gateway[0] ? mef_gateway_find(m, d->former_gateway) : NULL;

	mef_gateway_forget(m, former, d->eui64);
	d->former_gateway[0] = '\0';
}
