/* Life of a device: hand-over of a key, failure, time-outs. docs/protocols/key-registration.md, "hand-over order". */
#include "mef/life_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"

void life_state(struct mef *m, struct mef_device *d, enum device_state state, const char *event, const char *reason)
{
	bool came = state == DEVICE_VERIFIED && d->state != DEVICE_VERIFIED;
	struct mef_gateway *g = mef_gateway_find(m, d->gateway);

	d->state = state;
	d->last_event_at = clock_unix_ms() / 1000;
	snprintf(d->last_event, sizeof d->last_event, "%s", event);
	snprintf(d->reason, sizeof d->reason, "%s", reason);
	if (mef_store_device_put(m->store, d) != OK)
		log_line(LOG_LEVEL_ERROR, "state of a device could not be stored", "device=%016llx", (unsigned long long)d->eui64);
	if (g && came)
		mef_permit_more(m, g);
}

bool life_must_verify(const struct mef *m, const struct mef_device *d)
{
	return d->state == DEVICE_JOINED && m->config.require_unique_link_key && m->config.answer_requests;
}

void mef_device_restarted(struct mef *m, struct mef_device *d, uint64_t now_ms)
{
	mef_device_wait(m, d, CLOCK_NEVER);
	mef_rotation_end(m, d);
	if (d->state == DEVICE_OFFERED)
		mef_device_wait(m, d, now_ms + MEF_JOIN_MS);
	else if (life_must_verify(m, d))
		mef_device_wait(m, d, now_ms + MEF_VERIFY_MS);
	else
		mef_rotation_resume(m, d);
}

/* ---- hand-over ---- */

static void refuse(struct mef *m, struct mef_device *d, enum egp_error_code code, uint16_t retry_s, const char *text)
{
	struct mef_gateway *g = mef_gateway_find(m, d->gateway);

	d->preparing = false;
	mef_device_restarted(m, d, clock_ms());
	log_line(LOG_LEVEL_WARNING, "enrolment can't go on", "device=%016llx reason=\"%s\"", (unsigned long long)d->eui64, text);
	if (g)
		(void)eg_refuse(g->eg, d->eui64, code, retry_s, text);
	mef_pump(m);
}

void mef_prepare(struct mef *m, struct mef_gateway *g, const struct egp_message *request)
{
	struct mef_device *d = mef_device_find(m, request->request.device);
	enum err e;

	if (!d) { /* removed since the core asked */
		(void)eg_refuse(g->eg, request->request.device, EGP_ERROR_UNKNOWN_DEVICE, 0, NULL);
		return;
	}
	if (!mef_client_connected(m, d->owner)) {
		refuse(m, d, EGP_ERROR_NOT_PERMITTED, MEF_RETRY_S, "the node that owns the device is not connected");
		return;
	}
	d->short_address = request->request.device_short;
	d->capability = request->request.capability;
	d->router = request->request.router;
	d->again = false;
	e = behind_ready(m, d, g->eui64, request->request.kind == EGP_JOIN_UNSECURED_REJOIN);
	if (e == OK)
		e = mef_store_device_put(m->store, d);
	if (e == ERR_NOT_READY) {
		refuse(m, d, EGP_ERROR_NOT_PERMITTED, 0, "its router gets the group's next key first; it is served when it asks again");
		return;
	}
	if (e != OK) {
		refuse(m, d, e == ERR_NOT_PERMITTED ? EGP_ERROR_NOT_PERMITTED : EGP_ERROR_INTERNAL, 0, err_text(e));
		return;
	}
	if (d->again) {
		behind_again(m, d, g);
		return;
	}
	mef_commands_withdraw(m, d->owner, COMMAND_MO_NODE, d->eui64);
	mef_rotation_end(m, d);
	d->preparing = true;
	mef_device_wait(m, d, clock_ms() + MEF_READY_MS);
	if (mef_command_add(m, d->owner, COMMAND_MO_NODE, d->eui64, d->present->key_id, "", &d->preparing_command) != OK)
		refuse(m, d, EGP_ERROR_INTERNAL, MEF_RETRY_S, "a command could not be stored");
}

static enum err reserve(void *ctx, uint32_t limit)
{
	const struct mef_taking *r = ctx;

	return mef_store_reserve(r->m->store, r->d->eui64, limit);
}

enum err mef_counter_take(void *taking, uint32_t *number)
{
	const struct mef_taking *r = taking;

	return counter_take(&r->d->out, reserve, taking, number);
}

/* Everything that a crash must not undo is on disk before the packet exists: counter, that the key was offered, the audit entry. */
static enum err forge(struct mef *m, struct mef_device *d, const struct mef_gateway *g, struct wr *packet)
{
	struct mef_taking r = {m, d};
	struct transport_key_order order = {
		.gateway = g->eui64,
		.device = d->eui64,
		.device_short = d->short_address,
		.addresses = m->config.header_addresses,
		.key_sequence = d->present->sequence,
	};
	char detail[64];
	uint8_t random;
	enum err e = mef_counter_take(&r, &order.frame_counter);

	if (e != OK)
		return e;
	d->present->offered = true;
	e = mef_store_generation_put(m->store, d, d->present);
	snprintf(detail, sizeof detail, "generation %u, frame counter %u", d->present->number, order.frame_counter);
	if (e == OK)
		e = mef_audit(m, "transport key sent", d->eui64, d->gateway, d->owner, detail);
	if (e != OK)
		return e;
	/* The APS counter must differ from one try to the next, or the device drops the second as a duplicate. */
	order.aps_counter = (uint8_t)order.frame_counter;
	rng_fill(m->rng, &random, 1);
	order.nwk_sequence = random;
	return transport_key_forge(&order, &d->present->tc.base, d->present->network, packet);
}

void mef_prepared(struct mef *m, struct mef_device *d, bool ready)
{
	struct mef_gateway *g = mef_gateway_find(m, d->gateway);
	char relay[MEF_ID_MAX + 32];
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd packet;
	enum err e;

	d->preparing = false;
	if (!ready && d->group && d->present)
		d->present->offered = true; /* node B may have had a key of this name and generation: another next time */
	if (!ready || !g || d->state == DEVICE_REMOVED) {
		refuse(m, d, EGP_ERROR_NOT_PERMITTED, MEF_RETRY_S, "the node that owns the device could not take the key");
		return;
	}
	e = d->router ? behind_offer(m, d) : forge(m, d, g, &w);
	if (e == OK)
		e = wr_done(&w, &packet) ? OK : ERR_TOO_LONG;
	if (e != OK) {
		refuse(m, d, e == ERR_COUNTER_EXHAUSTED ? EGP_ERROR_COUNTER_EXHAUSTED : EGP_ERROR_INTERNAL, 0, err_text(e));
		return;
	}
	snprintf(relay, sizeof relay, "%s/%016llx/up", g->relay, (unsigned long long)d->eui64);
	mef_device_wait(m, d, clock_ms() + MEF_JOIN_MS);
	life_state(m, d, DEVICE_OFFERED, "offered", "");
	(void)eg_answer(g->eg, clock_ms(), d->eui64, packet, d->owner, relay);
	mef_pump(m);
}

/* ---- failure ---- */

/* B forgets the keys that it has of a device which stays registered. */
static void expel(struct mef *m, struct mef_device *d)
{
	struct mef_gateway *g = mef_gateway_find(m, d->gateway);
	char heir[EUI64_SIZE] = ""; /* what it took over from another device outlives a failed enrolment */

	if (d->replaces)
		eui64_print(heir, d->eui64);
	if (d->present && mef_client_is_registered(m, d->owner) &&
	    (mef_command_add(m, d->owner, COMMAND_ZIGBEE_APS_PENDING, d->eui64, d->present->key_id, "remove-device", NULL) != OK ||
		mef_command_add(m, d->owner, COMMAND_ZIGBEE_FORGET, d->eui64, d->present->key_id, heir, NULL) != OK))
		log_line(LOG_LEVEL_ERROR, "a command could not be stored", "device=%016llx", (unsigned long long)d->eui64);
	if (!d->present || !mef_client_is_registered(m, d->owner))
		mef_gateway_forget(m, g, d->eui64); /* otherwise when node B has said its last */
	else if (g)
		eg_bar(g->eg, d->eui64);
}

/* What it knows of its group's key is of no use to it afterwards. */
static void group_without(struct mef *m, const struct mef_device *d)
{
	if (d->group && mef_group_renew(m, d->group, "member told to leave") != OK)
		log_line(LOG_LEVEL_ERROR, "the key of a group could not be replaced", "application=\"%s\"", d->group->name);
}

static void failed(struct mef *m, struct mef_device *d, const char *reason)
{
	m->statistics.failed++;
	log_line(LOG_LEVEL_WARNING, "enrolment failed", "device=%016llx reason=\"%s\"", (unsigned long long)d->eui64, reason);
	(void)mef_audit(m, "enrolment failed", d->eui64, d->gateway, d->owner, reason);
	life_state(m, d, DEVICE_FAILED, "failed", reason);
}

void mef_device_expel(struct mef *m, struct mef_device *d, const char *reason)
{
	expel(m, d);
	failed(m, d, reason);
}

/* The former key still serves: somebody associated in the device's name, or the device gave up and went on as before. */
static void offer_lapsed(struct mef *m, struct mef_device *d)
{
	static const char reason[] = "an association that did not use the key it was offered; the device is as before";
	enum device_state before = generation_verified(d) ? DEVICE_VERIFIED : DEVICE_JOINED;

	log_line(LOG_LEVEL_WARNING, "offered key was not used", "device=%016llx", (unsigned long long)d->eui64);
	(void)mef_audit(m, "offered key was not used", d->eui64, d->gateway, d->owner, reason);
	life_state(m, d, before, "offer lapsed", reason);
}

void mef_device_timeout(struct mef *m, struct mef_device *d)
{
	mef_device_wait(m, d, CLOCK_NEVER);
	if (!d->preparing && mef_rotation_timeout(m, d))
		return;
	if (d->preparing) {
		refuse(m, d, EGP_ERROR_NOT_PERMITTED, MEF_RETRY_S, "the node that owns the device did not answer in time");
	} else if (d->state == DEVICE_OFFERED && d->former) {
		offer_lapsed(m, d);
	} else if (d->state == DEVICE_OFFERED) {
		failed(m, d, "device did not use the key: wrong install code?");
	} else if (life_must_verify(m, d)) {
		mef_device_expel(m, d, "device kept the link key of its install code; set `require_unique_link_key = no` in [policy] to allow that");
		group_without(m, d);
	}
}
