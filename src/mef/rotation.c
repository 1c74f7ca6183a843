/* Rotation of network keys: a device that stays on the network gets the next one under its own link key, by way of node B. Zigbee specification
 * 05-3474 R22, clause 4.6.3.4. Nothing of it needs an answer of the device: a sleeper may be asleep, and APS commands are not acknowledged. So it is said
 * again, less and less often, until a frame under the new key proves it; until then both sides go on under the former one. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "loop/log.h"
#include "mef/life_private.h"

#define PAUSE_MS 3000
#define PAUSE_SLEEPY_MS 15000
#define PROOF_MS 30000
#define PROOF_DOUBLINGS 7      /* at most about an hour */
#define SCHEDULE_MS (60 * 60 * 1000)
#define AT_A_TIME 20           /* and a part of all devices: a plant's worth is spread over a day */
#define AT_A_TIME_PART 24
#define GROUP_MS 1000          /* between two looks whether the others of a group are as far */

static void wait(struct mef *m, struct mef_device *d, enum mef_rotation stage, uint64_t ms)
{
	d->rotation = stage;
	mef_device_wait(m, d, clock_ms() + ms);
	mef_pump(m);
}

static uint64_t patience(const struct mef_device *d)
{
	unsigned doublings = d->rotation_tries > 0 ? d->rotation_tries - 1 : 0;

	return (uint64_t)PROOF_MS << (doublings < PROOF_DOUBLINGS ? doublings : PROOF_DOUBLINGS);
}

/* Has node B do something, and waits for its word; it may be away for long. */
static void order(struct mef *m, struct mef_device *d, enum mef_rotation stage, enum command_class class, const char *key_id, const char *reason)
{
	mef_commands_withdraw(m, d->owner, class, d->eui64);
	if (mef_command_add(m, d->owner, class, d->eui64, key_id, reason, &d->rotation_command) != OK)
		log_line(LOG_LEVEL_WARNING, "a key rotation waits for the node that owns the device", "device=%016llx owner=%s", (unsigned long long)d->eui64, d->owner);
	if (stage == MEF_ROTATION_KEY)
		d->rotation_tries++;
	wait(m, d, stage, patience(d));
}

static void order_frame(struct mef *m, struct mef_device *d, enum mef_rotation stage, const char *reason)
{
	order(m, d, stage, COMMAND_ZIGBEE_APS_PENDING, d->former->key_id, reason);
}

static bool under_way(const struct mef_device *d)
{
	return d->former && d->present && d->present->rotation && !d->present->joined;
}

/* Also of one that was offered another key in vain. */
bool mef_rotation_possible(struct mef *m, const struct mef_device *d)
{
	const struct mef_generation *g = mef_generation_in_use(d);

	return (d->state == DEVICE_JOINED || d->state == DEVICE_VERIFIED) && g && g->joined && !under_way(d) && !d->preparing && !d->former_gateway[0] && mef_gateway_find(m, d->gateway);
}

enum err mef_rotate(struct mef *m, struct mef_device *d, const char *why, char message[static 256])
{
	enum err e;

	if (!d->group || !mef_rotation_possible(m, d) || mef_group_is_behind(d)) /* behind: it is about to be its turn */
		return mef_rotation_begin(m, d, why, message);
	e = mef_group_renew(m, d->group, why);
	if (e != OK)
		snprintf(message, 256, "the new key could not be stored: %s", err_text(e));
	return e;
}

enum err mef_rotation_begin(struct mef *m, struct mef_device *d, const char *why, char message[static 256])
{
	struct mef_gateway *g = mef_gateway_find(m, d->gateway);
	enum err e;

	if (!g || !mef_rotation_possible(m, d)) {
		snprintf(message, 256, "the device has no key in use (`keyway device show` tells its state), or is getting another one now");
		return ERR_STATE;
	}
	e = mef_generation_next(m, d, g->eui64, true);
	if (e == OK)
		e = mef_audit(m, "network key rotation begun", d->eui64, d->gateway, d->owner, why);
	if (e != OK) {
		snprintf(message, 256, "the new key could not be stored: %s", err_text(e));
		return e;
	}
	log_line(LOG_LEVEL_INFO, "network key rotation begun", "device=%016llx generation=%u reason=\"%s\"", (unsigned long long)d->eui64, d->present->number, why);
	d->rotation_tries = 0;
	d->rotation_begun = clock_ms();
	order(m, d, MEF_ROTATION_KEY, COMMAND_MO_NODE, d->present->key_id, "");
	return OK;
}

void mef_rotation_end(struct mef *m, struct mef_device *d)
{
	if (d->rotation != MEF_ROTATION_NONE)
		mef_device_wait(m, d, CLOCK_NEVER);
	d->rotation = MEF_ROTATION_NONE;
	d->rotation_tries = 0;
}

void mef_rotation_resume(struct mef *m, struct mef_device *d)
{
	if (!under_way(d))
		return;
	d->rotation = MEF_ROTATION_PROOF; /* over at once: from its beginning */
	mef_device_wait(m, d, clock_ms());
}

bool mef_rotation_timeout(struct mef *m, struct mef_device *d)
{
	if (d->rotation == MEF_ROTATION_NONE)
		return false;
	if (!under_way(d))
		mef_rotation_end(m, d);
	else if (d->rotation == MEF_ROTATION_PAUSE && mef_group_waits(d))
		wait(m, d, MEF_ROTATION_PAUSE, GROUP_MS);
	else if (d->rotation == MEF_ROTATION_PAUSE)
		order_frame(m, d, MEF_ROTATION_SWITCH, "switch-key");
	else
		order(m, d, MEF_ROTATION_KEY, COMMAND_MO_NODE, d->present->key_id, "");
	return true;
}

void mef_rotation_done(struct mef *m, struct mef_device *d, uint64_t command, bool ok)
{
	if (d->rotation == MEF_ROTATION_NONE || command != d->rotation_command || !under_way(d))
		return;
	if (!ok)
		wait(m, d, MEF_ROTATION_PROOF, patience(d)); /* from its beginning, later */
	else if (d->rotation == MEF_ROTATION_KEY)
		order_frame(m, d, MEF_ROTATION_TRANSPORT, "transport-key");
	else if (d->rotation == MEF_ROTATION_TRANSPORT)
		wait(m, d, MEF_ROTATION_PAUSE, mef_device_is_sleepy(d) ? PAUSE_SLEEPY_MS : PAUSE_MS);
	else if (d->rotation == MEF_ROTATION_SWITCH)
		wait(m, d, MEF_ROTATION_PROOF, patience(d));
}

/* As for the first one, all that a crash must not undo is on disk before it exists. */
enum err life_transport_key(struct mef *m, struct mef_device *d, const struct trust_centre *tc, const char *why, uint8_t aps_counter, struct wr *w)
{
	struct mef_taking taking = {m, d};
	struct transport_key_order o = {.gateway = d->present->tc.coordinator, .device = d->eui64, .aps_counter = aps_counter, .key_sequence = d->present->sequence};
	char detail[96];
	enum err e = mef_counter_take(&taking, &o.frame_counter);

	if (e != OK)
		return e;
	d->present->offered = true;
	e = mef_store_generation_put(m->store, d, d->present);
	snprintf(detail, sizeof detail, "generation %u, frame counter %u, %s", d->present->number, o.frame_counter, why);
	if (e == OK)
		e = mef_audit(m, "transport key sent", d->eui64, d->gateway, d->owner, detail);
	if (e == OK)
		e = transport_key_aps(&o, tc->state == TRUST_VERIFIED ? &tc->fresh : &tc->base, d->present->network, w);
	return e;
}

bool mef_rotation_frame(struct mef *m, struct mef_device *d, const struct mef_generation *g, uint8_t aps_counter, struct wr *w, enum err *e)
{
	if (!under_way(d) || g != d->former)
		return false;
	if (d->rotation == MEF_ROTATION_TRANSPORT)
		*e = life_transport_key(m, d, &d->former->tc, "rotation", aps_counter, w);
	else if (d->rotation == MEF_ROTATION_SWITCH)
		*e = switch_key_aps(d->present->sequence, aps_counter, w);
	else
		return false;
	return true;
}

void mef_rotation_adopt(struct mef_device *d)
{
	struct trust_centre empty = {.device = 0};
	uint64_t coordinator = d->present->tc.coordinator;

	if (!d->former)
		return;
	trust_centre_clear(&d->present->tc);
	d->present->tc = d->former->tc;
	d->present->tc.coordinator = coordinator;
	d->former->tc = empty;
}

void mef_rotations_go_on(struct mef *m)
{
	uint64_t oldest = clock_unix_ms() / 1000 - (uint64_t)m->config.rotate_days * 24 * 60 * 60;
	size_t most = m->rotations_left < MEF_AT_ONCE ? m->rotations_left : MEF_AT_ONCE, begun = 0;
	char message[256];

	for (struct mef_device *d = mef_device_next(m, NULL); d && begun < most; d = mef_device_next(m, d))
		if (d->present && d->present->joined && d->present->registered_at <= oldest && mef_rotate(m, d, "schedule", message) == OK)
			begun++;
	m->rotations_left = begun < most ? 0 : m->rotations_left - begun;
	if (m->rotations_left > 0)
		m->more_at = clock_ms();
}

void mef_rotation_schedule(struct mef *m)
{
	m->rotate_at = clock_ms() + SCHEDULE_MS;
	mef_group_tick(m);
	m->rotations_left = m->config.rotate_days == 0 ? 0 : AT_A_TIME + m->devices.count / AT_A_TIME_PART;
	mef_rotations_go_on(m);
}
