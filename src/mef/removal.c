/* The removal of a device: it is told to leave while its keys are there, then node B forgets it, then its gateway. */
#include "mef/mef.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"

#define MESSAGE 256

/* ---- its gateway ---- */

static enum err remember(void *ctx, uint64_t eui64)
{
	return eg_remove(ctx, clock_ms(), eui64);
}

enum err mef_removals_resume(struct mef *m, struct mef_gateway *g)
{
	return mef_store_removals(m->store, g->name, remember, g->eg);
}

void mef_gateway_forget(struct mef *m, struct mef_gateway *g, uint64_t eui64)
{
	if (g && (mef_store_removal_put(m->store, g->name, eui64) != OK || eg_remove(g->eg, clock_ms(), eui64) != OK))
		log_line(LOG_LEVEL_ERROR, "a gateway could not be told to forget a device", "gateway=%s device=%016llx", g->name, (unsigned long long)eui64);
}

void mef_gateway_forgot(struct mef *m, const struct mef_gateway *g, uint64_t eui64)
{
	if (mef_store_removal_delete(m->store, g->name, eui64) != OK)
		log_line(LOG_LEVEL_ERROR, "a gateway is told once more to forget a device at the next start", "gateway=%s device=%016llx", g->name, (unsigned long long)eui64);
}

/* ---- the device ---- */

enum err mef_device_drop(struct mef *m, struct mef_device *d)
{
	enum err e = mef_store_device_delete(m->store, d->eui64);

	if (e != OK)
		return e;
	if (d->present)
		mef_key_withdraw(m, d->present->key_id);
	if (d->former)
		mef_key_withdraw(m, d->former->key_id);
	if (d->present)
		mef_key_unlink(m, d->present);
	if (d->former)
		mef_key_unlink(m, d->former);
	mef_device_wait(m, d, CLOCK_NEVER);
	table_remove(&m->devices, &d->by_eui64);
	mef_member_unlink(d);
	log_line(LOG_LEVEL_INFO, "device deleted", "device=%016llx", (unsigned long long)d->eui64);
	mef_device_free(d);
	return OK;
}

/* Remove-Device first, while the keys are there; then B forgets. */
static enum err removal_queue(struct mef *m, const struct mef_device *d)
{
	const struct mef_generation *const all[] = {d->present, d->former};
	uint64_t heir_eui64 = mef_device_heir(m, d);
	char heir[EUI64_SIZE] = "";
	enum err e = OK;

	if (heir_eui64)
		eui64_print(heir, heir_eui64);

	mef_commands_withdraw(m, d->owner, COMMAND_MO_NODE, d->eui64);
	for (size_t i = 0; e == OK && i < 2; i++) {
		if (!all[i])
			continue;
		if (all[i]->joined)
			e = mef_command_add(m, d->owner, COMMAND_ZIGBEE_APS_PENDING, d->eui64, all[i]->key_id, "remove-device", NULL);
		if (e == OK)
			e = mef_command_add(m, d->owner, COMMAND_ZIGBEE_FORGET, d->eui64, all[i]->key_id, heir, NULL);
	}
	return e;
}

enum err mef_device_remove(struct mef *m, uint64_t eui64, char message[static MESSAGE])
{
	struct mef_device *d = mef_device_find(m, eui64);
	struct mef_gateway *g = d ? mef_gateway_find(m, d->gateway) : NULL;
	struct mef_application *group;
	bool had_key;
	enum err e;

	if (!d) {
		snprintf(message, MESSAGE, "device %016llx is not registered; `keyway device list` shows those that are", (unsigned long long)eui64);
		return ERR_NOT_FOUND;
	}
	snprintf(message, MESSAGE, "the removal could not be stored; look into the MEF's log");
	e = mef_audit(m, "device removed", eui64, d->gateway, "operator", NULL);
	if (e != OK)
		return e;
	group = d->group;
	had_key = d->present != NULL;
	if (g)
		eg_bar(g->eg, eui64);
	mef_device_moved(m, d);
	if (!d->present || !mef_client_is_registered(m, d->owner)) {
		mef_gateway_forget(m, g, eui64);
		e = mef_device_drop(m, d);
	} else {
		d->state = DEVICE_REMOVED;
		mef_device_wait(m, d, CLOCK_NEVER);
		d->preparing = false;
		snprintf(d->reason, sizeof d->reason, "waits for %s to forget it", d->owner);
		e = mef_store_device_put(m->store, d);
		if (e == OK)
			e = removal_queue(m, d);
	}
	if (e == OK && group && had_key)
		e = mef_group_renew(m, group, "member removed");
	mef_pump(m);
	return e;
}
