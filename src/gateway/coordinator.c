/* The PAN coordinator's MAC service. */
#include "gateway/coordinator_private.h"

#include <stdlib.h>
#include <string.h>

#define EFFECTS_MAX (ITEMS_MAX + 4 * CHILDREN_MAX) /* one call may end every item, and tell the radio of every child twice */
#define ASSOCIATION_MS 20000            /* a child that never polls for its response is forgotten */
#define DUPLICATE_MS 1000
#define LAST_WORDS_MS 60000            /* its owner was told to forget it before we were, and its Leave is on the way */

struct coordinator *coordinator_new(const struct coordinator_config *config, struct rng *rng)
{
	struct coordinator *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->effects = calloc(EFFECTS_MAX, sizeof *c->effects);
	if (!c->effects) {
		free(c);
		return NULL;
	}
	c->config = *config;
	c->rng = rng;
	c->sequence = (uint8_t)rng_u32(rng);
	c->beacon_sequence = (uint8_t)rng_u32(rng);
	return c;
}

void coordinator_free(struct coordinator *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		queue_drop(c, &c->slots[i]);
	table_clear(&c->by_eui64);
	table_clear(&c->by_short);
	table_clear(&c->by_token);
	timers_free(&c->expiries);
	free(c->effects);
	free(c);
}

struct coordinator_effect *coordinator_effect(struct coordinator *c, enum coordinator_effect_type type)
{
	struct coordinator_effect *e;

	if (c->effect_count == EFFECTS_MAX) {
		c->effect_first = (c->effect_first + 1) % EFFECTS_MAX;
		c->effect_count--;
	}
	e = &c->effects[(c->effect_first + c->effect_count++) % EFFECTS_MAX];
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

bool coordinator_output(struct coordinator *c, struct coordinator_effect *e)
{
	if (c->effect_count == 0)
		return false;
	*e = c->effects[c->effect_first];
	c->effect_first = (c->effect_first + 1) % EFFECTS_MAX;
	c->effect_count--;
	return true;
}

static void on_poll(struct coordinator *c, uint64_t now, const struct mac_address *from)
{
	bool extended = from->mode == MAC_ADDRESS_EXTENDED;
	struct slot *s = extended ? slot_find(c, from->extended) : slot_find_short(c, from->short_address);
	struct coordinator_effect *e;

	if (!s) {
		e = coordinator_effect(c, COORDINATOR_UNKNOWN_POLL);
		e->eui64 = extended ? from->extended : 0;
		e->short_address = extended ? MAC_BROADCAST : from->short_address;
		return;
	}
	s->child.last_heard = now;
	for (struct item *i = s->first; i; i = i->next) {
		if (i->command != extended)
			continue;
		if (!i->in_flight)
			queue_transmit_item(c, s, i);
		return;
	}
}

static void on_orphan(struct coordinator *c, uint64_t now, uint64_t eui64)
{
	struct slot *s = slot_find(c, eui64);
	struct mac_command m = {.id = MAC_COORDINATOR_REALIGNMENT};
	struct mac_frame f = {.type = MAC_COMMAND, .sequence = c->sequence++, .ack_request = true, .source = queue_own_address(c, true)};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)now;
	if (!s || !slot_is_child(s))
		return;
	m.realignment.pan_id = c->config.pan_id;
	m.realignment.coordinator = NWK_COORDINATOR;
	m.realignment.channel = c->config.channel;
	m.realignment.short_address = s->child.short_address;
	f.destination = (struct mac_address){MAC_ADDRESS_EXTENDED, MAC_BROADCAST, 0, eui64};
	if (mac_command_encode(&m, &w) == OK && wr_done(&w, &f.payload))
		(void)queue_transmit(c, &f, true);
}

/* Radios filter by address, but not all of them and not always. */
static bool for_us(const struct coordinator *c, const struct mac_frame *f)
{
	const struct mac_address *to = f->destination.mode == MAC_ADDRESS_NONE ? &f->source : &f->destination;

	if (to->pan_id != c->config.pan_id)
		return false;
	if (f->destination.mode == MAC_ADDRESS_SHORT)
		return to->short_address == NWK_COORDINATOR;
	return f->destination.mode == MAC_ADDRESS_NONE || to->extended == c->config.eui64;
}

static void on_command(struct coordinator *c, uint64_t now, const struct mac_frame *f)
{
	struct mac_command m;

	if (mac_command_decode(f->payload, &m) != OK)
		return;
	switch (m.id) {
	case MAC_BEACON_REQUEST:
		join_beacon(c, now);
		break;
	case MAC_ASSOCIATION_REQUEST:
		if (f->source.mode == MAC_ADDRESS_EXTENDED && for_us(c, f))
			join_association(c, now, f->source.extended, m.capability);
		break;
	case MAC_DATA_REQUEST:
		if (f->source.mode != MAC_ADDRESS_NONE && for_us(c, f))
			on_poll(c, now, &f->source);
		break;
	case MAC_ORPHAN:
		if (f->source.mode == MAC_ADDRESS_EXTENDED)
			on_orphan(c, now, f->source.extended);
		break;
	case MAC_DISASSOCIATION: /* anybody can send it: a hint at most */
	case MAC_ASSOCIATION_RESPONSE:
	case MAC_PAN_ID_CONFLICT:
	case MAC_COORDINATOR_REALIGNMENT:
		break;
	}
}

/* Whose frame it is: by the auxiliary header's or the NWK header's EUI-64, otherwise by the short address. */
static struct slot *sender_of(struct coordinator *c, const struct mac_frame *f, const struct nwk_frame *nwk)
{
	struct rd sealed = nwk->payload;
	struct aux_header aux;
	struct slot *s = NULL;

	if (nwk->security && aux_header_decode(&sealed, &aux) && aux.extended_nonce)
		s = slot_find(c, aux.source);
	if (!s && nwk->has_source_eui64)
		s = slot_find(c, nwk->source_eui64);
	if (!s && f->source.mode == MAC_ADDRESS_SHORT)
		s = slot_find_short(c, f->source.short_address);
	return s;
}

/* Of a frame that is sealed for this network, and whose sender is no child: perhaps it was one. */
static void unknown_speaks(struct coordinator *c, const struct nwk_frame *nwk)
{
	struct rd sealed = nwk->payload;
	struct coordinator_effect *e;
	struct aux_header aux;

	if (!nwk->security || !aux_header_decode(&sealed, &aux) || !aux.extended_nonce)
		return;
	e = coordinator_effect(c, COORDINATOR_UNKNOWN_POLL);
	e->eui64 = aux.source;
	e->short_address = nwk->source;
}

static void on_data(struct coordinator *c, uint64_t now, const struct mac_frame *f, uint8_t lqi, int8_t rssi)
{
	struct nwk_frame nwk;
	struct coordinator_effect *e;
	struct slot *s;

	/* inter-PAN, Green Power and what is no NWK frame end here */
	if (f->payload.left > NWK_FRAME_MAX || nwk_frame_decode(f->payload, &nwk) != OK)
		return;
	s = sender_of(c, f, &nwk);
	if (!s) {
		unknown_speaks(c, &nwk);
		return;
	}
	if (s->last_sequence == f->sequence && now - s->last_sequence_at < DUPLICATE_MS && s->last_sequence_at)
		return; /* our acknowledgement was lost */
	s->last_sequence = f->sequence;
	s->last_sequence_at = now;
	if (!nwk.security && nwk.type == NWK_COMMAND) {
		join_rejoin(c, now, s, &nwk);
		return;
	}
	s->child.last_heard = now;
	if (s->child.dropped)
		return; /* nobody listens */
	e = coordinator_effect(c, COORDINATOR_UPLINK);
	e->eui64 = s->child.eui64;
	e->short_address = nwk.source;
	e->lqi = lqi;
	e->rssi = rssi;
	memcpy(e->octets, f->payload.at, f->payload.left);
	e->len = f->payload.left;
}

void coordinator_received(struct coordinator *c, uint64_t now, struct rd frame, uint8_t lqi, int8_t rssi)
{
	struct mac_frame f;

	if (mac_frame_decode(frame, &f) != OK)
		return;
	if (f.type == MAC_COMMAND)
		on_command(c, now, &f);
	else if (f.type == MAC_DATA && f.destination.pan_id == c->config.pan_id)
		on_data(c, now, &f, lqi, rssi);
}

/* ---- what the owner says ---- */

void coordinator_child_set(struct coordinator *c, uint64_t now, uint64_t eui64, uint16_t short_address, uint8_t capability, uint32_t timeout_s)
{
	struct slot *s = slot_find(c, eui64);
	struct coordinator_effect *e;

	if (!s || !slot_address_is_free(c, short_address, s))
		return;
	s->child.dropped = false; /* it is its child again */
	if (s->matched_short && s->child.short_address != short_address) {
		e = coordinator_effect(c, COORDINATOR_MATCH_SHORT);
		e->short_address = s->child.short_address;
		s->matched_short = false;
	}
	slot_address(c, s, short_address);
	s->child.capability = capability;
	s->child.timeout_s = timeout_s;
	s->child.confirmed = true;
	s->child.last_heard = now;
	queue_match(c, s);
	queue_next(c, s); /* it may listen all the time now */
	(void)coordinator_effect(c, COORDINATOR_SAVE);
}

void coordinator_child_drop(struct coordinator *c, uint64_t eui64)
{
	struct slot *s = slot_find(c, eui64);

	if (!s || s->child.dropped)
		return;
	s->child.dropped = true;
	if (!slot_leave(c, 0, s))
		(void)coordinator_effect(c, COORDINATOR_SAVE);
}

void coordinator_child_remove(struct coordinator *c, uint64_t now, uint64_t eui64)
{
	struct slot *s = slot_find(c, eui64);
	struct coordinator_effect *e;

	if (!s) {
		e = coordinator_effect(c, COORDINATOR_ENDED);
		e->eui64 = eui64;
		return;
	}
	if (s->last_words)
		return; /* told again */
	s->child.removed = true;
	s->last_words = s->child.owner[0] ? now + LAST_WORDS_MS : now;
	if (!slot_leave(c, now, s))
		(void)coordinator_effect(c, COORDINATOR_SAVE);
}

/* ---- time ---- */

void coordinator_tick(struct coordinator *c, uint64_t now)
{
	queue_expire(c, now);
	for (size_t n = 0; n < CHILDREN_MAX; n++) {
		struct slot *s = &c->slots[n];

		if (!s->used || slot_leave(c, now, s) || s->child.dropped)
			continue;
		if (!slot_is_child(s) && !s->first && now > s->child.last_heard + ASSOCIATION_MS) {
			slot_end(c, s); /* it was only ever refused */
		} else if (s->child.timeout_s && now > s->child.last_heard + s->child.timeout_s * 1000ULL) {
			struct coordinator_effect *e = coordinator_effect(c, COORDINATOR_LOST);

			e->eui64 = s->child.eui64;
			e->short_address = s->child.short_address;
			s->child.last_heard = now; /* once a time-out; only its owner drops it */
		}
	}
}
