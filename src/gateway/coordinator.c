/* The PAN coordinator's MAC service. */
#include "gateway/coordinator.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "base/timers.h"
#include "zigbee/beacon.h"
#include "zigbee/nwk_frame.h"

#define ITEMS_MAX (4 * CHILDREN_MAX)   /* after a power cut each child has an association response and a Transport-Key, and soon more */
#define ITEMS_A_CHILD 128               /* a node that floods one child must not stop the others' */
#define EFFECTS_MAX (ITEMS_MAX + 4 * CHILDREN_MAX) /* one call may end every item, and tell the radio of every child twice */
#define SUPERFRAME 0x0fff               /* no beacons, no superframe; the permit bit comes on top */
#define PERSISTENCE_MS 7680             /* macTransactionPersistenceTime */
#define ASSOCIATION_MS 20000            /* a child that never polls for its response is forgotten */
#define DUPLICATE_MS 1000
#define REJOIN_EVERY_MS 5000  /* a Trust Centre rejoin of a child is passed on so often */
#define BEACONS_A_SECOND 20

/* A frame that waits for a child: in its queue while it sleeps, or to be sent at once. */
struct item {
	struct item *next;
	struct slot *slot;
	struct timer_node timer; /* while it is not in flight */
	struct table_node token_node; /* while it is */
	uint32_t id, token;
	bool command, in_flight; /* command: an association response or realignment, to the extended address */
	uint64_t expires;
	uint8_t octets[MAC_FRAME_MAX];
	size_t len;
};

struct slot {
	struct child child;
	struct table_node eui64_node, short_node;
	bool used, matched_short, matched_extended;
	struct item *first, **last;
	size_t items;
	uint8_t last_sequence;
	uint64_t last_sequence_at;
	uint64_t rejoin_at;      /* it asked for a Trust Centre rejoin then; 0: never, or it was granted */
};

struct coordinator {
	struct coordinator_config config;
	struct rng *rng;
	struct slot slots[CHILDREN_MAX];
	struct table by_eui64, by_short, by_token; /* slots in use, children, frames in flight */
	struct timers expiries;                    /* of the frames that wait */
	size_t walk_index, walk_slot;              /* coordinator_child_at: where it was last, and in which slot that is */
	uint64_t admitted[EGP_POLICY_DEVICES_MAX];
	size_t admitted_count;
	uint64_t joining_until;
	uint8_t sequence, beacon_sequence;
	uint32_t token;
	size_t items;
	uint64_t beacon_second;
	unsigned beacons;
	struct coordinator_effect *effects;
	size_t effect_first, effect_count;
};

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

static void item_free(struct coordinator *c, struct item *i)
{
	timers_unset(&c->expiries, &i->timer);
	if (i->in_flight)
		table_remove(&c->by_token, &i->token_node);
	i->slot->items--;
	free(i);
	c->items--;
}

static void drop_items(struct coordinator *c, struct slot *s)
{
	while (s->first) {
		struct item *i = s->first;

		s->first = i->next;
		item_free(c, i);
	}
	s->last = &s->first;
}

void coordinator_free(struct coordinator *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		drop_items(c, &c->slots[i]);
	table_clear(&c->by_eui64);
	table_clear(&c->by_short);
	table_clear(&c->by_token);
	timers_free(&c->expiries);
	free(c->effects);
	free(c);
}

static struct coordinator_effect *effect(struct coordinator *c, enum coordinator_effect_type type)
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

/* ---- children ---- */

static struct slot *slot_of(const struct coordinator *c, uint64_t eui64)
{
	for (struct table_node *n = table_find(&c->by_eui64, table_hash(eui64)); n; n = table_find_next(n))
		if (table_owner(n, struct slot, eui64_node)->child.eui64 == eui64)
			return table_owner(n, struct slot, eui64_node);
	return NULL;
}

static struct slot *slot_of_short(const struct coordinator *c, uint16_t short_address)
{
	struct table_node *n = table_find(&c->by_short, table_hash(short_address)); /* of 16 bits no two have the same hash */

	return table_owner(n, struct slot, short_node);
}

static struct slot *slot_new(struct coordinator *c, uint64_t eui64)
{
	for (size_t i = 0; c->by_eui64.count < CHILDREN_MAX && i < CHILDREN_MAX; i++) {
		struct slot *s = &c->slots[i];

		if (s->used)
			continue;
		memset(s, 0, sizeof *s);
		s->used = true;
		s->last = &s->first;
		s->child.eui64 = eui64;
		s->child.short_address = MAC_BROADCAST;
		table_add(&c->by_eui64, &s->eui64_node, table_hash(eui64));
		c->walk_index = c->walk_slot = 0;
		return s;
	}
	return NULL;
}

static bool is_child(const struct slot *s)
{
	return s->child.short_address != MAC_BROADCAST; /* otherwise it was only ever refused */
}

static void short_set(struct coordinator *c, struct slot *s, uint16_t short_address)
{
	if (is_child(s))
		table_remove(&c->by_short, &s->short_node);
	s->child.short_address = short_address;
	if (is_child(s))
		table_add(&c->by_short, &s->short_node, table_hash(short_address));
}

static void slot_end(struct coordinator *c, struct slot *s)
{
	drop_items(c, s);
	short_set(c, s, MAC_BROADCAST);
	table_remove(&c->by_eui64, &s->eui64_node);
	s->used = false;
	c->walk_index = c->walk_slot = 0;
}

static bool address_is_free(struct coordinator *c, uint16_t short_address, const struct slot *but)
{
	struct slot *s = slot_of_short(c, short_address);

	return nwk_address_is_device(short_address) && (!s || s == but);
}

struct child *coordinator_child(struct coordinator *c, uint64_t eui64)
{
	struct slot *s = slot_of(c, eui64);

	return s ? &s->child : NULL;
}

/* Asked for one after the other, as they are, each costs one step. */
struct child *coordinator_child_at(struct coordinator *c, size_t index)
{
	size_t before = index >= c->walk_index ? c->walk_index : 0;

	for (size_t i = index >= c->walk_index ? c->walk_slot : 0; i < CHILDREN_MAX; i++) {
		if (!c->slots[i].used || before++ != index)
			continue;
		c->walk_index = index;
		c->walk_slot = i;
		return &c->slots[i].child;
	}
	return NULL;
}

bool coordinator_restore(struct coordinator *c, const struct child *child)
{
	struct slot *s = slot_of(c, child->eui64) || !address_is_free(c, child->short_address, NULL) ? NULL : slot_new(c, child->eui64);

	if (!s)
		return false;
	s->child = *child;
	s->child.short_address = MAC_BROADCAST;
	short_set(c, s, child->short_address);
	s->child.last_heard = 0;
	return true;
}

static uint16_t free_short(struct coordinator *c)
{
	for (;;) {
		uint16_t a = (uint16_t)rng_u32(c->rng);

		if (address_is_free(c, a, NULL))
			return a;
	}
}

static bool listens(const struct child *child)
{
	return child->capability & MAC_CAPABILITY_RX_ON_WHEN_IDLE;
}

/* ---- transmission ---- */

static struct mac_address own_address(const struct coordinator *c, bool extended)
{
	const struct mac_address a = {
		.mode = extended ? MAC_ADDRESS_EXTENDED : MAC_ADDRESS_SHORT,
		.pan_id = c->config.pan_id,
		.short_address = NWK_COORDINATOR,
		.extended = c->config.eui64,
	};

	return a;
}

static uint32_t transmit(struct coordinator *c, struct mac_frame *f)
{
	struct coordinator_effect *e = effect(c, COORDINATOR_TRANSMIT);
	struct wr w = wr_of(e->octets, sizeof e->octets);

	if (mac_frame_encode(f, &w) != OK)
		w.len = 0;
	e->len = w.len;
	e->token = ++c->token;
	return e->token;
}

/* More of the same kind waits: data are polled for from the short address, commands from the extended one. */
static bool more_behind(const struct item *i)
{
	for (const struct item *k = i->next; k; k = k->next)
		if (k->command == i->command)
			return true;
	return false;
}

static void transmit_item(struct coordinator *c, struct slot *s, struct item *i)
{
	struct mac_frame f = {
		.type = i->command ? MAC_COMMAND : MAC_DATA,
		.ack_request = true,
		.pan_id_compression = true,
		.sequence = c->sequence++,
		.frame_pending = more_behind(i) && (i->command || !listens(&s->child)),
		.destination = {i->command ? MAC_ADDRESS_EXTENDED : MAC_ADDRESS_SHORT, c->config.pan_id, s->child.short_address, s->child.eui64},
		.source = own_address(c, i->command),
		.payload = rd_of(i->octets, i->len),
	};

	i->in_flight = true;
	timers_unset(&c->expiries, &i->timer);
	i->token = transmit(c, &f);
	table_add(&c->by_token, &i->token_node, table_hash(i->token));
}

/* The source-match table follows the queue: the radio decides about frame pending before we see a poll. */
static void update_match(struct coordinator *c, struct slot *s)
{
	bool commands = false, data = false;
	struct coordinator_effect *e;

	for (const struct item *i = s->first; i; i = i->next) {
		commands = commands || i->command;
		data = data || !i->command;
	}
	data = data && !listens(&s->child);
	if (commands != s->matched_extended) {
		e = effect(c, COORDINATOR_MATCH_EXTENDED);
		e->eui64 = s->child.eui64;
		e->add = s->matched_extended = commands;
	}
	if (data != s->matched_short) {
		e = effect(c, COORDINATOR_MATCH_SHORT);
		e->short_address = s->child.short_address;
		e->add = s->matched_short = data;
	}
}

void coordinator_radio_ready(struct coordinator *c)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct slot *s = &c->slots[i];

		if (!s->used)
			continue;
		s->matched_short = s->matched_extended = false;
		update_match(c, s);
	}
}

static void report(struct coordinator *c, uint64_t eui64, uint32_t id, enum egp_delivery_status status)
{
	struct coordinator_effect *e = effect(c, COORDINATOR_DELIVERY);

	e->eui64 = eui64;
	e->id = id;
	e->status = status;
}

/* One data frame at a time to a child that listens. A new child hears nothing before it has polled for its address; but anybody can ask for an
 * association in the name of a confirmed one, and holds up no more than the Transport-Key of that association. */
static void next_direct(struct coordinator *c, struct slot *s)
{
	struct item *next = NULL;
	bool address_waits = false;

	for (struct item *i = listens(&s->child) ? s->first : NULL; i; i = i->next) {
		if (i->command)
			address_waits = true;
		else if (i->in_flight)
			return;
		else if (!next && !(address_waits && (!s->child.confirmed || i->id == COORDINATOR_TRANSPORT_KEY)))
			next = i;
	}
	if (next)
		transmit_item(c, s, next);
}

static void enqueue(struct coordinator *c, struct slot *s, uint32_t id, bool command, uint64_t expires, struct rd octets)
{
	struct item *i = c->items < ITEMS_MAX && s->items < ITEMS_A_CHILD && octets.left <= MAC_FRAME_MAX ? calloc(1, sizeof *i) : NULL;

	if (!i) {
		if (!command)
			report(c, s->child.eui64, id, EGP_CHANNEL_BUSY);
		return;
	}
	i->slot = s;
	i->id = id;
	i->command = command;
	i->expires = expires;
	memcpy(i->octets, octets.at, octets.left);
	i->len = octets.left;
	*s->last = i;
	s->last = &i->next;
	s->items++;
	c->items++;
	timers_set(&c->expiries, &i->timer, expires);
	update_match(c, s);
	next_direct(c, s);
}

static void remove_item(struct coordinator *c, struct slot *s, struct item *gone)
{
	struct item **link = &s->first;

	while (*link && *link != gone)
		link = &(*link)->next;
	if (*link)
		*link = gone->next;
	s->last = &s->first;
	while (*s->last)
		s->last = &(*s->last)->next;
	item_free(c, gone);
	update_match(c, s);
}

void coordinator_sent(struct coordinator *c, uint64_t now, uint32_t token, bool acked, bool busy)
{
	struct table_node *n = table_find(&c->by_token, table_hash(token)); /* of 32 bits no two have the same hash */
	struct item *i = table_owner(n, struct item, token_node);
	struct slot *s = i ? i->slot : NULL;

	if (!i)
		return;
	table_remove(&c->by_token, n);
	i->in_flight = false;
	timers_set(&c->expiries, &i->timer, i->expires);
	if (acked)
		s->child.last_heard = now;
	/* A sleeper that missed it polls again; the frame stays until it expires. */
	if (!acked && (i->command || !listens(&s->child)) && now < i->expires)
		return;
	if (!i->command)
		report(c, s->child.eui64, i->id, acked ? EGP_DELIVERED : busy ? EGP_CHANNEL_BUSY : EGP_NO_ACK);
	remove_item(c, s, i);
	next_direct(c, s);
}

void coordinator_send(struct coordinator *c, uint64_t now, uint64_t eui64, uint32_t id, uint8_t flags, uint32_t validity_ms, struct rd nwk)
{
	struct slot *s = slot_of(c, eui64);

	if (nwk.left == 0 || nwk.left > NWK_FRAME_MAX) {
		report(c, eui64, id, EGP_NO_SUCH_DEVICE);
		return;
	}
	if (flags & EGP_DOWNLINK_BROADCAST) {
		struct mac_frame f = {
			.type = MAC_DATA,
			.pan_id_compression = true,
			.sequence = c->sequence++,
			.destination = {MAC_ADDRESS_SHORT, c->config.pan_id, MAC_BROADCAST, 0},
			.source = own_address(c, false),
			.payload = nwk,
		};

		(void)transmit(c, &f);
		report(c, eui64, id, EGP_DELIVERED);
		return;
	}
	if (!s || !is_child(s)) {
		report(c, eui64, id, EGP_NO_SUCH_DEVICE);
		return;
	}
	enqueue(c, s, id, false, now + (validity_ms ? validity_ms : PERSISTENCE_MS), nwk);
}

/* ---- what comes in ---- */

void coordinator_policy(struct coordinator *c, uint64_t now, uint16_t duration_s, const uint64_t *devices, size_t count)
{
	if (count > EGP_POLICY_DEVICES_MAX)
		count = EGP_POLICY_DEVICES_MAX;
	if (count > 0)
		memcpy(c->admitted, devices, count * sizeof *devices);
	c->admitted_count = count;
	c->joining_until = count == 0 || duration_s == 0 ? 0 : duration_s == EGP_UNTIL_CHANGED ? CLOCK_NEVER : now + duration_s * 1000ULL;
}

bool coordinator_joining(const struct coordinator *c, uint64_t now)
{
	return c->admitted_count > 0 && now < c->joining_until;
}

static bool admitted(const struct coordinator *c, uint64_t now, uint64_t eui64)
{
	for (size_t i = 0; i < c->admitted_count; i++)
		if (c->admitted[i] == eui64)
			return coordinator_joining(c, now);
	return false;
}

static void send_beacon(struct coordinator *c, uint64_t now)
{
	const struct zigbee_beacon z = {
		.stack_profile = 2,
		.protocol_version = 2,
		.router_capacity = true, /* they are served as leaves */
		.end_device_capacity = true,
		.extended_pan_id = c->config.extended_pan_id,
		.tx_offset = 0xffffff,
	};
	uint8_t inner[16], outer[32];
	struct wr zw = wr_of(inner, sizeof inner), bw = wr_of(outer, sizeof outer);
	struct mac_beacon b = {.superframe = SUPERFRAME, .pan_coordinator = true, .association_permit = coordinator_joining(c, now)};
	struct mac_frame f = {.type = MAC_BEACON, .sequence = c->beacon_sequence++, .source = own_address(c, false)};

	if (now / 1000 != c->beacon_second) {
		c->beacon_second = now / 1000;
		c->beacons = 0;
	}
	if (++c->beacons > BEACONS_A_SECOND) /* a flood of requests must not fill our air time */
		return;
	if (zigbee_beacon_encode(&z, &zw) != OK || !wr_done(&zw, &b.payload) || mac_beacon_encode(&b, &bw) != OK || !wr_done(&bw, &f.payload))
		return;
	(void)transmit(c, &f);
}

static void answer_association(struct coordinator *c, uint64_t now, struct slot *s, uint16_t short_address, uint8_t status)
{
	struct mac_command m = {.id = MAC_ASSOCIATION_RESPONSE, .association = {short_address, status}};
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	for (struct item *i = s->first; i; i = i->next)
		if (i->command)
			return; /* a repeated request: its answer waits already */
	if (mac_command_encode(&m, &w) == OK && wr_done(&w, &octets))
		enqueue(c, s, 0, true, now + PERSISTENCE_MS, octets);
}

/* A flood of strangers, who are all refused, must not keep out a device that is welcome: it takes the place of one. */
static struct slot *slot_of_stranger(struct coordinator *c, uint64_t eui64)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct slot *s = &c->slots[i];

		if (!s->used || is_child(s))
			continue;
		drop_items(c, s);
		update_match(c, s);
		slot_end(c, s);
		return slot_new(c, eui64);
	}
	return NULL;
}

static void on_association(struct coordinator *c, uint64_t now, uint64_t eui64, uint8_t capability)
{
	struct slot *s = slot_of(c, eui64);
	bool welcome = admitted(c, now, eui64), known = s != NULL;
	struct coordinator_effect *e;

	if (!s)
		s = slot_new(c, eui64);
	if (!s && welcome)
		s = slot_of_stranger(c, eui64);
	if (!s)
		return;
	if (!welcome) {
		e = effect(c, COORDINATOR_DENIED);
		e->eui64 = eui64;
		/* An unknown one is no child: forgotten when it has its answer, or by time. */
		answer_association(c, now, s, s->child.short_address, MAC_ASSOCIATION_DENIED);
		s->child.last_heard = known ? s->child.last_heard : now;
		return;
	}
	if (!is_child(s))
		short_set(c, s, free_short(c));
	if (!s->child.confirmed)
		s->child.capability = capability;
	s->child.last_heard = now;
	answer_association(c, now, s, s->child.short_address, MAC_ASSOCIATION_SUCCESS);
	e = effect(c, COORDINATOR_ASSOCIATED);
	e->eui64 = eui64;
	e->short_address = s->child.short_address;
	e->capability = capability;
	(void)effect(c, COORDINATOR_SAVE);
}

static void on_poll(struct coordinator *c, uint64_t now, const struct mac_address *from)
{
	bool extended = from->mode == MAC_ADDRESS_EXTENDED;
	struct slot *s = extended ? slot_of(c, from->extended) : slot_of_short(c, from->short_address);
	struct coordinator_effect *e;

	if (!s) {
		e = effect(c, COORDINATOR_UNKNOWN_POLL);
		e->eui64 = extended ? from->extended : 0;
		e->short_address = extended ? MAC_BROADCAST : from->short_address;
		return;
	}
	s->child.last_heard = now;
	for (struct item *i = s->first; i; i = i->next) {
		if (i->command != extended)
			continue;
		if (!i->in_flight)
			transmit_item(c, s, i);
		return;
	}
}

static void on_orphan(struct coordinator *c, uint64_t now, uint64_t eui64)
{
	struct slot *s = slot_of(c, eui64);
	struct mac_command m = {.id = MAC_COORDINATOR_REALIGNMENT};
	struct mac_frame f = {.type = MAC_COMMAND, .sequence = c->sequence++, .ack_request = true, .source = own_address(c, true)};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)now;
	if (!s || !is_child(s))
		return;
	m.realignment.pan_id = c->config.pan_id;
	m.realignment.coordinator = NWK_COORDINATOR;
	m.realignment.channel = c->config.channel;
	m.realignment.short_address = s->child.short_address;
	f.destination = (struct mac_address){MAC_ADDRESS_EXTENDED, MAC_BROADCAST, 0, eui64};
	if (mac_command_encode(&m, &w) == OK && wr_done(&w, &f.payload))
		(void)transmit(c, &f);
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
		send_beacon(c, now);
		break;
	case MAC_ASSOCIATION_REQUEST:
		if (f->source.mode == MAC_ADDRESS_EXTENDED && for_us(c, f))
			on_association(c, now, f->source.extended, m.capability);
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
		s = slot_of(c, aux.source);
	if (!s && nwk->has_source_eui64)
		s = slot_of(c, nwk->source_eui64);
	if (!s && f->source.mode == MAC_ADDRESS_SHORT)
		s = slot_of_short(c, f->source.short_address);
	return s;
}

/* The one NWK command that means something in clear, R22 4.6.3.3.2. Anybody can send it in a child's name: it changes nothing of the child, and what the
 * Trust Centre answers opens under the child's own link key alone. */
static void on_clear_command(struct coordinator *c, uint64_t now, struct slot *s, const struct nwk_frame *nwk)
{
	struct coordinator_effect *e;
	struct nwk_command m;

	if (!nwk->has_source_eui64 || nwk->source != s->child.short_address || !is_child(s) || nwk_command_decode(nwk->payload, &m) != OK || m.id != NWK_REJOIN_REQUEST)
		return;
	if (s->rejoin_at && now - s->rejoin_at < REJOIN_EVERY_MS)
		return;
	s->rejoin_at = now;
	e = effect(c, COORDINATOR_REJOIN);
	e->eui64 = s->child.eui64;
	e->short_address = s->child.short_address;
	e->capability = m.rejoin_request.capability;
}

void coordinator_rejoin_granted(struct coordinator *c, uint64_t now, uint64_t eui64)
{
	struct slot *s = slot_of(c, eui64);
	const struct nwk_command m = {.id = NWK_REJOIN_RESPONSE, .rejoin_response = {.short_address = s ? s->child.short_address : 0}};
	struct nwk_frame f = {
		.type = NWK_COMMAND,
		.protocol_version = 2,
		.source = NWK_COORDINATOR,
		.radius = 1,
		.sequence = c->sequence,
		.has_destination_eui64 = true,
		.has_source_eui64 = true,
		.destination_eui64 = eui64,
		.source_eui64 = c->config.eui64,
	};
	uint8_t command[8], octets[NWK_FRAME_MAX];
	struct wr p = wr_of(command, sizeof command), w = wr_of(octets, sizeof octets);

	if (!s || !s->rejoin_at)
		return;
	s->rejoin_at = 0;
	f.destination = s->child.short_address;
	if (nwk_command_encode(&m, &p) == OK && wr_done(&p, &f.payload) && nwk_frame_encode(&f, &w) == OK)
		enqueue(c, s, COORDINATOR_TRANSPORT_KEY, false, now + PERSISTENCE_MS, rd_of(octets, w.len));
}

/* Of a frame that is sealed for this network, and whose sender is no child: perhaps it was one. */
static void unknown_speaks(struct coordinator *c, const struct nwk_frame *nwk)
{
	struct rd sealed = nwk->payload;
	struct coordinator_effect *e;
	struct aux_header aux;

	if (!nwk->security || !aux_header_decode(&sealed, &aux) || !aux.extended_nonce)
		return;
	e = effect(c, COORDINATOR_UNKNOWN_POLL);
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
		on_clear_command(c, now, s, &nwk);
		return;
	}
	s->child.last_heard = now;
	e = effect(c, COORDINATOR_UPLINK);
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
	struct slot *s = slot_of(c, eui64);
	struct coordinator_effect *e;

	if (!s || !address_is_free(c, short_address, s))
		return;
	if (s->matched_short && s->child.short_address != short_address) {
		e = effect(c, COORDINATOR_MATCH_SHORT);
		e->short_address = s->child.short_address;
		s->matched_short = false;
	}
	short_set(c, s, short_address);
	s->child.capability = capability;
	s->child.timeout_s = timeout_s;
	s->child.confirmed = true;
	s->child.last_heard = now;
	update_match(c, s);
	next_direct(c, s); /* it may listen all the time now */
	(void)effect(c, COORDINATOR_SAVE);
}

void coordinator_child_drop(struct coordinator *c, uint64_t eui64)
{
	struct slot *s = slot_of(c, eui64);

	if (!s)
		return;
	for (const struct item *i = s->first; i; i = i->next)
		if (!i->command)
			report(c, eui64, i->id, EGP_NO_SUCH_DEVICE);
	drop_items(c, s);
	update_match(c, s); /* while its address is known */
	slot_end(c, s);
	(void)effect(c, COORDINATOR_SAVE);
}

/* ---- time ---- */

static void expire(struct coordinator *c, uint64_t now)
{
	struct timer_node *first;

	while ((first = timers_first(&c->expiries)) != NULL && first->at <= now) {
		struct item *i = table_owner(first, struct item, timer);
		struct slot *s = i->slot;

		if (!i->command)
			report(c, s->child.eui64, i->id, EGP_EXPIRED);
		remove_item(c, s, i);
		next_direct(c, s);
	}
}

void coordinator_tick(struct coordinator *c, uint64_t now)
{
	expire(c, now);
	for (size_t n = 0; n < CHILDREN_MAX; n++) {
		struct slot *s = &c->slots[n];

		if (!s->used)
			continue;
		if (!is_child(s) && !s->first && now > s->child.last_heard + ASSOCIATION_MS) {
			slot_end(c, s); /* it was only ever refused */
		} else if (s->child.timeout_s && now > s->child.last_heard + s->child.timeout_s * 1000ULL) {
			struct coordinator_effect *e = effect(c, COORDINATOR_LOST);

			e->eui64 = s->child.eui64;
			e->short_address = s->child.short_address;
			s->child.last_heard = now; /* once a time-out; only its owner drops it */
		}
	}
}

uint64_t coordinator_deadline(const struct coordinator *c)
{
	const struct timer_node *first = timers_first(&c->expiries);

	return first ? first->at : CLOCK_NEVER;
}
