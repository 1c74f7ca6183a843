/* Life of a device: hand-over of a key, the Trust Centre's answers, events, time-outs. docs/protocols/key-registration.md, "hand-over order". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "mef/mef.h"

static void state_set(struct mef *m, struct mef_device *d, enum device_state state, const char *event, const char *reason)
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

static bool must_verify(const struct mef *m, const struct mef_device *d)
{
	return d->state == DEVICE_JOINED && m->config.require_unique_link_key && m->config.answer_requests;
}

void mef_device_restarted(struct mef *m, struct mef_device *d, uint64_t now_ms)
{
	mef_device_wait(m, d, CLOCK_NEVER);
	mef_rotation_end(m, d);
	if (d->state == DEVICE_OFFERED)
		mef_device_wait(m, d, now_ms + MEF_JOIN_MS);
	else if (must_verify(m, d))
		mef_device_wait(m, d, now_ms + MEF_VERIFY_MS);
	else
		mef_rotation_resume(m, d);
}

/* ---- generations ---- */

const struct mef_generation *mef_generation_in_use(const struct mef_device *d)
{
	return d->former && !(d->present && d->present->joined) ? d->former : d->present;
}

static const struct mef_generation *verified_generation(const struct mef_device *d)
{
	const struct mef_generation *g = mef_generation_in_use(d);

	return g && (g->tc.base_unique || g->tc.state == TRUST_VERIFIED) ? g : NULL;
}

/* By association a device comes with its install code, by an unsecured rejoin with the unique link key that it verified (R22 4.6.3.3.2);
 * an install code's key would let anybody who reads the label take the device over. A device that was reset counts its frames from the
 * start: what it said under a former network key can't be replayed under this one. */
static enum err base_key(const struct mef_device *d, bool keeps, struct trust_centre *tc)
{
	const struct mef_generation *from = keeps ? verified_generation(d) : NULL;
	const struct secret *key = keeps ? NULL : d->install;

	if (from) {
		key = from->tc.state == TRUST_VERIFIED ? from->tc.fresh.link : from->tc.base.link;
		tc->in_base = from->tc.state == TRUST_VERIFIED ? from->tc.in_fresh : from->tc.in_base;
	}
	if (!key)
		return ERR_NOT_PERMITTED;
	tc->base_unique = from != NULL;
	return link_key_set_take(&tc->base, secret_dup(key));
}

static enum err generation_new(struct mef *m, const struct mef_device *d, uint64_t coordinator, bool keeps, bool rotation, struct mef_generation **out)
{
	struct mef_generation *g = calloc(1, sizeof *g);
	uint8_t random[16];
	enum err e;

	if (!g)
		return ERR_NO_MEMORY;
	rng_fill(m->rng, random, sizeof random);
	hex_print(g->key_id, random, sizeof random);
	g->number = d->present ? d->present->number + 1 : 1;
	g->of_group = d->group ? d->group->generation : 0;
	g->sequence = (uint8_t)((d->group ? g->of_group : g->number) - 1);
	g->rotation = rotation;
	g->registered_at = clock_unix_ms() / 1000;
	g->tc.device = d->eui64;
	g->tc.coordinator = coordinator;
	g->network = d->group ? secret_dup(d->group->network) : secret_random(m->rng, SECRET_AES128);
	e = g->network ? base_key(d, keeps, &g->tc) : ERR_NO_MEMORY;
	if (e == OK)
		e = mef_key_offer(m, d, g); /* first: what the registry has too much goes at the next start */
	if (e == OK)
		e = mef_store_generation_put(m->store, d, g);
	if (e != OK) {
		mef_generation_free(g);
		return e;
	}
	*out = g;
	return OK;
}

static void generation_drop(struct mef *m, const struct mef_device *d, struct mef_generation *g)
{
	if (g && mef_store_generation_delete(m->store, d->eui64, g->number) != OK)
		log_line(LOG_LEVEL_ERROR, "a former key could not be deleted", "device=%016llx", (unsigned long long)d->eui64);
	else if (g)
		mef_key_withdraw(m, g->key_id);
	if (g)
		mef_key_unlink(m, g);
	mef_generation_free(g);
}

static enum err generation_add(struct mef *m, struct mef_device *d, uint64_t coordinator, bool keeps, bool rotation)
{
	struct mef_generation *g;
	enum err e = mef_group_key(m, d, rotation);

	if (e == OK)
		e = generation_new(m, d, coordinator, keeps, rotation, &g);
	if (e != OK)
		return e;
	if (d->present && d->present->joined) {
		generation_drop(m, d, d->former);
		d->former = d->present;
	} else if (d->present) {
		generation_drop(m, d, d->present);
	}
	d->present = g;
	mef_key_link(m, d, g);
	return OK;
}

enum err mef_generation_next(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rotation)
{
	return generation_add(m, d, coordinator, verified_generation(d) != NULL, rotation);
}

/* A key that never left is good for the next try too; otherwise there is a new one, and the last that the device used stays beside it. */
static enum err generation_ready(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rejoin)
{
	const struct mef_generation *g = d->present;

	if (g && !g->offered && !g->rotation && g->tc.base_unique == rejoin && g->tc.coordinator == coordinator && (!d->group || g->of_group == d->group->generation))
		return OK;
	return generation_add(m, d, coordinator, rejoin, false);
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
	e = generation_ready(m, d, g->eui64, request->request.kind == EGP_JOIN_UNSECURED_REJOIN);
	if (e == OK)
		e = mef_store_device_put(m->store, d);
	if (e != OK) {
		refuse(m, d, e == ERR_NOT_PERMITTED ? EGP_ERROR_NOT_PERMITTED : EGP_ERROR_INTERNAL, 0, err_text(e));
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
	e = forge(m, d, g, &w);
	if (e == OK)
		e = wr_done(&w, &packet) ? OK : ERR_TOO_LONG;
	if (e != OK) {
		refuse(m, d, e == ERR_COUNTER_EXHAUSTED ? EGP_ERROR_COUNTER_EXHAUSTED : EGP_ERROR_INTERNAL, 0, err_text(e));
		return;
	}
	snprintf(relay, sizeof relay, "%s/%016llx/up", g->relay, (unsigned long long)d->eui64);
	mef_device_wait(m, d, clock_ms() + MEF_JOIN_MS);
	state_set(m, d, DEVICE_OFFERED, "offered", "");
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
	if (g)
		eg_remove(g->eg, d->eui64);
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
	state_set(m, d, DEVICE_FAILED, "failed", reason);
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
	enum device_state before = verified_generation(d) ? DEVICE_VERIFIED : DEVICE_JOINED;

	log_line(LOG_LEVEL_WARNING, "offered key was not used", "device=%016llx", (unsigned long long)d->eui64);
	(void)mef_audit(m, "offered key was not used", d->eui64, d->gateway, d->owner, reason);
	state_set(m, d, before, "offer lapsed", reason);
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
	} else if (must_verify(m, d)) {
		mef_device_expel(m, d, "device kept the link key of its install code; set `require_unique_link_key = no` in [policy] to allow that");
		group_without(m, d);
	}
}

/* ---- events ---- */

static void used(struct mef *m, struct mef_device *d, struct mef_generation *g, const char *event)
{
	bool verified;

	if (g != d->present)
		return; /* the former key is in use while another is offered: nothing new */
	if (!g->joined) {
		if (g->rotation) {
			mef_rotation_adopt(d);
			mef_rotation_end(m, d);
			m->statistics.rotated++;
		} else {
			m->statistics.joined++;
		}
		g->joined = g->offered = true;
		if (mef_store_generation_put(m->store, d, g) != OK)
			log_line(LOG_LEVEL_ERROR, "state of a key could not be stored", "device=%016llx", (unsigned long long)d->eui64);
		generation_drop(m, d, d->former);
		d->former = NULL;
		mef_device_moved(m, d);
		(void)mef_audit(m, g->rotation ? "network key rotated" : "device joined", d->eui64, d->gateway, d->owner, NULL);
		log_line(LOG_LEVEL_INFO, g->rotation ? "network key rotated" : "device joined", "device=%016llx owner=%s", (unsigned long long)d->eui64, d->owner);
	}
	verified = g->tc.base_unique || g->tc.state == TRUST_VERIFIED;
	state_set(m, d, verified ? DEVICE_VERIFIED : DEVICE_JOINED, event, "");
	mef_device_wait(m, d, must_verify(m, d) ? clock_ms() + MEF_VERIFY_MS : CLOCK_NEVER);
	mef_group_joined(m, d);
}

static void joined(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	used(m, d, g, "joined");
}

static void on_rotated(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	used(m, d, g, "rotated");
}

/* Node B says that a frame counter under this key has come far. */
static void on_counter_high(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	char message[256] = "";

	if (g == d->present && mef_rotate(m, d, "frame counter near its end", message) != OK)
		log_line(LOG_LEVEL_WARNING, "a network key is nearly used up, and could not be rotated", "device=%016llx reason=\"%s\"", (unsigned long long)d->eui64, message);
}

static void noted(struct mef *m, struct mef_device *d, const char *event)
{
	state_set(m, d, d->state, event, d->reason);
}

static void on_announced(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	noted(m, d, "announced");
}

static void on_rejoined(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	(void)mef_audit(m, "device rejoined", d->eui64, d->gateway, d->owner, NULL);
	noted(m, d, "rejoined");
}

static void on_left(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	if (g != mef_generation_in_use(d))
		return;
	(void)mef_audit(m, "device left", d->eui64, d->gateway, d->owner, NULL);
	log_line(LOG_LEVEL_INFO, "device left", "device=%016llx", (unsigned long long)d->eui64);
	mef_device_wait(m, d, CLOCK_NEVER);
	state_set(m, d, DEVICE_REGISTERED, "left", "the device left the network; it may join again");
}

static void on_lost(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	log_line(LOG_LEVEL_WARNING, "device is silent", "device=%016llx", (unsigned long long)d->eui64);
	noted(m, d, "lost");
}

static void on_heard(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	noted(m, d, "heard");
}

static void on_interviewed(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	noted(m, d, "interviewed");
}

static const struct {
	const char *name;
	void (*act)(struct mef *m, struct mef_device *d, struct mef_generation *g);
	bool addresses; /* carries the device's present short address and capability */
} events[] = {
	{"joined", joined, true},
	{"rotated", on_rotated, true},
	{"counter-high", on_counter_high, false},
	{"announced", on_announced, true},
	{"rejoined", on_rejoined, true},
	{"left", on_left, false},
	{"lost", on_lost, false},
	{"heard", on_heard, true},
	{"interviewed", on_interviewed, false},
};

enum err mef_event(struct mef *m, struct mef_device *d, struct mef_generation *g, struct rd event, uint16_t short_address, uint8_t capability)
{
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		if (!rd_is(event, events[i].name))
			continue;
		if (d->state == DEVICE_REMOVED)
			return OK; /* nothing brings it back */
		if (events[i].addresses && short_address != 0) {
			d->short_address = short_address;
			d->capability = capability;
		}
		events[i].act(m, d, g);
		mef_pump(m);
		return OK;
	}
	return ERR_BAD_VALUE;
}

/* ---- APS relay ---- */

static void answer_fill(struct mef_aps_answer *a, const char *outcome, const char *reason, bool ack)
{
	a->outcome = outcome;
	a->reason = reason;
	a->ack = ack;
}

static void verified(struct mef *m, struct mef_device *d)
{
	m->statistics.verified++;
	mef_device_wait(m, d, CLOCK_NEVER);
	state_set(m, d, DEVICE_VERIFIED, "verified", "");
	log_line(LOG_LEVEL_INFO, "device has its own link key", "device=%016llx", (unsigned long long)d->eui64);
	(void)mef_audit(m, "link key verified", d->eui64, d->gateway, d->owner, NULL);
}

/* What a rotation has to say, or Remove-Device when it is due, otherwise nothing. */
static enum err pending_frame(struct mef *m, struct mef_device *d, struct mef_generation *g, uint8_t aps_counter, struct mef_aps_answer *a)
{
	struct mef_taking r = {m, d};
	const struct trust_counter counter = {mef_counter_take, &r};
	struct wr w = wr_of(a->octets, sizeof a->octets);
	enum err e = OK;

	answer_fill(a, "accepted", NULL, false);
	if (!mef_command_waits(m, d->owner, COMMAND_ZIGBEE_APS_PENDING, g->key_id))
		return OK;
	if (d->state != DEVICE_REMOVED && d->state != DEVICE_FAILED) { /* whoever is not to go is told nothing, or of a new key */
		if (mef_rotation_frame(m, d, g, aps_counter, &w, &e) && e == OK) {
			a->len = w.len;
			answer_fill(a, "answer", NULL, false);
		}
		return e;
	}
	e = trust_centre_remove(&g->tc, aps_counter, &counter, &w);
	if (e != OK)
		return e;
	a->len = w.len;
	answer_fill(a, "answer", NULL, false);
	(void)mef_audit(m, "Remove-Device sent", d->eui64, d->gateway, d->owner, NULL);
	return OK;
}

/* Somebody associated with a router, which never may have children. */
static void child_refused(struct mef *m, const struct mef_device *router, uint64_t child)
{
	char detail[48];

	snprintf(detail, sizeof detail, "through router %016llx", (unsigned long long)router->eui64);
	if (!mef_noise_permits(m, &m->noise, router->gateway))
		return;
	log_line(LOG_LEVEL_WARNING, "refused to join through a router", "device=%016llx router=%016llx", (unsigned long long)child, (unsigned long long)router->eui64);
	(void)mef_audit(m, "refused to join through a router", child, router->gateway, router->owner, detail);
}

static enum err judge(struct mef *m, struct mef_device *d, struct mef_generation *g, uint8_t aps_counter, struct rd frame, struct wr *w,
    struct trust_result *result)
{
	struct mef_taking r = {m, d};
	const struct trust_counter counter = {mef_counter_take, &r};
	enum err e = trust_centre_input(&g->tc, frame, aps_counter, &counter, m->rng, w, result);

	if (e == OK && result->store)
		e = mef_store_generation_put(m->store, d, g);
	if (e == OK)
		return OK;
	/* What is in memory but not on disk must not be built upon. */
	log_line(LOG_LEVEL_ERROR, "the Trust Centre could not answer", "device=%016llx error=%s", (unsigned long long)d->eui64, err_name(e));
	if (mef_store_generations(m->store, d) != OK)
		log_line(LOG_LEVEL_ERROR, "keys of a device could not be read again", "device=%016llx", (unsigned long long)d->eui64);
	return e;
}

enum err mef_aps(struct mef *m, struct mef_device *d, struct mef_generation *g, uint8_t aps_counter, struct rd frame, struct mef_aps_answer *a)
{
	static const char *const outcomes[] = {[TRUST_ANSWER] = "answer", [TRUST_ACCEPTED] = "accepted", [TRUST_IGNORED] = "ignored"};
	struct wr w = wr_of(a->octets, sizeof a->octets);
	struct trust_result result;
	enum err e;

	a->len = 0;
	if (frame.left == 0)
		return pending_frame(m, d, g, aps_counter, a);
	if (!m->config.answer_requests) {
		answer_fill(a, "ignored", "the Trust Centre's answers are switched off", false);
		return OK;
	}
	if (d->state == DEVICE_REMOVED) {
		answer_fill(a, "ignored", "the device is being removed", false);
		return OK;
	}
	if (g == d->present && g->rotation && !g->joined) /* B opened it under the new key: the device has it */
		used(m, d, g, "rotated");
	e = judge(m, d, g, aps_counter, frame, &w, &result);
	if (e != OK)
		return e;
	if (result.outcome == TRUST_ANSWER)
		a->len = w.len;
	answer_fill(a, outcomes[result.outcome], result.reason, result.genuine);
	if (result.outcome == TRUST_ANSWER)
		m->statistics.aps_answers++;
	else if (result.outcome == TRUST_IGNORED)
		m->statistics.aps_ignored++;
	if ((result.reason || result.command) && mef_noise_permits(m, &m->noise, d->gateway))
		log_line(result.reason ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, result.reason ? "Trust Centre" : "Trust Centre served",
		    "device=%016llx command=%s outcome=%s reason=\"%s\"", (unsigned long long)d->eui64, result.command ? result.command : "?",
		    a->outcome, result.reason ? result.reason : "");
	if (result.refused)
		child_refused(m, d, result.refused);
	if (result.verified_now && g == mef_generation_in_use(d))
		verified(m, d);
	mef_pump(m);
	return OK;
}
