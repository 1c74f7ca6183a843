/* The simulated radio. */
#include "sim/radio.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define EFFECTS_MAX 64
#define BACKOFF_MAX_MS 4
#define FCS 2

struct outgoing {
	uint8_t frame[MAC_FRAME_MAX];
	size_t len;
	uint32_t token;
};

struct radio {
	struct rng *rng;
	uint16_t pan_id, short_address;
	uint64_t extended;
	bool receiver, promiscuous, coordinator, matching;
	uint16_t match_short[RADIO_MATCHES_MAX];
	uint64_t match_extended[RADIO_MATCHES_MAX];
	size_t match_short_count, match_extended_count;
	struct outgoing queue[RADIO_QUEUE_MAX];
	size_t queue_first, queue_count;
	bool waiting_ack;
	unsigned tries; /* of the transmission at the head of the queue */
	uint64_t deadline;
	uint32_t ack_wait_ms;
	struct radio_effect effects[EFFECTS_MAX];
	size_t effect_first, effect_count;
};

struct radio *radio_new(struct rng *rng)
{
	struct radio *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->rng = rng;
	r->pan_id = MAC_BROADCAST;
	r->short_address = MAC_BROADCAST;
	r->receiver = true;
	r->deadline = CLOCK_NEVER;
	r->ack_wait_ms = RADIO_ACK_WAIT_MS;
	return r;
}

void radio_free(struct radio *r)
{
	free(r);
}

void radio_set_ack_wait(struct radio *r, uint32_t ms)
{
	r->ack_wait_ms = ms;
}

void radio_set_pan(struct radio *r, uint16_t pan_id)
{
	r->pan_id = pan_id;
}

void radio_set_short(struct radio *r, uint16_t short_address)
{
	r->short_address = short_address;
}

void radio_set_extended(struct radio *r, uint64_t eui64)
{
	r->extended = eui64;
}

void radio_set_receiver(struct radio *r, bool on)
{
	r->receiver = on;
}

void radio_set_promiscuous(struct radio *r, bool on)
{
	r->promiscuous = on;
}

void radio_set_coordinator(struct radio *r, bool on)
{
	r->coordinator = on;
}

void radio_match_enable(struct radio *r, bool on)
{
	r->matching = on;
}

bool radio_match_short(struct radio *r, uint16_t short_address, bool add)
{
	for (size_t i = 0; i < r->match_short_count; i++) {
		if (r->match_short[i] != short_address)
			continue;
		if (!add)
			r->match_short[i] = r->match_short[--r->match_short_count];
		return true;
	}
	if (!add || r->match_short_count == RADIO_MATCHES_MAX)
		return false;
	r->match_short[r->match_short_count++] = short_address;
	return true;
}

bool radio_match_extended(struct radio *r, uint64_t eui64, bool add)
{
	for (size_t i = 0; i < r->match_extended_count; i++) {
		if (r->match_extended[i] != eui64)
			continue;
		if (!add)
			r->match_extended[i] = r->match_extended[--r->match_extended_count];
		return true;
	}
	if (!add || r->match_extended_count == RADIO_MATCHES_MAX)
		return false;
	r->match_extended[r->match_extended_count++] = eui64;
	return true;
}

void radio_match_clear_short(struct radio *r)
{
	r->match_short_count = 0;
}

void radio_match_clear_extended(struct radio *r)
{
	r->match_extended_count = 0;
}

/* A full list drops: the loop that drains it runs after every call. */
static struct radio_effect *effect(struct radio *r, enum radio_effect_type type)
{
	static struct radio_effect dropped;
	struct radio_effect *e;

	if (r->effect_count == EFFECTS_MAX)
		return &dropped;
	e = &r->effects[(r->effect_first + r->effect_count++) % EFFECTS_MAX];
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

bool radio_output(struct radio *r, struct radio_effect *e)
{
	if (r->effect_count == 0)
		return false;
	*e = r->effects[r->effect_first];
	r->effect_first = (r->effect_first + 1) % EFFECTS_MAX;
	r->effect_count--;
	return true;
}

static void send(struct radio *r, struct rd frame)
{
	struct radio_effect *e = effect(r, RADIO_SEND);
	struct wr w = wr_of(e->octets, sizeof e->octets);

	mac_fcs_append(&w, frame);
	e->len = w.len;
}

static void begin(struct radio *r, uint64_t now)
{
	if (r->queue_count == 0 || r->waiting_ack || r->deadline != CLOCK_NEVER)
		return;
	r->tries = 0;
	r->deadline = now + rng_below(r->rng, BACKOFF_MAX_MS + 1); /* CSMA back-off */
}

static void ended(struct radio *r, uint64_t now, enum radio_status status, bool pending)
{
	struct radio_effect *e = effect(r, RADIO_SENT);

	e->token = r->queue[r->queue_first].token;
	e->status = status;
	e->frame_pending = pending;
	r->queue_first = (r->queue_first + 1) % RADIO_QUEUE_MAX;
	r->queue_count--;
	r->waiting_ack = false;
	r->deadline = CLOCK_NEVER;
	begin(r, now);
}

enum err radio_transmit(struct radio *r, uint64_t now, struct rd frame, uint32_t token)
{
	struct outgoing *o;

	if (frame.left > MAC_FRAME_MAX || frame.left < 3)
		return ERR_TOO_LONG;
	if (r->queue_count == RADIO_QUEUE_MAX)
		return ERR_FULL;
	o = &r->queue[(r->queue_first + r->queue_count++) % RADIO_QUEUE_MAX];
	memcpy(o->frame, frame.at, frame.left);
	o->len = frame.left;
	o->token = token;
	begin(r, now);
	return OK;
}

void radio_tick(struct radio *r, uint64_t now)
{
	struct outgoing *o = &r->queue[r->queue_first];
	struct mac_frame f;

	if (now < r->deadline || r->queue_count == 0)
		return;
	if (r->waiting_ack && r->tries > RADIO_RETRIES) {
		ended(r, now, RADIO_NO_ACK, false);
		return;
	}
	r->tries++;
	send(r, rd_of(o->frame, o->len));
	if (mac_frame_decode(rd_of(o->frame, o->len), &f) == OK && f.ack_request) {
		r->waiting_ack = true;
		r->deadline = now + r->ack_wait_ms + rng_below(r->rng, BACKOFF_MAX_MS + 1);
	} else {
		ended(r, now, RADIO_OK, false);
	}
}

static bool for_us(const struct radio *r, const struct mac_frame *f)
{
	switch (f->destination.mode) {
	case MAC_ADDRESS_NONE:
		return f->type == MAC_BEACON || (r->coordinator && f->source.pan_id == r->pan_id);
	case MAC_ADDRESS_SHORT:
		return (f->destination.pan_id == r->pan_id || f->destination.pan_id == MAC_BROADCAST) &&
		    (f->destination.short_address == MAC_BROADCAST || f->destination.short_address == r->short_address);
	case MAC_ADDRESS_EXTENDED:
		return (f->destination.pan_id == r->pan_id || f->destination.pan_id == MAC_BROADCAST || r->pan_id == MAC_BROADCAST) &&
		    f->destination.extended == r->extended;
	}
	return false;
}

static bool is_broadcast(const struct mac_frame *f)
{
	return f->destination.mode == MAC_ADDRESS_SHORT && f->destination.short_address == MAC_BROADCAST;
}

static bool pending_for(const struct radio *r, const struct mac_frame *f)
{
	if (f->type != MAC_COMMAND || f->payload.left < 1 || f->payload.at[0] != MAC_DATA_REQUEST)
		return false;
	if (!r->matching)
		return true;
	for (size_t i = 0; f->source.mode == MAC_ADDRESS_SHORT && i < r->match_short_count; i++)
		if (r->match_short[i] == f->source.short_address)
			return true;
	for (size_t i = 0; f->source.mode == MAC_ADDRESS_EXTENDED && i < r->match_extended_count; i++)
		if (r->match_extended[i] == f->source.extended)
			return true;
	return false;
}

static void acknowledge(struct radio *r, const struct mac_frame *f, bool pending)
{
	const struct mac_frame ack = {.type = MAC_ACK, .frame_pending = pending, .sequence = f->sequence};
	uint8_t octets[8];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd frame;

	if (mac_frame_encode(&ack, &w) == OK && wr_done(&w, &frame))
		send(r, frame);
}

static void on_ack(struct radio *r, uint64_t now, const struct mac_frame *f)
{
	const struct outgoing *o = &r->queue[r->queue_first];

	if (r->waiting_ack && r->queue_count > 0 && o->frame[2] == f->sequence)
		ended(r, now, RADIO_OK, f->frame_pending);
}

/* Most of what is heard is for others: whether it is comes before its check sequence, which costs more. */
static bool wanted(const struct radio *r, struct rd psdu, struct mac_frame *f, struct rd *frame)
{
	if (r->promiscuous)
		return true;
	if (psdu.left < FCS || !rd_sub(&psdu, psdu.left - FCS, frame) || mac_frame_decode(*frame, f) != OK)
		return false;
	return f->type == MAC_ACK ? r->waiting_ack : r->receiver && for_us(r, f);
}

void radio_input(struct radio *r, uint64_t now, struct rd psdu)
{
	struct radio_effect *e;
	struct mac_frame f;
	struct rd frame;
	bool pending = false;

	if (!wanted(r, psdu, &f, &frame) || mac_fcs_check(psdu, &frame) != OK || frame.left > MAC_FRAME_MAX)
		return;
	if (!r->promiscuous) {
		if (f.type == MAC_ACK) {
			on_ack(r, now, &f);
			return;
		}
		if (f.ack_request && !is_broadcast(&f)) {
			pending = pending_for(r, &f);
			acknowledge(r, &f, pending);
		}
	}
	e = effect(r, RADIO_RECEIVED);
	memcpy(e->octets, frame.at, frame.left);
	e->len = frame.left;
	e->acked_pending = pending;
}

uint64_t radio_deadline(const struct radio *r)
{
	return r->queue_count > 0 ? r->deadline : CLOCK_NEVER;
}
