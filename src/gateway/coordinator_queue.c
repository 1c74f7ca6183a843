/* What the coordinator sends: the queue of each child, the radio's source-match table that follows it, and frames on their way. */
#include "gateway/coordinator_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define ITEMS_A_CHILD 128 /* a node that floods one child must not stop the others' */

static void item_free(struct coordinator *c, struct item *i)
{
	timers_unset(&c->expiries, &i->timer);
	if (i->in_flight)
		table_remove(&c->by_token, &i->token_node);
	i->slot->items--;
	free(i);
	c->items--;
}

void queue_drop(struct coordinator *c, struct slot *s)
{
	while (s->first) {
		struct item *i = s->first;

		s->first = i->next;
		item_free(c, i);
	}
	s->last = &s->first;
}

struct mac_address queue_own_address(const struct coordinator *c, bool extended)
{
	const struct mac_address a = {
		.mode = extended ? MAC_ADDRESS_EXTENDED : MAC_ADDRESS_SHORT,
		.pan_id = c->config.pan_id,
		.short_address = NWK_COORDINATOR,
		.extended = c->config.eui64,
	};

	return a;
}

uint32_t queue_transmit(struct coordinator *c, struct mac_frame *f, bool urgent)
{
	struct coordinator_effect *e = coordinator_effect(c, COORDINATOR_TRANSMIT);
	struct wr w = wr_of(e->octets, sizeof e->octets);

	if (mac_frame_encode(f, &w) != OK)
		w.len = 0;
	e->len = w.len;
	e->token = ++c->token;
	e->urgent = urgent;
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

void queue_transmit_item(struct coordinator *c, struct slot *s, struct item *i)
{
	struct mac_frame f = {
		.type = i->command ? MAC_COMMAND : MAC_DATA,
		.ack_request = true,
		.pan_id_compression = true,
		.sequence = c->sequence++,
		.frame_pending = more_behind(i) && (i->command || !child_listens(&s->child)),
		.destination = {i->command ? MAC_ADDRESS_EXTENDED : MAC_ADDRESS_SHORT, c->config.pan_id, s->child.short_address, s->child.eui64},
		.source = queue_own_address(c, i->command),
		.payload = rd_of(i->octets, i->len),
	};

	i->in_flight = true;
	timers_unset(&c->expiries, &i->timer);
	i->token = queue_transmit(c, &f, i->command || !child_listens(&s->child));
	table_add(&c->by_token, &i->token_node, table_hash(i->token));
}

/* The source-match table follows the queue: the radio decides about frame pending before we see a poll. */
void queue_match(struct coordinator *c, struct slot *s)
{
	bool commands = false, data = false;
	struct coordinator_effect *e;

	for (const struct item *i = s->first; i; i = i->next) {
		commands = commands || i->command;
		data = data || !i->command;
	}
	data = data && !child_listens(&s->child);
	if (commands != s->matched_extended) {
		e = coordinator_effect(c, COORDINATOR_MATCH_EXTENDED);
		e->eui64 = s->child.eui64;
		e->add = s->matched_extended = commands;
	}
	if (data != s->matched_short) {
		e = coordinator_effect(c, COORDINATOR_MATCH_SHORT);
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
		queue_match(c, s);
	}
}

void queue_report(struct coordinator *c, uint64_t eui64, uint32_t id, enum egp_delivery_status status)
{
	struct coordinator_effect *e = coordinator_effect(c, COORDINATOR_DELIVERY);

	e->eui64 = eui64;
	e->id = id;
	e->status = status;
}

/* One data frame at a time to a child that listens. A new child hears nothing before it has polled for its address; but anybody can ask for an
 * association in the name of a confirmed one, and holds up no more than the Transport-Key of that association. */
void queue_next(struct coordinator *c, struct slot *s)
{
	struct item *next = NULL;
	bool address_waits = false;

	for (struct item *i = child_listens(&s->child) ? s->first : NULL; i; i = i->next) {
		if (i->command)
			address_waits = true;
		else if (i->in_flight)
			return;
		else if (!next && !(address_waits && (!s->child.confirmed || i->id == COORDINATOR_TRANSPORT_KEY)))
			next = i;
	}
	if (next)
		queue_transmit_item(c, s, next);
}

void queue_add(struct coordinator *c, struct slot *s, uint32_t id, bool command, uint64_t expires, struct rd octets)
{
	struct item *i = c->items < ITEMS_MAX && s->items < ITEMS_A_CHILD && octets.left <= MAC_FRAME_MAX ? calloc(1, sizeof *i) : NULL;

	if (!i) {
		if (!command)
			queue_report(c, s->child.eui64, id, EGP_CHANNEL_BUSY);
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
	queue_match(c, s);
	queue_next(c, s);
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
	queue_match(c, s);
}

/* It is awake and knows that there is more. If it does not come for that, it has left already: it was told to by what it has. */
static void hurry(struct coordinator *c, uint64_t now, struct slot *s)
{
	for (struct item *i = s->first; i; i = i->next) {
		if (i->in_flight || i->expires <= now + PERSISTENCE_MS)
			continue;
		i->expires = now + PERSISTENCE_MS;
		timers_set(&c->expiries, &i->timer, i->expires);
	}
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
	if (!acked && (i->command || !child_listens(&s->child)) && now < i->expires)
		return;
	if (!i->command)
		queue_report(c, s->child.eui64, i->id, acked ? EGP_DELIVERED : busy ? EGP_CHANNEL_BUSY : EGP_NO_ACK);
	remove_item(c, s, i);
	if (s->child.dropped && acked)
		hurry(c, now, s);
	if (!slot_leave(c, now, s))
		queue_next(c, s);
}

/* The NWK header says in clear who is next: the relay of a source route whose turn it is, or else the destination. What is no child of the same owner is no
 * next hop: then it is the device whose container the frame came by. */
static struct slot *next_hop(const struct coordinator *c, struct slot *s, struct rd nwk)
{
	struct slot *next;
	struct nwk_frame f;

	if (nwk_frame_decode(nwk, &f) != OK)
		return s;
	next = slot_find_short(c, f.source_route && f.relay_index < f.relay_count ? f.relays[f.relay_index] : f.destination);
	return next && strcmp(next->child.owner, s->child.owner) == 0 ? next : s;
}

void coordinator_send(struct coordinator *c, uint64_t now, uint64_t eui64, uint32_t id, uint8_t flags, uint32_t validity_ms, struct rd nwk)
{
	struct slot *s = slot_find(c, eui64);

	if (nwk.left == 0 || nwk.left > NWK_FRAME_MAX) {
		queue_report(c, eui64, id, EGP_NO_SUCH_DEVICE);
		return;
	}
	if (flags & EGP_DOWNLINK_BROADCAST) {
		struct mac_frame f = {
			.type = MAC_DATA,
			.pan_id_compression = true,
			.sequence = c->sequence++,
			.destination = {MAC_ADDRESS_SHORT, c->config.pan_id, MAC_BROADCAST, 0},
			.source = queue_own_address(c, false),
			.payload = nwk,
		};

		(void)queue_transmit(c, &f, false);
		queue_report(c, eui64, id, EGP_DELIVERED);
		return;
	}
	if (!s || !slot_is_child(s)) {
		queue_report(c, eui64, id, EGP_NO_SUCH_DEVICE);
		return;
	}
	queue_add(c, next_hop(c, s, nwk), id, false, now + (validity_ms ? validity_ms : PERSISTENCE_MS), nwk);
}

void queue_expire(struct coordinator *c, uint64_t now)
{
	struct timer_node *first;

	while ((first = timers_first(&c->expiries)) != NULL && first->at <= now) {
		struct item *i = table_owner(first, struct item, timer);
		struct slot *s = i->slot;

		if (!i->command)
			queue_report(c, s->child.eui64, i->id, EGP_EXPIRED);
		remove_item(c, s, i);
		if (!slot_leave(c, now, s))
			queue_next(c, s);
	}
}

uint64_t coordinator_deadline(const struct coordinator *c)
{
	const struct timer_node *first = timers_first(&c->expiries);

	return first ? first->at : CLOCK_NEVER;
}
