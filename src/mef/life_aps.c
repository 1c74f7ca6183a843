/* The APS relay: what the device says to its Trust Centre, and what that has to say to the device. docs/protocols/key-registration.md, "APS relay". */
#include "mef/life_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "loop/log.h"

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
	life_state(m, d, DEVICE_VERIFIED, "verified", "");
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
		if (behind_frame(m, d, g, aps_counter, a, &e))
			return e;
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

/* Who came to a router is let in, or sent away. */
static enum err update(struct mef *m, struct mef_device *d, struct mef_generation *g, uint8_t aps_counter, const struct trust_update *u, struct mef_aps_answer *a)
{
	struct mef_taking r = {m, d};
	const struct trust_counter counter = {mef_counter_take, &r};
	struct wr w = wr_of(a->octets, sizeof a->octets);
	enum err e;

	if (behind_update(m, d, u, a))
		return OK;
	e = trust_centre_refuse(&g->tc, u->device, aps_counter, &counter, &w);
	if (e != OK)
		return e;
	a->len = w.len;
	a->outcome = "answer";
	return OK;
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

	*a = (struct mef_aps_answer){.len = 0};
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
		life_used(m, d, g, "rotated");
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
	if (result.update.device)
		e = update(m, d, g, aps_counter, &result.update, a);
	if (result.verified_now && g == mef_generation_in_use(d))
		verified(m, d);
	mef_pump(m);
	return e;
}
